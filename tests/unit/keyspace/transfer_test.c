#include "fixture.h"

#define NEVER KEYSPACE_NO_EXPIRY

/* One command each. */
static enum keyspace_transfer copy(struct fixture *f, unsigned from_database, const char *from, unsigned to_database,
                                   const char *to, bool replace)
{
    keyspace_begin(f->ks, from_database, f->now_ms);
    struct keyspace_destination d = {to_database, bytes_text(to), replace};
    enum keyspace_transfer outcome = keyspace_copy(f->ks, bytes_text(from), &d);
    keyspace_end(f->ks);
    return outcome;
}

static enum keyspace_transfer move(struct fixture *f, unsigned from_database, const char *from, unsigned to_database,
                                   const char *to, bool replace)
{
    keyspace_begin(f->ks, from_database, f->now_ms);
    struct keyspace_destination d = {to_database, bytes_text(to), replace};
    enum keyspace_transfer outcome = keyspace_move(f->ks, bytes_text(from), &d);
    keyspace_end(f->ks);
    return outcome;
}

static int64_t expiry_of(struct fixture *f, unsigned database, const char *key)
{
    keyspace_begin(f->ks, database, f->now_ms);
    int64_t expires_ms = keyspace_find(f->ks, bytes_text(key)).expires_ms;
    keyspace_end(f->ks);
    return expires_ms;
}

static const char *long_key(void)
{
    static char key[601];
    memset(key, 'x', 600);
    return key;
}

static void test_a_copy_has_the_value_and_the_expiry(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "v", f->now_ms + 1000);
    assert_int_equal(copy(f, 0, "k", 0, "other slot", false), KEYSPACE_TRANSFERRED);
    assert_int_equal(copy(f, 0, "k", 2, "k", false), KEYSPACE_TRANSFERRED);
    assert_int_equal(copy(f, 2, "k", 3, long_key(), false), KEYSPACE_TRANSFERRED);
    assert_int_equal(copy(f, 3, long_key(), 3, "short again", false), KEYSPACE_TRANSFERRED);
    for (int round = 0; round < 2; round++) {
        expect(f, 0, "k", "v");
        expect(f, 0, "other slot", "v");
        expect(f, 2, "k", "v");
        expect(f, 3, long_key(), "v");
        expect(f, 3, "short again", "v");
        assert_true(expiry_of(f, 0, "other slot") == f->now_ms + 1000);
        assert_true(expiry_of(f, 3, "short again") == f->now_ms + 1000);
        assert_int_equal(keyspace_expiring(f->ks, 0), 2);
        assert_int_equal(keyspace_size(f->ks, 3), 2);
        fixture_reopen(f);
    }
}

static void test_what_was_moved_is_gone_from_where_it_was(void **state)
{
    struct fixture *f = *state;
    put(f, 1, "k", "v", f->now_ms + 1000);
    assert_int_equal(move(f, 1, "k", 1, "l", true), KEYSPACE_TRANSFERRED);
    assert_int_equal(move(f, 1, "l", 2, "l", true), KEYSPACE_TRANSFERRED);
    for (int round = 0; round < 2; round++) {
        expect(f, 1, "k", NULL);
        expect(f, 1, "l", NULL);
        expect(f, 2, "l", "v");
        assert_int_equal(keyspace_size(f->ks, 1), 0);
        assert_int_equal(keyspace_expiring(f->ks, 1), 0);
        assert_int_equal(keyspace_expiring(f->ks, 2), 1);
        fixture_reopen(f);
    }
}

static void test_a_key_is_replaced_only_if_asked_for(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "a", "new", NEVER);
    put(f, 1, "b", "old", f->now_ms + 1000);
    assert_int_equal(copy(f, 0, "a", 1, "b", false), KEYSPACE_OCCUPIED);
    assert_int_equal(move(f, 0, "a", 1, "b", false), KEYSPACE_OCCUPIED);
    expect(f, 0, "a", "new");
    expect(f, 1, "b", "old");
    assert_int_equal(copy(f, 0, "a", 1, "b", true), KEYSPACE_TRANSFERRED);
    expect(f, 1, "b", "new");
    assert_true(expiry_of(f, 1, "b") == NEVER);
    assert_int_equal(keyspace_expiring(f->ks, 1), 0);
}

static void test_to_itself_nothing_is_done(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "v", f->now_ms + 1000);
    assert_int_equal(move(f, 0, "k", 0, "k", true), KEYSPACE_TRANSFERRED);
    assert_int_equal(move(f, 0, "k", 0, "k", false), KEYSPACE_OCCUPIED);
    assert_int_equal(copy(f, 0, "k", 0, "k", true), KEYSPACE_TRANSFERRED);
    expect(f, 0, "k", "v");
    assert_int_equal(move(f, 0, "none", 0, "none", true), KEYSPACE_NO_SOURCE);
}

