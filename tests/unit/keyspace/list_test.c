/* Lists against plain arrays: every change at either side and within, of values of all sizes, with copies, deletion and reopenings in between; what
 * must hold of all rows is checked on the way. */
#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/list.h"

#define KEYS       5
#define STEPS      12000u
#define STEPS_LONG 1000000u
#define VALUE_MAX  5000u
#define PUSH_MAX   300u

struct model_value {
    uint64_t version;
    size_t len;
};

struct model_list {
    struct model_value *values;
    size_t count, cap;
};

struct list_world {
    struct fixture *f;
    uint64_t random;
    struct model_list lists[KEYS];
    uint8_t source[VALUE_MAX + 256];
};

static struct bytes name_of(unsigned i)
{
    static const char *const names[KEYS] = {"a", "b", "{a}c", "d", "long"};
    static char text[600];
    if (i < KEYS - 1) return bytes_text(names[i]);
    memset(text, 'x', sizeof text); /* named by its hash */
    return bytes_of(text, sizeof text);
}

static struct bytes bytes_of_value(const struct list_world *w, const struct model_value *v)
{
    return bytes_of(w->source + v->version % 256, v->len);
}

static struct model_value random_value(struct list_world *w, bool large)
{
    size_t most = large && random_below(&w->random, 20) == 0 ? VALUE_MAX : random_below(&w->random, 8) == 0 ? 300 : 30;
    return (struct model_value){random_next(&w->random), random_below(&w->random, most)};
}

static void model_open(struct model_list *m, size_t at, size_t count)
{
    if (m->count + count > m->cap) {
        m->cap = 2 * (m->count + count);
        m->values = realloc(m->values, m->cap * sizeof *m->values);
        assert_non_null(m->values);
    }
    memmove(m->values + at + count, m->values + at, (m->count - at) * sizeof *m->values);
    m->count += count;
}

static void model_remove(struct model_list *m, size_t at, size_t count)
{
    if (count == 0) return;
    memmove(m->values + at, m->values + at + count, (m->count - at - count) * sizeof *m->values);
    m->count -= count;
}

static void open_list(struct list_world *w, unsigned i, struct keyspace_list *l)
{
    struct keyspace_entry e = keyspace_find(w->f->ks, name_of(i));
    assert_int_equal(e.type, w->lists[i].count ? KEYSPACE_LIST : KEYSPACE_NONE);
    keyspace_list_open(w->f->ks, name_of(i), &e, l);
    assert_int_equal(keyspace_list_len(l), w->lists[i].count);
}

static void must_hold(struct list_world *w, unsigned i, struct keyspace_list *l, size_t from, size_t most, bool backwards)
{
    struct keyspace_list_walk walk = {.index = from, .backwards = backwards};
    struct bytes value;
    const struct model_list *m = &w->lists[i];
    while (most-- && keyspace_list_next(l, &walk, &value)) {
        if (!bytes_equal(value, bytes_of_value(w, &m->values[from]))) fail_msg("another value at %zu of %zu", from, m->count);
        from += backwards ? SIZE_MAX : 1;
    }
    assert_true(most == SIZE_MAX || from >= m->count);
}

/* ---- commands ---- */

static void push(struct list_world *w, struct model_list *m, struct keyspace_list *l)
{
    struct bytes values[PUSH_MAX];
    enum keyspace_list_side side = random_below(&w->random, 2) ? LIST_LEFT : LIST_RIGHT;
    size_t count = random_below(&w->random, 4) ? 1 : 1 + random_below(&w->random, random_below(&w->random, 4) ? 10 : PUSH_MAX), old = m->count;
    bool large = random_below(&w->random, 2);
    model_open(m, side == LIST_LEFT ? 0 : old, count);
    for (size_t i = 0; i < count; i++) {
        struct model_value *v = &m->values[side == LIST_LEFT ? count - 1 - i : old + i];
        *v = random_value(w, large);
        values[i] = bytes_of_value(w, v);
    }
    keyspace_list_push(l, side, values, count);
}

static void pop(struct list_world *w, struct model_list *m, struct keyspace_list *l)
{
    enum keyspace_list_side side = random_below(&w->random, 2) ? LIST_LEFT : LIST_RIGHT;
    size_t count = random_below(&w->random, 4) ? 1 : random_below(&w->random, 40);
    if (count > m->count) count = m->count;
    keyspace_list_near(l, side);
    keyspace_list_remove(l, side == LIST_LEFT ? 0 : m->count - count, count);
    model_remove(m, side == LIST_LEFT ? 0 : m->count - count, count);
}

