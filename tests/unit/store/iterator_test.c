#include "fixture.h"

/* Rows "key=value" in the order given, joined by blanks. */
static void expect_range(struct fixture *f, const char *from, const char *to, const char *rows)
{
    char found[512] = "";
    struct store_iterator *it = store_iterate(f->store, bytes_text(from), bytes_text(to));
    struct bytes key;
    struct store_value v;
    while (store_iterator_next(it, &key, &v)) {
        size_t len = strlen(found);
        snprintf(found + len, sizeof found - len, "%s%.*s=%.*s", len ? " " : "", (int)key.len, (const char *)key.data,
                 (int)v.data.len, (const char *)v.data.data);
    }
    store_iterator_close(it);
    assert_string_equal(found, rows);
}

static void test_an_iterator_merges_memory_and_disk(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    expect_range(&f, "", "", "");
    put(&f, "a", "1"), put(&f, "ab", "2"), put(&f, "abc", "3"), put(&f, "b", "4"), put(&f, "zz", "5");
    expect_range(&f, "", "", "a=1 ab=2 abc=3 b=4 zz=5");
    fixture_checkpoint(&f);
    expect_range(&f, "", "", "a=1 ab=2 abc=3 b=4 zz=5");
    remove_row(&f, "ab"), put(&f, "abc", "6"), put(&f, "aa", "7"), put(&f, "c", "8"), remove_row(&f, "zz"),
        put(&f, "zzz", "9");
    remove_row(&f, "never");
    expect_range(&f, "", "", "a=1 aa=7 abc=6 b=4 c=8 zzz=9");
    expect_range(&f, "aa", "c", "aa=7 abc=6 b=4");
    expect_range(&f, "aab", "abc", "");
    expect_range(&f, "ab", "abcd", "abc=6");
    expect_range(&f, "c", "b", "");
    expect_range(&f, "zz", "", "zzz=9");
    fixture_checkpoint(&f);
    expect_range(&f, "", "", "a=1 aa=7 abc=6 b=4 c=8 zzz=9");
    fixture_end(&f);
}

static void test_an_iterator_tells_the_positions_of_what_is_not_durable(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    put(&f, "a", "1");
    fixture_settle(&f);
    struct store_position p = put(&f, "b", "2");
    struct store_iterator *it = store_iterate(f.store, bytes_text(""), bytes_text(""));
    struct bytes key;
    struct store_value v;
    assert_true(store_iterator_next(it, &key, &v));
    assert_int_equal(v.position.sequence, 0);
    assert_true(store_iterator_next(it, &key, &v));
    assert_int_equal(store_position_compare(v.position, p), 0);
    assert_false(store_iterator_next(it, &key, &v));
    assert_false(store_iterator_next(it, &key, &v)); /* stays at the end */
    store_iterator_close(it);
    fixture_end(&f);
}

int run_iterator_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_iterator_merges_memory_and_disk),
        cmocka_unit_test(test_an_iterator_tells_the_positions_of_what_is_not_durable),
    };
    return cmocka_run_group_tests_name("store iterator", tests, NULL, NULL);
}
