/* Large strings: which rows they take, and what becomes of these. */
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/keyspace_state.h"

#define NEVER KEYSPACE_NO_EXPIRY

static struct bytes filled(size_t len, char with)
{
    static uint8_t bytes[1 << 20];
    assert_true(len <= sizeof bytes);
    memset(bytes, with, len);
    return bytes_of(bytes, len);
}

/* One command each. */
static struct store_position put_large(struct fixture *f, unsigned database, const char *key, size_t len, char with)
{
    keyspace_begin(f->ks, database, f->now_ms);
    keyspace_string_put(f->ks, bytes_text(key), filled(len, with), NEVER);
    return keyspace_end(f->ks);
}

static struct store_position write_at(struct fixture *f, const char *key, size_t offset, struct bytes with)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_string_write(f->ks, bytes_text(key), offset, with);
    return keyspace_end(f->ks);
}

static enum keyspace_transfer move_to(struct fixture *f, const char *from, unsigned database, const char *to)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    struct keyspace_destination d = {database, bytes_text(to), true};
    enum keyspace_transfer outcome = keyspace_move(f->ks, bytes_text(from), &d);
    keyspace_end(f->ks);
    return outcome;
}

static void expect_large(struct fixture *f, unsigned database, const char *key, size_t len, char with)
{
    keyspace_begin(f->ks, database, f->now_ms);
    struct keyspace_entry en = keyspace_find(f->ks, bytes_text(key));
    if (!holds(f, &en, filled(len, with))) fail_msg("key %s does not hold %zu times '%c'", key, len, with);
    keyspace_end(f->ks);
}

/* Rows of parts of values. */
static unsigned nodes(struct fixture *f)
{
    struct store_iterator *it = store_iterate(f->store, bytes_of("", 0), bytes_of("\xff\xff", 2));
    struct bytes name;
    struct store_value value;
    struct rowkey_node node;
    unsigned count = 0;
    while (store_iterator_next(it, &name, &value)) count += rowkey_node_parse(name, &node);
    store_iterator_close(it);
    return count;
}

static void check(struct fixture *f)
{
    struct error e;
    if (keyspace_check(f->ks, &e)) fail_msg("%s", e.text);
}

/* Zeros, but for one byte at 100,000. */
static void fill_with_a_byte(void *user, size_t at, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 0, len);
    if (at <= 100000 && 100000 < at + len) out[100000 - at] = 1;
}

static void test_a_string_that_is_made_takes_no_rows_for_zeros(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "k", 300000, 'a');
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_string_make(f->ks, bytes_text("k"), (size_t)64 << 20, fill_with_a_byte, NULL, NEVER);
    struct keyspace_entry en = keyspace_find(f->ks, bytes_text("k"));
    assert_int_equal(keyspace_string_len(&en), 64 << 20);
    struct bytes piece = keyspace_string_piece(f->ks, &en, 99999);
    assert_true(piece.data && piece.data[0] == 0 && piece.data[1] == 1);
    piece = keyspace_string_piece(f->ks, &en, CHUNKS_BYTES * 7 + 1);
    assert_true(!piece.data && piece.len == CHUNKS_BYTES - 1);
    keyspace_end(f->ks);
    while (keyspace_reclaim(f->ks, 100)) {}
    assert_int_equal(nodes(f), 1);
    check(f);
}

static void test_a_string_over_64_kib_is_in_rows_of_its_own(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "whole", CHUNKS_WHOLE_MAX, 'a');
    assert_int_equal(nodes(f), 0);
    put_large(f, 0, "put", CHUNKS_WHOLE_MAX + 1, 'a');
    assert_int_equal(nodes(f), 5);
    write_at(f, "whole", CHUNKS_WHOLE_MAX, bytes_text("a"));
    assert_int_equal(nodes(f), 10);
    for (int round = 0; round < 2; round++) {
        expect_large(f, 0, "whole", CHUNKS_WHOLE_MAX + 1, 'a');
        expect_large(f, 0, "put", CHUNKS_WHOLE_MAX + 1, 'a');
        check(f);
        fixture_reopen(f);
    }
    put_large(f, 0, "put", CHUNKS_WHOLE_MAX, 'b'); /* put anew it is whole again */
    expect_large(f, 0, "put", CHUNKS_WHOLE_MAX, 'b');
    while (keyspace_reclaim(f->ks, 100)) {}
    assert_int_equal(nodes(f), 5);
}

