/* Readers of a log that is being written: what they give, what they hold, and when they fall behind. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/random.h"
#include "store/wal_reader.h"
#include "store/wal_record.h"
#include "wal_world.h"

static struct store_position end_of(const struct expected *r)
{
    return (struct store_position){r->first.epoch, r->last};
}

static struct store_position after(const struct world *w, size_t records)
{
    return records ? end_of(&w->records[records - 1]) : (struct store_position){0, 0};
}

static struct wal_reader *open_at(struct world *w, struct store_position from)
{
    struct wal_reader *r;
    if (wal_reader_open(w->wal, from, &r, &w->error)) fail_msg("%s", w->error.text);
    return r;
}

/* Everything up to `limit`; it must be the records from number `at` on. Returns the number after the last. */
static size_t read_all(struct world *w, struct wal_reader *r, size_t at, uint64_t limit)
{
    for (;; at++) {
        struct store_record record = {.last = 0};
        if (wal_reader_next(r, limit, &record, &w->error)) fail_msg("record %zu: %s", at, w->error.text);
        if (!record.last) return at;
        assert_true(at < w->count);
        assert_true(world_is_record(&w->records[at], record.first, record.last, record.batches));
        assert_int_equal(store_position_compare(record.before, after(w, at)), 0);
    }
}

static int next_error(struct world *w, struct wal_reader *r)
{
    struct store_record record = {.last = 0};
    int rc;
    while ((rc = wal_reader_next(r, UINT64_MAX, &record, &w->error)) == 0 && record.last) record.last = 0;
    return rc;
}

static void begin_with(struct world *w, uint64_t seed, unsigned records)
{
    world_begin(w, seed);
    w->options.keep_max = 100 * WORLD_SEGMENT;
    world_open_ok(w);
    for (unsigned i = 0; i < records; i++) assert_true(world_append(w));
}

static void test_a_reader_gives_what_comes_after_any_record(void **state)
{
    (void)state;
    struct world w;
    begin_with(&w, world_seed("readers"), 80);
    for (size_t at = 0; at <= 80; at++) {
        struct wal_reader *r = open_at(&w, after(&w, at));
        assert_int_equal(read_all(&w, r, at, UINT64_MAX), 80);
        wal_reader_close(r);
    }
    world_end(&w);
}

static void test_a_reader_follows_what_is_written_and_stops_at_the_limit(void **state)
{
    (void)state;
    struct world w;
    begin_with(&w, world_seed("following"), 0);
    struct wal_reader *r = open_at(&w, (struct store_position){0, 0}); /* there is no segment yet */
    size_t at = read_all(&w, r, 0, UINT64_MAX);
    assert_int_equal(at, 0);
    for (unsigned i = 0; i < 200; i++) {
        assert_true(world_append(&w));
        const struct expected *last = &w.records[w.count - 1];
        assert_int_equal(read_all(&w, r, at, last->last - 1), i); /* not in part */
        at = read_all(&w, r, at, last->last);
        assert_int_equal(at, i + 1);
    }
    wal_reader_close(r);
    world_end(&w);
}

static void test_where_a_reader_cannot_begin_is_said(void **state)
{
    (void)state;
    struct world w;
    struct wal_reader *r;
    begin_with(&w, 7, 60);
    struct store_position end = after(&w, w.count);
    assert_int_equal(wal_reader_open(w.wal, (struct store_position){end.epoch, end.sequence + 1}, &r, &w.error), ERROR_NOT_FOUND);
    assert_non_null(strstr(w.error.text, "it ends at"));
    struct store_position other = after(&w, 30);
    other.epoch++;
    r = open_at(&w, other);
    assert_int_equal(next_error(&w, r), ERROR_NOT_FOUND);
    assert_non_null(strstr(w.error.text, "it holds"));
    wal_reader_close(r);
    const struct expected *several = w.records;
    while (several->last == several->first.sequence) several++;
    r = open_at(&w, several->first);
    assert_int_equal(next_error(&w, r), ERROR_NOT_FOUND);
    assert_non_null(strstr(w.error.text, "are one record"));
    wal_reader_close(r);
    world_wait_durable(&w);
    struct wal_statistics t;
    do {
        world_trim(&w);
        wal_statistics(w.wal, &t);
    } while (t.segments > 2);
    assert_int_equal(wal_reader_open(w.wal, (struct store_position){0, 0}, &r, &w.error), ERROR_NOT_FOUND);
    assert_non_null(strstr(w.error.text, "it begins after"));
    r = open_at(&w, w.checkpoint); /* this is always there */
    size_t at = world_records_up_to(&w, w.checkpoint);
    assert_int_equal(read_all(&w, r, at, UINT64_MAX), w.count);
    wal_reader_close(r);
    world_end(&w);
}

