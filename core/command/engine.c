#include "command/engine.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "command/call.h"
#include "command/notify.h"
#include "net/resolve.h"

#define SCRATCH_MAX       ((size_t)1 << 30)
#define SCRATCH_KEPT      ((size_t)64 << 10) /* of a larger scratch buffer nothing is kept */
#define RECLAIM_ROWS_TURN 64  /* those who leave much to delete do some of it: about 0.1 ms */
#define GATEWAY_TIME_US   5000000
#define UNHELD_US         100000 /* for so long after somebody was answered at once, others may want to be */

static void on_key_changed(void *user, unsigned database, struct bytes key, enum keyspace_change change)
{
    watch_touch(user, database, key);
    command_notify_change(user, database, key, change);
    if (change == KEYSPACE_CREATED || change == KEYSPACE_CHANGED) command_blocked_touch(user, database, key);
    if (change == KEYSPACE_DELETED || change == KEYSPACE_EXPIRED || change == KEYSPACE_EVICTED) command_blocked_touch_gone(user, database, key);
}

struct command_engine *command_engine_new(const struct command_options *options)
{
    struct command_engine *e = calloc(1, sizeof *e);
    if (!e) abort();
    e->keyspace = options->keyspace;
    e->databases = options->databases;
    e->cluster_enabled = options->cluster_enabled;
    e->host = options->host;
    command_table_init(&e->table);
    command_counts_init(&e->statistics, e->table.count);
    command_blocked_init(&e->blocked, e->databases);
    command_slowlog_init(&e->slowlog);
    e->attention_us = UINT64_MAX;
    buffer_init(&e->scratch, SCRATCH_MAX);
    random_bytes(&e->random, sizeof e->random);
    buffer_init(&e->channel, COMMAND_STRING_MAX + 64);
    pubsub_init(&e->pubsub);
    forwards_init(&e->forwards);
    watches_init(&e->watches, e->databases);
    keyspace_listen(e->keyspace, &(struct keyspace_listener){e, on_key_changed});
    e->wall_offset_us = clock_wall_us() - (int64_t)clock_monotonic_us();
    e->unheld_us = clock_monotonic_us();
    if (e->cluster_enabled) net_default_gateway(e->gateway, sizeof e->gateway);
    return e;
}

void command_engine_free(struct command_engine *e)
{
    if (!e) return;
    if (e->routing) cluster_routing_release(e->routing);
    command_counts_release(&e->statistics);
    command_table_release(&e->table);
    buffer_release(&e->scratch);
    buffer_release(&e->own_messages);
    buffer_release(&e->channel);
    forwards_release(&e->forwards);
    watches_release(&e->watches);
    command_saves_release(&e->saves);
    command_blocked_release(&e->blocked);
    command_slowlog_clear(&e->slowlog);
    command_monitors_release(&e->monitors);
    arena_release(&e->arena);
    free(e);
}

/* More than a client may have waiting would end the connection anyway. Not only replies are in `scratch`. */
static void take_limits(struct command_engine *e)
{
    const struct net_limits *limits = net_server_limits(e->server);
    size_t replies = limits->normal.hard ? limits->normal.hard : SIZE_MAX;
    e->scratch.max = replies > SCRATCH_MAX ? replies : SCRATCH_MAX;
    e->own_messages.max = limits->subscriber.hard ? limits->subscriber.hard : SIZE_MAX;
}

void command_engine_tune(struct command_engine *e, const struct command_tuning *tuning)
{
    e->tuning = *tuning;
    uint64_t slow_us = tuning->slowlog_us < 0 ? UINT64_MAX : (uint64_t)tuning->slowlog_us;
    uint64_t latency_us = tuning->latency_ms == 0 ? UINT64_MAX : tuning->latency_ms * 1000;
    e->attention_us = slow_us < latency_us ? slow_us : latency_us;
    command_slowlog_trim(&e->slowlog, tuning->slowlog_max);
    if (e->server) take_limits(e);
    keyspace_set_eviction(e->keyspace, &tuning->eviction);
}

static void on_warm(void *user, uint64_t client_id)
{
    command_warmed(user, client_id);
}

