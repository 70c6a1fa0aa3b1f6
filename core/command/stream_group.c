/* Consumer groups: XGROUP, and what commands on groups share. */
#include "command/stream_group.h"

#include "command/blocked.h"
#include "command/engine.h"
#include "command/notify.h"

/* ---- shared ---- */

bool command_group_open(struct command_call *c, struct bytes key, struct bytes name, struct keyspace_stream *s, struct stream_group *g)
{
    struct keyspace_entry entry = command_read(c, key);
    *g = (struct stream_group){.number = 0};
    if (!command_is_type(c, &entry, KEYSPACE_STREAM)) return false;
    keyspace_stream_open(c->keyspace, key, &entry, s);
    if (!keyspace_group_find(s, name, g)) g->number = 0;
    return true;
}

bool command_group_need(struct command_call *c, struct keyspace_stream *s, struct stream_group *g)
{
    if (!command_group_open(c, c->argv[1], c->argv[2], s, g)) return false;
    if (g->number) return true;
    resp_error(c->reply, ERROR_NOGROUP, "No such key '%s' or consumer group '%s'", command_text(c, 1), command_text(c, 2));
    return false;
}

bool command_group_name_fits(struct command_call *c, struct bytes name)
{
    if (name.len <= KEYSPACE_STREAM_NAME_MAX) return true;
    resp_error(c->reply, ERROR_LIMIT, "the name of a consumer group or consumer takes at most %d bytes", KEYSPACE_STREAM_NAME_MAX);
    return false;
}

uint64_t command_group_consumer(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g, struct bytes name)
{
    struct stream_consumer consumer;
    bool there = keyspace_consumer_find(s, g, name, &consumer);
    consumer.seen_ms = c->now_ms;
    if (there) {
        keyspace_consumer_put(s, g, name, &consumer);
    } else {
        keyspace_consumer_create(s, g, name, &consumer);
        command_notify(c, NOTIFY_STREAM, "xgroup-createconsumer", s->key);
    }
    return consumer.number;
}

bool command_stream_entry(struct keyspace_stream *s, struct stream_id id, struct stream_entry *out)
{
    struct keyspace_stream_walk w;
    bool there;
    uint64_t at = keyspace_stream_rank(s, id, &there);
    if (!there) return false;
    keyspace_stream_walk(s, at, false, &w);
    return keyspace_stream_next(s, &w, out);
}

/* ---- XGROUP: what its subcommands have in common ---- */

struct group_options {
    bool makes_stream;
    int64_t read;
};

/* Of CREATE and SETID. False: the error was replied. */
static bool parse_options(struct command_call *c, bool creates, struct group_options *o)
{
    *o = (struct group_options){.read = STREAM_READ_UNKNOWN};
    for (int i = 5; i < c->argc; i++) {
        if (creates && command_is(c, i, "MKSTREAM")) {
            o->makes_stream = true;
        } else if (command_is(c, i, "ENTRIESREAD") && i + 1 < c->argc) {
            if (!command_integer(c, ++i, &o->read, NULL)) return false;
            if (o->read < 0 && o->read != STREAM_READ_UNKNOWN) return command_stream_refuse(c, "value for ENTRIESREAD must be positive or -1");
        } else {
            command_reply_subcommand_error(c);
            return false;
        }
    }
    return true;
}

/* Opens the stream of argument 2, which must be there unless it is `made`. False: the error was replied. */
static bool open_stream(struct command_call *c, bool made, struct keyspace_stream *s)
{
    if (!command_open_stream(c, c->argv[2], s)) return false;
    if (s->exists || made) return true;
    return command_stream_refuse(c, "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
                                    "option to create an empty stream automatically.");
}

/* And finds the group of argument 3, which must be there. */
static bool open_group(struct command_call *c, struct keyspace_stream *s, struct stream_group *g)
{
    if (!open_stream(c, false, s)) return false;
    if (keyspace_group_find(s, c->argv[3], g)) return true;
    resp_error(c->reply, ERROR_NOGROUP, "No such consumer group '%s' for key name '%s'", command_text(c, 3), command_text(c, 2));
    return false;
}

/* ---- XGROUP CREATE, SETID, DESTROY ---- */

static void command_group_create(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_group g;
    struct group_options o;
    if (!parse_options(c, true, &o) || !open_stream(c, o.makes_stream, &s)) return;
    if (c->argc > 8) {
        command_reply_subcommand_error(c);
        return;
    }
    struct stream_id last = s.head.last;
    if (!command_is(c, 4, "$") && !command_stream_id(c, 4, &last)) return;
    if (keyspace_group_find(&s, c->argv[3], &g)) {
        resp_error(c->reply, ERROR_BUSYGROUP, "Consumer Group name already exists");
        return;
    }
    if (!command_group_name_fits(c, c->argv[3])) return;
    g = (struct stream_group){.last = last, .read = o.read};
    keyspace_group_create(&s, c->argv[3], &g);
    keyspace_stream_close(&s);
    command_notify(c, NOTIFY_STREAM, "xgroup-create", c->argv[2]);
    command_reply_ok(c);
}

