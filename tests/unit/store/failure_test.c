#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "fixture.h"

/* LMDB's commits: so many succeed, then so many fail, then they succeed again. */
static atomic_int commits_left, failures_left;

static int failing_commit(MDB_txn *txn)
{
    if (atomic_fetch_sub(&commits_left, 1) > 0) return mdb_txn_commit(txn);
    if (atomic_fetch_sub(&failures_left, 1) <= 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOSPC;
}

static const struct disk_calls failing = {failing_commit};

static void put_many(struct fixture *f, int count, const char *value)
{
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%03d", i * 7919 % count);
        put(f, key, value);
    }
}

static void expect_many(struct fixture *f, int count, const char *value)
{
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%03d", i);
        expect(f, key, value);
    }
}

static void test_a_full_disk_holds_up_the_checkpoint_and_nothing_else(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    f.calls.disk = &failing;
    f.calls.transaction_rows = 10;
    f.options.dirty_max = 300000;
    atomic_store(&commits_left, 3);
    atomic_store(&failures_left, 1);
    fixture_open(&f);
    put_many(&f, 100, "1");
    store_checkpoint_soon(f.store);
    store_flush(f.store);
    struct store_statistics st;
    do {
        fixture_pause();
        store_flush(f.store);
        store_statistics(f.store, &st);
    } while (!st.checkpoint_stuck);
    assert_true(store_writable(f.store, &e)); /* the log has room */
    put_many(&f, 100, "2");
    fixture_settle(&f);
    expect_many(&f, 100, "2");
    char *big = malloc(400001);
    assert_non_null(big);
    memset(big, 'b', 400000);
    big[400000] = 0;
    put(&f, "big", big);
    free(big);
    assert_false(store_writable(f.store, &e)); /* memory has not */
    assert_non_null(strstr(e.text, "No space left on device"));
    assert_false(store_pressure(f.store)); /* reads go on */
    fixture_checkpoint(&f); /* after a second it is tried again */
    assert_true(store_writable(f.store, &e));
    expect_many(&f, 100, "2");
    fixture_reopen(&f);
    expect_many(&f, 100, "2");
    assert_int_equal(f.report.rows, 101);
    fixture_end(&f);
}

/* What a crash within a checkpoint leaves: some of its transactions. Splices show whether anything is applied twice. */
static void test_a_checkpoint_interrupted_anywhere_is_finished_after_reopening(void **state)
{
    (void)state;
    static const char wanted_even[] = "--xaxb", wanted_odd[] = "-AAxAAxb";
    for (int commits = 0; commits < 12; commits++) {
        struct fixture f;
        fixture_begin(&f);
        f.calls.disk = &failing;
        f.calls.transaction_rows = 10;
        atomic_store(&commits_left, 1000);
        atomic_store(&failures_left, 0);
        fixture_open(&f);
        put_many(&f, 100, "ab");
        fixture_checkpoint(&f);
        for (int round = 0; round < 2; round++) { /* interrupted twice in a row */
            for (int i = 0; i < 100; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%03d", i);
                store_begin(f.store);
                store_splice(f.store, bytes_text(key), 1, 0, bytes_text("x"));
                if (i % 2) store_splice(f.store, bytes_text(key), 0, 1, bytes_text("AA"));
                store_commit(f.store);
            }
            atomic_store(&commits_left, commits);
            atomic_store(&failures_left, 1000);
            store_checkpoint_soon(f.store);
            fixture_settle(&f);
            for (int i = 0; i < 100; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%03d", i);
                store_begin(f.store);
                store_splice(f.store, bytes_text(key), 0, 0, bytes_text("-"));
                store_commit(f.store);
            }
            fixture_settle(&f);
            while (atomic_load(&commits_left) > 0 && f.store->phase == PHASE_RUNNING) {
                fixture_pause();
                store_flush(f.store);
            }
            fixture_close(&f);
            atomic_store(&commits_left, 1000);
            fixture_open(&f);
        }
        for (int i = 0; i < 100; i++) {
            char key[16];
            snprintf(key, sizeof key, "k%03d", i);
            expect(&f, key, i % 2 ? wanted_odd : wanted_even);
        }
        fixture_end(&f);
    }
}

