/* Counted trees against plain arrays, by position and by key: random changes of one and of many elements, small ones and ones larger than a node,
 * with all that must hold looked at on the way. */
#include <inttypes.h>

#include "base/random.h"
#include "fixture.h"
#include "keyspace/counted_tree.h"
#include "keyspace/keyspace_state.h"

#define STEPS      60000u
#define STEPS_LONG 3000000u
#define VALUE_MAX  6000u
#define BATCH_MAX  400u

/* What the tree must hold: keys and the lengths of values; a value's bytes follow from its key or number. */
struct model_element {
    uint64_t key, version;
    size_t len;
};

struct tree_world {
    struct fixture *f;
    uint64_t random;
    bool ordered, large;
    struct counted_tree t;
    struct model_element *els;
    size_t count, cap;
    uint8_t source[VALUE_MAX + 256];
};

static struct bytes value_of(const struct tree_world *w, const struct model_element *m)
{
    return bytes_of(w->source + m->version % 256, m->len);
}

/* Keys of several lengths that begin alike, in the order of their numbers. */
static struct bytes key_bytes(const struct tree_world *w, uint64_t key, uint8_t out[64])
{
    if (!w->ordered) return bytes_of(NULL, 0);
    size_t len = 8 + key % 23;
    memset(out, 'k', 8 + 23);
    for (unsigned i = 0; i < 8; i++) out[i] = (uint8_t)(key >> (56 - 8 * i));
    return bytes_of(out, len);
}

static size_t random_len(struct tree_world *w)
{
    if (w->large && random_below(&w->random, 12) == 0) return random_below(&w->random, VALUE_MAX);
    if (random_below(&w->random, 8) == 0) return random_below(&w->random, 600);
    return random_below(&w->random, 40);
}

static uint64_t root_bytes(const struct tree_world *w)
{
    uint64_t bytes = 0;
    uint8_t key[64];
    for (size_t i = 0; i < w->count; i++) {
        struct element el = {.key = key_bytes(w, w->els[i].key, key), .value = value_of(w, &w->els[i])};
        bytes += element_size(&el);
    }
    return bytes;
}

static void must_be(const struct tree_world *w, const struct element *el, size_t i)
{
    uint8_t key[64];
    if (!bytes_equal(el->key, key_bytes(w, w->els[i].key, key)) || !bytes_equal(el->value, value_of(w, &w->els[i])))
        fail_msg("another element at %zu of %zu", i, w->count);
}

/* ---- changes ---- */

static size_t model_rank(const struct tree_world *w, uint64_t key)
{
    size_t a = 0, b = w->count;
    while (a < b) {
        size_t middle = (a + b) / 2;
        if (w->els[middle].key < key)
            a = middle + 1;
        else
            b = middle;
    }
    return a;
}

static void model_open(struct tree_world *w, size_t at, size_t count)
{
    if (w->count + count > w->cap) {
        w->cap = 2 * (w->count + count);
        w->els = realloc(w->els, w->cap * sizeof *w->els);
        assert_non_null(w->els);
    }
    memmove(w->els + at + count, w->els + at, (w->count - at) * sizeof *w->els);
    w->count += count;
}

/* A position: often at an end, or where the last change was. */
static size_t random_position(struct tree_world *w, size_t below)
{
    if (below == 0) return 0;
    switch (random_below(&w->random, 4)) {
    case 0: return 0;
    case 1: return below - 1;
    default: return random_below(&w->random, below);
    }
}

static void insert(struct tree_world *w, size_t count)
{
    static struct element els[BATCH_MAX];
    static uint8_t keys[BATCH_MAX][64];
    size_t at = random_position(w, w->count + 1);
    uint64_t from = at ? w->els[at - 1].key + 1 : 0, to = at < w->count ? w->els[at].key : from + 1000000;
    if (w->ordered && to - from < count) count = to - from;
    if (count == 0) return;
    if (w->ordered) {
        uint64_t first = from + random_below(&w->random, to - from - count + 1);
        assert_int_equal(counted_tree_rank(w->f->ks, &w->t, key_bytes(w, first, keys[0]), NULL), at);
        from = first;
    }
    model_open(w, at, count);
    for (size_t i = 0; i < count; i++) {
        w->els[at + i] = (struct model_element){w->ordered ? from + i : 0, random_next(&w->random), random_len(w)};
        els[i] = (struct element){.key = key_bytes(w, w->els[at + i].key, keys[i]), .value = value_of(w, &w->els[at + i])};
    }
    counted_tree_insert(w->f->ks, &w->t, at, els, count);
}

