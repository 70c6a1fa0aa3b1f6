/* Streams: what their commands share, reading by id, and setting the head. */
#include "command/need.h"
#include "command/stream.h"

#include "command/notify.h"
#include "command/stream_id.h"

bool command_open_stream(struct command_call *c, struct bytes key, struct keyspace_stream *out)
{
    struct keyspace_entry entry = c->entry->row->flags & READ ? command_read(c, key) : keyspace_find(c->keyspace, key);
    if (!command_is_type(c, &entry, KEYSPACE_STREAM)) return false;
    keyspace_stream_open(c->keyspace, key, &entry, out);
    return true;
}

/* ---- ids ---- */

bool command_stream_id(struct command_call *c, int i, struct stream_id *out)
{
    return command_stream_id_parse(c->argv[i], 0, out, NULL) || command_stream_refuse_id(c);
}

bool command_stream_end(struct command_call *c, int i, bool is_end, struct stream_id *out)
{
    switch (command_stream_end_parse(c->argv[i], is_end, out)) {
    case STREAM_END_READ: return true;
    case STREAM_END_INVALID: return command_stream_refuse_id(c);
    case STREAM_END_BEYOND: break;
    }
    return command_stream_refuse(c, is_end ? "invalid end ID for the interval" : "invalid start ID for the interval");
}

void command_stream_reply_id(struct command_call *c, struct stream_id id)
{
    char text[COMMAND_STREAM_ID_MAX];
    resp_bulk(c->reply, bytes_of(text, command_stream_id_format(text, id)));
}

/* ---- entries ---- */

static void command_stream_xlen(struct command_call *c)
{
    struct keyspace_stream s;
    if (command_open_stream(c, c->argv[1], &s)) resp_integer(c->reply, (int64_t)s.count);
}

void command_stream_reply_entry(struct command_call *c, const struct stream_entry *entry)
{
    struct stream_entry rest = *entry;
    struct bytes name, value;
    resp_array(c->reply, 2);
    command_stream_reply_id(c, entry->id);
    resp_array(c->reply, 2 * stream_entry_count(entry));
    while (stream_entry_next(&rest, &name, &value)) {
        resp_bulk(c->reply, name);
        resp_bulk(c->reply, value);
    }
}

void command_stream_reply(struct command_call *c, struct keyspace_stream *s, uint64_t position, bool backwards, uint64_t count)
{
    struct keyspace_stream_walk w;
    struct stream_entry entry;
    resp_array(c->reply, count);
    if (!count) return;
    keyspace_stream_walk(s, position, backwards, &w);
    while (count-- && !c->reply->out->failed && keyspace_stream_next(s, &w, &entry)) command_stream_reply_entry(c, &entry);
}

/* COUNT, any number of times; -1: all. */
static bool parse_count(struct command_call *c, int64_t *count)
{
    *count = -1;
    for (int i = 4; i < c->argc; i += 2) {
        if (!command_is(c, i, "COUNT") || i + 1 >= c->argc) {
            command_reply_syntax_error(c);
            return false;
        }
        if (!command_integer(c, i + 1, count, NULL)) return false;
        if (*count < 0) *count = 0;
    }
    return true;
}

static void range(struct command_call *c, bool backwards)
{
    struct keyspace_stream s;
    struct stream_id from, to;
    int64_t count;
    bool equal;
    if (!command_stream_end(c, backwards ? 3 : 2, false, &from) || !command_stream_end(c, backwards ? 2 : 3, true, &to)) return;
    if (!parse_count(c, &count) || !command_open_stream(c, c->argv[1], &s)) return;
    if (s.exists && count == 0) {
        resp_null_array(c->reply);
        return;
    }
    uint64_t first = keyspace_stream_rank(&s, from, NULL), end = keyspace_stream_rank(&s, to, &equal);
    end += equal;
    uint64_t found = end > first ? end - first : 0;
    if (count > 0 && found > (uint64_t)count) found = (uint64_t)count;
    command_stream_reply(c, &s, backwards ? end - 1 : first, backwards, found);
}

