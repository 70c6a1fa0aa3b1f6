/* Fields of hashes whose time comes: commands of Redis 7.4, as its documentation has them. */
#include "base/number.h"
#include "command/expiry.h"
#include "command/hash.h"
#include "command/need.h"
#include "command/notify.h"

/* What is replied for a field. */
enum { NO_FIELD = -2, NO_EXPIRY = -1, NOT_MET = 0, DONE = 1, DELETED = 2 };

#define TIME_MAX_MS (((int64_t)1 << 46) - 1) /* Redis keeps a field's time in as many bits */

/* Reads FIELDS numfields field ..., from argument `at` to the end. Returns where the fields begin; 0: the error was replied. */
static int parse_fields(struct command_call *c, int at)
{
    int64_t count;
    if (at >= c->argc || !command_is(c, at, "FIELDS")) {
        resp_error(c->reply, ERROR_SYNTAX, "Mandatory argument FIELDS is missing or not at the right position");
    } else if (at + 1 == c->argc || !number_parse_integer(c->argv[at + 1], &count) || count < 1) {
        resp_error(c->reply, ERROR_SYNTAX, "Parameter `numFields` should be greater than 0");
    } else if (count != c->argc - at - 2) {
        resp_error(c->reply, ERROR_SYNTAX, "The `numfields` parameter must match the number of arguments");
    } else {
        return at + 2;
    }
    return 0;
}

/* ---- HEXPIRE and its kin ---- */

/* Argument 2, counted from `since_ms`, in ms since 1970. False: the error was replied. */
static bool parse_time(struct command_call *c, int64_t unit_ms, int64_t since_ms, int64_t *out)
{
    if (!command_integer(c, 2, out, NULL)) return false;
    if (*out < 0) {
        resp_error(c->reply, ERROR_SYNTAX, "invalid expire time, must be >= 0");
        return false;
    }
    if (!__builtin_mul_overflow(*out, unit_ms, out) && !__builtin_add_overflow(*out, since_ms, out) && *out <= TIME_MAX_MS) return true;
    resp_error(c->reply, ERROR_SYNTAX, "invalid expire time in '%s' command", c->entry->name);
    return false;
}

static int expire_field(struct command_call *c, struct keyspace_hash *h, struct bytes name, const struct command_expiry_conditions *k, int64_t when_ms)
{
    struct keyspace_field field;
    if (!keyspace_hash_get(h, name, &field)) return NO_FIELD;
    if (!command_expiry_may_change(k, field.expires_ms, when_ms)) return NOT_MET;
    if (when_ms <= c->now_ms) {
        keyspace_hash_remove(h, name);
        return DELETED;
    }
    if (when_ms != field.expires_ms) keyspace_hash_expire(h, &field, when_ms);
    return DONE;
}

static void expire(struct command_call *c, int64_t unit_ms, int64_t since_ms)
{
    struct command_expiry_conditions k = {0};
    struct keyspace_hash h;
    int64_t when_ms;
    if (!parse_time(c, unit_ms, since_ms, &when_ms)) return;
    int first = parse_fields(c, command_expiry_condition(&k, c->argv[3]) ? 4 : 3);
    if (!first || !command_open_hash(c, &h)) return;
    unsigned outcomes[DELETED + 1] = {0};
    resp_array(c->reply, (size_t)(c->argc - first));
    for (int i = first; i < c->argc; i++) {
        int outcome = expire_field(c, &h, c->argv[i], &k, when_ms);
        if (outcome >= 0) outcomes[outcome]++;
        resp_integer(c->reply, outcome);
    }
    bool emptied = !keyspace_hash_len(&h);
    keyspace_hash_close(&h);
    if (outcomes[DONE]) command_notify(c, NOTIFY_HASH, "hexpire", c->argv[1]);
    if (outcomes[DELETED]) command_notify(c, NOTIFY_HASH, "hdel", c->argv[1]);
    if (outcomes[DELETED] && emptied) command_notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
}

static void command_hash_hexpire(struct command_call *c)
{
    expire(c, 1000, c->now_ms);
}

static void command_hash_hpexpire(struct command_call *c)
{
    expire(c, 1, c->now_ms);
}

static void command_hash_hexpireat(struct command_call *c)
{
    expire(c, 1000, 0);
}

static void command_hash_hpexpireat(struct command_call *c)
{
    expire(c, 1, 0);
}

static int persist_field(struct keyspace_hash *h, struct bytes name)
{
    struct keyspace_field field;
    if (!keyspace_hash_get(h, name, &field)) return NO_FIELD;
    if (field.expires_ms == KEYSPACE_NO_EXPIRY) return NO_EXPIRY;
    keyspace_hash_expire(h, &field, KEYSPACE_NO_EXPIRY);
    return DONE;
}

