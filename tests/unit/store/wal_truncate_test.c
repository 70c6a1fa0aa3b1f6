/* Cutting a log off: what is behind goes and never comes back, whatever fails and whenever the power goes. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/random.h"
#include "store/wal_truncate.h"
#include "wal_world.h"

static struct store_position end_of(const struct expected *r)
{
    return (struct store_position){r->first.epoch, r->last};
}

/* A log of four segments or so, closed. Each record shows that the ones before it had been synced. */
static void make_log(struct world *w, uint64_t seed)
{
    world_begin(w, seed);
    world_open_ok(w);
    for (unsigned i = 0; i < 40; i++) assert_true(world_append_len(w, 200 + 50 * i) && world_wait_durable(w));
    world_close(w);
    sim_restart(&w->sim);
}

static size_t open_count(struct world *w)
{
    world_open_ok(w);
    return w->count;
}

static void test_what_is_behind_is_gone_and_the_log_goes_on_from_there(void **state)
{
    (void)state;
    for (size_t keep = 1; keep <= 40; keep++) {
        struct world w;
        make_log(&w, keep);
        w.options.truncate_to = end_of(&w.records[keep - 1]);
        world_open_ok(&w);
        assert_int_equal(w.count, keep);
        assert_int_equal(w.report.dropped_bytes, 0);
        assert_int_equal(w.report.truncated_bytes > 0, keep < 40);
        assert_int_equal(store_position_compare(wal_durable(w.wal), w.options.truncate_to), 0);
        w.options.truncate_to = (struct store_position){0, 0};
        if (keep % 2) {
            world_close(&w);
            assert_int_equal(open_count(&w), keep);
            assert_int_equal(w.report.dropped_bytes, 0); /* no remains */
        }
        for (unsigned i = 0; i < 20; i++) assert_true(world_append_len(&w, 300 + 77 * i));
        world_close(&w);
        assert_int_equal(open_count(&w), keep + 20);
        assert_int_equal(w.report.dropped_bytes, 0);
        world_end(&w);
    }
}

static void test_a_log_can_be_cut_off_at_its_checkpoint(void **state)
{
    (void)state;
    for (size_t keep = 1; keep <= 40; keep++) {
        struct world w;
        make_log(&w, keep);
        w.checkpoint = w.options.truncate_to = end_of(&w.records[keep - 1]);
        world_open_ok(&w);
        assert_int_equal(w.count, keep);
        assert_int_equal(w.report.last.sequence, w.checkpoint.sequence);
        w.options.truncate_to = (struct store_position){0, 0};
        assert_true(world_append_len(&w, 300));
        wal_trim(w.wal, w.checkpoint);
        world_close(&w);
        assert_int_equal(open_count(&w), keep + 1);
        w.options.truncate_to = w.checkpoint; /* whatever segments there are by now */
        world_close(&w);
        assert_int_equal(open_count(&w), keep);
        world_end(&w);
    }
}

static void expect_refusal(struct world *w, struct store_position to, const char *why)
{
    w->options.truncate_to = to;
    assert_int_equal(world_open(w), ERROR_NOT_FOUND);
    if (!strstr(w->error.text, why)) fail_msg("%s", w->error.text);
    w->options.truncate_to = (struct store_position){0, 0};
    size_t count = w->count;
    assert_int_equal(open_count(w), count); /* nothing was changed */
    world_close(w);
}

static void test_where_a_log_cannot_be_cut_off_is_said(void **state)
{
    (void)state;
    struct world w;
    make_log(&w, 3);
    const struct expected *r = w.records;
    while (r->last == r->first.sequence) r++;
    struct store_position end = end_of(r);
    expect_refusal(&w, (struct store_position){end.epoch, end.sequence - 1}, "are one record");
    expect_refusal(&w, (struct store_position){end.epoch + 1, end.sequence}, "is of epoch");
    end = end_of(&w.records[w.count - 1]);
    expect_refusal(&w, (struct store_position){end.epoch + 1, end.sequence}, "is of epoch");
    expect_refusal(&w, (struct store_position){end.epoch, end.sequence + 1}, "it ends at");
    w.checkpoint = end_of(&w.records[20]);
    expect_refusal(&w, end_of(&w.records[19]), "the checkpoint holds");
    world_end(&w);
}

/* Opens with the n-th call failing, or nothing happening from there on. False: there are fewer calls. */
static bool cut_with_fault(uint64_t n, size_t keep, bool stop, bool power, uint64_t seed)
{
    struct world w;
    make_log(&w, seed + 100 * n + keep);
    w.options.truncate_to = end_of(&w.records[keep - 1]);
    if (stop) {
        w.sim.stop_at = n;
    } else {
        w.sim.fault_at = n;
        w.sim.fault_errno = n % 3 ? EIO : ENOSPC;
    }
    bool failed = world_open(&w) != 0;
    bool more = stop ? w.sim.stopped : w.sim.count >= n;
    if (failed) assert_true(w.error.text[0]);
    sim_stop_now(&w.sim);
    world_close(&w);
    if (power) sim_lose_power(&w.sim, w.log_dir);
    sim_restart(&w.sim);
    w.options.truncate_to = (struct store_position){0, 0};
    size_t count = open_count(&w);
    if (failed ? count != keep && count != 40 : count != keep)
        fail_msg("call %d: %zu records, not %zu%s", (int)n, count, keep, failed ? " or all" : "");
    assert_true(world_append_len(&w, 2000));
    world_wait_durable(&w);
    sim_stop_now(&w.sim);
    world_close(&w);
    sim_lose_power(&w.sim, w.log_dir);
    sim_restart(&w.sim);
    assert_int_equal(open_count(&w), count + 1);
    world_end(&w);
    return more;
}

