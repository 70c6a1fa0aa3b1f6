#include "tests.h"

#include <string.h>

#include "tool/print.h"

static void check(struct buffer *out, const char *expected)
{
    buffer_append(out, "", 1);
    assert_string_equal((char *)out->data, expected);
    buffer_release(out);
}

static void clean(const char *text, size_t len, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 1000);
    print_clean(&out, text, len);
    check(&out, expected);
}
#define CLEAN(text, expected) clean(text, sizeof(text) - 1, expected)

static void test_no_control_character_of_a_node_reaches_the_terminal(void **state)
{
    (void)state;
    CLEAN("plain", "plain");
    CLEAN("a\033[2Jb\r\n\tc\0d\x7f", "a?[2Jb???c?d?");
    CLEAN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    CLEAN("\xc2\x9b"
          "31m",
          "??31m");          /* CSI of Latin-1 */
    CLEAN("\xff\xc3", "??"); /* no UTF-8, cut UTF-8 */
    CLEAN("\xe2\x82", "??");
    CLEAN("\xc3(", "?(");
}

static void cell(const char *key, json_t *value, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 1000);
    print_cell(&out, key, value);
    check(&out, expected);
    json_decref(value);
}

static void test_values_are_shown_in_a_line(void **state)
{
    (void)state;
    cell("a", json_string(""), "-");
    cell("a", json_null(), "-");
    cell("a", json_true(), "yes");
    cell("a", json_real(1.5), "1.5");
    cell("a", json_integer(1795492226512), "1795492226512");
    cell("started_ms", json_integer(1795492226512), "2026-11-24T03:50:26Z");
    cell("started_ms", json_integer(0), "-");
    cell("silent_ms", json_integer(1795492226512), "1795492226512");
    cell("a", json_pack("[i, s, {s:i, s:[]}]", 1, "x y", "k", 2, "l"), "1 x y k=2 l=-");
}

static void test_bytes_have_units(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } cases[] = {{0, "0"}, {1023, "1023"}, {1024, "1.0K"}, {11010048, "10.5M"}, {INT64_MAX, "8192.0P"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 100);
        print_bytes(&out, cases[i].bytes);
        check(&out, cases[i].text);
    }
}

int print_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_control_character_of_a_node_reaches_the_terminal),
        cmocka_unit_test(test_values_are_shown_in_a_line),
        cmocka_unit_test(test_bytes_have_units),
    };
    return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
