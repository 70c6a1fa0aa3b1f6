/* XINFO: what is known of a stream, its groups, and their consumers. */
#include "command/stream_group.h"

#define COUNT_DEFAULT 10 /* of entries, and of what is pending, that FULL shows */

/* ---- names and values ---- */

static void reply_integer(struct command_call *c, const char *name, uint64_t value)
{
    resp_bulk_text(c->reply, name);
    resp_integer(c->reply, (int64_t)value);
}

static void reply_id(struct command_call *c, const char *name, struct stream_id id)
{
    resp_bulk_text(c->reply, name);
    command_stream_reply_id(c, id);
}

static void reply_name(struct command_call *c, struct bytes name)
{
    resp_bulk_text(c->reply, "name");
    resp_bulk(c->reply, name);
}

static void reply_progress(struct command_call *c, const struct stream_course *course, const struct stream_group *g)
{
    int64_t lag;
    resp_bulk_text(c->reply, "entries-read");
    if (g->read == STREAM_READ_UNKNOWN)
        resp_null(c->reply);
    else
        resp_integer(c->reply, g->read);
    resp_bulk_text(c->reply, "lag");
    if (stream_course_lag(course, g, &lag))
        resp_integer(c->reply, lag);
    else
        resp_null(c->reply);
}

/* ---- GROUPS, CONSUMERS ---- */

/* Opens the stream of argument 2, which must be there. False: the error was replied. */
static bool open_stream(struct command_call *c, struct keyspace_stream *s)
{
    if (!command_open_stream(c, c->argv[2], s)) return false;
    if (!s->exists) resp_error(c->reply, ERROR_GENERIC, "no such key");
    return s->exists;
}

static void command_stream_info_groups(struct command_call *c)
{
    struct keyspace_stream s;
    struct keyspace_group_walk walk;
    struct stream_group g;
    struct bytes name;
    if (!open_stream(c, &s)) return;
    struct stream_course course = command_stream_course(&s);
    resp_array(c->reply, keyspace_group_count(&s));
    keyspace_group_walk(&s, &walk);
    while (!c->reply->out->failed && keyspace_group_next(&s, &walk, &name, &g)) {
        resp_map(c->reply, 6);
        reply_name(c, name);
        reply_integer(c, "consumers", keyspace_consumer_count(&s, &g));
        reply_integer(c, "pending", keyspace_pending_count(&s, &g));
        reply_id(c, "last-delivered-id", g.last);
        reply_progress(c, &course, &g);
    }
}

static void command_stream_info_consumers(struct command_call *c)
{
    struct keyspace_stream s;
    struct keyspace_group_walk walk;
    struct stream_group g;
    struct stream_consumer consumer;
    struct bytes name;
    if (!open_stream(c, &s)) return;
    if (!keyspace_group_find(&s, c->argv[3], &g)) {
        resp_error(c->reply, ERROR_NOGROUP, "No such consumer group '%s' for key name '%s'", command_text(c, 3), command_text(c, 2));
        return;
    }
    resp_array(c->reply, keyspace_consumer_count(&s, &g));
    keyspace_consumer_walk(&s, &g, &walk);
    while (!c->reply->out->failed && keyspace_consumer_next(&s, &walk, &name, &consumer)) {
        int64_t idle_ms = c->now_ms - consumer.seen_ms;
        resp_map(c->reply, 3);
        reply_name(c, name);
        reply_integer(c, "pending", keyspace_pending_count_of(&s, &g, consumer.number));
        reply_integer(c, "idle", idle_ms > 0 ? (uint64_t)idle_ms : 0);
    }
}

/* ---- STREAM ---- */

/* What is pending of a consumer, or of all, whose names are told then. */
static void reply_pending(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g, const uint64_t *consumer, uint64_t most)
{
    struct keyspace_group_walk walk;
    struct stream_pending p;
    uint64_t count = consumer ? keyspace_pending_count_of(s, g, *consumer) : keyspace_pending_count(s, g);
    reply_integer(c, "pel-count", count);
    if (most && count > most) count = most;
    resp_bulk_text(c->reply, "pending");
    resp_array(c->reply, count);
    keyspace_pending_walk(s, g, consumer, (struct stream_id){0, 0}, &walk);
    while (count-- && !c->reply->out->failed && keyspace_pending_next(s, &walk, &p)) {
        resp_array(c->reply, consumer ? 3 : 4);
        command_stream_reply_id(c, p.id);
        if (!consumer) resp_bulk(c->reply, keyspace_consumer_name(s, g, p.consumer));
        resp_integer(c->reply, p.delivered_ms);
        resp_integer(c->reply, (int64_t)p.deliveries);
    }
}

