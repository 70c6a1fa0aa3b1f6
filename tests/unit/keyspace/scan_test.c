#include "base/random.h"
#include "fixture.h"
#include "keyspace/rowkey.h"

#define KEYS  3000
#define NEVER KEYSPACE_NO_EXPIRY

/* Keys "<i>" or "{t}<i>" by number: how often each was given. */
struct tally {
    struct fixture *f; /* of the scan that runs */
    unsigned given[2 * KEYS];
    size_t in_this_call;
};

static void count_key(void *user, struct bytes key, const struct keyspace_entry *entry)
{
    struct tally *t = user;
    char text[32];
    assert_int_equal(entry->type, KEYSPACE_STRING);
    assert_true(key.len < sizeof text);
    memcpy(text, key.data, key.len);
    text[key.len] = 0;
    const char *digits = text[0] == '{' ? text + 3 : text;
    char value[32] = "";
    keyspace_string_read(t->f->ks, entry, 0, keyspace_string_len(entry), (uint8_t *)value);
    assert_int_equal(strtoul(digits, NULL, 10), strtoul(value, NULL, 10));
    t->given[strtoul(digits, NULL, 10)]++;
    t->in_this_call++;
}

static void name_key(char out[32], bool one_slot, unsigned i)
{
    snprintf(out, 32, one_slot ? "{t}%u" : "%u", i);
}

static void put_number(struct fixture *f, bool one_slot, unsigned i, int64_t expires_ms)
{
    char key[32], value[32];
    name_key(key, one_slot, i);
    snprintf(value, sizeof value, "%u ", i);
    put(f, 0, key, value, expires_ms);
}

static uint64_t scan(struct fixture *f, uint64_t cursor, size_t count, struct tally *t)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    t->f = f;
    t->in_this_call = 0;
    cursor = keyspace_scan(f->ks, cursor, count, count_key, t);
    keyspace_end(f->ks);
    return cursor;
}

static void scan_while_writing(struct fixture *f, bool one_slot, uint64_t random)
{
    static struct tally t;
    memset(&t, 0, sizeof t);
    for (unsigned i = 0; i < KEYS; i++) put_number(f, one_slot, i, NEVER);
    put(f, 1, "5000", "another database", NEVER);
    uint64_t cursor = 0;
    do {
        cursor = scan(f, cursor, 1 + random_below(&random, 40), &t);
        for (int n = 0; n < 5; n++) { /* odd ones come and go, even ones stay, new ones come */
            char key[32];
            name_key(key, one_slot, (unsigned)random_below(&random, KEYS) | 1);
            delete_key(f, 0, key);
            put_number(f, one_slot, (unsigned)random_below(&random, KEYS) | 1, NEVER);
            put_number(f, one_slot, KEYS + (unsigned)random_below(&random, KEYS), NEVER);
        }
        if (random_below(&random, 10) == 0) fixture_settle(f);
        if (random_below(&random, 100) == 0) fixture_reopen(f);
    } while (cursor);
    for (unsigned i = 0; i < KEYS; i += 2)
        if (!t.given[i]) fail_msg("key %u was there all the time and was not given", i);
}

static void test_scan_gives_every_key_that_stays_over_all_slots(void **state)
{
    scan_while_writing(*state, false, test_seed("scan over slots"));
}

static void test_scan_gives_every_key_that_stays_in_one_slot(void **state)
{
    scan_while_writing(*state, true, test_seed("scan in a slot"));
}

static void test_scan_of_a_still_database_gives_each_key_once_and_enough_at_a_time(void **state)
{
    struct fixture *f = *state;
    static struct tally t;
    memset(&t, 0, sizeof t);
    for (unsigned i = 0; i < KEYS; i++) put_number(f, i % 3 == 0, i, NEVER);
    uint64_t cursor = 0;
    do {
        cursor = scan(f, cursor, 100, &t);
        if (cursor) assert_int_equal(t.in_this_call, 100);
        assert_true(cursor <= INT64_MAX);
    } while (cursor);
    for (unsigned i = 0; i < KEYS; i++) assert_int_equal(t.given[i], 1);
    assert_int_equal(scan(f, 0, SIZE_MAX, &t), 0);
    assert_int_equal(t.in_this_call, KEYS);
    assert_int_not_equal(scan(f, 0, 0, &t), 0); /* as COUNT 1 */
    assert_int_equal(t.in_this_call, 1);
}

