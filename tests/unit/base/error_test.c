#include "tests.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static void test_an_error_has_a_code_and_one_line_of_text(void **state)
{
    (void)state;
    struct error e;
    assert_int_equal(error_set(&e, ERROR_LIMIT, "too %s:\r\n%d\t!", "much", 7), ERROR_LIMIT);
    assert_int_equal(e.code, ERROR_LIMIT);
    assert_string_equal(e.text, "too much:  7 !");
    assert_int_equal(error_set(NULL, ERROR_LIMIT, "nobody asks"), ERROR_LIMIT);
}

static void test_a_system_error_says_what_the_system_says(void **state)
{
    (void)state;
    struct error e;
    assert_int_equal(error_system(&e, ERROR_CONFIG, ENOENT, "opening %s", "f"), ERROR_CONFIG);
    assert_string_equal(e.text, "opening f: No such file or directory");
}

static void test_an_io_error_that_means_more_gets_the_code_that_says_so(void **state)
{
    (void)state;
    struct error e;
    assert_int_equal(error_system(&e, ERROR_IO, EACCES, "x"), ERROR_PERMISSION);
    assert_int_equal(error_system(&e, ERROR_IO, ENOSPC, "x"), ERROR_DISK);
    assert_int_equal(e.code, ERROR_DISK);
    assert_int_equal(error_system(&e, ERROR_IO, ENOENT, "x"), ERROR_IO);
    assert_int_equal(error_system(&e, ERROR_CONFIG, EACCES, "x"), ERROR_CONFIG); /* the caller knew better */
}

static void test_a_prefix_goes_in_front(void **state)
{
    (void)state;
    struct error e;
    error_set(&e, ERROR_FORMAT, "bad byte");
    error_prefix(&e, "reading %s: ", "node.json");
    assert_string_equal(e.text, "reading node.json: bad byte");
    assert_int_equal(e.code, ERROR_FORMAT);
}

static void test_long_texts_are_cut_not_overrun(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    struct error e;
    error_set(&e, ERROR_GENERIC, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    error_prefix(&e, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    error_system(&e, ERROR_IO, ENOENT, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

static void test_every_code_has_name_prefix_and_meaning(void **state)
{
    (void)state;
    for (int code = 0; code < ERROR_COUNT; code++) {
        assert_true(strlen(error_name(code)) > 0);
        assert_true(strlen(error_resp_prefix(code)) > 0);
        assert_int_equal(error_meaning(code)[strlen(error_meaning(code)) - 1], '.');
    }
    assert_string_equal(error_resp_prefix(ERROR_MOVED), "MOVED");
    assert_string_equal(error_name(-1), "GENERIC");
    assert_string_equal(error_name(ERROR_COUNT), "GENERIC");
}

static void test_numbers_on_the_bus_stay_what_they_were(void **state)
{
    (void)state;
    /* A forwarded call carries them between versions. */
    assert_int_equal(ERROR_GENERIC, 1);
    assert_int_equal(ERROR_NOT_LEADER, 8);
    assert_int_equal(ERROR_MOVED, 19);
    assert_int_equal(ERROR_CONFIG, 26);
}

int error_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_error_has_a_code_and_one_line_of_text),
        cmocka_unit_test(test_a_system_error_says_what_the_system_says),
        cmocka_unit_test(test_an_io_error_that_means_more_gets_the_code_that_says_so),
        cmocka_unit_test(test_a_prefix_goes_in_front),
        cmocka_unit_test(test_long_texts_are_cut_not_overrun),
        cmocka_unit_test(test_every_code_has_name_prefix_and_meaning),
        cmocka_unit_test(test_numbers_on_the_bus_stay_what_they_were),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
