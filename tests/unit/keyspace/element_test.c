#include "fixture.h"
#include "keyspace/element.h"

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 63, 64, 127, 128, 8191, 8192, 20000};
    static uint8_t bytes[20000], packed[45000];
    for (size_t i = 0; i < 9 * 9 * 2; i++) {
        struct element out = {0}, el = {bytes_of(bytes, lengths[i / 2 % 9]), bytes_of(bytes, lengths[i / 18]), i % 2};
        uint8_t *end = element_write(packed, &el);
        assert_int_equal(end - packed, element_size(&el));
        struct bytes rest = bytes_of(packed, element_size(&el) + 1);
        assert_true(element_next(&rest, &out));
        assert_int_equal(rest.len, 1);
        assert_true(bytes_equal(out.key, el.key) && bytes_equal(out.value, el.value) && out.mark == el.mark);
        for (size_t cut = 0; cut < element_size(&el); cut += 1 + cut / 8) {
            rest = bytes_of(packed, cut);
            assert_false(element_next(&rest, &out));
            assert_int_equal(rest.len, cut);
            assert_false(element_skip(&rest));
            assert_int_equal(rest.len, cut);
        }
        rest = bytes_of(packed, element_size(&el) + 1);
        assert_true(element_skip(&rest));
        assert_int_equal(rest.len, 1);
    }
}

static void test_a_length_past_all_bounds_is_damage(void **state)
{
    (void)state;
    static const char *const damaged[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x02\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
                                          "\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x7f", "\x08\x01\146our"};
    for (size_t i = 0; i < 4; i++) {
        struct bytes rest = bytes_text(damaged[i]);
        struct element out;
        assert_false(element_next(&rest, &out));
        assert_int_equal(rest.len, strlen(damaged[i]));
    }
}

static void test_the_first_with_a_key_is_found(void **state)
{
    (void)state;
    struct element els[] = {{bytes_text("a"), bytes_text("1"), false}, {bytes_text(""), bytes_text("2"), true}, {bytes_text("a"), bytes_text("3"), false}};
    uint8_t packed[64], *end = packed;
    for (size_t i = 0; i < 3; i++) end = element_write(end, &els[i]);
    struct bytes all = bytes_of(packed, (size_t)(end - packed));
    struct element out;
    size_t at;
    assert_true(element_find(all, bytes_text("a"), &out, &at));
    assert_int_equal(at, 0);
    assert_true(bytes_equal(out.value, bytes_text("1")));
    assert_true(element_find(all, bytes_text(""), &out, &at));
    assert_int_equal(at, 4);
    assert_true(out.mark);
    assert_false(element_find(all, bytes_text("b"), &out, &at));
}

int run_element_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_length_past_all_bounds_is_damage),
        cmocka_unit_test(test_the_first_with_a_key_is_found),
    };
    return cmocka_run_group_tests_name("keyspace elements", tests, NULL, NULL);
}
