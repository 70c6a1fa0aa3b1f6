#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "fixture.h"

/* Syncs of the log wait for a permission each, so that a test sees what is true while one runs. */
static sem_t reached, permitted;
static atomic_bool holding, sync_fails;
static struct wal_calls held;
static _Thread_local unsigned syncs_here; /* on this thread */

static int held_sync(void *user, int fd)
{
    (void)user;
    if (atomic_load(&holding)) {
        sem_post(&reached);
        sem_wait(&permitted);
    }
    syncs_here++;
    if (atomic_load(&sync_fails)) {
        errno = EIO;
        return -1;
    }
    return fdatasync(fd);
}

static void open_with(struct fixture *f, enum store_durability durability)
{
    held = wal_calls_system;
    held.fdatasync = held_sync;
    atomic_store(&holding, false);
    f->options.durability = durability;
    f->calls.wal = &held;
    fixture_open(f);
    struct wal_statistics log;
    put(f, "first", "1"); /* the first segment is begun and the next are made; whoever syncs from here on is held */
    fixture_checkpoint(f);
    do {
        fixture_pause();
        wal_statistics(f->store->wal, &log);
    } while (log.segments_ready < 2);
    atomic_store(&holding, true);
}

static int begin(void **state)
{
    static struct fixture f;
    fixture_begin(&f);
    sem_init(&reached, 0, 0);
    sem_init(&permitted, 0, 0);
    *state = &f;
    return 0;
}

static int end(void **state)
{
    atomic_store(&holding, false);
    for (int i = 0; i < 4; i++) sem_post(&permitted);
    fixture_end(*state);
    sem_destroy(&reached);
    sem_destroy(&permitted);
    return 0;
}

static void test_always_releases_what_is_synced(void **state)
{
    struct fixture *f = *state;
    open_with(f, STORE_ALWAYS);
    struct store_position first = put(f, "a", "1");
    store_flush(f->store);
    sem_wait(&reached);
    struct store_position second = put(f, "b", "2");
    store_flush(f->store);
    assert_int_equal(store_released(f->store).sequence, 1);
    assert_int_equal(store_position_compare(expect(f, "a", "1"), first), 0);
    sem_post(&permitted);
    fixture_wait(f, first);
    sem_wait(&reached);
    assert_int_equal(store_position_compare(store_released(f->store), first), 0);
    assert_int_equal(expect(f, "a", "1").sequence, 0);
    assert_int_equal(store_position_compare(expect(f, "b", "2"), second), 0);
    sem_post(&permitted);
    fixture_wait(f, second);
    assert_int_equal(store_position_compare(store_released(f->store), second), 0);
}

static void test_an_inline_sync_releases_before_the_flush_returns(void **state)
{
    struct fixture *f = *state;
    open_with(f, STORE_ALWAYS);
    atomic_store(&holding, false);
    store_sync_inline(f->store, true);
    unsigned before = syncs_here;
    for (int i = 0; i < 20; i++) {
        struct store_position p = put(f, "a", "1");
        store_flush(f->store);
        if (!f->store->sync_inline) store_sync_inline(f->store, true); /* a disk that took too long is left to the thread for a while */
        if (syncs_here == before + (unsigned)i + 1) assert_int_equal(store_position_compare(store_durable(f->store), p), 0);
        fixture_wait(f, p);
    }
    assert_true(syncs_here > before);
    store_sync_inline(f->store, false);
    before = syncs_here;
    fixture_wait(f, (put(f, "a", "2"), store_flush(f->store), store_written(f->store)));
    assert_int_equal(syncs_here, before);
}

static void test_what_the_thread_is_syncing_is_left_to_it(void **state)
{
    struct fixture *f = *state;
    open_with(f, STORE_ALWAYS);
    put(f, "a", "1");
    store_flush(f->store);
    sem_wait(&reached); /* the thread is at it */
    store_sync_inline(f->store, true);
    struct store_position p = put(f, "b", "2");
    store_flush(f->store); /* does not wait for it */
    assert_int_equal(store_durable(f->store).sequence, 1);
    atomic_store(&holding, false);
    sem_post(&permitted);
    fixture_wait(f, p); /* and the thread goes on to the end */
}

static void test_an_inline_sync_that_fails_is_final(void **state)
{
    struct fixture *f = *state;
    struct error e;
    open_with(f, STORE_ALWAYS);
    atomic_store(&holding, false);
    store_sync_inline(f->store, true);
    atomic_store(&sync_fails, true);
    put(f, "a", "1");
    store_flush(f->store);
    fixture_wait(f, (struct store_position){1, 2});
    atomic_store(&sync_fails, false);
    assert_true(store_failed(f->store, &e));
    assert_non_null(strstr(e.text, "syncing"));
    assert_false(store_writable(f->store, &e));
    assert_int_equal(store_released(f->store).sequence, 1);
}

