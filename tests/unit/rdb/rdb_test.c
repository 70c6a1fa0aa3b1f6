#include <stdlib.h>
#include <math.h>
#include <string.h>

#include "rdb/rdb.h"
#include "rdb/stream.h"
#include "tests.h"

/* What redis-server 7.0.15 gives for DUMP. */
#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}
static const struct golden {
    struct bytes payload;
    const char *shown; /* its elements: texts with '=' before a value or a score */
} goldens[] = {
    {BYTES("\x00\xc1\x39\x30\x0a\x00\x9d\x94\xea\x27\x93\xfc\x08\xb9"), "12345"},
    {BYTES("\x00\x05\x68\x65\x6c\x6c\x6f\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a"), "hello"},
    {BYTES("\x00\xc3\x09\x40\x64\x01\x61\x61\xe0\x57\x00\x01\x61\x61\x0a\x00\xe8\xa3\xb5\x07\xb0\x6d\xf2\x71"),
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {BYTES("\x12\x01\x02\x0f\x0f\x00\x00\x00\x03\x00\x81\x78\x02\x01\x01\xdf\xff\x02\xff\x0a\x00\x99\xaf\x89\x4d\x54\xcd\xbb\x66"), "x 1 -1"},
    {BYTES("\x0b\x14\x04\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x70\x11\x01\x00\x0a\x00\x85\xd5\xc1\x06\x5b\x1d\xd0\x55"), "1 2 70000"},
    {BYTES("\x02\x02\xc0\x07\x01\x6d\x0a\x00\x50\xc0\x6a\xa3\xf1\xb9\xdb\xd5"), "7 m"},
    {BYTES("\x11\x15\x15\x00\x00\x00\x04\x00\x81\x6e\x02\xdf\xfd\x02\x81\x6d\x02\x83\x31\x2e\x35\x04\xff\x0a\x00\x06\x99\x01\xd1\x86\x26\x7d\xf0"), "n=-3 m=1.5"},
    {BYTES("\x05\x02\x01\x6d\x00\x00\x00\x00\x00\x00\xf8\x3f\x01\x6e\x00\x00\x00\x00\x00\x00\x08\xc0\x0a\x00\x9b\xdc\xa9\x3f\x00\x20\x1b\x7a"), "m=1.5 n=-3"},
    {BYTES("\x10\x0d\x0d\x00\x00\x00\x02\x00\x81\x66\x02\x81\x76\x02\xff\x0a\x00\x20\xf1\x3d\x44\x23\x54\x08\x9d"), "f=v"},
    {BYTES("\x04\x01\x01\x66\x01\x76\x0a\x00\xad\xf2\x43\x56\xb1\x86\x0e\xfc"), "f=v"},
    /* Three entries, the second one deleted; a group, whose one consumer has the first. */
    {BYTES("\x13\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xc3\x37\x3e\x12\x3e\x00\x00\x00\x19\x00\x02\x01\x01\x01\x02\x01\x81\x61\x02\x81\x62\x02\x00\x20\x09\x00\x00\x20\x01\x07\x01\x01\x81\x78\x02\x05\x01\x03\x60\x0a\x20\x1c\x00\x79\x20\x0c\x80\x1b\x20\x19\x06\x63\x02\x03\x01\x06\x01\xff\x02\x03\x01\x01\x01\x01\x02\x03\x01\x01\x67\x01\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x6f\x05\xf3\x27\xa2\x01\x00\x00\x01\x01\x01\x63\x6f\x05\xf3\x27\xa2\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x0a\x00\xf7\x56\xfc\x6e\xc0\x84\xb2\x3e"),
     "1-1 a=1 b=x 3-1 c=3 (2 of 3, to 3-1) g:1-1 1-1*1 c:1-1"},
};
#define GOLDENS (sizeof goldens / sizeof *goldens)

static bool show_groups(struct rdb_stream_reader *s, uint64_t count, struct buffer *out)
{
    struct rdb_stream_group g;
    struct rdb_stream_pending p;
    struct rdb_stream_consumer c;
    struct rdb_id id;
    while (count-- && rdb_stream_group(s, &g)) {
        buffer_printf(out, " %.*s:%d-%d", (int)g.name.len, (const char *)g.name.data, (int)g.last.ms, (int)g.last.seq);
        while (g.pending-- && rdb_stream_pending(s, &p)) buffer_printf(out, " %d-%d*%d", (int)p.id.ms, (int)p.id.seq, (int)p.deliveries);
        for (uint64_t n = rdb_stream_consumers(s); n && rdb_stream_consumer(s, &c); n--) {
            buffer_printf(out, " %.*s:", (int)c.name.len, (const char *)c.name.data);
            while (c.pending-- && rdb_stream_id(s, &id)) buffer_printf(out, "%d-%d", (int)id.ms, (int)id.seq);
        }
    }
    return rdb_is_sound(s->r);
}

static bool show_stream(struct rdb_reader *r, struct buffer *out)
{
    struct rdb_stream_reader s;
    struct rdb_stream_head head;
    struct rdb_element el;
    struct rdb_id id;
    uint64_t fields;
    rdb_stream_open(&s, r);
    while (rdb_stream_next(&s, &id, &fields)) {
        buffer_printf(out, "%d-%d ", (int)id.ms, (int)id.seq);
        while (fields-- && rdb_stream_field(&s, &el))
            buffer_printf(out, "%.*s=%.*s ", (int)el.text.len, (const char *)el.text.data, (int)el.value.len, (const char *)el.value.data);
    }
    rdb_stream_head(&s, &head);
    buffer_printf(out, "(%d of %d, to %d-%d)", (int)head.length, (int)head.added, (int)head.last.ms, (int)head.last.seq);
    return show_groups(&s, head.groups, out);
}

/* Appends the elements; false: the payload is not sound. */
static bool show(struct bytes payload, struct buffer *out)
{
    struct rdb_reader r;
    struct rdb_element el;
    bool sound = rdb_open(&r, payload);
    if (sound && r.type == RDB_STREAM) {
        sound = show_stream(&r, out);
        rdb_close(&r);
        return sound;
    }
    while (sound && rdb_next(&r, &el)) {
        if (out->len) buffer_append_text(out, " ");
        buffer_append(out, el.text.data, el.text.len);
        if (r.type == RDB_HASH || r.type == RDB_HASH_LISTPACK) buffer_printf(out, "=%.*s", (int)el.value.len, (const char *)el.value.data);
        if (r.type == RDB_ZSET || r.type == RDB_ZSET_LISTPACK) buffer_printf(out, "=%.17g", el.score);
    }
    sound = sound && rdb_is_sound(&r);
    rdb_close(&r);
    return sound;
}

static void expect(struct bytes payload, const char *shown)
{
    struct buffer out;
    buffer_init(&out, 10000);
    assert_true(rdb_is_whole(payload));
    assert_true(show(payload, &out));
    assert_int_equal(out.len, strlen(shown));
    assert_memory_equal(out.data, shown, out.len);
    buffer_release(&out);
}

static void test_payloads_of_redis_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) expect(goldens[i].payload, goldens[i].shown);
}

