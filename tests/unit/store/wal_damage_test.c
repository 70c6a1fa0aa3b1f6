/* Damaged files: refused, or in what need not be kept dropped; never a wrong record. */
#include <fcntl.h>
#include <unistd.h>

#include "base/random.h"
#include "store/wal_record.h"
#include "wal_world.h"

/* A log of several segments, all synced; closed. Returns the number of its last one. */
static uint64_t make_log(struct world *w, uint64_t seed)
{
    world_begin(w, seed);
    world_open_ok(w);
    for (unsigned i = 0; i < 60; i++) {
        assert_true(world_append_len(w, 1 + random_below(&w->random, 1500)));
        assert_true(world_wait_durable(w));
    }
    struct wal_statistics t;
    wal_statistics(w->wal, &t);
    assert_true(t.segments >= 3);
    world_close(w);
    return t.segments;
}

static void flip(const char *path, size_t bit)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
    byte ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    close(fd);
}

struct visited {
    const struct world *w;
    size_t count;
};

/* Records must be the expected ones; their bytes have a CRC that the open of the test before has compared. */
static int visit(void *user, struct store_position first, uint64_t last, struct bytes batches, struct error *e)
{
    struct visited *v = user;
    (void)e;
    const struct expected *r = &v->w->records[v->count++];
    assert_true(v->count <= v->w->count && store_position_compare(r->first, first) == 0);
    assert_true(r->last == last && r->len == batches.len);
    return 0;
}

static void test_a_flipped_bit_is_refused_or_cuts_the_end(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    uint64_t last = make_log(&w, 3), random = world_seed("damage");
    size_t refused = 0;
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t number = 1 + random_below(&random, last);
        size_t bit = random_below(&random, i % 3 ? 8 * WORLD_SEGMENT : 8 * 512);
        struct visited v = {&w, 0};
        world_path(&w, number, path);
        flip(path, bit);
        int rc = wal_check(w.log_dir, visit, &v, &w.report, &w.error);
        if (rc) {
            assert_int_equal(rc, ERROR_FORMAT);
            assert_non_null(strstr(w.error.text, path));
            assert_non_null(strstr(w.error.text, "offset"));
            refused++;
        } else if (v.count != w.count) {
            /* Only what no later record vouches for: the last one. */
            assert_int_equal(number, last);
            assert_int_equal(v.count, w.count - 1);
            assert_true(w.report.dropped_bytes > 0);
        }
        flip(path, bit);
    }
    assert_true(refused > 100);
    world_end(&w);
}

static size_t used_by(const struct world *w)
{
    size_t at = WAL_BEGIN;
    for (size_t i = 0; i < w->count; i++) at += wal_record_size(w->records[i].len);
    return at;
}

static void test_a_torn_last_record_is_dropped_and_overwritten(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    world_begin(&w, 1);
    world_open_ok(&w);
    for (unsigned i = 0; i < 3; i++) assert_true(world_append_len(&w, 100));
    world_close(&w);
    world_path(&w, 1, path);
    flip(path, 8 * (used_by(&w) - 20));
    world_open_ok(&w);
    assert_int_equal(w.count, 2);
    assert_int_equal(w.report.dropped_bytes, wal_record_size(100));
    world_close(&w);
    world_open_ok(&w);
    assert_int_equal(w.count, 2);
    assert_int_equal(w.report.dropped_bytes, 0);
    assert_true(world_append_len(&w, 50));
    world_close(&w);
    world_open_ok(&w);
    assert_int_equal(w.count, 3);
    world_end(&w);
}

static void test_a_damaged_header_of_the_last_record_is_reported(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    world_begin(&w, 1);
    world_open_ok(&w);
    for (unsigned i = 0; i < 3; i++) assert_true(world_append_len(&w, 100));
    world_close(&w);
    world_path(&w, 1, path);
    flip(path, 8 * (used_by(&w) - wal_record_size(100) + 17));
    world_open_ok(&w);
    assert_int_equal(w.count, 2);
    assert_true(w.report.dropped_bytes > 0);
    world_end(&w);
}

static void test_a_missing_segment_is_refused(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    make_log(&w, 3);
    world_path(&w, 2, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(world_open(&w), ERROR_FORMAT);
    assert_non_null(strstr(w.error.text, path));
    assert_non_null(strstr(w.error.text, "missing"));
    world_end(&w);
}

static void test_a_log_that_begins_after_the_checkpoint_is_refused(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    make_log(&w, 3);
    world_path(&w, 1, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(world_open(&w), ERROR_FORMAT);
    assert_non_null(strstr(w.error.text, "between the checkpoint and the beginning"));
    world_end(&w);
}

static void test_a_log_that_ends_before_the_checkpoint_is_refused(void **state)
{
    (void)state;
    struct world w;
    make_log(&w, 3);
    const struct expected *r = &w.records[w.count - 1];
    w.checkpoint = (struct store_position){r->first.epoch, r->last + 1};
    assert_int_equal(world_open(&w), ERROR_FORMAT);
    assert_non_null(strstr(w.error.text, "ends before the checkpoint"));
    world_end(&w);
}

static void test_a_segment_cut_short_is_refused(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    make_log(&w, 3);
    world_path(&w, 2, path);
    for (off_t size = WORLD_SEGMENT; size >= 0; size -= 2000) {
        size_t before = w.count;
        assert_int_equal(truncate(path, size), 0);
        if (size > (off_t)WORLD_SEGMENT - 2000) continue; /* only what was unused */
        assert_int_equal(world_open(&w), ERROR_FORMAT);
        assert_non_null(strstr(w.error.text, path));
        w.count = before;
    }
    world_end(&w);
}

static int refuse(void *user, struct store_position first, uint64_t last, struct bytes batches, struct error *e)
{
    (void)user, (void)first, (void)last, (void)batches;
    return error_set(e, ERROR_LIMIT, "not that one");
}

static void test_what_replay_refuses_is_refused(void **state)
{
    (void)state;
    struct world w;
    struct wal *wal = NULL;
    make_log(&w, 3);
    assert_int_equal(wal_open(&w.options, w.checkpoint, refuse, NULL, &wal, &w.report, &w.error), ERROR_LIMIT);
    assert_string_equal(w.error.text, "not that one");
    world_end(&w);
}

int wal_damage_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_flipped_bit_is_refused_or_cuts_the_end),
        cmocka_unit_test(test_a_torn_last_record_is_dropped_and_overwritten),
        cmocka_unit_test(test_a_damaged_header_of_the_last_record_is_reported),
        cmocka_unit_test(test_a_missing_segment_is_refused),
        cmocka_unit_test(test_a_log_that_begins_after_the_checkpoint_is_refused),
        cmocka_unit_test(test_a_log_that_ends_before_the_checkpoint_is_refused),
        cmocka_unit_test(test_a_segment_cut_short_is_refused),
        cmocka_unit_test(test_what_replay_refuses_is_refused),
    };
    return cmocka_run_group_tests_name("log damage", tests, NULL, NULL);
}
