#include "fixture.h"

#define NEVER KEYSPACE_NO_EXPIRY

static void put_many(struct fixture *f, unsigned database, int count, int64_t expires_ms)
{
    char key[32];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%s%d", expires_ms == NEVER ? "stays" : "goes", i);
        put(f, database, key, "v", expires_ms);
    }
}

/* Of keys, dead or alive. */
static uint64_t rows(struct fixture *f)
{
    struct store_iterator *it = store_iterate(f->store, bytes_of("", 0), bytes_of("\xff\xff", 2));
    struct bytes key;
    struct store_value value;
    uint64_t count = 0;
    while (store_iterator_next(it, &key, &value)) count++;
    store_iterator_close(it);
    return count;
}

static void test_the_sweeper_deletes_expired_keys_a_few_at_a_time(void **state)
{
    struct fixture *f = *state;
    put_many(f, 0, 100, NEVER);
    put_many(f, 0, 100, f->now_ms + 10);
    put_many(f, 2, 50, f->now_ms + 10);
    assert_int_equal(sweep(f, 1000, f->now_ms + 9), 0);
    size_t deleted = 0;
    for (int call = 0; call < 50; call++) {
        size_t now = sweep(f, 10, f->now_ms + 10);
        assert_true(now <= 10);
        deleted += now;
    }
    assert_int_equal(deleted, 150);
    assert_int_equal(keyspace_expired_total(f->ks), 150);
    assert_int_equal(keyspace_size(f->ks, 0), 100);
    assert_int_equal(keyspace_size(f->ks, 2), 0);
    assert_int_equal(keyspace_expiring(f->ks, 0), 0);
    assert_int_equal(rows(f), 100);
}

/* Nobody looks at it: it goes from memory with its deletion, and from disk with the next checkpoint. */
static void test_an_expired_key_that_nobody_touches_is_gone_after_a_sweep_and_a_checkpoint(void **state)
{
    struct fixture *f = *state;
    struct store_statistics st;
    put_many(f, 0, 100, NEVER);
    put_many(f, 0, 100, f->now_ms + 10);
    fixture_reopen(f); /* on disk only */
    store_statistics(f->store, &st);
    uint64_t before = st.rows_durable;
    assert_int_equal(st.cached_rows + st.dirty_rows, 1); /* the keyspace's own */
    assert_int_equal(sweep(f, 1000, f->now_ms + 9), 0);
    assert_int_equal(sweep(f, 1000, f->now_ms + 10), 100);
    assert_int_equal(sweep(f, 1000, f->now_ms + 10), 0);
    fixture_reopen(f);
    store_statistics(f->store, &st);
    assert_int_equal(st.rows_durable, before - 100);
    assert_int_equal(keyspace_size(f->ks, 0), 100);
}

static void test_the_sweeper_sees_the_last_expiry(void **state)
{
    struct fixture *f = *state;
    for (int where = 0; where < 2; where++) {
        put(f, 0, "earlier", "v", f->now_ms + 100), put(f, 0, "later", "v", f->now_ms + 100), put(f, 0, "persists", "v", f->now_ms + 100);
        put(f, 0, "overwritten", "v", f->now_ms + 100), put(f, 0, "stays", "v", f->now_ms + 100);
        if (where) fixture_reopen(f);
        expire_key(f, 0, "earlier", f->now_ms + 50), expire_key(f, 0, "later", f->now_ms + 200), expire_key(f, 0, "persists", NEVER);
        put(f, 0, "overwritten", "v", NEVER);
        put(f, 1, "other", "v", f->now_ms + 100);
        if (where) fixture_reopen(f);
        flush(f, 1);
        assert_int_equal(keyspace_expiring(f->ks, 0), 3);
        assert_int_equal(sweep(f, 100, f->now_ms + 50), 1);
        assert_int_equal(sweep(f, 100, f->now_ms + 150), 1);
        assert_int_equal(sweep(f, 100, f->now_ms + 200), 1);
        expect(f, 0, "persists", "v"), expect(f, 0, "overwritten", "v");
        flush(f, 0);
    }
}

static void test_a_sweep_with_nothing_to_find_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_statistics before, after;
    put_many(f, 0, 10, NEVER);
    put_many(f, 0, 10, f->now_ms + 1000);
    store_statistics(f->store, &before);
    for (int call = 0; call < 10; call++) assert_int_equal(sweep(f, 7, f->now_ms), 0);
    assert_int_equal(keyspace_sweep(f->ks, 0, f->now_ms + 2000, NULL), 0);
    store_statistics(f->store, &after);
    assert_int_equal(after.batches, before.batches);
}

int run_sweep_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_the_sweeper_deletes_expired_keys_a_few_at_a_time),
        FIXTURE_TEST(test_an_expired_key_that_nobody_touches_is_gone_after_a_sweep_and_a_checkpoint),
        FIXTURE_TEST(test_the_sweeper_sees_the_last_expiry),
        FIXTURE_TEST(test_a_sweep_with_nothing_to_find_writes_nothing),
    };
    return cmocka_run_group_tests_name("keyspace sweep", tests, NULL, NULL);
}
