/* Epochs, the comparison of two logs, and what is committed. */
#include <fcntl.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"

static struct store_position p(uint64_t epoch, uint64_t sequence)
{
    return (struct store_position){epoch, sequence};
}

static void expect_position(struct store_position found, struct store_position wanted)
{
    if (store_position_compare(found, wanted))
        fail_msg("%llu/%llu, not %llu/%llu", (unsigned long long)found.epoch, (unsigned long long)found.sequence,
                 (unsigned long long)wanted.epoch, (unsigned long long)wanted.sequence);
}

/* ---- histories ---- */

/* A log as a list of epochs by sequence, for the comparison to be checked against. */
struct model {
    uint64_t epochs[400]; /* of sequence i + 1 */
    uint64_t count;
};

static struct store_history history_of(const struct model *m)
{
    struct store_history h = {.last = m->count};
    for (uint64_t i = 0; i < m->count; i++) history_add(&h, m->epochs[i], i + 1);
    return h;
}

static void extend(struct model *m, uint64_t *random, uint64_t parity, uint64_t count)
{
    uint64_t epoch = m->count ? m->epochs[m->count - 1] : 1;
    for (; count; count--) {
        if (random_below(random, 4) == 0) epoch += 2 - epoch % 2 + parity; /* so that no two logs have an epoch of the same number */
        m->epochs[m->count++] = epoch;
    }
}

static void test_the_common_position_is_the_last_of_the_same_epoch(void **state)
{
    (void)state;
    uint64_t random = test_seed("histories");
    for (int round = 0; round < 20000; round++) {
        struct model a = {.count = 0}, b;
        extend(&a, &random, 0, random_below(&random, 30));
        b = a;
        b.count = random_below(&random, a.count + 1);
        extend(&a, &random, 0, random_below(&random, 20));
        extend(&b, &random, 1, random_below(&random, 20));
        struct store_position wanted = {0, 0};
        for (uint64_t i = 0; i < a.count && i < b.count; i++)
            if (a.epochs[i] == b.epochs[i]) wanted = p(a.epochs[i], i + 1);
        struct store_history x = history_of(&a), y = history_of(&b);
        assert_true(history_is_sound(&x) && history_is_sound(&y));
        expect_position(store_common_position(&x, &y), wanted);
        expect_position(store_common_position(&y, &x), wanted);
    }
}

static void test_what_a_history_has_forgotten_is_not_common(void **state)
{
    (void)state;
    struct store_history old = {.last = 5}, now = {.last = 5};
    history_add(&old, 1, 1);
    history_add(&now, 1, 1);
    for (uint64_t epoch = 2; epoch < STORE_EPOCHS_MAX + 2; epoch++) {
        expect_position(store_common_position(&old, &now), p(1, 5));
        history_add(&now, epoch, 2 * epoch + 2);
        now.last = 2 * epoch + 2;
    }
    assert_int_equal(now.count, STORE_EPOCHS_MAX);
    assert_true(history_is_sound(&now));
    expect_position(store_common_position(&old, &now), p(0, 0));
    expect_position(history_position(&now, now.last), p(STORE_EPOCHS_MAX + 1, now.last));
}

static void test_an_unsound_history_is_told(void **state)
{
    (void)state;
    struct store_history h = {.epochs = {{1, 1}, {3, 7}}, .count = 2, .last = 7}, bad = h;
    assert_true(history_is_sound(&h));
    bad.last = 6;
    assert_false(history_is_sound(&bad));
    bad = h;
    bad.epochs[1].epoch = 1;
    assert_false(history_is_sound(&bad));
    bad = h;
    bad.epochs[0].first = 7;
    assert_false(history_is_sound(&bad));
    bad = h;
    bad.count = STORE_EPOCHS_MAX + 1;
    assert_false(history_is_sound(&bad));
}

/* ---- a store's ---- */

