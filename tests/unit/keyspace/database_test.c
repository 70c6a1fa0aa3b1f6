#include "fixture.h"

#define NEVER KEYSPACE_NO_EXPIRY

static void test_databases_do_not_see_each_other(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "zero", NEVER);
    put(f, 3, "k", "three", NEVER);
    expect(f, 0, "k", "zero");
    expect(f, 1, "k", NULL);
    expect(f, 3, "k", "three");
    assert_true(delete_key(f, 0, "k"));
    expect(f, 3, "k", "three");
}

static void test_counts_follow_and_are_rebuilt(void **state)
{
    struct fixture *f = *state;
    unsigned slot = keyspace_slot(bytes_text("{t}"));
    put(f, 1, "{t}a", "1", NEVER);
    put(f, 1, "{t}b", "1", f->now_ms + 5);
    put(f, 1, "{t}b", "2", f->now_ms + 6);
    put(f, 1, "other", "1", NEVER);
    put(f, 2, "{t}a", "1", NEVER);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(keyspace_size(f->ks, 0), 0);
        assert_int_equal(keyspace_size(f->ks, 1), 3);
        assert_int_equal(keyspace_expiring(f->ks, 1), 1);
        assert_int_equal(keyspace_size(f->ks, 2), 1);
        keyspace_begin(f->ks, 1, f->now_ms);
        assert_int_equal(keyspace_slot_size(f->ks, slot), 2);
        assert_int_equal(keyspace_slot_size(f->ks, 20000), 0);
        keyspace_end(f->ks);
        fixture_reopen(f);
    }
}

static void test_flushing_drops_one_database(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "zero", f->now_ms + 1000);
    put(f, 1, "k", "one", NEVER);
    flush(f, 0);
    expect(f, 0, "k", NULL);
    assert_int_equal(keyspace_size(f->ks, 0), 0);
    assert_int_equal(keyspace_expiring(f->ks, 0), 0);
    put(f, 0, "k", "new", NEVER);
    fixture_reopen(f);
    expect(f, 0, "k", "new");
    expect(f, 1, "k", "one");
    assert_int_equal(keyspace_size(f->ks, 0), 1);
}

static void test_flushing_all_drops_all_and_lasts(void **state)
{
    struct fixture *f = *state;
    for (unsigned n = 0; n < DATABASES; n++) put(f, n, "k", "v", NEVER);
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_string_put(f->ks, bytes_text("same batch"), bytes_text("v"), NEVER);
    keyspace_flush_all(f->ks);
    assert_int_equal(keyspace_find(f->ks, bytes_text("same batch")).type, KEYSPACE_NONE);
    keyspace_string_put(f->ks, bytes_text("after"), bytes_text("v"), NEVER);
    keyspace_end(f->ks);
    for (int round = 0; round < 2; round++) {
        for (unsigned n = 0; n < DATABASES; n++) expect(f, n, "k", NULL);
        expect(f, 0, "after", "v");
        assert_int_equal(keyspace_size(f->ks, 0), 1);
        fixture_reopen(f);
    }
}

static void test_flushing_an_empty_database_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_statistics before, after;
    put(f, 0, "k", "v", NEVER);
    assert_true(delete_key(f, 0, "k"));
    store_statistics(f->store, &before);
    flush(f, 0);
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_flush_all(f->ks);
    keyspace_end(f->ks);
    store_statistics(f->store, &after);
    assert_int_equal(after.batches, before.batches);
}

int run_database_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_databases_do_not_see_each_other),
        FIXTURE_TEST(test_counts_follow_and_are_rebuilt),
        FIXTURE_TEST(test_flushing_drops_one_database),
        FIXTURE_TEST(test_flushing_all_drops_all_and_lasts),
        FIXTURE_TEST(test_flushing_an_empty_database_writes_nothing),
    };
    return cmocka_run_group_tests_name("keyspace databases", tests, NULL, NULL);
}
