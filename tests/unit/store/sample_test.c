/* Some rows of many: those whose keys begin with "k" are sampled. And the number that a row carries while it is in memory. */
#include "base/random.h"
#include "fixture.h"

static bool is_sampled(struct bytes key)
{
    return key.data[0] == 'k';
}

static void begin(struct fixture *f)
{
    fixture_begin(f);
    f->options.sampled = is_sampled;
    f->options.expiry = test_expiry;
    fixture_open(f);
}

/* ---- stamps ---- */

static uint32_t *stamp_of(struct fixture *f, const char *key)
{
    struct store_value value;
    assert_true(store_get(f->store, bytes_text(key), &value));
    return value.stamp;
}

static void test_a_row_is_stamped_when_it_comes_into_memory(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    put(&f, "k", "v");
    assert_int_equal(*stamp_of(&f, "k"), 0);
    store_set_stamp(f.store, 5);
    put(&f, "k2", "v");
    assert_int_equal(*stamp_of(&f, "k2"), 5);
    *stamp_of(&f, "k2") = UINT32_MAX;
    fixture_checkpoint(&f); /* clean now */
    assert_int_equal(*stamp_of(&f, "k2"), UINT32_MAX);
    fixture_reopen(&f);
    store_set_stamp(f.store, 7);
    assert_int_equal(*stamp_of(&f, "k2"), 7);
    fixture_end(&f);
}

static void test_what_is_written_over_a_row_takes_its_stamp_on(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (int round = 0; round < 3; round++) {
        store_set_stamp(f.store, 5);
        put(&f, "k", "a value");
        *stamp_of(&f, "k") = 6;
        if (round == 1) fixture_settle(&f);
        if (round == 2) fixture_checkpoint(&f);
        store_set_stamp(f.store, 7);
        put(&f, "k", "another value");
        assert_int_equal(*stamp_of(&f, "k"), 6);
        store_begin(f.store);
        store_splice(f.store, bytes_text("k"), 0, 0, bytes_text("before, and much longer than it was, so that it moves in memory: "));
        store_commit(f.store);
        assert_int_equal(*stamp_of(&f, "k"), 6);
        remove_row(&f, "k");
        put(&f, "k", "a new one");
        assert_int_equal(*stamp_of(&f, "k"), 7);
        store_begin(f.store);
        store_drop(f.store, &(struct store_range){0, 65535, false, 0});
        store_commit(f.store);
        put(&f, "k", "one after a drop");
        assert_int_equal(*stamp_of(&f, "k"), 7);
        remove_row(&f, "k");
    }
    fixture_end(&f);
}

/* ---- samples ---- */

struct seen {
    unsigned times[1000]; /* of k0 to k999 */
    size_t count, in_memory;
    uint32_t stamp; /* the last one's */
    char last_value[32];
};

static void see(void *user, const struct store_sample *sample)
{
    struct seen *s = user;
    char key[16];
    snprintf(key, sizeof key, "%.*s", (int)sample->key.len, (const char *)sample->key.data);
    assert_int_equal(key[0], 'k');
    s->times[atoi(key + 1)]++;
    s->count++;
    s->in_memory += sample->in_memory;
    s->stamp = sample->stamp;
    snprintf(s->last_value, sizeof s->last_value, "%.*s", (int)sample->value.len, (const char *)sample->value.data);
}

static bool see_due(void *user, const struct store_sample *sample)
{
    see(user, sample);
    return sample->value.len < 8 || memcmp(sample->value.data + sample->value.len - 8, " no use.", 8) != 0;
}

static void put_numbered(struct fixture *f, const char *prefix, int i, const char *value)
{
    char key[16];
    snprintf(key, sizeof key, "%s%d", prefix, i);
    put(f, key, value);
}

/* Among fifty times as many others. Any is found, about as often as any other. */
static void test_rows_in_memory_are_found_among_others(void **state)
{
    (void)state;
    struct fixture f;
    struct seen *s = calloc(1, sizeof *s);
    uint64_t random = test_seed("store sample");
    begin(&f);
    for (int i = 0; i < 5000; i++) put_numbered(&f, "other", i, "v");
    for (int i = 0; i < 100; i++) put_numbered(&f, "k", i, "v");
    for (int i = 0; i < 50; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        remove_row(&f, key);
    }
    for (int round = 0; round < 2; round++) {
        memset(s, 0, sizeof *s);
        for (int n = 0; n < 2000; n++) {
            size_t before = s->count;
            store_sample(f.store, random_next(&random), 5, see, s);
            assert_true(s->count - before <= 5);
        }
        assert_int_equal(s->count, s->in_memory);
        for (int i = 0; i < 1000; i++) {
            if (i < 50 || i >= 100) assert_int_equal(s->times[i], 0);
            if (i >= 50 && i < 100 && (s->times[i] < 20 || s->times[i] > 1500)) fail_msg("k%d: %u times of %zu", i, s->times[i], s->count);
        }
        fixture_checkpoint(&f);
    }
    free(s);
    fixture_end(&f);
}

