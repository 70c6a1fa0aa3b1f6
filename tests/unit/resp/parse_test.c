#include "tests.h"

#include "base/random.h"
#include "transcript.h"

#include <stdio.h>
#include <stdlib.h>

/* What must come out, whatever the steps the input arrives in. */
static void check(const char *input, size_t len, const char *expected)
{
    static const size_t steps[] = {0, 1, 2, 3, 7};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct buffer out;
        buffer_init(&out, 1 << 20);
        transcript_of(bytes_of(input, len), steps[i], &resp_limits_default, &out);
        buffer_append(&out, "", 1);
        assert_string_equal((char *)out.data, expected);
        buffer_release(&out);
    }
}
#define CHECK(input, expected) check(input, sizeof(input) - 1, expected)

static void test_an_array_of_bulk_strings_is_a_request(void **state)
{
    (void)state;
    CHECK("*1\r\n$4\r\nPING\r\n", "[PING]");
    CHECK("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n", "[SET k ]");
    CHECK("*2\r\n$4\r\nECHO\r\n$6\r\na\r\nb\0c\r\n", "[ECHO a\\x0d\\x0ab\\x00c]");
}

static void test_a_pipeline_is_taken_request_by_request(void **state)
{
    (void)state;
    CHECK("*1\r\n$4\r\nPING\r\nPING x\r\n*1\r\n$1\r\na\r\n", "[PING][PING x][a]");
}

static void test_a_request_that_is_not_whole_waits(void **state)
{
    (void)state;
    CHECK("*", "…");
    CHECK("*1", "…");
    CHECK("*1\r", "…");
    CHECK("*1\r\n", "…");
    CHECK("*1\r\n$", "…");
    CHECK("*1\r\n$4\r", "…");
    CHECK("*1\r\n$4\r\nPIN", "…");
    CHECK("*1\r\n$4\r\nPING", "…");
    CHECK("*1\r\n$4\r\nPING\r", "…");
    CHECK("PING\r", "…");
}

static void test_a_count_of_zero_or_less_is_an_empty_request(void **state)
{
    (void)state;
    CHECK("*0\r\n*-1\r\n*-5\r\nPING\r\n", "[][][][PING]");
}

static void test_a_bad_count_is_refused_as_redis_does(void **state)
{
    (void)state;
    CHECK("*x\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*01\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*+1\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*-0\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*1 \r\n", "!Protocol error: invalid multibulk length");
    CHECK("*1048577\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*2147483648\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*99999999999999999999999\r\n", "!Protocol error: invalid multibulk length");
    CHECK("*1048576\r\n", "…");
}

static void test_a_bad_bulk_length_is_refused_as_redis_does(void **state)
{
    (void)state;
    CHECK("*1\r\n$x\r\n", "!Protocol error: invalid bulk length");
    CHECK("*1\r\n$\r\n", "!Protocol error: invalid bulk length");
    CHECK("*1\r\n$-1\r\n", "!Protocol error: invalid bulk length");
    CHECK("*1\r\n$536870913\r\n", "!Protocol error: invalid bulk length");
    CHECK("*1\r\n$9223372036854775808\r\n", "!Protocol error: invalid bulk length");
    CHECK("*1\r\n$536870912\r\n", "…");
}

static void test_something_else_where_a_bulk_must_begin_is_named(void **state)
{
    (void)state;
    CHECK("*1\r\nPING\r\n", "!Protocol error: expected '$', got 'P'");
    CHECK("*2\r\n$1\r\na\r\n:5\r\n", "!Protocol error: expected '$', got ':'");
    CHECK("*1\r\n\r\n", "!Protocol error: expected '$', got ' '");
}

static void test_bytes_that_do_not_end_a_line_or_a_bulk_are_refused(void **state)
{
    (void)state;
    CHECK("*1\r\n$4\r\nPINGxx", "!Protocol error: expected CRLF after bulk");
    CHECK("*1\r\n$4\r\nPING\rx", "!Protocol error: expected CRLF after bulk");
    CHECK("*1\rx", "!Protocol error: expected LF after CR");
    CHECK("*1\r\n$4\rx", "!Protocol error: expected LF after CR");
}

static void test_what_came_before_the_rubbish_is_still_given_out(void **state)
{
    (void)state;
    CHECK("PING\r\n*1\r\n$1\r\na\r\n*x\r\nPING\r\n", "[PING][a]!Protocol error: invalid multibulk length");
}

static void test_an_inline_request_is_split_at_blanks(void **state)
{
    (void)state;
    CHECK("PING\r\n", "[PING]");
    CHECK("PING\n", "[PING]");
    CHECK("  set\tk   v  \r\n", "[set k v]");
    CHECK("PING\r\r\n", "[PING]");
    CHECK("a\rb\r\n", "[a b]");
    CHECK("PING\v\fx\r\n", "[PING\\x0b\\x0cx]");
    CHECK("$4\r\n", "[$4]");
}

static void test_an_empty_line_is_an_empty_request(void **state)
{
    (void)state;
    CHECK("\r\n\n  \r\nPING\n", "[][][][PING]");
}

