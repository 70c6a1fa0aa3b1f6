/* Sets, of integers, small and large, against plain arrays: random changes, moves, copies and reopenings; what must hold of all rows is checked on the
 * way. */
#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/entry.h"
#include "keyspace/set.h"

#define KEYS    4
#define MEMBERS 800u /* more than a set of integers has */
#define TEXTS   700u /* from this one on members are no integers */
#define STEPS   20000u

struct model_set {
    bool there[MEMBERS];
    uint64_t count;
    enum entry_form form;
};

struct model {
    struct fixture *f;
    uint64_t random, removals; /* of five changes */
    struct model_set keys[KEYS];
    unsigned walk, seen[MEMBERS];
    const struct model_set *walked;
};

static struct bytes name_of(unsigned i)
{
    static const char *const names[KEYS] = {"a", "{a}b", "c", ""};
    return bytes_text(names[i]);
}

static struct bytes member_of(unsigned i, char out[80])
{
    if (i < TEXTS) return bytes_of(out, (size_t)snprintf(out, 80, "%d", 300 - (int)i));
    size_t len = (size_t)snprintf(out, 80, "text %u", i);
    if (i % 50 == 0) { /* one of 65 bytes, one of 64 */
        memset(out + len, '.', 65 - len);
        len = i == TEXTS ? 65 : 64;
    }
    return bytes_of(out, len);
}

static unsigned number_of(struct bytes member)
{
    char text[80] = {0};
    assert_true(member.len < sizeof text);
    memcpy(text, member.data, member.len);
    return strncmp(text, "text ", 5) ? (unsigned)(300 - atoi(text)) : (unsigned)atoi(text + 5);
}

static void note_added(struct model_set *s, unsigned i)
{
    s->there[i] = true;
    if (!s->count++) s->form = ENTRY_INTEGERS;
    if (s->form == ENTRY_INTEGERS && (i >= TEXTS || s->count > KEYSPACE_SMALL_SET_INTEGERS)) s->form = ENTRY_WHOLE;
    if (s->form == ENTRY_WHOLE && (s->count > DICTIONARY_SET_ENTRIES || i == TEXTS)) s->form = ENTRY_HASHED;
}

static void note_removed(struct model_set *s, unsigned i)
{
    s->there[i] = false;
    s->count--;
}

static void open_set(struct model *m, unsigned i, struct keyspace_set *out)
{
    const struct model_set *s = &m->keys[i];
    struct keyspace_entry found = keyspace_find(m->f->ks, name_of(i));
    assert_int_equal(found.type, s->count ? KEYSPACE_SET : KEYSPACE_NONE);
    if (s->count) assert_int_equal(found.form, s->form);
    keyspace_set_open(out, m->f->ks, name_of(i), &found);
}

/* Keys beyond the first two get texts soon, those two seldom. */
static unsigned random_member(struct model *m, unsigned key)
{
    if (random_below(&m->random, key < 2 ? 3000 : 60) == 0) return TEXTS + (unsigned)random_below(&m->random, MEMBERS - TEXTS);
    return (unsigned)random_below(&m->random, key >= 2 && random_below(&m->random, 2) ? 100 : TEXTS);
}

static void once(void *user, struct bytes member)
{
    struct model *m = user;
    unsigned i = number_of(member);
    char room[80];
    if (i >= MEMBERS || !m->walked->there[i] || !bytes_equal(member, member_of(i, room))) fail_msg("member %u is not there", i);
    if (m->seen[i] == m->walk) fail_msg("member %u comes twice", i);
    m->seen[i] = m->walk;
}

static void expect_seen(struct model *m, uint64_t count)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < MEMBERS; i++) n += m->seen[i] == m->walk;
    assert_int_equal(n, count);
    m->walk++;
}

static void look_at_all(struct model *m, unsigned i)
{
    const struct model_set *s = m->walked = &m->keys[i];
    struct keyspace_set at;
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    struct arena arena = {0};
    open_set(m, i, &at);
    while (keyspace_set_next(&at, &w, &member)) once(m, member.text);
    expect_seen(m, s->count);
    for (uint64_t cursor = keyspace_set_scan(&at, 0, once, m); cursor;) cursor = keyspace_set_scan(&at, cursor, once, m);
    expect_seen(m, s->count);
    uint64_t count = random_below(&m->random, random_below(&m->random, 2) ? 20 : MEMBERS);
    keyspace_set_sample(&at, count, &m->random, &arena, once, m);
    expect_seen(m, count < s->count ? count : s->count);
    arena_release(&arena);
    if (!s->count) return;
    keyspace_set_random(&at, &m->random, &member);
    once(m, member.text);
    expect_seen(m, 1);
}

static void change(struct model *m, unsigned i)
{
    struct model_set *s = &m->keys[i];
    struct keyspace_set at;
    char room[80];
    open_set(m, i, &at);
    bool removes = random_below(&m->random, 5) < m->removals;
    for (uint64_t n = random_below(&m->random, 8) ? 1 : random_below(&m->random, 200); n; n--) {
        unsigned j = random_member(m, i);
        struct bytes member = member_of(j, room);
        assert_int_equal(keyspace_set_has(&at, member), s->there[j]);
        if (removes) {
            assert_int_equal(keyspace_set_remove(&at, member), s->there[j]);
            if (s->there[j]) note_removed(s, j);
            if (!s->count) break; /* the next one would begin anew */
        } else {
            assert_int_equal(keyspace_set_add(&at, member), !s->there[j]);
            if (!s->there[j]) note_added(s, j);
        }
    }
    assert_int_equal(keyspace_set_count(&at), s->count);
    keyspace_set_close(&at);
}

