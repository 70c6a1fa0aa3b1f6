/* Sets: their members, named, at random, all. */
#include "base/random.h"
#include "command/need.h"
#include "command/notify.h"
#include "command/scan.h"
#include "command/sets.h"

bool command_open_set(struct command_call *c, int i, struct keyspace_set *out)
{
    struct bytes key = c->argv[i];
    struct keyspace_entry entry = c->entry->row->flags & READ ? command_read(c, key) : keyspace_find(c->keyspace, key);
    if (!command_is_type(c, &entry, KEYSPACE_SET)) return false;
    keyspace_set_open(out, c->keyspace, key, &entry);
    return true;
}

/* Members were taken out, as the event says, and the set was closed. */
static void notify_removed(struct command_call *c, bool emptied, const char *event)
{
    command_notify(c, NOTIFY_SET, event, c->argv[1]);
    if (emptied) command_notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
}

/* ---- named ones ---- */

static bool members_fit(struct command_call *c)
{
    for (int i = 2; i < c->argc; i++) {
        if (c->argv[i].len <= KEYSPACE_SET_MEMBER_MAX) continue;
        resp_error(c->reply, ERROR_LIMIT, "a member of a set takes at most %zu MiB", KEYSPACE_SET_MEMBER_MAX >> 20);
        return false;
    }
    return true;
}

static void command_sets_sadd(struct command_call *c)
{
    struct keyspace_set s;
    int64_t added = 0;
    if (!members_fit(c) || !command_open_set(c, 1, &s)) return;
    for (int i = 2; i < c->argc; i++) added += keyspace_set_add(&s, c->argv[i]);
    keyspace_set_close(&s);
    if (added) command_notify(c, NOTIFY_SET, "sadd", c->argv[1]);
    resp_integer(c->reply, added);
}

static void command_sets_srem(struct command_call *c)
{
    struct keyspace_set s;
    int64_t removed = 0;
    if (!command_open_set(c, 1, &s)) return;
    for (int i = 2; i < c->argc; i++) removed += keyspace_set_remove(&s, c->argv[i]);
    bool emptied = !keyspace_set_count(&s);
    keyspace_set_close(&s);
    if (removed) notify_removed(c, emptied, "srem");
    resp_integer(c->reply, removed);
}

/* As in Redis, where there is nothing to move from, the type of the other key does not matter; to itself nothing is moved. */
static void command_sets_smove(struct command_call *c)
{
    struct keyspace_set from, to;
    struct bytes member = c->argv[3];
    if (!command_open_set(c, 1, &from)) return;
    if (!keyspace_set_count(&from)) {
        resp_integer(c->reply, 0);
        return;
    }
    if (!command_open_set(c, 2, &to)) return;
    bool itself = bytes_equal(c->argv[1], c->argv[2]);
    bool there = itself ? keyspace_set_has(&from, member) : keyspace_set_remove(&from, member);
    if (there && !itself) {
        bool emptied = !keyspace_set_count(&from);
        keyspace_set_close(&from);
        notify_removed(c, emptied, "srem");
        bool added = keyspace_set_add(&to, member);
        keyspace_set_close(&to);
        if (added) command_notify(c, NOTIFY_SET, "sadd", c->argv[2]);
    }
    resp_integer(c->reply, there);
}

static void command_sets_sismember(struct command_call *c)
{
    struct keyspace_set s;
    if (command_open_set(c, 1, &s)) resp_integer(c->reply, keyspace_set_has(&s, c->argv[2]));
}

static void command_sets_smismember(struct command_call *c)
{
    struct keyspace_set s;
    if (!command_open_set(c, 1, &s)) return;
    resp_array(c->reply, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) resp_integer(c->reply, keyspace_set_has(&s, c->argv[i]));
}

static void command_sets_scard(struct command_call *c)
{
    struct keyspace_set s;
    if (command_open_set(c, 1, &s)) resp_integer(c->reply, (int64_t)keyspace_set_count(&s));
}

/* ---- all ---- */

static void command_sets_smembers(struct command_call *c)
{
    struct keyspace_set s;
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    if (!command_open_set(c, 1, &s)) return;
    resp_set(c->reply, keyspace_set_count(&s));
    while (keyspace_set_next(&s, &w, &member)) resp_bulk(c->reply, member.text);
}

struct scan {
    struct command_scan *s;
    int64_t seen;
};

static void visit(void *user, struct bytes member)
{
    struct scan *scan = user;
    scan->seen++;
    if (!command_scan_fits(scan->s, member)) return;
    resp_bulk(&scan->s->elements, member);
    scan->s->found++;
}

static void command_sets_sscan(struct command_call *c)
{
    struct command_scan s;
    struct keyspace_set set;
    if (!command_scan_begin(c, 2, &s) || !command_open_set(c, 1, &set)) return;
    bool empty = !keyspace_set_count(&set); /* as in Redis, options are then not looked at */
    if (!empty && !command_scan_options(c, 3, false, &s)) return;
    struct scan scan = {&s, 0};
    uint64_t next = s.cursor;
    do
        next = empty ? 0 : keyspace_set_scan(&set, next, visit, &scan);
    while (next && scan.seen < s.count);
    command_scan_reply(c, &s, next);
}

/* ---- at random ---- */

/* Replies a member and takes it out. */
static void pop(struct command_call *c, struct keyspace_set *s)
{
    struct keyspace_member member;
    keyspace_set_random(s, &c->engine->random, &member);
    resp_bulk(c->reply, member.text);
    keyspace_set_remove(s, member.text);
}

