/* XREADGROUP: what is new to a consumer group, or what is pending of a consumer, and waiting for what is new. */
#include <assert.h>

#include "command/blocked.h"
#include "command/stream_group.h"
#include "command/stream_read.h"

#define AT_ONCE 64 /* entries that are replied before what was delivered is written */

/* ">"; the greatest id means it too, as in Redis. */
static bool asks_for_new(struct stream_id id)
{
    return stream_id_compare(id, STREAM_ID_MAX) == 0;
}

/* Looks at each key, its group and its id before anything is done; stream and group are the last one's then. False: the error was replied. */
static bool check(struct command_call *c, struct stream_read *r, struct keyspace_stream *s, struct stream_group *g)
{
    r->ids = arena_alloc(c->arena, r->count * sizeof *r->ids);
    for (size_t i = 0; i < r->count; i++) {
        int at = r->ids_at + (int)i;
        if (!command_group_open(c, r->keys[i], c->argv[r->group_at], s, g)) return false;
        if (!g->number) {
            resp_error(c->reply, ERROR_NOGROUP, "No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option",
                       command_text(c, at - (int)r->count), command_text(c, r->group_at));
            return false;
        }
        if (command_is(c, at, "$"))
            return command_stream_refuse(c, "The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
                                            "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.");
        r->ids[i] = STREAM_ID_MAX;
        if (!command_is(c, at, ">") && !command_stream_id(c, at, &r->ids[i])) return false;
    }
    return command_group_name_fits(c, c->argv[r->group_at + 1]);
}

/* ---- what is new ---- */

/* Replies with `count` entries from a position on, which are new to the group, and delivers them. */
static void read_new(struct command_call *c, const struct stream_read *r, struct keyspace_stream *s, struct stream_group *g, uint64_t position, uint64_t count)
{
    struct stream_course course = command_stream_course(s);
    struct stream_pending as = {.consumer = command_group_consumer(c, s, g, c->argv[r->group_at + 1]), .delivered_ms = c->now_ms, .deliveries = 1};
    struct stream_id ids[AT_ONCE];
    resp_array(c->reply, count);
    while (count && !c->reply->out->failed) {
        struct keyspace_stream_walk w;
        struct stream_entry entry;
        size_t n = 0;
        keyspace_stream_walk(s, position, false, &w);
        while (n < AT_ONCE && n < count && keyspace_stream_next(s, &w, &entry)) {
            command_stream_reply_entry(c, &entry);
            stream_course_read(&course, g, entry.id);
            ids[n++] = entry.id;
        }
        if (!r->no_ack) keyspace_pending_deliver(s, g, &as, ids, n);
        position += n;
        count -= n;
    }
    keyspace_group_put(s, c->argv[r->group_at], g);
}

/* ---- what is pending of the consumer ---- */

/* Replies with some, which are delivered once more if they are still there. */
static void read_again(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g, struct stream_pending *some, size_t count)
{
    bool there[AT_ONCE];
    for (size_t i = 0; i < count; i++) {
        struct stream_entry entry;
        there[i] = command_stream_entry(s, some[i].id, &entry);
        if (there[i]) {
            command_stream_reply_entry(c, &entry);
        } else {
            resp_array(c->reply, 2);
            command_stream_reply_id(c, some[i].id);
            resp_null_array(c->reply);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!there[i]) continue;
        some[i].delivered_ms = c->now_ms;
        some[i].deliveries++;
        keyspace_pending_put(s, g, &some[i]);
    }
}

static void read_history(struct command_call *c, const struct stream_read *r, struct keyspace_stream *s, const struct stream_group *g, struct stream_id from)
{
    uint64_t consumer = command_group_consumer(c, s, g, c->argv[r->group_at + 1]);
    struct keyspace_group_walk walk;
    keyspace_pending_walk(s, g, &consumer, from, &walk);
    uint64_t count = walk.end - walk.tree.position;
    if (r->most && count > (uint64_t)r->most) count = (uint64_t)r->most;
    resp_array(c->reply, count);
    while (count && !c->reply->out->failed) {
        struct stream_pending some[AT_ONCE];
        size_t n = 0;
        keyspace_pending_walk(s, g, &consumer, from, &walk);
        while (n < AT_ONCE && n < count && keyspace_pending_next(s, &walk, &some[n])) n++;
        from = some[n - 1].id;
        stream_id_next(&from);
        read_again(c, s, g, some, n);
        count -= n;
    }
}

