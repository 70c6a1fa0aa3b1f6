/* Rows that expire: wherever they are, they are found when they are due, and only then. In these tests a value "@50..." is due at 50. */
#include "base/random.h"
#include "fixture.h"

struct given {
    char keys[400]; /* sorted by nothing; each ends in a blank */
    size_t count;
};

static void note(void *user, struct bytes key)
{
    struct given *g = user;
    size_t len = strlen(g->keys);
    snprintf(g->keys + len, sizeof g->keys - len, "%.*s ", (int)key.len, (const char *)key.data);
    g->count++;
}

/* Exactly these keys, joined by blanks, are due. Asks without an end to what may be given, and leaves them. */
static void expect_due(struct fixture *f, int64_t now_ms, const char *keys)
{
    struct given g = {"", 0};
    bool more;
    size_t wanted = 0, count = store_due(f->store, now_ms, 1000, note, &g, &more);
    assert_int_equal(count, g.count);
    assert_false(more);
    for (const char *key = keys; *key; wanted++) {
        size_t len = strcspn(key, " ");
        char name[40];
        snprintf(name, sizeof name, "%.*s ", (int)len, key);
        if (!strstr(g.keys, name)) fail_msg("at %lld %snot given: %s", (long long)now_ms, name, g.keys);
        key += len + (key[len] == ' ');
    }
    if (wanted != g.count) fail_msg("at %lld were given: %s", (long long)now_ms, g.keys);
}

static void begin(struct fixture *f)
{
    fixture_begin(f);
    f->options.expiry = test_expiry;
    f->calls.transaction_rows = 3;
    fixture_open(f);
}

/* Until reads are not suspected to wait any more: what is due is then given at once. */
static void trust_disk(struct fixture *f)
{
    const struct bytes key = bytes_text("k");
    while (store_reads_wait(f->store)) {
        for (int i = 0; i < 1024; i++) store_warm(f->store, &key, 1, 1);
        store_flush(f->store);
        fixture_pause();
    }
}

/* What was given and left is given again only after a checkpoint or an opening, if it comes from disk. */
static void to_disk(struct fixture *f, bool reopen)
{
    if (reopen)
        fixture_reopen(f);
    else
        fixture_checkpoint(f);
    trust_disk(f);
    fixture_check_index(f);
}

static void test_a_row_is_given_once_it_is_due(void **state)
{
    (void)state;
    for (int where = 0; where < 3; where++) {
        struct fixture f;
        begin(&f);
        put(&f, "a", "@50"), put(&f, "b", "@-3 before 1970"), put(&f, "c", "never"), put(&f, "d", "@51"), put(&f, "e", "@50 too");
        if (where) to_disk(&f, where == 2);
        expect_due(&f, -4, "");
        if (where) expect_due(&f, 49, "b"), to_disk(&f, true);
        expect_due(&f, 50, "a b e");
        if (where) expect_due(&f, 50, ""), expect_due(&f, 51, "d"), put(&f, "more", "1"), to_disk(&f, false);
        remove_row(&f, "a"), remove_row(&f, "b");
        expect_due(&f, 60, "d e");
        to_disk(&f, false);
        expect_due(&f, INT64_MAX - 1, "d e");
        fixture_end(&f);
    }
}

static void test_a_row_is_due_when_its_last_value_says(void **state)
{
    (void)state;
    for (int where = 0; where < 3; where++) {
        struct fixture f;
        begin(&f);
        put(&f, "earlier", "@50"), put(&f, "later", "@50"), put(&f, "never", "@50"), put(&f, "now", "x"), put(&f, "gone", "@50"),
            put(&f, "dropped", "@50"), put(&f, "again", "@50"), put(&f, "same", "@50");
        if (where) to_disk(&f, where == 2);
        store_begin(f.store);
        store_drop(f.store, &(struct store_range){'d' << 8, 'd' << 8 | 255, false, 0});
        store_splice(f.store, bytes_text("earlier"), 1, 2, bytes_text("40"));
        store_splice(f.store, bytes_text("later"), 1, 2, bytes_text("60"));
        store_splice(f.store, bytes_text("never"), 0, 1, bytes_text("x"));
        store_splice(f.store, bytes_text("now"), 0, 0, bytes_text("@45 "));
        store_splice(f.store, bytes_text("same"), 3, 0, bytes_text(" x"));
        store_delete(f.store, bytes_text("gone"));
        store_delete(f.store, bytes_text("again"));
        store_put(f.store, bytes_text("again"), bytes_text("@47"));
        store_commit(f.store);
        for (int round = 0; round < 3; round++) {
            if (round) to_disk(&f, round == 2);
            expect_due(&f, 39, "");
            expect_due(&f, 45, "earlier now");
            if (round) put(&f, "later", "@60"), fixture_checkpoint(&f);
            expect_due(&f, 59, "earlier now again same");
            if (round) put(&f, "later", "@60"), fixture_checkpoint(&f);
            expect_due(&f, 1000, "earlier now again same later");
        }
        fixture_end(&f);
    }
}

