/* Linear hashing against a plain array: random puts, removals, walks, scans and picks, growing and shrinking, with reopenings in between; what must
 * hold of buckets is checked on the way. */
#include "keyspace/linear_hash.h"

#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/keyspace_state.h"

#define KEYS  6000u
#define STEPS 40000u
#define LARGE 20000u /* the most bytes of a key or value */

struct model_element {
    bool there, mark;
    uint32_t value_len, value_at; /* in model.source */
    unsigned seen;                /* by a walk or scan */
    bool stayed;                  /* since the scan began */
};

struct model {
    struct fixture *f;
    struct linear_hash h;
    uint64_t random, count;
    unsigned walk;
    struct model_element elements[KEYS];
    uint8_t source[2 * LARGE], key[LARGE + 8];
};

/* ---- one command ---- */

/* The hash is what the key "h" holds, so that nodes are somebody's. */
static void begin(struct model *m)
{
    struct entry en;
    keyspace_begin(m->f->ks, 0, m->f->now_ms);
    if (!keyspace_find_entry(m->f->ks, bytes_text("h"), &en)) {
        struct object object = keyspace_new_object(m->f->ks);
        linear_hash_init(&m->h, &object);
    } else {
        struct object_root roots[ENTRY_ROOTS_MAX];
        assert_int_equal(entry_roots(&en, m->f->ks->databases.list[0].id, roots), 1);
        m->h.root = roots[0];
        assert_int_equal(m->h.root.count, m->count);
    }
}

static void end(struct model *m)
{
    struct buffer b;
    buffer_init(&b, OBJECT_ROOT_SIZE);
    object_root_write(&b, &m->h.root);
    struct entry en = {.type = KEYSPACE_SET, .form = ENTRY_HASHED, .expires_ms = KEYSPACE_NO_EXPIRY, .payload = buffer_bytes(&b)};
    if (m->h.root.count)
        keyspace_put_entry(m->f->ks, bytes_text("h"), &en);
    else
        keyspace_delete(m->f->ks, bytes_text("h"));
    buffer_release(&b);
    keyspace_end(m->f->ks);
}

/* ---- the model's elements ---- */

static size_t random_len(struct model *m)
{
    if (random_below(&m->random, 5000) == 0) return random_below(&m->random, LARGE);
    if (random_below(&m->random, 50) == 0) return random_below(&m->random, 400);
    return random_below(&m->random, 40);
}

/* The number, and, of some, a tail that makes it long. */
static struct bytes key_of(struct model *m, unsigned i)
{
    size_t len = 2 + (i % 100 == 0 ? i % 700 : i % 20) + (i % 2000 == 0 ? i : 0);
    memset(m->key, 'k', len);
    m->key[0] = (uint8_t)i;
    m->key[1] = (uint8_t)(i >> 8);
    return bytes_of(m->key, len);
}

static unsigned number_of(const struct element *el)
{
    unsigned i = el->key.data[0] | (unsigned)el->key.data[1] << 8;
    assert_true(i < KEYS);
    return i;
}

static void expect_same(struct model *m, unsigned i, const struct element *el)
{
    const struct model_element *e = &m->elements[i];
    bool same = e->there && e->mark == el->mark && bytes_equal(key_of(m, i), el->key) &&
                bytes_equal(bytes_of(m->source + e->value_at, e->value_len), el->value);
    if (!same) fail_msg("element %u is another", i);
}

/* ---- steps ---- */

static void put_random(struct model *m, unsigned i)
{
    struct model_element *e = &m->elements[i];
    if (!e->there || random_below(&m->random, 3)) e->value_len = (uint32_t)random_len(m);
    e->value_at = (uint32_t)random_below(&m->random, LARGE);
    if (random_below(&m->random, 4) == 0) e->mark = !e->mark;
    struct element el = {key_of(m, i), bytes_of(m->source + e->value_at, e->value_len), e->mark};
    assert_int_equal(linear_hash_put(m->f->ks, &m->h, &el), !e->there);
    m->count += !e->there;
    e->there = true;
}

static void remove_one(struct model *m, unsigned i)
{
    struct model_element *e = &m->elements[i];
    assert_int_equal(linear_hash_remove(m->f->ks, &m->h, key_of(m, i)), e->there);
    m->count -= e->there;
    e->there = e->stayed = false;
}

static void get(struct model *m, unsigned i)
{
    struct element el;
    bool there = linear_hash_get(m->f->ks, &m->h, key_of(m, i), &el);
    assert_int_equal(there, m->elements[i].there);
    if (there) expect_same(m, i, &el);
}

static void pick(struct model *m)
{
    struct element el;
    if (!m->count) return;
    linear_hash_random(m->f->ks, &m->h, &m->random, &el);
    expect_same(m, number_of(&el), &el);
}