static void remove_within(struct list_world *w, struct model_list *m, struct keyspace_list *l)
{
    size_t at = random_below(&w->random, m->count + 1), count = random_below(&w->random, m->count - at + 1);
    if (random_below(&w->random, 6)) count = count > 3 ? 3 : count;
    keyspace_list_remove(l, at, count);
    model_remove(m, at, count);
}

static void put_value(struct list_world *w, struct model_list *m, struct keyspace_list *l, bool inserts)
{
    if (m->count == 0) return;
    size_t at = random_below(&w->random, m->count + inserts);
    struct model_value v = random_value(w, true);
    if (inserts) model_open(m, at, 1);
    m->values[at] = v;
    (inserts ? keyspace_list_insert : keyspace_list_set)(l, at, bytes_of_value(w, &v));
}

static void transfer(struct list_world *w, unsigned i)
{
    unsigned j = (unsigned)random_below(&w->random, KEYS);
    bool moves = random_below(&w->random, 2);
    if (i == j || w->lists[i].count == 0) return;
    struct keyspace_destination to = {0, name_of(j), true};
    assert_int_equal((moves ? keyspace_move : keyspace_copy)(w->f->ks, name_of(i), &to), KEYSPACE_TRANSFERRED);
    w->lists[j].count = 0;
    model_open(&w->lists[j], 0, w->lists[i].count);
    memcpy(w->lists[j].values, w->lists[i].values, w->lists[i].count * sizeof *w->lists[i].values);
    if (moves) w->lists[i].count = 0;
}

static void change(struct list_world *w, unsigned i)
{
    struct model_list *m = &w->lists[i];
    struct keyspace_list l;
    open_list(w, i, &l);
    for (uint64_t n = random_below(&w->random, 3) + 1; n; n--) {
        switch (random_below(&w->random, 10)) {
        case 0:
        case 1:
        case 2:
        case 3: push(w, m, &l); break;
        case 4:
        case 5: pop(w, m, &l); break;
        case 6: remove_within(w, m, &l); break;
        case 7: put_value(w, m, &l, false); break;
        case 8: put_value(w, m, &l, true); break;
        default:
            if (m->count) must_hold(w, i, &l, random_below(&w->random, m->count), 30, random_below(&w->random, 2));
        }
    }
    keyspace_list_close(&l);
}

static void command(struct list_world *w)
{
    unsigned i = (unsigned)random_below(&w->random, KEYS);
    keyspace_begin(w->f->ks, 0, w->f->now_ms);
    switch (random_below(&w->random, 100)) {
    case 0: transfer(w, i); break;
    case 1:
        keyspace_delete(w->f->ks, name_of(i));
        w->lists[i].count = 0;
        break;
    case 2:
        assert_int_equal(keyspace_expire(w->f->ks, name_of(i), w->f->now_ms + 1000000), w->lists[i].count > 0);
        break;
    default: change(w, i); break;
    }
    keyspace_end(w->f->ks);
}

static void check(struct list_world *w)
{
    struct error e;
    struct keyspace_list l;
    if (keyspace_check(w->f->ks, &e)) fail_msg("%s", e.text);
    keyspace_begin(w->f->ks, 0, w->f->now_ms);
    for (unsigned i = 0; i < KEYS; i++) {
        open_list(w, i, &l);
        must_hold(w, i, &l, 0, SIZE_MAX, false);
        if (w->lists[i].count) must_hold(w, i, &l, w->lists[i].count - 1, SIZE_MAX, true);
    }
    keyspace_end(w->f->ks);
}

static void test_lists_behave_like_arrays(void **state)
{
    static struct list_world w;
    uint64_t steps = getenv("AIKV_LONG") ? STEPS_LONG : STEPS;
    w = (struct list_world){.f = *state, .random = test_seed("keyspace lists")};
    for (size_t i = 0; i < sizeof w.source; i++) w.source[i] = (uint8_t)random_next(&w.random);
    for (uint64_t step = 0; step < steps; step++) {
        command(&w);
        if (random_below(&w.random, 20) == 0) store_flush(w.f->store);
        if (random_below(&w.random, 200) == 0) keyspace_reclaim(w.f->ks, 100);
        if (random_below(&w.random, 400) == 0) check(&w);
        if (random_below(&w.random, 2000) == 0) store_checkpoint_soon(w.f->store);
        if (random_below(&w.random, 4000) == 0) fixture_reopen(w.f);
    }
    while (keyspace_reclaim(w.f->ks, 1000)) {}
    check(&w);
    for (unsigned i = 0; i < KEYS; i++) free(w.lists[i].values);
}

