/* Consumer groups of a stream against plain arrays, over several commands: few things pending and many, groups and consumers that come and go, names of all
 * lengths; copied, renamed, dropped and opened anew on the way. */
#include <inttypes.h>

#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/stream_groups.h"

#define NAMES 6u /* of groups, and of consumers */
#define IDS   1500u
#define STEPS 10000u

struct model_group {
    bool there;
    struct stream_id last;
    int64_t read;
    bool consumers[NAMES];
    int64_t seen_ms[NAMES];
    struct {
        bool there;
        unsigned consumer;
        int64_t delivered_ms;
        uint64_t deliveries;
    } pending[IDS];
};

struct groups_world {
    struct fixture *f;
    uint64_t random;
    struct keyspace_stream s; /* within a command */
    struct model_group groups[NAMES];
};

/* In order. */
static struct bytes name_of(size_t i)
{
    static uint8_t longest[KEYSPACE_STREAM_NAME_MAX];
    static const struct {
        const char *text;
        size_t len;
    } names[] = {{"", 0}, {"\0", 1}, {"a", 1}, {"a\0b", 3}, {"b", 1}};
    if (i < 5) return bytes_of(names[i].text, names[i].len);
    memset(longest, 0xff, sizeof longest);
    return bytes_of(longest, sizeof longest);
}

static struct stream_id id_of(size_t i)
{
    return (struct stream_id){i / 256, i % 256};
}

static uint64_t below(struct groups_world *w, uint64_t n)
{
    return random_below(&w->random, n);
}

/* ---- one command each ---- */

static void begin(struct groups_world *w)
{
    keyspace_begin(w->f->ks, 0, w->f->now_ms);
    struct keyspace_entry e = keyspace_find(w->f->ks, bytes_text("s"));
    keyspace_stream_open(w->f->ks, bytes_text("s"), &e, &w->s);
}

static void end(struct groups_world *w)
{
    keyspace_stream_close(&w->s);
    keyspace_end(w->f->ks);
}

/* The group is what the model says; false: not there. */
static bool find_group(struct groups_world *w, size_t i, struct stream_group *out)
{
    const struct model_group *m = &w->groups[i];
    assert_int_equal(keyspace_group_find(&w->s, name_of(i), out), m->there);
    if (!m->there) return false;
    assert_int_equal(stream_id_compare(out->last, m->last), 0);
    assert_true(out->read == m->read);
    return true;
}

static bool find_consumer(struct groups_world *w, size_t i, const struct stream_group *g, size_t c, struct stream_consumer *out)
{
    const struct model_group *m = &w->groups[i];
    assert_int_equal(keyspace_consumer_find(&w->s, g, name_of(c), out), m->consumers[c]);
    if (m->consumers[c]) assert_true(out->seen_ms == m->seen_ms[c]);
    return m->consumers[c];
}

static void change_group(struct groups_world *w, size_t i)
{
    struct model_group *m = &w->groups[i];
    struct stream_group g;
    bool there = find_group(w, i, &g);
    if (there && !below(w, 12)) {
        keyspace_group_destroy(&w->s, name_of(i), &g);
        *m = (struct model_group){0};
        return;
    }
    g.last = m->last = (struct stream_id){random_next(&w->random), below(w, 3)};
    g.read = m->read = below(w, 3) ? (int64_t)(random_next(&w->random) >> 1) : STREAM_READ_UNKNOWN;
    m->there = true;
    if (there)
        keyspace_group_put(&w->s, name_of(i), &g);
    else
        keyspace_group_create(&w->s, name_of(i), &g);
}

static void change_consumer(struct groups_world *w, size_t i, const struct stream_group *g)
{
    struct model_group *m = &w->groups[i];
    struct stream_consumer consumer;
    size_t c = below(w, NAMES);
    bool there = find_consumer(w, i, g, c, &consumer);
    if (there && !below(w, 5)) {
        keyspace_consumer_delete(&w->s, g, name_of(c), &consumer);
        m->consumers[c] = false;
        for (size_t k = 0; k < IDS; k++)
            if (m->pending[k].consumer == c) m->pending[k].there = false;
        return;
    }
    consumer.seen_ms = m->seen_ms[c] = (int64_t)below(w, INT64_MAX);
    m->consumers[c] = true;
    if (there)
        keyspace_consumer_put(&w->s, g, name_of(c), &consumer);
    else
        keyspace_consumer_create(&w->s, g, name_of(c), &consumer);
}

static void note_pending(struct model_group *m, size_t k, size_t c, const struct stream_pending *p)
{
    m->pending[k].there = true;
    m->pending[k].consumer = (unsigned)c;
    m->pending[k].delivered_ms = p->delivered_ms;
    m->pending[k].deliveries = p->deliveries;
}