/* All members of one go to another, while the first is being walked. */
static void store_anew(struct model *m, unsigned i, unsigned j)
{
    static const struct keyspace_entry none = {.type = KEYSPACE_NONE, .expires_ms = KEYSPACE_NO_EXPIRY};
    struct keyspace_set from, to;
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    struct model_set result = {.count = 0};
    open_set(m, i, &from);
    if (!m->keys[i].count) return;
    keyspace_set_open(&to, m->f->ks, name_of(j), &none);
    while (keyspace_set_next(&from, &w, &member)) {
        assert_true(keyspace_set_add(&to, member.text));
        note_added(&result, number_of(member.text));
    }
    keyspace_set_close(&to);
    m->keys[j] = result;
}

static void transfer(struct model *m, unsigned i, unsigned j)
{
    bool moves = random_below(&m->random, 2);
    struct keyspace_destination d = {0, name_of(j), true};
    enum keyspace_transfer outcome = (moves ? keyspace_move : keyspace_copy)(m->f->ks, name_of(i), &d);
    assert_int_equal(outcome, m->keys[i].count ? KEYSPACE_TRANSFERRED : KEYSPACE_NO_SOURCE);
    if (!m->keys[i].count || i == j) return;
    m->keys[j] = m->keys[i];
    if (moves) m->keys[i] = (struct model_set){.count = 0};
}

static void random_command(struct model *m)
{
    unsigned i = (unsigned)random_below(&m->random, KEYS), j = (unsigned)random_below(&m->random, KEYS);
    keyspace_begin(m->f->ks, 0, m->f->now_ms);
    switch (random_below(&m->random, 60)) {
    case 0:
        assert_int_equal(keyspace_delete(m->f->ks, name_of(i)), m->keys[i].count > 0);
        m->keys[i] = (struct model_set){.count = 0};
        break;
    case 1: transfer(m, i, j); break;
    case 2: store_anew(m, i, j); break;
    case 3:
    case 4: look_at_all(m, i); break;
    default: change(m, i); break;
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
    case 0: keyspace_reclaim(m->f->ks, 1 + random_below(&m->random, 40)); break;
    case 1: store_checkpoint_soon(m->f->store); break;
    case 2: check(m); break;
    case 3:
        if (random_below(&m->random, 8) == 0) fixture_reopen(m->f);
        break;
    default: store_flush(m->f->store); break;
    }
}

static void test_sets_of_all_kinds_behave_like_plain_arrays(void **state)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->f = *state;
    m->walk = 1;
    m->random = test_seed("keyspace sets");
    for (unsigned n = 0; n < (getenv("AIKV_LONG") ? 30u : 1u) * STEPS; n++) {
        if (random_below(&m->random, 1000) == 0) m->removals = random_below(&m->random, 5);
        random_command(m);
        if (random_below(&m->random, 8) == 0) other_work(m);
    }
    check(m);
    while (keyspace_reclaim(m->f->ks, 1000)) {}
    check(m);
    free(m);
}

static enum entry_form form_with(struct fixture *f, const char *format, unsigned count)
{
    struct keyspace_set s;
    char text[80];
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_delete(f->ks, bytes_text("s"));
    struct keyspace_entry found = keyspace_find(f->ks, bytes_text("s"));
    keyspace_set_open(&s, f->ks, bytes_text("s"), &found);
    for (unsigned i = 0; i < count; i++) keyspace_set_add(&s, bytes_of(text, (size_t)snprintf(text, sizeof text, format, i)));
    keyspace_set_close(&s);
    found = keyspace_find(f->ks, bytes_text("s"));
    keyspace_end(f->ks);
    return found.form;
}

static void test_a_set_is_held_otherwise_from_redis_s_thresholds_on(void **state)
{
    assert_int_equal(form_with(*state, "%u", 512), ENTRY_INTEGERS);
    assert_int_equal(form_with(*state, "%u", 513), ENTRY_HASHED);
    assert_int_equal(form_with(*state, "m%u", 128), ENTRY_WHOLE);
    assert_int_equal(form_with(*state, "m%u", 129), ENTRY_HASHED);
    assert_int_equal(form_with(*state, "%064u", 1), ENTRY_WHOLE);
    assert_int_equal(form_with(*state, "m%064u", 1), ENTRY_HASHED);
}

/* The row's payload is not what a set's may be. */
static void test_damage_is_found(void **state)
{
    struct fixture *f = *state;
    static const uint8_t twice[16] = {1, 0, 0, 0, 0, 0, 0, 0, 1};
    static const struct {
        enum entry_form form;
        struct bytes payload;
    } damaged[] = {
        {ENTRY_INTEGERS, {twice, sizeof twice}},                /* 1, 1 */
        {ENTRY_INTEGERS, {twice, 0}},                           /* empty */
        {ENTRY_WHOLE, {(const uint8_t *)"\2\0a\2\0a", 6}},      /* a, a */
        {ENTRY_WHOLE, {(const uint8_t *)"\2\0a\4\0a", 6}},      /* cut off */
        {ENTRY_WHOLE, {(const uint8_t *)"", 0}},
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct error e;
        struct entry en = {.type = KEYSPACE_SET, .form = damaged[i].form, .expires_ms = KEYSPACE_NO_EXPIRY, .payload = damaged[i].payload};
        assert_int_equal(keyspace_set_check(f->ks, 0, &en, &e), ERROR_FORMAT);
    }
}

int run_set_model_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_sets_of_all_kinds_behave_like_plain_arrays),
        FIXTURE_TEST(test_a_set_is_held_otherwise_from_redis_s_thresholds_on),
        FIXTURE_TEST(test_damage_is_found),
    };
    return cmocka_run_group_tests_name("keyspace set model", tests, NULL, NULL);
}
