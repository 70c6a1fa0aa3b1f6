/* Strings of all sizes against plain arrays of bytes: random writes around the borders of rows, with copies, expiry, the deletion of what is
 * left over, and reopenings in between; what must hold of all rows is checked on the way. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/chunks.h"

#define KEYS    7
#define USED    2 /* databases */
#define LEN_MAX ((size_t)400000)
#define STEPS   3000
#define NEVER   KEYSPACE_NO_EXPIRY

struct model_string {
    bool there;
    size_t len;
    int64_t expires_ms;
    uint8_t bytes[LEN_MAX];
};

struct model {
    struct fixture *f;
    uint64_t random;
    struct model_string *keys[USED][KEYS];
    uint8_t source[LEN_MAX], read[LEN_MAX];
};

static struct bytes name_of(unsigned i)
{
    static const char *const names[KEYS] = {"a", "b", "{a}c", "{a}d", "e", "f", "long"};
    static char text[600];
    if (i < KEYS - 1) return bytes_text(names[i]);
    memset(text, 'x', sizeof text); /* named by its hash */
    return bytes_of(text, sizeof text);
}

/* Up to `most`, often at or beside a border. */
static size_t random_size(struct model *m, size_t most)
{
    static const size_t borders[] = {0, CHUNKS_WHOLE_MAX, CHUNKS_BYTES, 4 * CHUNKS_BYTES, 5 * CHUNKS_BYTES, 11 * CHUNKS_BYTES};
    size_t size = borders[random_below(&m->random, 6)] + random_below(&m->random, 5);
    if (size >= 2) size -= 2;
    if (random_below(&m->random, 3) == 0) size = random_below(&m->random, most + 1);
    if (random_below(&m->random, 4) == 0) size = random_below(&m->random, 300);
    return size < most ? size : most;
}

static struct bytes random_bytes_of(struct model *m, size_t len)
{
    uint64_t from = random_below(&m->random, LEN_MAX - len + 1);
    return bytes_of(m->source + from, len);
}

static struct model_string *pick(struct model *m, unsigned database, unsigned *i)
{
    *i = (unsigned)random_below(&m->random, KEYS);
    struct model_string *s = m->keys[database][*i];
    if (s->there && s->expires_ms != NEVER && s->expires_ms <= m->f->now_ms) s->there = false;
    if (!s->there) {
        s->len = 0;
        s->expires_ms = NEVER;
    }
    return s;
}

static void put_random(struct model *m, struct model_string *s, unsigned i)
{
    struct bytes value = random_bytes_of(m, random_size(m, LEN_MAX));
    s->there = true;
    s->len = value.len;
    s->expires_ms = random_below(&m->random, 3) ? NEVER : m->f->now_ms + 1 + (int64_t)random_below(&m->random, 300);
    memcpy(s->bytes, value.data, value.len);
    keyspace_string_put(m->f->ks, name_of(i), value, s->expires_ms);
}

/* Gives the bytes of another key, or of the key that is made itself, and zeros behind them. */
struct filling {
    struct model *m;
    struct keyspace_entry from;
    size_t given;
};

static void fill(void *user, size_t at, uint8_t *out, size_t len)
{
    struct filling *f = user;
    size_t there = keyspace_string_len(&f->from), have = there <= at ? 0 : there - at < len ? there - at : len;
    assert_true(at == f->given && len > 0 && len <= CHUNKS_WHOLE_MAX);
    keyspace_string_read(f->m->f->ks, &f->from, at < there ? at : 0, have, out);
    memset(out + have, 0, len - have);
    f->given += len;
}

static void make_random(struct model *m, unsigned database, struct model_string *s, unsigned i)
{
    unsigned j;
    struct model_string *from = pick(m, database, &j);
    struct filling f = {.m = m, .from = keyspace_find(m->f->ks, name_of(j))};
    size_t len = random_size(m, LEN_MAX);
    keyspace_string_make(m->f->ks, name_of(i), len, fill, &f, NEVER);
    assert_int_equal(f.given, len);
    memmove(s->bytes, from->bytes, from->len);
    if (len > from->len) memset(s->bytes + from->len, 0, len - from->len);
    s->there = true;
    s->len = len;
    s->expires_ms = NEVER;
}

