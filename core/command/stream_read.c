/* XREAD: what is new in several streams, and waiting for it. */
#include "command/blocked.h"
#include "command/need.h"
#include "command/stream_read.h"

#define WAITED_MOST 1000 /* entries for one that has waited and said nothing else, as Redis's */

bool command_stream_parse_read(struct command_call *c, bool by_group, struct stream_read *r)
{
    *r = (struct stream_read){0};
    for (int i = 1; i < c->argc; i++) {
        int more = c->argc - 1 - i;
        if (more && command_is(c, i, "BLOCK")) {
            r->blocks = true;
            if (!command_timeout_ms(c, ++i, &r->timeout_ms)) return false;
        } else if (more && command_is(c, i, "COUNT")) {
            if (!command_integer(c, ++i, &r->most, NULL)) return false;
            if (r->most < 0) r->most = 0;
        } else if (more && command_is(c, i, "STREAMS")) {
            if (more % 2) return command_stream_refuse(c, "Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");
            r->keys = c->argv + i + 1;
            r->count = (size_t)more / 2;
            r->ids_at = i + 1 + more / 2;
            return r->group_at || !by_group || command_stream_refuse(c, "Missing GROUP option for XREADGROUP");
        } else if (more >= 2 && command_is(c, i, "GROUP")) {
            if (!by_group) return command_stream_refuse(c, "The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
            r->group_at = i + 1;
            i += 2;
        } else if (command_is(c, i, "NOACK")) {
            if (!by_group) return command_stream_refuse(c, "The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
            r->no_ack = true;
        } else {
            break;
        }
    }
    command_reply_syntax_error(c);
    return false;
}

void command_stream_parse_waited(struct command_call *c, bool by_group, struct stream_read *r)
{
    command_stream_parse_read(c, by_group, r); /* which it was before it waited */
    if (!r->most) r->most = WAITED_MOST;
}

static bool read_ids(struct command_call *c, struct stream_read *r)
{
    r->ids = arena_alloc(c->arena, r->count * sizeof *r->ids);
    for (size_t i = 0; i < r->count; i++) {
        int at = r->ids_at + (int)i;
        struct keyspace_stream s;
        if (!command_open_stream(c, r->keys[i], &s)) return false;
        if (command_is(c, at, ">"))
            return command_stream_refuse(c, "The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.");
        if (command_is(c, at, "$"))
            r->ids[i] = s.head.last;
        else if (!command_stream_id(c, at, &r->ids[i]))
            return false;
    }
    return true;
}

uint64_t command_stream_above(struct keyspace_stream *s, struct stream_id id, uint64_t *first)
{
    *first = stream_id_next(&id) ? keyspace_stream_rank(s, id, NULL) : s->count;
    return s->count - *first;
}

void command_stream_reply_key(struct command_call *c, struct bytes key)
{
    if (c->reply->protocol < 3) resp_array(c->reply, 2);
    resp_bulk(c->reply, key);
}

static void reply_new(struct command_call *c, const struct stream_read *r, size_t i, struct keyspace_stream *s)
{
    uint64_t first, count = command_stream_above(s, r->ids[i], &first);
    if (r->most && count > (uint64_t)r->most) count = (uint64_t)r->most;
    command_stream_reply_key(c, r->keys[i]);
    command_stream_reply(c, s, first, false, count);
}

void command_stream_reply_read(struct command_call *c, size_t streams)
{
    if (c->reply->protocol < 3)
        resp_array(c->reply, streams);
    else
        resp_map(c->reply, streams);
}

static bool serve(struct command_call *c, struct bytes key)
{
    struct keyspace_stream s;
    struct stream_read r;
    uint64_t first;
    command_stream_parse_waited(c, false, &r);
    r.ids = arena_alloc(c->arena, c->kept.len);
    memcpy(r.ids, c->kept.data, c->kept.len);
    for (size_t i = 0; i < r.count; i++) {
        if (!bytes_equal(r.keys[i], key)) continue;
        if (!command_open_stream(c, r.keys[i], &s)) return true;
        if (!command_stream_above(&s, r.ids[i], &first)) continue;
        command_stream_reply_read(c, 1);
        reply_new(c, &r, i, &s);
        return true;
    }
    return false;
}

static void command_stream_xread(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_read r;
    uint64_t first;
    if (!command_stream_parse_read(c, false, &r) || !read_ids(c, &r)) return;
    bool *has = arena_alloc(c->arena, r.count * sizeof *has);
    size_t streams = 0;
    for (size_t i = 0; i < r.count; i++) {
        if (!command_open_stream(c, r.keys[i], &s)) return;
        has[i] = command_stream_above(&s, r.ids[i], &first) > 0;
        streams += has[i];
    }
    if (streams) command_stream_reply_read(c, streams);
    for (size_t i = 0; i < r.count; i++) {
        if (!has[i]) continue;
        struct keyspace_entry entry = keyspace_find(c->keyspace, r.keys[i]);
        keyspace_stream_open(c->keyspace, r.keys[i], &entry, &s);
        reply_new(c, &r, i, &s);
    }
    if (streams) return;
    if (!r.blocks) {
        resp_null_array(c->reply);
        return;
    }
    struct command_block b = {.keys = r.keys, .key_count = r.count, .type = KEYSPACE_STREAM, .serve = serve, .timeout_ms = r.timeout_ms,
                              .kept = bytes_of(r.ids, r.count * sizeof *r.ids)};
    command_block(c, &b);
}

const struct command_row command_stream_read_rows[] = {
    {"XREAD", -4, READ | BLOCKING, NO_KEYS, ACL_STREAM, command_stream_xread,
     "The entries of several streams above given ids; waits for some if told to and there are none.",
     .needs = NEEDS_NEWER, .syntax = "[COUNT count] [BLOCK milliseconds] STREAMS (streams: key... id...)", .since = "5.0.0",
     .complexity = "O(log(N)+M) for each stream, with N being the number of its entries and M the number of those returned.",
     .more_keys = MORE_KEYS({KEY_RO | KEY_ACCESS, KEYS_AFTER, 1, false, -1, 1, 2, "STREAMS", NULL, NULL})},
    {0},
};
