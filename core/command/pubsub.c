#include "command/pubsub.h"

#include <stdlib.h>

#include "base/random.h"
#include "command/engine.h"
#include "command/glob.h"

void pubsub_init(struct pubsub *p)
{
    random_bytes(p->seed, sizeof p->seed);
    for (int kind = 0; kind < PUBSUB_KINDS; kind++) names_init(&p->channels[kind], p->seed);
    TAILQ_INIT(&p->told);
}

/* ---- channels and subscriptions ---- */

static struct pubsub_channel *find_channel(const struct pubsub *p, enum pubsub_kind kind, struct bytes name)
{
    return (struct pubsub_channel *)names_find(&p->channels[kind], name);
}

static struct pubsub_channel *need_channel(struct pubsub *p, enum pubsub_kind kind, struct bytes name)
{
    struct pubsub_channel *channel = find_channel(p, kind, name);
    if (channel) return channel;
    channel = malloc(sizeof *channel + name.len);
    if (!channel) abort();
    *channel = (struct pubsub_channel){.entry.name = bytes_of(channel->name, name.len)};
    if (name.len) memcpy(channel->name, name.data, name.len);
    TAILQ_INIT(&channel->subscriptions);
    names_add(&p->channels[kind], &channel->entry);
    return channel;
}

/* What a subscription is taken to cost: all of its channel, though others may share that. */
static size_t memory_of(const struct pubsub_channel *channel)
{
    return sizeof(struct pubsub_subscription) + sizeof *channel + channel->entry.name.len;
}

bool pubsub_subscribe(struct command_engine *e, struct command_session *s, enum pubsub_kind kind, struct bytes name)
{
    struct names *mine = &s->subscriber.by_name[kind];
    if (names_find(mine, name)) return false;
    if (!mine->count) {
        names_init(mine, e->pubsub.seed);
        TAILQ_INIT(&s->subscriber.list[kind]);
    }
    struct pubsub_channel *channel = need_channel(&e->pubsub, kind, name);
    struct pubsub_subscription *subscription = malloc(sizeof *subscription);
    if (!subscription) abort();
    *subscription = (struct pubsub_subscription){.entry.name = channel->entry.name, .channel = channel, .session = s};
    names_add(mine, &subscription->entry);
    TAILQ_INSERT_TAIL(&s->subscriber.list[kind], subscription, in_subscriber);
    TAILQ_INSERT_TAIL(&channel->subscriptions, subscription, in_channel);
    channel->count++;
    command_session_keep(s, memory_of(channel));
    net_client_set_subscriber(s->client, true);
    return true;
}

static void end_subscription(struct command_engine *e, enum pubsub_kind kind, struct pubsub_subscription *subscription)
{
    struct command_session *s = subscription->session;
    struct pubsub_channel *channel = subscription->channel;
    command_session_let_go(s, memory_of(channel));
    names_remove(&s->subscriber.by_name[kind], &subscription->entry);
    TAILQ_REMOVE(&s->subscriber.list[kind], subscription, in_subscriber);
    TAILQ_REMOVE(&channel->subscriptions, subscription, in_channel);
    free(subscription);
    if (!--channel->count) {
        names_remove(&e->pubsub.channels[kind], &channel->entry);
        free(channel);
    }
    net_client_set_subscriber(s->client, pubsub_is_subscriber(&s->subscriber));
}

bool pubsub_unsubscribe(struct command_engine *e, struct command_session *s, enum pubsub_kind kind, struct bytes name)
{
    struct pubsub_subscription *subscription = (struct pubsub_subscription *)names_find(&s->subscriber.by_name[kind], name);
    if (!subscription) return false;
    end_subscription(e, kind, subscription);
    return true;
}

void pubsub_leave(struct command_engine *e, struct command_session *s)
{
    for (enum pubsub_kind kind = 0; kind < PUBSUB_KINDS; kind++)
        while (pubsub_count(&s->subscriber, kind)) end_subscription(e, kind, TAILQ_FIRST(&s->subscriber.list[kind]));
    if (s->subscriber.told) TAILQ_REMOVE(&e->pubsub.told, s, subscriber.in_told);
    s->subscriber.told = false;
}

size_t pubsub_subscribers(const struct pubsub *p, enum pubsub_kind kind, struct bytes name)
{
    const struct pubsub_channel *channel = find_channel(p, kind, name);
    return channel ? channel->count : 0;
}

/* ---- messages ---- */

struct message {
    struct bytes channel, text;
    const struct pubsub_channel *pattern; /* that it came by; or NULL */
    const char *word;
};

static void deliver(struct command_engine *e, struct command_session *s, const struct message *m)
{
    struct buffer *out = s == e->running ? &e->own_messages : net_client_reply(s->client);
    struct resp_writer w = {.out = out, .protocol = s->protocol};
    resp_push(&w, m->pattern ? 4 : 3);
    resp_bulk_text(&w, m->word);
    if (m->pattern) resp_bulk(&w, m->pattern->entry.name);
    resp_bulk(&w, m->channel);
    resp_bulk(&w, m->text);
    if (s->subscriber.told) return;
    s->subscriber.told = true;
    TAILQ_INSERT_TAIL(&e->pubsub.told, s, subscriber.in_told);
}

static size_t deliver_all(struct command_engine *e, const struct pubsub_channel *channel, const struct message *m)
{
    const struct pubsub_subscription *subscription;
    TAILQ_FOREACH(subscription, &channel->subscriptions, in_channel) deliver(e, subscription->session, m);
    return channel->count;
}

size_t pubsub_publish(struct command_engine *e, enum pubsub_kind kind, struct bytes channel, struct bytes message)
{
    struct message m = {.channel = channel, .text = message, .word = kind == PUBSUB_SHARD ? "smessage" : "message"};
    const struct pubsub_channel *found = find_channel(&e->pubsub, kind, channel);
    size_t receivers = found ? deliver_all(e, found, &m) : 0;
    if (kind == PUBSUB_SHARD) return receivers;
    const struct names *patterns = &e->pubsub.channels[PUBSUB_PATTERN];
    m.word = "pmessage";
    for (const struct names_entry *p = names_next(patterns, NULL); p; p = names_next(patterns, p)) {
        if (!glob_match(p->name, channel, false)) continue;
        m.pattern = (const struct pubsub_channel *)p;
        receivers += deliver_all(e, m.pattern, &m);
    }
    return receivers;
}

void pubsub_gate(struct command_engine *e)
{
    struct command_session *s;
    while ((s = TAILQ_FIRST(&e->pubsub.told))) {
        TAILQ_REMOVE(&e->pubsub.told, s, subscriber.in_told);
        s->subscriber.told = false;
        net_client_gate(s->client, keyspace_written(e->keyspace).sequence); /* may close it, which frees the session */
    }
}
