/* Snapshots: what they show, when they are to be had, how they end; and that snapshot and log together are all there is. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/random.h"
#include "fixture.h"
#include "store/reader.h"
#include "store/snapshot.h"
#include "store/wal_state.h"

static struct store_snapshot *try_open(struct fixture *f, uint64_t least)
{
    struct store_snapshot *n;
    struct error e;
    struct store_position p = {1, least};
    if (store_snapshot_open(f->store, p, &n, &e)) fail_msg("%s", e.text);
    return n;
}

/* As an owner does: asks after each flush that follows on_durable. */
static struct store_snapshot *open_at_least(struct fixture *f, uint64_t least)
{
    struct store_snapshot *n;
    store_flush(f->store);
    while (!(n = try_open(f, least))) {
        fixture_pause();
        store_flush(f->store);
    }
    assert_true(store_snapshot_position(n).sequence >= least);
    return n;
}

static void expect_rows(struct store_snapshot *n, const char *wanted)
{
    char found[400] = "";
    struct bytes key, value;
    enum store_snapshot_next more;
    while ((more = store_snapshot_next(n, &key, &value)) == STORE_SNAPSHOT_ROW)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%.*s=%.*s ", (int)key.len, (const char *)key.data, (int)value.len,
                 (const char *)value.data);
    assert_int_equal(more, STORE_SNAPSHOT_END);
    assert_string_equal(found, wanted);
}

static void test_a_snapshot_shows_the_rows_of_its_checkpoint_and_no_later_ones(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    struct store_snapshot *empty = try_open(&f, 0);
    assert_non_null(empty);
    put(&f, "a", "1");
    put(&f, "b", "1");
    put(&f, "c", "1");
    struct store_snapshot *first = open_at_least(&f, 3);
    assert_int_equal(store_snapshot_position(first).sequence, 3);
    remove_row(&f, "b");
    put(&f, "c", "2");
    put(&f, "d", "2");
    struct store_snapshot *second = open_at_least(&f, 6);
    expect_rows(empty, "");
    expect_rows(first, "a=1 b=1 c=1 ");
    expect_rows(second, "a=1 c=2 d=2 ");
    store_snapshot_seek(first, bytes_text("aa"));
    expect_rows(first, "b=1 c=1 ");
    store_snapshot_seek(first, bytes_text("c"));
    expect_rows(first, "c=1 ");
    store_snapshot_seek(first, bytes_text("x"));
    expect_rows(first, "");
    store_snapshot_seek(first, bytes_text(""));
    expect_rows(first, "a=1 b=1 c=1 ");
    store_snapshot_close(empty);
    store_snapshot_close(second);
    store_snapshot_close(first);
    fixture_end(&f);
}

static void test_one_that_is_recent_enough_needs_no_checkpoint(void **state)
{
    (void)state;
    struct fixture f;
    struct store_statistics st;
    fixture_begin(&f);
    fixture_open(&f);
    put(&f, "a", "1");
    fixture_checkpoint(&f);
    store_statistics(f.store, &st);
    uint64_t checkpoints = st.checkpoints;
    put(&f, "b", "1");
    fixture_settle(&f);
    struct store_snapshot *n = try_open(&f, 1);
    expect_rows(n, "a=1 ");
    store_snapshot_close(n);
    store_flush(f.store);
    store_statistics(f.store, &st);
    assert_int_equal(st.checkpoints, checkpoints);
    assert_false(st.checkpoint_running);
    fixture_end(&f);
}

/* Checkpoints follow each other at once here; still who asks after each flush gets his. */
static void test_the_checkpoint_that_was_asked_for_waits_for_who_asked(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.options.log_max = 1;
    fixture_open(&f);
    for (int i = 0; i < 10; i++) {
        uint64_t least = put(&f, "a", "1").sequence;
        store_flush(f.store);
        struct store_snapshot *n;
        unsigned asked = 1;
        for (; !(n = try_open(&f, least)); asked++) {
            uint64_t checkpoints = f.store->checkpoints;
            while (f.store->checkpoints == checkpoints) {
                fixture_pause();
                put(&f, "b", "1"); /* the next one is always due */
                store_flush(f.store);
            }
        }
        assert_true(asked <= 3); /* one that was running, and the one that was asked for */
        store_snapshot_close(n);
    }
    fixture_end(&f);
}

static void test_nobody_waits_for_who_does_not_come_back(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    put(&f, "a", "1");
    assert_null(try_open(&f, 1));
    fixture_checkpoint(&f);
    put(&f, "a", "2");
    fixture_checkpoint(&f); /* ends */
    fixture_end(&f);
}

