/* Sorted sets: the first or last members taken out, some at random, a few at a time. */
#include <stdlib.h>

#include "base/random.h"
#include "command/engine.h"
#include "command/need.h"
#include "command/scan.h"
#include "command/zset.h"

/* ---- taken from an end ---- */

void command_zset_pop(struct command_call *c, struct keyspace_zset *z, struct bytes key, bool last, uint64_t count, struct command_scored_reply how)
{
    struct keyspace_zset_walk w;
    struct keyspace_scored s;
    uint64_t all = keyspace_zset_count(z);
    if (count > all) count = all;
    if (how.keyed) {
        resp_array(c->reply, 1 + 2 * count);
        resp_bulk(c->reply, key);
    } else {
        command_reply_scored_head(c, how, count);
    }
    if (!count) return;
    keyspace_zset_walk(z, last ? all - 1 : 0, last, &w);
    for (uint64_t i = 0; i < count && keyspace_zset_next(z, &w, &s); i++) command_reply_scored(c, how, &s);
    keyspace_zset_remove_range(z, last ? all - count : 0, count);
    command_zset_close_removed(c, z, key, last ? "zpopmax" : "zpopmin");
}

static void pop_from_key(struct command_call *c, bool last)
{
    struct keyspace_zset z;
    int64_t count = 1;
    if (c->argc > 3) {
        command_reply_syntax_error(c);
        return;
    }
    if (c->argc == 3 && !command_integer_within(c, 2, 0, INT64_MAX, &count, "value is out of range, must be positive")) return;
    if (!command_open_zset(c, c->argv[1], &z)) return;
    struct command_scored_reply how = {.scores = true, .pairs = c->argc == 3 && c->reply->protocol >= 3};
    command_zset_pop(c, &z, c->argv[1], last, (uint64_t)count, how);
}

static void command_zset_pick_zpopmin(struct command_call *c)
{
    pop_from_key(c, false);
}

static void command_zset_pick_zpopmax(struct command_call *c)
{
    pop_from_key(c, true);
}

bool command_zset_parse_mpop(struct command_call *c, int at, struct command_zset_mpop *out)
{
    int64_t keys;
    *out = (struct command_zset_mpop){.keys = c->argv + at + 1, .count = 1};
    if (!command_integer_within(c, at, 1, INT64_MAX, &keys, "numkeys should be greater than 0")) return false;
    bool known = keys < c->argc - at - 1;
    int end_at = known ? at + 1 + (int)keys : 0;
    out->key_count = (size_t)keys;
    out->last = known && command_is(c, end_at, "MAX");
    if (!known || (!out->last && !command_is(c, end_at, "MIN"))) {
        command_reply_syntax_error(c);
        return false;
    }
    if (end_at + 1 == c->argc) return true;
    if (end_at + 3 != c->argc || !command_is(c, end_at + 1, "COUNT")) {
        command_reply_syntax_error(c);
        return false;
    }
    return command_integer_within(c, end_at + 2, 1, INT64_MAX, &out->count, "count should be greater than 0");
}

bool command_zset_mpop(struct command_call *c, const struct command_zset_mpop *m)
{
    for (size_t i = 0; i < m->key_count; i++) {
        struct keyspace_zset z;
        if (!command_open_zset(c, m->keys[i], &z)) return true;
        if (!keyspace_zset_count(&z)) continue;
        resp_array(c->reply, 2);
        resp_bulk(c->reply, m->keys[i]);
        command_zset_pop(c, &z, m->keys[i], m->last, (uint64_t)m->count, (struct command_scored_reply){.scores = true, .pairs = true});
        return true;
    }
    return false;
}

static void command_zset_pick_zmpop(struct command_call *c)
{
    struct command_zset_mpop m;
    if (command_zset_parse_mpop(c, 1, &m) && !command_zset_mpop(c, &m)) resp_null_array(c->reply);
}

/* ---- at random ---- */