static void at_each_call(bool stop, bool power)
{
    static const size_t keeps[] = {2, 17, 33, 39};
    uint64_t seed = world_seed("truncation");
    for (unsigned i = 0; i < sizeof keeps / sizeof *keeps; i++) {
        uint64_t n = 1;
        while (cut_with_fault(n, keeps[i], stop, power, seed)) n++;
        assert_true(n > 20);
    }
}

static void test_a_crash_at_any_call_leaves_all_or_what_was_to_stay(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) at_each_call(true, false); /* a loss of power that comes later leaves this or that */
}

static void test_a_loss_of_power_at_any_call_leaves_all_or_what_was_to_stay(void **state)
{
    (void)state;
    at_each_call(true, true);
}

static void test_a_failing_call_is_told_and_leaves_all_or_what_was_to_stay(void **state)
{
    (void)state;
    at_each_call(false, false);
    at_each_call(false, true);
}

/* A crash within a cut, then another cut further down. */
static void test_an_interrupted_cut_can_be_followed_by_a_deeper_one_but_not_taken_back(void **state)
{
    (void)state;
    for (uint64_t n = 14; n < 60; n++) {
        struct world w;
        make_log(&w, n);
        w.options.truncate_to = end_of(&w.records[24]);
        w.sim.stop_at = n;
        bool failed = world_open(&w) != 0;
        sim_stop_now(&w.sim);
        world_close(&w);
        sim_restart(&w.sim);
        char path[400];
        snprintf(path, sizeof path, "%s/" WAL_TRUNCATE, w.log_dir);
        if (failed && access(path, F_OK) == 0) {
            w.options.truncate_to = end_of(&w.records[30]);
            assert_int_equal(world_open(&w), ERROR_NOT_FOUND);
            assert_non_null(strstr(w.error.text, "it was cut off behind"));
        }
        w.options.truncate_to = end_of(&w.records[9]);
        assert_int_equal(open_count(&w), 10);
        assert_int_equal(access(path, F_OK), -1);
        world_end(&w);
    }
}

static void test_the_intention_is_what_the_golden_file_says(void **state)
{
    (void)state;
    char path[400];
    uint8_t made[64];
    struct world w;
    struct store_position to = {0x0102030405060708, 0x1112131415161718}, found;
    world_begin(&w, 1);
    world_open_ok(&w);
    world_close(&w);
    int dir = open(w.log_dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(wal_truncate_write(w.log_dir, dir, &wal_calls_system, to, &w.error), 0);
    snprintf(path, sizeof path, "%s/" WAL_TRUNCATE, w.log_dir);
    int fd = open(path, O_RDWR);
    assert_int_equal(read(fd, made, sizeof made), WAL_TRUNCATE_SIZE);
    files_expect_golden("unit/store/golden/wal_truncate_1.bin", bytes_of(made, WAL_TRUNCATE_SIZE));
    assert_int_equal(wal_truncate_read(w.log_dir, &wal_calls_system, &found, &w.error), 0);
    assert_int_equal(store_position_compare(found, to), 0);
    assert_int_equal(pwrite(fd, "\7", 1, 8), 1);
    assert_int_equal(world_open(&w), ERROR_FORMAT);
    assert_non_null(strstr(w.error.text, "format 7"));
    assert_int_equal(pwrite(fd, "\1", 1, 8), 1);
    assert_int_equal(pwrite(fd, "\7", 1, 20), 1);
    assert_int_equal(world_open(&w), ERROR_FORMAT);
    assert_non_null(strstr(w.error.text, "damaged"));
    close(fd);
    close(dir);
    world_end(&w);
}

int wal_truncate_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_behind_is_gone_and_the_log_goes_on_from_there),
        cmocka_unit_test(test_a_log_can_be_cut_off_at_its_checkpoint),
        cmocka_unit_test(test_where_a_log_cannot_be_cut_off_is_said),
        cmocka_unit_test(test_a_crash_at_any_call_leaves_all_or_what_was_to_stay),
        cmocka_unit_test(test_a_loss_of_power_at_any_call_leaves_all_or_what_was_to_stay),
        cmocka_unit_test(test_a_failing_call_is_told_and_leaves_all_or_what_was_to_stay),
        cmocka_unit_test(test_an_interrupted_cut_can_be_followed_by_a_deeper_one_but_not_taken_back),
        cmocka_unit_test(test_the_intention_is_what_the_golden_file_says),
    };
    return cmocka_run_group_tests_name("log truncation", tests, NULL, NULL);
}
