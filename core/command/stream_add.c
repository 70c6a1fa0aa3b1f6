/* XADD. */
#include "command/need.h"
#include "command/notify.h"
#include "command/stream.h"
#include "command/stream_id.h"

struct new_id {
    bool any, any_seq;
    struct stream_id id;
};

/* Adds an entry with the fields from argument `at` on. False: too many bytes, the error was replied. */
static bool add_entry(struct command_call *c, struct keyspace_stream *s, struct stream_id id, int at)
{
    const struct bytes *fields = c->argv + at;
    size_t count = (size_t)(c->argc - at) / 2, room = stream_fields_room(fields, count);
    if (room > KEYSPACE_STREAM_ENTRY_MAX) {
        resp_error(c->reply, ERROR_LIMIT, "an entry of a stream takes at most %zu MiB", KEYSPACE_STREAM_ENTRY_MAX >> 20);
        return false;
    }
    keyspace_stream_append(s, id, fields, count, arena_alloc(c->arena, room));
    return true;
}

/* The id that the entry gets. False: the error was replied. */
static bool choose_id(struct command_call *c, const struct keyspace_stream *s, const struct new_id *n, struct stream_id *out)
{
    struct stream_id last = s->head.last;
    if (stream_id_compare(last, STREAM_ID_MAX) == 0)
        return command_stream_refuse(c, "The stream has exhausted the last possible ID, unable to add more items");
    *out = n->any ? (struct stream_id){(uint64_t)c->now_ms, 0} : n->id;
    if (n->any && out->ms <= last.ms) {
        *out = last;
        stream_id_next(out);
    }
    if (n->any_seq && out->ms == last.ms && last.seq < UINT64_MAX) out->seq = last.seq + 1;
    if (stream_id_compare(*out, last) > 0) return true;
    return command_stream_refuse(c, "The ID specified in XADD is equal or smaller than the target stream top item");
}

static bool parse_add(struct command_call *c, struct command_stream_trim *t, struct new_id *n, int *fields_at)
{
    int at;
    if (!command_stream_parse_trim(c, true, t, &at)) return false;
    *n = (struct new_id){.any = at < c->argc && command_is(c, at, "*")};
    if (!n->any && at < c->argc && !command_stream_id_parse(c->argv[at], 0, &n->id, &n->any_seq)) return command_stream_refuse_id(c);
    if (!command_stream_check_trim(c, true, t)) return false;
    *fields_at = at + 1;
    if (c->argc - *fields_at < 2 || (c->argc - *fields_at) % 2) {
        command_reply_arity_error(c);
        return false;
    }
    if (n->any || n->any_seq || n->id.ms || n->id.seq) return true;
    return command_stream_refuse(c, "The ID specified in XADD must be greater than 0-0");
}

static void command_stream_xadd(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_id id;
    struct command_stream_trim t;
    struct new_id n;
    int fields_at;
    if (!parse_add(c, &t, &n, &fields_at) || !command_open_stream(c, c->argv[1], &s)) return;
    if (!s.exists && t.no_stream) {
        resp_null(c->reply);
        return;
    }
    if (!choose_id(c, &s, &n, &id) || !add_entry(c, &s, id, fields_at)) return;
    bool trimmed = command_stream_trim(&s, &t) > 0;
    keyspace_stream_close(&s);
    command_notify(c, NOTIFY_STREAM, "xadd", c->argv[1]);
    if (trimmed) command_notify(c, NOTIFY_STREAM, "xtrim", c->argv[1]);
    command_stream_reply_id(c, id);
}

/* ---- the rows ---- */

const struct command_row command_stream_add_rows[] = {
    {"XADD", -5, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_STREAM, command_stream_xadd,
     "Adds an entry to a stream, and takes old ones out if told to; returns its id.",
     .needs = NEEDS_ENTRY, .syntax = "key [NOMKSTREAM] [trim: " STREAM_TRIM_SYNTAX "] (id_or_auto: auto_id=* | id) (field_value: field value)...", .since = "5.0.0",
     .complexity = "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
     .tips = "nondeterministic_output", .keys_note = "UPDATE instead of INSERT because of the optional trimming feature"},
    {0},
};