static void test_what_a_reader_needs_is_kept_up_to_a_limit(void **state)
{
    (void)state;
    struct world w;
    struct wal_statistics t;
    begin_with(&w, 11, 1);
    w.options.keep_max = 4 * WORLD_SEGMENT;
    world_close(&w);
    world_open_ok(&w);
    struct wal_reader *slow = open_at(&w, after(&w, 0)), *quick = open_at(&w, after(&w, 0));
    size_t at = 0;
    do {
        assert_true(world_append_len(&w, 3000));
        at = read_all(&w, quick, at, UINT64_MAX);
        world_wait_durable(&w);
        world_trim(&w);
        wal_statistics(w.wal, &t);
        assert_true(t.bytes_kept <= w.options.keep_max + WORLD_SEGMENT); /* the thread may not have looked yet */
    } while (t.bytes_kept < 4 * WORLD_SEGMENT);
    assert_int_equal(read_all(&w, slow, 0, w.records[0].last), 1); /* still there */
    for (unsigned i = 0; i < 60; i++) {
        assert_true(world_append_len(&w, 3000));
        at = read_all(&w, quick, at, UINT64_MAX);
        world_wait_durable(&w);
        world_trim(&w);
    }
    assert_int_equal(at, w.count);
    assert_int_equal(next_error(&w, slow), ERROR_NOT_FOUND);
    assert_non_null(strstr(w.error.text, "has fallen behind"));
    assert_int_equal(next_error(&w, slow), ERROR_NOT_FOUND); /* for good */
    wal_reader_close(slow);
    wal_reader_close(quick);
    world_end(&w);
}

static void test_nothing_is_kept_for_a_reader_that_was_closed(void **state)
{
    (void)state;
    struct world w;
    struct wal_statistics t;
    begin_with(&w, 12, 1);
    struct wal_reader *r = open_at(&w, after(&w, 0));
    for (unsigned i = 0; i < 60; i++) assert_true(world_append_len(&w, 3000));
    world_wait_durable(&w);
    w.checkpoint = after(&w, w.count);
    wal_trim(w.wal, w.checkpoint);
    wal_statistics(w.wal, &t);
    assert_true(t.segments > 8);
    assert_true(t.bytes_kept > 8 * WORLD_SEGMENT);
    wal_reader_close(r);
    do {
        usleep(100);
        wal_statistics(w.wal, &t);
    } while (t.segments > 1);
    assert_int_equal(t.bytes_kept, 0);
    world_end(&w);
}

static void test_on_a_full_disk_writes_go_on_at_the_cost_of_readers(void **state)
{
    (void)state;
    struct world w;
    begin_with(&w, 13, 1);
    struct wal_reader *r = open_at(&w, after(&w, 0));
    for (unsigned i = 0; i < 40; i++) assert_true(world_append_len(&w, 3000));
    world_wait_durable(&w);
    w.checkpoint = after(&w, w.count);
    wal_trim(w.wal, w.checkpoint);
    world_wait_for_reserve(&w);
    sim_set_space(&w.sim, 0);
    for (unsigned i = 0; i < 60; i++) {
        assert_true(world_append_len(&w, 3000)); /* waits for the thread, but is not refused */
        world_wait_durable(&w);
        w.checkpoint = after(&w, w.count);
        wal_trim(w.wal, w.checkpoint);
    }
    assert_int_equal(next_error(&w, r), ERROR_NOT_FOUND);
    assert_non_null(strstr(w.error.text, "has fallen behind"));
    wal_reader_close(r);
    world_end(&w);
}

