/* Sorted sets: ranges by rank, score or name: replied, stored, counted, removed. */
#include <math.h>
#include <stdlib.h>

#include "command/need.h"
#include "command/zset.h"

enum order { BY_RANK, BY_SCORE, BY_LEX };

/* ---- bounds ---- */

/* One end of a range, as it was given. */
struct bound {
    int64_t rank;
    double score;
    struct bytes name;
    enum { NAMED, FIRST, LAST } end; /* BY_LEX: "-" and "+" */
    bool exclusive;
};

/* As Redis: what strtod reads, even if it is nothing. */
static bool parse_score(struct command_call *c, int i, struct bound *out)
{
    char *text = command_text(c, i), *end;
    out->exclusive = text[0] == '(';
    out->score = strtod(text + out->exclusive, &end);
    if (!*end && !isnan(out->score)) return true;
    resp_error(c->reply, ERROR_SYNTAX, "min or max is not a float");
    return false;
}

static bool parse_name(struct command_call *c, int i, struct bound *out)
{
    struct bytes text = c->argv[i];
    uint8_t first = text.len ? text.data[0] : 0;
    if (text.len == 1 && (first == '-' || first == '+')) {
        out->end = first == '-' ? FIRST : LAST;
        return true;
    }
    out->end = NAMED;
    out->exclusive = first == '(';
    if (first == '(' || first == '[') {
        out->name = bytes_of(text.data + 1, text.len - 1);
        return true;
    }
    resp_error(c->reply, ERROR_SYNTAX, "min or max not valid string range item");
    return false;
}

/* False: the error was replied. */
static bool parse_bound(struct command_call *c, enum order by, int i, struct bound *out)
{
    *out = (struct bound){0};
    switch (by) {
    case BY_RANK: return command_integer(c, i, &out->rank, NULL);
    case BY_SCORE: return parse_score(c, i, out);
    case BY_LEX: return parse_name(c, i, out);
    }
    return false;
}

struct range {
    uint64_t from, to; /* positions; from <= to */
};

/* How many members come before the range's beginning or, for its end, before what is behind it. */
static uint64_t position_of(struct keyspace_zset *z, enum order by, const struct bound *b, bool is_end)
{
    bool same = is_end ? !b->exclusive : b->exclusive;
    if (by == BY_SCORE) return keyspace_zset_below(z, b->score, same);
    if (b->end != NAMED) return b->end == FIRST ? 0 : keyspace_zset_count(z);
    return keyspace_zset_before(z, b->name, same);
}

static struct range range_of_ranks(int64_t count, int64_t start, int64_t end)
{
    if (start < 0) start += count;
    if (end < 0) end += count;
    if (start < 0) start = 0;
    if (end >= count) end = count - 1;
    bool none = start > end || start >= count;
    return (struct range){none ? 0 : (uint64_t)start, none ? 0 : (uint64_t)end + 1};
}

static struct range range_of(struct keyspace_zset *z, enum order by, const struct bound *min, const struct bound *max)
{
    if (!keyspace_zset_count(z)) return (struct range){0, 0};
    if (by == BY_RANK) return range_of_ranks((int64_t)keyspace_zset_count(z), min->rank, max->rank);
    struct range r = {position_of(z, by, min, false), position_of(z, by, max, true)};
    if (r.from > r.to) r.to = r.from;
    return r;
}

/* ---- ZRANGE and its kin ---- */

struct range_options {
    bool either;  /* how and which way may be said by options */
    bool stores;
    enum order by;
    bool backwards, scores, limited;
    int64_t offset, limit;
    int key_at; /* then come the two ends, then options */
};

