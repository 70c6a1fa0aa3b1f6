/* Hashes: some of their fields, which the arguments name. */
#include <math.h>

#include "base/number.h"
#include "command/hash.h"
#include "command/need.h"
#include "command/notify.h"

bool command_open_hash(struct command_call *c, struct keyspace_hash *out)
{
    struct bytes key = c->argv[1];
    struct keyspace_entry entry = c->entry->row->flags & READ ? command_read(c, key) : keyspace_find(c->keyspace, key);
    if (!command_is_type(c, &entry, KEYSPACE_HASH)) return false;
    keyspace_hash_open(out, c->keyspace, key, &entry);
    return true;
}

/* ---- writing ---- */

/* Whether argument `i` and the next one may be a field; if not, the error was replied. */
static bool field_fits(struct command_call *c, int i)
{
    if (c->argv[i].len + c->argv[i + 1].len <= KEYSPACE_HASH_FIELD_MAX) return true;
    resp_error(c->reply, ERROR_LIMIT, "a field with its value takes at most %zu MiB", KEYSPACE_HASH_FIELD_MAX >> 20);
    return false;
}

static bool check_pairs(struct command_call *c)
{
    if (c->argc % 2) {
        command_reply_arity_error(c);
        return false;
    }
    for (int i = 2; i < c->argc; i += 2)
        if (!field_fits(c, i)) return false;
    return true;
}

/* Returns how many fields are new; -1: the error was replied. */
static int64_t put_pairs(struct command_call *c)
{
    struct keyspace_hash h;
    int64_t added = 0;
    if (!check_pairs(c) || !command_open_hash(c, &h)) return -1;
    for (int i = 2; i < c->argc; i += 2) added += keyspace_hash_put(&h, &(struct keyspace_field){c->argv[i], c->argv[i + 1], KEYSPACE_NO_EXPIRY});
    keyspace_hash_close(&h);
    command_notify(c, NOTIFY_HASH, "hset", c->argv[1]);
    return added;
}

static void command_hash_hset(struct command_call *c)
{
    int64_t added = put_pairs(c);
    if (added >= 0) resp_integer(c->reply, added);
}

static void command_hash_hmset(struct command_call *c)
{
    if (put_pairs(c) >= 0) command_reply_ok(c);
}

static void command_hash_hsetnx(struct command_call *c)
{
    struct keyspace_hash h;
    if (!field_fits(c, 2) || !command_open_hash(c, &h)) return;
    bool added = keyspace_hash_add(&h, &(struct keyspace_field){c->argv[2], c->argv[3], KEYSPACE_NO_EXPIRY});
    keyspace_hash_close(&h);
    if (added) command_notify(c, NOTIFY_HASH, "hset", c->argv[1]);
    resp_integer(c->reply, added);
}

static void command_hash_hdel(struct command_call *c)
{
    struct keyspace_hash h;
    int64_t removed = 0;
    if (!command_open_hash(c, &h)) return;
    for (int i = 2; i < c->argc; i++) removed += keyspace_hash_remove(&h, c->argv[i]);
    bool emptied = !keyspace_hash_len(&h);
    keyspace_hash_close(&h);
    if (removed) command_notify(c, NOTIFY_HASH, "hdel", c->argv[1]);
    if (removed && emptied) command_notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
    resp_integer(c->reply, removed);
}

/* The field to be added to, "0" if there is none; its expiry stays. */
static struct keyspace_field find_number(struct command_call *c, const struct keyspace_hash *h)
{
    struct keyspace_field field;
    if (keyspace_hash_get(h, c->argv[2], &field)) return field;
    return (struct keyspace_field){c->argv[2], bytes_text("0"), KEYSPACE_NO_EXPIRY};
}

static void put_number(struct command_call *c, struct keyspace_hash *h, struct bytes text, int64_t expires_ms, const char *event)
{
    keyspace_hash_put(h, &(struct keyspace_field){c->argv[2], text, expires_ms});
    keyspace_hash_close(h);
    command_notify(c, NOTIFY_HASH, event, c->argv[1]);
}

static void command_hash_hincrby(struct command_call *c)
{
    struct keyspace_hash h;
    int64_t value, increment;
    if (!field_fits(c, 2) || !command_integer(c, 3, &increment, NULL) || !command_open_hash(c, &h)) return;
    struct keyspace_field field = find_number(c, &h);
    if (!number_parse_integer(field.value, &value)) {
        resp_error(c->reply, ERROR_GENERIC, "hash value is not an integer");
        return;
    }
    if (__builtin_add_overflow(value, increment, &value)) {
        resp_error(c->reply, ERROR_GENERIC, "increment or decrement would overflow");
        return;
    }
    char sum[NUMBER_TEXT_MAX];
    put_number(c, &h, bytes_of(sum, number_format_integer(sum, value)), field.expires_ms, "hincrby");
    resp_integer(c->reply, value);
}

static bool read_increment(struct command_call *c, long double *out)
{
    if (!number_parse_real(c->argv[3], out)) {
        resp_error(c->reply, ERROR_SYNTAX, "value is not a valid float");
        return false;
    }
    if (isfinite(*out)) return true;
    resp_error(c->reply, ERROR_SYNTAX, "value is NaN or Infinity");
    return false;
}

