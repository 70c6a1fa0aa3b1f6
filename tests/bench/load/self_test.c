#include "self_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "pick.h"
#include "reply.h"
#include "request.h"

static int passed, failed;

static void check(bool holds, const char *claim)
{
    if (holds) passed++;
    if (holds) return;
    failed++;
    printf("FAILED: %s\n", claim);
}

/* Each of the first ranks within 5 standard deviations of what the law says. */
static bool follows_zipf(uint64_t n, double exponent)
{
    enum { DRAWS = 1000000, RANKS = 20 };
    uint64_t seen[RANKS] = {0};
    double total = 0;
    for (uint64_t k = n; k > 0; k--) total += pow((double)k, -exponent);
    struct load_pick p;
    load_pick_init(&p, LOAD_PICK_ZIPF, n, exponent, 42);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t k = load_pick_next(&p);
        if (k >= n) return false;
        if (k < RANKS) seen[k]++;
    }
    for (uint64_t k = 0; k < RANKS && k < n; k++) {
        double expected = DRAWS * pow((double)k + 1, -exponent) / total;
        if (fabs((double)seen[k] - expected) > 5 * sqrt(expected)) return false;
    }
    return true;
}

static void test_pick(void)
{
    check(follows_zipf(1000000, 0.99), "zipf 0.99 of 1,000,000 has the law's frequencies");
    check(follows_zipf(1000, 1), "zipf 1 of 1,000 too");
    check(follows_zipf(10, 1.5), "zipf 1.5 of 10 too");
    check(follows_zipf(1, 0.99), "zipf of 1 is always 0");
    struct load_pick p, q;
    load_pick_init(&p, LOAD_PICK_UNIFORM, 10, 0, 7);
    load_pick_init(&q, LOAD_PICK_UNIFORM, 10, 0, 7);
    uint64_t seen[10] = {0};
    bool is_same = true, is_even = true;
    for (int i = 0; i < 100000; i++) {
        uint64_t k = load_pick_next(&p);
        is_same = is_same && k == load_pick_next(&q);
        seen[k]++;
    }
    for (int i = 0; i < 10; i++) is_even = is_even && seen[i] > 9500 && seen[i] < 10500;
    check(is_same, "the same seed gives the same numbers");
    check(is_even, "uniform is even");
    load_pick_init(&p, LOAD_PICK_SERIAL, 2, 0, 7);
    check(load_pick_next(&p) == 0 && load_pick_next(&p) == 1 && load_pick_next(&p) == 0,
          "serial begins again after the last");
}

static void test_histogram(void)
{
    static struct load_histogram h, one, large;
    for (uint64_t i = 1; i <= 1000000; i++) load_histogram_add(&h, i);
    check(h.count == 1000000 && load_histogram_percentile(&h, 100) == 1000000, "100 % is the exact maximum");
    uint64_t p50 = load_histogram_percentile(&h, 50), p99 = load_histogram_percentile(&h, 99);
    check(p50 >= 500000 && p50 <= 508000, "the median is at most 1.6 % too high");
    check(p99 >= 990000 && p99 <= 1000000, "so is p99");
    load_histogram_add(&one, 3);
    check(load_histogram_percentile(&one, 50) == 3 && load_histogram_percentile(&one, 0) == 3,
          "a single value is every percentile");
    load_histogram_add(&large, 1);
    load_histogram_add(&large, (uint64_t)3600 * 1000000000);
    check(load_histogram_percentile(&large, 50) == 1 &&
              load_histogram_percentile(&large, 99) == (uint64_t)3600 * 1000000000,
          "an hour has a bucket");
}

/* How many replies are in `text` when it comes in pieces of `step` bytes. */
static int replies_in(struct load_reply *r, const char *text, size_t step)
{
    int n = 0;
    memset(r, 0, sizeof *r);
    for (size_t len = strlen(text), at = 0; at < len;) {
        bool is_whole;
        size_t piece = len - at < step ? len - at : step;
        at += load_reply_read(r, text + at, piece, &is_whole);
        if (r->is_bad) return -1;
        n += is_whole;
    }
    return n;
}

static void test_reply(void)
{
    static const char all[] = "+OK\r\n:12\r\n$-1\r\n$3\r\na\r\n\r\n*2\r\n$0\r\n\r\n*1\r\n:1\r\n*0\r\n*-1\r\n-ERR "
                              "no\r\n-ERR other\r\n$1\r\nx\r\n";
    struct load_reply r;
    for (size_t step = 1; step < sizeof all; step++) {
        if (replies_in(&r, all, step) == 10 && r.errors == 2 && r.nulls == 1 && strcmp(r.error, "-ERR no") == 0)
            continue;
        printf("in pieces of %zu bytes:\n", step);
        check(false, "replies of every type are counted");
        return;
    }
    check(true, "replies of every type are counted");
    check(replies_in(&r, "what\r\n", 10) == -1, "what is not RESP2 is noticed");
}

static void test_request(void)
{
    struct load_request r;
    struct load_pick p;
    char out[256];
    load_pick_init(&p, LOAD_PICK_SERIAL, 100, 0, 1);
    check(!load_request_init(&r, "SET key:{n} a{value} @9", 4), "a request with a weight is read");
    load_request_write(&r, &p, out);
    load_request_write(&r, &p, out);
    static const char start[] = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$5\r\na";
    check(r.weight == 9 && r.len == sizeof start - 1 + 6, "it has the length of what it says");
    check(memcmp(out, start, sizeof start - 1) == 0 && memcmp(out + r.len - 2, "\r\n", 2) == 0,
          "and its numbers are in place");
    load_request_release(&r);
    check(!load_request_init(&r, "LINDEX key:{n} {i} a", 4), "one with an index is read");
    size_t len = load_request_write(&r, &p, out);
    static const char indexed[] = "*4\r\n$6\r\nLINDEX\r\n$16\r\nkey:000000000002\r\n$1\r\n3\r\n$1\r\na\r\n";
    check(len == sizeof indexed - 1 && len <= r.len && memcmp(out, indexed, len) == 0, "an index has no leading zeros");
    load_request_release(&r);
    check(!load_request_init(&r, "ECHO {n} @inline", 4) && load_request_write(&r, &p, out) == r.len, "one in a line is read");
    check(r.len == 19 && memcmp(out, "ECHO 000000000004\r\n", 19) == 0, "and stands in one");
    load_request_release(&r);
    check(load_request_init(&r, "SET  a", 4) && load_request_init(&r, "", 4) && load_request_init(&r, "GET a @0", 4) &&
              load_request_init(&r, "@inline", 4),
          "wrong ones are refused");
}

int load_self_test(void)
{
    test_pick();
    test_histogram();
    test_reply();
    test_request();
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
