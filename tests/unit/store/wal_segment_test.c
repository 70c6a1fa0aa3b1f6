/* Segments: begun, filled, recycled, of a size of their own; and what the modes promise. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "wal_world.h"

static struct wal_statistics statistics_of(const struct world *w)
{
    struct wal_statistics t;
    wal_statistics(w->wal, &t);
    return t;
}

static void test_an_empty_log_opens_and_has_room(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    for (unsigned i = 0; i < 3; i++) {
        world_open_ok(&w);
        assert_true(wal_has_room(w.wal, 1000));
        assert_int_equal(w.report.records, 0);
        assert_int_equal(wal_durable(w.wal).sequence, 0);
        world_close(&w);
    }
    world_end(&w);
}

static void test_a_new_log_begins_at_the_checkpoint(void **state)
{
    (void)state;
    struct world w;
    struct iovec part = {"abc", 3};
    world_begin(&w, 1);
    w.checkpoint = (struct store_position){2, 500};
    world_open_ok(&w);
    assert_int_equal(wal_written(w.wal).sequence, 500);
    assert_int_equal(wal_append(w.wal, (struct store_position){2, 501}, 501, &part, 1, 3, &w.error), 0);
    assert_int_equal(wal_written(w.wal).sequence, 501);
    world_end(&w);
}

static void test_a_log_that_was_begun_is_one_after_a_power_cut_and_goes_on(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    world_open_ok(&w);
    assert_int_equal(w.report.segments, 0);
    assert_int_equal(wal_begin(w.wal, &w.error), 0);
    sim_stop_now(&w.sim);
    world_close(&w);
    sim_lose_power(&w.sim, w.log_dir);
    sim_restart(&w.sim);
    world_open_ok(&w);
    assert_int_equal(w.report.segments, 1);
    assert_true(world_append_len(&w, 2 * WORLD_SEGMENT)); /* which leaves the first segment without a record */
    assert_true(world_append_len(&w, 100));
    world_close(&w);
    world_open_ok(&w);
    assert_int_equal(w.report.records, 2);
    world_end(&w);
}

static void test_old_segments_are_recycled_and_their_records_never_come_back(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, world_seed("recycling"));
    world_open_ok(&w);
    for (unsigned i = 0; i < 400; i++) {
        assert_true(world_append_len(&w, 1 + random_below(&w.random, 2000)));
        if (i % 40 == 39) {
            assert_true(world_wait_durable(&w));
            world_trim(&w);
        }
        if (i % 97 == 96) {
            size_t count = w.count;
            world_close(&w);
            world_open_ok(&w);
            assert_int_equal(w.count, count);
            assert_int_equal(w.report.dropped_bytes, 0);
        }
    }
    struct expected *r = &w.records[w.count - 1];
    assert_true(world_wait_durable(&w));
    w.checkpoint = (struct store_position){r->first.epoch, r->last};
    wal_trim(w.wal, w.checkpoint);
    for (unsigned i = 0; i < 50000 && statistics_of(&w).segments > 1; i++) usleep(100);
    assert_int_equal(statistics_of(&w).segments, 1);
    assert_true(statistics_of(&w).segments_ready <= 10);
    world_end(&w);
}

static void test_a_record_larger_than_a_segment_gets_one_of_its_own(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    world_open_ok(&w);
    assert_true(world_append_len(&w, 100));
    assert_false(wal_has_room(w.wal, 5 * WORLD_SEGMENT));
    assert_true(world_append_len(&w, 5 * WORLD_SEGMENT));
    assert_true(world_append_len(&w, WORLD_SEGMENT));
    assert_true(world_append_len(&w, WORLD_SEGMENT - 192)); /* exactly what fits in one of the usual size */
    assert_true(world_append_len(&w, WORLD_SEGMENT - 191));
    assert_true(world_append_len(&w, 100));
    world_close(&w);
    world_open_ok(&w);
    assert_int_equal(w.count, 6);
    struct expected *r = &w.records[5];
    w.checkpoint = (struct store_position){r->first.epoch, r->last};
    wal_trim(w.wal, w.checkpoint);
    for (unsigned i = 0; i < 50000 && statistics_of(&w).segments > 1; i++) usleep(100);
    world_wait_for_reserve(&w);
    struct wal_statistics t = statistics_of(&w);
    assert_int_equal(t.segments, 1);
    assert_true(t.bytes_on_disk < (1 + t.segments_ready) * 2 * WORLD_SEGMENT); /* the large one is gone */
    world_end(&w);
}

static void test_records_of_many_parts_are_written(void **state)
{
    (void)state;
    enum { PARTS = 3000 };
    static struct iovec parts[PARTS];
    struct world w;
    struct iovec one = {"x", 1};
    world_begin(&w, 1);
    world_open_ok(&w);
    for (unsigned i = 0; i < PARTS; i++) parts[i] = one;
    assert_int_equal(wal_append(w.wal, (struct store_position){1, 1}, 9, parts, PARTS, PARTS, &w.error), 0);
    world_close(&w);
    if (wal_check(w.log_dir, NULL, NULL, &w.report, &w.error)) fail_msg("%s", w.error.text);
    assert_int_equal(w.report.records, 1);
    assert_int_equal(w.report.bytes, PARTS);
    assert_int_equal(w.report.last.sequence, 9);
    world_end(&w);
}