static void command_hash_hincrbyfloat(struct command_call *c)
{
    struct keyspace_hash h;
    long double value, increment;
    if (!field_fits(c, 2) || !read_increment(c, &increment) || !command_open_hash(c, &h)) return;
    struct keyspace_field field = find_number(c, &h);
    if (!number_parse_real(field.value, &value)) {
        resp_error(c->reply, ERROR_GENERIC, "hash value is not a float");
        return;
    }
    value += increment;
    if (!isfinite(value)) {
        resp_error(c->reply, ERROR_GENERIC, "increment would produce NaN or Infinity");
        return;
    }
    char digits[NUMBER_REAL_MAX];
    struct bytes sum = bytes_of(digits, number_format_real(digits, value));
    put_number(c, &h, sum, field.expires_ms, "hincrbyfloat");
    resp_bulk(c->reply, sum);
}

/* ---- reading ---- */

static void reply_value(struct command_call *c, const struct keyspace_hash *h, struct bytes name)
{
    struct keyspace_field field;
    if (keyspace_hash_get(h, name, &field))
        resp_bulk(c->reply, field.value);
    else
        resp_null(c->reply);
}

static void command_hash_hget(struct command_call *c)
{
    struct keyspace_hash h;
    if (command_open_hash(c, &h)) reply_value(c, &h, c->argv[2]);
}

static void command_hash_hmget(struct command_call *c)
{
    struct keyspace_hash h;
    if (!command_open_hash(c, &h)) return;
    resp_array(c->reply, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) reply_value(c, &h, c->argv[i]);
}

static void command_hash_hlen(struct command_call *c)
{
    struct keyspace_hash h;
    if (command_open_hash(c, &h)) resp_integer(c->reply, (int64_t)keyspace_hash_len(&h));
}

static void command_hash_hstrlen(struct command_call *c)
{
    struct keyspace_hash h;
    struct keyspace_field field;
    if (!command_open_hash(c, &h)) return;
    resp_integer(c->reply, keyspace_hash_get(&h, c->argv[2], &field) ? (int64_t)field.value.len : 0);
}

static void command_hash_hexists(struct command_call *c)
{
    struct keyspace_hash h;
    struct keyspace_field field;
    if (command_open_hash(c, &h)) resp_integer(c->reply, keyspace_hash_get(&h, c->argv[2], &field));
}

#define PUTS   (WRITE | DENYOOM | FAST)
#define COUNTS KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE)
#define READS  KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)
#define LOOKS  KEYS(1, 1, 1, KEY_RO) /* at what is there, not at values */

const struct command_row command_hash_rows[] = {
    {"HSET", -4, PUTS, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_HASH, command_hash_hset,
     "Sets fields of a hash; returns how many are new.",
     .needs = NEEDS_PUTS(2, -1, 2), .syntax = "key (field_value: field value)...", .since = "2.0.0",
     .complexity = "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called "
                   "with multiple field/value pairs."},
    {"HMSET", -4, PUTS, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_HASH, command_hash_hmset,
     "Sets fields of a hash.",
     .needs = NEEDS_PUTS(2, -1, 2), .syntax = "key (field_value: field value)...", .since = "2.0.0",
     .complexity = "O(N) where N is the number of fields being set.",
     .replaced_by = "`HSET` with multiple field-value pairs", .deprecated_since = "4.0.0"},
    {"HSETNX", 4, PUTS, KEYS(1, 1, 1, KEY_RW | KEY_INSERT), ACL_HASH, command_hash_hsetnx,
     "Sets a field of a hash unless it is there; returns whether it did.",
     .needs = NEEDS_PUTS(2, 2, 2), .syntax = "key field value", .since = "2.0.0", .complexity = "O(1)"},
    {"HGET", 3, READ | FAST, READS, ACL_HASH, command_hash_hget,
     "The value of a field of a hash.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key field", .since = "2.0.0", .complexity = "O(1)"},
    {"HMGET", -3, READ | FAST, READS, ACL_HASH, command_hash_hmget,
     "The values of several fields of a hash.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key field...", .since = "2.0.0",
     .complexity = "O(N) where N is the number of fields being requested."},
    {"HLEN", 2, READ | FAST, LOOKS, ACL_HASH, command_hash_hlen,
     "The number of fields of a hash.",
     .syntax = "key", .since = "2.0.0", .complexity = "O(1)"},
    {"HSTRLEN", 3, READ | FAST, LOOKS, ACL_HASH, command_hash_hstrlen,
     "The length of the value of a field of a hash.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key field", .since = "3.2.0", .complexity = "O(1)"},
    {"HEXISTS", 3, READ | FAST, LOOKS, ACL_HASH, command_hash_hexists,
     "Whether a hash has a field.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key field", .since = "2.0.0", .complexity = "O(1)"},
    {"HDEL", -3, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_HASH, command_hash_hdel,
     "Deletes fields of a hash; returns how many there were.",
     .needs = NEEDS_REMOVED(2, -1, 1), .syntax = "key field...", .since = "2.0.0",
     .complexity = "O(N) where N is the number of fields to be removed."},
    {"HINCRBY", 4, PUTS, COUNTS, ACL_HASH, command_hash_hincrby,
     "Adds to the integer a field of a hash holds; no field counts as 0.",
     .needs = NEEDS_PUTS(2, 2, 2), .syntax = "key field increment", .since = "2.0.0", .complexity = "O(1)"},
    {"HINCRBYFLOAT", 4, PUTS, COUNTS, ACL_HASH, command_hash_hincrbyfloat,
     "Adds to the number, with a fraction or without, that a field of a hash holds; no field counts as 0.",
     .needs = NEEDS_PUTS(2, 2, 2), .syntax = "key field increment:double", .since = "2.6.0", .complexity = "O(1)"},
    {0},
};
