#include "tests.h"

#include <stdio.h>

#include "base/names.h"
#include "base/random.h"

#define THINGS 2000

static const uint64_t seed[2] = {1, 2};

struct thing {
    struct names_entry entry; /* first: names_find gives it */
    char name[16];
    bool in;
};

static void give_names(struct thing *things)
{
    for (size_t i = 0; i < THINGS; i++) {
        snprintf(things[i].name, sizeof things[i].name, "thing %zu", i);
        things[i].in = false;
        things[i].entry.name = bytes_text(things[i].name);
    }
}

static void check_all(const struct names *n, struct thing *things)
{
    size_t count = 0, walked = 0;
    for (size_t i = 0; i < THINGS; i++) {
        struct names_entry *found = names_find(n, bytes_text(things[i].name));
        assert_ptr_equal(found, things[i].in ? &things[i].entry : NULL);
        count += things[i].in;
    }
    for (const struct names_entry *e = names_next(n, NULL); e; e = names_next(n, e)) {
        assert_true(((const struct thing *)e)->in);
        walked++;
    }
    assert_int_equal(n->count, count);
    assert_int_equal(walked, count);
}

static void test_what_is_in_is_found_and_walked_once(void **state)
{
    (void)state;
    static struct thing things[THINGS];
    struct names n;
    uint64_t random = 7;
    names_init(&n, seed);
    give_names(things);
    check_all(&n, things);
    for (int round = 0; round < 20; round++) {
        bool grows = round % 4 < 2;
        for (size_t i = 0; i < THINGS; i++) {
            struct thing *t = &things[random_below(&random, THINGS)];
            if (!t->in && grows) names_add(&n, &t->entry);
            if (t->in && !grows) names_remove(&n, &t->entry);
            t->in = grows;
        }
        check_all(&n, things);
    }
    names_release(&n);
}

static void test_an_empty_table_holds_no_memory(void **state)
{
    (void)state;
    static struct thing things[THINGS];
    struct names n;
    names_init(&n, seed);
    give_names(things);
    assert_null(n.buckets);
    for (size_t i = 0; i < THINGS; i++) names_add(&n, &things[i].entry);
    assert_true(n.bucket_count >= THINGS);
    for (size_t i = 10; i < THINGS; i++) names_remove(&n, &things[i].entry);
    assert_true(n.bucket_count <= 80); /* it shrank with its content */
    for (size_t i = 0; i < 10; i++) names_remove(&n, &things[i].entry);
    assert_null(n.buckets);
}

static void test_a_name_may_be_empty_or_hold_any_byte(void **state)
{
    (void)state;
    struct names n;
    struct names_entry empty = {.name = bytes_of(NULL, 0)}, zero = {.name = bytes_of("\0", 1)};
    names_init(&n, seed);
    names_add(&n, &empty);
    names_add(&n, &zero);
    assert_ptr_equal(names_find(&n, bytes_of(NULL, 0)), &empty);
    assert_ptr_equal(names_find(&n, bytes_of("\0", 1)), &zero);
    assert_null(names_find(&n, bytes_of("\0\0", 2)));
    names_release(&n);
}

int names_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_in_is_found_and_walked_once),
        cmocka_unit_test(test_an_empty_table_holds_no_memory),
        cmocka_unit_test(test_a_name_may_be_empty_or_hold_any_byte),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
