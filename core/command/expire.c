/* Keys whose time comes. */
#include "command/call.h"

struct expire_conditions {
    bool nx, xx, gt, lt;
};

static bool parse_conditions(struct command_call *c, struct expire_conditions *out)
{
    *out = (struct expire_conditions){0};
    for (int i = 3; i < c->argc; i++) {
        if (command_is(c, i, "NX")) {
            out->nx = true;
        } else if (command_is(c, i, "XX")) {
            out->xx = true;
        } else if (command_is(c, i, "GT")) {
            out->gt = true;
        } else if (command_is(c, i, "LT")) {
            out->lt = true;
        } else {
            resp_error(c->reply, ERROR_SYNTAX, "Unsupported option %s", command_text(c, i));
            return false;
        }
    }
    if (out->nx && (out->xx || out->gt || out->lt)) {
        resp_error(c->reply, ERROR_SYNTAX, "NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if (out->gt && out->lt) {
        resp_error(c->reply, ERROR_SYNTAX, "GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

/* A key without expiry counts as one that expires never: later than any time. */
static bool conditions_hold(const struct expire_conditions *k, int64_t current_ms, int64_t wanted_ms)
{
    bool expires = current_ms != KEYSPACE_NO_EXPIRY;
    if (k->nx && expires) return false;
    if (k->xx && !expires) return false;
    if (k->gt && (!expires || wanted_ms <= current_ms)) return false;
    if (k->lt && expires && wanted_ms >= current_ms) return false;
    return true;
}

/* Negative times are fine: the key goes at once. */
static void expire(struct command_call *c, int64_t unit_ms)
{
    struct expire_conditions k;
    int64_t when;
    if (!parse_conditions(c, &k) || !command_integer(c, 2, &when, NULL)) return;
    if (__builtin_mul_overflow(when, unit_ms, &when) || __builtin_add_overflow(when, c->now_ms, &when)) {
        resp_error(c->reply, ERROR_SYNTAX, "invalid expire time in '%s' command", c->entry->name);
        return;
    }
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    bool done = entry.type != KEYSPACE_NONE && conditions_hold(&k, entry.expires_ms, when) &&
                keyspace_expire(c->keyspace, c->argv[1], when);
    resp_integer(c->reply, done);
}

static void command_expire_expire(struct command_call *c)
{
    expire(c, 1000);
}

static void command_expire_pexpire(struct command_call *c)
{
    expire(c, 1);
}

/* What is left in ms; -1: never expires, -2: no such key. */
static int64_t time_left(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (entry.type == KEYSPACE_NONE) return -2;
    if (entry.expires_ms == KEYSPACE_NO_EXPIRY) return -1;
    return entry.expires_ms > c->now_ms ? entry.expires_ms - c->now_ms : 0;
}

static void command_expire_ttl(struct command_call *c)
{
    int64_t left_ms = time_left(c);
    resp_integer(c->reply, left_ms < 0 ? left_ms : (left_ms + 500) / 1000);
}

static void command_expire_pttl(struct command_call *c)
{
    resp_integer(c->reply, time_left(c));
}

static void command_expire_persist(struct command_call *c)
{
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    bool expires = entry.type != KEYSPACE_NONE && entry.expires_ms != KEYSPACE_NO_EXPIRY;
    if (expires) keyspace_expire(c->keyspace, c->argv[1], KEYSPACE_NO_EXPIRY);
    resp_integer(c->reply, expires);
}

#define UPDATES KEYS(1, 1, 1, KEY_RW | KEY_UPDATE)
#define READS   KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

const struct command_row command_expire_rows[] = {
    {"EXPIRE", -3, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_expire,
     "Sets when a key expires, in seconds from now.",
     .syntax = "key seconds [NX | XX | GT | LT]", .since = "1.0.0", .complexity = "O(1)"},
    {"PEXPIRE", -3, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_pexpire,
     "Sets when a key expires, in milliseconds from now.",
     .syntax = "key milliseconds [NX | XX | GT | LT]", .since = "2.6.0", .complexity = "O(1)"},
    {"TTL", 2, READ | FAST, READS, ACL_KEYSPACE, command_expire_ttl,
     "The seconds until a key expires; -1 if it does not, -2 if there is none.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {"PTTL", 2, READ | FAST, READS, ACL_KEYSPACE, command_expire_pttl,
     "The milliseconds until a key expires; -1 if it does not, -2 if there is none.",
     .syntax = "key", .since = "2.6.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {"PERSIST", 2, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_persist,
     "Takes a key's expiry away.",
     .syntax = "key", .since = "2.2.0", .complexity = "O(1)"},
    {0},
};
