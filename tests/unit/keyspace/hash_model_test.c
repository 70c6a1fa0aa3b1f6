/* Hashes, small and large, against plain arrays: random changes, with copies, expiry of keys and fields, the deletion of what is left over, and reopenings in between;
 * what must hold of all rows is checked on the way. */
#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/entry.h"
#include "keyspace/hash.h"
#include "keyspace/string.h"

#define KEYS   5
#define FIELDS 400u /* more than a small hash has */
#define STEPS  20000
#define NEVER  KEYSPACE_NO_EXPIRY

struct model_hash {
    int64_t expires_ms;
    uint64_t count;
    int16_t lengths[FIELDS]; /* of values, whose bytes follow from field and length; -1: no such field */
    int64_t times[FIELDS];   /* expiry, or NEVER */
    bool large;
    bool dead; /* fields have expired, and may be held still */
};

struct model {
    struct fixture *f;
    uint64_t random;
    struct model_hash keys[KEYS];
    struct keyspace_small small;
    unsigned walk, seen[FIELDS];
    const struct model_hash *walked;
    uint8_t source[2048];
};

static struct bytes name_of(unsigned i)
{
    static const char *const names[KEYS] = {"a", "{a}b", "c", "", NULL};
    static char text[600];
    if (names[i]) return bytes_text(names[i]);
    memset(text, 'x', sizeof text); /* named by its hash */
    return bytes_of(text, sizeof text);
}

static struct bytes field_name(struct model *m, unsigned i, char out[80])
{
    (void)m;
    size_t len = (size_t)snprintf(out, 80, "%03u", i);
    if (i % 50 == 0) { /* some of 64 bytes, and one of 65 */
        memset(out + len, '.', 65 - len);
        len = i == 0 ? 65 : 64;
    }
    return bytes_of(out, len);
}

static struct bytes value_of(struct model *m, unsigned i, int16_t len)
{
    return bytes_of(m->source + i, (size_t)len);
}

static unsigned number_of(struct bytes name)
{
    char text[4] = {0};
    assert_true(name.len >= 3);
    memcpy(text, name.data, 3);
    return (unsigned)strtoul(text, NULL, 10);
}

static void expect_field(struct model *m, const struct model_hash *h, unsigned i, const struct keyspace_field *field)
{
    bool same = h->lengths[i] >= 0 && bytes_equal(field->value, value_of(m, i, h->lengths[i])) && field->expires_ms == h->times[i];
    if (!same) fail_msg("field %u is another", i);
}

static void drop_field(struct model_hash *h, unsigned i)
{
    h->count -= h->lengths[i] >= 0;
    h->lengths[i] = -1;
    h->times[i] = NEVER;
}

static void clear(struct model_hash *h)
{
    h->large = h->dead = false;
    h->expires_ms = NEVER;
    for (unsigned i = 0; i < FIELDS; i++) drop_field(h, i);
    h->count = 0;
}

/* A key whose fields have all expired may be there until the sweeper comes: that both agree, it goes. */
static struct model_hash *pick(struct model *m, unsigned *i)
{
    *i = (unsigned)random_below(&m->random, KEYS);
    struct model_hash *h = &m->keys[*i];
    if (h->expires_ms != NEVER && h->expires_ms <= m->f->now_ms) clear(h);
    for (unsigned j = 0; j < FIELDS; j++) {
        if (h->lengths[j] < 0 || h->times[j] == NEVER || h->times[j] > m->f->now_ms) continue;
        drop_field(h, j);
        h->dead = true;
    }
    if (h->count || !h->dead) return h;
    keyspace_delete(m->f->ks, name_of(*i));
    clear(h);
    return h;
}

/* Of the first keys. */
static int64_t random_time(struct model *m, const struct model_hash *h)
{
    if (h - m->keys >= 3 || random_below(&m->random, 4)) return NEVER;
    return m->f->now_ms + 1 + (int64_t)random_below(&m->random, 300);
}

static unsigned random_field(struct model *m)
{
    return (unsigned)random_below(&m->random, random_below(&m->random, 2) ? 130 : FIELDS);
}

/* After a field was written: whether the hash is still within the bounds, which may be narrower than when it grew. */
static void note_size(struct model *m, struct model_hash *h, size_t name_len, size_t len)
{
    h->large |= h->count > m->small.hash_entries || len > m->small.hash_value || name_len > m->small.hash_value;
}

static void put_some(struct model *m, struct model_hash *h, struct keyspace_hash *at)
{
    for (uint64_t n = random_below(&m->random, 6) ? 1 : random_below(&m->random, 40); n; n--) {
        char room[80];
        unsigned i = random_field(m);
        int16_t len = (int16_t)random_below(&m->random, random_below(&m->random, 300) ? 64 : 1500);
        struct keyspace_field field = {field_name(m, i, room), value_of(m, i, len), random_time(m, h)};
        bool is_new = h->lengths[i] < 0;
        assert_int_equal(keyspace_hash_put(at, &field), is_new);
        h->lengths[i] = len;
        h->times[i] = field.expires_ms;
        h->count += is_new;
        note_size(m, h, field.name.len, (size_t)len);
    }
}

