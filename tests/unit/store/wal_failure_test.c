/* Failing system calls: each in turn, with each error. Either it is survived, or the log says what failed and what was
 * acknowledged is kept. */
#include <errno.h>
#include <unistd.h>

#include "base/random.h"
#include "wal_world.h"

/* Some of everything; the same calls each time but for what the threads' timing changes. Returns whether anything was
 * reported. */
static bool story(struct world *w, struct store_position *durable)
{
    struct error e = {0};
    bool told = false;
    w->random = 77;
    if (world_open(w)) {
        assert_true(w->error.text[0] != 0);
        return true;
    }
    for (unsigned i = 0; i < 40; i++) {
        if (i % 10 == 9) world_trim(w);
        if (i % 8 == 7) world_wait_durable(w);
        if (!world_append_len(w, i == 30 ? 40000 : 500 + 40 * i)) break;
    }
    world_wait_durable(w);
    *durable = wal_durable(w->wal);
    if (wal_failed(w->wal, &e) || wal_full(w->wal, &e)) {
        assert_non_null(strstr(e.text, w->log_dir));
        told = true;
    }
    world_close(w);
    return told;
}

/* Runs the story with a failure at its n-th call. False: the story has fewer calls. */
static bool story_with_failure(uint64_t n, enum sim_fault fault, int errnum, bool power)
{
    struct world w;
    struct store_position durable = {0};
    world_begin(&w, 5 + n);
    w.sim.fault_at = n;
    w.sim.fault = fault;
    w.sim.fault_errno = errnum;
    bool told = story(&w, &durable), reached = w.sim.count >= n, faulted = w.sim.faulted;
    if (fault != SIM_FAIL && told) fail_msg("call %d: %s", (int)n, w.error.text);
    if (told) assert_true(faulted);
    if (power) sim_lose_power(&w.sim, w.log_dir);
    size_t sure = world_records_up_to(&w, durable);
    sim_restart(&w.sim);
    world_open_ok(&w);
    if (w.count < sure) fail_msg("call %d: %zu of %zu acknowledged records are there", (int)n, w.count, sure);
    world_close(&w);
    world_end(&w);
    return reached;
}

static void at_each_call(enum sim_fault fault, int errnum, unsigned step)
{
    uint64_t n = 1;
    while (story_with_failure(n, fault, errnum, n % 2)) n += step;
    assert_true(n > 100);
}

static void test_an_io_error_anywhere_is_told_and_loses_nothing(void **state)
{
    (void)state;
    at_each_call(SIM_FAIL, EIO, 1);
}

static void test_a_full_disk_anywhere_is_told_and_loses_nothing(void **state)
{
    (void)state;
    at_each_call(SIM_FAIL, ENOSPC, 3);
}

static void test_short_writes_are_continued(void **state)
{
    (void)state;
    at_each_call(SIM_SHORT, 0, 3);
}

static void test_interrupted_calls_are_repeated(void **state)
{
    (void)state;
    struct world w;
    struct store_position durable;
    world_begin(&w, 1);
    story(&w, &durable);
    uint64_t calls = sim_count(&w.sim);
    world_end(&w);
    for (uint64_t n = 1; n < calls; n += 2) {
        world_begin(&w, 1);
        w.sim.fault_at = n;
        w.sim.fault = SIM_INTERRUPT;
        if (story(&w, &durable)) fail_msg("call %d: %s", (int)n, w.error.text);
        world_end(&w);
    }
}

static void test_a_failed_sync_is_final(void **state)
{
    (void)state;
    struct world w;
    struct error e, again;
    world_begin(&w, 1);
    world_open_ok(&w);
    assert_true(world_append_len(&w, 100));
    assert_true(world_wait_durable(&w));
    world_wait_for_reserve(&w); /* so that the next call is the sync */
    struct store_position kept = wal_durable(w.wal);
    wal_set_mode(w.wal, WAL_NO); /* nothing is synced until told */
    assert_true(world_append_len(&w, 100));
    pthread_mutex_lock(&w.sim.lock);
    w.sim.fault = SIM_FAIL;
    w.sim.fault_at = w.sim.count + 1;
    w.sim.fault_for = 3;
    w.sim.fault_errno = EIO;
    pthread_mutex_unlock(&w.sim.lock);
    wal_set_mode(w.wal, WAL_ALWAYS);
    assert_false(world_wait_durable(&w));
    assert_true(wal_failed(w.wal, &e));
    assert_int_equal(e.code, ERROR_DISK);
    assert_non_null(strstr(e.text, ".log: syncing"));
    struct iovec part = {"x", 1};
    struct store_position next = {w.records[w.count - 1].first.epoch, w.records[w.count - 1].last + 1};
    assert_int_equal(wal_append(w.wal, next, next.sequence, &part, 1, 1, &again), ERROR_DISK);
    assert_string_equal(e.text, again.text);
    assert_false(wal_has_room(w.wal, 1));
    assert_int_equal(store_position_compare(wal_durable(w.wal), kept), 0);
    world_end(&w);
}

static void test_a_full_disk_is_noticed_before_a_write_needs_it_and_passes(void **state)
{
    (void)state;
    struct world w;
    struct error e;
    unsigned appended = 0;
    world_begin(&w, 1);
    world_open_ok(&w);
    sim_set_space(&w.sim, 2 * WORLD_SEGMENT + 5000);
    while (world_append_len(&w, 1000)) appended++;
    w.count = world_records_up_to(&w, wal_written(w.wal));
    assert_int_equal(w.count, appended);
    assert_false(wal_failed(w.wal, NULL));
    assert_true(wal_full(w.wal, &e));
    assert_int_equal(e.code, ERROR_DISK);
    assert_non_null(strstr(e.text, "No space left on device"));
    assert_true(world_wait_durable(&w));
    sim_set_space(&w.sim, -1);
    for (unsigned i = 0; i < 40000 && wal_full(w.wal, NULL); i++) usleep(100);
    assert_false(wal_full(w.wal, NULL));
    assert_true(world_append_len(&w, 1000));
    world_close(&w);
    sim_restart(&w.sim);
    world_open_ok(&w);
    assert_int_equal(w.count, appended + 1);
    world_end(&w);
}

static void test_a_log_opens_on_a_full_disk(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    sim_set_space(&w.sim, 100);
    world_open_ok(&w);
    assert_false(wal_has_room(w.wal, 1));
    assert_true(wal_full(w.wal, NULL));
    sim_set_space(&w.sim, -1);
    for (unsigned i = 0; i < 40000 && wal_full(w.wal, NULL); i++) usleep(100);
    assert_true(world_append_len(&w, 1000));
    world_end(&w);
}

int wal_failure_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_io_error_anywhere_is_told_and_loses_nothing),
        cmocka_unit_test(test_a_full_disk_anywhere_is_told_and_loses_nothing),
        cmocka_unit_test(test_short_writes_are_continued),
        cmocka_unit_test(test_interrupted_calls_are_repeated),
        cmocka_unit_test(test_a_failed_sync_is_final),
        cmocka_unit_test(test_a_full_disk_is_noticed_before_a_write_needs_it_and_passes),
        cmocka_unit_test(test_a_log_opens_on_a_full_disk),
    };
    return cmocka_run_group_tests_name("log failures", tests, NULL, NULL);
}
