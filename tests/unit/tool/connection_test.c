#include "tests.h"

#include <stdlib.h>
#include <string.h>

#include "tool/connection.h"

static void value(const char *reply, const char *expected)
{
    json_t *v = connection_value(bytes_text(reply));
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (expected) {
        assert_non_null(text);
        assert_string_equal(text, expected);
    } else {
        assert_null(v);
    }
    free(text);
    json_decref(v);
}

static void test_a_reply_keeps_its_types(void **state)
{
    (void)state;
    value("%2\r\n$1\r\na\r\n#f\r\n$1\r\nb\r\n*2\r\n:1\r\n,1.5\r\n", "{\"a\":false,\"b\":[1,1.5]}");
    value("_\r\n", "null");
    value(",nan\r\n", "null");
    value("$3\r\na\xff"
          "b\r\n",
          "\"a?b\"");
}

static void test_a_reply_that_makes_no_sense_is_no_value(void **state)
{
    (void)state;
    value("%1\r\n:1\r\n:2\r\n", NULL);
    char deep[400] = "";
    for (int i = 0; i < 40; i++) strcat(deep, "*1\r\n");
    strcat(deep, ":1\r\n");
    value(deep, NULL);
}

int connection_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reply_keeps_its_types),
        cmocka_unit_test(test_a_reply_that_makes_no_sense_is_no_value),
    };
    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
