/* Who has subscribed to what, and bringing them messages: of PUBLISH, and of keyspace notifications. */
#ifndef AIKV_COMMAND_PUBSUB_H
#define AIKV_COMMAND_PUBSUB_H

#include <sys/queue.h>

#include "base/names.h"

struct command_engine;
struct command_session;

enum pubsub_kind {
    PUBSUB_CHANNEL, /* SUBSCRIBE */
    PUBSUB_PATTERN, /* PSUBSCRIBE: of channels of the first kind */
    PUBSUB_SHARD,   /* SSUBSCRIBE: channels of their own, each with a slot, as keys have */
    PUBSUB_KINDS,
};

TAILQ_HEAD(pubsub_subscriptions, pubsub_subscription);

/* Something that has subscribers; gone with the last one. */
struct pubsub_channel {
    struct names_entry entry; /* first: names_find gives it */
    struct pubsub_subscriptions subscriptions; /* in the order in which they were made */
    size_t count;
    uint8_t name[];
};

struct pubsub_subscription {
    struct names_entry entry; /* of its subscriber's; first, likewise */
    struct pubsub_channel *channel;
    struct command_session *session;
    TAILQ_ENTRY(pubsub_subscription) in_channel, in_subscriber;
};

/* What a session has subscribed to. All zeros is one without subscriptions. */
struct pubsub_subscriber {
    struct names by_name[PUBSUB_KINDS];
    struct pubsub_subscriptions list[PUBSUB_KINDS]; /* in the order in which they were made; only while by_name has any */
    TAILQ_ENTRY(command_session) in_told;
    bool told; /* in pubsub.told */
};

/* Of an engine. */
struct pubsub {
    uint64_t seed[2];
    struct names channels[PUBSUB_KINDS];
    TAILQ_HEAD(, command_session) told; /* got messages since the last pubsub_gate */
};

void pubsub_init(struct pubsub *p);

/* False: it was subscribed to that already. */
bool pubsub_subscribe(struct command_engine *e, struct command_session *s, enum pubsub_kind kind, struct bytes name);
/* False: it was not. */
bool pubsub_unsubscribe(struct command_engine *e, struct command_session *s, enum pubsub_kind kind, struct bytes name);
/* From everything. */
void pubsub_leave(struct command_engine *e, struct command_session *s);

/* How much a session has subscribed to of this kind. */
static inline size_t pubsub_count(const struct pubsub_subscriber *s, enum pubsub_kind kind)
{
    return s->by_name[kind].count;
}
/* Whether it is a subscriber at all, which in RESP2 may do little else. */
static inline bool pubsub_is_subscriber(const struct pubsub_subscriber *s)
{
    return s->by_name[PUBSUB_CHANNEL].count || s->by_name[PUBSUB_PATTERN].count || s->by_name[PUBSUB_SHARD].count;
}
/* Subscribers of a channel, patterns left out. */
size_t pubsub_subscribers(const struct pubsub *p, enum pubsub_kind kind, struct bytes name);

/* Gives the message to this node's subscribers of a channel, PUBSUB_CHANNEL or PUBSUB_SHARD; those of patterns that fit the name of a
 * PUBSUB_CHANNEL come after. Returns how often. A client that runs a command gets messages of its own making after that command's reply. */
size_t pubsub_publish(struct command_engine *e, enum pubsub_kind kind, struct bytes channel, struct bytes message);
/* What was published in this turn may tell of what was written in it, and leaves no earlier than that may. Before the store is flushed. */
void pubsub_gate(struct command_engine *e);

#endif