static void expect_history(struct fixture *f, const struct store_epoch *epochs, uint32_t count, uint64_t last)
{
    struct store_history h;
    store_get_history(f->store, &h);
    assert_int_equal(h.count, count);
    assert_int_equal(h.last, last);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(h.epochs[i].epoch, epochs[i].epoch);
        assert_int_equal(h.epochs[i].first, epochs[i].first);
    }
}

static void test_sequences_go_on_from_epoch_to_epoch(void **state)
{
    (void)state;
    static const struct store_epoch epochs[] = {{1, 1}, {4, 3}, {9, 4}};
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    assert_int_equal(store_get_epoch(f.store), 1);
    put(&f, "a", "1");
    expect_position(put(&f, "b", "2"), p(1, 2));
    expect_history(&f, epochs, 0, 0); /* not in the log yet */
    assert_true(store_set_epoch(f.store, 4));
    expect_history(&f, epochs, 1, 2);
    expect_position(put(&f, "c", "3"), p(4, 3));
    expect_position(expect(&f, "c", "3"), p(4, 3));
    assert_true(store_set_epoch(f.store, 4)); /* no end of a record */
    assert_int_equal(f.store->record.first, 3);
    store_flush(f.store);
    assert_true(store_set_epoch(f.store, 8)); /* nothing is written in it */
    assert_true(store_set_epoch(f.store, 9));
    expect_position(put(&f, "d", "4"), p(9, 4));
    fixture_settle(&f);
    expect_position(store_durable(f.store), p(9, 4));
    for (int round = 0; round < 3; round++) { /* out of the log, out of LMDB, out of both */
        expect_history(&f, epochs, 3, 4);
        fixture_reopen(&f);
        expect_position(f.report.position, p(9, 4));
        assert_int_equal(store_get_epoch(f.store), 9);
    }
    assert_true(store_set_epoch(f.store, 12));
    fixture_reopen(&f);
    assert_int_equal(store_get_epoch(f.store), 9); /* nothing was written in 12 */
    fixture_end(&f);
}

static void test_an_epoch_of_the_log_is_found_after_a_crash_at_any_checkpoint(void **state)
{
    (void)state;
    static const struct store_epoch epochs[] = {{2, 1}, {3, 2}, {5, 3}};
    char command[700];
    for (int checkpoint_after = 0; checkpoint_after < 4; checkpoint_after++) {
        struct fixture f, crashed;
        fixture_begin(&f);
        fixture_begin(&crashed);
        fixture_open(&f);
        for (int i = 0; i < 3; i++) {
            assert_true(store_set_epoch(f.store, epochs[i].epoch));
            put(&f, "k", "v");
            if (checkpoint_after == i) fixture_checkpoint(&f);
        }
        fixture_settle(&f);
        struct wal_statistics log;
        do { /* until the log's thread is at rest: files would change their names under the copy */
            fixture_pause();
            wal_statistics(f.store->wal, &log);
        } while (log.segments_ready < 2);
        snprintf(command, sizeof command, "cp -r %s %s", f.store_dir, crashed.store_dir);
        assert_int_equal(system(command), 0);
        fixture_open(&crashed);
        expect_history(&crashed, epochs, 3, 3);
        expect_position(crashed.report.checkpoint, checkpoint_after < 3 ? p(epochs[checkpoint_after].epoch, epochs[checkpoint_after].first) : p(0, 0));
        fixture_end(&crashed);
        fixture_end(&f);
    }
}

static void test_an_epoch_waits_while_batches_of_the_one_before_have_no_room(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.calls.segment_size = 64 << 10;
    fixture_open(&f);
    char *value = malloc(300001);
    assert_non_null(value);
    memset(value, 'v', 300000);
    value[300000] = 0;
    put(&f, "large", value);
    free(value);
    if (!wal_has_room(f.store->wal, record_size(&f.store->record))) { /* else the thread was quick */
        store_set_epoch(f.store, 2);
        assert_int_equal(store_get_epoch(f.store) == 2, f.store->record.first == 0);
    }
    fixture_settle(&f);
    assert_true(store_set_epoch(f.store, 2));
    expect_position(put(&f, "a", "1"), p(2, 2));
    fixture_end(&f);
}

/* ---- committed ---- */

