/* Sorted sets against a plain array, over several keys and commands: small ones and large ones, both zeros and infinities, members that need a node
 * of their own; copied, renamed, dropped and opened anew on the way. */
#include <inttypes.h>
#include <math.h>

#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/keyspace_state.h"
#include "keyspace/zset.h"

#define KEYS       4u
#define MEMBERS    700u
#define STEPS      20000u
#define STEPS_LONG 2000000u
#define NEVER      KEYSPACE_NO_EXPIRY

static const char *const names[KEYS] = {"a", "{a}b", "c", "d"};

struct model {
    bool there[MEMBERS];
    double score[MEMBERS];
};

struct zset_world {
    struct fixture *f;
    uint64_t random;
    struct model models[KEYS];
    uint8_t members[MEMBERS][24];
};

static struct bytes member_of(const struct zset_world *w, size_t i)
{
    static uint8_t large[3000];
    const char *text = (const char *)w->members[i];
    if (i % 97 != 3) return bytes_text(text);
    memset(large, 'm', sizeof large); /* one at a time */
    memcpy(large, text, strlen(text));
    return bytes_of(large, 60 + i * 4);
}

static double random_score(struct zset_world *w)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, 1e300, -1e-300, 3};
    uint64_t n = random_below(&w->random, 20);
    if (n < sizeof special / sizeof *special) return special[n];
    return n < 14 ? (double)random_below(&w->random, 50) - 25 : (double)random_next(&w->random) / 1e9;
}

/* Zeros lose their sign while a set is small; so they may have had none when it became large. */
static bool same_double(double a, double b)
{
    return a == b && (!signbit(a) || signbit(b));
}

/* ---- one command each ---- */

static void begin(struct zset_world *w)
{
    keyspace_begin(w->f->ks, 0, w->f->now_ms);
}

static struct keyspace_zset open_zset(struct zset_world *w, size_t key)
{
    struct keyspace_zset z;
    struct keyspace_entry e = keyspace_find(w->f->ks, bytes_text(names[key]));
    keyspace_zset_open(w->f->ks, bytes_text(names[key]), &e, &z);
    return z;
}

static void close_zset(struct zset_world *w, struct keyspace_zset *z)
{
    keyspace_zset_close(z);
    keyspace_end(w->f->ks);
}

static void put_some(struct zset_world *w, size_t key, size_t count)
{
    begin(w);
    struct keyspace_zset z = open_zset(w, key);
    struct model *m = &w->models[key];
    while (count--) {
        size_t i = random_below(&w->random, MEMBERS);
        double score = random_score(w), old;
        assert_int_equal(keyspace_zset_score(&z, member_of(w, i), &old), m->there[i]);
        if (m->there[i]) assert_true(same_double(old, m->score[i]));
        keyspace_zset_put(&z, &(struct keyspace_scored){member_of(w, i), score});
        m->there[i] = true;
        m->score[i] = score;
    }
    close_zset(w, &z);
}

static void remove_some(struct zset_world *w, size_t key, size_t count)
{
    begin(w);
    struct keyspace_zset z = open_zset(w, key);
    struct model *m = &w->models[key];
    while (count--) {
        size_t i = random_below(&w->random, MEMBERS);
        assert_int_equal(keyspace_zset_remove(&z, member_of(w, i)), m->there[i]);
        m->there[i] = false;
    }
    close_zset(w, &z);
}

/* The model's members in order; returns how many. */
static size_t sort(const struct zset_world *w, const struct model *m, size_t out[MEMBERS])
{
    size_t n = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!m->there[i]) continue;
        uint8_t copy[3000];
        struct bytes member = member_of(w, i);
        memcpy(copy, member.data, member.len);
        struct keyspace_scored s = {bytes_of(copy, member.len), m->score[i]};
        size_t at = n++;
        for (; at > 0; at--) {
            struct keyspace_scored before = {member_of(w, out[at - 1]), m->score[out[at - 1]]};
            if (keyspace_scored_compare(&before, &s) < 0) break;
            out[at] = out[at - 1];
        }
        out[at] = i;
    }
    return n;
}

static void remove_range(struct zset_world *w, size_t key)
{
    struct model *m = &w->models[key];
    size_t order[MEMBERS], n = sort(w, m, order);
    begin(w);
    struct keyspace_zset z = open_zset(w, key);
    size_t at = random_below(&w->random, n + 1), count = random_below(&w->random, n - at + 1);
    if (random_below(&w->random, 4)) count = count % 20;
    keyspace_zset_remove_range(&z, at, count);
    for (size_t i = 0; i < count; i++) m->there[order[at + i]] = false;
    close_zset(w, &z);
}