static void test_quotes_are_taken_as_redis_does(void **state)
{
    (void)state;
    CHECK("set k \"a b\"\r\n", "[set k a b]");
    CHECK("echo \"\"\r\n", "[echo ]");
    CHECK("\"\"\r\n", "[]"); /* one empty word, not none: see the next test */
    CHECK("echo \"\\x41\\xfF\\n\\r\\t\\b\\a\\\\\\\"\\q\"\r\n", "[echo A\xff\\x0a\\x0d\\x09\\x08\\x07\\\"q]");
    CHECK("echo \"\\xZZ\\x4\"\r\n", "[echo xZZx4]");
    CHECK("echo 'a\\'b\\n\"'\r\n", "[echo a'b\\n\"]");
    CHECK("foo\"bar baz\" x\r\n", "[foobar baz x]");
}

static void test_an_empty_quoted_word_is_an_argument(void **state)
{
    (void)state;
    struct resp_parser parser;
    resp_parser_init(&parser);
    struct resp_request request;
    struct error e;
    assert_int_equal(resp_parse(&parser, bytes_text("\"\"\r\n"), &resp_limits_default, &request, &e), RESP_READY);
    assert_int_equal(request.argc, 1);
    assert_int_equal(request.argv[0].len, 0);
    resp_parser_release(&parser);
}

static void test_unbalanced_quotes_are_refused(void **state)
{
    (void)state;
    CHECK("\"abc\r\n", "!Protocol error: unbalanced quotes in request");
    CHECK("'abc\r\n", "!Protocol error: unbalanced quotes in request");
    CHECK("\"abc\"d\r\n", "!Protocol error: unbalanced quotes in request");
    CHECK("'abc'd\r\n", "!Protocol error: unbalanced quotes in request");
    CHECK("echo \"a\\\"\r\n", "!Protocol error: unbalanced quotes in request");
    CHECK("echo \"a\\\r\n", "!Protocol error: unbalanced quotes in request");
}

static void test_a_nul_in_an_inline_request_is_refused_at_once(void **state)
{
    (void)state;
    CHECK("\x16\x03\x01\0", "!Protocol error: NUL byte in inline request");
    CHECK("PING\nPI\0NG\r\n", "[PING]!Protocol error: NUL byte in inline request");
}

static void test_any_split_gives_the_same_requests(void **state)
{
    (void)state;
    const char *given = getenv("AIKV_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : 4711;
    printf("AIKV_SEED=%llu\n", (unsigned long long)seed);
    static const char *const pieces[] = {"*1\r\n$1\r\n",
                                         "*2\r\n",
                                         "$3\r\nabc\r\n",
                                         "a\r\n",
                                         "\r\n",
                                         "$0\r\n\r\n",
                                         "*",
                                         "-1",
                                         "\"x y\"",
                                         " ",
                                         "\n",
                                         "\\x41'",
                                         "12",
                                         "\r",
                                         "*3\r\n$1\r\na\r\n$2\r\nbc\r\n$0\r\n\r\n"};
    for (int round = 0; round < 3000; round++) {
        struct buffer input, whole, split;
        buffer_init(&input, 4096);
        buffer_init(&whole, 65536);
        buffer_init(&split, 65536);
        for (uint64_t n = 1 + random_below(&seed, 12); n > 0; n--)
            buffer_append_text(&input, pieces[random_below(&seed, sizeof pieces / sizeof *pieces)]);
        transcript_of(buffer_bytes(&input), 0, &resp_limits_default, &whole);
        transcript_of(buffer_bytes(&input), 1 + random_below(&seed, 9), &resp_limits_default, &split);
        assert_int_equal(whole.len, split.len);
        assert_memory_equal(whole.data, split.data, whole.len);
        buffer_release(&input);
        buffer_release(&whole);
        buffer_release(&split);
    }
}

int parse_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_array_of_bulk_strings_is_a_request),
        cmocka_unit_test(test_a_pipeline_is_taken_request_by_request),
        cmocka_unit_test(test_a_request_that_is_not_whole_waits),
        cmocka_unit_test(test_a_count_of_zero_or_less_is_an_empty_request),
        cmocka_unit_test(test_a_bad_count_is_refused_as_redis_does),
        cmocka_unit_test(test_a_bad_bulk_length_is_refused_as_redis_does),
        cmocka_unit_test(test_something_else_where_a_bulk_must_begin_is_named),
        cmocka_unit_test(test_bytes_that_do_not_end_a_line_or_a_bulk_are_refused),
        cmocka_unit_test(test_what_came_before_the_rubbish_is_still_given_out),
        cmocka_unit_test(test_an_inline_request_is_split_at_blanks),
        cmocka_unit_test(test_an_empty_line_is_an_empty_request),
        cmocka_unit_test(test_quotes_are_taken_as_redis_does),
        cmocka_unit_test(test_an_empty_quoted_word_is_an_argument),
        cmocka_unit_test(test_unbalanced_quotes_are_refused),
        cmocka_unit_test(test_a_nul_in_an_inline_request_is_refused_at_once),
        cmocka_unit_test(test_any_split_gives_the_same_requests),
    };
    return cmocka_run_group_tests_name("resp_parse", tests, NULL, NULL);
}
