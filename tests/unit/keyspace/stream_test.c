/* Streams against a plain array, over several commands: small ones and large ones, emptied, trimmed, copied, renamed and opened anew on the way. */
#include <inttypes.h>

#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/stream.h"

#define ENTRIES_MAX 4000u
#define STEPS       6000u

struct stream_world {
    struct fixture *f;
    uint64_t random;
    struct bytes key;
    struct stream_head head;
    size_t count;
    struct {
        struct stream_id id;
        size_t len;
    } entries[ENTRIES_MAX];
};

static struct keyspace_stream open_stream(struct stream_world *w)
{
    struct keyspace_stream s;
    keyspace_begin(w->f->ks, 0, w->f->now_ms);
    struct keyspace_entry e = keyspace_find(w->f->ks, w->key);
    keyspace_stream_open(w->f->ks, w->key, &e, &s);
    return s;
}

static void close_stream(struct stream_world *w, struct keyspace_stream *s)
{
    keyspace_stream_close(s);
    keyspace_end(w->f->ks);
}

/* Fields of `len` bytes that tell the id. */
static struct bytes fields_of(struct stream_id id, size_t len, uint8_t room[4096])
{
    uint8_t value[4000];
    memset(value, (int)(id.seq & 127), len);
    struct element el = {.key = bytes_text("f"), .value = bytes_of(value, len)};
    element_write(room, &el);
    return bytes_of(room, element_size(&el));
}

static void append_some(struct stream_world *w, size_t count)
{
    uint8_t room[4096];
    struct keyspace_stream s = open_stream(w);
    for (; count && w->count < ENTRIES_MAX; count--) {
        struct stream_id id = w->head.last;
        id.ms += random_below(&w->random, 2);
        id.seq += 1 + random_below(&w->random, 300);
        size_t len = random_below(&w->random, 50) ? random_below(&w->random, 30) : random_below(&w->random, 4000);
        keyspace_stream_append(&s, &(struct stream_entry){id, fields_of(id, len, room)});
        w->entries[w->count].id = id;
        w->entries[w->count++].len = len;
        w->head.last = id;
        w->head.added++;
    }
    close_stream(w, &s);
}

static void remove_some(struct stream_world *w)
{
    struct keyspace_stream s = open_stream(w);
    size_t at = random_below(&w->random, 2) ? 0 : random_below(&w->random, w->count + 1), most = w->count - at;
    size_t count = random_below(&w->random, 30) ? random_below(&w->random, (most < 12 ? most : 12) + 1) : most;
    keyspace_stream_remove(&s, at, count);
    memmove(w->entries + at, w->entries + at + count, (w->count - at - count) * sizeof *w->entries);
    w->count -= count;
    close_stream(w, &s);
}

static void set_head(struct stream_world *w)
{
    struct keyspace_stream s = open_stream(w);
    w->head.last.ms += 2;
    w->head.max_deleted.seq = random_next(&w->random);
    if (s.exists)
        keyspace_stream_set_head(&s, &w->head);
    else
        w->head = (struct stream_head){0};
    close_stream(w, &s);
}

static void check_entry(const struct stream_world *w, const struct stream_entry *found, size_t i)
{
    uint8_t room[4096];
    assert_int_equal(stream_id_compare(found->id, w->entries[i].id), 0);
    assert_true(bytes_equal(found->fields, fields_of(found->id, w->entries[i].len, room)));
}

static void compare(struct stream_world *w)
{
    struct keyspace_stream s = open_stream(w);
    struct keyspace_stream_walk walk;
    struct stream_entry found;
    size_t i = random_below(&w->random, w->count + 1);
    bool equal, backwards = random_below(&w->random, 2);
    assert_int_equal(s.count, w->count);
    assert_int_equal(stream_id_compare(s.head.last, w->head.last), 0);
    assert_int_equal(stream_id_compare(s.head.max_deleted, w->head.max_deleted), 0);
    assert_true(s.head.added == w->head.added);
    if (i < w->count) {
        struct stream_id before = w->entries[i].id;
        assert_int_equal(keyspace_stream_rank(&s, w->entries[i].id, &equal), i);
        assert_true(equal);
        stream_id_previous(&before);
        size_t expected = i && stream_id_compare(w->entries[i - 1].id, before) == 0 ? i - 1 : i;
        assert_int_equal(keyspace_stream_rank(&s, before, &equal), expected);
        assert_int_equal(equal, expected < i);
    }
    keyspace_stream_walk(&s, i, backwards, &walk);
    for (; i < w->count; i += backwards ? SIZE_MAX : 1) {
        assert_true(keyspace_stream_next(&s, &walk, &found));
        check_entry(w, &found, i);
    }
    assert_false(keyspace_stream_next(&s, &walk, &found));
    close_stream(w, &s);
}

/* To another key and back, by copy or by move. */
static void transfer(struct stream_world *w)
{
    struct keyspace_destination to = {0, bytes_text("{s}other"), true}, back = {0, w->key, true};
    keyspace_begin(w->f->ks, 0, w->f->now_ms);
    enum keyspace_transfer there = random_below(&w->random, 2) ? keyspace_copy(w->f->ks, w->key, &to) : keyspace_move(w->f->ks, w->key, &to);
    if (there == KEYSPACE_TRANSFERRED) assert_int_equal(keyspace_move(w->f->ks, to.key, &back), KEYSPACE_TRANSFERRED);
    keyspace_end(w->f->ks);
}

static void check(struct stream_world *w)
{
    struct error e = {0};
    if (keyspace_check(w->f->ks, &e)) fail_msg("%s", e.text);
}

static void step(struct stream_world *w)
{
    switch (random_below(&w->random, 8)) {
    case 0:
    case 1:
    case 2: append_some(w, random_below(&w->random, 20)); break;
    case 3:
    case 4: remove_some(w); break;
    case 5: set_head(w); break;
    case 6: transfer(w); break;
    default: compare(w);
    }
}

static void test_a_stream_holds_what_was_added_and_not_removed(void **state)
{
    struct stream_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->f = *state;
    w->key = bytes_text("s");
    w->random = test_seed("stream");
    for (unsigned i = 1; i <= STEPS; i++) {
        step(w);
        if (i % 200 == 0) check(w);
        if (i % 1000 == 0) fixture_reopen(w->f);
        if (i % 1500 == 0) { /* begins anew, small */
            delete_key(w->f, 0, "s");
            w->count = 0;
            w->head = (struct stream_head){0};
        }
    }
    compare(w);
    check(w);
    free(w);
}

int run_stream_tests(void)
{
    const struct CMUnitTest tests[] = {FIXTURE_TEST(test_a_stream_holds_what_was_added_and_not_removed)};
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