/* To a consumer, if there is one: many in a row, or one. */
static void deliver(struct groups_world *w, size_t i, const struct stream_group *g)
{
    struct stream_consumer consumer;
    struct stream_id ids[IDS];
    size_t c = below(w, NAMES), first = below(w, IDS), count = 0, step = 1 + below(w, 3);
    if (!find_consumer(w, i, g, c, &consumer)) return;
    size_t most = below(w, 4) ? 10 : 200;
    struct stream_pending p = {.id = id_of(first), .consumer = consumer.number, .delivered_ms = (int64_t)below(w, INT64_MAX), .deliveries = random_next(&w->random)};
    if (below(w, 2)) {
        keyspace_pending_put(&w->s, g, &p);
        note_pending(&w->groups[i], first, c, &p);
        return;
    }
    for (size_t k = first; k < IDS && count < most; k += step) {
        ids[count++] = id_of(k);
        note_pending(&w->groups[i], k, c, &p);
    }
    keyspace_pending_deliver(&w->s, g, &p, ids, count);
}

static void acknowledge(struct groups_world *w, size_t i, const struct stream_group *g)
{
    struct model_group *m = &w->groups[i];
    struct stream_pending p;
    size_t first = below(w, IDS), most = below(w, 3) ? 5 : 100;
    for (size_t k = first; k < IDS && k < first + most; k++) {
        bool there = keyspace_pending_find(&w->s, g, id_of(k), &p);
        assert_int_equal(there, m->pending[k].there);
        if (!there) continue;
        keyspace_pending_remove(&w->s, g, &p);
        m->pending[k].there = false;
    }
}

static void append(struct groups_world *w)
{
    uint8_t room[64];
    struct bytes fields[] = {bytes_text("field"), bytes_text("value")};
    struct stream_id id = w->s.head.last;
    stream_id_next(&id);
    keyspace_stream_append(&w->s, id, fields, 1, room);
}

/* ---- all that is held is what the model says ---- */

static void compare_pending(struct groups_world *w, const struct model_group *m, const struct stream_group *g, const size_t *consumer)
{
    struct keyspace_group_walk walk;
    struct stream_consumer of = {0};
    struct stream_pending p;
    size_t from = below(w, 2) ? 0 : below(w, IDS), count = 0;
    if (consumer) keyspace_consumer_find(&w->s, g, name_of(*consumer), &of);
    keyspace_pending_walk(&w->s, g, consumer ? &of.number : NULL, id_of(from), &walk);
    for (size_t k = 0; k < IDS; k++) {
        if (!m->pending[k].there || (consumer && m->pending[k].consumer != *consumer)) continue;
        count++;
        if (k < from) continue;
        assert_true(keyspace_pending_next(&w->s, &walk, &p));
        assert_int_equal(stream_id_compare(p.id, id_of(k)), 0);
        assert_true(p.delivered_ms == m->pending[k].delivered_ms && p.deliveries == m->pending[k].deliveries);
        assert_true(bytes_equal(keyspace_consumer_name(&w->s, g, p.consumer), name_of(m->pending[k].consumer)));
    }
    assert_false(keyspace_pending_next(&w->s, &walk, &p));
    assert_int_equal(consumer ? keyspace_pending_count_of(&w->s, g, of.number) : keyspace_pending_count(&w->s, g), count);
}

static void compare_group(struct groups_world *w, size_t i, const struct stream_group *g)
{
    const struct model_group *m = &w->groups[i];
    struct keyspace_group_walk walk;
    struct stream_consumer consumer;
    struct bytes name;
    size_t count = 0;
    compare_pending(w, m, g, NULL);
    keyspace_consumer_walk(&w->s, g, &walk);
    for (size_t c = 0; c < NAMES; c++) {
        if (!m->consumers[c]) continue;
        count++;
        assert_true(keyspace_consumer_next(&w->s, &walk, &name, &consumer));
        assert_true(bytes_equal(name, name_of(c)) && consumer.seen_ms == m->seen_ms[c]);
        compare_pending(w, m, g, &c);
    }
    assert_false(keyspace_consumer_next(&w->s, &walk, &name, &consumer));
    assert_int_equal(keyspace_consumer_count(&w->s, g), count);
}

static void compare(struct groups_world *w)
{
    struct keyspace_group_walk walk;
    struct stream_group g;
    struct bytes name;
    size_t count = 0;
    keyspace_group_walk(&w->s, &walk);
    for (size_t i = 0; i < NAMES; i++) {
        if (!w->groups[i].there) continue;
        count++;
        assert_true(keyspace_group_next(&w->s, &walk, &name, &g));
        assert_true(bytes_equal(name, name_of(i)));
        find_group(w, i, &g);
        compare_group(w, i, &g);
    }
    assert_false(keyspace_group_next(&w->s, &walk, &name, &g));
    assert_int_equal(keyspace_group_count(&w->s), count);
}