static int compare_positions(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Different positions below `of`, in order: few of many are drawn until enough differ, most of them are chosen on a walk (Knuth, 3.4.2, S). */
static uint64_t *draw_positions(struct command_call *c, uint64_t count, uint64_t of)
{
    uint64_t *out = arena_alloc(c->arena, count * sizeof *out), n = 0;
    if (count > of / 8) {
        for (uint64_t i = 0; n < count; i++)
            if (random_below(&c->engine->random, of - i) < count - n) out[n++] = i;
        return out;
    }
    while (n < count) {
        for (; n < count; n++) out[n] = random_below(&c->engine->random, of);
        qsort(out, n, sizeof *out, compare_positions);
        uint64_t kept = 0;
        for (uint64_t i = 0; i < n; i++)
            if (!kept || out[kept - 1] != out[i]) out[kept++] = out[i];
        n = kept;
    }
    return out;
}

static void reply_different(struct command_call *c, struct keyspace_zset *z, uint64_t count, struct command_scored_reply how)
{
    struct keyspace_zset_walk w;
    struct keyspace_scored s;
    uint64_t all = keyspace_zset_count(z), next = UINT64_MAX;
    if (count > all) count = all;
    command_reply_scored_head(c, how, count);
    const uint64_t *positions = count < all ? draw_positions(c, count, all) : NULL;
    for (uint64_t i = 0; i < count; i++, next++) {
        uint64_t position = positions ? positions[i] : i;
        if (position != next) keyspace_zset_walk(z, position, false, &w);
        next = position;
        keyspace_zset_next(z, &w, &s);
        command_reply_scored(c, how, &s);
    }
}

static void reply_any(struct command_call *c, struct keyspace_zset *z, uint64_t count, struct command_scored_reply how)
{
    struct keyspace_scored s;
    if (!keyspace_zset_count(z)) count = 0;
    command_reply_scored_head(c, how, count);
    while (count-- && !c->reply->out->failed) { /* a reply that has grown too large is cut off */
        keyspace_zset_random(z, &c->engine->random, &s);
        command_reply_scored(c, how, &s);
    }
}

static void command_zset_pick_zrandmember(struct command_call *c)
{
    struct keyspace_zset z;
    struct keyspace_scored s;
    int64_t count;
    bool scores;
    if (c->argc > 2) {
        if (!command_parse_picks(c, "WITHSCORES", &count, &scores) || !command_open_zset(c, c->argv[1], &z)) return;
        struct command_scored_reply how = command_scored_reply(c, scores);
        if (count < 0)
            reply_any(c, &z, 0 - (uint64_t)count, how);
        else
            reply_different(c, &z, (uint64_t)count, how);
    } else if (command_open_zset(c, c->argv[1], &z)) {
        if (!keyspace_zset_count(&z)) {
            resp_null(c->reply);
            return;
        }
        keyspace_zset_random(&z, &c->engine->random, &s);
        resp_bulk(c->reply, s.member);
    }
}

/* ---- a few at a time ---- */

struct scan {
    struct command_scan *s;
    bool packed;
    int64_t seen;
};

/* A bulk string, in RESP3 too. As Redis, which packs whole numbers as such and gives what is packed as it is. */
static void reply_scanned_score(struct resp_writer *w, double score, bool packed)
{
    double most = (double)(INT64_MAX / 2);
    if (packed && score > -most && score < most && score == (double)(int64_t)score)
        resp_bulk_printf(w, "%lld", (long long)score);
    else
        resp_double(w, score);
}

static void visit(void *user, const struct keyspace_scored *scored)
{
    struct scan *scan = user;
    struct command_scan *s = scan->s;
    scan->seen++;
    if (!command_scan_fits(s, scored->member)) return;
    struct resp_writer text = {.out = s->elements.out, .protocol = 2};
    resp_bulk(&text, scored->member);
    reply_scanned_score(&text, scored->score, scan->packed);
    s->found += 2;
}

static void command_zset_pick_zscan(struct command_call *c)
{
    struct command_scan s;
    struct keyspace_zset z;
    if (!command_scan_begin(c, 2, &s) || !command_open_zset(c, c->argv[1], &z)) return;
    bool empty = !keyspace_zset_count(&z); /* as in Redis, options are then not looked at */
    if (!empty && !command_scan_options(c, 3, false, &s)) return;
    struct scan scan = {&s, !z.large, 0};
    uint64_t next = s.cursor;
    do
        next = empty ? 0 : keyspace_zset_scan(&z, next, visit, &scan);
    while (next && scan.seen < s.count);
    command_scan_reply(c, &s, next);
}

#define READS KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)
#define TAKES KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE)
#define OF_POPPED                                                                                                      \
    "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped."

const struct command_row command_zset_pick_rows[] = {
    {"ZPOPMIN", -2, WRITE | FAST, TAKES, ACL_SORTEDSET, command_zset_pick_zpopmin,
     "Takes out the members with the lowest scores.",
     .needs = NEEDS_POPPED(false, 2), .syntax = "key [count]", .since = "5.0.0", .complexity = OF_POPPED},
    {"ZPOPMAX", -2, WRITE | FAST, TAKES, ACL_SORTEDSET, command_zset_pick_zpopmax,
     "Takes out the members with the highest scores.",
     .needs = NEEDS_POPPED(true, 2), .syntax = "key [count]", .since = "5.0.0", .complexity = OF_POPPED},
    {"ZMPOP", -4, WRITE, NO_KEYS, ACL_SORTEDSET, command_zset_pick_zmpop,
     "Takes out members with the lowest or highest scores of the first sorted set that has any.",
     .needs = NEEDS_FIRST_POPPED(1), .syntax = "numkeys key... (where: MIN | MAX) [COUNT count]", .since = "7.0.0",
     .complexity = "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted "
                   "set, and M being the number of elements popped.",
     .more_keys = MORE_KEYS(KEYS_COUNTED(1, KEY_RW | KEY_ACCESS | KEY_DELETE))},
    {"ZRANDMEMBER", -2, READ, READS, ACL_SORTEDSET, command_zset_pick_zrandmember,
     "A random member, or several different ones, or, of a count below 0, as many that may be equal.",
     .syntax = "key [options: count [WITHSCORES]]", .since = "6.2.0", .complexity = "O(N) where N is the number of elements returned",
     .tips = "nondeterministic_output"},
    {"ZSCAN", -3, READ, READS, ACL_SORTEDSET, command_zset_pick_zscan,
     "Some members with their scores, and the cursor to go on with: 0 at the end.",
     .needs = NEEDS_SCAN, .syntax = "key cursor [MATCH pattern] [COUNT count]", .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to "
                   "return back to 0. N is the number of elements inside the collection..",
     .tips = "nondeterministic_output"},
    {0},
};
