/* The keyspace against plain arrays: random commands on a few databases, with time passing, sweeps and reopenings.
 *
 * Expired keys are deleted when somebody looks, or by the sweeper, so each database's size lies above the number of
 * keys that live by those that have *lapsed* and were neither looked at nor swept; the model counts both. */
#include "base/random.h"
#include "fixture.h"

#define KEYS  120
#define STEPS 15000

struct model_key {
    enum { ABSENT, LIVE, LAPSED } is;
    int64_t expires_ms;
    uint64_t value; /* as decimal digits, repeated */
};

struct model {
    struct fixture *f;
    uint64_t random;
    struct bytes names[KEYS];
    struct model_key keys[DATABASES][KEYS];
    uint64_t swept[DATABASES]; /* lapsed keys that the sweeper took; which ones is not known */
};

static void make_names(struct model *m)
{
    static uint8_t text[KEYS][700];
    for (unsigned i = 0; i < KEYS; i++) {
        int len = snprintf((char *)text[i], sizeof text[i], i % 3 ? "%u" : "{t}%u", i);
        size_t size = i % 10 == 9 ? 380 + 2 * i : (size_t)len;
        for (size_t at = (size_t)len; at < size; at++) text[i][at] = 'x';
        m->names[i] = bytes_of(text[i], i == 0 ? 0 : size);
    }
}

static struct bytes value_of(uint64_t value)
{
    static char text[600];
    size_t repeat = value % 7 == 0 ? 20 : 1, len = 0;
    while (repeat--) len += (size_t)snprintf(text + len, sizeof text - len, "%llu", (unsigned long long)value);
    return bytes_of(text, len);
}

static void pass_time(struct model *m)
{
    m->f->now_ms += (int64_t)random_below(&m->random, 30);
    for (unsigned n = 0; n < DATABASES; n++)
        for (unsigned i = 0; i < KEYS; i++) {
            struct model_key *k = &m->keys[n][i];
            if (k->is == LIVE && k->expires_ms != KEYSPACE_NO_EXPIRY && k->expires_ms <= m->f->now_ms) k->is = LAPSED;
        }
}

static int64_t random_expiry(struct model *m)
{
    return random_below(&m->random, 2) ? KEYSPACE_NO_EXPIRY : m->f->now_ms + 1 + (int64_t)random_below(&m->random, 200);
}

/* What finding a key must give; finding a lapsed one deletes it, unless the sweeper was first. */
static void find(struct model *m, unsigned database, unsigned i)
{
    struct model_key *k = &m->keys[database][i];
    uint64_t before = keyspace_expired_total(m->f->ks);
    struct keyspace_entry en = keyspace_find(m->f->ks, m->names[i]);
    if ((en.type == KEYSPACE_STRING) != (k->is == LIVE)) fail_msg("key %u of database %u: there or not?", i, database);
    if (k->is == LIVE) {
        assert_true(holds(m->f, &en, value_of(k->value)));
        assert_int_equal(en.expires_ms, k->expires_ms);
    }
    bool deleted = keyspace_expired_total(m->f->ks) != before;
    if (k->is == LAPSED) {
        if (!deleted) m->swept[database]--;
        k->is = ABSENT;
    } else {
        assert_false(deleted);
    }
}

