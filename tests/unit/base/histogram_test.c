#include "tests.h"

#include <stdlib.h>

#include "base/histogram.h"

static void test_short_durations_are_exact(void **state)
{
    (void)state;
    struct histogram h = {0};
    assert_int_equal(histogram_percentile(&h, 50), 0);
    for (uint64_t us = 0; us < 256; us++) histogram_add(&h, us);
    assert_int_equal(h.count, 256);
    assert_int_equal(histogram_percentile(&h, 0), 0);
    assert_int_equal(histogram_percentile(&h, 50), 127);
    assert_int_equal(histogram_percentile(&h, 100), 255);
    for (uint64_t us = 0; us < 256; us++) assert_int_equal(histogram_up_to(&h, us), us + 1);
}

static void test_a_duration_is_read_back_within_a_hundredth(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        struct histogram *h = calloc(1, sizeof *h);
        uint64_t us = ((uint64_t)rand() << 8 | (uint64_t)rand() % 256) >> (8 + rand() % 31);
        if (us > HISTOGRAM_MAX_US) us = HISTOGRAM_MAX_US;
        histogram_add(h, us);
        uint64_t back = histogram_percentile(h, 50);
        assert_true(back >= us && back - us <= us / 128);
        assert_int_equal(histogram_up_to(h, us), 1);
        if (us > 0) assert_int_equal(histogram_up_to(h, us - us / 64 - 1), 0);
        free(h);
    }
}

static void test_what_takes_longer_than_the_longest_counts_as_that(void **state)
{
    (void)state;
    struct histogram h = {0};
    histogram_add(&h, UINT64_MAX);
    assert_int_equal(histogram_percentile(&h, 50), HISTOGRAM_MAX_US);
    assert_int_equal(h.buckets[HISTOGRAM_BUCKETS - 1], 1);
    assert_int_equal(histogram_up_to(&h, UINT64_MAX), 1);
}

int histogram_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_durations_are_exact),
        cmocka_unit_test(test_a_duration_is_read_back_within_a_hundredth),
        cmocka_unit_test(test_what_takes_longer_than_the_longest_counts_as_that),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
