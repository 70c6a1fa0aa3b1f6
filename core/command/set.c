/* SET and its options; its older forms. */
#include "command/expiry.h"
#include "command/need.h"
#include "command/notify.h"

struct set_options {
    bool only_new, only_old, get, keep_expiry;
    enum command_expiry unit;
    int expiry_at; /* the argument that holds the time */
};

/* Whether argv[3…] are options that go together. */
static bool parse_options(int argc, const struct bytes *argv, struct set_options *out)
{
    *out = (struct set_options){0};
    for (int i = 3; i < argc; i++) {
        enum command_expiry unit = command_expiry_word(argv[i]);
        if (bytes_is(argv[i], "NX") && !out->only_old) {
            out->only_new = true;
        } else if (bytes_is(argv[i], "XX") && !out->only_new) {
            out->only_old = true;
        } else if (bytes_is(argv[i], "GET")) {
            out->get = true;
        } else if (bytes_is(argv[i], "KEEPTTL") && !out->unit) {
            out->keep_expiry = true;
        } else if (unit && !out->keep_expiry && (!out->unit || out->unit == unit) && i + 1 < argc) {
            out->unit = unit;
            out->expiry_at = ++i;
        } else {
            return false;
        }
    }
    return true;
}

static void command_set_set(struct command_call *c)
{
    struct set_options o = {0};
    struct bytes key = c->argv[1];
    int64_t expires_ms = KEYSPACE_NO_EXPIRY;
    if (c->argc > 3) {
        if (!parse_options(c->argc, c->argv, &o)) {
            command_reply_syntax_error(c);
            return;
        }
        if (o.unit && !command_expiry_read(c, o.unit, o.expiry_at, &expires_ms)) return;
    }
    if (o.get || o.only_new || o.only_old || o.keep_expiry) {
        struct keyspace_entry old = o.get ? command_read(c, key) : keyspace_find(c->keyspace, key);
        bool found = old.type != KEYSPACE_NONE;
        if (o.get && !command_is_type(c, &old, KEYSPACE_STRING)) return;
        if (o.get) command_reply_string(c, &old);
        if (o.keep_expiry && found) expires_ms = old.expires_ms;
        if (found ? o.only_new : o.only_old) {
            if (!o.get) resp_null(c->reply);
            return;
        }
    }
    bool gone = expires_ms != KEYSPACE_NO_EXPIRY && expires_ms <= c->now_ms; /* EXAT, PXAT: expired as soon as set */
    if (gone) {
        keyspace_delete(c->keyspace, key);
    } else {
        keyspace_string_put(c->keyspace, key, c->argv[2], expires_ms);
    }
    command_notify(c, NOTIFY_STRING, "set", key);
    if (o.unit) command_notify(c, NOTIFY_GENERIC, "expire", key);
    if (gone) command_notify(c, NOTIFY_EXPIRED, "expired", key);
    if (!o.get) command_reply_ok(c);
}

static void command_set_setnx(struct command_call *c)
{
    bool found = keyspace_find(c->keyspace, c->argv[1]).type != KEYSPACE_NONE;
    if (!found) {
        keyspace_string_put(c->keyspace, c->argv[1], c->argv[2], KEYSPACE_NO_EXPIRY);
        command_notify(c, NOTIFY_STRING, "set", c->argv[1]);
    }
    resp_integer(c->reply, !found);
}

static void set_expiring(struct command_call *c, enum command_expiry unit)
{
    int64_t expires_ms;
    if (!command_expiry_read(c, unit, 2, &expires_ms)) return;
    keyspace_string_put(c->keyspace, c->argv[1], c->argv[3], expires_ms);
    command_notify(c, NOTIFY_STRING, "set", c->argv[1]);
    command_notify(c, NOTIFY_GENERIC, "expire", c->argv[1]);
    command_reply_ok(c);
}

static void command_set_setex(struct command_call *c)
{
    set_expiring(c, EXPIRY_EX);
}

static void command_set_psetex(struct command_call *c)
{
    set_expiring(c, EXPIRY_PX);
}

static void command_set_getset(struct command_call *c)
{
    struct keyspace_entry old = command_read(c, c->argv[1]);
    if (!command_is_type(c, &old, KEYSPACE_STRING)) return;
    command_reply_string(c, &old);
    keyspace_string_put(c->keyspace, c->argv[1], c->argv[2], KEYSPACE_NO_EXPIRY);
    command_notify(c, NOTIFY_STRING, "set", c->argv[1]);
}

/* Only with GET is the old value looked at. As Redis, whether the options go together or not. */
static uint32_t key_flags(int argc, const struct bytes *argv)
{
    bool reads = false;
    for (int i = 3; i < argc; i++) reads |= bytes_is(argv[i], "GET");
    return reads ? KEY_RW | KEY_ACCESS | KEY_UPDATE : KEY_OW | KEY_UPDATE;
}

const struct command_row command_set_rows[] = {
    {"SET", -3, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE), ACL_STRING,
     command_set_set,
     "Sets the value of a key, whatever it held before.",
     .needs = NEEDS_WHOLE, .syntax = "key value [condition: NX | XX] [GET] [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | KEEPTTL]",
     .since = "1.0.0", .complexity = "O(1)", .keys_note = "RW and ACCESS due to the optional `GET` argument",
     .key_flags = key_flags},
    {"SETNX", 3, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_OW | KEY_INSERT), ACL_STRING, command_set_setnx,
     "Sets the value of a key unless there is one; returns whether it did.",
     .syntax = "key value", .since = "1.0.0", .complexity = "O(1)"},
    {"SETEX", 4, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_OW | KEY_UPDATE), ACL_STRING, command_set_setex,
     "Sets the value of a key and when it expires, in seconds from now.",
     .syntax = "key seconds value", .since = "2.0.0", .complexity = "O(1)"},
    {"PSETEX", 4, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_OW | KEY_UPDATE), ACL_STRING, command_set_psetex,
     "Sets the value of a key and when it expires, in milliseconds from now.",
     .syntax = "key milliseconds value", .since = "2.6.0", .complexity = "O(1)"},
    {"GETSET", 3, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE), ACL_STRING,
     command_set_getset,
     "Sets the value of a key and returns the one before.",
     .needs = NEEDS_WHOLE, .syntax = "key value", .since = "1.0.0", .complexity = "O(1)", .replaced_by = "`SET` with the `!GET` argument",
     .deprecated_since = "6.2.0"},
    {0},
};