static void test_nothing_is_drained_or_released_before_it_is_committed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.options.committed_by_owner = true;
    fixture_open(&f);
    struct store_position first = put(&f, "a", "1"), second = put(&f, "b", "2");
    store_checkpoint_soon(f.store);
    store_flush(f.store);
    fixture_wait(&f, second);
    for (int i = 0; i < 10; i++) {
        fixture_pause();
        store_flush(f.store);
    }
    struct store_statistics st;
    store_statistics(f.store, &st);
    assert_true(st.checkpoint_running); /* frozen, and no more */
    assert_int_equal(st.rows_durable, 0);
    expect_position(store_released(f.store), p(0, 0));
    expect_position(expect(&f, "a", "1"), first);
    store_set_committed(f.store, first);
    expect_position(store_released(f.store), first);
    expect_position(expect(&f, "a", "1"), p(0, 0));
    expect_position(expect(&f, "b", "2"), second);
    store_set_committed(f.store, p(0, 0)); /* only rises */
    expect_position(store_released(f.store), first);
    store_set_committed(f.store, p(1, 10)); /* known before the batches are */
    expect_position(store_released(f.store), second);
    fixture_checkpoint(&f);
    store_statistics(f.store, &st);
    assert_int_equal(st.rows_durable, 2);
    fixture_end(&f);
}

static void test_closing_drains_what_is_committed_and_keeps_the_rest_in_the_log(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.options.committed_by_owner = true;
    fixture_open(&f);
    struct store_position first = put(&f, "a", "1");
    store_set_committed(f.store, first);
    fixture_checkpoint(&f);
    struct store_position second = put(&f, "b", "2");
    fixture_reopen(&f);
    expect_position(f.report.checkpoint, first);
    expect_position(f.report.position, second);
    expect_position(store_released(f.store), first);
    expect_position(expect(&f, "b", "2"), second);
    store_checkpoint_soon(f.store);
    store_flush(f.store); /* frozen */
    fixture_reopen(&f);
    expect_position(f.report.checkpoint, first);
    expect_position(expect(&f, "b", "2"), second);
    store_set_committed(f.store, second);
    fixture_reopen(&f);
    expect_position(f.report.checkpoint, second);
    fixture_end(&f);
}

/* ---- the state record ---- */

static size_t read_state(struct fixture *f, uint8_t *out, size_t size)
{
    MDB_val key = disk_val(bytes_text("state")), value;
    assert_int_equal(mdb_get(f->store->disk.snapshot, f->store->disk.main, &key, &value), 0);
    assert_true(value.mv_size <= size);
    memcpy(out, value.mv_data, value.mv_size);
    return value.mv_size;
}

static void test_the_state_record_is_what_the_golden_file_says(void **state)
{
    (void)state;
    uint8_t made[4096];
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    put(&f, "a", "1");
    assert_true(store_set_epoch(f.store, 3));
    put(&f, "b", "1");
    fixture_checkpoint(&f);
    size_t len = read_state(&f, made, sizeof made);
    fixture_end(&f);
    files_expect_golden("unit/store/golden/state_3.bin", bytes_of(made, len));
}

int run_epoch_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_common_position_is_the_last_of_the_same_epoch),
        cmocka_unit_test(test_what_a_history_has_forgotten_is_not_common),
        cmocka_unit_test(test_an_unsound_history_is_told),
        cmocka_unit_test(test_sequences_go_on_from_epoch_to_epoch),
        cmocka_unit_test(test_an_epoch_of_the_log_is_found_after_a_crash_at_any_checkpoint),
        cmocka_unit_test(test_an_epoch_waits_while_batches_of_the_one_before_have_no_room),
        cmocka_unit_test(test_nothing_is_drained_or_released_before_it_is_committed),
        cmocka_unit_test(test_closing_drains_what_is_committed_and_keeps_the_rest_in_the_log),
        cmocka_unit_test(test_the_state_record_is_what_the_golden_file_says),
    };
    return cmocka_run_group_tests_name("store epochs", tests, NULL, NULL);
}