void command_engine_set_server(struct command_engine *e, struct net_server *s, struct store *store)
{
    e->server = s;
    e->store = store;
    store_on_warm(store, on_warm, e);
    e->writable = store_writable(store, &e->not_writable);
    take_limits(e);
}

void command_engine_set_routing(struct command_engine *e, struct cluster_routing *r)
{
    if (e->routing) cluster_routing_release(e->routing);
    e->routing = r;
    command_cluster_summarize(r, &e->cluster);
    command_blocked_reroute(e);
}

bool command_is_replica(const struct command_engine *e)
{
    const struct cluster_node *self = e->routing ? e->routing->self : NULL;
    return self && self->shard && !cluster_node_is_primary(e->routing->state, self);
}

/* ---- what the client server calls ---- */

static const char protected_mode_text[] =
    "-DENIED AiKv is running in protected mode because no password is set and it was not told which address to serve. "
    "In this mode connections are only accepted from the loopback interface. If you want to connect from external "
    "computers you may adopt one of the following solutions: 1) Set a password: 'requirepass' in the section [server] "
    "of the configuration file. 2) Set the address to serve: 'host' in the same section, or the option '--bind'; MAKE "
    "SURE then that the node is not publicly accessible from the internet. NOTE: You only need to do one of the above "
    "things in order for the server to start accepting connections from the outside.\r\n";

static void *on_opened(void *user, struct net_client *c)
{
    struct command_engine *e = user;
    struct command_session *s = command_session_new(c);
    s->authenticated = !command_password_needed(e);
    net_client_set_authenticated(c, s->authenticated);
    if (s->authenticated && e->host->protected_mode(e->host->user) && !net_client_is_loopback(c)) {
        buffer_append_text(net_client_reply(c), protected_mode_text);
        net_client_close_after_reply(c);
    }
    return s;
}

static size_t on_ahead(void *user, struct net_client *c, const struct resp_request *requests, size_t count)
{
    return command_ahead(user, c, requests, count);
}

/* CLIENT REPLY: drops the reply that was just written, or, if the command waits, the one that will come. */
static void mute(struct command_session *s, struct buffer *reply, size_t reply_at)
{
    s->muted = command_session_is_muted(s);
    if (!s->muted) return;
    if (s->replies_skipped > 0) s->replies_skipped--;
    reply->len = reply_at;
}

static void trim(struct buffer *b)
{
    if (b->cap > SCRATCH_KEPT) buffer_release(b);
}

/* What the client's own command has published to it. */
void command_bring_own_messages(struct command_engine *e, struct net_client *c)
{
    struct buffer *own = &e->own_messages;
    if (!own->len && !own->failed) return;
    if (own->failed) net_client_close(c); /* they are more than a subscriber may have waiting */
    if (own->len) buffer_append(net_client_reply(c), own->data, own->len);
    buffer_clear(own);
    trim(own);
}

static void on_command(void *user, struct net_client *c, const struct resp_request *request)
{
    struct command_engine *e = user;
    buffer_clear(&e->scratch);
    size_t reply_at = net_client_reply(c)->len;
    e->running = net_client_session(c);
    command_dispatch(e, c, request);
    mute(e->running, net_client_reply(c), reply_at);
    e->running = NULL;
    command_bring_own_messages(e, c);
    command_blocked_serve(e);
    arena_reset(&e->arena);
    trim(&e->scratch);
}

static void on_rejected(void *user, const char *why)
{
    (void)why;
    ((struct command_engine *)user)->statistics.rejected_requests++;
}

/* While all who ask anything wait for the log to be synced, the sync may keep the loop from everything else. */
static void choose_sync(struct command_engine *e)
{
    uint64_t commands = e->statistics.commands - e->turn_commands, held = e->held_commands - e->turn_held;
    e->turn_commands = e->statistics.commands;
    e->turn_held = e->held_commands;
    if (commands > held) e->unheld_us = e->last_end_us;
    store_sync_inline(e->store, e->last_end_us - e->unheld_us > UNHELD_US);
}

