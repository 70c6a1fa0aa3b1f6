/* Dropping ranges of rows: what is gone stays gone wherever it was, and what came afterwards stays. */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"

#define SLOT(a, b) (uint16_t)((a) << 8 | (b))
#define DATABASE(text) ((uint32_t)(text)[0] << 24 | (uint32_t)(text)[1] << 16 | (uint32_t)(text)[2] << 8 | (uint32_t)(text)[3])

static void drop_slots(struct fixture *f, uint16_t first, uint16_t last)
{
    store_begin(f->store);
    store_drop(f->store, &(struct store_range){.first_slot = first, .last_slot = last});
    store_commit(f->store);
}

static void drop_database(struct fixture *f, uint16_t first, uint16_t last, const char *database)
{
    store_begin(f->store);
    store_drop(f->store, &(struct store_range){first, last, true, DATABASE(database)});
    store_commit(f->store);
}

/* ---- the list ---- */

static struct store_range random_drop(uint64_t *random)
{
    uint16_t first = (uint16_t)random_below(random, 6), last = (uint16_t)(first + random_below(random, 3));
    return (struct store_range){first, last, random_below(random, 2) != 0, (uint32_t)random_below(random, 4)};
}

static bool covers(const struct store_range *r, uint64_t group)
{
    return group >> 32 >= r->first_slot && group >> 32 <= r->last_slot && (!r->one_database || (uint32_t)group == r->database);
}

static void test_a_list_of_drops_knows_the_newest_of_each_group(void **state)
{
    (void)state;
    uint64_t random = test_seed("store drops");
    for (int round = 0; round < 2000; round++) {
        struct drop_list l = {0};
        struct drop all[8];
        uint64_t count = random_below(&random, 8);
        for (uint64_t i = 0; i < count; i++) {
            all[i] = (struct drop){random_drop(&random), 10 * (i / 2 + 1)}; /* two of a sequence */
            drop_list_add(&l, &all[i].range, all[i].sequence);
        }
        uint64_t next = ROW_GROUPS; /* counted down: the first covered from here on */
        for (uint64_t slot = 9; slot--;)
            for (uint64_t database = 6; database--;) {
                uint64_t group = slot << 32 | database, newest = 0;
                uint8_t key[ROW_GROUP_SIZE];
                for (uint64_t i = 0; i < count; i++)
                    if (covers(&all[i].range, group)) newest = all[i].sequence;
                if (newest) next = group;
                assert_int_equal(drop_sequence(&l, row_group_begin(group, key)), newest);
                assert_int_equal(drop_next_group(&l, group), next);
            }
        drop_list_forget(&l, 20);
        for (size_t i = 0; i < l.count; i++) assert_true(l.drops[i].sequence > 20);
        drop_list_release(&l);
    }
}

static void test_a_drop_of_the_same_rows_takes_the_place_of_an_older_one(void **state)
{
    (void)state;
    struct drop_list l = {0};
    for (uint64_t n = 1; n < 1000; n++) drop_list_add(&l, &(struct store_range){0, 100, true, (uint32_t)n % 4}, n);
    assert_int_equal(l.count, 4);
    drop_list_add(&l, &(struct store_range){5, 6, true, 1}, 1000); /* less than one there */
    assert_int_equal(l.count, 5);
    drop_list_add(&l, &(struct store_range){0, 100, false, 0}, 1001); /* all of them */
    assert_int_equal(l.count, 1);
    drop_list_release(&l);
}

static void test_groups_rise_with_keys(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t len;
        uint64_t group;
    } keys[] = {{"", 0, 0},
                {"\0", 1, 0},
                {"\0\0\0\0\0\0x", 7, 0},
                {"\0\0\0\0\0\1", 6, 1},
                {"\1", 1, (uint64_t)1 << 40},
                {"ab", 2, (uint64_t)0x6162 << 32},
                {"ab\0\0\0\0", 6, (uint64_t)0x6162 << 32},
                {"ab\0\0\1", 5, (uint64_t)0x616200000100},
                {"abcdef", 6, (uint64_t)0x616263646566},
                {"abcdefg", 7, (uint64_t)0x616263646566}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        uint8_t bytes[ROW_GROUP_SIZE];
        struct bytes key = bytes_of(keys[i].key, keys[i].len), least = row_group_begin(keys[i].group, bytes);
        assert_int_equal(row_group(key), keys[i].group);
        assert_int_equal(row_group(least), keys[i].group);
        assert_true(bytes_compare(least, key) <= 0);
    }
}

/* ---- what it does to rows ---- */

/* Rows of slots "s1" to "s4", databases "aaaa" and "bbbb". */
static void put_rows(struct fixture *f, int count, const char *value)
{
    for (int i = 0; i < count; i++) {
        char key[24];
        snprintf(key, sizeof key, "s%d%s%04d", 1 + i % 4, i % 8 < 4 ? "aaaa" : "bbbb", i);
        put(f, key, value);
    }
}

