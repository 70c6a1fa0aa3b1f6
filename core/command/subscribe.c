/* SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE, and back. Each channel gets a reply of its own. */
#include "command/call.h"
#include "command/engine.h"

static const char *const subscribe_words[] = {"subscribe", "psubscribe", "ssubscribe"};
static const char *const unsubscribe_words[] = {"unsubscribe", "punsubscribe", "sunsubscribe"};

/* What replies tell: channels and patterns are counted together. */
static size_t count_of(const struct command_call *c, enum pubsub_kind kind)
{
    const struct pubsub_subscriber *s = &c->session->subscriber;
    return kind == PUBSUB_SHARD ? pubsub_count(s, kind) : pubsub_count(s, PUBSUB_CHANNEL) + pubsub_count(s, PUBSUB_PATTERN);
}

/* What it has subscribed to is told to a client that wants no replies too. */
static struct resp_writer confirmation(struct command_call *c, const char *word)
{
    struct resp_writer out = *c->reply;
    if (command_session_is_muted(c->session)) out.out = &c->engine->own_messages;
    resp_push(&out, 3);
    resp_bulk_text(&out, word);
    return out;
}

static void subscribe(struct command_call *c, enum pubsub_kind kind)
{
    for (int i = 1; i < c->argc; i++) {
        pubsub_subscribe(c->engine, c->session, kind, c->argv[i]);
        struct resp_writer out = confirmation(c, subscribe_words[kind]);
        resp_bulk(&out, c->argv[i]);
        resp_integer(&out, (int64_t)count_of(c, kind));
    }
}

static void command_subscribe_subscribe(struct command_call *c)
{
    subscribe(c, PUBSUB_CHANNEL);
}

static void command_subscribe_psubscribe(struct command_call *c)
{
    subscribe(c, PUBSUB_PATTERN);
}

static void command_subscribe_ssubscribe(struct command_call *c)
{
    subscribe(c, PUBSUB_SHARD);
}

/* `name` is copied to the reply first: it may be the subscription's own. */
static void unsubscribe_one(struct command_call *c, enum pubsub_kind kind, struct bytes name)
{
    struct resp_writer out = confirmation(c, unsubscribe_words[kind]);
    resp_bulk(&out, name);
    pubsub_unsubscribe(c->engine, c->session, kind, name);
    resp_integer(&out, (int64_t)count_of(c, kind));
}

static void unsubscribe_all(struct command_call *c, enum pubsub_kind kind)
{
    const struct pubsub_subscriber *s = &c->session->subscriber;
    if (!pubsub_count(s, kind)) {
        struct resp_writer out = confirmation(c, unsubscribe_words[kind]);
        resp_null(&out);
        resp_integer(&out, (int64_t)count_of(c, kind));
    }
    while (pubsub_count(s, kind)) unsubscribe_one(c, kind, TAILQ_FIRST(&s->list[kind])->entry.name);
}

static void unsubscribe(struct command_call *c, enum pubsub_kind kind)
{
    if (c->argc == 1) unsubscribe_all(c, kind);
    for (int i = 1; i < c->argc; i++) unsubscribe_one(c, kind, c->argv[i]);
}

static void command_subscribe_unsubscribe(struct command_call *c)
{
    unsubscribe(c, PUBSUB_CHANNEL);
}

static void command_subscribe_punsubscribe(struct command_call *c)
{
    unsubscribe(c, PUBSUB_PATTERN);
}

static void command_subscribe_sunsubscribe(struct command_call *c)
{
    unsubscribe(c, PUBSUB_SHARD);
}

#define FLAGS  (PUBSUB | NOSCRIPT | LOADING | STALE)
#define SHARDS KEYS(1, -1, 1, KEY_NOT_KEY)

const struct command_row command_subscribe_rows[] = {
    {"SUBSCRIBE", -2, FLAGS, NO_KEYS, 0, command_subscribe_subscribe,
     "Has the messages of channels sent to this connection.",
     .syntax = "channel...", .since = "2.0.0", .complexity = "O(N) where N is the number of channels to subscribe to.",
     .for_subscribers = true},
    {"UNSUBSCRIBE", -1, FLAGS, NO_KEYS, 0, command_subscribe_unsubscribe,
     "Ends that, for some channels or for all.",
     .syntax = "[channel...]", .since = "2.0.0", .complexity = "O(N) where N is the number of channels to unsubscribe from.",
     .for_subscribers = true},
    {"PSUBSCRIBE", -2, FLAGS, NO_KEYS, 0, command_subscribe_psubscribe,
     "Has the messages of all channels whose names fit a pattern sent to this connection.",
     .syntax = "(pattern: pattern)...", .since = "2.0.0", .complexity = "O(N) where N is the number of patterns to subscribe to.",
     .for_subscribers = true},
    {"PUNSUBSCRIBE", -1, FLAGS, NO_KEYS, 0, command_subscribe_punsubscribe,
     "Ends that, for some patterns or for all.",
     .syntax = "[pattern...]", .since = "2.0.0", .complexity = "O(N) where N is the number of patterns to unsubscribe from.",
     .for_subscribers = true},
    {"SSUBSCRIBE", -2, FLAGS, SHARDS, 0, command_subscribe_ssubscribe,
     "Has the messages of shard channels sent to this connection: channels that have a slot, as keys do, and live on the node that serves it.",
     .syntax = "shardchannel...", .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to subscribe to.", .for_subscribers = true},
    {"SUNSUBSCRIBE", -1, FLAGS, SHARDS, 0, command_subscribe_sunsubscribe,
     "Ends that, for some shard channels or for all.",
     .syntax = "[shardchannel...]", .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to unsubscribe from.", .for_subscribers = true},
    {0},
};