static void test_a_snapshot_ends_when_its_time_is_up(void **state)
{
    (void)state;
    struct fixture f;
    struct bytes key, value;
    fixture_begin(&f);
    f.options.snapshot_max_ms = 20;
    fixture_open(&f);
    put(&f, "a", "1");
    for (int by_owner = 0; by_owner < 2; by_owner++) {
        struct store_snapshot *n = open_at_least(&f, 1);
        nanosleep(&(struct timespec){.tv_nsec = 25 * 1000 * 1000}, NULL);
        if (by_owner) {
            store_flush(f.store);
            assert_null(f.store->wal->readers); /* nothing is held any more, whoever holds the snapshot */
        }
        assert_int_equal(store_snapshot_next(n, &key, &value), STORE_SNAPSHOT_EXPIRED);
        assert_null(f.store->wal->readers);
        store_snapshot_seek(n, bytes_text("a"));
        assert_int_equal(store_snapshot_next(n, &key, &value), STORE_SNAPSHOT_EXPIRED);
        assert_int_equal(store_snapshot_position(n).sequence, 1);
        store_snapshot_close(n);
    }
    fixture_end(&f);
}

static void test_there_are_only_so_many_at_once(void **state)
{
    (void)state;
    struct fixture f;
    struct store_snapshot *open[STORE_SNAPSHOTS_MAX], *n;
    struct error e;
    fixture_begin(&f);
    fixture_open(&f);
    for (int i = 0; i < STORE_SNAPSHOTS_MAX; i++) assert_non_null(open[i] = try_open(&f, 0));
    assert_int_equal(store_snapshot_open(f.store, (struct store_position){0, 0}, &n, &e), ERROR_LIMIT);
    store_snapshot_close(open[3]);
    assert_non_null(open[3] = try_open(&f, 0));
    struct store_statistics st;
    store_statistics(f.store, &st);
    assert_int_equal(st.snapshots, STORE_SNAPSHOTS_MAX);
    for (int i = 0; i < STORE_SNAPSHOTS_MAX; i++) store_snapshot_close(open[i]);
    fixture_end(&f);
}

static bool failing;

static int failing_sync(void *user, int fd)
{
    (void)user, (void)fd;
    if (!failing) return 0;
    errno = EIO;
    return -1;
}

static void test_after_a_failure_there_are_only_old_ones(void **state)
{
    (void)state;
    struct fixture f;
    struct store_snapshot *n;
    struct error e;
    struct wal_calls calls = wal_calls_system;
    calls.fdatasync = failing_sync;
    failing = false;
    fixture_begin(&f);
    f.calls.wal = &calls;
    fixture_open(&f);
    put(&f, "a", "1");
    fixture_checkpoint(&f);
    struct wal_statistics log;
    do {
        fixture_pause();
        wal_statistics(f.store->wal, &log);
    } while (log.segments_ready < 2);
    failing = true;
    put(&f, "a", "2");
    store_flush(f.store);
    while (!store_failed(f.store, NULL)) fixture_pause();
    int rc = store_snapshot_open(f.store, (struct store_position){1, 2}, &n, &e);
    assert_int_equal(rc, ERROR_DISK);
    assert_non_null(strstr(e.text, "syncing"));
    assert_null(n);
    fixture_end(&f);
}

/* ---- snapshot and log together ---- */

#define KEYS 300

/* Rows as a replica would have them: key k<i> has the number numbers[i], 0 for none. */
struct replica {
    struct store_snapshot *snapshot;
    struct store_reader *log;
    atomic_bool done;
    uint64_t numbers[KEYS];
    uint64_t last;
    const char *wrong;
};

static unsigned index_of(struct bytes key)
{
    return (unsigned)strtoul((const char *)key.data + 1, NULL, 10);
}

static int apply(void *user, const struct store_operation *o, struct error *e)
{
    (void)e;
    struct replica *r = user;
    char key[8] = "";
    memcpy(key, o->key.data, o->key.len < 8 ? o->key.len : 7);
    uint64_t *number = &r->numbers[index_of(bytes_text(key))];
    if (o->code == STORE_OPERATION_DELETE) *number = 0;
    if (o->code == STORE_OPERATION_PUT) memcpy(number, o->value.data, sizeof *number);
    if (o->sequence != r->last && o->sequence != r->last + 1) r->wrong = "a gap in the log";
    r->last = o->sequence;
    return 0;
}

/* Rows come in key order, all of the snapshot's position: each number is the sequence of the batch that wrote it. */
static bool take_rows(struct replica *r)
{
    struct bytes key, value;
    enum store_snapshot_next more;
    char name[8], before[8] = "";
    r->last = store_snapshot_position(r->snapshot).sequence;
    while ((more = store_snapshot_next(r->snapshot, &key, &value)) == STORE_SNAPSHOT_ROW) {
        memset(name, 0, sizeof name);
        memcpy(name, key.data, key.len < 8 ? key.len : 7);
        uint64_t *number = &r->numbers[index_of(bytes_text(name))];
        memcpy(number, value.data, sizeof *number);
        if (*number == 0 || *number > r->last) r->wrong = "a row that is later than the snapshot";
        if (strcmp(before, name) >= 0) r->wrong = "rows out of order";
        memcpy(before, name, sizeof before);
    }
    return more == STORE_SNAPSHOT_END;
}