static void test_an_unfinished_segment_and_strange_files_are_no_obstacle(void **state)
{
    (void)state;
    static const char *const names[] = {"making", "notes.txt", "1.log", "0000000000000000000x.log"};
    struct world w;
    world_begin(&w, 1);
    world_open_ok(&w);
    assert_true(world_append_len(&w, 100));
    world_close(&w);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", w.log_dir, names[i]);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    world_open_ok(&w);
    assert_int_equal(w.count, 1);
    assert_true(world_append_len(&w, 100));
    world_end(&w);
}

static void test_no_mode_syncs_only_full_segments(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    w.options.mode = WAL_NO;
    world_open_ok(&w);
    for (unsigned i = 0; i < 12; i++) assert_true(world_append_len(&w, 1000)); /* 14 fit */
    usleep(20000);
    assert_int_equal(statistics_of(&w).syncs, 0);
    assert_int_equal(wal_durable(w.wal).sequence, 0);
    for (unsigned i = 0; i < 4; i++) assert_true(world_append_len(&w, 1000));
    for (unsigned i = 0; i < 50000 && wal_durable(w.wal).sequence == 0; i++) usleep(100);
    assert_true(store_position_compare(wal_durable(w.wal), (struct store_position){0, 0}) > 0);
    assert_true(store_position_compare(wal_durable(w.wal), wal_written(w.wal)) < 0);
    wal_set_mode(w.wal, WAL_ALWAYS);
    assert_true(world_wait_durable(&w));
    world_end(&w);
}

static void test_everysec_syncs_without_being_asked(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    w.options.mode = WAL_EVERYSEC;
    world_open_ok(&w);
    assert_true(world_append_len(&w, 1000));
    assert_true(world_wait_durable(&w));
    assert_true(world_append_len(&w, 1000));
    assert_true(world_wait_durable(&w));
    assert_true(statistics_of(&w).syncs <= 2);
    world_end(&w);
}

/* Not each time within its second, on a machine that stands still for a while; but sooner or later. */
static void test_everysec_syncs_at_once_when_asked(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    w.options.mode = WAL_EVERYSEC;
    world_open_ok(&w);
    uint64_t took_ms = UINT64_MAX;
    for (unsigned i = 0; i < 10 && took_ms > 500; i++) {
        assert_true(world_append_len(&w, 1000));
        assert_true(world_wait_durable(&w)); /* the next one is a second away */
        uint64_t began_ms = clock_monotonic_ms();
        assert_true(world_append_len(&w, 1000));
        wal_sync_soon(w.wal);
        assert_true(world_wait_durable(&w));
        took_ms = clock_monotonic_ms() - began_ms;
    }
    assert_true(took_ms <= 500);
    world_end(&w);
}

static atomic_uint calls;

static void count_call(void *user)
{
    (void)user;
    atomic_fetch_add(&calls, 1);
}

static void test_on_durable_is_called_for_each_rise(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 1);
    w.options.on_durable = count_call;
    world_open_ok(&w);
    world_wait_for_reserve(&w);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(world_append_len(&w, 10));
        unsigned before = atomic_load(&calls);
        assert_true(world_wait_durable(&w));
        for (unsigned j = 0; j < 50000 && atomic_load(&calls) == before && i == 0; j++) usleep(100);
    }
    assert_true(atomic_load(&calls) >= 1);
    world_end(&w);
}

static void test_a_log_without_a_directory_is_refused_by_name(void **state)
{
    (void)state;
    struct world w;
    char none[400];
    world_begin(&w, 1);
    snprintf(none, sizeof none, "%s/none/log", w.dir);
    w.options.dir = none;
    assert_int_equal(world_open(&w), ERROR_IO);
    assert_non_null(strstr(w.error.text, none));
    assert_int_equal(wal_check(none, NULL, NULL, &w.report, &w.error), ERROR_IO);
    assert_non_null(strstr(w.error.text, none));
    world_end(&w);
}

static void test_it_works_on_a_real_disk(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, world_seed("real disk"));
    w.options.calls = NULL;
    for (unsigned i = 0; i < 3; i++) {
        world_open_ok(&w);
        for (unsigned j = 0; j < 30; j++) assert_true(world_append(&w));
        assert_true(world_wait_durable(&w));
        world_trim(&w);
        world_close(&w);
    }
    world_open_ok(&w);
    assert_int_equal(w.count, 90);
    world_end(&w);
}

int wal_segment_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_log_opens_and_has_room),
        cmocka_unit_test(test_a_new_log_begins_at_the_checkpoint),
        cmocka_unit_test(test_a_log_that_was_begun_is_one_after_a_power_cut_and_goes_on),
        cmocka_unit_test(test_old_segments_are_recycled_and_their_records_never_come_back),
        cmocka_unit_test(test_a_record_larger_than_a_segment_gets_one_of_its_own),
        cmocka_unit_test(test_records_of_many_parts_are_written),
        cmocka_unit_test(test_an_unfinished_segment_and_strange_files_are_no_obstacle),
        cmocka_unit_test(test_no_mode_syncs_only_full_segments),
        cmocka_unit_test(test_everysec_syncs_without_being_asked),
        cmocka_unit_test(test_everysec_syncs_at_once_when_asked),
        cmocka_unit_test(test_on_durable_is_called_for_each_rise),
        cmocka_unit_test(test_a_log_without_a_directory_is_refused_by_name),
        cmocka_unit_test(test_it_works_on_a_real_disk),
    };
    return cmocka_run_group_tests_name("log segments", tests, NULL, NULL);
}