static void command_stream_xrange(struct command_call *c)
{
    range(c, false);
}

static void command_stream_xrevrange(struct command_call *c)
{
    range(c, true);
}

/* ---- the head ---- */

/* XSETID's options; `added` stays below 0 and `max_deleted` 0-0 where they are not given. False: the error was replied. */
static bool parse_head(struct command_call *c, struct stream_id last, int64_t *added, struct stream_id *max_deleted)
{
    for (int i = 3; i < c->argc; i += 2) {
        bool more = i + 1 < c->argc;
        if (more && command_is(c, i, "ENTRIESADDED")) {
            if (!command_integer(c, i + 1, added, NULL)) return false;
            if (*added < 0) return command_stream_refuse(c, "entries_added must be positive");
        } else if (more && command_is(c, i, "MAXDELETEDID")) {
            if (!command_stream_id(c, i + 1, max_deleted)) return false;
            if (stream_id_compare(last, *max_deleted) < 0)
                return command_stream_refuse(c, "The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

static bool may_set(struct command_call *c, struct keyspace_stream *s, struct stream_id last, int64_t added)
{
    struct keyspace_stream_walk w;
    struct stream_entry top;
    if (!s->count) return true;
    keyspace_stream_walk(s, s->count - 1, true, &w);
    if (keyspace_stream_next(s, &w, &top) && stream_id_compare(last, top.id) < 0)
        return command_stream_refuse(c, "The ID specified in XSETID is smaller than the target stream top item");
    if (added >= 0 && s->count > (uint64_t)added)
        return command_stream_refuse(c, "The entries_added specified in XSETID is smaller than the target stream length");
    return true;
}

static void command_stream_xsetid(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_id last, max_deleted = {0, 0};
    int64_t added = -1;
    if (!command_stream_id(c, 2, &last) || !parse_head(c, last, &added, &max_deleted) || !command_open_stream(c, c->argv[1], &s)) return;
    if (!s.exists) {
        resp_error(c->reply, ERROR_GENERIC, "no such key");
        return;
    }
    if (!may_set(c, &s, last, added)) return;
    struct stream_head head = s.head;
    head.last = last;
    if (added >= 0) head.added = (uint64_t)added;
    if (max_deleted.ms || max_deleted.seq) head.max_deleted = max_deleted;
    keyspace_stream_set_head(&s, &head);
    keyspace_stream_close(&s);
    command_notify(c, NOTIFY_STREAM, "xsetid", c->argv[1]);
    command_reply_ok(c);
}

/* ---- the rows ---- */

const struct command_row command_stream_rows[] = {
    {"XLEN", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO), ACL_STREAM, command_stream_xlen,
     "How many entries a stream has.",
     .syntax = "key", .since = "5.0.0", .complexity = "O(1)"},
    {"XRANGE", -4, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_xrange,
     "The entries whose ids are in a range.",
     .needs = NEEDS_ENTRIES(false), .syntax = "key start:string end:string [COUNT count]", .since = "5.0.0",
     .complexity = "O(log(N)+M) with N being the number of entries and M the number of those returned."},
    {"XREVRANGE", -4, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_xrevrange,
     "The same as XRANGE, the last entry first.",
     .needs = NEEDS_ENTRIES(true), .syntax = "key end:string start:string [COUNT count]", .since = "5.0.0",
     .complexity = "O(log(N)+M) with N being the number of entries and M the number of those returned."},
    {"XSETID", -3, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_STREAM, command_stream_xsetid,
     "Sets the last id of a stream, and what else it knows beside its entries.",
     .syntax = "key last-id [ENTRIESADDED entries_added] [MAXDELETEDID max_deleted_entry_id]", .since = "5.0.0", .complexity = "O(1)"},
    {0},
};