static void replace(struct tree_world *w)
{
    if (w->count == 0) return;
    size_t at = random_position(w, w->count);
    uint8_t key[64];
    w->els[at].version = random_next(&w->random);
    w->els[at].len = random_len(w);
    struct element el = {.key = key_bytes(w, w->els[at].key, key), .value = value_of(w, &w->els[at])};
    counted_tree_replace(w->f->ks, &w->t, at, &el);
}

static void model_remove(struct tree_world *w, size_t at, size_t count)
{
    if (count == 0) return; /* of no elements there is no memory */
    memmove(w->els + at, w->els + at + count, (w->count - at - count) * sizeof *w->els);
    w->count -= count;
}

static void remove_range(struct tree_world *w, size_t most)
{
    size_t at = random_position(w, w->count), count = random_below(&w->random, most + 1);
    if (count > w->count - at) count = w->count - at;
    counted_tree_remove(w->f->ks, &w->t, at, count, NULL);
    model_remove(w, at, count);
}

/* ---- changes by key ---- */

static bool model_has(const struct tree_world *w, uint64_t key)
{
    size_t rank = model_rank(w, key);
    return rank < w->count && w->els[rank].key == key;
}

/* An element of the model's under this key, new or in place of the one there; as the tree is to get it, its key in `room`. */
static struct element model_put(struct tree_world *w, uint64_t key, uint8_t room[64])
{
    size_t at = model_rank(w, key);
    if (!model_has(w, key)) model_open(w, at, 1);
    w->els[at] = (struct model_element){key, random_next(&w->random), random_len(w)};
    return (struct element){.key = key_bytes(w, key, room), .value = value_of(w, &w->els[at])};
}

/* The key of an element, or one after it: of an element or of none. */
static uint64_t random_key(struct tree_world *w)
{
    return w->count ? w->els[random_position(w, w->count)].key + random_below(&w->random, 2) : 0;
}

static void move(struct tree_world *w, uint64_t from)
{
    uint8_t old[64], room[64];
    uint64_t to = random_below(&w->random, 2) ? from + random_below(&w->random, 200) : random_key(w);
    if (!model_has(w, from) || (to != from && model_has(w, to))) return;
    model_remove(w, model_rank(w, from), 1);
    struct element el = model_put(w, to, room);
    counted_tree_move(w->f->ks, &w->t, key_bytes(w, from, old), &el);
}

static void change_by_key(struct tree_world *w, bool grows)
{
    uint8_t room[64];
    uint64_t key = random_key(w);
    bool there = model_has(w, key);
    if (!w->ordered) return;
    if (random_below(&w->random, 2)) {
        move(w, key);
    } else if (random_below(&w->random, 3) == (grows ? 0 : 1)) {
        assert_int_equal(counted_tree_take(w->f->ks, &w->t, key_bytes(w, key, room)), there);
        if (there) model_remove(w, model_rank(w, key), 1);
    } else if (grows || there) {
        struct element el = model_put(w, key, room);
        counted_tree_put(w->f->ks, &w->t, &el);
    }
}

/* ---- reading ---- */

static void walk(struct tree_world *w, size_t at, size_t most, bool backwards)
{
    struct counted_tree_walk walk = {.position = at, .backwards = backwards};
    struct element el;
    while (most-- && counted_tree_next(w->f->ks, &w->t, &walk, &el)) {
        must_be(w, &el, at);
        at += backwards ? SIZE_MAX : 1;
    }
    assert_true(most == SIZE_MAX || at >= w->count);
}

static void look(struct tree_world *w)
{
    walk(w, random_position(w, w->count), random_below(&w->random, 200), random_below(&w->random, 2));
    if (!w->ordered || w->count == 0) return;
    uint8_t key[64];
    bool equal;
    size_t at = random_position(w, w->count);
    uint64_t wanted = w->els[at].key + random_below(&w->random, 2);
    size_t rank = model_rank(w, wanted);
    assert_int_equal(counted_tree_rank(w->f->ks, &w->t, key_bytes(w, wanted, key), &equal), rank);
    assert_int_equal(equal, rank < w->count && w->els[rank].key == wanted);
    struct element el;
    assert_int_equal(counted_tree_find(w->f->ks, &w->t, key_bytes(w, wanted, key), &el), equal);
    if (equal) must_be(w, &el, rank);
}

static void check(struct tree_world *w)
{
    struct error e;
    if (counted_tree_check(w->f->ks, &w->t, w->ordered, &e)) fail_msg("%s", e.text);
    assert_int_equal(w->t.root.count, w->count);
    assert_int_equal(w->t.root.bytes, root_bytes(w));
    walk(w, 0, SIZE_MAX, false);
    if (w->count) walk(w, w->count - 1, SIZE_MAX, true);
}

