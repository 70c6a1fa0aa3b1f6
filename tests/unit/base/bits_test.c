#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/random.h"

#define LEN_MAX 700

static bool bit_of(const uint8_t *p, uint64_t i)
{
    return p[i / 8] >> (7 - i % 8) & 1;
}

/* Bytes that are mostly 0, mostly 255, or any. */
static void fill_random(uint8_t *p, size_t len, uint64_t *random)
{
    unsigned kind = (unsigned)random_below(random, 3);
    for (size_t i = 0; i < len; i++) {
        bool any = kind == 2 || random_below(random, 60) == 0;
        p[i] = any ? (uint8_t)random_next(random) : kind ? 0xff : 0;
    }
}

static void test_set_bits_are_counted_at_any_length_and_alignment(void **state)
{
    (void)state;
    uint64_t random = 1;
    uint8_t p[LEN_MAX + 8];
    for (size_t len = 0; len <= LEN_MAX; len++) {
        const uint8_t *from = p + random_below(&random, 8);
        fill_random(p, sizeof p, &random);
        uint64_t count = 0;
        for (uint64_t i = 0; i < len * 8; i++) count += bit_of(from, i);
        assert_int_equal(bits_count(bytes_of(from, len)), count);
    }
    memset(p, 0xff, sizeof p);
    for (size_t len = 0; len <= LEN_MAX; len++) assert_int_equal(bits_count(bytes_of(p, len)), len * 8);
}

static uint64_t find_slowly(const uint8_t *p, size_t len, uint64_t from, bool set)
{
    while (from < len * 8 && bit_of(p, from) != set) from++;
    return from < len * 8 ? from : len * 8;
}

static void test_the_first_bit_is_found_from_any_place_on(void **state)
{
    (void)state;
    uint64_t random = 2;
    uint8_t p[LEN_MAX];
    for (int i = 0; i < 20000; i++) {
        size_t len = random_below(&random, LEN_MAX + 1);
        fill_random(p, len, &random);
        uint64_t from = random_below(&random, len * 8 + 9);
        bool set = random_below(&random, 2);
        assert_int_equal(bits_find(bytes_of(p, len), from, set), find_slowly(p, len, from, set));
    }
}

static void test_integers_of_all_widths_are_read_as_they_were_put(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (unsigned width = 1; width <= 64; width++) {
        for (uint64_t at = 0; at < 24; at++) {
            uint8_t before[12], after[12];
            fill_random(before, sizeof before, &random);
            memcpy(after, before, sizeof after);
            uint64_t value = random_next(&random), kept = width == 64 ? value : value & (((uint64_t)1 << width) - 1);
            bits_put(after, at, width, value);
            assert_true(bits_get(after, at, width) == kept);
            for (uint64_t i = 0; i < sizeof after * 8; i++) {
                bool inside = i >= at && i < at + width;
                assert_true(bit_of(after, i) == (inside ? kept >> (at + width - 1 - i) & 1 : bit_of(before, i)));
            }
        }
    }
}

int bits_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_bits_are_counted_at_any_length_and_alignment),
        cmocka_unit_test(test_the_first_bit_is_found_from_any_place_on),
        cmocka_unit_test(test_integers_of_all_widths_are_read_as_they_were_put),
    };
    return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