static void remove_some(struct model *m, struct model_hash *h, struct keyspace_hash *at)
{
    uint64_t n = random_below(&m->random, 10) ? 1 : random_below(&m->random, 200);
    for (unsigned i = random_field(m); n && i < FIELDS; n--, i++) {
        char room[80];
        bool there = h->lengths[i] >= 0;
        assert_int_equal(keyspace_hash_remove(at, field_name(m, i, room)), there);
        drop_field(h, i);
    }
}

static void remove_all(struct model *m, struct model_hash *h, struct keyspace_hash *at)
{
    char room[80];
    for (unsigned i = 0; i < FIELDS; i++) {
        assert_int_equal(keyspace_hash_remove(at, field_name(m, i, room)), h->lengths[i] >= 0);
        drop_field(h, i);
    }
}

static void expire_some(struct model *m, struct model_hash *h, struct keyspace_hash *at)
{
    for (uint64_t n = random_below(&m->random, 6) ? 1 : random_below(&m->random, 40); n; n--) {
        char room[80];
        struct keyspace_field field;
        unsigned i = random_field(m);
        bool there = keyspace_hash_get(at, field_name(m, i, room), &field);
        assert_int_equal(there, h->lengths[i] >= 0);
        if (!there) continue;
        h->times[i] = random_time(m, h);
        keyspace_hash_expire(at, &field, h->times[i]);
        note_size(m, h, field_name(m, i, room).len, (size_t)h->lengths[i]);
    }
}

static void look(struct model *m, const struct model_hash *h, struct keyspace_hash *at)
{
    char room[80];
    unsigned i = random_field(m);
    struct keyspace_field field;
    bool there = keyspace_hash_get(at, field_name(m, i, room), &field);
    assert_int_equal(there, h->lengths[i] >= 0);
    if (there) expect_field(m, h, i, &field);
    assert_int_equal(keyspace_hash_len(at), h->count);
}

static void once(void *user, const struct keyspace_field *field)
{
    struct model *m = user;
    unsigned i = number_of(field->name);
    expect_field(m, m->walked, i, field);
    if (m->seen[i] == m->walk) fail_msg("field %u comes twice", i);
    m->seen[i] = m->walk;
}

static unsigned seen(const struct model *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < FIELDS; i++) n += m->seen[i] == m->walk;
    return n;
}

static void walk(struct model *m, const struct model_hash *h, struct keyspace_hash *at)
{
    struct keyspace_hash_walk w = {0};
    struct keyspace_field field;
    m->walked = h;
    m->walk++;
    while (keyspace_hash_next(at, &w, &field)) once(m, &field);
    assert_int_equal(seen(m), h->count);
    m->walk++;
    for (uint64_t cursor = keyspace_hash_scan(at, 0, once, m); cursor;) cursor = keyspace_hash_scan(at, cursor, once, m);
    assert_int_equal(seen(m), h->count);
}

static void sample(struct model *m, const struct model_hash *h, struct keyspace_hash *at)
{
    struct arena arena = {0};
    struct keyspace_field field;
    uint64_t count = random_below(&m->random, random_below(&m->random, 2) ? 20 : FIELDS);
    m->walked = h;
    m->walk++;
    keyspace_hash_sample(at, count, &m->random, &arena, once, m);
    assert_int_equal(seen(m), count < h->count ? count : h->count);
    arena_release(&arena);
    m->walk++;
    if (!h->count) return;
    keyspace_hash_random(at, &m->random, &field);
    once(m, &field);
}

static void use(struct model *m, struct model_hash *h, unsigned i)
{
    struct keyspace_hash at;
    struct keyspace_entry found = keyspace_find(m->f->ks, name_of(i));
    assert_int_equal(found.type, h->count ? KEYSPACE_HASH : KEYSPACE_NONE);
    assert_true(found.expires_ms == h->expires_ms);
    if (h->dead) h->large = found.form != ENTRY_WHOLE; /* dead ones count until they are swept */
    if (h->count) assert_int_equal(keyspace_hash_is_large(&found), h->large);
    if (random_below(&m->random, 30) == 0) m->small.hash_entries = random_below(&m->random, 4) ? 128 : random_below(&m->random, 300);
    keyspace_set_small(m->f->ks, &m->small);
    keyspace_hash_open(&at, m->f->ks, name_of(i), &found);
    for (uint64_t n = 1 + random_below(&m->random, 3); n; n--) {
        switch (random_below(&m->random, 10)) {
        case 0:
        case 1:
        case 2: put_some(m, h, &at); break;
        case 3:
        case 4: remove_some(m, h, &at); break;
        case 5: walk(m, h, &at); break;
        case 7: expire_some(m, h, &at); break;
        case 6: sample(m, h, &at); break;
        default: look(m, h, &at); break;
        }
    }
    if (random_below(&m->random, 50) == 0) remove_all(m, h, &at);
    keyspace_hash_close(&at);
    if (random_below(&m->random, 50) == 0) { /* in the same command: of nodes that have just come none must be left */
        keyspace_string_put(m->f->ks, name_of(i), bytes_text("v"), NEVER);
        keyspace_delete(m->f->ks, name_of(i));
        h->count = 0;
    }
    if (!h->count) clear(h);
}