static atomic_bool sync_fails;

static int failing_sync(void *user, int fd)
{
    (void)user;
    if (!atomic_load(&sync_fails)) return fdatasync(fd);
    errno = EIO;
    return -1;
}

static void test_a_failed_sync_of_the_log_is_final(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    static struct wal_calls calls;
    calls = wal_calls_system;
    calls.fdatasync = failing_sync;
    atomic_store(&sync_fails, false);
    fixture_begin(&f);
    f.calls.wal = &calls;
    fixture_open(&f);
    struct store_position kept = put(&f, "a", "1");
    fixture_settle(&f);
    while (store_pressure(f.store)) fixture_pause(); /* it makes its segments, syncing them */
    assert_true(store_writable(f.store, &e));
    atomic_store(&sync_fails, true);
    struct store_position lost = put(&f, "a", "2");
    fixture_settle(&f);
    assert_true(store_failed(f.store, &e));
    assert_non_null(strstr(e.text, "Input/output error"));
    assert_non_null(strstr(e.text, f.store_dir));
    assert_false(store_writable(f.store, NULL));
    assert_false(store_pressure(f.store)); /* reads go on */

    atomic_store(&sync_fails, false); /* too late */
    put(&f, "b", "3");
    fixture_settle(&f);
    assert_int_equal(store_position_compare(store_released(f.store), kept), 0);
    assert_int_equal(store_position_compare(expect(&f, "a", "2"), lost), 0);
    fixture_reopen(&f);
    expect(&f, "b", NULL);
    fixture_end(&f);
}

static int open_error(struct fixture *f, struct error *e)
{
    struct store_options options = {.dir = f->store_dir, .expected = f->options.expected};
    struct store *s = NULL;
    return store_open(&options, &s, NULL, e);
}

/* Changes the main table as another program might. */
static void meddle(struct fixture *f, const char *key, struct bytes value)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val k = disk_val(bytes_text(key)), v = disk_val(value);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_mapsize(env, (size_t)1 << 30), 0); /* not the 1 TiB that the file recommends */
    char dir[400];
    snprintf(dir, sizeof dir, "%s/lmdb", f->store_dir);
    mkdir(f->store_dir, 0700);
    mkdir(dir, 0700);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void test_another_format_is_refused_by_its_number(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    fixture_open(&f);
    put(&f, "a", "1");
    fixture_close(&f);
    struct buffer b;
    buffer_init(&b, 64);
    write_u32(&b, 4711);
    write_u32(&b, 0); /* a later format may be of any length */
    meddle(&f, "state", buffer_bytes(&b));
    buffer_release(&b);
    assert_int_equal(open_error(&f, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "format 4711"));
    fixture_end(&f);
}

static void test_damaged_state_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    fixture_open(&f);
    fixture_close(&f);
    meddle(&f, "state", bytes_of("\3\0\0\0xyz", 7));
    assert_int_equal(open_error(&f, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "damaged"));
    fixture_end(&f);
}

static void test_a_foreign_database_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    meddle(&f, "somebody's", bytes_text("data"));
    assert_int_equal(open_error(&f, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "not AiKv's"));
    fixture_end(&f);
}

static void test_a_file_that_is_no_database_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    char path[400], rubbish[8192];
    fixture_begin(&f);
    mkdir(f.store_dir, 0700);
    snprintf(path, sizeof path, "%s/lmdb", f.store_dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/lmdb/data.mdb", f.store_dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    memset(rubbish, 'r', sizeof rubbish);
    assert_int_equal(write(fd, rubbish, sizeof rubbish), sizeof rubbish);
    close(fd);
    assert_int_equal(open_error(&f, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, f.store_dir));
    fixture_end(&f);
}

