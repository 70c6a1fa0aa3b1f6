/* Sorted sets: single members. */
#include "command/need.h"
#include "command/zset.h"

#include <math.h>

#include "base/number.h"
#include "command/notify.h"

bool command_open_zset(struct command_call *c, struct bytes key, struct keyspace_zset *out)
{
    struct keyspace_entry entry = c->entry->row->flags & READ ? command_read(c, key) : keyspace_find(c->keyspace, key);
    if (!command_is_type(c, &entry, KEYSPACE_ZSET)) return false;
    keyspace_zset_open(c->keyspace, key, &entry, out);
    return true;
}

void command_reply_scored_head(struct command_call *c, struct command_scored_reply how, uint64_t count)
{
    resp_array(c->reply, how.scores && !how.pairs ? 2 * count : count);
}

void command_reply_scored(struct command_call *c, struct command_scored_reply how, const struct keyspace_scored *s)
{
    if (how.pairs) resp_array(c->reply, 2);
    resp_bulk(c->reply, s->member);
    if (how.scores) resp_double(c->reply, s->score);
}

int command_compare_scored(const void *a, const void *b)
{
    return keyspace_scored_compare(a, b);
}

bool command_scored_member_fits(struct command_call *c, struct bytes member)
{
    if (member.len <= KEYSPACE_ZSET_MEMBER_MAX) return true;
    resp_error(c->reply, ERROR_LIMIT, "a member of a sorted set takes at most %zu MiB", KEYSPACE_ZSET_MEMBER_MAX >> 20);
    return false;
}

struct keyspace_scored command_copy_scored(struct command_call *c, const struct keyspace_scored *s)
{
    return (struct keyspace_scored){bytes_of(arena_copy(c->arena, s->member.data, s->member.len), s->member.len), s->score};
}

/* ---- ZADD, ZINCRBY ---- */

struct add_options {
    bool only_new, only_old, greater, less, changes, increments;
    int pairs_at;
};

/* False: the error was replied. */
static bool parse_add(struct command_call *c, struct add_options *o)
{
    int i = 2;
    for (; i < c->argc; i++) {
        if (command_is(c, i, "NX"))
            o->only_new = true;
        else if (command_is(c, i, "XX"))
            o->only_old = true;
        else if (command_is(c, i, "GT"))
            o->greater = true;
        else if (command_is(c, i, "LT"))
            o->less = true;
        else if (command_is(c, i, "CH"))
            o->changes = true;
        else if (command_is(c, i, "INCR"))
            o->increments = true;
        else
            break;
    }
    o->pairs_at = i;
    int left = c->argc - i;
    const char *wrong = NULL;
    if (left == 0 || left % 2) {
        command_reply_syntax_error(c);
        return false;
    }
    if (o->only_new && o->only_old)
        wrong = "XX and NX options at the same time are not compatible";
    else if ((o->greater && o->only_new) || (o->less && o->only_new) || (o->greater && o->less))
        wrong = "GT, LT, and/or NX options at the same time are not compatible";
    else if (o->increments && left > 2)
        wrong = "INCR option supports a single increment-element pair";
    if (wrong) resp_error(c->reply, ERROR_SYNTAX, "%s", wrong);
    return !wrong;
}

/* Scores and members from argument `at` on, all looked at before any is added. False: the error was replied. */
static bool parse_pairs(struct command_call *c, int at, struct keyspace_scored *out)
{
    for (int i = at; i < c->argc; i += 2, out++) {
        out->member = c->argv[i + 1];
        if (!number_parse_double(c->argv[i], &out->score)) {
            resp_error(c->reply, ERROR_SYNTAX, "value is not a valid float");
            return false;
        }
        if (!command_scored_member_fits(c, out->member)) return false;
    }
    return true;
}

enum outcome { ADDED, UPDATED, SAME, LEFT_OUT, NOT_A_NUMBER };

/* `s` gets the score that the member has then. */
static enum outcome add_one(struct keyspace_zset *z, const struct add_options *o, struct keyspace_scored *s)
{
    double old;
    if (!keyspace_zset_score(z, s->member, &old)) {
        if (o->only_old) return LEFT_OUT;
        keyspace_zset_put(z, s);
        return ADDED;
    }
    if (o->only_new) return LEFT_OUT;
    if (o->increments) s->score += old;
    if (isnan(s->score)) return NOT_A_NUMBER;
    if ((o->greater && s->score <= old) || (o->less && s->score >= old)) return LEFT_OUT;
    if (s->score == old) return SAME; /* one zero for the other is no change, as in Redis */
    keyspace_zset_put(z, s);
    return UPDATED;
}

static void add(struct command_call *c, const struct add_options *o)
{
    struct keyspace_zset z;
    size_t count = (size_t)(c->argc - o->pairs_at) / 2;
    struct keyspace_scored *pairs = arena_alloc(c->arena, count * sizeof *pairs);
    int64_t added = 0, updated = 0;
    enum outcome outcome = LEFT_OUT;
    if (!parse_pairs(c, o->pairs_at, pairs) || !command_open_zset(c, c->argv[1], &z)) return;
    for (size_t i = 0; i < count; i++) {
        outcome = add_one(&z, o, &pairs[i]);
        added += outcome == ADDED;
        updated += outcome == UPDATED;
    }
    keyspace_zset_close(&z);
    if (added || updated) command_notify(c, NOTIFY_ZSET, o->increments ? "zincr" : "zadd", c->argv[1]);
    if (outcome == NOT_A_NUMBER) /* of the only one: without INCR no score becomes one */
        resp_error(c->reply, ERROR_GENERIC, "resulting score is not a number (NaN)");
    else if (!o->increments)
        resp_integer(c->reply, o->changes ? added + updated : added);
    else if (outcome == LEFT_OUT)
        resp_null(c->reply);
    else
        resp_double(c->reply, pairs[0].score);
}