static void reply_group(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g, uint64_t most)
{
    struct keyspace_group_walk walk;
    struct stream_consumer consumer;
    struct bytes name;
    reply_pending(c, s, g, NULL, most);
    resp_bulk_text(c->reply, "consumers");
    resp_array(c->reply, keyspace_consumer_count(s, g));
    keyspace_consumer_walk(s, g, &walk);
    while (!c->reply->out->failed && keyspace_consumer_next(s, &walk, &name, &consumer)) {
        resp_map(c->reply, 4);
        reply_name(c, name);
        reply_integer(c, "seen-time", (uint64_t)consumer.seen_ms);
        reply_pending(c, s, g, &consumer.number, most);
    }
}

static void reply_full(struct command_call *c, struct keyspace_stream *s, const struct stream_course *course, uint64_t most)
{
    struct keyspace_group_walk walk;
    struct stream_group g;
    struct bytes name;
    resp_bulk_text(c->reply, "entries");
    command_stream_reply(c, s, 0, false, most && s->count > most ? most : s->count);
    resp_bulk_text(c->reply, "groups");
    resp_array(c->reply, keyspace_group_count(s));
    keyspace_group_walk(s, &walk);
    while (!c->reply->out->failed && keyspace_group_next(s, &walk, &name, &g)) {
        resp_map(c->reply, 7);
        reply_name(c, name);
        reply_id(c, "last-delivered-id", g.last);
        reply_progress(c, course, &g);
        reply_group(c, s, &g, most);
    }
}

static void reply_edge(struct command_call *c, const char *name, struct keyspace_stream *s, uint64_t position)
{
    struct keyspace_stream_walk w;
    struct stream_entry entry;
    resp_bulk_text(c->reply, name);
    keyspace_stream_walk(s, position, false, &w);
    if (s->count && keyspace_stream_next(s, &w, &entry))
        command_stream_reply_entry(c, &entry);
    else
        resp_null(c->reply);
}

/* [FULL [COUNT count]]; 0: all. False: the error was replied. */
static bool parse_full(struct command_call *c, int64_t *most)
{
    *most = COUNT_DEFAULT;
    if (c->argc == 3) return true;
    bool counts = c->argc == 6;
    if ((!counts && c->argc != 4) || !command_is(c, 3, "FULL") || (counts && !command_is(c, 4, "COUNT"))) {
        command_reply_subcommand_error(c);
        return false;
    }
    if (counts && !command_integer(c, 5, most, NULL)) return false;
    if (*most < 0) *most = COUNT_DEFAULT;
    return true;
}

static void command_stream_info_stream(struct command_call *c)
{
    struct keyspace_stream s;
    int64_t most;
    bool full = c->argc > 3;
    if (!open_stream(c, &s) || !parse_full(c, &most)) return;
    struct stream_course course = command_stream_course(&s);
    uint64_t rows = s.tree.root.count ? s.tree.root.object.nodes : 0;
    resp_map(c->reply, full ? 9 : 10);
    reply_integer(c, "length", s.count);
    reply_integer(c, "radix-tree-keys", rows);
    reply_integer(c, "radix-tree-nodes", rows + 1); /* and the key's */
    reply_id(c, "last-generated-id", s.head.last);
    reply_id(c, "max-deleted-entry-id", s.head.max_deleted);
    reply_integer(c, "entries-added", s.head.added);
    reply_id(c, "recorded-first-entry-id", course.first);
    if (full) {
        reply_full(c, &s, &course, (uint64_t)most);
        return;
    }
    reply_integer(c, "groups", keyspace_group_count(&s));
    reply_edge(c, "first-entry", &s, 0);
    reply_edge(c, "last-entry", &s, s.count ? s.count - 1 : 0);
}

/* ---- the rows ---- */

static const struct command_row subcommands[] = {
    {"STREAM", -3, READ, KEYS(2, 2, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_info_stream,
     "What is known of a stream; with FULL its first entries too, and its groups with all that is known of them.",
     .syntax = "key [FULL (full: [COUNT count])]", .since = "5.0.0", .complexity = "O(1); with FULL O(N) with N being what is shown."},
    {"GROUPS", 3, READ, KEYS(2, 2, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_info_groups,
     "The consumer groups of a stream.",
     .syntax = "key", .since = "5.0.0", .complexity = "O(N) with N being the number of groups."},
    {"CONSUMERS", 4, READ, KEYS(2, 2, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_info_consumers,
     "The consumers of a group.",
     .syntax = "key groupname", .since = "5.0.0", .complexity = "O(N) with N being the number of consumers.", .tips = "nondeterministic_output"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, ACL_STREAM, command_reply_help,
     "Prints this help.",
     .since = "5.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_stream_info_rows[] = {
    {"XINFO", -2, 0, NO_KEYS, 0, NULL,
     "What is known of streams and their consumer groups.",
     .since = "5.0.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