/* ---- steps ---- */

/* To another key and back, by copy or by move. */
static void transfer(struct groups_world *w)
{
    struct keyspace_destination to = {0, bytes_text("other"), true}, back = {0, bytes_text("s"), true};
    keyspace_begin(w->f->ks, 0, w->f->now_ms);
    enum keyspace_transfer there = below(w, 2) ? keyspace_copy(w->f->ks, back.key, &to) : keyspace_move(w->f->ks, back.key, &to);
    if (there == KEYSPACE_TRANSFERRED) assert_int_equal(keyspace_move(w->f->ks, to.key, &back), KEYSPACE_TRANSFERRED);
    keyspace_end(w->f->ks);
}

static void check(struct groups_world *w)
{
    struct error e = {0};
    if (keyspace_check(w->f->ks, &e)) fail_msg("%s", e.text);
}

static void step(struct groups_world *w)
{
    size_t i = below(w, NAMES);
    struct stream_group g;
    begin(w);
    if (!find_group(w, i, &g)) {
        change_group(w, i);
        end(w);
        return;
    }
    switch (below(w, 12)) {
    case 0:
    case 1: change_group(w, i); break;
    case 2:
    case 3: change_consumer(w, i, &g); break;
    case 4: append(w); break;
    case 5: compare_group(w, i, &g); break;
    case 6:
    case 7:
    case 8: acknowledge(w, i, &g); break;
    default: deliver(w, i, &g);
    }
    end(w);
}

static void drop(struct groups_world *w)
{
    delete_key(w->f, 0, "s");
    memset(w->groups, 0, sizeof w->groups);
}

static void test_groups_hold_what_was_delivered_and_not_acknowledged(void **state)
{
    struct groups_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->f = *state;
    w->random = test_seed("stream_groups");
    for (unsigned n = 1; n <= STEPS; n++) {
        step(w);
        if (n % 250 == 0) check(w);
        if (n % 500 == 0) transfer(w);
        if (n % 1000 == 0) fixture_reopen(w->f);
        if (n % 3000 == 0) drop(w);
        if (n % 100 == 0) {
            begin(w);
            compare(w);
            end(w);
        }
    }
    check(w);
    free(w);
}

static void test_the_last_group_takes_its_object_with_it(void **state)
{
    struct groups_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->f = *state;
    struct stream_group g = {.read = STREAM_READ_UNKNOWN};
    begin(w);
    append(w);
    keyspace_group_create(&w->s, bytes_text("g"), &g);
    end(w);
    check(w);
    assert_int_equal(keyspace_reclaim_waiting(w->f->ks), 0);
    begin(w);
    assert_true(w->s.has_groups && keyspace_group_find(&w->s, bytes_text("g"), &g));
    keyspace_group_destroy(&w->s, bytes_text("g"), &g);
    end(w);
    check(w);
    assert_int_equal(keyspace_reclaim_waiting(w->f->ks), 1);
    begin(w);
    assert_false(w->s.has_groups);
    assert_int_equal(w->s.count, 1);
    end(w);
    free(w);
}

static void count_change(void *user, unsigned database, struct bytes key, enum keyspace_change change)
{
    unsigned *changes = user;
    (void)database;
    (void)key;
    changes[change == KEYSPACE_CREATED]++;
}

static void test_what_happens_to_groups_is_no_change_of_the_stream(void **state)
{
    struct groups_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->f = *state;
    unsigned changes[2] = {0};
    struct stream_group g = {.read = STREAM_READ_UNKNOWN};
    keyspace_listen(w->f->ks, &(struct keyspace_listener){changes, count_change});
    begin(w);
    keyspace_group_create(&w->s, bytes_text("g"), &g);
    end(w);
    assert_int_equal(changes[1], 1);
    begin(w);
    keyspace_group_create(&w->s, bytes_text("h"), &g);
    end(w);
    begin(w);
    keyspace_group_destroy(&w->s, bytes_text("h"), &g);
    end(w);
    assert_int_equal(changes[0], 0);
    begin(w);
    append(w);
    end(w);
    assert_int_equal(changes[0], 1);
    keyspace_listen(w->f->ks, NULL);
    free(w);
}

int run_stream_groups_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_groups_hold_what_was_delivered_and_not_acknowledged),
        FIXTURE_TEST(test_the_last_group_takes_its_object_with_it),
        FIXTURE_TEST(test_what_happens_to_groups_is_no_change_of_the_stream),
    };
    return cmocka_run_group_tests_name("stream_groups", tests, NULL, NULL);
}
