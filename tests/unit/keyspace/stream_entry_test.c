/* Ids as keys, fields as values, and the table of names that entries have in common. */
#include "base/random.h"
#include "fixture.h"
#include "keyspace/stream_names.h"

static struct stream_id random_id(uint64_t *random, uint64_t base_ms)
{
    uint64_t ms = random_next(random) >> random_below(random, 64), seq = random_next(random) >> random_below(random, 64);
    return (struct stream_id){ms > UINT64_MAX - base_ms ? UINT64_MAX : base_ms + ms, seq};
}

static void test_keys_are_in_the_order_of_ids_and_tell_them(void **state)
{
    (void)state;
    uint64_t random = test_seed("stream keys");
    for (int i = 0; i < 100000; i++) {
        uint64_t base_ms = i % 3 ? 0 : random_next(&random) >> random_below(&random, 64);
        struct stream_id a = random_id(&random, base_ms), b = random_id(&random, base_ms), read;
        if (i % 5 == 0) b = a, stream_id_next(&b);
        uint8_t rooms[2][STREAM_KEY_MAX];
        struct bytes keys[2] = {stream_key_write(rooms[0], base_ms, a), stream_key_write(rooms[1], base_ms, b)};
        int by_id = stream_id_compare(a, b), by_key = bytes_compare(keys[0], keys[1]);
        assert_true((by_id > 0) == (by_key > 0) && (by_id < 0) == (by_key < 0));
        assert_true(stream_key_read(keys[0], base_ms, &read));
        assert_int_equal(stream_id_compare(read, a), 0);
    }
}

static void assert_no_key(const char *bytes, size_t len, uint64_t base_ms)
{
    struct stream_id id;
    assert_false(stream_key_read(bytes_of(bytes, len), base_ms, &id));
}

static void test_a_damaged_key_is_refused(void **state)
{
    struct stream_id id;
    (void)state;
    assert_true(stream_key_read(bytes_of("\x80\x80\x05", 3), 1, &id));
    assert_true(id.ms == 129 && id.seq == 5);
    assert_no_key("", 0, 0);
    assert_no_key("\x05", 1, 0);
    assert_no_key("\x05\x80", 2, 0);                               /* cut off */
    assert_no_key("\x05\x05\x05", 3, 0);                           /* more behind it */
    assert_no_key("\x80\x7f\x05", 3, 0);                           /* longer than need be */
    assert_no_key("\xff\x00\xff\xff\xff\xff\xff\xff\xff\x05", 10, 0);
    assert_no_key("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x05", 10, 1); /* beyond the last millisecond */
}

/* Packs fields, as an element of id 7-0 with base 5; reads them again. */
static void assert_reads_again(const struct bytes *fields, size_t count, int list, struct bytes table)
{
    uint8_t key[STREAM_KEY_MAX], *room = malloc(stream_fields_room(fields, count));
    struct stream_fields packed = stream_fields_pack(room, fields, count);
    struct stream_entry entry;
    struct bytes name, value;
    struct element el = {stream_key_write(key, 5, (struct stream_id){7, 0}), stream_fields_value(&packed, list), list >= 0};
    assert_true(el.value.data >= room && el.value.data + el.value.len <= room + stream_fields_room(fields, count));
    assert_true(stream_entry_read(&el, 5, table, &entry));
    assert_true(entry.id.ms == 7 && entry.id.seq == 0);
    assert_int_equal(stream_entry_count(&entry), count);
    for (size_t i = 0; i < count; i++) {
        assert_true(stream_entry_next(&entry, &name, &value));
        assert_true(bytes_equal(name, fields[2 * i]) && bytes_equal(value, fields[2 * i + 1]));
    }
    assert_false(stream_entry_next(&entry, &name, &value));
    assert_int_equal(entry.names.len + entry.values.len, 0);
    free(room);
}