static void store(struct zset_world *w, size_t key, size_t from)
{
    static uint8_t bytes[MEMBERS * 3000];
    struct keyspace_scored *members = calloc(MEMBERS, sizeof *members);
    size_t order[MEMBERS], n = sort(w, &w->models[from], order), len = 0;
    for (size_t i = 0; i < n; i++) {
        struct bytes member = member_of(w, order[i]);
        memcpy(bytes + len, member.data, member.len);
        members[i] = (struct keyspace_scored){bytes_of(bytes + len, member.len), w->models[from].score[order[i]]};
        len += member.len;
    }
    begin(w);
    keyspace_zset_store(w->f->ks, bytes_text(names[key]), members, n);
    keyspace_end(w->f->ks);
    w->models[key] = w->models[from];
    free(members);
}

static void copy(struct zset_world *w, size_t key, size_t from, bool moves)
{
    struct keyspace_destination to = {0, bytes_text(names[key]), true};
    begin(w);
    enum keyspace_transfer outcome = moves ? keyspace_move(w->f->ks, bytes_text(names[from]), &to) : keyspace_copy(w->f->ks, bytes_text(names[from]), &to);
    keyspace_end(w->f->ks);
    if (outcome == KEYSPACE_NO_SOURCE || key == from) return;
    w->models[key] = w->models[from];
    if (moves) w->models[from] = (struct model){0};
}

/* ---- looking ---- */

static void must_be(const struct zset_world *w, const struct model *m, size_t i, const struct keyspace_scored *s)
{
    if (!bytes_equal(s->member, member_of(w, i)) || !same_double(s->score, m->score[i])) fail_msg("another member than %zu", i);
}

static void count_one(void *user, const struct keyspace_scored *s)
{
    (void)s;
    ++*(size_t *)user;
}

static void look(struct zset_world *w, size_t key)
{
    const struct model *m = &w->models[key];
    size_t order[MEMBERS], n = sort(w, m, order), seen = 0;
    begin(w);
    struct keyspace_zset z = open_zset(w, key);
    struct keyspace_zset_walk walk;
    struct keyspace_scored s;
    assert_int_equal(keyspace_zset_count(&z), n);
    assert_int_equal(z.exists, n > 0);
    size_t from = random_below(&w->random, n + 1);
    keyspace_zset_walk(&z, from, false, &walk);
    for (size_t i = from; i < n; i++) {
        assert_true(keyspace_zset_next(&z, &walk, &s));
        must_be(w, m, order[i], &s);
    }
    assert_false(keyspace_zset_next(&z, &walk, &s));
    if (from < n) {
        keyspace_zset_walk(&z, from, true, &walk);
        for (size_t i = from + 1; i-- > 0;) {
            assert_true(keyspace_zset_next(&z, &walk, &s));
            must_be(w, m, order[i], &s);
        }
        assert_false(keyspace_zset_next(&z, &walk, &s));
        uint64_t rank;
        assert_true(keyspace_zset_rank(&z, member_of(w, order[from]), &rank));
        assert_int_equal(rank, from);
        keyspace_zset_random(&z, &w->random, &s);
        double score = random_score(w);
        size_t below = 0, same = 0;
        for (size_t i = 0; i < n; i++) {
            below += m->score[order[i]] < score;
            same += m->score[order[i]] == score;
        }
        assert_int_equal(keyspace_zset_below(&z, score, false), below);
        assert_int_equal(keyspace_zset_below(&z, score, true), below + same);
    }
    uint64_t cursor = 0;
    do cursor = keyspace_zset_scan(&z, cursor, count_one, &seen);
    while (cursor);
    assert_int_equal(seen, n);
    close_zset(w, &z);
}

static void check_all(struct zset_world *w)
{
    struct error e;
    if (keyspace_check(w->f->ks, &e)) fail_msg("%s", e.text);
}

