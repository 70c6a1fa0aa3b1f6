#include "fixture.h"

static struct cluster_ranges ranges(unsigned from, unsigned to)
{
    struct cluster_ranges r = {0};
    assert_int_equal(cluster_ranges_add(&r, from, to, NULL), 0);
    return r;
}

static void test_adjoining_ranges_become_one(void **state)
{
    (void)state;
    struct cluster_ranges r = ranges(0, 9);
    assert_int_equal(cluster_ranges_add(&r, 10, 10, NULL), 0);
    assert_int_equal(r.count, 1);
    assert_int_equal(cluster_ranges_add(&r, 12, 16383, NULL), 0);
    assert_int_equal(r.count, 2);
    assert_int_equal(cluster_ranges_slots(&r), 11 + 16372);
    cluster_ranges_release(&r);
    assert_int_equal(cluster_ranges_slots(&r), 0);
}

static void test_a_range_out_of_order_or_bounds_is_refused_by_name(void **state)
{
    (void)state;
    struct error e;
    struct cluster_ranges r = ranges(10, 20);
    assert_int_equal(cluster_ranges_add(&r, 20, 30, &e), ERROR_SYNTAX);
    assert_non_null(strstr(e.text, "20-30"));
    assert_int_equal(cluster_ranges_add(&r, 5, 6, &e), ERROR_SYNTAX);
    assert_int_equal(cluster_ranges_add(&r, 30, 16384, &e), ERROR_SYNTAX);
    assert_non_null(strstr(e.text, "16384"));
    assert_int_equal(cluster_ranges_add(&r, 31, 30, &e), ERROR_SYNTAX);
    assert_int_equal(cluster_ranges_add(&r, UINT32_MAX, UINT32_MAX, &e), ERROR_SYNTAX);
    assert_int_equal(r.count, 1);
    cluster_ranges_release(&r);
}

static void test_the_most_ranges_there_can_be_survive_a_round_trip(void **state)
{
    (void)state;
    struct cluster_ranges r = {0}, copy, back;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot += 2)
        assert_int_equal(cluster_ranges_add(&r, slot, slot, NULL), 0);
    struct buffer b;
    buffer_init(&b, 1 << 20);
    cluster_ranges_write(&b, &r);
    struct reader in = reader_of(buffer_bytes(&b));
    assert_int_equal(cluster_ranges_read(&in, &back, NULL), 0);
    assert_true(reader_done(&in));
    assert_int_equal(cluster_ranges_copy(&copy, &back), 0);
    assert_int_equal(copy.count, CLUSTER_SLOTS / 2);
    assert_memory_equal(copy.list, r.list, r.count * sizeof *r.list);
    buffer_release(&b);
    cluster_ranges_release(&r);
    cluster_ranges_release(&copy);
    cluster_ranges_release(&back);
}

static void read_must_fail(const uint16_t *numbers, uint32_t count, uint32_t written)
{
    struct buffer b;
    struct cluster_ranges out;
    struct error e = {0};
    buffer_init(&b, 1 << 20);
    write_u32(&b, count);
    for (uint32_t i = 0; i < written; i++) write_u16(&b, numbers[i]);
    struct reader in = reader_of(buffer_bytes(&b));
    assert_int_equal(cluster_ranges_read(&in, &out, &e), ERROR_FORMAT);
    assert_null(out.list);
    buffer_release(&b);
}

static void test_reading_refuses_ranges_that_are_not_canonical(void **state)
{
    (void)state;
    read_must_fail((uint16_t[]){5, 4}, 1, 2);
    read_must_fail((uint16_t[]){0, 4, 3, 9}, 2, 4);
    read_must_fail((uint16_t[]){0, 4, 5, 9}, 2, 4); /* these are one range */
    read_must_fail((uint16_t[]){0, 16384}, 1, 2);
    read_must_fail((uint16_t[]){0, 4, 9}, 2, 3);
    read_must_fail((uint16_t[]){0}, UINT32_MAX, 1);
}

/* Of any length, wherever it begins, ended by another owner or by the last slot. */
static void test_a_stretch_ends_where_another_owner_begins(void **state)
{
    (void)state;
    static uint32_t owner[CLUSTER_SLOTS];
    const unsigned ends[] = {101, 102, 227, 228, 229, 230, 355, 356, 357, 358, 16255, 16256, 16257, 16383};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (unsigned from = 99; from <= 100; from++) {
            memset(owner, 0, sizeof owner);
            for (unsigned slot = from; slot < ends[i]; slot++) owner[slot] = 7;
            assert_int_equal(cluster_stretch_end(owner, 0), from);
            assert_int_equal(cluster_stretch_end(owner, from), ends[i]);
            assert_int_equal(cluster_stretch_end(owner, ends[i]), CLUSTER_SLOTS);
        }
    }
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) owner[slot] = slot % 2;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) assert_int_equal(cluster_stretch_end(owner, slot), slot + 1);
}

int run_slots_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stretch_ends_where_another_owner_begins),
        cmocka_unit_test(test_adjoining_ranges_become_one),
        cmocka_unit_test(test_a_range_out_of_order_or_bounds_is_refused_by_name),
        cmocka_unit_test(test_the_most_ranges_there_can_be_survive_a_round_trip),
        cmocka_unit_test(test_reading_refuses_ranges_that_are_not_canonical),
    };
    return cmocka_run_group_tests_name("cluster slots", tests, NULL, NULL);
}