/* ---- steps ---- */

/* The tree grows for a while, then shrinks, and is empty now and then. */
static void change(struct tree_world *w, uint64_t step)
{
    bool grows = step / 3000 % 2 == 0;
    switch (random_below(&w->random, 20)) {
    case 0: insert(w, 1 + random_below(&w->random, grows ? BATCH_MAX : 20)); break;
    case 1: remove_range(w, grows ? 200 : 1000); break;
    case 2:
        if (!grows && random_below(&w->random, 200) == 0) remove_range(w, w->count);
        break;
    case 3:
    case 4:
    case 5: replace(w); break;
    case 6:
    case 7:
    case 8: look(w); break;
    case 9:
    case 10:
    case 11:
    case 12: change_by_key(w, grows); break;
    default:
        if (random_below(&w->random, 3) == (grows ? 0 : 1))
            remove_range(w, 1);
        else if (grows || random_below(&w->random, 2))
            insert(w, 1);
        else
            remove_range(w, 3);
    }
}

static void reopen(struct tree_world *w)
{
    fixture_settle(w->f);
    fixture_reopen(w->f);
}

static void run_tree(void **state, const char *name, bool ordered, bool large)
{
    static struct tree_world w;
    uint64_t steps = getenv("AIKV_LONG") ? STEPS_LONG : STEPS;
    w = (struct tree_world){.f = *state, .random = test_seed(name), .ordered = ordered, .large = large};
    for (size_t i = 0; i < sizeof w.source; i++) w.source[i] = (uint8_t)random_next(&w.random);
    counted_tree_init(&w.t, &(struct object){.slot = 7, .database_id = 0, .id = 1});
    for (uint64_t step = 0; step < steps; step++) {
        keyspace_begin(w.f->ks, 0, w.f->now_ms);
        change(&w, step);
        if (random_below(&w.random, 1500) == 0) check(&w);
        keyspace_end(w.f->ks);
        if (random_below(&w.random, 20) == 0) store_flush(w.f->store);
        if (random_below(&w.random, 3000) == 0) store_checkpoint_soon(w.f->store);
        if (random_below(&w.random, 20000) == 0) reopen(&w);
    }
    keyspace_begin(w.f->ks, 0, w.f->now_ms);
    check(&w);
    keyspace_end(w.f->ks);
    free(w.els);
}

static void test_a_tree_by_position_is_like_an_array(void **state)
{
    run_tree(state, "counted tree by position", false, false);
}

static void test_a_tree_by_position_holds_elements_larger_than_a_node(void **state)
{
    run_tree(state, "counted tree by position, large elements", false, true);
}

static void test_a_tree_by_key_is_like_a_sorted_array(void **state)
{
    run_tree(state, "counted tree by key", true, false);
}

static void test_a_tree_by_key_holds_elements_larger_than_a_node(void **state)
{
    run_tree(state, "counted tree by key, large elements", true, true);
}

/* ---- bounds ---- */

#define MANY 20000u

static double fill_of(struct counted_tree *t)
{
    return (double)t->root.bytes / ((double)t->root.object.nodes * COUNTED_TREE_NODE);
}

static void insert_numbered(struct fixture *f, struct counted_tree *t, uint64_t position, uint64_t number)
{
    char key[32];
    int len = snprintf(key, sizeof key, "key:%012" PRIu64, number);
    struct element el = {.key = bytes_of(key, (size_t)len), .value = bytes_text("value")};
    if (position == UINT64_MAX) position = counted_tree_rank(f->ks, t, el.key, NULL);
    counted_tree_insert(f->ks, t, position, &el, 1);
}

static void test_nodes_are_full_when_elements_come_in_order_and_two_thirds_full_when_not(void **state)
{
    struct fixture *f = *state;
    struct counted_tree rising, falling, mixed;
    uint64_t random = 1;
    keyspace_begin(f->ks, 0, f->now_ms);
    counted_tree_init(&rising, &(struct object){.slot = 1, .id = 1});
    counted_tree_init(&falling, &(struct object){.slot = 1, .id = 2});
    counted_tree_init(&mixed, &(struct object){.slot = 1, .id = 3});
    for (unsigned i = 0; i < MANY; i++) {
        insert_numbered(f, &rising, i, i);
        insert_numbered(f, &falling, 0, MANY - i);
        insert_numbered(f, &mixed, UINT64_MAX, random_next(&random) % 1000000000000);
    }
    assert_true(fill_of(&rising) > 0.95);
    assert_true(fill_of(&falling) > 0.95);
    assert_true(fill_of(&mixed) > 0.6);
    keyspace_end(f->ks);
}