/* ---- the command ---- */

/* Of key `i`, whose stream and group are there. False: there is nothing new, nothing was replied. */
static bool read_one(struct command_call *c, const struct stream_read *r, size_t i, struct keyspace_stream *s, struct stream_group *g)
{
    struct stream_id from = r->ids[i];
    uint64_t first, count = command_stream_above(s, g->last, &first);
    if (asks_for_new(from) && !count) return false;
    command_stream_reply_key(c, r->keys[i]);
    if (asks_for_new(from)) {
        read_new(c, r, s, g, first, r->most && count > (uint64_t)r->most ? (uint64_t)r->most : count);
    } else {
        stream_id_next(&from);
        read_history(c, r, s, g, from);
    }
    keyspace_stream_close(s);
    return true;
}

/* Key `i`, which check() has looked at: others may have been written since. */
static void open_again(struct command_call *c, const struct stream_read *r, size_t i, struct keyspace_stream *s, struct stream_group *g)
{
    struct keyspace_entry entry = keyspace_find(c->keyspace, r->keys[i]);
    keyspace_stream_open(c->keyspace, r->keys[i], &entry, s);
    bool there = keyspace_group_find(s, c->argv[r->group_at], g);
    assert(there);
    (void)there;
}

static bool serve(struct command_call *c, struct bytes key)
{
    struct keyspace_stream s;
    struct stream_group g;
    struct stream_read r;
    struct stream_id new = STREAM_ID_MAX;
    uint64_t first;
    command_stream_parse_waited(c, true, &r);
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (entry.type != KEYSPACE_STREAM) {
        resp_error(c->reply, ERROR_UNBLOCKED, "the stream key no longer exists");
        return true;
    }
    keyspace_stream_open(c->keyspace, key, &entry, &s);
    if (!keyspace_group_find(&s, c->argv[r.group_at], &g)) {
        resp_error(c->reply, ERROR_NOGROUP, "the consumer group this client was blocked on no longer exists");
        return true;
    }
    if (!command_stream_above(&s, g.last, &first)) return false;
    r.keys = &key;
    r.ids = &new;
    command_stream_reply_read(c, 1);
    return read_one(c, &r, 0, &s, &g);
}

static void command_stream_xreadgroup(struct command_call *c)
{
    struct stream_read r;
    struct keyspace_stream s;
    struct stream_group g;
    struct resp_writer w;
    struct command_call aside = command_call_aside(c, &w);
    size_t streams = 0;
    if (!command_stream_parse_read(c, true, &r) || !check(c, &r, &s, &g)) return;
    for (size_t i = 0; i < r.count && !w.out->failed; i++) {
        if (r.count > 1) open_again(c, &r, i, &s, &g);
        streams += read_one(&aside, &r, i, &s, &g);
    }
    if (streams) {
        command_stream_reply_read(c, streams);
        command_reply_aside(c);
    } else if (r.blocks) {
        struct command_block b = {.keys = r.keys, .key_count = r.count, .type = KEYSPACE_STREAM, .serve = serve, .timeout_ms = r.timeout_ms, .until_gone = true,
                                  .kept = c->argv[r.group_at], .alike = true};
        command_block(c, &b);
    } else {
        resp_null_array(c->reply);
    }
}

const struct command_row command_stream_read_group_rows[] = {
    {"XREADGROUP", -7, WRITE | BLOCKING, NO_KEYS, ACL_STREAM, command_stream_xreadgroup,
     "Delivers entries that are new to a group to one of its consumers, of several streams, and waits for some if told to and there are none; or tells what is "
     "pending of the consumer.",
     .syntax = "GROUP (group_consumer: group consumer) [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS (streams: key... id...)", .since = "5.0.0",
     .complexity = "O(M) for each stream, with M being the number of entries returned.",
     .more_keys = MORE_KEYS({KEY_RO | KEY_ACCESS, KEYS_AFTER, 4, false, -1, 1, 2, "STREAMS", NULL, NULL})},
    {0},
};
