/* A store whose log is cut off: rows are as of that position, and history goes on under a later epoch. */
#include <errno.h>
#include <stdatomic.h>

#include "fixture.h"

static const struct store_position nowhere;

static int open_error(struct fixture *f, struct store_position to, struct error *e)
{
    f->options.truncate_to = to;
    int rc = store_open_with(&f->options, &f->calls, &f->store, &f->report, e);
    f->options.truncate_to = nowhere;
    if (rc) f->store = NULL;
    return rc;
}

static void test_rows_are_as_of_where_the_log_was_cut_off(void **state)
{
    (void)state;
    struct fixture f;
    struct store_history h;
    fixture_begin(&f);
    f.options.committed_by_owner = true;
    fixture_open(&f);
    put(&f, "a", "1");
    store_set_committed(f.store, put(&f, "gone", "1"));
    fixture_checkpoint(&f);
    struct store_position keep = remove_row(&f, "gone");
    store_flush(f.store);
    put(&f, "a", "2");
    put(&f, "b", "2");
    store_flush(f.store);
    remove_row(&f, "a");
    fixture_close(&f);
    f.options.truncate_to = keep;
    fixture_open(&f);
    f.options.truncate_to = nowhere;
    assert_int_equal(store_position_compare(f.report.position, keep), 0);
    assert_true(f.report.truncated_bytes > 0);
    assert_int_equal(f.report.dropped_bytes, 0);
    expect(&f, "a", "1");
    expect(&f, "b", NULL);
    expect(&f, "gone", NULL);
    assert_true(store_set_epoch(f.store, 2));
    struct store_position again = put(&f, "b", "3");
    assert_int_equal(again.sequence, keep.sequence + 1);
    assert_int_equal(again.epoch, 2);
    store_set_committed(f.store, again);
    for (int i = 0; i < 2; i++) {
        fixture_reopen(&f);
        expect(&f, "a", "1");
        expect(&f, "b", "3");
        assert_int_equal(store_position_compare(f.report.position, again), 0);
        store_get_history(f.store, &h);
        assert_int_equal(h.count, 2);
        assert_int_equal(h.epochs[1].first, again.sequence);
    }
    fixture_end(&f);
}

static atomic_int commits_left;

static int stopping_commit(MDB_txn *txn)
{
    if (atomic_fetch_sub(&commits_left, 1) > 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOSPC;
}

static void test_what_the_checkpoint_holds_cannot_be_cut_off(void **state)
{
    (void)state;
    static const struct disk_calls stopping = {stopping_commit};
    struct fixture f;
    struct error e;
    fixture_begin(&f);
    f.calls.disk = &stopping;
    f.calls.transaction_rows = 2;
    atomic_store(&commits_left, 1000);
    fixture_open(&f);
    put(&f, "a", "1");
    struct store_position checkpoint = put(&f, "b", "1");
    fixture_checkpoint(&f);
    struct store_position within = put(&f, "a", "2");
    fixture_settle(&f);
    for (int i = 0; i < 6; i++) put(&f, (char[]){'c', (char)('0' + i), 0}, "2");
    atomic_store(&commits_left, 1);
    store_checkpoint_soon(f.store);
    fixture_settle(&f);
    struct store_statistics st;
    do {
        fixture_pause();
        store_flush(f.store);
        store_statistics(f.store, &st);
    } while (!st.checkpoint_stuck);
    struct store_position end = st.last;
    put(&f, "later", "1");
    fixture_close(&f);
    assert_int_equal(open_error(&f, (struct store_position){1, checkpoint.sequence - 1}, &e), ERROR_NOT_FOUND);
    assert_non_null(strstr(e.text, "the checkpoint holds rows of batch 9"));
    assert_int_equal(open_error(&f, within, &e), ERROR_NOT_FOUND);
    assert_non_null(strstr(e.text, "the checkpoint holds rows of batch 9"));
    assert_int_equal(open_error(&f, end, &e), 0);
    assert_int_equal(store_position_compare(f.report.position, end), 0);
    expect(&f, "later", NULL);
    expect(&f, "a", "2");
    expect(&f, "c5", "2");
    atomic_store(&commits_left, 1000);
    fixture_reopen(&f);
    expect(&f, "later", NULL);
    expect(&f, "a", "2");
    fixture_close(&f);
    assert_int_equal(open_error(&f, checkpoint, &e), ERROR_NOT_FOUND);
    assert_non_null(strstr(e.text, "of batch 9"));
    fixture_open(&f);
    fixture_end(&f);
}

int run_truncate_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_as_of_where_the_log_was_cut_off),
        cmocka_unit_test(test_what_the_checkpoint_holds_cannot_be_cut_off),
    };
    return cmocka_run_group_tests_name("store truncation", tests, NULL, NULL);
}