static void test_a_byte_far_behind_the_end_takes_one_row(void **state)
{
    struct fixture *f = *state;
    size_t far = ((size_t)512 << 20) - 1;
    put(f, 0, "k", "ab", f->now_ms + 1000);
    write_at(f, "k", far, bytes_text("z"));
    write_at(f, "new", far, bytes_text("z"));
    assert_int_equal(nodes(f), 3); /* that with "ab", and the last ones */
    for (int round = 0; round < 2; round++) {
        uint8_t head[100], tail[100], expected[100] = "ab";
        keyspace_begin(f->ks, 0, f->now_ms);
        struct keyspace_entry en = keyspace_find(f->ks, bytes_text("k"));
        assert_int_equal(keyspace_string_len(&en), far + 1);
        assert_true(en.expires_ms == f->now_ms + 1000);
        keyspace_string_read(f->ks, &en, 0, 100, head);
        keyspace_string_read(f->ks, &en, far - 99, 100, tail);
        keyspace_end(f->ks);
        assert_memory_equal(head, expected, 100);
        assert_int_equal(tail[99], 'z');
        for (int i = 0; i < 99; i++) assert_int_equal(tail[i], 0);
        check(f);
        fixture_reopen(f);
    }
}

static void test_a_small_change_of_a_large_string_is_a_small_record(void **state)
{
    struct fixture *f = *state;
    struct store_statistics before, after;
    put_large(f, 0, "k", 1000000, 'a');
    store_flush(f->store);
    store_statistics(f->store, &before);
    for (int i = 0; i < 10; i++) write_at(f, "k", 500000, bytes_text("0123456789"));
    for (size_t i = 0; i < 10; i++) write_at(f, "k", 1000000 + 10 * i, bytes_text("0123456789"));
    store_statistics(f->store, &after);
    assert_true(after.log_unwritten - before.log_unwritten < 20 * 200);
    check(f);
}

static void test_a_deleted_large_string_is_gone_at_once_and_its_rows_bit_by_bit(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "k", 20 * CHUNKS_BYTES, 'a');
    put_large(f, 0, "stays", 10 * CHUNKS_BYTES, 'b');
    fixture_settle(f);
    delete_key(f, 0, "k");
    expect(f, 0, "k", NULL);
    assert_int_equal(nodes(f), 30);
    assert_int_equal(keyspace_reclaim(f->ks, 7), 7);
    assert_int_equal(nodes(f), 23);
    check(f);
    fixture_reopen(f);
    check(f);
    assert_int_equal(keyspace_reclaim(f->ks, 1000), 13);
    assert_int_equal(nodes(f), 10);
    assert_int_equal(keyspace_reclaim(f->ks, 1000), 0);
    expect_large(f, 0, "stays", 10 * CHUNKS_BYTES, 'b');
    fixture_reopen(f);
    check(f);
}

static void test_an_expired_large_string_is_deleted_by_the_sweeper_and_by_who_looks(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "swept", 5 * CHUNKS_BYTES, 'a');
    put_large(f, 0, "looked at", 5 * CHUNKS_BYTES, 'a');
    expire_key(f, 0, "swept", f->now_ms + 1);
    expire_key(f, 0, "looked at", f->now_ms + 1);
    expect_large(f, 0, "swept", 5 * CHUNKS_BYTES, 'a');
    f->now_ms++;
    expect(f, 0, "looked at", NULL);
    while (sweep(f, 1000, f->now_ms)) {}
    check(f);
    while (keyspace_reclaim(f->ks, 3)) check(f);
    assert_int_equal(nodes(f), 0);
}

static void test_put_over_its_like_leaves_nothing_to_be_deleted(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "k", 10 * CHUNKS_BYTES - 5, 'a');
    put_large(f, 0, "k", 10 * CHUNKS_BYTES, 'b');
    put_large(f, 0, "k", 10 * CHUNKS_BYTES - 1, 'c');
    assert_int_equal(nodes(f), 10);
    assert_int_equal(keyspace_reclaim(f->ks, 1000), 0);
    put_large(f, 0, "k", 9 * CHUNKS_BYTES, 'd');
    expect_large(f, 0, "k", 9 * CHUNKS_BYTES, 'd');
    check(f);
    while (keyspace_reclaim(f->ks, 1000)) {}
    assert_int_equal(nodes(f), 9);
    expect_large(f, 0, "k", 9 * CHUNKS_BYTES, 'd');
}

