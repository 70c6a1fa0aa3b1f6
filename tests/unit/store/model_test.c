/* The store against a sorted array, under random batches, gets, iterations, flushes, reopenings, with rows that expire, and checkpoints that are interrupted.
 * AIKV_LONG=1: for minutes, best with TMPDIR in memory. */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>

#include "base/random.h"
#include "fixture.h"

#define ROWS       400
#define STEPS      12000
#define STEPS_LONG 10000000
#define VALUE_MAX  20000

struct model_row {
    char key[24];
    bool there, given; /* given: as due */
    size_t len;
    uint8_t value[VALUE_MAX];
};

struct model {
    struct fixture f;
    uint64_t random;
    int64_t now_ms;
    struct model_row rows[ROWS]; /* sorted by key */
};

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct model_row *)a)->key, ((const struct model_row *)b)->key);
}

static void make_keys(struct model *m)
{
    static const char *const prefixes[] = {"a", "ab", "abc", "b\x01", "b\xff", "zz", "s0aaaa", "s0bbbb", "s1aaaa", "s1bbbb"};
    for (unsigned i = 0; i < ROWS; i++)
        snprintf(m->rows[i].key, sizeof m->rows[i].key, "%s%u", prefixes[i % 10], i * 7919);
    snprintf(m->rows[0].key, sizeof m->rows[0].key, "b"); /* one byte, and the same as a prefix of others */
    qsort(m->rows, ROWS, sizeof *m->rows, compare_rows);
}

static size_t random_len(uint64_t *random)
{
    uint64_t kind = random_below(random, 20);
    return kind == 0 ? random_below(random, 20000) : kind == 1 ? 0 : random_below(random, 100);
}

static void check_value(const struct model_row *r, struct bytes value)
{
    if (!bytes_equal(value, bytes_of(r->value, r->len))) fail_msg("row %s has another value", r->key);
}

static void random_put(struct model *m, struct model_row *r)
{
    r->len = random_len(&m->random);
    for (size_t i = 0; i < r->len; i++) r->value[i] = (uint8_t)random_next(&m->random);
    if (random_below(&m->random, 2)) r->len = (size_t)sprintf((char *)r->value, "@%d", (int)random_below(&m->random, 1000));
    uint8_t *room = store_put_open(m->f.store, bytes_text(r->key), r->len);
    if (r->len) memcpy(room, r->value, r->len);
}

static void random_splice(struct model *m, struct model_row *r)
{
    uint8_t bytes[64];
    if (!r->there) r->len = 0;
    size_t offset = random_below(&m->random, r->len + 1), removed = random_below(&m->random, r->len - offset + 1);
    size_t inserted = random_below(&m->random, sizeof bytes);
    if (removed > 64 && random_below(&m->random, 4)) removed = random_below(&m->random, 64);
    if (r->len - removed + inserted > VALUE_MAX) inserted = 0;
    for (size_t i = 0; i < inserted; i++) bytes[i] = (uint8_t)random_next(&m->random);
    store_splice(m->f.store, bytes_text(r->key), offset, removed, bytes_of(bytes, inserted));
    memmove(r->value + offset + inserted, r->value + offset + removed, r->len - offset - removed);
    memcpy(r->value + offset, bytes, inserted);
    r->len += inserted - removed;
}

/* Of the slots between those of two rows, all or the first one's database. */
static void random_drop(struct model *m)
{
    unsigned i = (unsigned)random_below(&m->random, ROWS), j = i + (unsigned)random_below(&m->random, ROWS - i);
    if (random_below(&m->random, 2)) j = i;
    uint64_t first = row_group(bytes_text(m->rows[i].key)), last = row_group(bytes_text(m->rows[j].key));
    struct store_range range = {(uint16_t)(first >> 32), (uint16_t)(last >> 32), random_below(&m->random, 4) != 0, (uint32_t)first};
    store_drop(m->f.store, &range);
    for (unsigned n = 0; n < ROWS; n++) {
        uint64_t group = row_group(bytes_text(m->rows[n].key));
        bool in = group >> 32 >= range.first_slot && group >> 32 <= range.last_slot;
        if (in && (!range.one_database || (uint32_t)group == range.database)) m->rows[n].there = false;
    }
}

static void random_batch(struct model *m)
{
    store_begin(m->f.store);
    for (uint64_t n = random_below(&m->random, 6); n; n--) {
        if (random_below(&m->random, 50) == 0) random_drop(m);
        struct model_row *r = &m->rows[random_below(&m->random, ROWS)];
        uint64_t what = random_below(&m->random, 3);
        if (what == 0) store_delete(m->f.store, bytes_text(r->key));
        if (what == 1) random_put(m, r);
        if (what == 2) random_splice(m, r);
        r->there = what != 0;
    }
    store_commit(m->f.store);
}

static struct model_row *find_row(struct model *m, struct bytes key)
{
    for (int i = 0; i < ROWS; i++)
        if (bytes_equal(bytes_text(m->rows[i].key), key)) return &m->rows[i];
    fail_msg("a row that never was is due");
    return NULL;
}

static bool is_due(const struct model_row *r, int64_t now_ms)
{
    return r->there && test_expiry(bytes_text(r->key), bytes_of(r->value, r->len)) <= now_ms;
}

