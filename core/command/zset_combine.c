/* Sorted sets put together: unions, intersections, differences. */
#include <math.h>
#include <stdlib.h>

#include "base/distinct.h"
#include "base/number.h"
#include "command/engine.h"
#include "command/need.h"
#include "command/zset.h"
#include "keyspace/set.h"

enum operation { UNION, INTERSECTION, DIFFERENCE };
enum aggregate { SUM, LEAST, GREATEST };

/* A sorted set; or a set, whose members all have the score 1. */
struct source {
    bool is_set;
    struct keyspace_zset z;
    struct keyspace_set set;
    double weight;
    size_t number; /* in the order of arguments */
};

struct combination {
    enum operation operation;
    bool stores, counts; /* in argument 1; only how many there are is replied, up to `limit` */
    enum aggregate aggregate;
    bool scores;
    uint64_t limit; /* 0: none */
    struct source *sources;
    size_t count;
};

/* ---- sources ---- */

/* False: wrong type, the error was replied. */
static bool open_source(struct command_call *c, struct bytes key, size_t number, struct source *out)
{
    struct keyspace_entry entry = c->entry->row->flags & READ ? command_read(c, key) : keyspace_find(c->keyspace, key);
    out->weight = 1;
    out->number = number;
    out->is_set = entry.type == KEYSPACE_SET;
    if (!out->is_set && !command_is_type(c, &entry, KEYSPACE_ZSET)) return false;
    if (out->is_set)
        keyspace_set_open(&out->set, c->keyspace, key, &entry);
    else
        keyspace_zset_open(c->keyspace, key, &entry, &out->z);
    return true;
}

static uint64_t source_count(struct source *s)
{
    return s->is_set ? keyspace_set_count(&s->set) : keyspace_zset_count(&s->z);
}

static bool source_score(struct source *s, struct bytes member, double *out)
{
    if (!s->is_set) return keyspace_zset_score(&s->z, member, out);
    *out = 1;
    return keyspace_set_has(&s->set, member);
}

struct source_walk {
    struct keyspace_zset_walk z;
    struct keyspace_set_walk set;
    struct keyspace_member member;
};

static void source_begin(struct source *s, struct source_walk *w)
{
    w->set = (struct keyspace_set_walk){0};
    if (!s->is_set) keyspace_zset_walk(&s->z, 0, false, &w->z);
}

static bool source_next(struct source *s, struct source_walk *w, struct keyspace_scored *out)
{
    if (!s->is_set) return keyspace_zset_next(&s->z, &w->z, out);
    if (!keyspace_set_next(&s->set, &w->set, &w->member)) return false;
    *out = (struct keyspace_scored){w->member.text, 1};
    return true;
}

/* ---- arguments ---- */

/* The keys, whose number is argument `at`. Returns the argument behind them; 0: the error was replied. */
static int open_sources(struct command_call *c, int at, struct combination *k)
{
    int64_t keys;
    if (!command_integer(c, at, &keys, NULL)) return 0;
    if (keys < 1) {
        resp_error(c->reply, ERROR_SYNTAX, "at least 1 input key is needed for '%s' command", c->entry->name);
        return 0;
    }
    if (keys > c->argc - at - 1) {
        command_reply_syntax_error(c);
        return 0;
    }
    k->count = (size_t)keys;
    k->sources = arena_alloc(c->arena, k->count * sizeof *k->sources);
    for (size_t i = 0; i < k->count; i++)
        if (!open_source(c, c->argv[at + 1 + (int)i], i, &k->sources[i])) return 0;
    return at + 1 + (int)keys;
}

/* False: the error was replied. */
static bool parse_weights(struct command_call *c, int at, struct combination *k)
{
    for (size_t i = 0; i < k->count; i++) {
        if (number_parse_double(c->argv[at + (int)i], &k->sources[i].weight)) continue;
        resp_error(c->reply, ERROR_SYNTAX, "weight value is not a float");
        return false;
    }
    return true;
}

static bool parse_aggregate(struct command_call *c, int i, struct combination *k)
{
    if (command_is(c, i, "SUM"))
        k->aggregate = SUM;
    else if (command_is(c, i, "MIN"))
        k->aggregate = LEAST;
    else if (command_is(c, i, "MAX"))
        k->aggregate = GREATEST;
    else
        return command_reply_syntax_error(c), false;
    return true;
}

static bool parse_limit(struct command_call *c, int i, struct combination *k)
{
    int64_t limit;
    if (!command_integer_within(c, i, 0, INT64_MAX, &limit, "LIMIT can't be negative")) return false;
    k->limit = (uint64_t)limit;
    return true;
}