static void test_within_a_database_a_large_string_is_moved_without_its_rows(void **state)
{
    struct fixture *f = *state;
    struct store_statistics before, after;
    put_large(f, 0, "k", 1000000, 'a');
    put_large(f, 0, "in the way", 100000, 'b');
    store_flush(f->store);
    store_statistics(f->store, &before);
    assert_int_equal(move_to(f, "k", 0, "in the way"), KEYSPACE_TRANSFERRED);
    store_statistics(f->store, &after);
    assert_true(after.log_unwritten - before.log_unwritten < 500);
    expect(f, 0, "k", NULL);
    check(f);
    write_at(f, "in the way", 0, bytes_text("a"));
    while (keyspace_reclaim(f->ks, 1000)) {}
    fixture_reopen(f);
    expect_large(f, 0, "in the way", 1000000, 'a');
    check(f);
    assert_int_equal(nodes(f), 62);
    delete_key(f, 0, "in the way");
    while (keyspace_reclaim(f->ks, 1000)) {}
    assert_int_equal(nodes(f), 0);
}

static void test_moved_to_another_database_it_outlives_its_old_one(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "k", 100000, 'a');
    assert_int_equal(move_to(f, "k", 2, "k"), KEYSPACE_TRANSFERRED);
    check(f);
    put_large(f, 0, "other", 100000, 'b');
    assert_int_equal(nodes(f), 21);
    flush(f, 0);
    assert_int_equal(nodes(f), 7); /* what waits to be deleted goes with the database too */
    check(f);
    while (keyspace_reclaim(f->ks, 2)) check(f);
    assert_int_equal(nodes(f), 7);
    expect_large(f, 2, "k", 100000, 'a');
    fixture_reopen(f);
    expect_large(f, 2, "k", 100000, 'a');
    check(f);
}

static void test_a_copy_is_another_s(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "k", 100000, 'a');
    write_at(f, "k", 300000, bytes_text("z")); /* with a hole */
    for (unsigned database = 0; database < 2; database++) {
        keyspace_begin(f->ks, 0, f->now_ms);
        struct keyspace_destination d = {database, bytes_text("copy"), true};
        assert_int_equal(keyspace_copy(f->ks, bytes_text("k"), &d), KEYSPACE_TRANSFERRED);
        keyspace_end(f->ks);
    }
    unsigned copies = nodes(f);
    put_large(f, 0, "k", 100000, 'b');
    delete_key(f, 0, "k");
    while (keyspace_reclaim(f->ks, 1000)) {}
    assert_int_equal(nodes(f), copies / 3 * 2);
    for (unsigned database = 0; database < 2; database++) {
        uint8_t bytes[3];
        keyspace_begin(f->ks, database, f->now_ms);
        struct keyspace_entry en = keyspace_find(f->ks, bytes_text("copy"));
        assert_int_equal(keyspace_string_len(&en), 300001);
        keyspace_string_read(f->ks, &en, 99999, 2, bytes);
        keyspace_string_read(f->ks, &en, 300000, 1, bytes + 2);
        assert_memory_equal(bytes, "a\0z", 3);
        keyspace_end(f->ks);
    }
    check(f);
}

