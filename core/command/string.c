/* Strings, whole. */
#include "command/expiry.h"
#include "command/need.h"
#include "command/notify.h"

static void command_string_get(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (command_is_type(c, &entry, KEYSPACE_STRING)) command_reply_string(c, &entry);
}

static void command_string_getdel(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    command_reply_string(c, &entry);
    if (entry.type == KEYSPACE_NONE) return;
    keyspace_delete(c->keyspace, c->argv[1]);
    command_notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
}

struct getex_options {
    bool persist;
    enum command_expiry unit;
    int expiry_at; /* the argument that holds the time */
};

/* False: the error was replied. */
static bool parse_getex(struct command_call *c, struct getex_options *out)
{
    for (int i = 2; i < c->argc; i++) {
        enum command_expiry unit = command_expiry_word(c->argv[i]);
        if (command_is(c, i, "PERSIST") && !out->unit) {
            out->persist = true;
        } else if (unit && !out->persist && (!out->unit || out->unit == unit) && i + 1 < c->argc) {
            out->unit = unit;
            out->expiry_at = ++i;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

/* As in Redis, the time is looked at only if there is a key. */
static void command_string_getex(struct command_call *c)
{
    struct getex_options o = {0};
    if (!parse_getex(c, &o)) return;
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    int64_t expires_ms = o.persist ? KEYSPACE_NO_EXPIRY : entry.expires_ms;
    if (entry.type != KEYSPACE_NONE && o.unit && !command_expiry_read(c, o.unit, o.expiry_at, &expires_ms)) return;
    command_reply_string(c, &entry);
    if (entry.type == KEYSPACE_NONE || (!o.unit && expires_ms == entry.expires_ms)) return;
    keyspace_expire(c->keyspace, c->argv[1], expires_ms);
    command_notify(c, NOTIFY_GENERIC, o.persist ? "persist" : expires_ms <= c->now_ms ? "del" : "expire", c->argv[1]);
}

static void command_string_mget(struct command_call *c)
{
    resp_array(c->reply, (size_t)c->argc - 1);
    for (int i = 1; i < c->argc; i++) {
        struct keyspace_entry entry = command_read(c, c->argv[i]);
        command_reply_string(c, &entry);
    }
}

static void put_pairs(struct command_call *c)
{
    for (int i = 1; i < c->argc; i += 2) {
        keyspace_string_put(c->keyspace, c->argv[i], c->argv[i + 1], KEYSPACE_NO_EXPIRY);
        command_notify(c, NOTIFY_STRING, "set", c->argv[i]);
    }
}

static void command_string_mset(struct command_call *c)
{
    if (c->argc % 2 == 0) {
        command_reply_arity_error(c);
        return;
    }
    put_pairs(c);
    command_reply_ok(c);
}

static void command_string_msetnx(struct command_call *c)
{
    if (c->argc % 2 == 0) {
        command_reply_arity_error(c);
        return;
    }
    bool any = false;
    for (int i = 1; i < c->argc && !any; i += 2) {
        any = keyspace_find(c->keyspace, c->argv[i]).type != KEYSPACE_NONE;
    }
    if (!any) put_pairs(c);
    resp_integer(c->reply, !any);
}

static void command_string_append(struct command_call *c)
{
    struct bytes tail = c->argv[2];
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    size_t len = keyspace_string_len(&entry);
    if (!command_string_fits(c, len + tail.len)) return;
    resp_integer(c->reply, (int64_t)keyspace_string_write(c->keyspace, c->argv[1], len, tail));
    command_notify(c, NOTIFY_STRING, "append", c->argv[1]);
}

static void command_string_strlen(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    resp_integer(c->reply, (int64_t)keyspace_string_len(&entry));
}

const struct command_row command_string_rows[] = {
    {"GET", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_STRING, command_string_get,
     "The value of a key.",
     .needs = NEEDS_WHOLE, .syntax = "key", .since = "1.0.0", .complexity = "O(1)"},
    {"GETDEL", 2, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE), ACL_STRING, command_string_getdel,
     "The value of a key, which is deleted.",
     .needs = NEEDS_WHOLE, .syntax = "key", .since = "6.2.0", .complexity = "O(1)"},
    {"GETEX", -2, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE), ACL_STRING, command_string_getex,
     "The value of a key, whose expiry may be set or taken away.",
     .needs = NEEDS_WHOLE, .syntax = "key [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
     .since = "6.2.0", .complexity = "O(1)", .keys_note = "RW and UPDATE because it changes the TTL"},
    {"MGET", -2, READ | FAST, KEYS(1, -1, 1, KEY_RO | KEY_ACCESS), ACL_STRING, command_string_mget,
     "The values of several keys.",
     .needs = NEEDS_WHOLE, .syntax = "key...", .since = "1.0.0", .complexity = "O(N) where N is the number of keys to retrieve.",
     .tips = "request_policy:multi_shard"},
    {"MSET", -3, WRITE | DENYOOM, KEYS(1, -1, 2, KEY_OW | KEY_UPDATE), ACL_STRING, command_string_mset,
     "Sets several keys at once.",
     .syntax = "(key_value: key value)...", .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .tips = "request_policy:multi_shard response_policy:all_succeeded"},
    {"MSETNX", -3, WRITE | DENYOOM, KEYS(1, -1, 2, KEY_OW | KEY_INSERT), ACL_STRING, command_string_msetnx,
     "Sets several keys at once, unless there is one of them; returns whether it did.",
     .syntax = "(key_value: key value)...", .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .tips = "request_policy:multi_shard response_policy:agg_min"},
    {"APPEND", 3, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_INSERT), ACL_STRING, command_string_append,
     "Adds bytes to the end of a string.",
     .needs = NEEDS_APPENDED, .syntax = "key value", .since = "2.0.0", .complexity = "O(N) where N is the length of the new string."},
    {"STRLEN", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO), ACL_STRING, command_string_strlen,
     "The length of a string, in bytes.",
     .syntax = "key", .since = "2.2.0", .complexity = "O(1)"},
    {0},
};
