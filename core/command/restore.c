/* RESTORE: what DUMP gave, here or in Redis, becomes a key's value. The payload may come from anybody: it is read through before anything is
 * changed. */
#include "base/distinct.h"
#include "command/dump.h"
#include "command/engine.h"
#include "command/hash.h"
#include "command/list.h"
#include "command/notify.h"
#include "command/zset.h"
#include "keyspace/set.h"
#include "rdb/rdb.h"

/* ---- arguments ---- */

struct options {
    bool replace, absolute;
    int64_t idle_s, frequency; /* below 0: not given */
};

/* The number behind an option, argument `i`, from 0 to `max`. False: the error was replied. */
static bool parse_number(struct command_call *c, int i, int64_t max, int64_t *out, const char *error)
{
    if (!command_integer(c, i, out, NULL)) return false;
    if (*out >= 0 && *out <= max) return true;
    resp_error(c->reply, ERROR_SYNTAX, "%s", error);
    return false;
}

static bool parse_options(struct command_call *c, struct options *o)
{
    for (int i = 4; i < c->argc; i++) {
        bool more = i + 1 < c->argc;
        if (command_is(c, i, "REPLACE")) {
            o->replace = true;
        } else if (command_is(c, i, "ABSTTL")) {
            o->absolute = true;
        } else if (command_is(c, i, "IDLETIME") && more && o->frequency < 0) {
            if (!parse_number(c, ++i, INT64_MAX, &o->idle_s, "Invalid IDLETIME value, must be >= 0")) return false;
        } else if (command_is(c, i, "FREQ") && more && o->idle_s < 0) {
            if (!parse_number(c, ++i, 255, &o->frequency, "Invalid FREQ value, must be >= 0 and <= 255")) return false;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

/* When the key expires, or KEYSPACE_NO_EXPIRY. False: the error was replied. */
static bool parse_expiry(struct command_call *c, bool absolute, int64_t *out)
{
    int64_t ttl;
    if (!command_integer(c, 2, &ttl, NULL)) return false;
    if (ttl < 0) {
        resp_error(c->reply, ERROR_SYNTAX, "Invalid TTL value, must be >= 0");
        return false;
    }
    if (!absolute && ttl > INT64_MAX - c->now_ms) ttl = INT64_MAX - c->now_ms;
    *out = ttl == 0 ? KEYSPACE_NO_EXPIRY : absolute ? ttl : c->now_ms + ttl;
    return true;
}

/* ---- looking a payload through ---- */

static bool lies_in(struct bytes all, struct bytes b)
{
    return b.data >= all.data && b.data + b.len <= all.data + all.len;
}

/* Whether every element is sound, fits, and, but for those of lists, is there once. */
static enum command_verdict judge(struct command_call *c, struct bytes payload)
{
    struct rdb_reader r;
    struct rdb_element el;
    struct distinct had;
    enum command_verdict verdict = rdb_open(&r, payload) ? PAYLOAD_SOUND : PAYLOAD_DAMAGED;
    uint64_t count = 0;
    distinct_init(&had, c->arena, &c->engine->random);
    if (verdict == PAYLOAD_SOUND && r.type == RDB_STREAM) {
        verdict = command_restore_stream(c, &r, NULL);
        rdb_close(&r);
        return verdict;
    }
    while (verdict == PAYLOAD_SOUND && rdb_next(&r, &el)) {
        count++;
        if (r.type == RDB_STRING || r.type == RDB_LIST) continue;
        size_t len = el.text.len + (r.type == RDB_HASH || r.type == RDB_HASH_LISTPACK ? el.value.len : 0);
        if (len > LINEAR_HASH_ELEMENT_MAX)
            verdict = PAYLOAD_TOO_LARGE;
        else if (!distinct_add(&had, lies_in(payload, el.text) ? el.text : command_restore_copy(c, el.text)))
            verdict = PAYLOAD_DAMAGED;
    }
    if (verdict == PAYLOAD_SOUND && (!count || !rdb_is_sound(&r))) verdict = PAYLOAD_DAMAGED;
    rdb_close(&r);
    return verdict;
}

/* ---- making the value ---- */

static void restore_list(struct command_call *c, struct rdb_reader *r, const struct keyspace_entry *none)
{
    struct keyspace_list l;
    struct rdb_element el;
    keyspace_list_open(c->keyspace, c->argv[1], none, &l);
    while (rdb_next(r, &el)) keyspace_list_push(&l, LIST_RIGHT, &el.text, 1);
    keyspace_list_close(&l);
}

static void restore_set(struct command_call *c, struct rdb_reader *r, const struct keyspace_entry *none)
{
    struct keyspace_set s;
    struct rdb_element el;
    keyspace_set_open(&s, c->keyspace, c->argv[1], none);
    while (rdb_next(r, &el)) keyspace_set_add(&s, el.text);
    keyspace_set_close(&s);
}

static void restore_zset(struct command_call *c, struct rdb_reader *r, const struct keyspace_entry *none)
{
    struct keyspace_zset z;
    struct rdb_element el;
    keyspace_zset_open(c->keyspace, c->argv[1], none, &z);
    while (rdb_next(r, &el)) keyspace_zset_put(&z, &(struct keyspace_scored){el.text, el.score});
    keyspace_zset_close(&z);
}

static void restore_hash(struct command_call *c, struct rdb_reader *r, const struct keyspace_entry *none)
{
    struct keyspace_hash h;
    struct rdb_element el;
    keyspace_hash_open(&h, c->keyspace, c->argv[1], none);
    while (rdb_next(r, &el)) keyspace_hash_put(&h, &(struct keyspace_field){el.text, el.value, KEYSPACE_NO_EXPIRY});
    keyspace_hash_close(&h);
}

static void restore_stream(struct command_call *c, struct rdb_reader *r, const struct keyspace_entry *none)
{
    struct keyspace_stream s;
    keyspace_stream_open(c->keyspace, c->argv[1], none, &s);
    command_restore_stream(c, r, &s);
    keyspace_stream_close(&s);
}

/* A payload that was judged sound, as the value of a key that there is not. */
static void restore(struct command_call *c, struct bytes payload, int64_t expires_ms)
{
    static const struct keyspace_entry none = {.type = KEYSPACE_NONE, .expires_ms = KEYSPACE_NO_EXPIRY};
    struct rdb_reader r;
    struct rdb_element el;
    rdb_open(&r, payload);
    switch (r.type) {
    case RDB_STRING:
        if (rdb_next(&r, &el)) keyspace_string_put(c->keyspace, c->argv[1], el.text, KEYSPACE_NO_EXPIRY);
        break;
    case RDB_LIST: restore_list(c, &r, &none); break;
    case RDB_SET:
    case RDB_SET_INTEGERS: restore_set(c, &r, &none); break;
    case RDB_ZSET:
    case RDB_ZSET_LISTPACK: restore_zset(c, &r, &none); break;
    case RDB_HASH:
    case RDB_HASH_LISTPACK: restore_hash(c, &r, &none); break;
    case RDB_STREAM: restore_stream(c, &r, &none); break;
    }
    rdb_close(&r);
    if (expires_ms != KEYSPACE_NO_EXPIRY) keyspace_expire(c->keyspace, c->argv[1], expires_ms);
}

/* ---- the command ---- */

static bool check_payload(struct command_call *c, struct bytes payload)
{
    if (!rdb_is_whole(payload)) {
        resp_error(c->reply, ERROR_FORMAT, "DUMP payload version or checksum are wrong");
        return false;
    }
    enum command_verdict verdict = judge(c, payload);
    if (verdict == PAYLOAD_DAMAGED) resp_error(c->reply, ERROR_FORMAT, "Bad data format");
    if (verdict == PAYLOAD_TOO_LARGE) resp_error(c->reply, ERROR_LIMIT, "a member of the value takes more than %zu MiB", LINEAR_HASH_ELEMENT_MAX >> 20);
    return verdict == PAYLOAD_SOUND;
}

static void command_restore_restore(struct command_call *c)
{
    struct options o = {.idle_s = -1, .frequency = -1};
    struct bytes key = c->argv[1], payload = c->argv[3];
    int64_t expires_ms;
    if (!parse_options(c, &o)) return;
    if (!o.replace && keyspace_find(c->keyspace, key).type != KEYSPACE_NONE) {
        resp_error(c->reply, ERROR_BUSYKEY, "Target key name already exists.");
        return;
    }
    if (!parse_expiry(c, o.absolute, &expires_ms) || !check_payload(c, payload)) return;
    bool deleted = o.replace && keyspace_delete(c->keyspace, key);
    if (expires_ms != KEYSPACE_NO_EXPIRY && expires_ms <= c->now_ms) {
        if (deleted) command_notify(c, NOTIFY_GENERIC, "del", key);
    } else {
        restore(c, payload, expires_ms);
        if (o.idle_s >= 0) keyspace_set_idle(c->keyspace, key, (uint64_t)o.idle_s);
        if (o.frequency >= 0) keyspace_set_frequency(c->keyspace, key, (unsigned)o.frequency);
        command_notify(c, NOTIFY_GENERIC, "restore", key);
    }
    command_reply_ok(c);
}

const struct command_row command_restore_rows[] = {
    {"RESTORE", -4, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_OW | KEY_UPDATE), ACL_KEYSPACE | ACL_DANGEROUS, command_restore_restore,
     "Makes a key of what DUMP gave.",
     .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]", .since = "2.6.0",
     .complexity = "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N))."},
    {0},
};