static void test_the_other_modes_release_what_is_written_at_once(void **state)
{
    struct fixture *f = *state;
    open_with(f, STORE_EVERYSEC);
    for (int mode = 0; mode < 2; mode++) {
        struct store_position p = put(f, "a", "1");
        assert_int_equal(store_position_compare(expect(f, "a", "1"), p), 0);
        store_flush(f->store);
        assert_int_equal(store_position_compare(store_released(f->store), p), 0);
        assert_int_equal(expect(f, "a", "1").sequence, 0);
        assert_int_equal(store_durable(f->store).sequence, 1);
        store_set_durability(f->store, STORE_NO);
    }
}

static void test_the_mode_can_be_changed_at_any_time(void **state)
{
    struct fixture *f = *state;
    open_with(f, STORE_ALWAYS);
    struct store_position p = put(f, "a", "1");
    store_flush(f->store);
    assert_int_equal(store_released(f->store).sequence, 1);
    store_set_durability(f->store, STORE_NO);
    assert_int_equal(store_position_compare(store_released(f->store), p), 0);
    store_set_durability(f->store, STORE_ALWAYS);
    assert_int_equal(store_released(f->store).sequence, 1);
    sem_post(&permitted);
    fixture_wait(f, p);
    assert_int_equal(store_position_compare(store_released(f->store), p), 0);
}

static void test_turns_gather_while_a_sync_runs_and_the_owner_never_waits(void **state)
{
    struct fixture *f = *state;
    open_with(f, STORE_ALWAYS);
    struct store_statistics before;
    store_statistics(f->store, &before);
    uint64_t syncs = before.syncs;
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
    struct store_statistics st;
    store_statistics(f->store, &st);
    assert_int_equal(st.syncs, syncs + 2);
    assert_int_equal(st.flushes, 1002);
    assert_int_equal(st.dirty_rows, 301);
}

static void test_a_checkpoint_waits_until_its_rows_are_durable(void **state)
{
    struct fixture *f = *state;
    open_with(f, STORE_NO);
    struct store_position p = put(f, "a", "1");
    store_checkpoint_soon(f->store);
    store_flush(f->store);
    sem_wait(&reached); /* nobody else would have synced */
    for (int i = 0; i < 5; i++) {
        fixture_pause();
        store_flush(f->store);
    }
    struct store_statistics st;
    store_statistics(f->store, &st);
    assert_true(st.checkpoint_running);
    assert_int_equal(st.rows_durable, 1);
    sem_post(&permitted);
    fixture_checkpoint(f);
    store_statistics(f->store, &st);
    assert_int_equal(store_position_compare(st.checkpoint, p), 0);
    assert_int_equal(st.rows_durable, 2);
    assert_int_equal(wal_get_mode(f->store->wal), WAL_NO);
}

static void test_pressure_is_felt_while_too_much_is_not_checkpointed(void **state)
{
    struct fixture *f = *state;
    char value[1001];
    memset(value, 'v', sizeof value);
    value[1000] = 0;
    f->options.dirty_max = 400 * 1000;
    open_with(f, STORE_ALWAYS);
    assert_false(store_pressure(f->store));
    for (int i = 0; i < 500; i++) put(f, "same", value); /* replaced versions do not count */
    assert_false(store_pressure(f->store));
    for (int i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        put(f, key, value);
    }
    assert_true(store_pressure(f->store));
    store_flush(f->store);
    assert_true(store_pressure(f->store));
    atomic_store(&holding, false);
    sem_post(&permitted);
    fixture_checkpoint(f);
    assert_false(store_pressure(f->store));
}

static void test_close_makes_durable_what_was_written(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    put(f, "a", "1");
    store_flush(f->store);
    put(f, "b", "2");
    fixture_reopen(f);
    expect(f, "a", "1");
    expect(f, "b", "2");
    assert_int_equal(f->report.position.sequence, 2);
    assert_int_equal(f->report.rows, 2); /* all in the checkpoint: nothing to replay */
    assert_int_equal(f->report.changed_rows, 0);
}

int run_gate_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_always_releases_what_is_synced, begin, end),
        cmocka_unit_test_setup_teardown(test_an_inline_sync_releases_before_the_flush_returns, begin, end),
        cmocka_unit_test_setup_teardown(test_what_the_thread_is_syncing_is_left_to_it, begin, end),
        cmocka_unit_test_setup_teardown(test_an_inline_sync_that_fails_is_final, begin, end),
        cmocka_unit_test_setup_teardown(test_the_other_modes_release_what_is_written_at_once, begin, end),
        cmocka_unit_test_setup_teardown(test_the_mode_can_be_changed_at_any_time, begin, end),
        cmocka_unit_test_setup_teardown(test_turns_gather_while_a_sync_runs_and_the_owner_never_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_a_checkpoint_waits_until_its_rows_are_durable, begin, end),
        cmocka_unit_test_setup_teardown(test_pressure_is_felt_while_too_much_is_not_checkpointed, begin, end),
        cmocka_unit_test_setup_teardown(test_close_makes_durable_what_was_written, begin, end),
    };
    return cmocka_run_group_tests_name("store gates", tests, NULL, NULL);
}
