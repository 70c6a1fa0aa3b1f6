/* Several sets together: SINTER, SUNION, SDIFF, to be replied, stored or counted. */
#include <stdlib.h>

#include "base/distinct.h"
#include "command/need.h"
#include "command/notify.h"
#include "command/sets.h"

struct sets {
    struct keyspace_set *list; /* in the arena */
    size_t count;
};

/* Where the members of the result go. False: no more are wanted. */
struct sink {
    bool (*take)(struct sink *sink, struct bytes member);
    struct resp_writer *reply; /* take_for_reply: the members, whose number `found` is */
    uint64_t found, limit;     /* take_counting; 0: no limit */
    struct keyspace_set *store; /* take_to_store: has each member once, however often it comes */
};

/* Opens the sets of arguments `first` to before `end`. False: one is of a wrong type, the error was replied. */
static bool open_sets(struct command_call *c, int first, int end, struct sets *out)
{
    *out = (struct sets){arena_alloc(c->arena, (size_t)(end - first) * sizeof *out->list), 0};
    for (int i = first; i < end; i++)
        if (!command_open_set(c, i, &out->list[out->count++])) return false;
    return true;
}

/* ---- combining ---- */

static int compare_counts(const void *a, const void *b)
{
    uint64_t x = keyspace_set_count((struct keyspace_set *)a), y = keyspace_set_count((struct keyspace_set *)b);
    return x < y ? -1 : x > y;
}

static bool has_all(const struct sets *s, struct bytes member)
{
    for (size_t i = 1; i < s->count; i++)
        if (!keyspace_set_has(&s->list[i], member)) return false;
    return true;
}

static bool has_any(const struct sets *s, struct bytes member)
{
    for (size_t i = 1; i < s->count; i++)
        if (keyspace_set_has(&s->list[i], member)) return true;
    return false;
}

/* The members of the smallest that the others have. */
static void intersect(struct command_call *c, struct sets *s, struct sink *to)
{
    (void)c;
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    qsort(s->list, s->count, sizeof *s->list, compare_counts);
    while (keyspace_set_next(&s->list[0], &w, &member))
        if (has_all(s, member.text) && !to->take(to, member.text)) return;
}

/* Those of the first that no other has. */
static void subtract(struct command_call *c, struct sets *s, struct sink *to)
{
    (void)c;
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    while (keyspace_set_next(&s->list[0], &w, &member))
        if (!has_any(s, member.text) && !to->take(to, member.text)) return;
}

static void unite(struct command_call *c, struct sets *s, struct sink *to)
{
    struct distinct had;
    bool is_new = true;
    distinct_init(&had, c->arena, &c->engine->random);
    for (size_t i = 0; i < s->count; i++) {
        struct keyspace_set_walk w = {0};
        struct keyspace_member member;
        while (keyspace_set_next(&s->list[i], &w, &member)) {
            if (!to->store) {
                struct distinct_entry *entry = distinct_enter(&had, member.text, &is_new);
                if (is_new && member.text.data == (const uint8_t *)member.digits) /* which the next member is written over */
                    entry->bytes.data = (const uint8_t *)arena_copy(c->arena, member.digits, member.text.len);
            }
            if (is_new && !to->take(to, member.text)) return;
        }
    }
}

typedef void combine(struct command_call *c, struct sets *s, struct sink *to);

/* ---- to be replied ---- */

static bool take_for_reply(struct sink *sink, struct bytes member)
{
    sink->found++;
    resp_bulk(sink->reply, member);
    return !sink->reply->out->failed;
}

static void reply_combined(struct command_call *c, combine *how)
{
    struct sets s;
    struct resp_writer members = command_writer_aside(c);
    struct sink sink = {.take = take_for_reply, .reply = &members};
    if (!open_sets(c, 1, c->argc, &s)) return;
    how(c, &s, &sink);
    if (members.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "the members do not fit a reply");
        return;
    }
    resp_set(c->reply, sink.found);
    command_reply_aside(c);
}

static void command_sets_sinter(struct command_call *c)
{
    reply_combined(c, intersect);
}

static void command_sets_sunion(struct command_call *c)
{
    reply_combined(c, unite);
}

static void command_sets_sdiff(struct command_call *c)
{
    reply_combined(c, subtract);
}

/* ---- to be stored ---- */

static bool take_to_store(struct sink *sink, struct bytes member)
{
    keyspace_set_add(sink->store, member);
    return true;
}

