/* Streams against a plain array, over several commands: small ones and large ones, emptied, trimmed, copied, renamed and opened anew on the way; their entries
 * have a few lists of names at a time, and now and then others. */
#include <inttypes.h>

#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/stream.h"

#define ENTRIES_MAX 4000u
#define STEPS       6000u
#define FIELDS_MAX  5u

struct stream_world {
    struct fixture *f;
    uint64_t random;
    struct bytes key;
    struct stream_head head;
    unsigned usual; /* names that entries have now: this and the next ones */
    size_t count;
    struct stream_model_entry {
        struct stream_id id;
        size_t len;
        unsigned names;
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

struct made_fields {
    struct bytes fields[2 * FIELDS_MAX];
    size_t count;
    uint8_t names[FIELDS_MAX][200], value[4000];
};

/* Fields with `len` bytes in a value that tell the id; one in seven lists has long names. */
static void make_fields(const struct stream_model_entry *entry, struct made_fields *out)
{
    size_t pad = entry->names % 7 ? 0 : 150;
    out->count = 1 + entry->names % FIELDS_MAX;
    memset(out->value, (int)(entry->id.seq & 127), entry->len);
    for (size_t i = 0; i < out->count; i++) {
        memset(out->names[i], '-', pad);
        size_t len = pad + (size_t)snprintf((char *)out->names[i] + pad, sizeof *out->names - pad, "%u.%zu", entry->names, i);
        out->fields[2 * i] = bytes_of(out->names[i], len);
        out->fields[2 * i + 1] = bytes_of(out->value, i == entry->len % out->count ? entry->len : entry->len % 3);
    }
}

/* As one of the usual ones, or of so many that most come once. */
static unsigned pick_names(struct stream_world *w)
{
    if (random_below(&w->random, 40) == 0) w->usual += 3;
    return w->usual + (unsigned)(random_below(&w->random, 10) ? random_below(&w->random, 3) : random_below(&w->random, 1000));
}

static void append_some(struct stream_world *w, size_t count)
{
    struct made_fields made;
    struct keyspace_stream s = open_stream(w);
    for (; count && w->count < ENTRIES_MAX; count--) {
        struct stream_model_entry *entry = &w->entries[w->count++];
        entry->id = w->head.last;
        entry->id.ms += random_below(&w->random, 2) << random_below(&w->random, 40);
        entry->id.seq += 1 + random_below(&w->random, 300);
        entry->len = random_below(&w->random, 50) ? random_below(&w->random, 30) : random_below(&w->random, 4000);
        entry->names = pick_names(w);
        make_fields(entry, &made);
        uint8_t *room = malloc(stream_fields_room(made.fields, made.count));
        keyspace_stream_append(&s, entry->id, made.fields, made.count, room);
        free(room);
        w->head.last = entry->id;
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
    w->head.last.ms = w->count ? w->head.last.ms + 2 : random_below(&w->random, 1000); /* without entries it may fall */
    w->head.max_deleted.seq = random_next(&w->random);
    if (s.exists)
        keyspace_stream_set_head(&s, &w->head);
    else
        w->head = (struct stream_head){0};
    close_stream(w, &s);
}

static void check_entry(const struct stream_world *w, struct stream_entry found, size_t i)
{
    struct made_fields made;
    struct bytes name, value;
    assert_int_equal(stream_id_compare(found.id, w->entries[i].id), 0);
    make_fields(&w->entries[i], &made);
    assert_int_equal(stream_entry_count(&found), made.count);
    for (size_t f = 0; f < made.count; f++) {
        assert_true(stream_entry_next(&found, &name, &value));
        assert_true(bytes_equal(name, made.fields[2 * f]));
        assert_true(bytes_equal(value, made.fields[2 * f + 1]));
    }
    assert_false(stream_entry_next(&found, &name, &value));
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
        check_entry(w, found, i);
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
