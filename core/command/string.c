/* Strings, whole. */
#include "command/call.h"

static void reply_string(struct command_call *c, const struct keyspace_entry *entry)
{
    if (entry->type == KEYSPACE_STRING) {
        resp_bulk(c->reply, entry->value);
    } else {
        resp_null(c->reply);
    }
}

static void command_string_get(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    reply_string(c, &entry);
}

static void command_string_mget(struct command_call *c)
{
    resp_array(c->reply, (size_t)c->argc - 1);
    for (int i = 1; i < c->argc; i++) {
        struct keyspace_entry entry = command_read(c, c->argv[i]);
        reply_string(c, &entry);
    }
}

static void command_string_mset(struct command_call *c)
{
    if (c->argc % 2 == 0) {
        command_reply_arity_error(c);
        return;
    }
    for (int i = 1; i < c->argc; i += 2) {
        keyspace_put_string(c->keyspace, c->argv[i], c->argv[i + 1], KEYSPACE_NO_EXPIRY);
    }
    command_reply_ok(c);
}

static void command_string_append(struct command_call *c)
{
    struct bytes tail = c->argv[2];
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    if (entry.type == KEYSPACE_NONE) {
        keyspace_put_string(c->keyspace, c->argv[1], tail, KEYSPACE_NO_EXPIRY);
        resp_integer(c->reply, (int64_t)tail.len);
        return;
    }
    size_t len = entry.value.len + tail.len;
    if (len > COMMAND_STRING_MAX) {
        resp_error(c->reply, ERROR_LIMIT, "string exceeds maximum allowed size (proto-max-bulk-len)");
        return;
    }
    if (tail.len) keyspace_splice_string(c->keyspace, c->argv[1], entry.value.len, 0, tail);
    resp_integer(c->reply, (int64_t)len);
}

static void command_string_strlen(struct command_call *c)
{
    resp_integer(c->reply, (int64_t)command_read(c, c->argv[1]).value.len);
}

const struct command_row command_string_rows[] = {
    {"GET", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_STRING, command_string_get,
     "The value of a key.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)"},
    {"MGET", -2, READ | FAST, KEYS(1, -1, 1, KEY_RO | KEY_ACCESS), ACL_STRING, command_string_mget,
     "The values of several keys.",
     .syntax = "key [key ...]", .since = "1.0.0", .complexity = "O(N) where N is the number of keys to retrieve.",
     .tips = "request_policy:multi_shard"},
    {"MSET", -3, WRITE | DENYOOM, KEYS(1, -1, 2, KEY_OW | KEY_UPDATE), ACL_STRING, command_string_mset,
     "Sets several keys at once.",
     .syntax = "key value [key value ...]", .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .tips = "request_policy:multi_shard response_policy:all_succeeded"},
    {"APPEND", 3, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_INSERT), ACL_STRING, command_string_append,
     "Adds bytes to the end of a string.",
     .syntax = "key value", .since = "2.0.0", .complexity = "O(N) where N is the length of the new string."},
    {"STRLEN", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO), ACL_STRING, command_string_strlen,
     "The length of a string, in bytes.",
     .syntax = "key", .since = "2.2.0", .complexity = "O(1)"},
    {0},
};
