#include "tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static void test_quoted_values_cannot_break_out(void **state)
{
    (void)state;
    assert_string_equal(log_quote("plain"), "\"plain\"");
    assert_string_equal(log_quote("a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_string_equal(log_quote("x\nlevel=error\r\t\x1b[0m\x7f"), "\"x level=error   [0m \"");
    assert_string_equal(log_quote(""), "\"\"");
}

static void test_quoted_values_are_cut_at_300_bytes(void **state)
{
    (void)state;
    char text[1000];
    memset(text, '"', sizeof text - 1); /* each becomes two */
    text[sizeof text - 1] = 0;
    assert_int_equal(strlen(log_quote(text)), 602);
}

static void test_eight_quoted_values_live_at_once(void **state)
{
    (void)state;
    const char *q[8];
    for (int i = 0; i < 8; i++) q[i] = log_quote((char[]){(char)('a' + i), 0});
    for (int i = 0; i < 8; i++) assert_int_equal(q[i][1], 'a' + i);
}

static void test_levels_have_names_of_ours_and_of_redis(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum log_level level;
    } known[] = {{"debug", LOG_DEBUG}, {"verbose", LOG_DEBUG}, {"Info", LOG_INFO},
                 {"notice", LOG_INFO}, {"WARNING", LOG_WARN},  {"error", LOG_ERROR}};
    enum log_level level = LOG_ERROR;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(log_parse_level(known[i].text, &level));
        assert_int_equal(level, known[i].level);
    }
    assert_false(log_parse_level("loud", &level));
    assert_false(log_parse_level("", &level));
}

/* What was written between open and here. */
static void read_log(const char *path, char *out, size_t size)
{
    log_open(NULL);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    out[fread(out, 1, size - 1, f)] = 0;
    fclose(f);
    unlink(path);
}

static void test_a_line_is_one_line_and_below_the_level_none(void **state)
{
    (void)state;
    char path[] = "/tmp/aikv_log_test.XXXXXX", text[16384], big[4000];
    close(mkstemp(path));
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    assert_int_equal(log_open(path), 0);
    log_set_level(LOG_WARN);
    log_info("not this", "%s", "");
    log_warn("first", "key=%d other=%s", 7, "a\nb");
    log_error("second", "big=%s", big);
    log_set_level(LOG_INFO);
    read_log(path, text, sizeof text);
    assert_null(strstr(text, "not this"));
    assert_non_null(strstr(text, " level=warn thread=main msg=\"first\" key=7 other=a b\n"));
    char *second = strchr(text, '\n') + 1;
    assert_int_equal(strncmp(second, "time=2", 6), 0);
    assert_ptr_equal(strchr(second, '\n'), text + strlen(text) - 1); /* cut, with its line break */
}

static void test_a_log_that_cannot_be_opened_is_said(void **state)
{
    (void)state;
    assert_int_not_equal(log_open("/no/such/folder/aikv.log"), 0);
}

int log_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoted_values_cannot_break_out),
        cmocka_unit_test(test_quoted_values_are_cut_at_300_bytes),
        cmocka_unit_test(test_eight_quoted_values_live_at_once),
        cmocka_unit_test(test_levels_have_names_of_ours_and_of_redis),
        cmocka_unit_test(test_a_line_is_one_line_and_below_the_level_none),
        cmocka_unit_test(test_a_log_that_cannot_be_opened_is_said),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