static void test_scan_of_nothing_and_strange_cursors_end(void **state)
{
    struct fixture *f = *state;
    static struct tally t;
    memset(&t, 0, sizeof t);
    assert_int_equal(scan(f, 0, 10, &t), 0);
    assert_int_equal(scan(f, UINT64_MAX, 10, &t), 0);
    assert_int_equal(scan(f, (uint64_t)ROWKEY_SLOTS << 39, 10, &t), 0);
    put_number(f, false, 1, NEVER);
    assert_int_equal(scan(f, UINT64_MAX, 10, &t), 0);
    assert_int_equal(t.in_this_call, 0);
}

static void test_scan_leaves_out_expired_keys_and_long_runs_of_them_do_not_hold_it_up(void **state)
{
    struct fixture *f = *state;
    static struct tally t;
    memset(&t, 0, sizeof t);
    for (unsigned i = 0; i < KEYS; i++) put_number(f, true, i, i == KEYS / 2 ? NEVER : f->now_ms + 1);
    f->now_ms += 1;
    uint64_t cursor = 0;
    int calls = 0;
    do {
        cursor = scan(f, cursor, 1, &t);
        calls++;
    } while (cursor);
    assert_true(calls >= 3);
    for (unsigned i = 0; i < KEYS; i++) assert_int_equal(t.given[i], i == KEYS / 2);
}

/* Rows whose hashes differ only below what a cursor holds; no keys can be found that hash so, but rows can be made. */
static void test_keys_that_a_cursor_cannot_tell_apart_are_given_together(void **state)
{
    struct fixture *f = *state;
    static struct tally t;
    memset(&t, 0, sizeof t);
    fixture_close(f);
    fixture_open_store(f); /* the keyspace counts them when it opens */
    store_begin(f->store);
    for (unsigned i = 0; i < 12; i++) {
        struct rowkey row;
        char value[16];
        rowkey_bound(&row, 5, 1, UINT64_C(0xabcdef) << 32 | (i / 4) << 25 | i);
        row.len += (size_t)snprintf((char *)row.bytes + row.len, 8, "%u", i);
        snprintf(value, sizeof value, "%c%c%c%u ", 1, 0, 0, i);
        store_put(f->store, rowkey_bytes(&row), bytes_of(value, 3 + strlen(value + 3) + 1));
    }
    store_commit(f->store);
    store_close(f->store);
    fixture_open(f);
    uint64_t cursor = 0;
    for (unsigned group = 0; group < 3; group++) {
        cursor = scan(f, cursor, 1, &t);
        assert_int_equal(t.in_this_call, 4);
        assert_int_equal(cursor == 0, group == 2);
    }
    for (unsigned i = 0; i < 12; i++) assert_int_equal(t.given[i], 1);
}

static void collect_key(void *user, struct bytes key)
{
    char *list = user;
    strncat(list, (const char *)key.data, key.len);
    strcat(list, " ");
}

static void test_keys_of_a_slot_are_listed(void **state)
{
    struct fixture *f = *state;
    char list[256] = "";
    put(f, 0, "{t}1", "v", NEVER);
    put(f, 0, "{t}2", "v", NEVER);
    put(f, 0, "{t}3", "v", NEVER);
    put(f, 0, "u", "v", NEVER);
    put(f, 1, "{t}4", "v", NEVER);
    keyspace_begin(f->ks, 0, f->now_ms);
    unsigned slot = keyspace_slot(bytes_text("t"));
    keyspace_slot_keys(f->ks, slot, 2, collect_key, list);
    assert_int_equal(strlen(list), 10);
    list[0] = 0;
    keyspace_slot_keys(f->ks, slot, 100, collect_key, list);
    assert_int_equal(strlen(list), 15);
    assert_non_null(strstr(list, "{t}1 "));
    assert_non_null(strstr(list, "{t}2 "));
    assert_non_null(strstr(list, "{t}3 "));
    list[0] = 0;
    keyspace_slot_keys(f->ks, slot ^ 1, 100, collect_key, list);
    keyspace_slot_keys(f->ks, 70000, 100, collect_key, list);
    assert_string_equal(list, "");
    keyspace_end(f->ks);
}

int run_scan_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_scan_gives_every_key_that_stays_over_all_slots),
        FIXTURE_TEST(test_scan_gives_every_key_that_stays_in_one_slot),
        FIXTURE_TEST(test_scan_of_a_still_database_gives_each_key_once_and_enough_at_a_time),
        FIXTURE_TEST(test_scan_of_nothing_and_strange_cursors_end),
        FIXTURE_TEST(test_scan_leaves_out_expired_keys_and_long_runs_of_them_do_not_hold_it_up),
        FIXTURE_TEST(test_keys_that_a_cursor_cannot_tell_apart_are_given_together),
        FIXTURE_TEST(test_keys_of_a_slot_are_listed),
    };
    return cmocka_run_group_tests_name("keyspace scan", tests, NULL, NULL);
}
