#include "base/distinct.h"

#include <stdio.h>

#include "tests.h"

static void test_equal_bytes_are_told_once(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct distinct d;
    uint64_t random = 1;
    distinct_init(&d, &arena, &random);
    assert_true(distinct_add(&d, bytes_of(NULL, 0)));
    assert_false(distinct_add(&d, bytes_text("")));
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 10000; i++) {
            char *text = arena_alloc(&arena, 16);
            snprintf(text, 16, "%u", i);
            assert_int_equal(distinct_add(&d, bytes_text(text)), round == 0);
        }
    }
    arena_release(&arena);
}

int distinct_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal_bytes_are_told_once)};
    return cmocka_run_group_tests_name("distinct", tests, NULL, NULL);
}