static void walk(struct model *m)
{
    struct linear_hash_walk w = {0};
    struct element el;
    uint64_t given = 0;
    m->walk++;
    for (; linear_hash_next(m->f->ks, &m->h, &w, &el); given++) {
        unsigned i = number_of(&el);
        expect_same(m, i, &el);
        if (m->elements[i].seen == m->walk) fail_msg("element %u comes twice", i);
        m->elements[i].seen = m->walk;
    }
    assert_int_equal(given, m->count);
}

/* `removals` of ten changes. */
static void change(struct model *m, uint64_t removals)
{
    unsigned i = (unsigned)random_below(&m->random, KEYS);
    if (random_below(&m->random, 10) < removals)
        remove_one(m, i);
    else
        put_random(m, i);
}

static void visit(void *user, const struct element *el)
{
    struct model *m = user;
    unsigned i = number_of(el);
    expect_same(m, i, el);
    m->elements[i].seen = m->walk;
}

/* A scan with `changes` before each of its steps. */
static void scan(struct model *m, unsigned changes)
{
    uint64_t cursor = 0, removals = random_below(&m->random, 11);
    m->walk++;
    for (unsigned i = 0; i < KEYS; i++) m->elements[i].stayed = m->elements[i].there;
    do {
        begin(m);
        for (unsigned n = 0; n < changes; n++) change(m, removals);
        cursor = linear_hash_scan(m->f->ks, &m->h, cursor, visit, m);
        end(m);
    } while (cursor);
    for (unsigned i = 0; i < KEYS; i++)
        if (m->elements[i].stayed && m->elements[i].seen != m->walk) fail_msg("the scan missed element %u", i);
}

static void check(struct model *m)
{
    struct error e;
    begin(m);
    if (linear_hash_check(m->f->ks, &m->h, &e)) fail_msg("%s", e.text);
    end(m);
    if (keyspace_check(m->f->ks, &e)) fail_msg("%s", e.text);
}

static void other_work(struct model *m)
{
    switch (random_below(&m->random, 40)) {
    case 0: check(m); break;
    case 1:
        begin(m);
        walk(m);
        end(m);
        break;
    case 2: scan(m, (unsigned)random_below(&m->random, 30)); break;
    case 3: store_checkpoint_soon(m->f->store); break;
    case 4:
        if (random_below(&m->random, 4) == 0) fixture_reopen(m->f);
        break;
    default: store_flush(m->f->store); break;
    }
}

static void run(struct model *m, unsigned steps)
{
    uint64_t removals = 0;
    for (unsigned n = 0; n < steps; n++) {
        if (random_below(&m->random, 4000) == 0) removals = random_below(&m->random, 11);
        begin(m);
        for (uint64_t i = 1 + random_below(&m->random, 4); i; i--) change(m, removals);
        get(m, (unsigned)random_below(&m->random, KEYS));
        pick(m);
        end(m);
        if (random_below(&m->random, 50) == 0) other_work(m);
    }
}

static struct model *model_new(struct fixture *f, uint64_t seed)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->f = f;
    m->random = seed;
    for (size_t i = 0; i < 2 * LARGE; i++) m->source[i] = (uint8_t)random_next(&m->random);
    return m;
}

/* ---- tests ---- */

static void test_it_behaves_like_a_plain_array(void **state)
{
    struct model *m = model_new(*state, test_seed("linear hashing"));
    run(m, getenv("AIKV_LONG") ? 50 * STEPS : STEPS);
    check(m);
    begin(m);
    for (unsigned i = 0; i < KEYS; i++) remove_one(m, i);
    assert_int_equal(m->h.root.bytes, 0);
    assert_true(m->h.root.object.nodes <= 4); /* buckets become fewer with the elements */
    end(m);
    check(m);
    free(m);
}

static void test_buckets_are_filled_as_told(void **state)
{
    struct model *m = model_new(*state, 1);
    begin(m);
    for (unsigned i = 0; i < KEYS; i++) put_random(m, i);
    uint64_t bytes = m->h.root.bytes / m->h.root.object.nodes, elements = m->h.root.count / m->h.root.object.nodes;
    assert_true(bytes <= LINEAR_HASH_FILL && elements <= LINEAR_HASH_ELEMENTS);
    assert_true(bytes > LINEAR_HASH_FILL * 9 / 10 || elements > LINEAR_HASH_ELEMENTS * 8 / 10);
    end(m);
    free(m);
}

/* Whatever is written over it: one or two large elements must not make a bucket for each write. */
static void test_writing_over_large_elements_makes_no_buckets(void **state)
{
    struct model *m = model_new(*state, 1);
    begin(m);
    for (unsigned n = 0; n < 100; n++) {
        struct element el = {bytes_of("field", 4 + n % 2), bytes_of(m->source, LARGE + n), false};
        linear_hash_put(m->f->ks, &m->h, &el);
    }
    assert_int_equal(m->h.root.count, 2);
    assert_true(m->h.root.object.nodes <= 3);
    m->count = 2;
    end(m);
    check(m);
    free(m);
}