static void pop_some(struct command_call *c)
{
    struct keyspace_set s;
    int64_t count;
    if (!command_integer_within(c, 2, 0, INT64_MAX, &count, "value is out of range, must be positive") || !command_open_set(c, 1, &s)) return;
    uint64_t members = keyspace_set_count(&s), pops = (uint64_t)count < members ? (uint64_t)count : members;
    resp_set(c->reply, pops);
    for (uint64_t i = 0; i < pops; i++) pop(c, &s);
    keyspace_set_close(&s);
    if (pops) notify_removed(c, pops == members, "spop");
}

static void command_sets_spop(struct command_call *c)
{
    struct keyspace_set s;
    if (c->argc == 3) {
        pop_some(c);
    } else if (c->argc > 3) {
        command_reply_syntax_error(c);
    } else if (command_open_set(c, 1, &s)) {
        uint64_t members = keyspace_set_count(&s);
        if (!members) {
            resp_null(c->reply);
            return;
        }
        pop(c, &s);
        keyspace_set_close(&s);
        notify_removed(c, members == 1, "spop");
    }
}

static void reply_pick(void *reply, struct bytes member)
{
    resp_bulk(reply, member);
}

/* So many members, or, of a count below 0, as many that may be equal. */
static void reply_picks(struct command_call *c)
{
    struct keyspace_set s;
    int64_t count;
    if (!command_integer_within(c, 2, -INT64_MAX, INT64_MAX, &count, NULL) || !command_open_set(c, 1, &s)) return;
    uint64_t members = keyspace_set_count(&s), picks = count < 0 ? 0 - (uint64_t)count : (uint64_t)count < members ? (uint64_t)count : members;
    if (!members) picks = 0;
    resp_array(c->reply, picks);
    if (count >= 0) {
        keyspace_set_sample(&s, picks, &c->engine->random, c->arena, reply_pick, c->reply);
        return;
    }
    while (picks-- && !c->reply->out->failed) { /* a reply that has grown too large is cut off */
        struct keyspace_member member;
        keyspace_set_random(&s, &c->engine->random, &member);
        resp_bulk(c->reply, member.text);
    }
}

static void command_sets_srandmember(struct command_call *c)
{
    struct keyspace_set s;
    struct keyspace_member member;
    if (c->argc == 3) {
        reply_picks(c);
    } else if (c->argc > 3) {
        command_reply_syntax_error(c);
    } else if (command_open_set(c, 1, &s)) {
        if (!keyspace_set_count(&s)) {
            resp_null(c->reply);
            return;
        }
        keyspace_set_random(&s, &c->engine->random, &member);
        resp_bulk(c->reply, member.text);
    }
}

#define READS KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)
#define LOOKS KEYS(1, 1, 1, KEY_RO)

const struct command_row command_sets_rows[] = {
    {"SADD", -3, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_INSERT), ACL_SET, command_sets_sadd,
     "Adds members to a set; returns how many are new.",
     .needs = NEEDS_PUTS(2, -1, 1), .syntax = "key member...", .since = "1.0.0",
     .complexity = "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments."},
    {"SREM", -3, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_SET, command_sets_srem,
     "Takes members out of a set; returns how many there were.",
     .needs = NEEDS_REMOVED(2, -1, 1), .syntax = "key member...", .since = "1.0.0",
     .complexity = "O(N) where N is the number of members to be removed."},
    {"SMOVE", 4, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE), ACL_SET, command_sets_smove,
     "Moves a member from one set to another; returns whether it was there.",
     .needs = NEEDS_PUTS(3, 3, 1), .syntax = "source destination member", .since = "1.0.0", .complexity = "O(1)",
     .more_keys = MORE_KEYS(KEYS(2, 2, 1, KEY_RW | KEY_INSERT))},
    {"SISMEMBER", 3, READ | FAST, LOOKS, ACL_SET, command_sets_sismember,
     "Whether a set has a member.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key member", .since = "1.0.0", .complexity = "O(1)"},
    {"SMISMEMBER", -3, READ | FAST, READS, ACL_SET, command_sets_smismember,
     "Whether a set has these members, one by one.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key member...", .since = "6.2.0",
     .complexity = "O(N) where N is the number of elements being checked for membership"},
    {"SCARD", 2, READ | FAST, LOOKS, ACL_SET, command_sets_scard,
     "The number of members of a set.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)"},
    {"SMEMBERS", 2, READ, READS, ACL_SET, command_sets_smembers,
     "All members of a set.",
     .needs = NEEDS_WHOLE, .syntax = "key", .since = "1.0.0", .complexity = "O(N) where N is the set cardinality.",
     .tips = "nondeterministic_output_order"},
    {"SSCAN", -3, READ, READS, ACL_SET, command_sets_sscan,
     "Some members of a set, and the cursor to go on with: 0 at the end.",
     .needs = NEEDS_SCAN, .syntax = "key cursor [MATCH pattern] [COUNT count]", .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to "
                   "return back to 0. N is the number of elements inside the collection..",
     .tips = "nondeterministic_output"},
    {"SPOP", -2, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE), ACL_SET, command_sets_spop,
     "Takes random members out of a set and returns them.",
     .syntax = "key [count]", .since = "1.0.0",
     .complexity = "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
     .tips = "nondeterministic_output"},
    {"SRANDMEMBER", -2, READ, READS, ACL_SET, command_sets_srandmember,
     "A random member of a set, or several different ones, or, of a count below 0, as many that may be equal.",
     .syntax = "key [count]", .since = "1.0.0",
     .complexity = "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
     .tips = "nondeterministic_output"},
    {0},
};