/* While the checkpoint runs, a row is frozen, perhaps in LMDB already, perhaps changed again. */
static void test_a_row_is_given_once_while_a_checkpoint_runs(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    put(&f, "a", "@50"), put(&f, "b", "@50"), put(&f, "c", "@50"), put(&f, "d", "@50"), put(&f, "e", "@50"), put(&f, "f", "@50");
    fixture_checkpoint(&f);
    put(&f, "a", "@60"), put(&f, "b", "@60"), put(&f, "c", "@60"), put(&f, "d", "@60"), remove_row(&f, "e");
    store_checkpoint_soon(f.store);
    store_flush(f.store);
    while (!checkpoint_is_done(f.store->checkpoint)) fixture_pause();
    disk_refresh(&f.store->disk);
    assert_int_equal(f.store->phase, PHASE_RUNNING);
    put(&f, "b", "@70"), put(&f, "c", "never");
    expect_due(&f, 50, "f");
    expect_due(&f, 65, "a d");
    fixture_checkpoint(&f);
    expect_due(&f, 65, "a d f");
    expect_due(&f, 70, "b");
    fixture_end(&f);
}

/* Deletes what is given. */
static size_t delete_due(struct fixture *f, int64_t now_ms, size_t count)
{
    struct given g = {"", 0};
    bool more;
    size_t given = store_due(f->store, now_ms, count, note, &g, &more), deleted = 0;
    assert_true(given <= count);
    store_begin(f->store);
    for (char *save, *key = strtok_r(g.keys, " ", &save); key; key = strtok_r(NULL, " ", &save), deleted++) {
        struct store_value v;
        assert_true(store_get(f->store, bytes_text(key), &v));
        store_delete(f->store, bytes_text(key));
    }
    store_commit(f->store);
    assert_int_equal(deleted, given);
    return deleted;
}

static void test_many_rows_are_given_a_few_at_a_time(void **state)
{
    (void)state;
    for (int where = 0; where < 3; where++) {
        struct fixture f;
        char key[16], value[16];
        begin(&f);
        for (int i = 0; i < 3000; i++) {
            snprintf(key, sizeof key, "k%04d", i);
            snprintf(value, sizeof value, "@%d", i % 7 * 100 + i % 100);
            put(&f, key, value);
            if (where == 2 && i == 1500) fixture_checkpoint(&f);
        }
        if (where == 1) fixture_checkpoint(&f);
        size_t total = 0, now;
        int calls = 0;
        do {
            total += now = delete_due(&f, 299, 50);
            calls++;
        } while (now && calls < 1000);
        size_t due = 0;
        for (int i = 0; i < 3000; i++) due += i % 7 * 100 + i % 100 < 300;
        assert_int_equal(total, due);
        assert_true(calls >= (int)due / 50);
        to_disk(&f, true);
        assert_int_equal(f.report.rows, 3000 - due);
        assert_int_equal(delete_due(&f, 299, 50), 0);
        fixture_end(&f);
    }
}

static void test_a_heap_gives_what_an_array_does(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    static int64_t due[ROWS];
    static struct row *rows[ROWS], *found[ROWS];
    uint64_t random = test_seed("store due");
    struct generation g;
    generation_init(&g, 1);
    for (int i = 0; i < ROWS; i++) {
        rows[i] = row_new(bytes_of(&i, sizeof i), 0, 1);
        generation_add(&g, rows[i]);
        due[i] = STORE_NEVER;
    }
    for (int step = 0; step < 200000; step++) {
        uint32_t i = (uint32_t)random_below(&random, ROWS);
        due[i] = random_below(&random, 3) ? (int64_t)random_below(&random, 1000) : STORE_NEVER;
        generation_set_due(&g, rows[i]->place, due[i]);
        if (random_below(&random, 100)) continue;
        int64_t now = (int64_t)random_below(&random, 1000);
        size_t max = random_below(&random, ROWS), wanted = 0, expiring = 0, count = generation_find_due(&g, now, found, max);
        for (int n = 0; n < ROWS; n++) wanted += due[n] <= now, expiring += due[n] != STORE_NEVER;
        assert_int_equal(count, wanted < max ? wanted : max);
        assert_int_equal(g.due_count, expiring);
        for (size_t n = 0; n < count; n++) {
            assert_true(due[found[n]->place] <= now);
            found[n]->flags ^= ROW_TOUCHED; /* once each */
        }
        for (size_t n = 0; n < count; n++) assert_int_equal(found[n]->flags, ROW_TOUCHED);
        for (size_t n = 0; n < count; n++) found[n]->flags = 0;
    }
    for (int i = 0; i < ROWS; i++) free(rows[i]);
    generation_release(&g);
}

int run_due_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_is_given_once_it_is_due),
        cmocka_unit_test(test_a_row_is_due_when_its_last_value_says),
        cmocka_unit_test(test_a_row_is_given_once_while_a_checkpoint_runs),
        cmocka_unit_test(test_many_rows_are_given_a_few_at_a_time),
        cmocka_unit_test(test_a_heap_gives_what_an_array_does),
    };
    return cmocka_run_group_tests_name("store due", tests, NULL, NULL);
}