/* "key=value" of all rows, joined by blanks. */
static const char *all_rows(struct fixture *f)
{
    static char found[2048];
    struct bytes key;
    struct store_value v;
    struct store_iterator *it = store_iterate(f->store, bytes_text(""), bytes_text(""));
    *found = 0;
    while (store_iterator_next(it, &key, &v)) {
        size_t len = strlen(found);
        snprintf(found + len, sizeof found - len, "%s%.*s=%.*s", len ? " " : "", (int)key.len, (const char *)key.data, (int)v.data.len,
                 (const char *)v.data.data);
    }
    store_iterator_close(it);
    return found;
}

/* Each step is taken with what came before in memory, in LMDB, or read from there; and what it leaves lasts. */
static void test_a_drop_takes_what_was_there_and_leaves_what_comes(void **state)
{
    (void)state;
    for (int where = 0; where < 3; where++) {
        struct fixture f;
        fixture_begin(&f);
        fixture_open(&f);
        put_rows(&f, 8, "old"), put(&f, "s", "short"), put(&f, "s2", "short"), put(&f, "t1aaaa", "far");
        if (where) fixture_checkpoint(&f);
        if (where == 2) fixture_reopen(&f);
        if (where == 2) expect(&f, "s2aaaa0001", "old");
        drop_database(&f, SLOT('s', '2'), SLOT('s', '3'), "aaaa");
        expect(&f, "s2aaaa0001", NULL);
        expect(&f, "s2bbbb0005", "old");
        assert_string_equal(all_rows(&f), "s=short s1aaaa0000=old s1bbbb0004=old s2=short s2bbbb0005=old s3bbbb0006=old s4aaaa0003=old "
                                          "s4bbbb0007=old t1aaaa=far");
        drop_slots(&f, SLOT('s', 0), SLOT('s', '3'));
        assert_string_equal(all_rows(&f), "s4aaaa0003=old s4bbbb0007=old t1aaaa=far");
        store_begin(f.store);
        store_splice(f.store, bytes_text("s1aaaa0000"), 0, 0, bytes_text("new")); /* to nothing */
        store_delete(f.store, bytes_text("s2aaaa0001"));
        store_put(f.store, bytes_text("s3aaaa0002"), bytes_text("new"));
        store_commit(f.store);
        static const char wanted[] = "s1aaaa0000=new s3aaaa0002=new s4aaaa0003=old s4bbbb0007=old t1aaaa=far";
        assert_string_equal(all_rows(&f), wanted);
        for (int round = 0; round < 3; round++) {
            if (round == 1) fixture_checkpoint(&f);
            if (round == 2) fixture_reopen(&f);
            assert_string_equal(all_rows(&f), wanted);
            expect(&f, "s2", NULL), expect(&f, "s1aaaa0000", "new"), expect(&f, "s2aaaa0001", NULL), expect(&f, "s3bbbb0006", NULL);
        }
        assert_int_equal(f.report.rows, 5);
        fixture_end(&f);
    }
}

static void test_within_a_batch_order_counts(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    store_begin(f.store);
    store_drop(f.store, &(struct store_range){0, UINT16_MAX, false, 0});
    store_put(f.store, bytes_text("a"), bytes_text("1"));
    store_put(f.store, bytes_text("b"), bytes_text("1"));
    store_drop(f.store, &(struct store_range){SLOT('a', 0), SLOT('a', 255), false, 0});
    store_drop(f.store, &(struct store_range){SLOT('c', 0), SLOT('c', 255), false, 0});
    store_put(f.store, bytes_text("c"), bytes_text("1"));
    store_splice(f.store, bytes_text("b"), 1, 0, bytes_text("2"));
    struct store_position p = store_commit(f.store);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(f.store->sequence, p.sequence);
        assert_string_equal(all_rows(&f), "b=12 c=1");
        expect(&f, "a", NULL);
        fixture_reopen(&f);
    }
    fixture_end(&f);
}

static void test_a_dropped_row_has_the_drop_s_position(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    put(&f, "memory", "1"), put(&f, "disk", "1");
    fixture_checkpoint(&f);
    fixture_reopen(&f);
    expect(&f, "memory", "1");
    drop_slots(&f, 0, UINT16_MAX);
    struct store_position p = store_position_of(f.store, f.store->sequence);
    assert_int_equal(store_position_compare(expect(&f, "memory", NULL), p), 0);
    assert_int_equal(store_position_compare(expect(&f, "disk", NULL), p), 0);
    fixture_settle(&f);
    assert_int_equal(expect(&f, "memory", NULL).sequence, 0);
    assert_int_equal(expect(&f, "disk", NULL).sequence, 0);
    fixture_end(&f);
}

