/* Strings that are numbers. */
#include <math.h>

#include "base/number.h"
#include "command/notify.h"

/* What a key holds, as far as it may be a number. */
static struct bytes text_of(struct command_call *c, const struct keyspace_entry *entry)
{
    bool possible = keyspace_string_len(entry) < NUMBER_REAL_MAX;
    return possible ? keyspace_string_whole(c->keyspace, entry, c->arena) : bytes_of(NULL, 0);
}

static void add(struct command_call *c, int64_t increment)
{
    struct bytes key = c->argv[1];
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    int64_t expires_ms = entry.type == KEYSPACE_NONE ? KEYSPACE_NO_EXPIRY : entry.expires_ms, value = 0;
    if (entry.type != KEYSPACE_NONE && !number_parse_integer(text_of(c, &entry), &value)) {
        resp_error(c->reply, ERROR_GENERIC, "value is not an integer or out of range");
        return;
    }
    if (__builtin_add_overflow(value, increment, &value)) {
        resp_error(c->reply, ERROR_GENERIC, "increment or decrement would overflow");
        return;
    }
    char text[NUMBER_TEXT_MAX];
    size_t len = number_format_integer(text, value);
    keyspace_string_put(c->keyspace, key, bytes_of(text, len), expires_ms);
    command_notify(c, NOTIFY_STRING, "incrby", key);
    resp_integer(c->reply, value);
}

static void command_counter_incr(struct command_call *c)
{
    add(c, 1);
}

static void command_counter_decr(struct command_call *c)
{
    add(c, -1);
}

static void command_counter_incrby(struct command_call *c)
{
    int64_t increment;
    if (command_integer(c, 2, &increment, NULL)) add(c, increment);
}

static void command_counter_decrby(struct command_call *c)
{
    int64_t decrement;
    if (!command_integer(c, 2, &decrement, NULL)) return;
    if (decrement == INT64_MIN) {
        resp_error(c->reply, ERROR_GENERIC, "decrement would overflow");
        return;
    }
    add(c, -decrement);
}

static void command_counter_incrbyfloat(struct command_call *c)
{
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    long double value = 0, increment;
    if ((entry.type != KEYSPACE_NONE && !number_parse_real(text_of(c, &entry), &value)) ||
        !number_parse_real(c->argv[2], &increment)) {
        resp_error(c->reply, ERROR_GENERIC, "value is not a valid float");
        return;
    }
    value += increment;
    if (!isfinite(value)) {
        resp_error(c->reply, ERROR_GENERIC, "increment would produce NaN or Infinity");
        return;
    }
    char text[NUMBER_REAL_MAX];
    struct bytes sum = bytes_of(text, number_format_real(text, value));
    keyspace_string_put(c->keyspace, c->argv[1], sum, entry.expires_ms);
    command_notify(c, NOTIFY_STRING, "incrbyfloat", c->argv[1]);
    resp_bulk(c->reply, sum);
}

#define FLAGS   (WRITE | DENYOOM | FAST)
#define ONE_KEY KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE)

const struct command_row command_counter_rows[] = {
    {"INCR", 2, FLAGS, ONE_KEY, ACL_STRING, command_counter_incr,
     "Adds one to the integer a key holds; no key counts as 0.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)"},
    {"DECR", 2, FLAGS, ONE_KEY, ACL_STRING, command_counter_decr,
     "Takes one from the integer a key holds; no key counts as 0.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)"},
    {"INCRBY", 3, FLAGS, ONE_KEY, ACL_STRING, command_counter_incrby,
     "Adds to the integer a key holds; no key counts as 0.",
     .syntax = "key increment", .since = "1.0.0", .complexity = "O(1)"},
    {"DECRBY", 3, FLAGS, ONE_KEY, ACL_STRING, command_counter_decrby,
     "Takes from the integer a key holds; no key counts as 0.",
     .syntax = "key decrement", .since = "1.0.0", .complexity = "O(1)"},
    {"INCRBYFLOAT", 3, FLAGS, ONE_KEY, ACL_STRING, command_counter_incrbyfloat,
     "Adds to the number, with a fraction or without, that a key holds; no key counts as 0.",
     .syntax = "key increment:double", .since = "2.6.0", .complexity = "O(1)"},
    {0},
};