static void command_hash_hpersist(struct command_call *c)
{
    struct keyspace_hash h;
    int first = parse_fields(c, 2);
    if (!first || !command_open_hash(c, &h)) return;
    bool any = false;
    resp_array(c->reply, (size_t)(c->argc - first));
    for (int i = first; i < c->argc; i++) {
        int outcome = persist_field(&h, c->argv[i]);
        any |= outcome == DONE;
        resp_integer(c->reply, outcome);
    }
    keyspace_hash_close(&h);
    if (any) command_notify(c, NOTIFY_HASH, "hpersist", c->argv[1]);
}

/* ---- HTTL and its kin ---- */

/* When each field expires, counted from `since_ms`, in units that have begun. */
static void reply_times(struct command_call *c, int64_t unit_ms, int64_t since_ms)
{
    struct keyspace_hash h;
    int first = parse_fields(c, 2);
    if (!first || !command_open_hash(c, &h)) return;
    resp_array(c->reply, (size_t)(c->argc - first));
    for (int i = first; i < c->argc; i++) {
        struct keyspace_field field;
        if (!keyspace_hash_get(&h, c->argv[i], &field))
            resp_integer(c->reply, NO_FIELD);
        else if (field.expires_ms == KEYSPACE_NO_EXPIRY)
            resp_integer(c->reply, NO_EXPIRY);
        else
            resp_integer(c->reply, (field.expires_ms - since_ms + unit_ms - 1) / unit_ms);
    }
}

static void command_hash_httl(struct command_call *c)
{
    reply_times(c, 1000, c->now_ms);
}

static void command_hash_hpttl(struct command_call *c)
{
    reply_times(c, 1, c->now_ms);
}

static void command_hash_hexpiretime(struct command_call *c)
{
    reply_times(c, 1000, 0);
}

static void command_hash_hpexpiretime(struct command_call *c)
{
    reply_times(c, 1, 0);
}

#define SETS   (WRITE | DENYOOM | FAST)
#define WRITES KEYS(1, 1, 1, KEY_RW | KEY_UPDATE)
#define READS  KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)
#define EACH   "O(N) where N is the number of specified fields"

const struct command_row command_hash_expire_rows[] = {
    {"HEXPIRE", -6, SETS, WRITES, ACL_HASH, command_hash_hexpire,
     "Sets when fields of a hash expire, in seconds from now.",
     .needs = NEEDS_PUTS(5, -1, 1), .syntax = "key seconds [condition: NX | XX | GT | LT] FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH},
    {"HPEXPIRE", -6, SETS, WRITES, ACL_HASH, command_hash_hpexpire,
     "Sets when fields of a hash expire, in milliseconds from now.",
     .needs = NEEDS_PUTS(5, -1, 1), .syntax = "key milliseconds [condition: NX | XX | GT | LT] FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH},
    {"HEXPIREAT", -6, SETS, WRITES, ACL_HASH, command_hash_hexpireat,
     "Sets when fields of a hash expire, in seconds since 1970.",
     .needs = NEEDS_PUTS(5, -1, 1), .syntax = "key unix-time-seconds [condition: NX | XX | GT | LT] FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH},
    {"HPEXPIREAT", -6, SETS, WRITES, ACL_HASH, command_hash_hpexpireat,
     "Sets when fields of a hash expire, in milliseconds since 1970.",
     .needs = NEEDS_PUTS(5, -1, 1), .syntax = "key unix-time-milliseconds [condition: NX | XX | GT | LT] FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH},
    {"HPERSIST", -5, WRITE | FAST, WRITES, ACL_HASH, command_hash_hpersist,
     "Takes the expiry of fields of a hash away.",
     .needs = NEEDS_PUTS(4, -1, 1), .syntax = "key FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH},
    {"HTTL", -5, READ | FAST, READS, ACL_HASH, command_hash_httl,
     "The seconds until fields of a hash expire; -1 of one that does not, -2 of one that is not there.",
     .needs = NEEDS_ELEMENTS(4, -1, 1), .syntax = "key FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH, .tips = "nondeterministic_output"},
    {"HPTTL", -5, READ | FAST, READS, ACL_HASH, command_hash_hpttl,
     "The milliseconds until fields of a hash expire; -1 of one that does not, -2 of one that is not there.",
     .needs = NEEDS_ELEMENTS(4, -1, 1), .syntax = "key FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH, .tips = "nondeterministic_output"},
    {"HEXPIRETIME", -5, READ | FAST, READS, ACL_HASH, command_hash_hexpiretime,
     "When fields of a hash expire, in seconds since 1970; -1 of one that does not, -2 of one that is not there.",
     .needs = NEEDS_ELEMENTS(4, -1, 1), .syntax = "key FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH},
    {"HPEXPIRETIME", -5, READ | FAST, READS, ACL_HASH, command_hash_hpexpiretime,
     "When fields of a hash expire, in milliseconds since 1970; -1 of one that does not, -2 of one that is not there.",
     .needs = NEEDS_ELEMENTS(4, -1, 1), .syntax = "key FIELDS (fields: numfields field...)", .since = "7.4.0", .complexity = EACH},
    {0},
};