static void test_rows_on_disk_are_given_as_they_are_now(void **state)
{
    (void)state;
    struct fixture f;
    struct seen s = {0};
    begin(&f);
    put(&f, "k1", "old"), put(&f, "k2", "old"), put(&f, "k3", "old"), put(&f, "k4", "old"), put(&f, "k5", "old");
    fixture_reopen(&f);
    store_set_stamp(f.store, 9);
    put(&f, "k2", "new"), remove_row(&f, "k3"), put(&f, "k31", "not on disk");
    store_sample_disk(f.store, bytes_text("k0"), bytes_text("k5"), 10, see, &s);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.times[1] + s.times[2] + s.times[4], 3);
    assert_int_equal(s.in_memory, 1);
    s = (struct seen){0};
    store_sample_disk(f.store, bytes_text("k2"), bytes_text("l"), 1, see, &s);
    assert_int_equal(s.times[2], 1);
    assert_string_equal(s.last_value, "new");
    assert_int_equal(s.stamp, 9);
    s = (struct seen){0};
    store_begin(f.store);
    store_drop(f.store, &(struct store_range){0, 65535, false, 0});
    store_commit(f.store);
    store_sample_disk(f.store, bytes_text("k0"), bytes_text("l"), 10, see, &s);
    assert_int_equal(s.count, 0);
    fixture_end(&f);
}

static void test_where_rows_are_is_about_known(void **state)
{
    (void)state;
    struct fixture f;
    struct store_whereabouts w;
    begin(&f);
    for (int i = 0; i < 100; i++) put_numbered(&f, "k", i, "v");
    store_whereabouts(f.store, &w);
    assert_int_equal(w.in_memory, 100);
    assert_int_equal(w.on_disk, 0);
    fixture_reopen(&f);
    store_whereabouts(f.store, &w);
    assert_int_equal(w.in_memory, 0);
    assert_int_equal(w.on_disk, 100);
    expect(&f, "k7", "v");
    store_whereabouts(f.store, &w);
    assert_int_equal(w.in_memory, 1);
    assert_int_equal(w.on_disk, 99);
    fixture_end(&f);
}

/* Wherever it is, the one that is due first is among those given. On disk a hundred of no use come before: they are passed over in a few calls, once. */
static void test_those_that_are_due_first_are_given(void **state)
{
    (void)state;
    for (int where = 0; where < 3; where++) {
        struct fixture f;
        struct seen s;
        char text[32];
        int useless = where ? 100 : 0;
        begin(&f);
        for (int i = 0; i < 500; i++) {
            snprintf(text, sizeof text, i < useless ? "@%d no use." : "@%d", 1000 + i);
            put_numbered(&f, "k", i, text);
        }
        if (where == 1) fixture_checkpoint(&f);
        if (where == 2) fixture_reopen(&f);
        for (int first = useless; first < 500; first++) {
            int calls = 0;
            do {
                s = (struct seen){0};
                store_sample_due(f.store, 5, see_due, &s);
                assert_true(s.count <= 2 * (5 + 64));
            } while (!s.times[first] && ++calls < 2);
            if (!s.times[first]) fail_msg("k%d is not among those given", first);
            if (calls) assert_int_equal(first, useless);
            snprintf(text, sizeof text, "k%d", first);
            remove_row(&f, text);
        }
        s = (struct seen){0};
        store_sample_due(f.store, 5, see_due, &s);
        assert_int_equal(s.count, 0);
        fixture_end(&f);
    }
}

int run_sample_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_is_stamped_when_it_comes_into_memory),
        cmocka_unit_test(test_what_is_written_over_a_row_takes_its_stamp_on),
        cmocka_unit_test(test_rows_in_memory_are_found_among_others),
        cmocka_unit_test(test_rows_on_disk_are_given_as_they_are_now),
        cmocka_unit_test(test_where_rows_are_is_about_known),
        cmocka_unit_test(test_those_that_are_due_first_are_given),
    };
    return cmocka_run_group_tests_name("store sample", tests, NULL, NULL);
}