static void command_zset_zadd(struct command_call *c)
{
    struct add_options o = {0};
    if (parse_add(c, &o)) add(c, &o);
}

static void command_zset_zincrby(struct command_call *c)
{
    struct add_options o = {.increments = true, .pairs_at = 2};
    add(c, &o);
}

/* ---- the others ---- */

void command_zset_close_removed(struct command_call *c, struct keyspace_zset *z, struct bytes key, const char *event)
{
    bool emptied = !keyspace_zset_count(z);
    keyspace_zset_close(z);
    if (!event) return;
    command_notify(c, NOTIFY_ZSET, event, key);
    if (emptied) command_notify(c, NOTIFY_GENERIC, "del", key);
}

void command_zset_store(struct command_call *c, struct bytes key, const struct keyspace_scored *members, size_t count, const char *event)
{
    bool deletes = !count && keyspace_find(c->keyspace, key).type != KEYSPACE_NONE;
    keyspace_zset_store(c->keyspace, key, members, count);
    if (count) command_notify(c, NOTIFY_ZSET, event, key);
    if (deletes) command_notify(c, NOTIFY_GENERIC, "del", key);
}

static void command_zset_zrem(struct command_call *c)
{
    struct keyspace_zset z;
    int64_t removed = 0;
    if (!command_open_zset(c, c->argv[1], &z)) return;
    for (int i = 2; i < c->argc; i++) removed += keyspace_zset_remove(&z, c->argv[i]);
    command_zset_close_removed(c, &z, c->argv[1], removed ? "zrem" : NULL);
    resp_integer(c->reply, removed);
}

static void command_zset_zcard(struct command_call *c)
{
    struct keyspace_zset z;
    if (command_open_zset(c, c->argv[1], &z)) resp_integer(c->reply, (int64_t)keyspace_zset_count(&z));
}

static void reply_score(struct command_call *c, struct keyspace_zset *z, struct bytes member)
{
    double score;
    if (keyspace_zset_score(z, member, &score))
        resp_double(c->reply, score);
    else
        resp_null(c->reply);
}

static void command_zset_zscore(struct command_call *c)
{
    struct keyspace_zset z;
    if (command_open_zset(c, c->argv[1], &z)) reply_score(c, &z, c->argv[2]);
}

static void command_zset_zmscore(struct command_call *c)
{
    struct keyspace_zset z;
    if (!command_open_zset(c, c->argv[1], &z)) return;
    resp_array(c->reply, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) reply_score(c, &z, c->argv[i]);
}

static void reply_rank(struct command_call *c, bool backwards)
{
    struct keyspace_zset z;
    uint64_t rank;
    if (!command_open_zset(c, c->argv[1], &z)) return;
    if (keyspace_zset_rank(&z, c->argv[2], &rank))
        resp_integer(c->reply, (int64_t)(backwards ? keyspace_zset_count(&z) - 1 - rank : rank));
    else
        resp_null(c->reply);
}

static void command_zset_zrank(struct command_call *c)
{
    reply_rank(c, false);
}

static void command_zset_zrevrank(struct command_call *c)
{
    reply_rank(c, true);
}

#define READS KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

const struct command_row command_zset_rows[] = {
    {"ZADD", -4, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_SORTEDSET, command_zset_zadd,
     "Adds members to a sorted set, or gives them other scores; returns how many are new, or changed.",
     .needs = NEEDS_SCORED, .syntax = "key [condition: NX | XX] [comparison: GT | LT] [change=CH] [increment=INCR] (score_member: score member)...", .since = "1.2.0",
     .complexity = "O(log(N)) for each item added, where N is the number of elements in the sorted set."},
    {"ZINCRBY", 4, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE), ACL_SORTEDSET, command_zset_zincrby,
     "Adds to the score of a member.",
     .needs = NEEDS_INCREMENT(2), .syntax = "key increment member", .since = "1.2.0",
     .complexity = "O(log(N)) where N is the number of elements in the sorted set."},
    {"ZREM", -3, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_SORTEDSET, command_zset_zrem,
     "Removes members; returns how many there were.",
     .needs = NEEDS_DISPLACED(2, -1, 1), .syntax = "key member...", .since = "1.2.0",
     .complexity = "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed."},
    {"ZCARD", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO), ACL_SORTEDSET, command_zset_zcard,
     "The number of members.",
     .syntax = "key", .since = "1.2.0", .complexity = "O(1)"},
    {"ZSCORE", 3, READ | FAST, READS, ACL_SORTEDSET, command_zset_zscore,
     "The score of a member.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key member", .since = "1.2.0", .complexity = "O(1)"},
    {"ZMSCORE", -3, READ | FAST, READS, ACL_SORTEDSET, command_zset_zmscore,
     "The scores of members.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key member...", .since = "6.2.0", .complexity = "O(N) where N is the number of members being requested."},
    {"ZRANK", 3, READ | FAST, READS, ACL_SORTEDSET, command_zset_zrank,
     "How many members come before one.",
     .needs = NEEDS_PLACES(2, -1, 1), .syntax = "key member", .since = "2.0.0", .complexity = "O(log(N))"},
    {"ZREVRANK", 3, READ | FAST, READS, ACL_SORTEDSET, command_zset_zrevrank,
     "How many members come after one.",
     .needs = NEEDS_PLACES(2, -1, 1), .syntax = "key member", .since = "2.0.0", .complexity = "O(log(N))"},
    {0},
};
