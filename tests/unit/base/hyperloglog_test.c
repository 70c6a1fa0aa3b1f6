#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hyperloglog.h"
#include "base/random.h"

static struct hll a, b;

/* "HYLL", sparse, a cardinality that holds, and these runs. */
static void set_runs(struct hll *h, const char *runs, size_t len)
{
    uint8_t value[HLL_HEAD + 64] = "HYLL\x01";
    assert_true(len <= 64);
    memcpy(value + HLL_HEAD, runs, len);
    assert_true(hll_is(bytes_of(value, HLL_HEAD), HLL_HEAD + len));
    hll_load(h, bytes_of(value, HLL_HEAD + len));
}
#define SET_RUNS(h, runs) set_runs(h, runs, sizeof runs - 1)

static void expect_registers(const struct hll *h, const uint8_t expected[HLL_REGISTERS])
{
    uint8_t registers[HLL_REGISTERS] = {0};
    assert_true(hll_merge(registers, hll_bytes(h)));
    assert_memory_equal(registers, expected, sizeof registers);
}

static void test_the_bytes_are_those_of_redis(void **state)
{
    (void)state;
    static const char added[] = "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"
                                "\x60\xf3\x80\x50\xb1\x84\x4b\xfb\x80\x42\x5a"; /* what redis-server 7.0 says to GET */
    hll_init(&a);
    for (const char *c = "abc"; *c; c++) assert_int_equal(hll_add(&a, bytes_of(c, 1)), HLL_CHANGED);
    assert_int_equal(hll_add(&a, bytes_text("b")), HLL_SAME);
    assert_int_equal(a.len, sizeof added - 1);
    assert_memory_equal(a.bytes, added, a.len);
}

static void test_estimates_are_close_and_equal_in_both_encodings(void **state)
{
    (void)state;
    uint64_t n, m;
    hll_init(&a);
    hll_init(&b);
    assert_true(hll_make_dense(&b));
    for (uint64_t i = 0, stop = 1; i < 200000; i++) {
        if (i == stop) {
            assert_true(hll_count(hll_bytes(&a), &n) && hll_count(hll_bytes(&b), &m) && n == m);
            uint64_t off = n > i ? n - i : i - n;
            if (off > 1 + i / 25) fail_msg("%llu counted as %llu", (unsigned long long)i, (unsigned long long)n);
            stop *= 3;
        }
        assert_int_equal(hll_add(&a, bytes_of(&i, sizeof i)), hll_add(&b, bytes_of(&i, sizeof i)));
    }
    assert_int_equal(a.len, b.len); /* dense by now */
    assert_memory_equal(a.bytes, b.bytes, a.len);
}

static void test_registers_hold_the_greatest_value_put_there(void **state)
{
    (void)state;
    uint64_t random = 5;
    for (int round = 0; round < 30; round++) {
        uint8_t registers[HLL_REGISTERS] = {0};
        unsigned near = round % 2 ? 60 : HLL_REGISTERS, greatest = round % 3 ? 32 : 63;
        hll_init(&a);
        for (int i = 0; i < 2000; i++) {
            unsigned index = (unsigned)random_below(&random, near);
            uint8_t value = (uint8_t)(1 + random_below(&random, i % 50 ? 3 : greatest));
            assert_int_equal(hll_raise(&a, index, value), value > registers[index] ? HLL_CHANGED : HLL_SAME);
            if (value > registers[index]) registers[index] = value;
        }
        expect_registers(&a, registers);
        assert_true(hll_make_dense(&a));
        expect_registers(&a, registers);
    }
}

static void test_what_changed_is_within_the_range_told(void **state)
{
    (void)state;
    static uint8_t before[HLL_SIZE_MAX];
    uint64_t random = 6;
    for (int i = 0; i < 5000; i++) {
        if (i % 1000 == 0) hll_init(&a);
        struct hll *h = &b;
        hll_load(h, hll_bytes(&a));
        memcpy(before, a.bytes, a.len);
        for (uint64_t n = 1 + random_below(&random, 4); n; n--) {
            uint64_t element = random_next(&random);
            hll_add(h, bytes_of(&element, sizeof element));
        }
        if (h->len == a.len) {
            assert_true(h->changed_to <= h->len);
            for (size_t at = 0; at < h->len; at++) {
                bool told = at >= h->changed_from && at < h->changed_to, cardinality = at >= HLL_CACHE_AT && at < HLL_HEAD;
                assert_true(told || cardinality || h->bytes[at] == before[at]);
            }
        }
        memcpy(&a, h, sizeof a);
    }
}

