#include <semaphore.h>

#include "fixture.h"

/* Commits wait for a permission each, so that a test sees what is true while one runs. */
static sem_t reached, permitted;

static int held_commit(MDB_txn *txn)
{
    sem_post(&reached);
    sem_wait(&permitted);
    return mdb_txn_commit(txn);
}

static const struct disk_calls held = {held_commit};

static int begin(void **state)
{
    static struct fixture f;
    fixture_begin(&f);
    sem_init(&reached, 0, 0);
    sem_init(&permitted, 0, 0);
    f.calls = &held;
    fixture_open(&f);
    *state = &f;
    return 0;
}

static int end(void **state)
{
    for (int i = 0; i < 16; i++) sem_post(&permitted);
    fixture_end(*state);
    sem_destroy(&reached);
    sem_destroy(&permitted);
    return 0;
}

static void test_a_position_is_durable_only_when_its_transaction_is(void **state)
{
    struct fixture *f = *state;
    struct store_position first = put(f, "a", "1");
    assert_int_equal(store_durable(f->store).sequence, 0);
    store_flush(f->store);
    sem_wait(&reached);
    struct store_position second = put(f, "b", "2");
    store_flush(f->store);
    assert_int_equal(store_durable(f->store).sequence, 0);
    assert_int_equal(store_position_compare(expect(f, "a", "1"), first), 0);
    sem_post(&permitted);
    fixture_wait(f, first);
    sem_wait(&reached);
    assert_int_equal(store_position_compare(store_durable(f->store), first), 0);
    assert_int_equal(expect(f, "a", "1").sequence, 0);
    assert_int_equal(store_position_compare(expect(f, "b", "2"), second), 0);
    sem_post(&permitted);
    fixture_wait(f, second);
    assert_int_equal(store_position_compare(store_durable(f->store), second), 0);
}

static void test_turns_gather_while_a_sync_runs_and_the_owner_never_waits(void **state)
{
    struct fixture *f = *state;
    struct store_position last = put(f, "k", "0");
    store_flush(f->store);
    sem_wait(&reached);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i % 300);
        last = put(f, key, key);
        expect(f, key, key);
        store_flush(f->store);
    }
    sem_post(&permitted);
    sem_post(&permitted);
    fixture_wait(f, last);
    store_flush(f->store);
    struct store_statistics st;
    store_statistics(f->store, &st);
    assert_int_equal(st.syncs, 2);
    assert_int_equal(st.flushes, 1001);
    assert_int_equal(st.rows_durable, 301);
    assert_int_equal(st.pending_rows, 0);
    assert_int_equal(st.pending_bytes, 0);
}

static void test_pressure_is_felt_until_rows_are_durable(void **state)
{
    struct fixture *f = *state;
    char value[1001];
    memset(value, 'v', sizeof value);
    value[1000] = 0;
    f->store->pending_max = 10 * 1000;
    assert_false(store_pressure(f->store));
    put(f, "same", value);
    for (int i = 0; i < 50; i++) put(f, "same", value); /* replaced versions do not count */
    assert_false(store_pressure(f->store));
    struct store_position last = {0};
    for (int i = 0; i < 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        last = put(f, key, value);
    }
    assert_true(store_pressure(f->store));
    store_flush(f->store);
    assert_true(store_pressure(f->store));
    sem_post(&permitted);
    fixture_wait(f, last);
    assert_false(store_pressure(f->store));
}

static void test_close_makes_durable_what_was_written(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) sem_post(&permitted);
    put(f, "a", "1");
    store_flush(f->store);
    put(f, "b", "2");
    fixture_reopen(f);
    expect(f, "a", "1");
    expect(f, "b", "2");
    assert_int_equal(f->report.position.sequence, 2);
}

int run_gate_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_position_is_durable_only_when_its_transaction_is, begin, end),
        cmocka_unit_test_setup_teardown(test_turns_gather_while_a_sync_runs_and_the_owner_never_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_pressure_is_felt_until_rows_are_durable, begin, end),
        cmocka_unit_test_setup_teardown(test_close_makes_durable_what_was_written, begin, end),
    };
    return cmocka_run_group_tests_name("store gates", tests, NULL, NULL);
}