static void random_change(struct model *m, unsigned database)
{
    unsigned i = (unsigned)random_below(&m->random, KEYS);
    struct model_key *k = &m->keys[database][i];
    find(m, database, i);
    switch (random_below(&m->random, 6)) {
    case 4: {
        uint64_t fresh = random_next(&m->random) % 1000000;
        if (k->is != LIVE || value_of(fresh).len < value_of(k->value).len) break;
        k->value = fresh;
        keyspace_string_write(m->f->ks, m->names[i], 0, value_of(fresh));
        break;
    }
    case 0:
    case 1:
        *k = (struct model_key){LIVE, random_expiry(m), random_next(&m->random) % 1000000};
        keyspace_string_put(m->f->ks, m->names[i], value_of(k->value), k->expires_ms);
        break;
    case 2:
        assert_int_equal(keyspace_delete(m->f->ks, m->names[i]), k->is == LIVE);
        k->is = ABSENT;
        break;
    case 3: {
        int64_t expires_ms = random_below(&m->random, 8) ? random_expiry(m) : m->f->now_ms;
        assert_int_equal(keyspace_expire(m->f->ks, m->names[i], expires_ms), k->is == LIVE);
        k->expires_ms = expires_ms;
        if (expires_ms == m->f->now_ms) k->is = ABSENT;
        break;
    }
    default: break; /* only looked */
    }
}

/* COPY and RENAME, to any key of any database. */
static void transfer(struct model *m, unsigned database)
{
    unsigned i = (unsigned)random_below(&m->random, KEYS), j = (unsigned)random_below(&m->random, KEYS);
    unsigned there = (unsigned)random_below(&m->random, DATABASES);
    bool moves = random_below(&m->random, 2), replace = random_below(&m->random, 2);
    struct keyspace_destination d = {there, m->names[j], replace};
    struct model_key *from = &m->keys[database][i], *to = &m->keys[there][j];
    find(m, database, i);
    uint64_t before = keyspace_expired_total(m->f->ks);
    enum keyspace_transfer outcome = (moves ? keyspace_move : keyspace_copy)(m->f->ks, m->names[i], &d);
    bool deleted = keyspace_expired_total(m->f->ks) != before;
    if (from->is != LIVE) {
        assert_int_equal(outcome, KEYSPACE_NO_SOURCE);
        return;
    }
    assert_true(!deleted || to->is == LAPSED);
    if (to->is == LAPSED) {
        if (!deleted) m->swept[there]--;
        to->is = ABSENT;
    }
    bool done = to->is == ABSENT || replace;
    assert_int_equal(outcome, done ? KEYSPACE_TRANSFERRED : KEYSPACE_OCCUPIED);
    if (!done || from == to) return;
    *to = *from;
    if (moves) from->is = ABSENT;
}

static void swap(struct model *m)
{
    unsigned a = (unsigned)random_below(&m->random, DATABASES), b = (unsigned)random_below(&m->random, DATABASES);
    static struct model_key kept[KEYS];
    uint64_t swept = m->swept[a];
    keyspace_swap(m->f->ks, a, b);
    memcpy(kept, m->keys[a], sizeof kept);
    memmove(m->keys[a], m->keys[b], sizeof kept);
    memcpy(m->keys[b], kept, sizeof kept);
    m->swept[a] = m->swept[b];
    m->swept[b] = swept;
}

/* A random key lives; which expired ones it met is not known. */
static void pick(struct model *m, unsigned database)
{
    struct buffer key;
    unsigned live = 0, picked = 0;
    uint64_t before = keyspace_expired_total(m->f->ks);
    buffer_init(&key, 1000);
    bool found = keyspace_random(m->f->ks, random_next(&m->random), &key);
    uint64_t deleted = keyspace_expired_total(m->f->ks) - before;
    m->swept[database] += deleted;
    for (unsigned i = 0; i < KEYS; i++) {
        if (m->keys[database][i].is != LIVE) continue;
        live++;
        picked += found && bytes_equal(buffer_bytes(&key), m->names[i]);
    }
    assert_int_equal(picked, found);
    assert_true(found || !live || deleted >= 100);
    buffer_release(&key);
}

static void random_command(struct model *m)
{
    unsigned database = (unsigned)random_below(&m->random, DATABASES);
    keyspace_begin(m->f->ks, database, m->f->now_ms);
    for (uint64_t changes = 1 + random_below(&m->random, 4); changes; changes--) random_change(m, database);
    if (random_below(&m->random, 8) == 0) transfer(m, database);
    if (random_below(&m->random, 20) == 0) pick(m, database);
    if (random_below(&m->random, 100) == 0) swap(m);
    if (random_below(&m->random, 300) == 0) {
        keyspace_flush(m->f->ks, database);
        memset(m->keys[database], 0, sizeof m->keys[database]);
        m->swept[database] = 0;
    }
    keyspace_end(m->f->ks);
}

