#include "fixture.h"

static int begin(void **state)
{
    static struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture_end(*state);
    return 0;
}

static void test_a_put_shows_at_once_and_has_its_batch_s_position(void **state)
{
    struct fixture *f = *state;
    store_begin(f->store);
    store_put(f->store, bytes_text("k"), bytes_text("v"));
    assert_int_equal(expect(f, "k", "v").sequence, 1);
    struct store_position p = store_commit(f->store);
    assert_int_equal(p.epoch, 1);
    assert_int_equal(p.sequence, 1);
    assert_int_equal(store_position_compare(expect(f, "k", "v"), p), 0);
}

static void test_a_durable_row_has_no_position(void **state)
{
    struct fixture *f = *state;
    struct store_position p = put(f, "k", "v");
    fixture_settle(f);
    fixture_wait(f, p);
    assert_int_equal(expect(f, "k", "v").sequence, 0);
    struct store_statistics st;
    store_statistics(f->store, &st);
    assert_int_equal(st.dirty_rows, 1);
    assert_true(st.dirty_bytes > 0);
    assert_int_equal(st.rows_durable, 0);
}

static void test_a_checkpointed_row_is_clean_and_stays_in_memory(void **state)
{
    struct fixture *f = *state;
    put(f, "k", "v");
    put(f, "gone", "v");
    remove_row(f, "gone");
    fixture_checkpoint(f);
    assert_int_equal(expect(f, "k", "v").sequence, 0);
    struct store_statistics st;
    store_statistics(f->store, &st);
    assert_int_equal(st.dirty_rows, 0);
    assert_int_equal(st.cached_rows, 1);
    assert_int_equal(st.rows_durable, 1);
    assert_int_equal(st.checkpoint.sequence, 3);
    assert_int_equal(st.log_bytes, 0);
}

static void test_a_deletion_has_a_position_until_it_is_durable(void **state)
{
    struct fixture *f = *state;
    put(f, "k", "v");
    fixture_checkpoint(f);
    struct store_position p = remove_row(f, "k");
    assert_int_equal(store_position_compare(expect(f, "k", NULL), p), 0);
    fixture_settle(f);
    assert_int_equal(expect(f, "k", NULL).sequence, 0);
    fixture_checkpoint(f);
    assert_int_equal(expect(f, "k", NULL).sequence, 0);
}

static void test_an_empty_batch_has_no_position_and_makes_no_record(void **state)
{
    struct fixture *f = *state;
    store_begin(f->store);
    struct store_position p = store_commit(f->store);
    assert_int_equal(p.epoch, 0);
    assert_int_equal(p.sequence, 0);
    fixture_settle(f);
    struct store_statistics st;
    store_statistics(f->store, &st);
    assert_int_equal(st.batches, 0);
    assert_int_equal(st.flushes, 0);
    assert_int_equal(st.syncs, 0);
}

static void test_rows_and_sequences_go_on_after_reopening(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->report.position.sequence, 0);
    put(f, "a", "1");
    put(f, "b", "2");
    remove_row(f, "a");
    fixture_reopen(f); /* close flushes */
    assert_int_equal(f->report.rows, 1);
    assert_int_equal(f->report.position.epoch, 1);
    assert_int_equal(f->report.position.sequence, 3);
    assert_int_equal(store_durable(f->store).sequence, 3);
    expect(f, "a", NULL);
    expect(f, "b", "2");
    assert_int_equal(put(f, "c", "3").sequence, 4);
}

static void test_the_newest_of_many_versions_wins(void **state)
{
    struct fixture *f = *state;
    char text[16];
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "%d", i);
        put(f, "k", text);
        if (i % 7 == 0) store_flush(f->store);
        if (i % 70 == 0) fixture_checkpoint(f);
        expect(f, "k", text);
    }
    remove_row(f, "k");
    put(f, "k", "last");
    expect(f, "k", "last");
    fixture_reopen(f);
    expect(f, "k", "last");
    assert_int_equal(f->report.rows, 1);
}

static void test_a_value_may_point_into_the_row_it_replaces(void **state)
{
    struct fixture *f = *state;
    put(f, "k", "abcdef");
    for (int round = 0; round < 3; round++) { /* in the turn, in the log, in LMDB */
        struct store_value v;
        assert_true(store_get(f->store, bytes_text("k"), &v));
        store_begin(f->store);
        store_put(f->store, bytes_text("k"), bytes_of(v.data.data + 1, v.data.len - 1));
        store_commit(f->store);
        if (round == 0) store_flush(f->store);
        if (round == 1) fixture_checkpoint(f);
    }
    expect(f, "k", "def");
}

static void test_a_value_can_be_filled_in_place(void **state)
{
    struct fixture *f = *state;
    put(f, "k", "old");
    struct store_value v;
    store_get(f->store, bytes_text("k"), &v);
    store_begin(f->store);
    uint8_t *room = store_put_open(f->store, bytes_text("k"), 6);
    memcpy(room, "new", 3);
    memcpy(room + 3, v.data.data, 3); /* what was read before still stands */
    store_commit(f->store);
    expect(f, "k", "newold");
}

