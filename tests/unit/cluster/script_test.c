#include <stdio.h>

#include "fixture.h"

static void test_the_newest_version_is_current_until_an_older_one_is_loaded_again(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, load_script("init", 1, "one"));
    change(s, load_script("init", 2, "two"));
    nothing(s, load_script("init", 2, "two"));
    assert_string_equal(cluster_script_find(s, "init", NULL)->source, "two");
    change(s, load_script("init", 1, "one"));
    assert_string_equal(cluster_script_find(s, "init", NULL)->source, "one");
    assert_int_equal(s->script_count, 2);
    assert_string_equal(s->scripts[0].source, "one"); /* still the oldest */
    assert_int_equal(s->scripts[0].loaded_ms, 1001);
    assert_null(cluster_script_find(s, "init", "0000000000000003"));
    assert_null(cluster_script_find(s, "other", NULL));
    cluster_state_free(s);
}

static void test_a_version_means_one_text(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, load_script("init", 1, "one"));
    refused(s, load_script("init", 1, "two"), ERROR_EXISTS, "script init has another text as version 0000000000000001");
    change(s, load_script("init2", 1, "two")); /* of a name */
    cluster_state_free(s);
}

static void test_names_are_sorted(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    static const char *const names[] = {"m", "a", "z", "b"};
    for (unsigned v = 1; v <= 2; v++)
        for (size_t i = 0; i < 4; i++) change(s, load_script(names[i], v, "text"));
    assert_string_equal(s->scripts[0].name, "a");
    assert_string_equal(s->scripts[7].name, "z");
    assert_false(s->scripts[6].current);
    assert_true(s->scripts[7].current);
    cluster_state_free(s);
}

static void test_ten_versions_of_a_name_are_kept_and_the_current_one_never_goes(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    for (unsigned v = 1; v <= 10; v++) change(s, load_script("init", v, "text"));
    change(s, load_script("init", 1, "text")); /* the oldest is current */
    change(s, load_script("init", 11, "text"));
    assert_int_equal(s->script_count, 10);
    assert_non_null(cluster_script_find(s, "init", "0000000000000001"));
    assert_null(cluster_script_find(s, "init", "0000000000000002"));
    change(s, load_script("init", 12, "text"));
    assert_null(cluster_script_find(s, "init", "0000000000000001"));
    assert_string_equal(cluster_script_find(s, "init", NULL)->version, "000000000000000c");
    cluster_state_free(s);
}

static void test_more_than_256_versions_are_refused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    char name[16];
    for (unsigned i = 0; i < CLUSTER_SCRIPTS_MAX; i++) {
        snprintf(name, sizeof name, "s%u", i / 10);
        change(s, load_script(name, i % 10, "text"));
    }
    refused(s, load_script("one-more", 1, "text"), ERROR_LIMIT, "256 versions of scripts");
    change(s, load_script("s0", 11, "text")); /* takes the place of the oldest of its name */
    assert_int_equal(s->script_count, CLUSTER_SCRIPTS_MAX);
    cluster_state_free(s);
}

static void test_a_version_that_is_kept_can_become_current_again(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    for (unsigned v = 1; v <= 3; v++) change(s, load_script("init", v, "text"));
    change(s, set_current("init", 1));
    nothing(s, set_current("init", 1));
    assert_string_equal(cluster_script_find(s, "init", NULL)->version, "0000000000000001");
    assert_int_equal(s->script_count, 3);
    refused(s, set_current("init", 9), ERROR_NOT_FOUND, "script 'init' has no version 0000000000000009: the newest 10 are kept");
    refused(s, set_current("other", 1), ERROR_NOT_FOUND, "script 'other' has no version");
    cluster_state_free(s);
}

static void test_a_deleted_script_is_gone_with_all_its_versions_and_no_other(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        for (unsigned v = 1; v <= 2; v++) change(s, load_script(names[i], v, names[i]));
    change(s, run_start("b"));
    change(s, delete_script("b"));
    refused(s, delete_script("b"), ERROR_NOT_FOUND, "no script 'b' was loaded");
    assert_int_equal(s->script_count, 4);
    assert_null(cluster_script_find(s, "b", NULL));
    assert_string_equal(cluster_script_find(s, "c", NULL)->source, "c");
    assert_non_null(cluster_run_active(s)->source); /* a run that has begun keeps its text */
    change(s, delete_script("c"));
    change(s, delete_script("a"));
    assert_int_equal(s->script_count, 0);
    change(s, load_script("b", 1, "anew"));
    cluster_state_free(s);
}

int run_script_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_version_is_current_until_an_older_one_is_loaded_again),
        cmocka_unit_test(test_a_version_means_one_text),
        cmocka_unit_test(test_names_are_sorted),
        cmocka_unit_test(test_ten_versions_of_a_name_are_kept_and_the_current_one_never_goes),
        cmocka_unit_test(test_more_than_256_versions_are_refused),
        cmocka_unit_test(test_a_version_that_is_kept_can_become_current_again),
        cmocka_unit_test(test_a_deleted_script_is_gone_with_all_its_versions_and_no_other),
    };
    return cmocka_run_group_tests_name("cluster scripts", tests, NULL, NULL);
}