static void step(struct zset_world *w)
{
    size_t key = random_below(&w->random, KEYS), other = random_below(&w->random, KEYS);
    switch (random_below(&w->random, 100)) {
    case 0: store(w, key, other); break;
    case 1: copy(w, key, other, false); break;
    case 2: copy(w, key, other, true); break;
    case 3:
        w->models[key] = (struct model){0};
        delete_key(w->f, 0, names[key]);
        break;
    case 4: remove_range(w, key); break;
    case 5: put_some(w, key, 200); break;
    case 6: keyspace_reclaim(w->f->ks, 1000); break;
    case 7: look(w, key); break;
    default:
        if (random_below(&w->random, 5) < 3)
            put_some(w, key, 1 + random_below(&w->random, 3));
        else
            remove_some(w, key, 1 + random_below(&w->random, 3));
    }
}

static void test_sorted_sets_behave_like_a_plain_array(void **state)
{
    struct zset_world *w = calloc(1, sizeof *w);
    w->f = *state;
    w->random = test_seed("sorted sets");
    for (size_t i = 0; i < MEMBERS; i++) snprintf((char *)w->members[i], sizeof w->members[i], "m%zu", i * 7919 % 100003);
    unsigned steps = getenv("AIKV_LONG") ? STEPS_LONG : STEPS;
    for (unsigned n = 0; n < steps; n++) {
        step(w);
        if (n % 50 == 0) fixture_settle(w->f);
        if (n % 1000 == 0) check_all(w);
        if (n % 2500 == 2499) fixture_reopen(w->f);
    }
    for (size_t key = 0; key < KEYS; key++) look(w, key);
    check_all(w);
    free(w);
}

/* ---- single claims ---- */

static void test_the_last_member_takes_the_key_with_it(void **state)
{
    struct zset_world w = {.f = *state};
    begin(&w);
    struct keyspace_zset z = open_zset(&w, 0);
    keyspace_zset_put(&z, &(struct keyspace_scored){bytes_text("m"), 1});
    close_zset(&w, &z);
    begin(&w);
    z = open_zset(&w, 0);
    assert_true(z.exists);
    assert_true(keyspace_zset_remove(&z, bytes_text("m")));
    close_zset(&w, &z);
    begin(&w);
    assert_int_equal(keyspace_find(w.f->ks, bytes_text(names[0])).type, KEYSPACE_NONE);
    keyspace_end(w.f->ks);
}

static void test_expiry_stays_with_changes(void **state)
{
    struct zset_world w = {.f = *state};
    int64_t expires_ms = w.f->now_ms + 100000;
    begin(&w);
    struct keyspace_zset z = open_zset(&w, 0);
    keyspace_zset_put(&z, &(struct keyspace_scored){bytes_text("m"), 1});
    close_zset(&w, &z);
    assert_true(expire_key(w.f, 0, names[0], expires_ms));
    char member[20];
    for (int i = 0; i < 300; i++) {
        begin(&w);
        z = open_zset(&w, 0);
        snprintf(member, sizeof member, "m%d", i);
        keyspace_zset_put(&z, &(struct keyspace_scored){bytes_text(member), i});
        close_zset(&w, &z);
    }
    begin(&w);
    struct keyspace_entry e = keyspace_find(w.f->ks, bytes_text(names[0]));
    assert_true(e.expires_ms == expires_ms && keyspace_zset_is_large(&e));
    keyspace_end(w.f->ks);
}

static void test_members_of_one_score_are_counted_by_name(void **state)
{
    struct zset_world w = {.f = *state};
    for (unsigned round = 0; round < 2; round++) { /* small, then large */
        begin(&w);
        struct keyspace_zset z = open_zset(&w, round);
        char member[20];
        size_t n = round ? 300 : 50;
        for (size_t i = 0; i < n; i++) {
            snprintf(member, sizeof member, "%03zu", 2 * i);
            keyspace_zset_put(&z, &(struct keyspace_scored){bytes_text(member), 7});
        }
        assert_int_equal(keyspace_zset_before(&z, bytes_text("010"), false), 5);
        assert_int_equal(keyspace_zset_before(&z, bytes_text("010"), true), 6);
        assert_int_equal(keyspace_zset_before(&z, bytes_text("011"), true), 6);
        assert_int_equal(keyspace_zset_before(&z, bytes_text(""), true), 0);
        assert_int_equal(keyspace_zset_before(&z, bytes_text("z"), false), n);
        close_zset(&w, &z);
    }
}

int run_zset_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_the_last_member_takes_the_key_with_it),
        FIXTURE_TEST(test_expiry_stays_with_changes),
        FIXTURE_TEST(test_members_of_one_score_are_counted_by_name),
        FIXTURE_TEST(test_sorted_sets_behave_like_a_plain_array),
    };
    return cmocka_run_group_tests_name("sorted sets", tests, NULL, NULL);
}
