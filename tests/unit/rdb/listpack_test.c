#include "base/number.h"
#include "rdb/listpack.h"
#include "tests.h"

static const int64_t integers[] = {0,      1,      127,      128,      -1,        4095,      4096,      -4096,     -4097,     32767,     32768,
                                   -32768, -32769, 8388607,  8388608,  -8388608,  -8388609,  INT32_MAX, INT32_MIN, 1ll << 31, INT64_MAX, INT64_MIN};
#define INTEGERS (sizeof integers / sizeof *integers)
static const size_t lengths[] = {0, 1, 63, 64, 4095, 4096, 20000, 2097151, 3000000};
#define LENGTHS (sizeof lengths / sizeof *lengths)

static struct buffer make(void)
{
    struct buffer b;
    struct listpack_writer w;
    buffer_init(&b, 64 << 20);
    listpack_begin(&w, &b);
    for (size_t i = 0; i < INTEGERS; i++) {
        char digits[NUMBER_TEXT_MAX];
        listpack_add(&w, bytes_of(digits, number_format_integer(digits, integers[i])));
    }
    uint8_t *text = test_malloc(4 << 20);
    memset(text, 'x', 4 << 20);
    for (size_t i = 0; i < LENGTHS; i++) listpack_add(&w, bytes_of(text, lengths[i]));
    test_free(text);
    listpack_end(&w);
    assert_int_equal(listpack_size(&w), b.len);
    return b;
}

static void test_what_was_written_is_read(void **state)
{
    (void)state;
    struct buffer b = make();
    struct listpack_reader r;
    struct listpack_element el;
    assert_true(listpack_open(&r, buffer_bytes(&b)));
    for (size_t i = 0; i < INTEGERS; i++) {
        assert_true(listpack_next(&r, &el));
        assert_true(el.is_integer && el.integer == integers[i]);
    }
    for (size_t i = 0; i < LENGTHS; i++) {
        assert_true(listpack_next(&r, &el));
        assert_true(!el.is_integer && el.text.len == lengths[i]);
    }
    assert_false(listpack_next(&r, &el));
    assert_false(r.failed);
    buffer_release(&b);
}

/* Bytes as redis-server 7.0.15 has them, from DUMP of a hash. */
static void test_they_are_as_in_redis(void **state)
{
    (void)state;
    static const uint8_t redis[] = {0x13, 0, 0, 0, 4, 0, 0x81, 'f', 2, 0xc3, 0xe8, 2, 0x81, 'g', 2, 0x81, 'v', 2, 0xff};
    struct buffer b;
    struct listpack_writer w;
    buffer_init(&b, 1000);
    listpack_begin(&w, &b);
    listpack_add(&w, bytes_text("f"));
    listpack_add(&w, bytes_text("1000"));
    listpack_add(&w, bytes_text("g"));
    listpack_add(&w, bytes_text("v"));
    listpack_end(&w);
    assert_int_equal(b.len, sizeof redis);
    assert_memory_equal(b.data, redis, sizeof redis);
    buffer_release(&b);
}

/* Whether all of it can be read. */
static bool is_sound(struct bytes listpack)
{
    struct listpack_reader r;
    struct listpack_element el;
    if (!listpack_open(&r, listpack)) return false;
    while (listpack_next(&r, &el)) {}
    return !r.failed;
}

static void test_damage_shows(void **state)
{
    (void)state;
    struct buffer b;
    struct listpack_writer w;
    buffer_init(&b, 1000);
    listpack_begin(&w, &b);
    listpack_add(&w, bytes_text("some text"));
    listpack_add(&w, bytes_text("123456"));
    listpack_end(&w);
    assert_true(is_sound(buffer_bytes(&b)));
    for (size_t len = 0; len < b.len; len++) assert_false(is_sound(bytes_of(b.data, len)));
    static const size_t heads[] = {0, 4, 6, 16, 17, 21, 22}; /* size, count, heads, tails, end */
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        b.data[heads[i]] ^= 0x21;
        assert_false(is_sound(buffer_bytes(&b)));
        b.data[heads[i]] ^= 0x21;
    }
    buffer_release(&b);
}

int listpack_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_they_are_as_in_redis),
        cmocka_unit_test(test_damage_shows),
    };
    return cmocka_run_group_tests_name("listpack", tests, NULL, NULL);
}
