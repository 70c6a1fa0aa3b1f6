#include "tests.h"

#include <stdlib.h>

#include "base/buffer.h"

static void test_a_buffer_grows_to_its_maximum_and_no_further(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1000);
    for (int i = 0; i < 100; i++) assert_true(buffer_append(&b, "0123456789", 10));
    assert_int_equal(b.len, 1000);
    assert_false(b.failed);
    assert_false(buffer_append(&b, "x", 1));
    assert_true(b.failed);
    assert_int_equal(b.len, 1000);
    buffer_release(&b);
}

static void test_a_failed_buffer_takes_nothing_until_it_is_cleared(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 4);
    assert_true(buffer_append_text(&b, "abc"));
    assert_false(buffer_append_text(&b, "de"));
    assert_false(buffer_append_text(&b, "f")); /* would fit, but something is missing before it */
    assert_null(buffer_reserve(&b, 0));
    assert_true(bytes_is(buffer_bytes(&b), "abc"));
    buffer_clear(&b);
    assert_true(buffer_append_text(&b, "defg"));
    assert_true(bytes_is(buffer_bytes(&b), "defg"));
    buffer_release(&b);
}

static void test_a_length_that_overflows_is_refused(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    assert_true(buffer_append_text(&b, "abc"));
    assert_null(buffer_reserve(&b, SIZE_MAX - 1));
    assert_true(b.failed);
    buffer_release(&b);
}

static void test_reserved_room_is_there(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    uint8_t *at = buffer_reserve(&b, 5000);
    memset(at, 'x', 5000);
    assert_int_equal(b.len, 0);
    b.len += 5000;
    assert_true(b.cap >= 5000 && b.cap <= b.max);
    buffer_release(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.max, 1 << 20);
    assert_true(buffer_append_text(&b, "again"));
    buffer_release(&b);
}

static void test_printf_writes_short_and_long_texts(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 2000);
    assert_true(buffer_printf(&b, "%d-%s", 7, "seven"));
    assert_true(bytes_is(buffer_bytes(&b), "7-seven"));
    for (int width = 250; width <= 260; width++) { /* around what fits its own memory */
        buffer_clear(&b);
        assert_true(buffer_printf(&b, "%*d", width, 1));
        assert_int_equal(b.len, width);
        assert_int_equal(b.data[b.len - 1], '1');
    }
    buffer_clear(&b);
    assert_false(buffer_printf(&b, "%*d", 2001, 1));
    assert_int_equal(b.len, 0);
    buffer_release(&b);
}

static void test_what_is_consumed_goes_from_the_front(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 100);
    buffer_append_text(&b, "hello world");
    buffer_consume(&b, 0);
    buffer_consume(&b, 6);
    assert_true(bytes_is(buffer_bytes(&b), "world"));
    buffer_consume(&b, 100);
    assert_int_equal(b.len, 0);
    buffer_release(&b);
}

static void test_detached_memory_is_the_callers(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 100);
    buffer_append_text(&b, "mine");
    size_t len;
    uint8_t *data = buffer_detach(&b, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(data, "mine", 4);
    assert_null(b.data);
    assert_true(buffer_append_text(&b, "next"));
    free(data);
    buffer_release(&b);
}

static void test_bytes_compare_like_memcmp_with_the_shorter_first(void **state)
{
    (void)state;
    assert_true(bytes_compare(bytes_text("ab"), bytes_text("abc")) < 0);
    assert_true(bytes_compare(bytes_text("b"), bytes_text("abc")) > 0);
    assert_true(bytes_compare(bytes_text("\xff"), bytes_text("a")) > 0);
    assert_int_equal(bytes_compare((struct bytes){0}, bytes_text("")), 0);
    assert_true(bytes_equal((struct bytes){0}, bytes_text("")));
    assert_false(bytes_equal(bytes_text("a"), bytes_text("A")));
    assert_true(bytes_is(bytes_text("GeT"), "get"));
    assert_false(bytes_is(bytes_text("get"), "gets"));
}

int buffer_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_buffer_grows_to_its_maximum_and_no_further),
        cmocka_unit_test(test_a_failed_buffer_takes_nothing_until_it_is_cleared),
        cmocka_unit_test(test_a_length_that_overflows_is_refused),
        cmocka_unit_test(test_reserved_room_is_there),
        cmocka_unit_test(test_printf_writes_short_and_long_texts),
        cmocka_unit_test(test_what_is_consumed_goes_from_the_front),
        cmocka_unit_test(test_detached_memory_is_the_callers),
        cmocka_unit_test(test_bytes_compare_like_memcmp_with_the_shorter_first),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