static void test_keys_of_1_to_511_bytes_and_empty_values(void **state)
{
    struct fixture *f = *state;
    char longest[STORE_KEY_MAX + 2], shortest[] = "k";
    memset(longest, 'x', sizeof longest);
    longest[STORE_KEY_MAX] = 0;
    put(f, longest, "1");
    put(f, shortest, "");
    expect(f, longest, "1");
    fixture_checkpoint(f);
    expect(f, longest, "1");
    expect(f, shortest, "");
    struct store_value v;
    longest[STORE_KEY_MAX] = 'x';
    assert_false(store_get(f->store, bytes_of(longest, STORE_KEY_MAX + 1), &v));
    assert_false(store_get(f->store, bytes_of(longest, 0), &v));
}

static void test_a_large_value_is_stored_overwritten_and_deleted(void **state)
{
    struct fixture *f = *state;
    size_t len = (size_t)20 << 20;
    for (int round = 0; round < 2; round++) {
        store_begin(f->store);
        uint8_t *room = store_put_open(f->store, bytes_text("big"), len);
        for (size_t i = 0; i < len; i++) room[i] = (uint8_t)(i * 31 + (i >> 12) + (size_t)round);
        store_commit(f->store);
        if (round) fixture_reopen(f);
        struct store_value v;
        assert_true(store_get(f->store, bytes_text("big"), &v));
        assert_int_equal(v.data.len, len);
        for (size_t i = 0; i < len; i += 97)
            assert_int_equal(v.data.data[i], (uint8_t)(i * 31 + (i >> 12) + (size_t)round));
    }
    remove_row(f, "big");
    fixture_reopen(f);
    expect(f, "big", NULL);
}

static void splice(struct fixture *f, const char *key, size_t offset, size_t removed, const char *inserted)
{
    store_begin(f->store);
    store_splice(f->store, bytes_text(key), offset, removed, bytes_text(inserted));
    store_commit(f->store);
}

static void test_a_splice_changes_a_part(void **state)
{
    struct fixture *f = *state;
    for (int where = 0; where < 4; where++) { /* in the turn, in the log, in the checkpoint, only there */
        splice(f, "k", 0, 0, "abcdef");
        if (where == 1) fixture_settle(f);
        if (where == 2) fixture_checkpoint(f);
        if (where == 3) fixture_reopen(f);
        splice(f, "k", 2, 3, "X");
        expect(f, "k", "abXf");
        splice(f, "k", 4, 0, "ghijklmnopqrstuvwxyz");
        struct store_value v;
        assert_true(store_get(f->store, bytes_text("k"), &v));
        store_begin(f->store);
        store_splice(f->store, bytes_text("k"), 0, 3, bytes_of(v.data.data + 4, 2)); /* a part of itself */
        store_commit(f->store);
        expect(f, "k", "ghfghijklmnopqrstuvwxyz");
        fixture_reopen(f);
        expect(f, "k", "ghfghijklmnopqrstuvwxyz");
        remove_row(f, "k");
    }
}

static void test_a_large_value_may_be_overwritten_in_its_turn(void **state)
{
    struct fixture *f = *state;
    char *big = malloc(100001);
    assert_non_null(big);
    for (int i = 0; i < 3; i++) { /* the record points to each */
        memset(big, 'a' + i, 100000);
        big[100000] = 0;
        put(f, "k", big);
        splice(f, "k", 0, 99999, "");
    }
    expect(f, "k", "c");
    fixture_reopen(f);
    expect(f, "k", "c");
    free(big);
}

int run_row_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_put_shows_at_once_and_has_its_batch_s_position, begin, end),
        cmocka_unit_test_setup_teardown(test_a_durable_row_has_no_position, begin, end),
        cmocka_unit_test_setup_teardown(test_a_checkpointed_row_is_clean_and_stays_in_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_a_splice_changes_a_part, begin, end),
        cmocka_unit_test_setup_teardown(test_a_large_value_may_be_overwritten_in_its_turn, begin, end),
        cmocka_unit_test_setup_teardown(test_a_deletion_has_a_position_until_it_is_durable, begin, end),
        cmocka_unit_test_setup_teardown(test_an_empty_batch_has_no_position_and_makes_no_record, begin, end),
        cmocka_unit_test_setup_teardown(test_rows_and_sequences_go_on_after_reopening, begin, end),
        cmocka_unit_test_setup_teardown(test_the_newest_of_many_versions_wins, begin, end),
        cmocka_unit_test_setup_teardown(test_a_value_may_point_into_the_row_it_replaces, begin, end),
        cmocka_unit_test_setup_teardown(test_a_value_can_be_filled_in_place, begin, end),
        cmocka_unit_test_setup_teardown(test_keys_of_1_to_511_bytes_and_empty_values, begin, end),
        cmocka_unit_test_setup_teardown(test_a_large_value_is_stored_overwritten_and_deleted, begin, end),
    };
    return cmocka_run_group_tests_name("store rows", tests, NULL, NULL);
}