static void test_a_cardinality_holds_until_it_is_forgotten(void **state)
{
    (void)state;
    uint64_t n;
    hll_init(&a);
    assert_true(hll_cached(hll_bytes(&a), &n) && n == 0);
    hll_cache_write(a.bytes + HLL_CACHE_AT, 0x123456789a);
    assert_true(hll_cached(hll_bytes(&a), &n) && n == 0x123456789a);
    hll_forget_cached(&a);
    assert_false(hll_cached(hll_bytes(&a), &n));
}

static void test_what_is_none_is_told_by_its_head_and_length(void **state)
{
    (void)state;
    static const char sparse[] = "HYLL\x01\0\0\0\0\0\0\0\0\0\0\0", dense[] = "HYLL\0\0\0\0\0\0\0\0\0\0\0\0", other[] = "HYLL\x02\0\0\0\0\0\0\0\0\0\0\0",
                      no[] = "HYLm\x01\0\0\0\0\0\0\0\0\0\0\0";
    assert_true(hll_is(bytes_of(sparse, HLL_HEAD), HLL_HEAD));
    assert_true(hll_is(bytes_of(dense, HLL_HEAD), HLL_DENSE_SIZE));
    assert_false(hll_is(bytes_of(sparse, HLL_HEAD - 1), HLL_HEAD - 1));
    assert_false(hll_is(bytes_of("", 0), 0));
    assert_false(hll_is(bytes_of(dense, HLL_HEAD), HLL_DENSE_SIZE - 1));
    assert_false(hll_is(bytes_of(dense, HLL_HEAD), HLL_DENSE_SIZE + 1));
    assert_false(hll_is(bytes_of(other, HLL_HEAD), HLL_DENSE_SIZE));
    assert_false(hll_is(bytes_of(no, HLL_HEAD), HLL_HEAD));
}

static void test_damaged_runs_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *runs;
        size_t len;
    } damaged[] = {{"", 0},          {"\x7f\xfe", 2},     {"\x7f\xff\x00", 3}, {"\x7f\xff\x83", 3},
                   {"\x7f\xfe\x81", 3}, {"\x7f", 1},       {"\x7f\xfe\x40", 3}, {"\x7f\xff\x7f\xff\x7f\xff\x7f\xff\x7f\xff", 10}};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        uint8_t registers[HLL_REGISTERS] = {0};
        uint64_t n;
        set_runs(&a, damaged[i].runs, damaged[i].len);
        assert_false(hll_merge(registers, hll_bytes(&a)));
        assert_false(hll_count(hll_bytes(&a), &n));
        assert_false(hll_make_dense(&a));
        assert_int_equal(hll_raise(&a, 1, 33), HLL_DAMAGED); /* needs it dense */
        assert_int_equal(a.len, HLL_HEAD + damaged[i].len);
        assert_memory_equal(a.bytes + HLL_HEAD, damaged[i].runs, damaged[i].len);
    }
    SET_RUNS(&a, "\x7f\xfe");
    assert_int_equal(hll_raise(&a, HLL_REGISTERS - 1, 1), HLL_DAMAGED); /* the one that is missing */
    SET_RUNS(&a, "\x7f\xfe\x40");
    assert_int_equal(hll_raise(&a, HLL_REGISTERS - 1, 1), HLL_DAMAGED); /* in half a run */
}

static void test_values_that_no_hash_gives_are_no_number(void **state)
{
    (void)state;
    uint8_t registers[HLL_REGISTERS];
    uint64_t n;
    memset(registers, 63, sizeof registers);
    assert_false(hll_count_registers(registers, &n));
    memset(registers, 51, sizeof registers);
    assert_false(hll_count_registers(registers, &n)); /* more than 2^63 */
    memset(registers, 0, sizeof registers);
    assert_true(hll_count_registers(registers, &n) && n == 0);
}

int hyperloglog_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_bytes_are_those_of_redis),
        cmocka_unit_test(test_estimates_are_close_and_equal_in_both_encodings),
        cmocka_unit_test(test_registers_hold_the_greatest_value_put_there),
        cmocka_unit_test(test_what_changed_is_within_the_range_told),
        cmocka_unit_test(test_a_cardinality_holds_until_it_is_forgotten),
        cmocka_unit_test(test_what_is_none_is_told_by_its_head_and_length),
        cmocka_unit_test(test_damaged_runs_are_refused),
        cmocka_unit_test(test_values_that_no_hash_gives_are_no_number),
    };
    return cmocka_run_group_tests_name("hyperloglog", tests, NULL, NULL);
}