/* False: the error was replied. */
static bool parse_options(struct command_call *c, struct range_options *o)
{
    for (int i = o->key_at + 3; i < c->argc; i++) {
        if (!o->stores && command_is(c, i, "WITHSCORES")) {
            o->scores = true;
        } else if (command_is(c, i, "LIMIT") && i + 2 < c->argc) {
            if (!command_integer(c, i + 1, &o->offset, NULL) || !command_integer(c, i + 2, &o->limit, NULL)) return false;
            o->limited = o->limit != -1;
            i += 2;
        } else if (o->either && command_is(c, i, "REV")) {
            o->backwards = true;
        } else if (o->either && command_is(c, i, "BYLEX")) {
            o->by = BY_LEX;
        } else if (o->either && command_is(c, i, "BYSCORE")) {
            o->by = BY_SCORE;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    const char *wrong = NULL;
    if (o->limited && o->by == BY_RANK)
        wrong = "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
    else if (o->scores && o->by == BY_LEX)
        wrong = "syntax error, WITHSCORES not supported in combination with BYLEX";
    if (wrong) resp_error(c->reply, ERROR_SYNTAX, "%s", wrong);
    return !wrong;
}

/* Of a range that is walked backwards or not, the part that LIMIT leaves. */
static struct range cut(struct range r, const struct range_options *o)
{
    uint64_t len = r.to - r.from, offset = (uint64_t)o->offset, limit = (uint64_t)o->limit;
    if (o->by == BY_RANK) return r;
    if (o->offset < 0 || offset >= len) return (struct range){0, 0};
    len -= offset;
    if (o->limit >= 0 && limit < len) len = limit;
    if (o->backwards) return (struct range){r.to - offset - len, r.to - offset};
    return (struct range){r.from + offset, r.from + offset + len};
}

static void reply_range(struct command_call *c, struct keyspace_zset *z, struct range r, const struct range_options *o)
{
    struct command_scored_reply how = command_scored_reply(c, o->scores);
    struct keyspace_zset_walk w;
    struct keyspace_scored s;
    uint64_t left = r.to - r.from;
    command_reply_scored_head(c, how, left);
    keyspace_zset_walk(z, o->backwards && left ? r.to - 1 : r.from, o->backwards, &w);
    while (left-- && keyspace_zset_next(z, &w, &s)) command_reply_scored(c, how, &s);
}

static void store_range(struct command_call *c, struct keyspace_zset *z, struct range r, const struct range_options *o)
{
    struct keyspace_zset_walk w;
    struct keyspace_scored s, *copies = arena_alloc(c->arena, (r.to - r.from) * sizeof s);
    size_t n = 0;
    keyspace_zset_walk(z, r.from, false, &w);
    while (n < r.to - r.from && keyspace_zset_next(z, &w, &s)) copies[n++] = command_copy_scored(c, &s);
    keyspace_zset_drop_signs(c->keyspace, copies, n, o->backwards, o->by == BY_RANK); /* as Redis, which puts them in one by one */
    command_zset_store(c, c->argv[1], copies, n, "zrangestore");
    resp_integer(c->reply, (int64_t)n);
}

static void run_range(struct command_call *c, struct range_options *o)
{
    struct keyspace_zset z;
    struct bound min, max;
    if (!parse_options(c, o)) return;
    bool turned = o->backwards && o->by != BY_RANK; /* the greater end comes first */
    int min_at = o->key_at + 1 + turned, max_at = o->key_at + 2 - turned;
    if (!parse_bound(c, o->by, min_at, &min) || !parse_bound(c, o->by, max_at, &max)) return;
    if (!command_open_zset(c, c->argv[o->key_at], &z)) return;
    struct range r = range_of(&z, o->by, &min, &max);
    if (o->backwards && o->by == BY_RANK && r.to > r.from) {
        uint64_t count = keyspace_zset_count(&z); /* ranks from the other end */
        r = (struct range){count - r.to, count - r.from};
    }
    r = cut(r, o);
    if (o->stores)
        store_range(c, &z, r, o);
    else
        reply_range(c, &z, r, o);
}

static void command_zset_range_zrange(struct command_call *c)
{
    run_range(c, &(struct range_options){.either = true, .limit = -1, .key_at = 1});
}

static void command_zset_range_zrangestore(struct command_call *c)
{
    run_range(c, &(struct range_options){.either = true, .stores = true, .limit = -1, .key_at = 2});
}

static void command_zset_range_zrevrange(struct command_call *c)
{
    run_range(c, &(struct range_options){.backwards = true, .limit = -1, .key_at = 1});
}

static void command_zset_range_zrangebyscore(struct command_call *c)
{
    run_range(c, &(struct range_options){.by = BY_SCORE, .limit = -1, .key_at = 1});
}

static void command_zset_range_zrevrangebyscore(struct command_call *c)
{
    run_range(c, &(struct range_options){.by = BY_SCORE, .backwards = true, .limit = -1, .key_at = 1});
}

static void command_zset_range_zrangebylex(struct command_call *c)
{
    run_range(c, &(struct range_options){.by = BY_LEX, .limit = -1, .key_at = 1});
}

static void command_zset_range_zrevrangebylex(struct command_call *c)
{
    run_range(c, &(struct range_options){.by = BY_LEX, .backwards = true, .limit = -1, .key_at = 1});
}

/* ---- counting and removing ---- */

/* False: the error was replied. */
static bool given_range(struct command_call *c, enum order by, struct keyspace_zset *z, struct range *out)
{
    struct bound min, max;
    if (!parse_bound(c, by, 2, &min) || !parse_bound(c, by, 3, &max) || !command_open_zset(c, c->argv[1], z)) return false;
    *out = range_of(z, by, &min, &max);
    return true;
}

static void reply_count(struct command_call *c, enum order by)
{
    struct keyspace_zset z;
    struct range r;
    if (given_range(c, by, &z, &r)) resp_integer(c->reply, (int64_t)(r.to - r.from));
}

static void command_zset_range_zcount(struct command_call *c)
{
    reply_count(c, BY_SCORE);
}

static void command_zset_range_zlexcount(struct command_call *c)
{
    reply_count(c, BY_LEX);
}

static void remove_range(struct command_call *c, enum order by)
{
    struct keyspace_zset z;
    struct range r;
    if (!given_range(c, by, &z, &r)) return;
    keyspace_zset_remove_range(&z, r.from, r.to - r.from);
    command_zset_close_removed(c, &z, c->argv[1], r.to > r.from ? c->entry->name : NULL);
    resp_integer(c->reply, (int64_t)(r.to - r.from));
}

static void command_zset_range_zremrangebyrank(struct command_call *c)
{
    remove_range(c, BY_RANK);
}

static void command_zset_range_zremrangebyscore(struct command_call *c)
{
    remove_range(c, BY_SCORE);
}

static void command_zset_range_zremrangebylex(struct command_call *c)
{
    remove_range(c, BY_LEX);
}

#define READS     KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)
#define REMOVES   KEYS(1, 1, 1, KEY_RW | KEY_DELETE)
#define OF_N_AND_M "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
#define CONSTANT                                                                                                       \
    "being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it " \
    "O(log(N))."

const struct command_row command_zset_range_rows[] = {
    {"ZRANGE", -4, READ, READS, ACL_SORTEDSET, command_zset_range_zrange,
     "Members in order: those of a range of ranks, scores or names.",
     .needs = NEEDS_RANGE, .syntax = "key start:string stop:string [sortby: BYSCORE | BYLEX] [REV] [LIMIT (offset_count: offset count)] [WITHSCORES]", .since = "1.2.0",
     .complexity = OF_N_AND_M "returned."},
    {"ZRANGESTORE", -5, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_OW | KEY_UPDATE), ACL_SORTEDSET, command_zset_range_zrangestore,
     "Stores a range of a sorted set in another key; returns how many members there are.",
     .needs = NEEDS_RANGE, .syntax = "dst src min max [sortby: BYSCORE | BYLEX] [REV] [LIMIT (offset_count: offset count)]", .since = "6.2.0",
     .complexity = OF_N_AND_M "stored into the destination key.", .more_keys = MORE_KEYS(KEYS(2, 2, 1, KEY_RO | KEY_ACCESS))},
    {"ZREVRANGE", -4, READ, READS, ACL_SORTEDSET, command_zset_range_zrevrange,
     "Members in reversed order: those of a range of ranks.",
     .needs = NEEDS_RANGE_BACKWARDS, .syntax = "key start stop [WITHSCORES]", .since = "1.2.0", .complexity = OF_N_AND_M "returned.",
     .replaced_by = "`ZRANGE` with the `REV` argument", .deprecated_since = "6.2.0"},
    {"ZRANGEBYSCORE", -4, READ, READS, ACL_SORTEDSET, command_zset_range_zrangebyscore,
     "Members whose scores are in a range, in order.",
     .needs = NEEDS_SCORES(NEEDS_FORWARDS, NEED_READS), .syntax = "key min:double max:double [WITHSCORES] [LIMIT (offset_count: offset count)]", .since = "1.0.5", .complexity = OF_N_AND_M CONSTANT,
     .replaced_by = "`ZRANGE` with the `BYSCORE` argument", .deprecated_since = "6.2.0"},
    {"ZREVRANGEBYSCORE", -4, READ, READS, ACL_SORTEDSET, command_zset_range_zrevrangebyscore,
     "Members whose scores are in a range, in reversed order.",
     .needs = NEEDS_SCORES(NEEDS_BACKWARDS, NEED_READS), .syntax = "key max:double min:double [WITHSCORES] [LIMIT (offset_count: offset count)]", .since = "2.2.0", .complexity = OF_N_AND_M CONSTANT,
     .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments", .deprecated_since = "6.2.0"},
    {"ZRANGEBYLEX", -4, READ, READS, ACL_SORTEDSET, command_zset_range_zrangebylex,
     "Members in a range of names, all having one score.",
     .needs = NEEDS_NAMES(NEEDS_FORWARDS, NEED_READS), .syntax = "key min max [LIMIT (offset_count: offset count)]", .since = "2.8.9", .complexity = OF_N_AND_M CONSTANT,
     .replaced_by = "`ZRANGE` with the `BYLEX` argument", .deprecated_since = "6.2.0"},
    {"ZREVRANGEBYLEX", -4, READ, READS, ACL_SORTEDSET, command_zset_range_zrevrangebylex,
     "Members in a range of names, all having one score, in reversed order.",
     .needs = NEEDS_NAMES(NEEDS_BACKWARDS, NEED_READS), .syntax = "key max min [LIMIT (offset_count: offset count)]", .since = "2.8.9", .complexity = OF_N_AND_M CONSTANT,
     .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments", .deprecated_since = "6.2.0"},
    {"ZCOUNT", 4, READ | FAST, READS, ACL_SORTEDSET, command_zset_range_zcount,
     "How many members have scores in a range.",
     .needs = NEEDS_SCORES(NEEDS_COUNTED, NEED_READS), .syntax = "key min:double max:double", .since = "2.0.0", .complexity = "O(log(N)) with N being the number of elements in the sorted set."},
    {"ZLEXCOUNT", 4, READ | FAST, READS, ACL_SORTEDSET, command_zset_range_zlexcount,
     "How many members, all having one score, are in a range of names.",
     .needs = NEEDS_NAMES(NEEDS_COUNTED, NEED_READS), .syntax = "key min max", .since = "2.8.9", .complexity = "O(log(N)) with N being the number of elements in the sorted set."},
    {"ZREMRANGEBYRANK", 4, WRITE, REMOVES, ACL_SORTEDSET, command_zset_range_zremrangebyrank,
     "Removes the members of a range of ranks; returns how many.",
     .needs = NEEDS_RANKS(2, 2, NEED_REMOVES), .syntax = "key start stop", .since = "2.0.0", .complexity = OF_N_AND_M "removed by the operation."},
    {"ZREMRANGEBYSCORE", 4, WRITE, REMOVES, ACL_SORTEDSET, command_zset_range_zremrangebyscore,
     "Removes the members whose scores are in a range; returns how many.",
     .needs = NEEDS_SCORES(NEEDS_FORWARDS, NEED_REMOVES), .syntax = "key min:double max:double", .since = "1.2.0", .complexity = OF_N_AND_M "removed by the operation."},
    {"ZREMRANGEBYLEX", 4, WRITE, REMOVES, ACL_SORTEDSET, command_zset_range_zremrangebylex,
     "Removes the members in a range of names, all having one score; returns how many.",
     .needs = NEEDS_NAMES(NEEDS_FORWARDS, NEED_REMOVES), .syntax = "key min max", .since = "2.8.9", .complexity = OF_N_AND_M "removed by the operation."},
    {0},
};
