#include "bus_tests.h"

#include "base/crc.h"
#include "net/frame.h"

static const uint8_t key[FRAME_KEY_SIZE] = "a key of this direction";
static const uint8_t other_key[FRAME_KEY_SIZE] = "the key of the other direction";

static struct buffer written(uint64_t sequence, enum frame_type type, const char *payload)
{
    struct buffer b;
    buffer_init(&b, 1 << 20);
    assert_int_equal(frame_write(&b, key, sequence, type, bytes_text(payload), NULL), 0);
    return b;
}

static void refused(struct bytes input, uint64_t sequence, const char *why)
{
    struct frame f;
    struct error e = {0};
    assert_int_equal(frame_read(input, key, sequence, &f, &e), FRAME_BAD);
    if (!strstr(e.text, why)) fail_msg("'%s' does not say '%s'", e.text, why);
}

/* Makes a changed header pass its CRC: what an attacker who knows the format would send. */
static void seal_header(uint8_t *header)
{
    uint32_t crc = crc32c(0, header, 12);
    for (int i = 0; i < 4; i++) header[12 + i] = (uint8_t)(crc >> (8 * i));
}

static void test_what_was_written_is_read(void **state)
{
    (void)state;
    struct buffer b = written(7, FRAME_PULSE, "hello");
    assert_int_equal(b.len, FRAME_HEADER_SIZE + 5 + FRAME_TRAILER_SIZE);
    assert_true(frame_write(&b, key, 8, FRAME_CALL, (struct bytes){0}, NULL) == 0);
    struct frame f;
    assert_int_equal(frame_read(buffer_bytes(&b), key, 7, &f, NULL), FRAME_READY);
    assert_int_equal(f.type, FRAME_PULSE);
    assert_true(bytes_is(f.payload, "hello"));
    assert_int_equal(frame_read(bytes_of(b.data + f.size, b.len - f.size), key, 8, &f, NULL), FRAME_READY);
    assert_int_equal(f.type, FRAME_CALL);
    assert_int_equal(f.payload.len, 0);
    buffer_release(&b);
}

static void test_every_shorter_piece_of_a_frame_waits_for_more(void **state)
{
    (void)state;
    struct buffer b = written(0, FRAME_PULSE, "hello");
    struct frame f;
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(frame_read(bytes_of(b.data, len), key, 0, &f, NULL), FRAME_MORE);
    buffer_release(&b);
}

static void test_a_flip_of_any_bit_is_refused(void **state)
{
    (void)state;
    struct buffer b = written(3, FRAME_PULSE, "hello");
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused(buffer_bytes(&b), 3, "frame");
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    buffer_release(&b);
}

static void test_another_sequence_is_refused(void **state)
{
    (void)state;
    struct buffer b = written(3, FRAME_PULSE, "hello");
    refused(buffer_bytes(&b), 4, "sequence 3 where 4 is due");
    refused(buffer_bytes(&b), 2, "replayed or lost");
    buffer_release(&b);
}

static void test_the_other_directions_key_does_not_fit(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    frame_write(&b, other_key, 0, FRAME_PULSE, bytes_text("hello"), NULL);
    refused(buffer_bytes(&b), 0, "not genuine");
    buffer_release(&b);
}

static void test_a_header_is_judged_before_its_payload_arrives(void **state)
{
    (void)state;
    static const struct {
        int at;
        uint8_t value;
        const char *why;
    } cases[] = {{4, 9, "version 9"},
                 {5, 200, "unknown type 200"},
                 {5, 0, "unknown type 0"},
                 {6, 1, "flags"},
                 {11, 0xff, "over the 1024 allowed"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer b = written(0, FRAME_PULSE, "hello");
        b.data[cases[i].at] = cases[i].value;
        seal_header(b.data);
        refused(bytes_of(b.data, FRAME_HEADER_SIZE), 0, cases[i].why);
        buffer_release(&b);
    }
    refused(bytes_text("P"), 0, "no frame");
    refused(bytes_text("AiKB"), 0, "no frame");
}

static void test_a_payload_over_its_types_maximum_is_not_written(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    uint8_t payload[1025] = {0};
    struct error e = {0};
    assert_int_equal(frame_write(&b, key, 0, FRAME_PULSE, bytes_of(payload, 1025), &e), ERROR_LIMIT);
    assert_non_null(strstr(e.text, "PULSE"));
    assert_int_equal(b.len, 0);
    assert_int_equal(frame_write(&b, key, 0, FRAME_PULSE, bytes_of(payload, 1024), &e), 0);
    buffer_release(&b);
}

static void test_a_full_buffer_takes_no_part_of_a_frame(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, FRAME_HEADER_SIZE + 4 + FRAME_TRAILER_SIZE);
    assert_int_equal(frame_write(&b, key, 0, FRAME_PULSE, bytes_text("hello"), NULL), ERROR_OOM);
    assert_int_equal(b.len, 0);
    buffer_release(&b);
}

static void test_types_have_names_and_limits(void **state)
{
    (void)state;
    assert_string_equal(frame_type_name(FRAME_ANNOUNCE), "ANNOUNCE");
    assert_int_equal(frame_payload_max(FRAME_RAFT), 40 << 20);
    assert_null(frame_type_name(0));
    assert_int_equal(frame_payload_max(255), 0);
}

int frame_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_every_shorter_piece_of_a_frame_waits_for_more),
        cmocka_unit_test(test_a_flip_of_any_bit_is_refused),
        cmocka_unit_test(test_another_sequence_is_refused),
        cmocka_unit_test(test_the_other_directions_key_does_not_fit),
        cmocka_unit_test(test_a_header_is_judged_before_its_payload_arrives),
        cmocka_unit_test(test_a_payload_over_its_types_maximum_is_not_written),
        cmocka_unit_test(test_a_full_buffer_takes_no_part_of_a_frame),
        cmocka_unit_test(test_types_have_names_and_limits),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