static void *replicate(void *arg)
{
    struct replica *r = arg;
    struct store_record record;
    struct error e;
    if (!take_rows(r)) r->wrong = "no end";
    store_snapshot_close(r->snapshot);
    while (!r->wrong) {
        bool done = atomic_load(&r->done);
        if (store_reader_next(r->log, STORE_WRITTEN, &record, &e)) r->wrong = "cannot read the log";
        if (!r->wrong && record.last && store_read_record(record.batches, apply, r, &e)) r->wrong = "cannot read a record";
        if (!record.last && done) break;
        if (!record.last) nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    store_reader_close(r->log);
    return NULL;
}

static void write_some(struct fixture *f, uint64_t *random, uint64_t *model, int batches)
{
    for (; batches; batches--) {
        char key[16];
        uint64_t number = f->store->sequence + 1;
        store_begin(f->store);
        for (uint64_t rows = 1 + random_below(random, 4); rows; rows--) {
            unsigned i = (unsigned)random_below(random, KEYS);
            snprintf(key, sizeof key, "k%03u", i);
            bool deletes = random_below(random, 5) == 0;
            if (deletes)
                store_delete(f->store, bytes_text(key));
            else
                store_put(f->store, bytes_text(key), bytes_of(&number, sizeof number));
            model[i] = deletes ? 0 : number;
        }
        store_commit(f->store);
        if (random_below(random, 3) == 0) store_flush(f->store);
        if (random_below(random, 100) == 0) store_checkpoint_soon(f->store);
    }
    fixture_settle(f);
}

static void test_a_snapshot_and_the_log_after_it_are_all_there_is(void **state)
{
    (void)state;
    uint64_t random = test_seed("snapshots"), model[KEYS] = {0};
    struct fixture f;
    fixture_begin(&f);
    f.calls.segment_size = 64 << 10;
    f.calls.transaction_rows = 16;
    f.options.log_max = 32 << 10;
    fixture_open(&f);
    for (int round = 0; round < 5; round++) {
        struct replica r[2] = {0};
        pthread_t threads[2];
        struct error e;
        write_some(&f, &random, model, 1000);
        for (int i = 0; i < 2; i++) {
            r[i].snapshot = open_at_least(&f, random_below(&random, f.store->sequence + 1));
            write_some(&f, &random, model, 500); /* so much that the log would be trimmed */
            if (store_reader_open(f.store, store_snapshot_position(r[i].snapshot), &r[i].log, &e)) fail_msg("%s", e.text);
            assert_int_equal(pthread_create(&threads[i], NULL, replicate, &r[i]), 0);
        }
        write_some(&f, &random, model, 1000);
        for (int i = 0; i < 2; i++) {
            atomic_store(&r[i].done, true);
            pthread_join(threads[i], NULL);
            if (r[i].wrong) fail_msg("%s", r[i].wrong);
            assert_int_equal(r[i].last, f.store->sequence);
            assert_memory_equal(r[i].numbers, model, sizeof model);
        }
    }
    fixture_end(&f);
}

/* The owner ends them while other threads are reading. */
static void *read_until_expired(void *arg)
{
    struct store_snapshot *n = arg;
    struct bytes key, value;
    enum store_snapshot_next more;
    bool right = true;
    while ((more = store_snapshot_next(n, &key, &value)) != STORE_SNAPSHOT_EXPIRED) {
        if (more == STORE_SNAPSHOT_ROW) right = right && key.len == 4 && value.len == 8;
        if (more == STORE_SNAPSHOT_END) store_snapshot_seek(n, bytes_text(""));
    }
    store_snapshot_close(n);
    return right ? NULL : arg;
}

static void test_snapshots_that_are_being_read_can_be_ended(void **state)
{
    (void)state;
    uint64_t random = test_seed("ending snapshots"), model[KEYS] = {0};
    struct fixture f;
    fixture_begin(&f);
    f.options.snapshot_max_ms = 15;
    f.calls.transaction_rows = 16;
    fixture_open(&f);
    write_some(&f, &random, model, 500);
    for (int round = 0; round < 10; round++) {
        pthread_t threads[3];
        void *wrong;
        for (int i = 0; i < 3; i++) {
            struct store_snapshot *n = open_at_least(&f, 500);
            assert_int_equal(pthread_create(&threads[i], NULL, read_until_expired, n), 0);
        }
        write_some(&f, &random, model, 500);
        for (int i = 0; i < 3; i++) {
            pthread_join(threads[i], &wrong);
            assert_null(wrong);
        }
    }
    fixture_end(&f);
}

int run_snapshot_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_snapshot_shows_the_rows_of_its_checkpoint_and_no_later_ones),
        cmocka_unit_test(test_one_that_is_recent_enough_needs_no_checkpoint),
        cmocka_unit_test(test_the_checkpoint_that_was_asked_for_waits_for_who_asked),
        cmocka_unit_test(test_nobody_waits_for_who_does_not_come_back),
        cmocka_unit_test(test_a_snapshot_ends_when_its_time_is_up),
        cmocka_unit_test(test_there_are_only_so_many_at_once),
        cmocka_unit_test(test_after_a_failure_there_are_only_old_ones),
        cmocka_unit_test(test_a_snapshot_and_the_log_after_it_are_all_there_is),
        cmocka_unit_test(test_snapshots_that_are_being_read_can_be_ended),
    };
    return cmocka_run_group_tests_name("store snapshots", tests, NULL, NULL);
}