static void on_turn_end(void *user)
{
    struct command_engine *e = user;
    choose_sync(e);
    e->last_client = 0;
    if (keyspace_reclaim_waiting(e->keyspace) && !store_pressure(e->store)) keyspace_reclaim(e->keyspace, RECLAIM_ROWS_TURN);
    command_engine_flush(e);
}

void command_engine_watched(struct command_engine *e, enum latency_event event, void (*work)(struct command_engine *e))
{
    uint64_t limit_us = e->tuning.latency_ms * 1000, began_us = limit_us ? clock_monotonic_us() : 0;
    work(e);
    uint64_t took_us = limit_us ? clock_monotonic_us() - began_us : 0;
    if (limit_us && took_us >= limit_us) command_latency_add(&e->latency, event, clock_wall_us() / 1000000, took_us);
}

static void flush_store(struct command_engine *e)
{
    store_flush(e->store);
}

void command_engine_flush(struct command_engine *e)
{
    command_evict_more(e);
    pubsub_gate(e);
    forward_gate(e);
    command_engine_watched(e, LATENCY_LOG, flush_store);
    forward_released(e);
    e->writable = store_writable(e->store, &e->not_writable);
    net_server_release(e->server, store_released(e->store).sequence); /* leaves in this turn */
    command_saves_wake(e);
}

/* What a key has to give must not be lost on somebody who has gone. */
static void on_ended(void *user, struct net_client *c)
{
    (void)user;
    struct command_session *s = net_client_session(c);
    if (s->blocked) net_client_close(c);
}

static void on_closed(void *user, struct net_client *c, void *session)
{
    struct command_engine *e = user;
    command_monitors_remove(&e->monitors, c);
    command_session_free(e, session);
}

void command_engine_handler(struct command_engine *e, struct net_handler *out)
{
    *out = (struct net_handler){.user = e,
                                .opened = on_opened,
                                .ahead = on_ahead,
                                .command = on_command,
                                .rejected = on_rejected,
                                .turn_end = on_turn_end,
                                .ended = on_ended,
                                .closed = on_closed};
}

void command_engine_resume(struct command_engine *e, uint64_t id, struct bytes reply)
{
    struct net_client *client = net_server_find(e->server, id);
    struct command_session *session = client ? net_client_session(client) : NULL;
    if (!session || !session->waiting) return; /* gone meanwhile */
    session->waiting = false;
    if (reply.len && reply.data[0] == '-') {
        command_counts_error(&e->statistics, reply);
        e->statistics.each[session->last->number].failed++;
    }
    if (!session->muted) buffer_append(net_client_reply(client), reply.data, reply.len);
    net_client_resume(client);
}

void command_engine_control_reply(struct command_engine *e, uint64_t token, struct bytes reply)
{
    command_engine_resume(e, token, reply);
}

void command_engine_published(struct command_engine *e, struct bytes channel, struct bytes text)
{
    pubsub_publish(e, PUBSUB_CHANNEL, channel, text);
    pubsub_gate(e);
}

/* ---- upkeep ---- */

void command_engine_tick(struct command_engine *e)
{
    uint64_t now_us = clock_monotonic_us();
    e->wall_offset_us = clock_wall_us() - (int64_t)now_us;
    e->last_client = 0;
    struct net_statistics net;
    net_server_statistics(e->server, &net);
    command_counts_sample(&e->statistics, &net, now_us);
    command_blocked_expire(e);
    if (e->cluster_enabled && now_us - e->gateway_read_us > GATEWAY_TIME_US) {
        e->gateway_read_us = now_us;
        net_default_gateway(e->gateway, sizeof e->gateway);
    }
    command_engine_flush(e);
    command_pause_check(e);
}

void command_engine_statistics(const struct command_engine *e, struct command_statistics *out)
{
    const struct command_counts *s = &e->statistics;
    *out = (struct command_statistics){.commands = s->commands,
                                       .keyspace_hits = s->hits,
                                       .keyspace_misses = s->misses,
                                       .rejected = s->rejected_requests,
                                       .errors = s->errors,
                                       .per_second = command_rate_per_second(&s->commands_rate)};
}

const uint32_t *command_engine_slot_commands(const struct command_engine *e)
{
    return e->slot_commands;
}