static void expect_golden(struct buffer *b, size_t i)
{
    rdb_write_end(b);
    assert_int_equal(b->len, goldens[i].payload.len);
    assert_memory_equal(b->data, goldens[i].payload.data, b->len);
    buffer_clear(b);
}

static void test_payloads_are_written_as_redis_does(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1000);
    rdb_write_type(&b, RDB_STRING);
    rdb_write_string(&b, bytes_text("12345"));
    expect_golden(&b, 0);
    rdb_write_type(&b, RDB_STRING);
    rdb_write_string(&b, bytes_text("hello"));
    expect_golden(&b, 1);
    rdb_write_type(&b, RDB_SET_INTEGERS);
    rdb_write_integers(&b, (int64_t[]){1, 2, 70000}, 3);
    expect_golden(&b, 4);
    rdb_write_type(&b, RDB_SET);
    rdb_write_len(&b, 2);
    rdb_write_string(&b, bytes_text("7"));
    rdb_write_string(&b, bytes_text("m"));
    expect_golden(&b, 5);
    rdb_write_type(&b, RDB_ZSET);
    rdb_write_len(&b, 2);
    rdb_write_string(&b, bytes_text("m"));
    rdb_write_double(&b, 1.5);
    rdb_write_string(&b, bytes_text("n"));
    rdb_write_double(&b, -3);
    expect_golden(&b, 7);
    buffer_release(&b);
}