static void note_due(void *user, struct bytes key)
{
    struct model *m = user;
    struct model_row *r = find_row(m, key);
    if (!is_due(r, m->now_ms)) fail_msg("row %s is not due", r->key);
    if (r->given) fail_msg("row %s is given twice", r->key);
    r->given = true;
}

static void delete_given(struct model *m)
{
    store_begin(m->f.store);
    for (int i = 0; i < ROWS; i++) {
        struct model_row *r = &m->rows[i];
        if (!r->given) continue;
        store_delete(m->f.store, bytes_text(r->key));
        r->given = r->there = false;
    }
    store_commit(m->f.store);
}

/* Deletes what is due, which must be all there is, or as many as may be given. */
static void random_due(struct model *m)
{
    size_t left = random_below(&m->random, 4) ? ROWS + 1 : 1 + random_below(&m->random, 20);
    m->now_ms = (int64_t)random_below(&m->random, random_below(&m->random, 10) ? 50 : 1200);
    bool more = true;
    while (more && left) {
        size_t given = store_due(m->f.store, m->now_ms, left, note_due, m, &more);
        if (given > left) fail_msg("more are given than asked for");
        left -= given;
        delete_given(m);
        if (given || !more) continue;
        store_flush(m->f.store); /* they are being read from disk */
        fixture_pause();
    }
    for (int i = 0; i < ROWS && !more; i++)
        if (is_due(&m->rows[i], m->now_ms)) fail_msg("row %s is due and not given", m->rows[i].key);
}

static void random_get(struct model *m)
{
    const struct model_row *r = &m->rows[random_below(&m->random, ROWS)];
    struct store_value v;
    if (store_has(m->f.store, bytes_text(r->key)) != r->there) fail_msg("row %s: there or not?", r->key);
    if (store_get(m->f.store, bytes_text(r->key), &v) != r->there) fail_msg("row %s: there or not?", r->key);
    if (r->there) check_value(r, v.data);
}

/* From one row's key to another's, perhaps given up before the end. */
static void random_range(struct model *m)
{
    uint64_t from = random_below(&m->random, ROWS), to = random_below(&m->random, ROWS + 100);
    uint64_t limit = random_below(&m->random, 2) ? random_below(&m->random, 20) : ROWS;
    struct store_iterator *it = store_iterate(m->f.store, from ? bytes_text(m->rows[from].key) : bytes_text(""),
                                              to < ROWS ? bytes_text(m->rows[to].key) : bytes_text(""));
    struct bytes key;
    struct store_value v;
    for (uint64_t i = from; i < to && i < ROWS && limit; i++) {
        if (!m->rows[i].there) continue;
        if (!store_iterator_next(it, &key, &v)) fail_msg("row %s is not iterated", m->rows[i].key);
        if (!bytes_equal(key, bytes_text(m->rows[i].key))) fail_msg("row %s comes out of turn", m->rows[i].key);
        check_value(&m->rows[i], v.data);
        limit--;
    }
    if (limit) assert_false(store_iterator_next(it, &key, &v));
    store_iterator_close(it);
}

static atomic_int commits_left; /* of LMDB's, before the disk is full */

static int limited_commit(MDB_txn *txn)
{
    if (atomic_fetch_sub(&commits_left, 1) > 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOSPC;
}

static const struct disk_calls limited = {limited_commit};

/* Some transactions of a checkpoint are there, some not. */
static void interrupt(struct model *m)
{
    atomic_store(&commits_left, (int)random_below(&m->random, 12));
    store_checkpoint_soon(m->f.store);
    store_flush(m->f.store);
    fixture_close(&m->f);
    atomic_store(&commits_left, INT_MAX);
    fixture_open(&m->f);
}

static void test_the_store_behaves_like_a_sorted_array(void **state)
{
    (void)state;
    static struct model m;
    int steps = getenv("AIKV_LONG") ? STEPS_LONG : STEPS;
    m.random = test_seed("store model");
    make_keys(&m);
    fixture_begin(&m.f);
    m.f.calls.transaction_rows = 16;
    m.f.calls.disk = &limited;
    m.f.options.expiry = test_expiry;
    atomic_store(&commits_left, INT_MAX);
    fixture_open(&m.f);
    for (int step = 0; step < steps; step++) {
        uint64_t what = random_below(&m.random, 1000);
        if (what < 400)
            random_batch(&m);
        else if (what < 800)
            random_get(&m);
        else if (what < 850)
            random_range(&m);
        else if (what < 870)
            random_due(&m);
        else if (what < 990)
            store_flush(m.f.store);
        else if (what < 992)
            fixture_checkpoint(&m.f);
        else if (what < 993)
            fixture_check_index(&m.f);
        else if (what < 996)
            store_checkpoint_soon(m.f.store);
        else if (what < 998)
            store_set_memory_max(m.f.store, 1 + random_below(&m.random, 200000));
        else if (what < 999)
            interrupt(&m);
        else
            fixture_reopen(&m.f);
    }
    uint64_t there = 0;
    for (int i = 0; i < ROWS; i++) there += m.rows[i].there;
    fixture_reopen(&m.f);
    assert_int_equal(m.f.report.rows, there);
    fixture_check_index(&m.f);
    fixture_end(&m.f);
}

int run_model_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_store_behaves_like_a_sorted_array)};
    return cmocka_run_group_tests_name("store model", tests, NULL, NULL);
}
