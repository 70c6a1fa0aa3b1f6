#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "fixture.h"

static atomic_int commits_left;

static int failing_commit(MDB_txn *txn)
{
    if (atomic_fetch_sub(&commits_left, 1) > 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOSPC;
}

static const struct disk_calls failing = {failing_commit};

static void test_a_failed_commit_is_final(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.calls = &failing;
    atomic_store(&commits_left, 1);
    fixture_open(&f);
    struct store_position kept = put(&f, "a", "1");
    fixture_settle(&f);
    assert_false(store_failed(f.store, NULL));
    struct store_position lost = put(&f, "a", "2");
    fixture_settle(&f);
    struct error e;
    assert_true(store_failed(f.store, &e));
    assert_non_null(strstr(e.text, "No space left on device"));
    assert_non_null(strstr(e.text, f.store_dir));

    atomic_store(&commits_left, 1000); /* space is back: too late */
    put(&f, "b", "3");
    fixture_settle(&f);
    assert_int_equal(store_position_compare(store_durable(f.store), kept), 0);
    assert_int_equal(store_position_compare(expect(&f, "a", "2"), lost), 0);
    fixture_reopen(&f);
    expect(&f, "a", "1");
    expect(&f, "b", NULL);
    assert_int_equal(store_position_compare(f.report.position, kept), 0);
    fixture_end(&f);
}

static int open_error(struct fixture *f, struct error *e)
{
    struct store_options options = {.dir = f->store_dir, .pending_max = 1 << 20};
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
    mkdir(f->store_dir, 0700);
    assert_int_equal(mdb_env_open(env, f->store_dir, 0, 0600), 0);
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
    meddle(&f, "state", bytes_of("\1\0\0\0xyz", 7));
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
    snprintf(path, sizeof path, "%s/data.mdb", f.store_dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    memset(rubbish, 'r', sizeof rubbish);
    assert_int_equal(write(fd, rubbish, sizeof rubbish), sizeof rubbish);
    close(fd);
    assert_int_equal(open_error(&f, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, f.store_dir));
    fixture_end(&f);
}

static void test_a_directory_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    snprintf(f.store_dir, sizeof f.store_dir, "%s/none/lmdb", f.dir);
    assert_int_equal(open_error(&f, &e), ERROR_IO);
    assert_non_null(strstr(e.text, f.store_dir));
    fixture_end(&f);
}

int run_failure_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_commit_is_final),
        cmocka_unit_test(test_another_format_is_refused_by_its_number),
        cmocka_unit_test(test_damaged_state_is_refused),
        cmocka_unit_test(test_a_foreign_database_is_refused),
        cmocka_unit_test(test_a_file_that_is_no_database_is_refused),
        cmocka_unit_test(test_a_directory_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests_name("store failures", tests, NULL, NULL);
}
