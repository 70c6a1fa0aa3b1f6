/* PUBLISH and SPUBLISH; PUBSUB: who listens. */
#include "command/call.h"
#include "command/engine.h"
#include "command/glob.h"

/* In a cluster all nodes' subscribers get it; those of this node are counted, as in Redis. */
static void command_publish_publish(struct command_call *c)
{
    const struct command_host *h = c->engine->host;
    if (h->publish && c->argv[1].len + c->argv[2].len > h->publish_max) {
        resp_error(c->reply, ERROR_LIMIT, "channel and message may have %zu bytes together in a cluster", h->publish_max);
        return;
    }
    resp_integer(c->reply, (int64_t)pubsub_publish(c->engine, PUBSUB_CHANNEL, c->argv[1], c->argv[2]));
    if (h->publish) forward_message(c->engine, c->argv[1], c->argv[2]);
}

/* The node that serves the channel's slot has all its subscribers. */
static void command_publish_spublish(struct command_call *c)
{
    resp_integer(c->reply, (int64_t)pubsub_publish(c->engine, PUBSUB_SHARD, c->argv[1], c->argv[2]));
}

/* ---- PUBSUB ---- */

static void reply_channels(struct command_call *c, enum pubsub_kind kind)
{
    if (c->argc > 3) {
        resp_error(c->reply, ERROR_SYNTAX, "unknown subcommand or wrong number of arguments for '%.128s'. Try PUBSUB HELP.", command_text(c, 1));
        return;
    }
    const struct names *channels = &c->engine->pubsub.channels[kind];
    struct resp_writer found = command_writer_aside(c);
    size_t n = 0;
    for (const struct names_entry *at = names_next(channels, NULL); at; at = names_next(channels, at)) {
        if (c->argc == 3 && !glob_match(c->argv[2], at->name, false)) continue;
        resp_bulk(&found, at->name);
        n++;
    }
    if (found.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "so many channels do not fit a reply: give a pattern");
        return;
    }
    resp_array(c->reply, n);
    command_reply_aside(c);
}

static void command_publish_channels(struct command_call *c)
{
    reply_channels(c, PUBSUB_CHANNEL);
}

static void command_publish_shardchannels(struct command_call *c)
{
    reply_channels(c, PUBSUB_SHARD);
}

static void reply_subscribers(struct command_call *c, enum pubsub_kind kind)
{
    resp_array(c->reply, 2 * (size_t)(c->argc - 2));
    for (int i = 2; i < c->argc; i++) {
        resp_bulk(c->reply, c->argv[i]);
        resp_integer(c->reply, (int64_t)pubsub_subscribers(&c->engine->pubsub, kind, c->argv[i]));
    }
}

static void command_publish_numsub(struct command_call *c)
{
    reply_subscribers(c, PUBSUB_CHANNEL);
}

static void command_publish_shardnumsub(struct command_call *c)
{
    reply_subscribers(c, PUBSUB_SHARD);
}

static void command_publish_numpat(struct command_call *c)
{
    resp_integer(c->reply, (int64_t)c->engine->pubsub.channels[PUBSUB_PATTERN].count);
}

#define ASKS (PUBSUB | LOADING | STALE)

static const struct command_row subcommands[] = {
    {"CHANNELS", -2, ASKS, NO_KEYS, 0, command_publish_channels,
     "The channels that have subscribers, patterns not counted.",
     .syntax = "[pattern]", .since = "2.8.0",
     .complexity = "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and "
                   "patterns)"},
    {"NUMPAT", 2, ASKS, NO_KEYS, 0, command_publish_numpat,
     "The number of patterns that have subscribers.",
     .since = "2.8.0", .complexity = "O(1)"},
    {"NUMSUB", -2, ASKS, NO_KEYS, 0, command_publish_numsub,
     "The number of subscribers of channels, patterns not counted.",
     .syntax = "[channel...]", .since = "2.8.0",
     .complexity = "O(N) for the NUMSUB subcommand, where N is the number of requested channels"},
    {"SHARDCHANNELS", -2, ASKS, NO_KEYS, 0, command_publish_shardchannels,
     "The shard channels that have subscribers.",
     .syntax = "[pattern]", .since = "7.0.0",
     .complexity = "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard "
                   "channels)."},
    {"SHARDNUMSUB", -2, ASKS, NO_KEYS, 0, command_publish_shardnumsub,
     "The number of subscribers of shard channels.",
     .syntax = "[shardchannel...]", .since = "7.0.0",
     .complexity = "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "6.2.0", .complexity = "O(1)"},
    {0},
};

#define FLAGS (PUBSUB | LOADING | STALE | FAST)

const struct command_row command_publish_rows[] = {
    {"PUBLISH", 3, FLAGS, NO_KEYS, 0, command_publish_publish,
     "Sends a message to the subscribers of a channel; returns how many of them are on this node.",
     .syntax = "channel message", .since = "2.0.0",
     .complexity = "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns "
                   "(by any client).",
     .waits_as_write = true},
    {"SPUBLISH", 3, FLAGS, KEYS(1, 1, 1, KEY_NOT_KEY), 0, command_publish_spublish,
     "Sends a message to the subscribers of a shard channel; returns how many there are.",
     .syntax = "shardchannel message", .since = "7.0.0",
     .complexity = "O(N) where N is the number of clients subscribed to the receiving shard channel.",
     .waits_as_write = true},
    {"PUBSUB", -2, 0, NO_KEYS, 0, NULL,
     "Channels and their subscribers.",
     .since = "2.8.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
