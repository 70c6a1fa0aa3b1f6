#include "tests.h"

#include "resp/write.h"

#include <math.h>

static struct buffer out;

static struct resp_writer writer(int protocol)
{
    buffer_clear(&out);
    return (struct resp_writer){.out = &out, .protocol = protocol};
}

static void expect(const char *expected)
{
    assert_false(out.failed);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
}

/* Writes with both protocols and compares. */
#define CHECK(resp2, resp3, call)                                                                                      \
    do {                                                                                                               \
        struct resp_writer w = writer(2);                                                                              \
        call;                                                                                                          \
        expect(resp2);                                                                                                 \
        w = writer(3);                                                                                                 \
        call;                                                                                                          \
        expect(resp3);                                                                                                 \
    } while (0)

static void test_types_of_both_protocols_are_the_same(void **state)
{
    (void)state;
    CHECK("+OK\r\n", "+OK\r\n", resp_simple(&w, "OK"));
    CHECK(":-42\r\n", ":-42\r\n", resp_integer(&w, -42));
    CHECK(":-9223372036854775808\r\n", ":-9223372036854775808\r\n", resp_integer(&w, INT64_MIN));
    CHECK("$3\r\na\r\n\r\n", "$3\r\na\r\n\r\n", resp_bulk(&w, bytes_text("a\r\n")));
    CHECK("$0\r\n\r\n", "$0\r\n\r\n", resp_bulk(&w, bytes_of(NULL, 0)));
    CHECK("$2\r\nhi\r\n", "$2\r\nhi\r\n", memcpy(resp_bulk_open(&w, 2), "hi", 2));
    CHECK("$2\r\nhi\r\n", "$2\r\nhi\r\n", resp_bulk_text(&w, "hi"));
    CHECK("$4\r\na=07\r\n", "$4\r\na=07\r\n", resp_bulk_printf(&w, "a=%02d", 7));
    CHECK("*3\r\n", "*3\r\n", resp_array(&w, 3));
    CHECK(":1\r\n", ":1\r\n", resp_raw(&w, bytes_text(":1\r\n")));
}

static void test_types_resp2_lacks_are_written_as_redis_does(void **state)
{
    (void)state;
    CHECK("$-1\r\n", "_\r\n", resp_null(&w));
    CHECK("*-1\r\n", "_\r\n", resp_null_array(&w));
    CHECK(":1\r\n", "#t\r\n", resp_bool(&w, true));
    CHECK(":0\r\n", "#f\r\n", resp_bool(&w, false));
    CHECK("*4\r\n", "%2\r\n", resp_map(&w, 2));
    CHECK("*2\r\n", "~2\r\n", resp_set(&w, 2));
    CHECK("*2\r\n", ">2\r\n", resp_push(&w, 2));
    CHECK("$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n", resp_verbatim(&w, bytes_text("a\nb")));
}

static void test_doubles_are_written_as_redis_7_does(void **state)
{
    (void)state;
    CHECK("$1\r\n3\r\n", ",3\r\n", resp_double(&w, 3));
    CHECK("$18\r\n3.1000000000000001\r\n", ",3.1000000000000001\r\n", resp_double(&w, 3.1));
    CHECK("$5\r\n1e+17\r\n", ",1e+17\r\n", resp_double(&w, 1e17));
    CHECK("$3\r\ninf\r\n", ",inf\r\n", resp_double(&w, INFINITY));
    CHECK("$20\r\n13.36138933897018433\r\n", ",13.36138933897018433\r\n", resp_real(&w, 13.361389338970184));
    CHECK("$1\r\n3\r\n", ",3\r\n", resp_real(&w, 3));
    CHECK("$4\r\n-inf\r\n", ",-inf\r\n", resp_double(&w, -INFINITY));
    CHECK("$3\r\nnan\r\n", ",nan\r\n", resp_double(&w, -NAN));
}

static void test_an_error_is_one_line_with_its_prefix(void **state)
{
    (void)state;
    CHECK("-ERR no a  b\r\n", "-ERR no a  b\r\n", resp_error(&w, ERROR_GENERIC, "no %s", "a\r\nb"));
    CHECK("-WRONGTYPE x\r\n", "-WRONGTYPE x\r\n", resp_error(&w, ERROR_WRONGTYPE, "x"));
    struct error e;
    error_set(&e, ERROR_NOAUTH, "Authentication required.");
    CHECK("-NOAUTH Authentication required.\r\n", "-NOAUTH Authentication required.\r\n", resp_error_of(&w, &e));
}

static void test_a_long_error_is_not_cut(void **state)
{
    (void)state;
    static char text[3001];
    memset(text, 'x', 3000);
    struct resp_writer w = writer(2);
    resp_error(&w, ERROR_GENERIC, "%s", text);
    assert_int_equal(out.len, 3000 + strlen("-ERR \r\n"));
    w = writer(2);
    resp_bulk_printf(&w, "%s", text);
    assert_int_equal(out.len, 3000 + strlen("$3000\r\n\r\n"));
}

static void test_a_reply_that_outgrows_its_buffer_is_noticed(void **state)
{
    (void)state;
    struct buffer little;
    buffer_init(&little, 10);
    struct resp_writer w = {.out = &little, .protocol = 2};
    resp_bulk_text(&w, "0123456789");
    assert_true(little.failed);
    buffer_clear(&little);
    resp_error(&w, ERROR_GENERIC, "0123456789");
    assert_true(little.failed);
    buffer_clear(&little);
    resp_bulk_printf(&w, "0123456789");
    assert_true(little.failed);
    buffer_clear(&little);
    assert_null(resp_bulk_open(&w, 10));
    assert_true(little.failed);
    buffer_release(&little);
}

static int set_up(void **state)
{
    (void)state;
    buffer_init(&out, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_release(&out);
    return 0;
}

int write_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_of_both_protocols_are_the_same),
        cmocka_unit_test(test_types_resp2_lacks_are_written_as_redis_does),
        cmocka_unit_test(test_doubles_are_written_as_redis_7_does),
        cmocka_unit_test(test_an_error_is_one_line_with_its_prefix),
        cmocka_unit_test(test_a_long_error_is_not_cut),
        cmocka_unit_test(test_a_reply_that_outgrows_its_buffer_is_noticed),
    };
    return cmocka_run_group_tests_name("resp_write", tests, set_up, tear_down);
}