static void store_combined(struct command_call *c, combine *how)
{
    static const struct keyspace_entry none = {.type = KEYSPACE_NONE, .expires_ms = KEYSPACE_NO_EXPIRY};
    struct bytes key = c->argv[1];
    struct sets s;
    struct keyspace_set result;
    struct sink sink = {.take = take_to_store, .store = &result};
    if (!open_sets(c, 2, c->argc, &s)) return;
    keyspace_set_open(&result, c->keyspace, key, &none);
    how(c, &s, &sink);
    uint64_t count = keyspace_set_count(&result);
    if (count) {
        keyspace_set_close(&result);
        command_notify(c, NOTIFY_SET, c->entry->name, key);
    } else if (keyspace_delete(c->keyspace, key)) {
        command_notify(c, NOTIFY_GENERIC, "del", key);
    }
    resp_integer(c->reply, (int64_t)count);
}

static void command_sets_sinterstore(struct command_call *c)
{
    store_combined(c, intersect);
}

static void command_sets_sunionstore(struct command_call *c)
{
    store_combined(c, unite);
}

static void command_sets_sdiffstore(struct command_call *c)
{
    store_combined(c, subtract);
}

/* ---- to be counted ---- */

static bool take_counting(struct sink *sink, struct bytes member)
{
    (void)member;
    return ++sink->found != sink->limit;
}

/* False: the error was replied. */
static bool parse_sintercard(struct command_call *c, int *end, int64_t *limit)
{
    int64_t keys;
    if (!command_integer_within(c, 1, 1, INT64_MAX, &keys, "numkeys should be greater than 0")) return false;
    if (keys > c->argc - 2) {
        resp_error(c->reply, ERROR_SYNTAX, "Number of keys can't be greater than number of args");
        return false;
    }
    *end = 2 + (int)keys;
    for (int i = *end; i < c->argc; i += 2) {
        if (!command_is(c, i, "LIMIT") || i + 1 == c->argc) {
            command_reply_syntax_error(c);
            return false;
        }
        if (!command_integer_within(c, i + 1, 0, INT64_MAX, limit, "LIMIT can't be negative")) return false;
    }
    return true;
}

static void command_sets_sintercard(struct command_call *c)
{
    struct sets s;
    int end;
    int64_t limit = 0;
    if (!parse_sintercard(c, &end, &limit) || !open_sets(c, 2, end, &s)) return;
    struct sink sink = {.take = take_counting, .limit = (uint64_t)limit};
    intersect(c, &s, &sink);
    resp_integer(c->reply, (int64_t)sink.found);
}

#define ALL    KEYS(1, -1, 1, KEY_RO | KEY_ACCESS)
#define SECOND MORE_KEYS(KEYS(2, -1, 1, KEY_RO | KEY_ACCESS))
#define ORDER  "nondeterministic_output_order"

const struct command_row command_sets_combine_rows[] = {
    {"SINTER", -2, READ, ALL, ACL_SET, command_sets_sinter,
     "The members that all of several sets have.",
     .needs = NEEDS_INTERSECTED, .syntax = "key...", .since = "1.0.0",
     .complexity = "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
     .tips = ORDER},
    {"SINTERSTORE", -3, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_SET, command_sets_sinterstore,
     "Stores the members that all of several sets have; returns how many there are.",
     .needs = NEEDS_INTERSECTED, .syntax = "destination key...", .since = "1.0.0",
     .complexity = "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
     .more_keys = SECOND},
    {"SINTERCARD", -3, READ, KEYS_COUNTED(1, KEY_RO | KEY_ACCESS), ACL_SET, command_sets_sintercard,
     "Counts the members that all of several sets have, up to a limit.",
     .needs = NEEDS_INTERSECTED, .syntax = "numkeys key... [LIMIT limit]", .since = "7.0.0",
     .complexity = "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets."},
    {"SUNION", -2, READ, ALL, ACL_SET, command_sets_sunion,
     "The members that any of several sets has.",
     .needs = NEEDS_WHOLE, .syntax = "key...", .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.", .tips = ORDER},
    {"SUNIONSTORE", -3, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_OW | KEY_UPDATE), ACL_SET, command_sets_sunionstore,
     "Stores the members that any of several sets has; returns how many there are.",
     .needs = NEEDS_WHOLE, .syntax = "destination key...", .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.", .more_keys = SECOND},
    {"SDIFF", -2, READ, ALL, ACL_SET, command_sets_sdiff,
     "The members of the first of several sets that no other has.",
     .needs = NEEDS_SUBTRACTED, .syntax = "key...", .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.", .tips = ORDER},
    {"SDIFFSTORE", -3, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_OW | KEY_UPDATE), ACL_SET, command_sets_sdiffstore,
     "Stores the members of the first of several sets that no other has; returns how many there are.",
     .needs = NEEDS_SUBTRACTED, .syntax = "destination key...", .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.", .more_keys = SECOND},
    {0},
};
