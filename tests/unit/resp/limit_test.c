#include "tests.h"

#include "transcript.h"

#include <stdlib.h>

/* `n` times the byte `fill`, between two texts. */
static void fill(struct buffer *b, const char *before, int byte, size_t n, const char *after)
{
    buffer_init(b, (size_t)4 << 20);
    buffer_append_text(b, before);
    memset(buffer_reserve(b, n), byte, n);
    b->len += n;
    buffer_append_text(b, after);
}

static void check(struct buffer *input, const struct resp_limits *limits, const char *expected)
{
    static const size_t steps[] = {0, 1, 1000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct buffer out;
        buffer_init(&out, (size_t)4 << 20);
        transcript_of(buffer_bytes(input), steps[i], limits, &out);
        buffer_append(&out, "", 1);
        assert_string_equal((char *)out.data, expected);
        buffer_release(&out);
    }
    buffer_release(input);
}

static const struct resp_limits small = {.bulk_max = 100, .args_max = 5, .request_max = 250, .inline_max = 64};

static void test_lines_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    struct buffer b;
    fill(&b, "", 'x', 65, "");
    check(&b, &small, "!Protocol error: too big inline request");
    fill(&b, "", ' ', 64, "");
    check(&b, &small, "…");
    fill(&b, "", ' ', 64, "\n");
    check(&b, &small, "[]");
    fill(&b, "", ' ', 65, "\n");
    check(&b, &small, "!Protocol error: too big inline request");
    fill(&b, "*", '1', 64, "");
    check(&b, &small, "!Protocol error: too big mbulk count string");
    fill(&b, "*", '1', 63, "");
    check(&b, &small, "…");
    fill(&b, "*1\r\n$", '1', 64, "");
    check(&b, &small, "!Protocol error: too big bulk count string");
}

static void test_a_request_larger_than_its_limit_is_refused_when_declared(void **state)
{
    (void)state;
    struct buffer b;
    fill(&b, "*5\r\n$100\r\n", 'x', 100, "\r\n$100\r\n");
    check(&b, &small, "…");
    fill(&b, "*5\r\n$90\r\n", 'x', 90, "\r\n$90\r\n");
    memset(buffer_reserve(&b, 90), 'x', 90);
    b.len += 90;
    buffer_append_text(&b, "\r\n$60\r\n");
    check(&b, &small, "!Protocol error: too big request");
}

static void test_before_authentication_the_errors_say_so(void **state)
{
    (void)state;
    struct buffer b;
    const struct resp_limits *limits = &resp_limits_unauthenticated;
    fill(&b, "*11\r\n", 0, 0, "");
    check(&b, limits, "!Protocol error: unauthenticated multibulk length");
    fill(&b, "*1048577\r\n", 0, 0, "");
    check(&b, limits, "!Protocol error: unauthenticated multibulk length");
    fill(&b, "*2147483648\r\n", 0, 0, "");
    check(&b, limits, "!Protocol error: invalid multibulk length");
    fill(&b, "*10\r\n$16384\r\n", 0, 0, "");
    check(&b, limits, "…");
    fill(&b, "*1\r\n$16385\r\n", 0, 0, "");
    check(&b, limits, "!Protocol error: unauthenticated bulk length");
    fill(&b, "*1\r\n$536870913\r\n", 0, 0, "");
    check(&b, limits, "!Protocol error: invalid bulk length");
    fill(&b, "a b c d e f g h i j k l\r\n", 0, 0, "");
    check(&b, limits, "[a b c d e f g h i j k l]");
}

static void test_a_declared_count_allocates_nothing(void **state)
{
    (void)state;
    struct resp_parser parser;
    resp_parser_init(&parser);
    struct resp_request request;
    struct error e;
    struct bytes input = bytes_text("*1048576\r\n$536870912\r\nx");
    assert_int_equal(resp_parse(&parser, input, &resp_limits_default, &request, &e), RESP_MORE);
    assert_int_equal(resp_parser_memory(&parser), 0);
    assert_int_equal(resp_parser_wants(&parser, input.len), 536870912 + 2 - 1);
    resp_parser_release(&parser);
}

static void test_the_memory_of_a_large_request_is_given_back(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    buffer_append_text(&b, "*10000\r\n");
    for (int i = 0; i < 10000; i++) buffer_append_text(&b, "$1\r\nx\r\n");
    struct resp_parser parser;
    resp_parser_init(&parser);
    struct resp_request request;
    struct error e;
    assert_int_equal(resp_parse(&parser, buffer_bytes(&b), &resp_limits_default, &request, &e), RESP_READY);
    assert_int_equal(request.argc, 10000);
    assert_int_equal(request.size, b.len);
    assert_true(resp_parser_memory(&parser) >= 10000 * sizeof(struct bytes));
    assert_int_equal(resp_parse(&parser, bytes_text("PING\r\n"), &resp_limits_default, &request, &e), RESP_READY);
    assert_true(resp_parser_memory(&parser) < 4096);
    resp_parser_release(&parser);
    buffer_release(&b);
}

/* 60,000 digits one by one, and a bulk of 4 MiB byte by byte: a parser that looked at everything again each time would
 * need hours. */
static void test_bytes_arriving_one_by_one_cost_linear_time(void **state)
{
    (void)state;
    struct buffer b;
    fill(&b, "*1\r\n$4000000\r\n", 'x', 4000000, "\r\n");
    struct resp_parser parser;
    resp_parser_init(&parser);
    struct resp_request request;
    struct error e;
    for (size_t len = 1; len < b.len; len++)
        assert_int_equal(resp_parse(&parser, bytes_of(b.data, len), &resp_limits_default, &request, &e), RESP_MORE);
    assert_int_equal(resp_parse(&parser, buffer_bytes(&b), &resp_limits_default, &request, &e), RESP_READY);
    assert_int_equal(request.argv[0].len, 4000000);
    buffer_release(&b);
    fill(&b, "*", '1', 60000, "\r");
    for (size_t len = 1; len <= b.len; len++)
        assert_int_equal(resp_parse(&parser, bytes_of(b.data, len), &resp_limits_default, &request, &e), RESP_MORE);
    resp_parser_release(&parser);
    buffer_release(&b);
}

int limit_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(test_a_request_larger_than_its_limit_is_refused_when_declared),
        cmocka_unit_test(test_before_authentication_the_errors_say_so),
        cmocka_unit_test(test_a_declared_count_allocates_nothing),
        cmocka_unit_test(test_the_memory_of_a_large_request_is_given_back),
        cmocka_unit_test(test_bytes_arriving_one_by_one_cost_linear_time),
    };
    return cmocka_run_group_tests_name("resp_limits", tests, NULL, NULL);
}