static void random_sweep(struct model *m)
{
    uint64_t before[DATABASES];
    for (unsigned n = 0; n < DATABASES; n++) before[n] = keyspace_size(m->f->ks, n);
    keyspace_sweep(m->f->ks, 1 + random_below(&m->random, 100), m->f->now_ms, NULL);
    for (unsigned n = 0; n < DATABASES; n++) m->swept[n] += before[n] - keyspace_size(m->f->ks, n);
}

static void check_counts(struct model *m)
{
    for (unsigned n = 0; n < DATABASES; n++) {
        uint64_t there = 0, expiring = 0, in_slots = 0;
        for (unsigned i = 0; i < KEYS; i++) {
            const struct model_key *k = &m->keys[n][i];
            there += k->is != ABSENT;
            expiring += k->is == LAPSED || (k->is == LIVE && k->expires_ms != KEYSPACE_NO_EXPIRY);
        }
        assert_int_equal(keyspace_size(m->f->ks, n), there - m->swept[n]);
        assert_int_equal(keyspace_expiring(m->f->ks, n), expiring - m->swept[n]);
        keyspace_begin(m->f->ks, n, m->f->now_ms);
        for (unsigned slot = 0; slot < 16384; slot++) in_slots += keyspace_slot_size(m->f->ks, slot);
        keyspace_end(m->f->ks);
        assert_int_equal(in_slots, there - m->swept[n]);
    }
}

struct found {
    struct model *m;
    unsigned database, keys;
};

static void find_scanned(void *user, struct bytes key, const struct keyspace_entry *entry)
{
    struct found *found = user;
    for (unsigned i = 0; i < KEYS; i++) {
        if (!bytes_equal(key, found->m->names[i])) continue;
        const struct model_key *k = &found->m->keys[found->database][i];
        if (k->is != LIVE) fail_msg("SCAN gave key %u, which is not there", i);
        assert_true(holds(found->m->f, entry, value_of(k->value)));
        found->keys++;
        return;
    }
    fail_msg("SCAN gave a key that never was");
}

static void scan(struct model *m)
{
    struct found found = {m, (unsigned)random_below(&m->random, DATABASES), 0};
    unsigned live = 0;
    uint64_t cursor = 0;
    for (unsigned i = 0; i < KEYS; i++) live += m->keys[found.database][i].is == LIVE;
    keyspace_begin(m->f->ks, found.database, m->f->now_ms);
    do {
        cursor = keyspace_scan(m->f->ks, cursor, 1 + random_below(&m->random, 20), find_scanned, &found);
    } while (cursor);
    keyspace_end(m->f->ks);
    assert_int_equal(found.keys, live);
}

static void test_the_keyspace_behaves_like_plain_arrays(void **state)
{
    static struct model m;
    memset(&m, 0, sizeof m);
    m.f = *state;
    m.random = test_seed("keyspace model");
    make_names(&m);
    for (int step = 0; step < STEPS; step++) {
        uint64_t what = random_below(&m.random, 1000);
        if (what < 800)
            random_command(&m);
        else if (what < 860)
            pass_time(&m);
        else if (what < 900)
            random_sweep(&m);
        else if (what < 910)
            scan(&m);
        else if (what < 985)
            store_flush(m.f->store);
        else if (what < 990)
            check_counts(&m);
        else if (what < 998)
            fixture_settle(m.f);
        else
            fixture_reopen(m.f);
    }
    check_counts(&m);
}

int run_model_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_the_keyspace_behaves_like_plain_arrays),
    };
    return cmocka_run_group_tests_name("keyspace model", tests, NULL, NULL);
}