static void test_memory_and_disk_come_back(void **state)
{
    (void)state;
    struct fixture f;
    struct store_statistics before, full, after;
    fixture_begin(&f);
    f.calls.transaction_rows = 10;
    fixture_open(&f);
    fixture_checkpoint(&f);
    store_statistics(f.store, &before);
    put_rows(&f, 4000, "v");
    fixture_checkpoint(&f);
    put_rows(&f, 400, "w"); /* some dirty, the rest clean */
    store_statistics(f.store, &full);
    assert_true(full.memory_bytes > before.memory_bytes + 4000 * 40);
    drop_slots(&f, 0, UINT16_MAX);
    put(&f, "s4", "1");
    uint64_t commits = checkpoint_commits(f.store->checkpoint);
    fixture_checkpoint(&f);
    assert_true(checkpoint_commits(f.store->checkpoint) - commits >= 400); /* none of more than ten */
    for (int turns = 0; f.store->drops.count; turns++) {
        assert_true(turns < 1000);
        store_flush(f.store);
    }
    store_statistics(f.store, &after);
    assert_int_equal(after.rows_durable, 1);
    assert_int_equal(after.dirty_rows, 0);
    assert_int_equal(after.cached_rows, 1);
    assert_true(after.memory_bytes < before.memory_bytes + 4096 + 200);
    assert_string_equal(all_rows(&f), "s4=1");
    fixture_end(&f);
}

/* Each turn does a bit of it; all the while, and after, the rows are gone and those put again there, also when they leave memory and are read from
 * LMDB meanwhile. */
static void expect_reput(struct fixture *f, int count)
{
    for (int i = 0; i < count; i += 37) {
        char key[24];
        snprintf(key, sizeof key, "s%d%s%04d", 1 + i % 4, i % 8 < 4 ? "aaaa" : "bbbb", i);
        expect(f, key, i < 100 ? "new" : NULL);
    }
}

static void test_a_drop_of_many_rows_takes_many_turns(void **state)
{
    (void)state;
    for (int clean = 0; clean < 2; clean++) {
        struct fixture f;
        int count = 20000, turns = 0;
        fixture_begin(&f);
        f.calls.segment_size = 4 << 20;
        fixture_open(&f);
        put_rows(&f, count, "v");
        if (clean) fixture_checkpoint(&f);
        drop_slots(&f, 0, UINT16_MAX);
        put_rows(&f, 100, "new");
        fixture_settle(&f);
        store_checkpoint_soon(f.store);
        store_flush(f.store);
        while (!checkpoint_is_done(f.store->checkpoint)) fixture_pause(); /* at once, as turns go */
        for (; f.store->drops.count; turns++) {
            expect_reput(&f, count);
            store_set_memory_max(f.store, 1);
            store_flush(f.store);
            store_set_memory_max(f.store, 0);
        }
        assert_true(turns > 5);
        expect_reput(&f, count);
        assert_int_equal(disk_row_count(&f.store->disk), 100);
        fixture_end(&f);
    }
}

/* ---- interrupted ---- */

static atomic_int commits_left;