/* The disk was full after the first page of LMDB's file, say. */
static void test_a_first_start_that_did_not_finish_is_done_again(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    char path[400];
    fixture_begin(&f);
    fixture_open(&f);
    fixture_close(&f);
    snprintf(path, sizeof path, "%s/lmdb/data.mdb", f.store_dir);
    assert_int_equal(truncate(path, 4096), 0);
    struct store *s;
    assert_int_equal(store_open(&(struct store_options){.dir = f.store_dir, .expected = true}, &s, NULL, &e), ERROR_FORMAT);
    fixture_open(&f);
    put(&f, "a", "1");
    fixture_reopen(&f);
    expect(&f, "a", "1");
    fixture_end(&f);
}

static void zero_sector(const struct fixture *f, off_t at)
{
    char path[400];
    static const uint8_t zeros[512];
    snprintf(path, sizeof path, "%s/lmdb/data.mdb", f->store_dir);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, at), sizeof zeros);
    close(fd);
}

static void test_a_torn_first_page_of_lmdb_gives_way_to_the_other(void **state)
{
    (void)state;
    for (int torn = 0; torn < 2; torn++) {
        struct fixture f;
        struct disk d;
        struct disk_state st;
        struct error e;
        char dir[400];
        fixture_begin(&f);
        fixture_open(&f);
        put_many(&f, 50, "old");
        fixture_checkpoint(&f);
        put_many(&f, 60, "new");
        fixture_close(&f);
        zero_sector(&f, torn * sysconf(_SC_PAGESIZE));
        snprintf(dir, sizeof dir, "%s/lmdb", f.store_dir);
        assert_int_equal(disk_open_read_only(&d, dir, &st, &e), ERROR_FORMAT);
        assert_non_null(strstr(e.text, torn ? "page 1 of" : "page 0 of"));
        assert_non_null(strstr(e.text, "start the node"));
        f.options.expected = true;
        fixture_open(&f);
        expect_many(&f, 60, "new");
        put(&f, "after", "it");
        fixture_checkpoint(&f);
        fixture_reopen(&f);
        expect_many(&f, 60, "new");
        expect(&f, "after", "it");
        fixture_end(&f);
    }
}

static void test_two_torn_first_pages_are_damage(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    fixture_open(&f);
    put_many(&f, 50, "old");
    fixture_checkpoint(&f);
    fixture_close(&f);
    zero_sector(&f, 0);
    zero_sector(&f, sysconf(_SC_PAGESIZE));
    f.options.expected = true;
    assert_int_equal(open_error(&f, &e), ERROR_FORMAT);
    fixture_end(&f);
}

static void test_a_directory_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    snprintf(f.store_dir, sizeof f.store_dir, "%s/none/store", f.dir);
    assert_int_equal(open_error(&f, &e), ERROR_IO);
    assert_non_null(strstr(e.text, f.store_dir));
    fixture_end(&f);
}

int run_failure_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_disk_holds_up_the_checkpoint_and_nothing_else),
        cmocka_unit_test(test_a_checkpoint_interrupted_anywhere_is_finished_after_reopening),
        cmocka_unit_test(test_a_failed_sync_of_the_log_is_final),
        cmocka_unit_test(test_another_format_is_refused_by_its_number),
        cmocka_unit_test(test_damaged_state_is_refused),
        cmocka_unit_test(test_a_foreign_database_is_refused),
        cmocka_unit_test(test_a_file_that_is_no_database_is_refused),
        cmocka_unit_test(test_a_first_start_that_did_not_finish_is_done_again),
        cmocka_unit_test(test_a_torn_first_page_of_lmdb_gives_way_to_the_other),
        cmocka_unit_test(test_two_torn_first_pages_are_damage),
        cmocka_unit_test(test_a_directory_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests_name("store failures", tests, NULL, NULL);
}
