#include "tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/codec.h"
#include "base/random.h"

static void test_numbers_are_little_endian(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f,
                                       0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08};
    struct buffer b;
    buffer_init(&b, 100);
    write_u8(&b, 0x01);
    write_u16(&b, 0x0203);
    write_u32(&b, 0x04050607);
    write_u64(&b, 0x08090a0b0c0d0e0f);
    assert_int_equal(b.len, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    struct reader r = reader_of(buffer_bytes(&b));
    assert_int_equal(read_u8(&r), 0x01);
    assert_int_equal(read_u16(&r), 0x0203);
    assert_int_equal(read_u32(&r), 0x04050607);
    assert_true(read_u64(&r) == 0x08090a0b0c0d0e0f);
    assert_true(reader_done(&r));
    buffer_release(&b);
}

static void test_varints_have_one_form(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX};
    static const size_t sizes[] = {1, 1, 1, 2, 2, 3, 5, 10, 10};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buffer b;
        buffer_init(&b, CODEC_VARINT_MAX);
        write_varint(&b, numbers[i]);
        assert_int_equal(b.len, sizes[i]);
        struct reader r = reader_of(buffer_bytes(&b));
        assert_true(read_varint(&r) == numbers[i] && reader_done(&r));
        r = reader_of(bytes_of(b.data, b.len - 1)); /* cut */
        read_varint(&r);
        assert_true(r.failed);
        buffer_release(&b);
    }
    static const struct bytes wrong[] = {{(const uint8_t *)"\x80\x00", 2},
                                         {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},
                                         {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reader r = reader_of(wrong[i]);
        assert_int_equal(read_varint(&r), 0);
        assert_true(r.failed);
    }
}

static void test_bytes_and_texts_come_back(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 100);
    write_bytes(&b, bytes_of("a\0b", 3));
    write_text(&b, "text");
    write_text(&b, "");
    struct reader r = reader_of(buffer_bytes(&b));
    assert_true(bytes_equal(read_bytes(&r, 3), bytes_of("a\0b", 3)));
    char text[5];
    read_text(&r, text, sizeof text);
    assert_string_equal(text, "text");
    read_text(&r, text, sizeof text);
    assert_string_equal(text, "");
    assert_true(reader_done(&r));
    buffer_release(&b);
}

static void test_the_first_failure_stays(void **state)
{
    (void)state;
    struct reader r = reader_of(bytes_of("\x01\x02\x03", 3));
    assert_int_equal(read_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(read_u8(&r), 0); /* would fit */
    assert_int_equal(read_raw(&r, 1).len, 0);
    assert_int_equal(read_bytes(&r, 10).len, 0);
    char text[4] = "old";
    read_text(&r, text, sizeof text);
    assert_string_equal(text, "");
    assert_false(reader_done(&r));
}

static void test_what_is_left_over_is_noticed(void **state)
{
    (void)state;
    struct reader r = reader_of(bytes_of("\x01\x02", 2));
    read_u8(&r);
    assert_int_equal(reader_left(&r), 1);
    assert_false(reader_done(&r));
}

static void test_lengths_over_the_maximum_or_the_input_fail(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        size_t len, max;
    } cases[] = {{"\x05\0\0\0hello", 9, 4},
                 {"\x06\0\0\0hello", 9, 100},
                 {"\xff\xff\xff\xffhello", 9, SIZE_MAX},
                 {"\x05\0\0", 3, 100}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reader r = reader_of(bytes_of(cases[i].input, cases[i].len));
        assert_int_equal(read_bytes(&r, cases[i].max).len, 0);
        assert_true(r.failed);
    }
}

static void test_a_text_must_fit_with_its_nul_and_hold_none(void **state)
{
    (void)state;
    char text[6];
    struct reader fits = reader_of(bytes_of("\x05\0\0\0hello", 9));
    read_text(&fits, text, sizeof text);
    assert_true(reader_done(&fits));
    struct reader tight = reader_of(bytes_of("\x05\0\0\0hello", 9));
    read_text(&tight, text, 5);
    assert_true(tight.failed);
    assert_string_equal(text, "");
    struct reader cut = reader_of(bytes_of("\x05\0\0\0he\0lo", 9));
    read_text(&cut, text, sizeof text);
    assert_true(cut.failed);
    assert_string_equal(text, "");
}

static void test_a_count_must_fit_what_is_left(void **state)
{
    (void)state;
    struct reader fits = reader_of(bytes_of("\x02\0\0\0aabb", 8));
    assert_int_equal(read_count(&fits, 10, 2), 2);
    struct reader large = reader_of(bytes_of("\x03\0\0\0aabb", 8));
    assert_int_equal(read_count(&large, 10, 2), 0);
    assert_true(large.failed);
    struct reader many = reader_of(bytes_of("\x02\0\0\0aabb", 8));
    assert_int_equal(read_count(&many, 1, 2), 0);
    assert_true(many.failed);
    struct reader huge = reader_of(bytes_of("\xff\xff\xff\xff"
                                            "aabb",
                                            8));
    assert_int_equal(read_count(&huge, UINT32_MAX, 1), 0);
    assert_true(huge.failed);
}

static void test_a_full_buffer_is_noticed_by_the_writer(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 6);
    write_text(&b, "abc");
    assert_true(b.failed);
    buffer_release(&b);
}

static uint64_t seed(void)
{
    const char *given = getenv("AIKV_SEED");
    uint64_t s = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    print_message("AIKV_SEED=%llu\n", (unsigned long long)s);
    return s;
}

static void test_random_input_is_never_read_past_its_end(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (int round = 0; round < 20000; round++) {
        size_t len = random_below(&random, 40);
        uint8_t *input = malloc(len ? len : 1); /* of its exact size: a sanitizer sees one byte more */
        for (size_t i = 0; i < len; i++)
            input[i] = (uint8_t)(random_below(&random, 3) ? random_below(&random, 6) : random_next(&random));
        struct reader r = reader_of(bytes_of(input, len));
        while (!r.failed && reader_left(&r)) {
            char text[8];
            switch (random_below(&random, 5)) {
            case 0: read_u64(&r); break;
            case 1: read_u8(&r); break;
            case 2: read_bytes(&r, 16); break;
            case 3: read_text(&r, text, sizeof text); break;
            default: read_count(&r, 1000, 3); break;
            }
            assert_true(r.at <= r.len);
        }
        free(input);
    }
}

int codec_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_little_endian),
        cmocka_unit_test(test_varints_have_one_form),
        cmocka_unit_test(test_bytes_and_texts_come_back),
        cmocka_unit_test(test_the_first_failure_stays),
        cmocka_unit_test(test_what_is_left_over_is_noticed),
        cmocka_unit_test(test_lengths_over_the_maximum_or_the_input_fail),
        cmocka_unit_test(test_a_text_must_fit_with_its_nul_and_hold_none),
        cmocka_unit_test(test_a_count_must_fit_what_is_left),
        cmocka_unit_test(test_a_full_buffer_is_noticed_by_the_writer),
        cmocka_unit_test(test_random_input_is_never_read_past_its_end),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