static void test_damaged_records_are_never_given(void **state)
{
    (void)state;
    uint64_t random = world_seed("damaged log");
    for (unsigned i = 0; i < 30; i++) {
        struct world w;
        begin_with(&w, random_next(&random), 20);
        world_wait_durable(&w);
        char path[400];
        world_path(&w, 1, path);
        int fd = open(path, O_RDWR);
        off_t at = (off_t)(WAL_BEGIN + random_below(&random, 1000));
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1 + random_below(&random, 255));
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        struct wal_reader *r = open_at(&w, (struct store_position){0, 0});
        for (size_t n = 0;; n++) {
            struct store_record record = {.last = 0};
            int rc = wal_reader_next(r, UINT64_MAX, &record, &w.error);
            if (rc || !record.last) {
                /* Else it is padding, or the header of a segment that is read no more. */
                if (rc) assert_int_equal(rc, ERROR_FORMAT);
                if (rc) assert_non_null(strstr(w.error.text, path));
                if (!rc) assert_int_equal(n, w.count);
                break;
            }
            assert_true(world_is_record(&w.records[n], record.first, record.last, record.batches));
        }
        wal_reader_close(r);
        world_close(&w);
        world_end(&w);
    }
}

/* ---- on another thread ---- */

struct follower {
    struct world *w;
    struct wal_reader *reader;
    atomic_bool done;
    struct store_position last;
    bool behind;
};

static void *follow(void *arg)
{
    struct follower *f = arg;
    struct error e;
    for (;;) {
        bool done = atomic_load(&f->done);
        struct store_record record = {.last = 0};
        int rc = wal_reader_next(f->reader, UINT64_MAX, &record, &e);
        if (rc) {
            f->behind = rc == ERROR_NOT_FOUND;
            return f->behind ? NULL : f;
        }
        if (!record.last) {
            if (done) return NULL;
            usleep(20);
            continue;
        }
        if (store_position_compare(record.before, f->last)) return f;
        f->last = (struct store_position){record.first.epoch, record.last};
    }
}

static void test_readers_on_other_threads_miss_nothing(void **state)
{
    (void)state;
    uint64_t seed = world_seed("readers on threads");
    for (unsigned round = 0; round < 4; round++) {
        struct world w;
        begin_with(&w, seed + round, 10);
        w.options.keep_max = round % 2 ? 2 * WORLD_SEGMENT : 1000 * WORLD_SEGMENT; /* or they may fall behind */
        world_close(&w);
        world_open_ok(&w);
        struct follower f[3];
        pthread_t threads[3];
        for (unsigned i = 0; i < 3; i++) {
            f[i] = (struct follower){.w = &w, .last = after(&w, 5 * i), .reader = open_at(&w, after(&w, 5 * i))};
            assert_int_equal(pthread_create(&threads[i], NULL, follow, &f[i]), 0);
        }
        for (unsigned i = 0; i < 600; i++) {
            assert_true(world_append(&w));
            if (i % 20 == 0) world_trim(&w);
        }
        for (unsigned i = 0; i < 3; i++) {
            void *wrong;
            atomic_store(&f[i].done, true);
            pthread_join(threads[i], &wrong);
            assert_null(wrong);
            assert_true(f[i].behind || store_position_compare(f[i].last, after(&w, w.count)) == 0);
            if (round % 2 == 0) assert_false(f[i].behind);
            wal_reader_close(f[i].reader);
        }
        world_end(&w);
    }
}

int wal_reader_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_gives_what_comes_after_any_record),
        cmocka_unit_test(test_a_reader_follows_what_is_written_and_stops_at_the_limit),
        cmocka_unit_test(test_where_a_reader_cannot_begin_is_said),
        cmocka_unit_test(test_what_a_reader_needs_is_kept_up_to_a_limit),
        cmocka_unit_test(test_nothing_is_kept_for_a_reader_that_was_closed),
        cmocka_unit_test(test_on_a_full_disk_writes_go_on_at_the_cost_of_readers),
        cmocka_unit_test(test_damaged_records_are_never_given),
        cmocka_unit_test(test_readers_on_other_threads_miss_nothing),
    };
    return cmocka_run_group_tests_name("log readers", tests, NULL, NULL);
}