/* Who puts what is there already need not write the root, even while there are fewer buckets than wanted. */
static void test_an_element_of_the_same_size_leaves_the_root_as_it_is(void **state)
{
    struct model *m = model_new(*state, 4);
    begin(m);
    const struct element small = {bytes_text("5"), bytes_text("value"), false}, large = {bytes_text("large"), bytes_of(m->source, 3 * LINEAR_HASH_FILL), false};
    for (unsigned n = 0; n < 10; n++) {
        char name = (char)('0' + n);
        linear_hash_put(m->f->ks, &m->h, &(struct element){bytes_of(&name, 1), small.value, false});
    }
    linear_hash_put(m->f->ks, &m->h, &large);
    uint32_t nodes = m->h.root.object.nodes;
    uint64_t bytes = m->h.root.bytes;
    assert_int_equal(nodes, 2); /* of the four that are wanted */
    uint8_t before[5];
    assert_false(linear_hash_exchange(m->f->ks, &m->h, &small, before));
    assert_false(linear_hash_put(m->f->ks, &m->h, &(struct element){small.key, bytes_text("other"), false}));
    assert_true(m->h.root.object.nodes == nodes && m->h.root.bytes == bytes && m->h.root.count == 11);
    m->count = 11;
    end(m);
    check(m);
    free(m);
}

/* Else a pick, or a walk, among the few that are left would pass all the buckets that are empty. */
static void test_large_elements_take_their_buckets_with_them(void **state)
{
    struct model *m = model_new(*state, 2);
    uint8_t name[4];
    begin(m);
    for (uint32_t n = 0; n < 2000; n++) {
        memcpy(name, &n, sizeof name);
        linear_hash_put(m->f->ks, &m->h, &(struct element){bytes_of(name, sizeof name), bytes_of(m->source, 2 * LINEAR_HASH_FILL), false});
    }
    assert_true(m->h.root.object.nodes > 1900);
    for (uint32_t n = 1; n < 2000; n++) {
        memcpy(name, &n, sizeof name);
        assert_true(linear_hash_remove(m->f->ks, &m->h, bytes_of(name, sizeof name)));
    }
    assert_true(m->h.root.object.nodes <= 8);
    m->count = 1;
    end(m);
    check(m);
    free(m);
}

/* 500 times as many picks as elements: each is within a third of its share, which is some seven deviations. The seed is fixed. */
static void test_each_element_is_picked_about_as_often(void **state)
{
    struct model *m = model_new(*state, 7);
    unsigned *picks = calloc(KEYS, sizeof *picks);
    struct element el;
    begin(m);
    for (unsigned i = 0; i < 1000; i++) put_random(m, i);
    for (unsigned n = 0; n < 500 * 1000; n++) {
        linear_hash_random(m->f->ks, &m->h, &m->random, &el);
        picks[number_of(&el)]++;
    }
    end(m);
    for (unsigned i = 0; i < 1000; i++)
        if (picks[i] < 333 || picks[i] > 667) fail_msg("element %u was picked %u times, others about 500 times", i, picks[i]);
    free(picks);
    free(m);
}

static void test_damage_is_found(void **state)
{
    struct model *m = model_new(*state, 3);
    struct error e;
    begin(m);
    for (unsigned i = 0; i < 1000; i++) put_random(m, i);
    end(m);
    begin(m);
    uint8_t other = node_get(m->f->ks, &m->h.root.object, 1).data[0] == 1 ? 2 : 1;
    node_splice(m->f->ks, &m->h.root.object, 1, 0, 1, bytes_of(&other, 1));
    assert_int_equal(linear_hash_check(m->f->ks, &m->h, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "another's tag"));
    struct bytes row = node_get(m->f->ks, &m->h.root.object, 2);
    node_put(m->f->ks, &m->h.root.object, 1, row);
    assert_int_equal(linear_hash_check(m->f->ks, &m->h, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "belongs elsewhere"));
    node_delete(m->f->ks, &m->h.root.object, 1);
    assert_int_equal(linear_hash_check(m->f->ks, &m->h, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "its root says"));
    end(m);
    free(m);
}

int run_linear_hash_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_it_behaves_like_a_plain_array),
        FIXTURE_TEST(test_buckets_are_filled_as_told),
        FIXTURE_TEST(test_an_element_of_the_same_size_leaves_the_root_as_it_is),
        FIXTURE_TEST(test_writing_over_large_elements_makes_no_buckets),
        FIXTURE_TEST(test_large_elements_take_their_buckets_with_them),
        FIXTURE_TEST(test_each_element_is_picked_about_as_often),
        FIXTURE_TEST(test_damage_is_found),
    };
    return cmocka_run_group_tests_name("linear hashing", tests, NULL, NULL);
}