static void test_expired_keys_are_neither_a_source_nor_in_the_way(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "live", "v", NEVER);
    put(f, 0, "source", "v", f->now_ms + 1);
    put(f, 1, "way", "old", f->now_ms + 1);
    f->now_ms += 1;
    assert_int_equal(copy(f, 0, "source", 1, "live", true), KEYSPACE_NO_SOURCE);
    assert_int_equal(move(f, 0, "live", 1, "way", false), KEYSPACE_TRANSFERRED);
    expect(f, 1, "way", "v");
    assert_int_equal(keyspace_size(f->ks, 0), 0);
    assert_int_equal(keyspace_size(f->ks, 1), 1);
}

static struct store_position swap(struct fixture *f, unsigned a, unsigned b)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_swap(f->ks, a, b);
    return keyspace_end(f->ks);
}

static void test_swapped_databases_exchange_keys_and_counts_and_it_lasts(void **state)
{
    struct fixture *f = *state;
    unsigned slot = keyspace_slot(bytes_text("k"));
    put(f, 0, "k", "zero", f->now_ms + 1000);
    put(f, 3, "k", "three", NEVER);
    put(f, 3, "l", "three", NEVER);
    swap(f, 0, 3);
    for (int round = 0; round < 2; round++) {
        expect(f, 0, "k", "three");
        expect(f, 3, "k", "zero");
        assert_int_equal(keyspace_size(f->ks, 0), 2);
        assert_int_equal(keyspace_expiring(f->ks, 0), 0);
        assert_int_equal(keyspace_size(f->ks, 3), 1);
        assert_int_equal(keyspace_expiring(f->ks, 3), 1);
        keyspace_begin(f->ks, 3, f->now_ms);
        assert_int_equal(keyspace_slot_size(f->ks, slot), 1);
        keyspace_end(f->ks);
        fixture_reopen(f);
    }
    flush(f, 0);
    swap(f, 3, 1);
    f->now_ms += 1000;
    while (sweep(f, 100, f->now_ms)) {}
    assert_int_equal(keyspace_size(f->ks, 1), 0);
    assert_int_equal(keyspace_expiring(f->ks, 1), 0);
}

static void test_a_swap_shows_in_the_rest_of_its_command(void **state)
{
    struct fixture *f = *state;
    put(f, 1, "k", "one", NEVER);
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_string_put(f->ks, bytes_text("k"), bytes_text("zero"), NEVER);
    keyspace_swap(f->ks, 0, 1);
    keyspace_string_put(f->ks, bytes_text("k"), bytes_text("changed"), NEVER);
    keyspace_end(f->ks);
    expect(f, 0, "k", "changed");
    expect(f, 1, "k", "zero");
}

static void test_after_a_swap_nothing_is_told_before_it_is_durable(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "v", NEVER);
    fixture_settle(f);
    struct store_position swapped = swap(f, 0, 1);
    assert_int_not_equal(swapped.sequence, 0);
    assert_int_equal(expect(f, 1, "k", "v").sequence, swapped.sequence);
    assert_int_equal(expect(f, 0, "k", NULL).sequence, swapped.sequence);
}

static void test_a_swap_that_changes_nothing_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_statistics before, after;
    put(f, 0, "k", "v", NEVER);
    store_statistics(f->store, &before);
    swap(f, 0, 0);
    swap(f, 1, 2);
    store_statistics(f->store, &after);
    assert_int_equal(after.batches, before.batches);
}

int run_transfer_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_copy_has_the_value_and_the_expiry),
        FIXTURE_TEST(test_what_was_moved_is_gone_from_where_it_was),
        FIXTURE_TEST(test_a_key_is_replaced_only_if_asked_for),
        FIXTURE_TEST(test_to_itself_nothing_is_done),
        FIXTURE_TEST(test_expired_keys_are_neither_a_source_nor_in_the_way),
        FIXTURE_TEST(test_swapped_databases_exchange_keys_and_counts_and_it_lasts),
        FIXTURE_TEST(test_a_swap_shows_in_the_rest_of_its_command),
        FIXTURE_TEST(test_after_a_swap_nothing_is_told_before_it_is_durable),
        FIXTURE_TEST(test_a_swap_that_changes_nothing_writes_nothing),
    };
    return cmocka_run_group_tests_name("keyspace transfer", tests, NULL, NULL);
}