static void test_fields_are_read_as_they_were_packed(void **state)
{
    static char large[70000];
    uint8_t room[STREAM_NAMES_MAX];
    struct bytes empty = bytes_of("", 0), none = {0};
    struct bytes some[] = {bytes_text("a"), bytes_text("1"), empty, empty, bytes_text("a"), bytes_of(large, sizeof large), bytes_of(large, 300), empty};
    (void)state;
    for (size_t count = 1; count <= 4; count++) {
        struct stream_names n = {0};
        uint8_t names[1000];
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            len = (size_t)(element_varint_write(names + len, some[2 * i].len) - names);
            memcpy(names + len, some[2 * i].data, some[2 * i].len);
            len += some[2 * i].len;
        }
        assert_int_equal(stream_names_add(&n, bytes_text("\1x")), 0);
        assert_int_equal(stream_names_add(&n, bytes_of(names, len)), 1);
        struct bytes table = stream_names_write(room, &n);
        assert_reads_again(some, count, -1, none);
        assert_reads_again(some, count, 1, table);
    }
}

static void test_an_entry_whose_list_is_not_there_is_refused(void **state)
{
    struct stream_names n = {.count = 2, .lists = {{.value = bytes_text("\1x")}}};
    uint8_t room[STREAM_NAMES_MAX];
    struct stream_entry entry;
    struct bytes table = stream_names_write(room, &n);
    (void)state;
    assert_true(stream_entry_read(&(struct element){bytes_of("\0\0", 2), bytes_of("\0v", 2), true}, 0, table, &entry));
    assert_false(stream_entry_read(&(struct element){bytes_of("\0\0", 2), bytes_of("\1v", 2), true}, 0, table, &entry)); /* free */
    assert_false(stream_entry_read(&(struct element){bytes_of("\0\0", 2), bytes_of("\2v", 2), true}, 0, table, &entry));
    assert_false(stream_entry_read(&(struct element){bytes_of("\0\0", 2), bytes_of("", 0), true}, 0, table, &entry));
    assert_false(stream_entry_read(&(struct element){bytes_of("\0\0", 2), bytes_of("\3x", 2), false}, 0, table, &entry)); /* names cut off */
}

static void test_a_table_of_names_is_bounded(void **state)
{
    char names[STREAM_NAMES_LISTS + 1][8], long_names[STREAM_NAMES_MAX];
    struct stream_names n = {0}, read;
    uint8_t room[STREAM_NAMES_MAX];
    (void)state;
    for (int i = 0; i <= STREAM_NAMES_LISTS; i++) {
        snprintf(names[i], sizeof names[i], "\2%02d", i);
        assert_int_equal(stream_names_add(&n, bytes_text(names[i])), i < STREAM_NAMES_LISTS ? i : -1);
    }
    assert_true(stream_names_read(stream_names_write(room, &n), &read));
    assert_int_equal(stream_names_find(&read, bytes_text(names[7])), 7);
    assert_int_equal(stream_names_find(&read, bytes_text(names[STREAM_NAMES_LISTS])), -1);
    read.lists[7] = (struct element){0}; /* free, and used again */
    assert_int_equal(stream_names_find(&read, bytes_text(names[7])), -1);
    assert_int_equal(stream_names_add(&read, bytes_text(names[STREAM_NAMES_LISTS])), 7);
    memset(long_names, 1, sizeof long_names);
    read.lists[7] = (struct element){0};
    assert_int_equal(stream_names_add(&read, bytes_of(long_names, sizeof long_names / 2)), 7);
    read.lists[8] = (struct element){0};
    assert_int_equal(stream_names_add(&read, bytes_of(long_names, sizeof long_names / 2)), -1);
}

int run_stream_entry_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_in_the_order_of_ids_and_tell_them),
        cmocka_unit_test(test_a_damaged_key_is_refused),
        cmocka_unit_test(test_fields_are_read_as_they_were_packed),
        cmocka_unit_test(test_an_entry_whose_list_is_not_there_is_refused),
        cmocka_unit_test(test_a_table_of_names_is_bounded),
    };
    return cmocka_run_group_tests_name("stream_entry", tests, NULL, NULL);
}
