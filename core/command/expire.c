/* Keys whose time comes. */
#include "command/notify.h"
#include "command/expiry.h"

static bool parse_conditions(struct command_call *c, struct command_expiry_conditions *out)
{
    *out = (struct command_expiry_conditions){0};
    for (int i = 3; i < c->argc; i++) {
        if (command_expiry_condition(out, c->argv[i])) continue;
        resp_error(c->reply, ERROR_SYNTAX, "Unsupported option %s", command_text(c, i));
        return false;
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

/* `since_ms` is what the time given is counted from. Negative times are fine: the key goes at once. */
static void expire(struct command_call *c, int64_t unit_ms, int64_t since_ms)
{
    struct command_expiry_conditions k;
    int64_t when;
    if (!parse_conditions(c, &k) || !command_integer(c, 2, &when, NULL)) return;
    if (__builtin_mul_overflow(when, unit_ms, &when) || __builtin_add_overflow(when, since_ms, &when)) {
        resp_error(c->reply, ERROR_SYNTAX, "invalid expire time in '%s' command", c->entry->name);
        return;
    }
    if (when < 0) when = 0; /* as good as any past time, and none of them is KEYSPACE_NO_EXPIRY */
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    bool done = entry.type != KEYSPACE_NONE && command_expiry_may_change(&k, entry.expires_ms, when) &&
                keyspace_expire(c->keyspace, c->argv[1], when);
    if (done) command_notify(c, NOTIFY_GENERIC, when <= c->now_ms ? "del" : "expire", c->argv[1]);
    resp_integer(c->reply, done);
}

static void command_expire_expire(struct command_call *c)
{
    expire(c, 1000, c->now_ms);
}

static void command_expire_pexpire(struct command_call *c)
{
    expire(c, 1, c->now_ms);
}

static void command_expire_expireat(struct command_call *c)
{
    expire(c, 1000, 0);
}

static void command_expire_pexpireat(struct command_call *c)
{
    expire(c, 1, 0);
}

/* When the key expires, in ms since 1970; -1: never, -2: no such key. */
static int64_t expiry_time(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (entry.type == KEYSPACE_NONE) return -2;
    return entry.expires_ms == KEYSPACE_NO_EXPIRY ? -1 : entry.expires_ms;
}

/* What is left until then; likewise. */
static int64_t time_left(struct command_call *c)
{
    int64_t time_ms = expiry_time(c);
    if (time_ms < 0) return time_ms;
    return time_ms > c->now_ms ? time_ms - c->now_ms : 0;
}

/* To the nearest second. */
static int64_t in_seconds(int64_t ms)
{
    return ms < 0 ? ms : ms / 1000 + (ms % 1000 >= 500);
}

static void command_expire_ttl(struct command_call *c)
{
    resp_integer(c->reply, in_seconds(time_left(c)));
}

static void command_expire_pttl(struct command_call *c)
{
    resp_integer(c->reply, time_left(c));
}

static void command_expire_expiretime(struct command_call *c)
{
    resp_integer(c->reply, in_seconds(expiry_time(c)));
}

static void command_expire_pexpiretime(struct command_call *c)
{
    resp_integer(c->reply, expiry_time(c));
}

static void command_expire_persist(struct command_call *c)
{
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    bool expires = entry.type != KEYSPACE_NONE && entry.expires_ms != KEYSPACE_NO_EXPIRY;
    if (expires) {
        keyspace_expire(c->keyspace, c->argv[1], KEYSPACE_NO_EXPIRY);
        command_notify(c, NOTIFY_GENERIC, "persist", c->argv[1]);
    }
    resp_integer(c->reply, expires);
}

#define UPDATES KEYS(1, 1, 1, KEY_RW | KEY_UPDATE)
#define READS   KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

const struct command_row command_expire_rows[] = {
    {"EXPIRE", -3, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_expire,
     "Sets when a key expires, in seconds from now.",
     .syntax = "key seconds [condition: NX | XX | GT | LT]", .since = "1.0.0", .complexity = "O(1)"},
    {"PEXPIRE", -3, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_pexpire,
     "Sets when a key expires, in milliseconds from now.",
     .syntax = "key milliseconds [condition: NX | XX | GT | LT]", .since = "2.6.0", .complexity = "O(1)"},
    {"EXPIREAT", -3, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_expireat,
     "Sets when a key expires, in seconds since 1970.",
     .syntax = "key unix-time-seconds [condition: NX | XX | GT | LT]", .since = "1.2.0", .complexity = "O(1)"},
    {"PEXPIREAT", -3, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_pexpireat,
     "Sets when a key expires, in milliseconds since 1970.",
     .syntax = "key unix-time-milliseconds [condition: NX | XX | GT | LT]", .since = "2.6.0", .complexity = "O(1)"},
    {"TTL", 2, READ | FAST, READS, ACL_KEYSPACE, command_expire_ttl,
     "The seconds until a key expires; -1 if it does not, -2 if there is none.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)", .tips = "nondeterministic_output", .only_looks = true},
    {"PTTL", 2, READ | FAST, READS, ACL_KEYSPACE, command_expire_pttl,
     "The milliseconds until a key expires; -1 if it does not, -2 if there is none.",
     .syntax = "key", .since = "2.6.0", .complexity = "O(1)", .tips = "nondeterministic_output", .only_looks = true},
    {"EXPIRETIME", 2, READ | FAST, READS, ACL_KEYSPACE, command_expire_expiretime,
     "When a key expires, in seconds since 1970; -1 if it does not, -2 if there is none.",
     .syntax = "key", .since = "7.0.0", .complexity = "O(1)", .only_looks = true},
    {"PEXPIRETIME", 2, READ | FAST, READS, ACL_KEYSPACE, command_expire_pexpiretime,
     "When a key expires, in milliseconds since 1970; -1 if it does not, -2 if there is none.",
     .syntax = "key", .since = "7.0.0", .complexity = "O(1)", .only_looks = true},
    {"PERSIST", 2, WRITE | FAST, UPDATES, ACL_KEYSPACE, command_expire_persist,
     "Takes a key's expiry away.",
     .syntax = "key", .since = "2.2.0", .complexity = "O(1)"},
    {0},
};