static void write_random(struct model *m, struct model_string *s, unsigned i)
{
    size_t at = random_below(&m->random, 2) ? s->len : random_size(m, LEN_MAX);
    struct bytes with = random_bytes_of(m, random_size(m, LEN_MAX - at));
    if (!s->there || with.len) {
        if (at > s->len) memset(s->bytes + s->len, 0, at - s->len);
        if (with.len) memcpy(s->bytes + at, with.data, with.len);
        if (at + with.len > s->len) s->len = at + with.len;
        s->there = true;
    }
    assert_int_equal(keyspace_string_write(m->f->ks, name_of(i), at, with), s->len);
}

static void read_random(struct model *m, const struct model_string *s, unsigned i)
{
    struct keyspace_entry en = keyspace_find(m->f->ks, name_of(i));
    assert_int_equal(en.type == KEYSPACE_STRING, s->there);
    assert_true(en.expires_ms == s->expires_ms);
    assert_int_equal(keyspace_string_len(&en), s->len);
    size_t at = random_below(&m->random, 2) ? 0 : random_size(m, s->len);
    size_t len = random_below(&m->random, 2) ? s->len - at : random_size(m, s->len - at);
    keyspace_string_read(m->f->ks, &en, at, len, m->read);
    if (len && memcmp(m->read, s->bytes + at, len) != 0) fail_msg("key %u: other bytes from %zu on, %zu of them", i, at, len);
}

static void read_pieces(struct model *m, const struct model_string *s, unsigned i)
{
    struct keyspace_entry en = keyspace_find(m->f->ks, name_of(i));
    for (size_t at = random_size(m, s->len); at < s->len;) {
        struct bytes piece = keyspace_string_piece(m->f->ks, &en, at);
        assert_true(piece.len > 0 && piece.len <= s->len - at);
        for (size_t j = 0; !piece.data && j < piece.len; j++) assert_int_equal(s->bytes[at + j], 0);
        if (piece.data) assert_memory_equal(piece.data, s->bytes + at, piece.len);
        at += piece.len;
    }
}

static void expire_random(struct model *m, struct model_string *s, unsigned i)
{
    static const int64_t never = NEVER;
    int64_t when = random_below(&m->random, 3) ? never : m->f->now_ms + (int64_t)random_below(&m->random, 50);
    assert_int_equal(keyspace_expire(m->f->ks, name_of(i), when), s->there);
    if (s->there) s->expires_ms = when;
    if (when == m->f->now_ms) s->there = false;
}

static void transfer(struct model *m, unsigned database)
{
    unsigned i, j, there = (unsigned)random_below(&m->random, USED);
    struct model_string *from = pick(m, database, &i), *to = pick(m, there, &j);
    bool moves = random_below(&m->random, 2), replace = random_below(&m->random, 2);
    struct keyspace_destination d = {there, name_of(j), replace};
    enum keyspace_transfer outcome = (moves ? keyspace_move : keyspace_copy)(m->f->ks, name_of(i), &d);
    bool done = from->there && (replace || !to->there);
    assert_int_equal(outcome, !from->there ? KEYSPACE_NO_SOURCE : done ? KEYSPACE_TRANSFERRED : KEYSPACE_OCCUPIED);
    if (!done || from == to) return;
    memcpy(to, from, sizeof *to);
    if (moves) from->there = false;
}