static void test_a_tree_that_loses_elements_gives_its_nodes_back(void **state)
{
    struct fixture *f = *state;
    struct counted_tree t;
    uint64_t random = 2;
    keyspace_begin(f->ks, 0, f->now_ms);
    counted_tree_init(&t, &(struct object){.slot = 1, .id = 1});
    for (unsigned i = 0; i < MANY; i++) insert_numbered(f, &t, i, i);
    uint32_t nodes = t.root.object.nodes;
    while (t.root.count > MANY / 10) counted_tree_remove(f->ks, &t, random_below(&random, t.root.count), 1, NULL);
    for (unsigned i = 0; i < MANY / 10; i++) insert_numbered(f, &t, t.root.count, MANY + i);
    assert_int_equal(t.root.object.nodes, nodes); /* free ones are used again */
    struct error e;
    if (counted_tree_check(f->ks, &t, true, &e)) fail_msg("%s", e.text);
    counted_tree_remove(f->ks, &t, 0, t.root.count, NULL);
    assert_int_equal(t.height, 1);
    if (counted_tree_check(f->ks, &t, true, &e)) fail_msg("%s", e.text);
    keyspace_end(f->ks);
}

static void test_a_root_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct counted_tree t = {.root = {{5, 2, 77, 9}, 1000, 20000}, .top = 3, .free = 9, .height = 2}, read;
    struct buffer b;
    buffer_init(&b, 100);
    counted_tree_write(&b, &t);
    assert_int_equal(b.len, COUNTED_TREE_ROOT_SIZE);
    struct reader r = reader_of(buffer_bytes(&b));
    assert_true(counted_tree_read(&r, 2, &read) && reader_done(&r));
    const struct object *o = &read.root.object;
    assert_true(o->slot == 5 && o->database_id == 2 && o->id == 77 && o->nodes == 9);
    assert_true(read.root.count == 1000 && read.root.bytes == 20000 && read.top == 3 && read.free == 9 && read.height == 2);
    b.data[OBJECT_ROOT_SIZE] = 9; /* a top that is not among its nodes */
    r = reader_of(buffer_bytes(&b));
    assert_false(counted_tree_read(&r, 2, &read));
    buffer_release(&b);
}

static void test_damage_is_found(void **state)
{
    struct fixture *f = *state;
    struct counted_tree t;
    struct error e;
    keyspace_begin(f->ks, 0, f->now_ms);
    counted_tree_init(&t, &(struct object){.slot = 1, .id = 1});
    for (unsigned i = 0; i < 2000; i++) insert_numbered(f, &t, i, i);
    assert_true(t.height > 1);
    for (uint32_t node = 0; node < t.root.object.nodes; node++) {
        struct bytes row = node_get(f->ks, &t.root.object, node);
        uint8_t kept[COUNTED_TREE_NODE];
        memcpy(kept, row.data, row.len);
        size_t len = row.len;
        node_splice(f->ks, &t.root.object, node, len / 2, len - len / 2, bytes_of(NULL, 0));
        assert_int_equal(counted_tree_check(f->ks, &t, true, &e), ERROR_FORMAT);
        node_delete(f->ks, &t.root.object, node);
        assert_int_equal(counted_tree_check(f->ks, &t, true, &e), ERROR_FORMAT);
        node_put(f->ks, &t.root.object, node, bytes_of(kept, len));
    }
    assert_int_equal(counted_tree_check(f->ks, &t, true, &e), 0);
    t.root.count++;
    assert_int_equal(counted_tree_check(f->ks, &t, true, &e), ERROR_FORMAT);
    keyspace_end(f->ks);
}

int run_counted_tree_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_tree_by_position_is_like_an_array),
        FIXTURE_TEST(test_a_tree_by_position_holds_elements_larger_than_a_node),
        FIXTURE_TEST(test_a_tree_by_key_is_like_a_sorted_array),
        FIXTURE_TEST(test_a_tree_by_key_holds_elements_larger_than_a_node),
        FIXTURE_TEST(test_nodes_are_full_when_elements_come_in_order_and_two_thirds_full_when_not),
        FIXTURE_TEST(test_a_tree_that_loses_elements_gives_its_nodes_back),
        cmocka_unit_test(test_a_root_is_read_as_it_was_written),
        FIXTURE_TEST(test_damage_is_found),
    };
    return cmocka_run_group_tests_name("counted trees", tests, NULL, NULL);
}
