/* Readers of a store's log: how far they may read, and where they may begin. */
#include "fixture.h"
#include "store/reader.h"

static struct store_reader *open_at(struct fixture *f, struct store_position from)
{
    struct store_reader *r;
    struct error e;
    if (store_reader_open(f->store, from, &r, &e)) fail_msg("%s", e.text);
    return r;
}

/* The sequence of the next record's last batch; 0: none up to there. */
static uint64_t next(struct store_reader *r, enum store_reach reach)
{
    struct store_record record;
    struct error e;
    if (store_reader_next(r, reach, &record, &e)) fail_msg("%s", e.text);
    return record.last;
}

static void test_a_reader_goes_as_far_as_it_is_told(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.options.durability = STORE_NO;
    f.options.committed_by_owner = true;
    fixture_open(&f);
    struct store_reader *r = open_at(&f, (struct store_position){0, 0});
    put(&f, "a", "1");
    assert_int_equal(next(r, STORE_WRITTEN), 0); /* not in the log yet */
    store_flush(f.store);
    assert_int_equal(next(r, STORE_DURABLE), 0);
    assert_int_equal(next(r, STORE_COMMITTED), 0);
    store_set_committed(f.store, (struct store_position){1, 1});
    assert_int_equal(next(r, STORE_COMMITTED), 1);
    put(&f, "b", "1");
    put(&f, "c", "1");
    store_flush(f.store);
    store_set_committed(f.store, (struct store_position){1, 2});
    assert_int_equal(next(r, STORE_COMMITTED), 0); /* no part of a record */
    assert_int_equal(next(r, STORE_WRITTEN), 3);
    put(&f, "d", "1");
    store_set_durability(f.store, STORE_ALWAYS);
    store_flush(f.store);
    fixture_wait(&f, (struct store_position){1, 4});
    assert_int_equal(next(r, STORE_DURABLE), 4);
    store_reader_close(r);
    fixture_end(&f);
}

static void test_a_position_of_another_epoch_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct error e;
    struct store_reader *r = NULL;
    fixture_begin(&f);
    fixture_open(&f);
    put(&f, "a", "1");
    assert_true(store_set_epoch(f.store, 3));
    put(&f, "a", "1");
    fixture_settle(&f);
    for (uint64_t epoch = 1; epoch < 5; epoch++) {
        int rc = store_reader_open(f.store, (struct store_position){epoch, 2}, &r, &e);
        assert_int_equal(rc, epoch == 3 ? 0 : ERROR_NOT_FOUND);
        if (rc) assert_non_null(strstr(e.text, "batch 2 of the log is of epoch 3"));
        if (!rc) store_reader_close(r);
    }
    assert_int_equal(store_reader_open(f.store, (struct store_position){3, 3}, &r, &e), ERROR_NOT_FOUND);
    assert_non_null(strstr(e.text, "it ends at 3/2"));
    r = open_at(&f, (struct store_position){1, 1});
    assert_int_equal(next(r, STORE_WRITTEN), 2);
    store_reader_close(r);
    fixture_end(&f);
}

int run_reader_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_goes_as_far_as_it_is_told),
        cmocka_unit_test(test_a_position_of_another_epoch_is_refused),
    };
    return cmocka_run_group_tests_name("store readers", tests, NULL, NULL);
}
