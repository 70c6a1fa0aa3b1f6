/* How keys are used, as numbers; and the pool of those that may go. */
#include "base/random.h"
#include "fixture.h"
#include "keyspace/candidates.h"
#include "keyspace/usage.h"

static void test_a_key_is_idle_since_its_last_use(void **state)
{
    (void)state;
    const struct usage_rules r = {0};
    assert_int_equal(usage_idle_s(usage_first(&r, 7), 7), 0);
    assert_int_equal(usage_idle_s(usage_first(&r, 7), 100), 93);
    assert_int_equal(usage_idle_s(usage_again(&r, usage_first(&r, 7), 90, 1), 100), 10);
    assert_int_equal(usage_idle_s(usage_first(&r, 100), 99), 0); /* the clock was set back */
}

static void test_a_key_of_which_nothing_is_known_is_idle_since_the_start(void **state)
{
    (void)state;
    const uint32_t now_s = USAGE_BEGINNING_S + 100;
    const struct usage_rules often = {.counts = true};
    assert_int_equal(usage_idle_s(0, now_s), 100);
    assert_int_equal(usage_idle_s(usage_first(&often, now_s), now_s), 100); /* it was kept by the other rule */
    assert_int_equal(usage_idle_s(0, UINT32_MAX), UINT32_MAX - USAGE_BEGINNING_S);
}

static void test_a_key_is_used_as_it_was_told(void **state)
{
    (void)state;
    const struct usage_rules lately = {0}, often = {.counts = true, .log_factor = 10, .decay_min = 1};
    assert_int_equal(usage_idle_s(usage_told(&lately, 1000, 300, 7), 1000), 300);
    assert_int_equal(usage_idle_s(usage_told(&lately, USAGE_BEGINNING_S, 30000000, 7), USAGE_BEGINNING_S + 1), 30000001);
    assert_int_equal(usage_idle_s(usage_told(&lately, 1000, UINT64_MAX, 7), 1000), 999); /* the clock goes back no further */
    assert_int_equal(usage_frequency(&often, usage_told(&often, 1000, 300, 255), 1000), 255);
}

static void test_a_counter_falls_by_one_each_period(void **state)
{
    (void)state;
    const struct usage_rules each_minute = {.counts = true, .decay_min = 1}, each_third = {.counts = true, .decay_min = 3},
                             never = {.counts = true};
    uint32_t usage = usage_first(&each_minute, 59);
    assert_int_equal(usage_frequency(&each_minute, usage, 59), 5);
    assert_int_equal(usage_frequency(&each_minute, usage, 60), 4); /* minutes of the clock, as in Redis */
    assert_int_equal(usage_frequency(&each_minute, usage, 4 * 60), 1);
    assert_int_equal(usage_frequency(&each_minute, usage, 5 * 60), 0);
    assert_int_equal(usage_frequency(&each_minute, usage, UINT32_MAX), 0);
    assert_int_equal(usage_frequency(&each_third, usage, 5 * 60), 4);
    assert_int_equal(usage_frequency(&never, usage, UINT32_MAX), 5);
    usage = usage_again(&each_minute, usage, 120, 0); /* 5 less 2, and one more */
    assert_int_equal(usage_frequency(&each_minute, usage, 120), 4);
    assert_int_equal(usage_frequency(&each_minute, usage, 179), 4);
    assert_int_equal(usage_frequency(&each_minute, 0, 0), 0);
}

/* Every counter below FIRST rises with each use, so that what has fallen comes back fast. */
static void test_a_counter_rises_ever_more_slowly_to_255(void **state)
{
    (void)state;
    const struct usage_rules slow = {.counts = true, .log_factor = 10}, fast = {.counts = true};
    uint32_t usage = 0;
    for (unsigned n = 1; n <= 300; n++) {
        usage = usage_again(&fast, usage, 0, random_next(&(uint64_t){n}));
        assert_int_equal(usage_frequency(&fast, usage, 0), n < 255 ? n : 255);
    }
    /* Redis's table for a factor of 10: about 10 after a hundred uses, 18 after a thousand, 49 after 10,000, 142 after 100,000, 255 after a million; and
     * five standard deviations, which are 1.2, 2.2, 3.9 and 6.9. */
    static const struct {
        unsigned uses, least, most;
    } expected[] = {{100, 5, 17}, {1000, 7, 30}, {10000, 29, 69}, {100000, 107, 180}, {1000000, 255, 255}};
    uint64_t random = test_seed("usage counter");
    unsigned uses = 0;
    usage = usage_first(&slow, 0);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        for (; uses < expected[i].uses; uses++) usage = usage_again(&slow, usage, 0, random_next(&random));
        unsigned counter = usage_frequency(&slow, usage, 0);
        if (counter < expected[i].least || counter > expected[i].most) fail_msg("%u after %u uses", counter, uses);
    }
}

static void test_candidates_are_those_with_the_highest_ranks(void **state)
{
    (void)state;
    uint64_t random = test_seed("candidates");
    uint8_t out[ROWKEY_MAX];
    char name[ROWKEY_MAX];
    struct candidates c = {0};
    for (int i = 0; i < 1000; i++) {
        uint64_t rank = (uint64_t)(i * 7919 % 1000);
        size_t len = (size_t)snprintf(name, sizeof name, "%0*d", (int)(1 + random_below(&random, ROWKEY_MAX - 1)), (int)rank);
        candidates_offer(&c, rank, bytes_of(name, len));
    }
    for (int rank = 999; rank > 999 - CANDIDATES_MAX; rank--) {
        struct bytes taken = candidates_take(&c, out);
        memcpy(name, taken.data, taken.len);
        name[taken.len] = 0;
        if (taken.len > 3) assert_int_equal(atoi(name + taken.len - 3), rank);
    }
    assert_int_equal(c.count, 0);
}

int run_usage_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_idle_since_its_last_use),
        cmocka_unit_test(test_a_key_of_which_nothing_is_known_is_idle_since_the_start),
        cmocka_unit_test(test_a_key_is_used_as_it_was_told),
        cmocka_unit_test(test_a_counter_falls_by_one_each_period),
        cmocka_unit_test(test_a_counter_rises_ever_more_slowly_to_255),
        cmocka_unit_test(test_candidates_are_those_with_the_highest_ranks),
    };
    return cmocka_run_group_tests_name("keyspace usage", tests, NULL, NULL);
}
