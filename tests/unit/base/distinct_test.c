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

static void test_they_are_numbered_and_may_be_replaced_by_a_copy(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct distinct d;
    uint64_t random = 1;
    char text[16];
    distinct_init(&d, &arena, &random);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 10000; i++) {
            bool is_new;
            int len = snprintf(text, sizeof text, "%u", i);
            struct distinct_entry *entry = distinct_enter(&d, bytes_of(text, (size_t)len), &is_new);
            if (is_new) entry->bytes.data = (const uint8_t *)arena_copy(&arena, text, (size_t)len);
            assert_int_equal(is_new, round == 0);
            assert_int_equal(entry->number, i);
        }
    }
    arena_release(&arena);
}

int distinct_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_bytes_are_told_once),
        cmocka_unit_test(test_they_are_numbered_and_may_be_replaced_by_a_copy),
    };
    return cmocka_run_group_tests_name("distinct", tests, NULL, NULL);
}
