/* SET and its options. */
#include "command/call.h"

enum expiry_unit { EXPIRY_NONE, EXPIRY_EX, EXPIRY_PX, EXPIRY_EXAT, EXPIRY_PXAT };

struct set_options {
    bool only_new, only_old, get, keep_expiry;
    enum expiry_unit unit;
    int expiry_at; /* the argument that holds the time */
};

static enum expiry_unit expiry_word(struct bytes word)
{
    if (bytes_is(word, "EX")) return EXPIRY_EX;
    if (bytes_is(word, "PX")) return EXPIRY_PX;
    if (bytes_is(word, "EXAT")) return EXPIRY_EXAT;
    if (bytes_is(word, "PXAT")) return EXPIRY_PXAT;
    return EXPIRY_NONE;
}

/* Whether argv[3…] are options that go together. */
static bool parse_options(int argc, const struct bytes *argv, struct set_options *out)
{
    *out = (struct set_options){0};
    for (int i = 3; i < argc; i++) {
        enum expiry_unit unit = expiry_word(argv[i]);
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

/* The time of expiry in ms since 1970; false: the error was replied. */
static bool parse_expiry(struct command_call *c, const struct set_options *o, int64_t *expires_ms)
{
    int64_t value;
    if (!command_integer(c, o->expiry_at, &value, NULL)) return false;
    bool seconds = o->unit == EXPIRY_EX || o->unit == EXPIRY_EXAT;
    bool relative = o->unit == EXPIRY_EX || o->unit == EXPIRY_PX;
    if (value <= 0 || __builtin_mul_overflow(value, seconds ? 1000 : 1, &value) ||
        __builtin_add_overflow(value, relative ? c->now_ms : 0, &value)) {
        resp_error(c->reply, ERROR_SYNTAX, "invalid expire time in '%s' command", c->entry->name);
        return false;
    }
    *expires_ms = value;
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
        if (o.unit && !parse_expiry(c, &o, &expires_ms)) return;
    }
    if (o.get || o.only_new || o.only_old || o.keep_expiry) {
        struct keyspace_entry old = o.get ? command_read(c, key) : keyspace_find(c->keyspace, key);
        bool found = old.type != KEYSPACE_NONE;
        if (o.get && found) resp_bulk(c->reply, old.value);
        if (o.get && !found) resp_null(c->reply);
        if (o.keep_expiry && found) expires_ms = old.expires_ms;
        if (found ? o.only_new : o.only_old) {
            if (!o.get) resp_null(c->reply);
            return;
        }
    }
    if (expires_ms != KEYSPACE_NO_EXPIRY && expires_ms <= c->now_ms) { /* EXAT, PXAT: expired as soon as set */
        keyspace_delete(c->keyspace, key);
    } else {
        keyspace_put_string(c->keyspace, key, c->argv[2], expires_ms);
    }
    if (!o.get) command_reply_ok(c);
}

/* Only with GET is the old value looked at. */
static uint32_t key_flags(int argc, const struct bytes *argv)
{
    struct set_options o;
    bool reads = parse_options(argc, argv, &o) && o.get;
    return reads ? KEY_RW | KEY_ACCESS | KEY_UPDATE : KEY_OW | KEY_UPDATE;
}

const struct command_row command_set_rows[] = {
    {"SET", -3, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE), ACL_STRING,
     command_set_set,
     "Sets the value of a key, whatever it held before.",
     .syntax = "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
               "PXAT unix-time-milliseconds | KEEPTTL]",
     .since = "1.0.0", .complexity = "O(1)", .keys_note = "RW and ACCESS due to the optional `GET` argument",
     .key_flags = key_flags},
    {0},
};
