/* Rows as they are on disk, and what is refused at open. */
#include "base/codec.h"
#include "fixture.h"
#include "keyspace/keyspace_state.h"

#define NEVER     KEYSPACE_NO_EXPIRY
#define META_NAME "\xff\xffkeyspace"

static void put_row(struct fixture *f, struct bytes name, struct bytes value)
{
    store_begin(f->store);
    store_put(f->store, name, value);
    store_commit(f->store);
}

/* Changes one row behind the keyspace's back and says how opening fails. */
static int open_after(struct fixture *f, struct bytes name, struct bytes value, unsigned databases, struct error *e)
{
    fixture_close(f);
    fixture_open_store(f);
    if (name.len) put_row(f, name, value);
    return keyspace_open(f->store, databases, &f->ks, e);
}

static void test_a_row_s_name_is_slot_database_hash_and_key(void **state)
{
    (void)state;
    struct rowkey_seed seed;
    struct rowkey row;
    struct rowkey_parts parts;
    rowkey_seed_init(&seed, (uint64_t[2]){0, 0});
    rowkey_make(&row, &seed, 0x1234, 0x01020304, bytes_of("\0", 1));
    static const uint8_t head[7] = {0x12, 0x34, 1, 2, 3, 4, 'k'};
    assert_int_equal(row.len, ROWKEY_HEAD + 1);
    assert_memory_equal(row.bytes, head, 7);
    assert_true(rowkey_parse(rowkey_bytes(&row), &parts));
    assert_int_equal(parts.slot, 0x1234);
    assert_int_equal(parts.database_id, 0x01020304);
    assert_int_equal(parts.hash, row.hash);
    assert_memory_equal(row.bytes + 7, "\x68\xa9\x14\x12\x8e\x01\xe4\x73", 8); /* SipHash-1-3 of it, big endian */
    assert_true(bytes_equal(parts.key, bytes_of("\0", 1)));
    row.bytes[6] = 'n';
    assert_false(rowkey_parse(rowkey_bytes(&row), &parts));
    row.bytes[6] = 'k';
    row.bytes[0] = 0x40; /* slot 16384 and more */
    assert_false(rowkey_parse(rowkey_bytes(&row), &parts));
    assert_false(rowkey_parse(bytes_of(head, 7), &parts));
}

static void test_a_row_s_value_is_type_form_flags_and_what_they_say(void **state)
{
    (void)state;
    struct entry en = {KEYSPACE_STRING, ENTRY_WHOLE, NEVER, false, {NULL, 0}, bytes_text("v"), 0};
    struct entry back;
    uint8_t row[64];
    assert_int_equal(entry_size(&en), 4);
    entry_write(row, &en);
    assert_memory_equal(row, "\1\0\0v", 4);
    en = (struct entry){KEYSPACE_STRING, ENTRY_WHOLE, -2, true, bytes_text("key"), bytes_text(""), 0};
    assert_int_equal(entry_size(&en), 18);
    entry_write(row, &en);
    assert_memory_equal(row, "\1\0\3\xfe\xff\xff\xff\xff\xff\xff\xff\3\0\0\0key", 18);
    assert_true(entry_read(bytes_of(row, 18), &back));
    assert_int_equal(back.expires_ms, -2);
    assert_true(bytes_equal(back.key, bytes_text("key")));
    assert_int_equal(back.payload.len, 0);
    for (size_t len = 0; len < 18; len++) assert_false(entry_read(bytes_of(row, len), &back));
    assert_false(entry_read(bytes_text("\2\0\0"), &back));
    assert_false(entry_read(bytes_of("\1\1\0", 3), &back));
    assert_false(entry_read(bytes_of("\1\0\4", 3), &back));
}

static void test_the_seed_is_kept(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "v", NEVER);
    fixture_reopen(f);
    expect(f, 0, "k", "v"); /* found by its hash */
}