static void random_command(struct model *m)
{
    unsigned database = (unsigned)random_below(&m->random, USED), i;
    keyspace_begin(m->f->ks, database, m->f->now_ms);
    for (uint64_t n = 1 + random_below(&m->random, 3); n; n--) {
        struct model_string *s = pick(m, database, &i);
        switch (random_below(&m->random, 15)) {
        case 0: put_random(m, s, i); break;
        case 1:
        case 2:
        case 3:
        case 4: write_random(m, s, i); break;
        case 5:
            assert_int_equal(keyspace_delete(m->f->ks, name_of(i)), s->there);
            s->there = false;
            break;
        case 6: expire_random(m, s, i); break;
        case 7:
        case 8: transfer(m, database); break;
        case 9: make_random(m, database, s, i); break;
        case 10: read_pieces(m, s, i); break;
        default: read_random(m, s, i); break;
        }
    }
    if (random_below(&m->random, 200) == 0) {
        keyspace_flush(m->f->ks, database);
        for (i = 0; i < KEYS; i++) m->keys[database][i]->there = false;
    }
    if (random_below(&m->random, 100) == 0) {
        keyspace_swap(m->f->ks, 0, 1);
        for (i = 0; i < KEYS; i++) {
            struct model_string *kept = m->keys[0][i];
            m->keys[0][i] = m->keys[1][i];
            m->keys[1][i] = kept;
        }
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
    switch (random_below(&m->random, 12)) {
    case 0: m->f->now_ms += (int64_t)random_below(&m->random, 40); break;
    case 1: keyspace_sweep(m->f->ks, 100, m->f->now_ms, NULL); break;
    case 2:
    case 3: keyspace_reclaim(m->f->ks, 1 + random_below(&m->random, 40)); break;
    case 4: store_checkpoint_soon(m->f->store); break;
    case 5: fixture_settle(m->f); break;
    case 6: check(m); break;
    case 7:
        if (random_below(&m->random, 4) == 0) fixture_reopen(m->f);
        break;
    default: store_flush(m->f->store); break;
    }
}

static struct model *model_new(struct fixture *f, uint64_t seed)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->f = f;
    m->random = seed;
    for (size_t i = 0; i < LEN_MAX; i++) m->source[i] = (uint8_t)random_next(&m->random);
    for (unsigned i = 0; i < USED * KEYS; i++) {
        m->keys[i / KEYS][i % KEYS] = calloc(1, sizeof(struct model_string));
        assert_non_null(m->keys[i / KEYS][i % KEYS]);
    }
    return m;
}

static void model_free(struct model *m)
{
    for (unsigned i = 0; i < USED * KEYS; i++) free(m->keys[i / KEYS][i % KEYS]);
    free(m);
}

static void run(struct model *m, uint64_t steps)
{
    while (steps--) {
        random_command(m);
        if (random_below(&m->random, 4) == 0) other_work(m);
    }
}

/* Once nothing waits, every node that is left is a key's. */
static void check_to_the_end(struct model *m)
{
    check(m);
    while (keyspace_reclaim(m->f->ks, 1000)) {}
    check(m);
}

static void test_strings_of_all_sizes_behave_like_plain_arrays(void **state)
{
    struct model *m = model_new(*state, test_seed("keyspace strings"));
    run(m, STEPS);
    check_to_the_end(m);
    model_free(m);
}

/* A process that ends without a word, perhaps within a checkpoint. */
static void run_and_vanish(struct model *m)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fixture_open(m->f);
        for (unsigned database = 0; database < USED; database++) flush(m->f, database); /* the model begins with nothing */
        run(m, 50 + random_below(&m->random, 300));
        if (random_below(&m->random, 2)) store_checkpoint_soon(m->f->store);
        if (random_below(&m->random, 4)) store_flush(m->f->store);
        usleep((useconds_t)random_below(&m->random, 5000));
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_after_any_end_no_row_is_nobody_s(void **state)
{
    struct model *m = model_new(*state, test_seed("keyspace strings, killed"));
    fixture_close(m->f);
    for (int round = 0; round < 12; round++) {
        run_and_vanish(m);
        random_next(&m->random); /* the child's went with it */
        fixture_open(m->f);
        if (round % 3 == 2)
            check_to_the_end(m);
        else
            check(m);
        fixture_close(m->f);
    }
    fixture_open(m->f);
    model_free(m);
}

int run_string_model_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_strings_of_all_sizes_behave_like_plain_arrays),
        FIXTURE_TEST(test_after_any_end_no_row_is_nobody_s),
    };
    return cmocka_run_group_tests_name("keyspace string model", tests, NULL, NULL);
}