static void expire(struct model *m, struct model_hash *h, unsigned i)
{
    int64_t when = random_below(&m->random, 2) ? m->f->now_ms + (int64_t)random_below(&m->random, 300) : NEVER;
    assert_int_equal(keyspace_expire(m->f->ks, name_of(i), when), h->count > 0);
    if (when == m->f->now_ms)
        clear(h);
    else if (h->count)
        h->expires_ms = when;
}

static void transfer(struct model *m)
{
    unsigned i, j;
    struct model_hash *from = pick(m, &i), *to = pick(m, &j);
    bool moves = random_below(&m->random, 2), there = from->count > 0;
    struct keyspace_destination d = {0, name_of(j), true};
    char name[600]; /* name_of gives one long name at a time */
    memcpy(name, name_of(i).data, name_of(i).len);
    enum keyspace_transfer outcome = (moves ? keyspace_move : keyspace_copy)(m->f->ks, bytes_of(name, name_of(i).len), &d);
    assert_int_equal(outcome, there ? KEYSPACE_TRANSFERRED : KEYSPACE_NO_SOURCE);
    if (!there || from == to) return;
    *to = *from;
    if (moves) clear(from);
}

static void random_command(struct model *m)
{
    unsigned i;
    keyspace_begin(m->f->ks, 0, m->f->now_ms);
    struct model_hash *h = pick(m, &i);
    switch (random_below(&m->random, 40)) {
    case 0:
        assert_int_equal(keyspace_delete(m->f->ks, name_of(i)), h->count > 0);
        clear(h);
        break;
    case 1: expire(m, h, i); break;
    case 2: transfer(m); break;
    default: use(m, h, i); break;
    }
    keyspace_end(m->f->ks);
}

static void check(struct model *m)
{
    struct error e;
    if (keyspace_check(m->f->ks, &e)) fail_msg("%s", e.text);
}

static void other_work(struct model *m)
{
    switch (random_below(&m->random, 40)) {
    case 0: m->f->now_ms += (int64_t)random_below(&m->random, 40); break;
    case 1: keyspace_sweep(m->f->ks, 100, m->f->now_ms, NULL); break;
    case 2: keyspace_reclaim(m->f->ks, 1 + random_below(&m->random, 40)); break;
    case 3: store_checkpoint_soon(m->f->store); break;
    case 4: check(m); break;
    case 5:
        if (random_below(&m->random, 8) == 0) fixture_reopen(m->f);
        break;
    default: store_flush(m->f->store); break;
    }
}

static void test_hashes_of_all_sizes_behave_like_plain_arrays(void **state)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->f = *state;
    m->random = test_seed("keyspace hashes");
    m->small = (struct keyspace_small){.hash_entries = 128, .hash_value = KEYSPACE_SMALL_HASH_VALUE};
    for (size_t i = 0; i < sizeof m->source; i++) m->source[i] = (uint8_t)random_next(&m->random);
    for (unsigned i = 0; i < KEYS; i++) clear(&m->keys[i]);
    for (unsigned n = 0; n < (getenv("AIKV_LONG") ? 30u : 1u) * STEPS; n++) {
        random_command(m);
        if (random_below(&m->random, 8) == 0) other_work(m);
    }
    check(m);
    while (keyspace_reclaim(m->f->ks, 1000)) {}
    check(m);
    free(m);
}

/* What a change of one field of a small hash costs in the log: not the whole hash anew. */
static void test_a_small_change_is_a_small_record(void **state)
{
    struct fixture *f = *state;
    struct store_statistics before, after;
    for (unsigned n = 0; n < 102; n++) {
        struct keyspace_hash h;
        char name[16];
        struct bytes value = bytes_text("a value of some thirty bytes or so");
        keyspace_begin(f->ks, 0, f->now_ms);
        struct keyspace_entry found = keyspace_find(f->ks, bytes_text("h"));
        keyspace_hash_open(&h, f->ks, bytes_text("h"), &found);
        keyspace_hash_put(&h, &(struct keyspace_field){bytes_of(name, (size_t)snprintf(name, sizeof name, "field:%u", n % 101)), value, NEVER});
        keyspace_hash_close(&h);
        keyspace_end(f->ks);
        if (n == 100) store_flush(f->store);
        if (n == 100) store_statistics(f->store, &before);
    }
    store_flush(f->store);
    store_statistics(f->store, &after);
    assert_in_range(after.log_bytes - before.log_bytes, 1, 200); /* the hash has 4,500 */
}

int run_hash_model_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_hashes_of_all_sizes_behave_like_plain_arrays),
        FIXTURE_TEST(test_a_small_change_is_a_small_record),
    };
    return cmocka_run_group_tests_name("keyspace hash model", tests, NULL, NULL);
}