static void test_strings_of_all_lengths_and_integers_come_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 63, 64, 16383, 16384, 100000};
    static const char *const integers[] = {"0", "-1", "127", "128", "-128", "-129", "32767", "-32769", "2147483647", "2147483648", "-2147483649"};
    struct buffer b;
    struct rdb_reader r;
    struct rdb_element el;
    buffer_init(&b, 1 << 20);
    uint8_t *text = test_calloc(1, 100000);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths + sizeof integers / sizeof *integers; i++) {
        size_t k = i - sizeof lengths / sizeof *lengths;
        struct bytes s = i < sizeof lengths / sizeof *lengths ? bytes_of(text, lengths[i]) : bytes_text(integers[k]);
        rdb_write_type(&b, RDB_STRING);
        rdb_write_string(&b, s);
        rdb_write_end(&b);
        assert_true(rdb_open(&r, buffer_bytes(&b)) && rdb_next(&r, &el) && bytes_equal(el.text, s));
        assert_true(!rdb_next(&r, &el) && rdb_is_sound(&r));
        rdb_close(&r);
        buffer_clear(&b);
    }
    test_free(text);
    buffer_release(&b);
}

/* Every byte of every payload, each way wrong: with the old checksum it is not whole; with one that fits it is read to some end. */
static void test_damage_shows(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        struct bytes golden = goldens[i].payload;
        for (size_t at = 0; at < golden.len; at++)
            for (unsigned flip = 1; flip < 256; flip++) {
                struct buffer b, out;
                buffer_init(&b, 1000);
                buffer_init(&out, 10000);
                buffer_append(&b, golden.data, golden.len);
                b.data[at] ^= (uint8_t)flip;
                assert_false(rdb_is_whole(buffer_bytes(&b)));
                b.len -= 10;
                rdb_write_end(&b);
                show(buffer_bytes(&b), &out);
                buffer_release(&out);
                buffer_release(&b);
            }
        assert_false(rdb_is_whole(bytes_of(golden.data, golden.len - 1)));
        assert_false(rdb_is_whole(bytes_of(golden.data, 9)));
    }
}

/* Made of what stands between type and end. */
static bool is_sound(uint8_t type, struct bytes body)
{
    struct buffer b, out;
    buffer_init(&b, 1000);
    buffer_init(&out, 10000);
    write_u8(&b, type);
    buffer_append(&b, body.data, body.len);
    rdb_write_end(&b);
    bool sound = show(buffer_bytes(&b), &out);
    buffer_release(&b);
    buffer_release(&out);
    return sound;
}
#define IS_SOUND(type, body) is_sound(type, bytes_of(body, sizeof(body) - 1))

static void test_what_is_no_value_is_refused(void **state)
{
    (void)state;
    assert_true(IS_SOUND(RDB_STRING, "\x01x"));
    assert_false(IS_SOUND(RDB_STRING, "\x01xy"));                                     /* more behind it */
    assert_false(IS_SOUND(RDB_STRING, "\x81\xff\xff\xff\xff\xff\xff\xff\xff"));       /* longer than anything */
    assert_false(IS_SOUND(RDB_STRING, "\xc3\x02\x81\x00\x00\x00\x00\x20\x00\x00\x01\x00x")); /* 512 MiB and a byte of two */
    assert_false(IS_SOUND(RDB_SET, "\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01x"));
    assert_false(IS_SOUND(RDB_ZSET, "\x01\x01m\x00\x00\x00\x00\x00\x00\xf8\x7f"));   /* not a number */
    assert_false(IS_SOUND(RDB_ZSET_LISTPACK, "\x0f\x0f\x00\x00\x00\x02\x00\x81m\x02\x83nan\x04\xff"));
    assert_true(IS_SOUND(RDB_ZSET_LISTPACK, "\x0f\x0f\x00\x00\x00\x02\x00\x81m\x02\x83inf\x04\xff"));
    assert_false(IS_SOUND(RDB_HASH_LISTPACK, "\x0a\x0a\x00\x00\x00\x01\x00\x81m\x02\xff")); /* a field without a value */
    assert_false(IS_SOUND(RDB_SET_INTEGERS, "\x0b\x03\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"));
    assert_false(IS_SOUND(RDB_LIST, "\x01\x03\x01x"));
    assert_true(IS_SOUND(RDB_LIST, "\x02\x01\x01x\x01\xc0\x07"));                    /* values by themselves */
    assert_false(IS_SOUND(10, "\x01x"));                                             /* a ziplist, of older versions */
}

int rdb_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payloads_of_redis_are_read),
        cmocka_unit_test(test_payloads_are_written_as_redis_does),
        cmocka_unit_test(test_strings_of_all_lengths_and_integers_come_back),
        cmocka_unit_test(test_damage_shows),
        cmocka_unit_test(test_what_is_no_value_is_refused),
    };
    return cmocka_run_group_tests_name("rdb", tests, NULL, NULL);
}