static int limited_commit(MDB_txn *txn)
{
    if (atomic_fetch_sub(&commits_left, 1) > 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOSPC;
}

static const struct disk_calls limited = {limited_commit};

/* After the drop some rows are put anew, in front of where the checkpoint stops and behind: those in front are then in LMDB and nowhere else. */
static void test_a_checkpoint_with_a_drop_may_stop_anywhere(void **state)
{
    (void)state;
    for (int commits = 0; commits < 14; commits++) {
        struct fixture f;
        fixture_begin(&f);
        f.calls.disk = &limited;
        f.calls.transaction_rows = 10;
        atomic_store(&commits_left, INT_MAX);
        fixture_open(&f);
        put_rows(&f, 80, "old");
        fixture_checkpoint(&f);
        for (int round = 0; round < 2; round++) { /* twice in a row */
            put(&f, "s2aaaa0001", "dead");
            drop_database(&f, SLOT('s', '1'), SLOT('s', '3'), "aaaa");
            put(&f, "s1aaaa0000", "+"), put(&f, "s1aaaa0048", "+"), put(&f, "s3aaaa0042", "+"), put(&f, "s4bbbb0007", "+");
            atomic_store(&commits_left, commits);
            store_checkpoint_soon(f.store);
            fixture_settle(&f);
            store_begin(f.store);
            store_splice(f.store, bytes_text("s1aaaa0000"), 1, 0, bytes_text("-")); /* on what LMDB has from after the drop */
            store_splice(f.store, bytes_text("s2aaaa0001"), 0, 0, bytes_text("-")); /* on nothing */
            store_commit(f.store);
            fixture_settle(&f);
            while (atomic_load(&commits_left) > 0 && f.store->phase == PHASE_RUNNING) {
                fixture_pause();
                store_flush(f.store);
            }
            fixture_close(&f);
            atomic_store(&commits_left, INT_MAX);
            fixture_open(&f);
            for (int twice = 0; twice < 2; twice++) { /* from disk, perhaps, then from memory */
                expect(&f, "s1aaaa0000", "+-"), expect(&f, "s1aaaa0008", NULL), expect(&f, "s1aaaa0048", "+"), expect(&f, "s2aaaa0001", "-");
                expect(&f, "s2bbbb0005", "old"), expect(&f, "s3aaaa0042", "+"), expect(&f, "s3aaaa0050", NULL), expect(&f, "s4bbbb0007", "+");
            }
        }
        fixture_checkpoint(&f);
        fixture_reopen(&f);
        assert_int_equal(f.report.rows, 80 - 30 + 4);
        fixture_end(&f);
    }
}

/* ---- what changed ---- */

static int note_drop(void *user, const struct store_range *range)
{
    char *out = user;
    snprintf(out + strlen(out), 400 - strlen(out), "drop %x-%x %x; ", range->first_slot, range->last_slot,
             range->one_database ? range->database : 0);
    return 0;
}

static int note_change(void *user, struct bytes key, const struct bytes *before, const struct bytes *now)
{
    char *out = user;
    snprintf(out + strlen(out), 400 - strlen(out), "%.*s %.*s>%.*s; ", (int)key.len, (const char *)key.data, before ? (int)before->len : 1,
             before ? (const char *)before->data : "-", now ? (int)now->len : 1, now ? (const char *)now->data : "-");
    return 0;
}

static void test_drops_are_told_of_before_what_changed(void **state)
{
    (void)state;
    static const char *const wanted[] = {"drop 6100-61ff 0; a1 ->4; b1 1>3; c1 1>3; ",
                                         "drop 6200-6331 0; drop 6100-61ff 0; a1 ->4; b1 ->3; c1 ->3; c2 ->2; ",
                                         "drop 6100-61ff 0; a1 ->4; b1 2>3; c1 ->3; "};
    for (int commits = 0; commits < 4; commits++) { /* no drop before a checkpoint; one in a checkpoint that comes no, one or two steps far */
        struct fixture f;
        char found[400] = "";
        fixture_begin(&f);
        f.calls.disk = &limited;
        f.calls.transaction_rows = 1;
        atomic_store(&commits_left, INT_MAX);
        fixture_open(&f);
        put(&f, "a1", "1"), put(&f, "a2", "1"), put(&f, "b1", "1"), put(&f, "c1", "1");
        fixture_checkpoint(&f);
        if (commits) {
            drop_slots(&f, SLOT('b', 0), SLOT('c', '1'));
            put(&f, "b1", "2"), put(&f, "c2", "2");
            atomic_store(&commits_left, commits - 1);
            store_checkpoint_soon(f.store);
            fixture_settle(&f);
            assert_int_equal(f.store->phase, PHASE_RUNNING);
        } else {
            atomic_store(&commits_left, 0);
        }
        put(&f, "a2", "3"), put(&f, "b1", "3"), put(&f, "c1", "3");
        drop_slots(&f, SLOT('a', 0), SLOT('a', 255));
        put(&f, "a1", "4");
        struct bytes value;
        fixture_settle(&f);
        while (atomic_load(&commits_left) > 0) fixture_pause();
        fixture_close(&f);
        fixture_open(&f);
        assert_int_equal(store_each_changed(f.store, note_drop, note_change, found), 0);
        assert_string_equal(found, wanted[commits < 2 ? commits : 2]);
        assert_true(store_get_base(f.store, bytes_text("a2"), &value));
        assert_int_equal(store_get_base(f.store, bytes_text("c1"), &value), commits < 2);
        atomic_store(&commits_left, INT_MAX);
        fixture_end(&f);
    }
}

int run_drop_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_of_drops_knows_the_newest_of_each_group),
        cmocka_unit_test(test_a_drop_of_the_same_rows_takes_the_place_of_an_older_one),
        cmocka_unit_test(test_groups_rise_with_keys),
        cmocka_unit_test(test_a_drop_takes_what_was_there_and_leaves_what_comes),
        cmocka_unit_test(test_within_a_batch_order_counts),
        cmocka_unit_test(test_a_dropped_row_has_the_drop_s_position),
        cmocka_unit_test(test_memory_and_disk_come_back),
        cmocka_unit_test(test_a_drop_of_many_rows_takes_many_turns),
        cmocka_unit_test(test_a_checkpoint_with_a_drop_may_stop_anywhere),
        cmocka_unit_test(test_drops_are_told_of_before_what_changed),
    };
    return cmocka_run_group_tests_name("store drops", tests, NULL, NULL);
}
