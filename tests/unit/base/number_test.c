#include "tests.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

static void test_integers_are_read_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"7", 7},
                {"-1", -1},
                {"1234567890", 1234567890},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t value = 42;
        assert_true(number_parse_integer(bytes_text(good[i].text), &value));
        assert_true(value == good[i].value);
    }
}

static void test_anything_but_an_integer_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      "01",
                                      "-0",
                                      "-01",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "0x1",
                                      "--1",
                                      "1-",
                                      "abc",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "99999999999999999999",
                                      "100000000000000000000",
                                      "-00000000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t value = 42;
        if (number_parse_integer(bytes_text(bad[i]), &value)) fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(value, 42);
    }
    int64_t value;
    assert_false(number_parse_integer(bytes_of("1\0", 2), &value));
    assert_false(number_parse_integer((struct bytes){0}, &value));
}

static void test_unsigned_numbers_may_have_leading_zeros(void **state)
{
    (void)state;
    uint64_t value = 42;
    assert_true(number_parse_unsigned(bytes_text("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(number_parse_unsigned(bytes_text("007"), &value));
    assert_int_equal(value, 7);
    static const char *const bad[] = {"", "-1", "+1", " 1", "1x", "18446744073709551616", "000000000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (number_parse_unsigned(bytes_text(bad[i]), &value)) fail_msg("'%s' was taken", bad[i]);
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, 9, 10, -10, 99, 100, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[NUMBER_TEXT_MAX];
        size_t len = number_format_integer(text, values[i]);
        assert_int_equal(strlen(text), len);
        int64_t value;
        assert_true(number_parse_integer(bytes_text(text), &value));
        assert_true(value == values[i]);
        uint64_t unsigned_value;
        len = number_format_unsigned(text, (uint64_t)values[i]);
        assert_int_equal(strlen(text), len);
        assert_true(number_parse_unsigned(bytes_text(text), &unsigned_value));
        assert_true(unsigned_value == (uint64_t)values[i]);
    }
}

static void test_real_numbers_are_read_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        long double value;
    } good[] = {{"0", 0}, {"-1.5", -1.5L}, {"1e3", 1000}, {".5", 0.5L}, {"5.", 5}, {"+2", 2}, {"0x10", 16}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        long double value = 42;
        assert_true(number_parse_real(bytes_text(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    static const char *const bad[] = {"", " 1", "1 ", "1.5.5", "abc", "nan", "1e5000", "-1e5000", "1e-5000", "1,5"};
    long double value = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (number_parse_real(bytes_text(bad[i]), &value)) fail_msg("'%s' was taken", bad[i]);
    assert_false(number_parse_real(bytes_of("1\0", 2), &value));
    static char longest[NUMBER_REAL_MAX];
    memset(longest, '1', sizeof longest);
    assert_false(number_parse_real(bytes_of(longest, sizeof longest), &value));
    assert_true(value == 42);
}

static void test_real_numbers_are_written_for_people(void **state)
{
    (void)state;
    static const struct {
        long double value;
        const char *text;
    } all[] = {{0, "0"},       {-0.0L, "0"},      {3, "3"},       {100, "100"},   {10.5L, "10.5"}, {0.1L + 10.5L, "10.6"},
               {-5200, "-5200"}, {-1e-18L, "0"}, {1e-17L, "0.00000000000000001"}, {-0.5L, "-0.5"}};
    char text[NUMBER_REAL_MAX];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t len = number_format_real(text, all[i].value);
        assert_string_equal(text, all[i].text);
        assert_int_equal(len, strlen(text));
    }
    assert_int_equal(number_format_real(text, -LDBL_MAX), 4934);
}

/* Whole numbers go another way than printf's and strtod's, to the same result. */
static void test_doubles_are_as_the_c_library_has_them(void **state)
{
    (void)state;
    static const double values[] = {0, -0.0, 1, -1, 9, 10, 99, 100, 12345, 999999999999999, 1e15, -1e15, 1e15 + 2, 1e16, 1e17, 9007199254740992, 0.1, -2.5, 1e300, 5e-324,
                                    9.3e18, -9.3e18, INFINITY, -INFINITY};
    char text[NUMBER_DOUBLE_MAX], expected[64];
    double back;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(expected, sizeof expected, "%.17g", values[i]);
        assert_int_equal(number_format_double(text, values[i]), strlen(expected));
        assert_string_equal(text, expected);
        assert_true(number_parse_double(bytes_text(text), &back));
        assert_true(back == values[i] && !signbit(back) == !signbit(values[i]));
    }
    number_format_double(text, -NAN);
    assert_string_equal(text, "nan");
    static const char *const texts[] = {"007", "-0", "-007", "123456789012345", "1234567890123456789", "1e3", "+5", "0x10"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(number_parse_double(bytes_text(texts[i]), &back));
        assert_true(back == strtod(texts[i], NULL) && !signbit(back) == !signbit(strtod(texts[i], NULL)));
    }
    static const char *const bad[] = {"", "-", "--1", "1-", " 1", "1 ", "12a", "nan"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(number_parse_double(bytes_text(bad[i]), &back));
    assert_false(number_parse_double(bytes_of(NULL, 0), &back));
}

int number_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_are_read_whole),
        cmocka_unit_test(test_anything_but_an_integer_is_refused),
        cmocka_unit_test(test_unsigned_numbers_may_have_leading_zeros),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_real_numbers_are_read_whole),
        cmocka_unit_test(test_real_numbers_are_written_for_people),
        cmocka_unit_test(test_doubles_are_as_the_c_library_has_them),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
