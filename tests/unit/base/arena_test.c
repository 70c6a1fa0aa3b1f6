#include "tests.h"

#include <string.h>

#include "base/arena.h"

static void test_allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a = {0};
    unsigned char *before = NULL;
    for (size_t size = 0; size < 200; size++) {
        unsigned char *p = arena_alloc(&a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, (int)size, size);
        for (size_t i = 0; before && i < size - 1; i++) assert_int_equal(before[i], size - 1);
        before = p;
    }
    arena_release(&a);
}

static void test_a_copy_ends_with_nul(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_string_equal(arena_copy(&a, "hello world", 5), "hello");
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    arena_release(&a);
}

static void test_more_than_a_block_can_be_had(void **state)
{
    (void)state;
    struct arena a = {0};
    arena_alloc(&a, 16);
    memset(arena_alloc(&a, 1 << 20), 1, 1 << 20);
    arena_alloc(&a, 16);
    arena_reset(&a);
    memset(arena_alloc(&a, 1 << 20), 1, 1 << 20);
    arena_reset(&a);
    arena_release(&a);
}

static void test_memory_is_used_again_after_a_reset(void **state)
{
    (void)state;
    struct arena a = {0};
    void *first = arena_alloc(&a, 100);
    arena_reset(&a);
    assert_ptr_equal(arena_alloc(&a, 100), first);
    arena_release(&a);
    arena_release(&a); /* harmless */
    assert_non_null(arena_alloc(&a, 1));
    arena_release(&a);
}

int arena_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations_are_aligned_and_apart),
        cmocka_unit_test(test_a_copy_ends_with_nul),
        cmocka_unit_test(test_more_than_a_block_can_be_had),
        cmocka_unit_test(test_memory_is_used_again_after_a_reset),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
