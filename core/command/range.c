/* Parts of strings, by position. */
#include "command/need.h"
#include "command/notify.h"

/* A position of a string; negative ones are counted from the end, and those before the string mean its first byte. */
static int64_t position(int64_t given, int64_t len)
{
    if (given >= 0) return given;
    return given < -len ? 0 : given + len;
}

/* From `start` to `end`, both included. What lies behind the string is left out. */
static void reply_range(struct command_call *c, const struct keyspace_entry *entry, int64_t start, int64_t end)
{
    int64_t len = (int64_t)keyspace_string_len(entry);
    bool backwards = start < 0 && end < start;
    start = position(start, len);
    end = position(end, len);
    if (end >= len) end = len - 1;
    bool none = backwards || start > end;
    command_reply_part(c, entry, none ? 0 : (size_t)start, none ? 0 : (size_t)(end - start + 1));
}

static void command_range_getrange(struct command_call *c)
{
    int64_t start, end;
    if (!command_integer(c, 2, &start, NULL) || !command_integer(c, 3, &end, NULL)) return;
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    reply_range(c, &entry, start, end);
}

/* Bytes between the string's end and `offset` become zeros. */
static void command_range_setrange(struct command_call *c)
{
    int64_t offset;
    if (!command_integer(c, 2, &offset, NULL)) return;
    if (offset < 0) {
        resp_error(c->reply, ERROR_GENERIC, "offset is out of range");
        return;
    }
    struct bytes with = c->argv[3];
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    if (with.len == 0) { /* no key is made for nothing */
        resp_integer(c->reply, (int64_t)keyspace_string_len(&entry));
        return;
    }
    if (!command_string_fits(c, (size_t)offset + with.len)) return;
    resp_integer(c->reply, (int64_t)keyspace_string_write(c->keyspace, c->argv[1], (size_t)offset, with));
    command_notify(c, NOTIFY_STRING, "setrange", c->argv[1]);
}

#define GETRANGE_COMPLEXITY                                                                                            \
    "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned "      \
    "length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for "   \
    "small strings."
#define READS KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

const struct command_row command_range_rows[] = {
    {"GETRANGE", 4, READ, READS, ACL_STRING, command_range_getrange,
     "A part of a string; negative positions are counted from its end.",
     .needs = NEEDS_BYTES(2), .syntax = "key start end", .since = "2.4.0", .complexity = GETRANGE_COMPLEXITY},
    {"SUBSTR", 4, READ, READS, ACL_STRING, command_range_getrange,
     "The older name of GETRANGE.",
     .needs = NEEDS_BYTES(2), .syntax = "key start end", .since = "1.0.0", .complexity = GETRANGE_COMPLEXITY, .replaced_by = "`GETRANGE`",
     .deprecated_since = "2.0.0"},
    {"SETRANGE", 4, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_STRING, command_range_setrange,
     "Overwrites a part of a string, which grows as needed.",
     .needs = NEEDS_WRITTEN, .syntax = "key offset value", .since = "2.2.0",
     .complexity = "O(N) where N is the length of the string, old or new."},
    {0},
};