static void test_another_format_is_refused_by_its_number(void **state)
{
    struct fixture *f = *state;
    struct error e;
    assert_int_equal(open_after(f, bytes_text(META_NAME), bytes_of("\x39\x30\0\0...", 7), DATABASES, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "format 12345"));
}

static void test_a_damaged_map_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error e;
    assert_int_equal(open_after(f, bytes_text(META_NAME), bytes_of("\2\0\0\0", 4), DATABASES, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "damaged"));
    /* an id twice; an id that was never given out */
    static const uint32_t maps[2][4] = {{3, 2, 1, 1}, {2, 2, 1, 2}};
    for (int i = 0; i < 2; i++) {
        struct buffer b;
        buffer_init(&b, 100);
        write_u32(&b, KEYSPACE_FORMAT);
        write_u64(&b, 1);
        write_u64(&b, 2);
        for (int n = 0; n < 4; n++) write_u32(&b, maps[i][n]);
        assert_int_equal(open_after(f, bytes_text(META_NAME), buffer_bytes(&b), DATABASES, &e), ERROR_FORMAT);
        buffer_release(&b);
    }
}

static void test_rows_without_the_keyspace_s_own_are_refused(void **state)
{
    struct fixture *f = *state;
    struct error e;
    put(f, 0, "k", "v", NEVER);
    store_begin(f->store);
    store_delete(f->store, bytes_text(META_NAME));
    store_commit(f->store);
    assert_int_equal(open_after(f, bytes_text(""), bytes_text(""), DATABASES, &e), ERROR_FORMAT);
}

static void test_rows_that_are_not_understood_are_refused(void **state)
{
    struct fixture *f = *state;
    struct error e;
    struct rowkey row;
    rowkey_bound(&row, 77, 1, 0);
    assert_int_equal(open_after(f, rowkey_bytes(&row), bytes_of("\7\0\0", 3), DATABASES, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "slot 77"));
    assert_int_equal(open_after(f, rowkey_bytes(&row), bytes_of("\1\0\0", 3), DATABASES, &e), 0);
    assert_int_equal(open_after(f, bytes_text("x"), bytes_of("\1\0\0", 3), DATABASES, &e), ERROR_FORMAT);
}

static void test_databases_may_be_added_and_empty_ones_taken_away(void **state)
{
    struct fixture *f = *state;
    struct error e;
    struct bytes none = {NULL, 0};
    put(f, 1, "k", "v", NEVER);
    assert_int_equal(open_after(f, none, none, 1, &e), ERROR_CONFIG);
    assert_non_null(strstr(e.text, "database 1 holds 1 keys"));
    assert_int_equal(open_after(f, none, none, 2, &e), 0);
    expect(f, 1, "k", "v");
    assert_int_equal(open_after(f, none, none, 1000, &e), 0);
    expect(f, 1, "k", "v");
    put(f, 999, "k", "far", NEVER);
    assert_int_equal(open_after(f, none, none, 1000, &e), 0);
    expect(f, 999, "k", "far");
    assert_int_equal(open_after(f, none, none, 0, &e), ERROR_CONFIG);
    assert_int_equal(open_after(f, none, none, 1000000, &e), ERROR_CONFIG);
}

int run_format_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_s_name_is_slot_database_hash_and_key),
        cmocka_unit_test(test_a_row_s_value_is_type_form_flags_and_what_they_say),
        FIXTURE_TEST(test_the_seed_is_kept),
        FIXTURE_TEST(test_another_format_is_refused_by_its_number),
        FIXTURE_TEST(test_a_damaged_map_is_refused),
        FIXTURE_TEST(test_rows_without_the_keyspace_s_own_are_refused),
        FIXTURE_TEST(test_rows_that_are_not_understood_are_refused),
        FIXTURE_TEST(test_databases_may_be_added_and_empty_ones_taken_away),
    };
    return cmocka_run_group_tests_name("keyspace format", tests, NULL, NULL);
}