/* ---- bounds ---- */

static struct keyspace_entry find(struct fixture *f, const char *key)
{
    return keyspace_find(f->ks, bytes_text(key));
}

static void test_the_key_s_row_stays_small_whatever_is_pushed(void **state)
{
    struct fixture *f = *state;
    static char large[100000];
    memset(large, 'v', sizeof large);
    struct bytes sizes[] = {bytes_of(large, 1), bytes_of(large, 20), bytes_of(large, 500), bytes_of(large, 2045), bytes_of(large, 2046),
                            bytes_of(large, 4000), bytes_of(large, sizeof large)};
    uint64_t random = 1;
    for (unsigned i = 0; i < 3000; i++) {
        struct keyspace_list l;
        keyspace_begin(f->ks, 0, f->now_ms);
        struct keyspace_entry e = find(f, "k");
        keyspace_list_open(f->ks, bytes_text("k"), &e, &l);
        keyspace_list_push(&l, random_below(&random, 2) ? LIST_LEFT : LIST_RIGHT, &sizes[random_below(&random, 7)], 1);
        keyspace_list_close(&l);
        assert_true(find(f, "k").payload.len <= ENTRY_ROOTED_MAX);
        keyspace_end(f->ks);
        if (i % 100 == 0) store_flush(f->store);
    }
}

static void test_a_list_popped_empty_is_gone_with_its_key(void **state)
{
    struct fixture *f = *state;
    struct error error;
    keyspace_begin(f->ks, 0, f->now_ms);
    struct keyspace_entry e = find(f, "k");
    struct keyspace_list l;
    keyspace_list_open(f->ks, bytes_text("k"), &e, &l);
    for (unsigned i = 0; i < 5000; i++) keyspace_list_push(&l, LIST_RIGHT, &(struct bytes){(const uint8_t *)"some value", 10}, 1);
    keyspace_list_close(&l);
    assert_int_equal(find(f, "k").type, KEYSPACE_LIST);
    while (keyspace_list_len(&l)) {
        keyspace_list_near(&l, LIST_LEFT);
        keyspace_list_remove(&l, 0, 1);
    }
    keyspace_list_close(&l);
    assert_int_equal(find(f, "k").type, KEYSPACE_NONE);
    keyspace_end(f->ks);
    while (keyspace_reclaim(f->ks, 1000)) {}
    if (keyspace_check(f->ks, &error)) fail_msg("%s", error.text);
}

/* Of values of a byte, hundreds would fit. */
static void test_an_end_that_is_filled_from_the_tree_has_few_elements(void **state)
{
    struct fixture *f = *state;
    struct bytes values[2000];
    struct error error;
    for (size_t i = 0; i < 2000; i++) values[i] = bytes_text("v");
    for (unsigned i = 0; i < 600; i++) {
        struct keyspace_list l;
        keyspace_begin(f->ks, 0, f->now_ms);
        struct keyspace_entry e = find(f, "k");
        keyspace_list_open(f->ks, bytes_text("k"), &e, &l);
        if (i == 0) keyspace_list_push(&l, LIST_RIGHT, values, 2000);
        enum keyspace_list_side side = i % 2 ? LIST_LEFT : LIST_RIGHT;
        keyspace_list_near(&l, side);
        keyspace_list_remove(&l, side == LIST_LEFT ? 0 : keyspace_list_len(&l) - 1, 1);
        keyspace_list_close(&l);
        keyspace_end(f->ks);
        if (i % 20 == 0 && keyspace_check(f->ks, &error)) fail_msg("%s", error.text);
    }
}

int run_list_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_lists_behave_like_arrays),
        FIXTURE_TEST(test_the_key_s_row_stays_small_whatever_is_pushed),
        FIXTURE_TEST(test_a_list_popped_empty_is_gone_with_its_key),
        FIXTURE_TEST(test_an_end_that_is_filled_from_the_tree_has_few_elements),
    };
    return cmocka_run_group_tests_name("keyspace lists", tests, NULL, NULL);
}
