/* What is pending of a consumer group: XACK, XPENDING. */
#include "command/stream_group.h"

/* ---- XACK ---- */

static void command_stream_xack(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_group g;
    struct stream_pending p;
    size_t count = (size_t)c->argc - 3;
    struct stream_id *ids = arena_alloc(c->arena, count * sizeof *ids);
    int64_t acknowledged = 0;
    if (!command_group_open(c, c->argv[1], c->argv[2], &s, &g)) return;
    if (!g.number) count = 0;
    for (size_t i = 0; i < count; i++)
        if (!command_stream_id(c, (int)i + 3, &ids[i])) return;
    for (size_t i = 0; i < count; i++) {
        if (!keyspace_pending_find(&s, &g, ids[i], &p)) continue;
        keyspace_pending_remove(&s, &g, &p);
        acknowledged++;
    }
    if (acknowledged) keyspace_stream_close(&s);
    resp_integer(c->reply, acknowledged);
}

/* ---- XPENDING: how much ---- */

static void reply_consumers(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g)
{
    struct resp_writer w;
    struct command_call aside = command_call_aside(c, &w);
    struct keyspace_group_walk walk;
    struct stream_consumer consumer;
    struct bytes name;
    size_t count = 0;
    keyspace_consumer_walk(s, g, &walk);
    while (keyspace_consumer_next(s, &walk, &name, &consumer)) {
        uint64_t pending = keyspace_pending_count_of(s, g, consumer.number);
        if (!pending) continue;
        resp_array(aside.reply, 2);
        resp_bulk(aside.reply, name);
        resp_bulk_printf(aside.reply, "%llu", (unsigned long long)pending);
        count++;
    }
    resp_array(c->reply, count);
    command_reply_aside(c);
}

static void reply_summary(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g)
{
    struct keyspace_group_walk walk;
    struct stream_pending p;
    uint64_t count = keyspace_pending_count(s, g);
    resp_array(c->reply, 4);
    resp_integer(c->reply, (int64_t)count);
    if (!count) {
        resp_null(c->reply);
        resp_null(c->reply);
        resp_null_array(c->reply);
        return;
    }
    keyspace_pending_walk(s, g, NULL, (struct stream_id){0, 0}, &walk);
    keyspace_pending_next(s, &walk, &p);
    command_stream_reply_id(c, p.id);
    walk.tree = (struct counted_tree_walk){.position = walk.end - 1};
    keyspace_pending_next(s, &walk, &p);
    command_stream_reply_id(c, p.id);
    reply_consumers(c, s, g);
}

/* ---- XPENDING: what ---- */

struct pending_filter {
    struct stream_id from, to;
    int64_t count, idle_ms;
    int consumer_at; /* the argument; 0: all */
};

static bool parse_filter(struct command_call *c, struct pending_filter *f)
{
    int at = 3;
    *f = (struct pending_filter){0};
    if (command_is(c, at, "IDLE")) {
        if (!command_integer(c, at + 1, &f->idle_ms, NULL)) return false;
        at += 2;
        if (c->argc < at + 3) {
            command_reply_syntax_error(c);
            return false;
        }
    }
    if (!command_integer(c, at + 2, &f->count, NULL)) return false;
    if (!command_stream_end(c, at, false, &f->from) || !command_stream_end(c, at + 1, true, &f->to)) return false;
    if (at + 3 < c->argc) f->consumer_at = at + 3;
    return true;
}

static void reply_pending(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *p)
{
    int64_t idle_ms = c->now_ms - p->delivered_ms;
    resp_array(c->reply, 4);
    command_stream_reply_id(c, p->id);
    resp_bulk(c->reply, keyspace_consumer_name(s, g, p->consumer));
    resp_integer(c->reply, idle_ms > 0 ? idle_ms : 0);
    resp_integer(c->reply, (int64_t)p->deliveries);
}

static void reply_filtered(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g, const struct pending_filter *f)
{
    struct resp_writer w;
    struct command_call aside = command_call_aside(c, &w);
    struct keyspace_group_walk walk;
    struct stream_consumer consumer;
    struct stream_pending p;
    int64_t count = 0;
    if (f->consumer_at && !keyspace_consumer_find(s, g, c->argv[f->consumer_at], &consumer)) {
        resp_array(c->reply, 0);
        return;
    }
    keyspace_pending_walk(s, g, f->consumer_at ? &consumer.number : NULL, f->from, &walk);
    while (count < f->count && !w.out->failed && keyspace_pending_next(s, &walk, &p) && stream_id_compare(p.id, f->to) <= 0) {
        if (f->idle_ms && c->now_ms - p.delivered_ms < f->idle_ms) continue;
        reply_pending(&aside, s, g, &p);
        count++;
    }
    resp_array(c->reply, (size_t)count);
    command_reply_aside(c);
}

static void command_stream_xpending(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_group g;
    struct pending_filter f;
    bool summary = c->argc == 3;
    if (!summary && (c->argc < 6 || c->argc > 9)) {
        command_reply_syntax_error(c);
        return;
    }
    if ((!summary && !parse_filter(c, &f)) || !command_group_need(c, &s, &g)) return;
    if (summary)
        reply_summary(c, &s, &g);
    else
        reply_filtered(c, &s, &g, &f);
}

const struct command_row command_stream_pending_rows[] = {
    {"XACK", -4, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_STREAM, command_stream_xack,
     "Acknowledges entries that were delivered to a group: they are not pending any more. Returns how many were.",
     .syntax = "key group id...", .since = "5.0.0", .complexity = "O(log(N)) for each id, with N being what is pending."},
    {"XPENDING", -3, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_xpending,
     "What was delivered to a group and not acknowledged: how much, or, with a range, each with its consumer, how long ago it was delivered, and how often.",
     .syntax = "key group [filters: [IDLE min-idle-time:integer] start:string end:string count [consumer]]", .since = "5.0.0",
     .complexity = "O(log(N)+M) with M being the number returned, or with IDLE the number looked at; without a range, O(M) with M being the number of consumers.",
     .tips = "nondeterministic_output"},
    {0},
};