/* SETID takes the ends "-" and "+" too. False: the error was replied. */
static bool parse_last(struct command_call *c, const struct keyspace_stream *s, struct stream_id *out)
{
    if (!command_is(c, 4, "$") && !command_is(c, 4, "-") && !command_is(c, 4, "+")) return command_stream_id(c, 4, out);
    *out = command_is(c, 4, "$") ? s->head.last : command_is(c, 4, "-") ? (struct stream_id){0, 0} : STREAM_ID_MAX;
    return true;
}

static void command_group_setid(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_group g;
    struct group_options o;
    if (!parse_options(c, false, &o) || !open_group(c, &s, &g)) return;
    if (c->argc > 7) {
        command_reply_subcommand_error(c);
        return;
    }
    if (!parse_last(c, &s, &g.last)) return;
    g.read = o.read;
    keyspace_group_put(&s, c->argv[3], &g);
    keyspace_stream_close(&s);
    command_notify(c, NOTIFY_STREAM, "xgroup-setid", c->argv[2]);
    command_reply_ok(c);
}

static void command_group_destroy(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_group g;
    if (!open_stream(c, false, &s)) return;
    bool there = keyspace_group_find(&s, c->argv[3], &g);
    if (there) {
        keyspace_group_destroy(&s, c->argv[3], &g);
        keyspace_stream_close(&s);
        command_notify(c, NOTIFY_STREAM, "xgroup-destroy", c->argv[2]);
        command_blocked_touch(c->engine, c->session->database, c->argv[2]); /* who waits for the group is told */
    }
    resp_integer(c->reply, there);
}

/* ---- XGROUP CREATECONSUMER, DELCONSUMER ---- */

static void command_group_createconsumer(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_group g;
    struct stream_consumer consumer;
    if (!open_group(c, &s, &g) || !command_group_name_fits(c, c->argv[4])) return;
    bool there = keyspace_consumer_find(&s, &g, c->argv[4], &consumer);
    if (!there) command_group_consumer(c, &s, &g, c->argv[4]);
    keyspace_stream_close(&s);
    resp_integer(c->reply, !there);
}

static void command_group_delconsumer(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_group g;
    struct stream_consumer consumer;
    uint64_t pending = 0;
    if (!open_group(c, &s, &g)) return;
    if (keyspace_consumer_find(&s, &g, c->argv[4], &consumer)) {
        pending = keyspace_pending_count_of(&s, &g, consumer.number);
        keyspace_consumer_delete(&s, &g, c->argv[4], &consumer);
        keyspace_stream_close(&s);
        command_notify(c, NOTIFY_STREAM, "xgroup-delconsumer", c->argv[2]);
    }
    resp_integer(c->reply, (int64_t)pending);
}

/* ---- the rows ---- */

static const struct command_row subcommands[] = {
    {"CREATE", -5, WRITE | DENYOOM, KEYS(2, 2, 1, KEY_RW | KEY_INSERT), ACL_STREAM, command_group_create,
     "Makes a consumer group that is to read what comes after an id, or after the last one.",
     .syntax = "key groupname (id: id | new_id=$) [MKSTREAM] [ENTRIESREAD entries_read]", .since = "5.0.0", .complexity = "O(1)"},
    {"SETID", -5, WRITE, KEYS(2, 2, 1, KEY_RW | KEY_UPDATE), ACL_STREAM, command_group_setid,
     "Has a group read on after another id.",
     .syntax = "key groupname (id: id | new_id=$) [ENTRIESREAD entries_read]", .since = "5.0.0", .complexity = "O(1)"},
    {"DESTROY", 4, WRITE, KEYS(2, 2, 1, KEY_RW | KEY_DELETE), ACL_STREAM, command_group_destroy,
     "Deletes a group, with its consumers and all that is pending.",
     .syntax = "key groupname", .since = "5.0.0",
     .complexity = "O(N) where N is the number of entries in the group's pending entries list (PEL)."},
    {"CREATECONSUMER", 5, WRITE | DENYOOM, KEYS(2, 2, 1, KEY_RW | KEY_INSERT), ACL_STREAM, command_group_createconsumer,
     "Makes a consumer of a group; returns whether it was not there.",
     .syntax = "key groupname consumername", .since = "6.2.0", .complexity = "O(1)"},
    {"DELCONSUMER", 5, WRITE, KEYS(2, 2, 1, KEY_RW | KEY_DELETE), ACL_STREAM, command_group_delconsumer,
     "Deletes a consumer, and what is pending of it; returns how much that was.",
     .syntax = "key groupname consumername", .since = "5.0.0", .complexity = "O(N) with N being what is pending of it."},
    {"HELP", 2, LOADING | STALE, NO_KEYS, ACL_STREAM, command_reply_help,
     "Prints this help.",
     .since = "5.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_stream_group_rows[] = {
    {"XGROUP", -2, 0, NO_KEYS, 0, NULL,
     "Consumer groups of a stream, and their consumers.",
     .since = "5.0.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
