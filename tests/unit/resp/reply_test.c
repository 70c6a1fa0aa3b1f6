#include "tests.h"

#include "base/buffer.h"
#include "resp/reply.h"

#include <math.h>
#include <stdlib.h>

/* The reply at the beginning of `input`, which arrives in steps of `step` bytes, must end after `expected` of them, or
 * be bad with `expected` 0. */
static void scan(const char *input, size_t len, size_t step, size_t expected)
{
    struct resp_scan s = {0};
    struct error e = {0};
    enum resp_status status = RESP_MORE;
    for (size_t there = step < len ? step : len; status == RESP_MORE; there = there + step < len ? there + step : len) {
        uint8_t *moved = malloc(there);
        memcpy(moved, input, there);
        status = resp_reply_scan(&s, bytes_of(moved, there), 1000, &e);
        free(moved);
        if (there == len && status == RESP_MORE) fail_msg("%s is not whole", input);
        if (status == RESP_READY) assert_int_equal(s.at, expected);
    }
    assert_int_equal(status, expected ? RESP_READY : RESP_BAD);
    if (!expected) assert_true(e.text[0]);
}

static void check(const char *input, size_t len, size_t expected)
{
    for (size_t step = 1; step <= len; step++) scan(input, len, step, expected);
}
#define WHOLE(input) check(input, sizeof(input) - 1, sizeof(input) - 1)
#define BAD(input)   check(input, sizeof(input) - 1, 0)

static void test_a_reply_is_found_whole_whatever_the_pieces(void **state)
{
    (void)state;
    WHOLE("+OK\r\n");
    WHOLE("-ERR no\r\n");
    WHOLE(":12\r\n");
    WHOLE("$3\r\na\r\n\r\n");
    WHOLE("$-1\r\n");
    WHOLE("*-1\r\n");
    WHOLE("_\r\n");
    WHOLE("*0\r\n");
    WHOLE("*2\r\n$1\r\na\r\n*1\r\n:1\r\n");
    WHOLE("%1\r\n+a\r\n%1\r\n+b\r\n#t\r\n");
    WHOLE("=8\r\ntxt:abcd\r\n");
    check("+OK\r\n+MORE\r\n", 12, 5);
}

static void test_what_is_no_reply_is_bad(void **state)
{
    (void)state;
    BAD("x\r\n");
    BAD("\r\n");
    BAD("+a\rb");
    BAD("$-2\r\n");
    BAD("$a\r\n");
    BAD("$1\r\nabc");
    BAD("$99999999999\r\n");
    BAD("*99999999999\r\n");
    BAD("*?\r\n");
    BAD("%9223372036854775807\r\n");
    BAD(":a\r\n");
    BAD("#x\r\n");
    BAD(",x\r\n");
    BAD("=2\r\nab\r\n");
}

/* What a map or a list declares must fit into what may come: else it would be waited for, for ever. */
static void test_a_reply_longer_than_the_limit_is_bad_at_once(void **state)
{
    (void)state;
    BAD("*1000\r\n+");
    BAD("*3\r\n*300\r\n*300\r\n");
    char filler[1002];
    memset(filler, 'x', sizeof filler);
    memcpy(filler, "$2000\r\n", 7);
    scan(filler, sizeof filler - 1, 100, 0);
    memcpy(filler, "+longer", 7);
    scan(filler, sizeof filler - 1, 100, 0);
}

static struct resp_part part(const char *input)
{
    struct resp_part out;
    struct error e;
    size_t at = 0;
    assert_int_equal(resp_part_read(bytes_text(input), &at, &out, &e), RESP_READY);
    assert_int_equal(at, strlen(input));
    return out;
}

static void test_parts_have_their_values(void **state)
{
    (void)state;
    struct resp_part p = part("-ERR no\r\n");
    assert_int_equal(p.type, RESP_PART_ERROR);
    assert_true(bytes_equal(p.text, bytes_text("ERR no")));
    assert_true(bytes_equal(part("=8\r\ntxt:abcd\r\n").text, bytes_text("abcd")));
    assert_int_equal(part(":-5\r\n").integer, -5);
    assert_int_equal(part("#t\r\n").integer, 1);
    assert_int_equal(part("#f\r\n").integer, 0);
    assert_true(part(",1.5\r\n").number > 1.4 && part(",1.5\r\n").number < 1.6);
    assert_true(isinf(part(",inf\r\n").number) && isnan(part(",nan\r\n").number));
    assert_int_equal(part("%2\r\n").count, 2);
    assert_int_equal(part("%2\r\n").type, RESP_PART_MAP);
    assert_int_equal(part("~2\r\n").type, RESP_PART_LIST);
    assert_int_equal(part("$-1\r\n").type, RESP_PART_NULL);
}

int reply_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reply_is_found_whole_whatever_the_pieces),
        cmocka_unit_test(test_what_is_no_reply_is_bad),
        cmocka_unit_test(test_a_reply_longer_than_the_limit_is_bad_at_once),
        cmocka_unit_test(test_parts_have_their_values),
    };
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
