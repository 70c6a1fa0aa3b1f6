/* The log and its checkpoint tell the same; memory is bounded whatever is read. */
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"

/* Half of them expire. */
static void put_expiring(struct fixture *f, const char *key, uint64_t *random)
{
    char value[16];
    int len = snprintf(value, sizeof value, "%s%d", random_below(random, 2) ? "@" : "", (int)random_below(random, 1000));
    store_put(f->store, bytes_text(key), bytes_of(value, (size_t)len));
}

/* Rows like this one, or those that begin with the same byte. */
static void drop_some(struct fixture *f, const char *key, bool many)
{
    uint64_t group = row_group(bytes_text(key));
    uint16_t slot = (uint16_t)(group >> 32), first = slot & 0xff00;
    store_drop(f->store, &(struct store_range){many ? first : slot, many ? first | 0xff : slot, !many, (uint32_t)group});
}

static void random_work(struct fixture *f, uint64_t *random)
{
    for (int n = 0; n < 4000; n++) {
        char key[16];
        store_begin(f->store);
        for (uint64_t changes = random_below(random, 4); changes; changes--) {
            snprintf(key, sizeof key, "%c%d", 'a' + (int)random_below(random, 4), (int)random_below(random, 200));
            struct store_value v;
            size_t len = store_get(f->store, bytes_text(key), &v) ? v.data.len : 0;
            uint64_t what = random_below(random, 5);
            if (what == 0) store_delete(f->store, bytes_text(key));
            if (what == 1) put_expiring(f, key, random);
            if (what > 1) store_splice(f->store, bytes_text(key), random_below(random, len + 1), 0, bytes_of(random, 5));
            if (random_below(random, 400) == 0) drop_some(f, key, random_below(random, 2));
        }
        store_commit(f->store);
        if (random_below(random, 10) == 0) store_flush(f->store);
        if (random_below(random, 100) == 0) store_checkpoint_soon(f->store);
    }
}

/* Everything LMDB holds: the rows of a store whose memory holds nothing that is not there too. */
static void expect_same_rows(struct fixture *a, struct fixture *b)
{
    struct store_iterator *left = store_iterate(a->store, bytes_text(""), bytes_text("")),
                          *right = store_iterate(b->store, bytes_text(""), bytes_text(""));
    struct bytes key, other_key;
    struct store_value value, other_value;
    size_t count = 0;
    for (;; count++) {
        bool more = store_iterator_next(left, &key, &value);
        assert_int_equal(store_iterator_next(right, &other_key, &other_value), more);
        if (!more) break;
        assert_true(bytes_equal(key, other_key));
        assert_true(bytes_equal(value.data, other_value.data));
    }
    assert_true(count > 100);
    store_iterator_close(left);
    store_iterator_close(right);
}

static void test_the_checkpoint_equals_the_replay_of_the_whole_log(void **state)
{
    (void)state;
    struct fixture f, replayed;
    char command[700];
    uint64_t random = test_seed("store replay");
    fixture_begin(&f);
    fixture_begin(&replayed);
    f.calls.segment_size = replayed.calls.segment_size = 16 << 20; /* all in one, which stays */
    f.calls.transaction_rows = 32;
    f.options.expiry = replayed.options.expiry = test_expiry;
    for (int round = 0; round < 3; round++) {
        fixture_open(&f);
        random_work(&f, &random);
        fixture_close(&f);
    }
    snprintf(command, sizeof command, "mkdir %s && cp -r %s/log %s/log", replayed.store_dir, f.store_dir, replayed.store_dir);
    assert_int_equal(system(command), 0);
    fixture_open(&f);
    assert_int_equal(f.report.changed_rows, 0);
    assert_int_equal(f.report.checkpoint.sequence, f.report.position.sequence);
    fixture_open(&replayed);
    assert_int_equal(replayed.report.checkpoint.sequence, 0);
    assert_int_equal(replayed.report.position.sequence, f.report.position.sequence);
    expect_same_rows(&f, &replayed); /* out of memory */
    fixture_reopen(&replayed);
    assert_int_equal(replayed.report.changed_rows, 0);
    expect_same_rows(&f, &replayed); /* out of LMDB */
    fixture_check_index(&f);
    fixture_check_index(&replayed);
    fixture_end(&f);
    fixture_end(&replayed);
}

static void test_what_can_be_read_again_leaves_memory_when_it_is_full(void **state)
{
    (void)state;
    struct fixture f;
    struct store_statistics st;
    char key[16], value[101];
    memset(value, 'v', 100);
    value[100] = 0;
    fixture_begin(&f);
    f.options.memory_max = 600000;
    fixture_open(&f);
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(&f, key, value);
        if (i % 100 == 0) store_flush(f.store);
        if (i % 1000 == 0) fixture_checkpoint(&f);
    }
    fixture_checkpoint(&f);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20000; i++) {
            snprintf(key, sizeof key, "k%d", i);
            expect(&f, key, value);
            expect(&f, "k7", value); /* always wanted */
            if (i % 100) continue;
            store_flush(f.store);
            store_statistics(f.store, &st);
            assert_true(st.memory_bytes <= 600000);
        }
    }
    assert_true(st.evictions > 10000);
    assert_true(st.cached_rows > 100);
    uint64_t hash = table_hash(&f.store->table, bytes_text("k7"));
    assert_non_null(table_find(&f.store->table, hash, bytes_text("k7")));
    store_set_memory_max(f.store, 1); /* nothing may stay */
    for (int i = 0; i < 1000; i++) store_flush(f.store);
    store_statistics(f.store, &st);
    assert_int_equal(st.cached_rows, 0);
    assert_int_equal(st.cached_bytes, 0);
    expect(&f, "k7", value);
    fixture_end(&f);
}

static void test_all_that_can_be_read_again_leaves_memory_at_once(void **state)
{
    (void)state;
    struct fixture f;
    struct store_statistics st;
    char key[16];
    fixture_begin(&f);
    fixture_open(&f);
    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(&f, key, "old");
    }
    fixture_checkpoint(&f);
    expect(&f, "k7", "old"); /* was used lately */
    put(&f, "k8", "new");
    remove_row(&f, "k9");
    store_drop_cached(f.store);
    store_statistics(f.store, &st);
    assert_int_equal(st.cached_rows, 0);
    assert_int_equal(st.cached_bytes, 0);
    assert_int_equal(st.dirty_rows, 2);
    expect(&f, "k7", "old");
    expect(&f, "k8", "new");
    expect(&f, "k9", NULL);
    fixture_end(&f);
}

int run_replay_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_checkpoint_equals_the_replay_of_the_whole_log),
        cmocka_unit_test(test_what_can_be_read_again_leaves_memory_when_it_is_full),
        cmocka_unit_test(test_all_that_can_be_read_again_leaves_memory_at_once),
    };
    return cmocka_run_group_tests_name("store replay", tests, NULL, NULL);
}
