#include "tests.h"

#include <string.h>

#include "base/nearest.h"

static const char *nearest_to(const char *typed)
{
    static const char *const names[] = {"voters", "shards", "replicas", "zone"};
    struct nearest n;
    nearest_begin(&n, bytes_text(typed));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) nearest_offer(&n, names[i]);
    return n.best;
}

static void test_a_mistyped_name_is_recognised(void **state)
{
    (void)state;
    assert_string_equal(nearest_to("voter"), "voters");
    assert_string_equal(nearest_to("SHRADS"), "shards");
    assert_string_equal(nearest_to("replica"), "replicas");
    assert_string_equal(nearest_to("zon"), "zone");
}

static void test_something_else_is_not_guessed_at(void **state)
{
    (void)state;
    assert_null(nearest_to("durability"));
    assert_null(nearest_to("xy"));
    assert_null(nearest_to(""));
}

static void test_long_input_is_passed_over(void **state)
{
    (void)state;
    char typed[1000];
    memset(typed, 'v', sizeof typed - 1);
    typed[sizeof typed - 1] = 0;
    assert_null(nearest_to(typed));
    typed[NEAREST_LEN_MAX] = 0;
    assert_null(nearest_to(typed));
}

int nearest_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mistyped_name_is_recognised),
        cmocka_unit_test(test_something_else_is_not_guessed_at),
        cmocka_unit_test(test_long_input_is_passed_over),
    };
    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