/* False: the error was replied. */
static bool parse_options(struct command_call *c, int from, struct combination *k)
{
    bool weighs = k->operation != DIFFERENCE && !k->counts;
    for (int i = from; i < c->argc; i++) {
        int left = c->argc - i - 1;
        if (weighs && (size_t)left >= k->count && command_is(c, i, "WEIGHTS")) {
            if (!parse_weights(c, i + 1, k)) return false;
            i += (int)k->count;
        } else if (weighs && left && command_is(c, i, "AGGREGATE")) {
            if (!parse_aggregate(c, ++i, k)) return false;
        } else if (!k->stores && !k->counts && command_is(c, i, "WITHSCORES")) {
            k->scores = true;
        } else if (k->counts && left && command_is(c, i, "LIMIT")) {
            if (!parse_limit(c, ++i, k)) return false;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

/* ---- putting together ---- */

struct result {
    struct keyspace_scored *members;
    size_t count, cap;
};

/* Keeps a copy: what is stored does not lie in rows. */
static void add(struct command_call *c, struct result *r, const struct keyspace_scored *s)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 16;
        struct keyspace_scored *members = arena_alloc(c->arena, r->cap * sizeof *members);
        if (r->count) memcpy(members, r->members, r->count * sizeof *members);
        r->members = members;
    }
    r->members[r->count++] = command_copy_scored(c, s);
}

static double weighted(const struct source *from, double score)
{
    double value = from->weight * score;
    return isnan(value) ? 0 : value;
}

static double aggregate(enum aggregate how, double a, double b)
{
    if (how == LEAST) return b < a ? b : a;
    if (how == GREATEST) return b > a ? b : a;
    return isnan(a + b) ? 0 : a + b; /* of infinities */
}

static int compare_sources(const void *left, const void *right)
{
    struct source *a = (struct source *)left, *b = (struct source *)right;
    uint64_t x = source_count(a), y = source_count(b);
    if (x != y) return x < y ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Smaller ones first, as Redis: the order of additions shows in the sums. */
static void sort_sources(struct combination *k)
{
    qsort(k->sources, k->count, sizeof *k->sources, compare_sources);
}

/* However often members come, no more is kept of them than of the result. */
static void unite(struct command_call *c, struct combination *k, struct result *r)
{
    struct source_walk w;
    struct keyspace_scored s;
    struct distinct names;
    bool is_new;
    distinct_init(&names, c->arena, &c->engine->random);
    for (size_t i = 0; i < k->count; i++) {
        source_begin(&k->sources[i], &w);
        while (source_next(&k->sources[i], &w, &s)) {
            struct distinct_entry *entry = distinct_enter(&names, s.member, &is_new);
            s.score = weighted(&k->sources[i], s.score);
            if (is_new) {
                add(c, r, &s);
                entry->bytes = r->members[entry->number].member;
            } else {
                double *score = &r->members[entry->number].score;
                *score = aggregate(k->aggregate, *score, s.score);
            }
        }
    }
}

/* Whether all but the first source have the member; its score becomes the aggregate. */
static bool is_in_all(struct combination *k, struct keyspace_scored *s)
{
    for (size_t i = 1; i < k->count; i++) {
        double score;
        if (!source_score(&k->sources[i], s->member, &score)) return false;
        /* As in Redis, what is not a number here (infinity times 0) makes a sum 0, and is neither least nor greatest. */
        s->score = aggregate(k->aggregate, s->score, k->sources[i].weight * score);
    }
    return true;
}

static bool is_in_any_other(struct combination *k, struct bytes member)
{
    double score;
    for (size_t i = 1; i < k->count; i++)
        if (source_score(&k->sources[i], member, &score)) return true;
    return false;
}

/* Members of the first source that pass; with `counts` only their number. */
static void filter(struct command_call *c, struct combination *k, struct result *r)
{
    struct source_walk w;
    struct keyspace_scored s;
    source_begin(&k->sources[0], &w);
    while (source_next(&k->sources[0], &w, &s)) {
        if (k->operation == INTERSECTION) s.score = weighted(&k->sources[0], s.score);
        if (k->operation == INTERSECTION ? !is_in_all(k, &s) : is_in_any_other(k, s.member)) continue;
        if (!k->counts)
            add(c, r, &s);
        else if (++r->count == k->limit)
            return;
    }
}

static void combine(struct command_call *c, struct combination *k)
{
    struct result r = {0};
    int options_at = open_sources(c, k->stores ? 2 : 1, k);
    if (!options_at || !parse_options(c, options_at, k)) return;
    if (k->operation != DIFFERENCE) sort_sources(k);
    if (k->operation == UNION)
        unite(c, k, &r);
    else
        filter(c, k, &r);
    if (k->counts) {
        resp_integer(c->reply, (int64_t)r.count);
        return;
    }
    if (r.count) qsort(r.members, r.count, sizeof *r.members, command_compare_scored);
    if (k->stores) {
        command_zset_store(c, c->argv[1], r.members, r.count, c->entry->name);
        resp_integer(c->reply, (int64_t)r.count);
        return;
    }
    struct command_scored_reply how = command_scored_reply(c, k->scores);
    command_reply_scored_head(c, how, r.count);
    for (size_t i = 0; i < r.count; i++) command_reply_scored(c, how, &r.members[i]);
}

static void command_zset_combine_zunion(struct command_call *c)
{
    combine(c, &(struct combination){.operation = UNION});
}

static void command_zset_combine_zunionstore(struct command_call *c)
{
    combine(c, &(struct combination){.operation = UNION, .stores = true});
}

static void command_zset_combine_zinter(struct command_call *c)
{
    combine(c, &(struct combination){.operation = INTERSECTION});
}

static void command_zset_combine_zinterstore(struct command_call *c)
{
    combine(c, &(struct combination){.operation = INTERSECTION, .stores = true});
}

static void command_zset_combine_zintercard(struct command_call *c)
{
    combine(c, &(struct combination){.operation = INTERSECTION, .counts = true});
}

static void command_zset_combine_zdiff(struct command_call *c)
{
    combine(c, &(struct combination){.operation = DIFFERENCE});
}

static void command_zset_combine_zdiffstore(struct command_call *c)
{
    combine(c, &(struct combination){.operation = DIFFERENCE, .stores = true});
}

#define READS  .more_keys = MORE_KEYS(KEYS_COUNTED(1, KEY_RO | KEY_ACCESS))
#define STORES .more_keys = MORE_KEYS(KEYS_COUNTED(2, KEY_RO | KEY_ACCESS))
#define DESTINATION KEYS(1, 1, 1, KEY_OW | KEY_UPDATE)
#define HOW " [WEIGHTS weight...] [AGGREGATE (aggregate: SUM | MIN | MAX)]"
#define OF_UNION_END                                                                                                   \
    " with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set."
#define OF_INTERSECTION                                                                                                \
    "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M " \
    "being the number of elements in the resulting sorted set."
#define OF_DIFFERENCE                                                                                                  \
    "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and " \
    "K is the size of the result set."

const struct command_row command_zset_combine_rows[] = {
    {"ZUNION", -3, READ, NO_KEYS, ACL_SORTEDSET, command_zset_combine_zunion,
     "The members that any of the sorted sets has.",
     .needs = NEEDS_WHOLE, .syntax = "numkeys key..." HOW " [WITHSCORES]", .since = "6.2.0", .complexity = "O(N)+O(M*log(M))" OF_UNION_END, READS},
    {"ZUNIONSTORE", -4, WRITE | DENYOOM, DESTINATION, ACL_SORTEDSET, command_zset_combine_zunionstore,
     "Stores the members that any of the sorted sets has; returns how many.",
     .needs = NEEDS_WHOLE, .syntax = "destination numkeys key..." HOW, .since = "2.0.0", .complexity = "O(N)+O(M log(M))" OF_UNION_END, STORES},
    {"ZINTER", -3, READ, NO_KEYS, ACL_SORTEDSET, command_zset_combine_zinter,
     "The members that all of the sorted sets have.",
     .needs = NEEDS_INTERSECTED, .syntax = "numkeys key..." HOW " [WITHSCORES]", .since = "6.2.0", .complexity = OF_INTERSECTION, READS},
    {"ZINTERSTORE", -4, WRITE | DENYOOM, DESTINATION, ACL_SORTEDSET, command_zset_combine_zinterstore,
     "Stores the members that all of the sorted sets have; returns how many.",
     .needs = NEEDS_INTERSECTED, .syntax = "destination numkeys key..." HOW, .since = "2.0.0", .complexity = OF_INTERSECTION, STORES},
    {"ZINTERCARD", -3, READ, NO_KEYS, ACL_SORTEDSET, command_zset_combine_zintercard,
     "How many members all of the sorted sets have, counted up to a limit.",
     .needs = NEEDS_INTERSECTED, .syntax = "numkeys key... [LIMIT limit]", .since = "7.0.0",
     .complexity = "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.", READS},
    {"ZDIFF", -3, READ, NO_KEYS, ACL_SORTEDSET, command_zset_combine_zdiff,
     "The members of the first sorted set that none of the others has.",
     .needs = NEEDS_SUBTRACTED, .syntax = "numkeys key... [WITHSCORES]", .since = "6.2.0", .complexity = OF_DIFFERENCE, READS},
    {"ZDIFFSTORE", -4, WRITE | DENYOOM, DESTINATION, ACL_SORTEDSET, command_zset_combine_zdiffstore,
     "Stores the members of the first sorted set that none of the others has; returns how many.",
     .needs = NEEDS_SUBTRACTED, .syntax = "destination numkeys key...", .since = "6.2.0", .complexity = OF_DIFFERENCE, STORES},
    {0},
};