static void test_ids_of_objects_never_repeat(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;
    for (int round = 0; round < 6; round++) {
        put_large(f, 0, round % 2 ? "a" : "b", 70000, 'x');
        delete_key(f, 0, round % 2 ? "a" : "b");
        assert_true(f->ks->objects.next > last);
        last = f->ks->objects.next;
        if (round < 3) {
            fixture_reopen(f);
            continue;
        }
        fixture_close(f);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) { /* a process that ends without a word */
            fixture_open(f);
            put_large(f, 0, "c", 70000, 'x');
            store_flush(f->store);
            _exit(f->ks->objects.next > last ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        fixture_open(f);
        expect_large(f, 0, "c", 70000, 'x');
        check(f);
    }
}

static void test_nothing_written_behind_the_end_is_no_change(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "large", 100000, 'a');
    put_large(f, 0, "small", 10, 'a');
    struct store_statistics before, after;
    store_statistics(f->store, &before);
    keyspace_begin(f->ks, 0, f->now_ms);
    assert_int_equal(keyspace_string_write(f->ks, bytes_text("large"), 200000, bytes_of(NULL, 0)), 100000);
    assert_int_equal(keyspace_string_write(f->ks, bytes_text("small"), 200000, bytes_of(NULL, 0)), 10);
    keyspace_end(f->ks);
    store_statistics(f->store, &after);
    assert_int_equal(after.batches, before.batches);
    expect_large(f, 0, "large", 100000, 'a');
    expect_large(f, 0, "small", 10, 'a');
}

static struct store_position read_byte(struct fixture *f, size_t at)
{
    uint8_t byte;
    keyspace_begin(f->ks, 0, f->now_ms);
    struct keyspace_entry en = keyspace_find(f->ks, bytes_text("k"));
    keyspace_string_read(f->ks, &en, at, 1, &byte);
    return keyspace_end(f->ks);
}

static void test_who_reads_a_chunk_waits_for_its_writer(void **state)
{
    struct fixture *f = *state;
    put_large(f, 0, "k", 100000, 'a');
    fixture_settle(f);
    struct store_position written = write_at(f, "k", 50000, bytes_text("b"));
    assert_int_not_equal(written.sequence, 0);
    assert_int_equal(read_byte(f, 50000).sequence, written.sequence);
    assert_int_equal(read_byte(f, 90000).sequence, 0);
}

static void test_the_rows_of_a_large_string_are_in_the_way_of_nobody(void **state)
{
    struct fixture *f = *state;
    unsigned slot = keyspace_slot(bytes_text("{t}"));
    put_large(f, 1, "{t}large", 200000, 'a');
    put(f, 1, "{t}small", "v", NEVER);
    for (int round = 0; round < 3; round++) {
        struct buffer key;
        buffer_init(&key, 100);
        keyspace_begin(f->ks, 1, f->now_ms);
        assert_int_equal(keyspace_slot_size(f->ks, slot), 2);
        assert_true(keyspace_random(f->ks, (uint64_t)round, &key));
        keyspace_end(f->ks);
        buffer_release(&key);
        check(f);
        if (round) { /* counted row by row, for want of counts that hold */
            fixture_close(f);
            fixture_open_store(f);
            store_begin(f->store);
            store_delete(f->store, bytes_of("\xff\xff" "counts\0\0\0\0", 12));
            store_commit(f->store);
            store_close(f->store);
            fixture_open(f);
        } else {
            fixture_reopen(f);
        }
    }
}

int run_string_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_string_over_64_kib_is_in_rows_of_its_own),
        FIXTURE_TEST(test_a_string_that_is_made_takes_no_rows_for_zeros),
        FIXTURE_TEST(test_a_byte_far_behind_the_end_takes_one_row),
        FIXTURE_TEST(test_a_small_change_of_a_large_string_is_a_small_record),
        FIXTURE_TEST(test_a_deleted_large_string_is_gone_at_once_and_its_rows_bit_by_bit),
        FIXTURE_TEST(test_an_expired_large_string_is_deleted_by_the_sweeper_and_by_who_looks),
        FIXTURE_TEST(test_put_over_its_like_leaves_nothing_to_be_deleted),
        FIXTURE_TEST(test_within_a_database_a_large_string_is_moved_without_its_rows),
        FIXTURE_TEST(test_moved_to_another_database_it_outlives_its_old_one),
        FIXTURE_TEST(test_a_copy_is_another_s),
        FIXTURE_TEST(test_ids_of_objects_never_repeat),
        FIXTURE_TEST(test_nothing_written_behind_the_end_is_no_change),
        FIXTURE_TEST(test_who_reads_a_chunk_waits_for_its_writer),
        FIXTURE_TEST(test_the_rows_of_a_large_string_are_in_the_way_of_nobody),
    };
    return cmocka_run_group_tests_name("keyspace strings", tests, NULL, NULL);
}
