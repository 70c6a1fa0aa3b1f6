/* The engine behind the commands: what they share, on the data thread. */
#ifndef AIKV_COMMAND_ENGINE_H
#define AIKV_COMMAND_ENGINE_H

#include "command/blocked.h"
#include "command/command.h"
#include "command/evict.h"
#include "command/forward.h"
#include "command/latency.h"
#include "command/monitor.h"
#include "command/pause.h"
#include "command/pubsub.h"
#include "command/save.h"
#include "command/session.h"
#include "command/slowlog.h"
#include "command/statistics.h"
#include "command/table.h"

/* What follows from a routing table for all commands; made once for each table. */
struct command_cluster_summary {
    bool ok; /* Redis's cluster_state: every slot has a primary that is up */
    unsigned slots_assigned, slots_ok, slots_fail;
    unsigned size; /* shards that serve slots */
    uint64_t epoch_max, epoch_mine;
};

struct command_engine {
    struct keyspace *keyspace;
    unsigned databases;
    bool cluster_enabled;
    const struct command_host *host;
    struct net_server *server;
    struct store *store;

    struct command_table table;
    struct command_counts statistics;
    struct cluster_routing *routing; /* NULL: none yet */
    struct command_cluster_summary cluster;
    char gateway[64]; /* the default gateway's address, or "" */
    uint64_t gateway_read_us;

    struct command_saves saves; /* clients that wait for a checkpoint */
    struct command_blocked blocked; /* clients that wait for keys */
    struct pubsub pubsub;
    struct forwards forwards;
    struct watches watches;
    unsigned notify; /* NOTIFY_… classes that are told of */
    struct command_session *running; /* whose request is being run; NULL: none is */
    struct buffer own_messages; /* of pub/sub, that it gets after its reply */
    struct buffer channel; /* the name of one */
    struct command_tuning tuning;
    struct command_slowlog slowlog;
    struct command_latency latency;
    struct command_monitors monitors;
    struct command_pause pause;
    uint64_t behind_since_us; /* there has been something to sweep since; 0: there is none */
    bool expire_paused; /* DEBUG SET-ACTIVE-EXPIRE 0 */
    struct command_evictions evictions;
    uint64_t attention_us; /* a command that takes so long is looked at more closely */
    struct arena arena;    /* of the command being run */
    struct buffer scratch; /* of it likewise: replies whose length is told before they are */
    uint64_t random;       /* state of random_next, for commands that pick */
    int64_t wall_offset_us; /* wall time less monotonic time */
    uint64_t last_client, last_end_us; /* of the command before, in this turn; 0: none */
    uint32_t slot_commands[CLUSTER_SLOTS]; /* with keys there, since the start, in cluster mode; they wrap around */
    uint64_t held_commands;            /* whose replies wait for the store, since the start */
    uint64_t turn_commands, turn_held; /* how many had run, and were held, when the last turn ended */
    uint64_t unheld_us;                /* when one was answered last that did not have to wait */
    bool writable; /* as of the end of the last turn; why not: */
    struct error not_writable;
};

/* One request of a client: finds the command, checks that it may run, runs it, gates its reply. */
void command_dispatch(struct command_engine *e, struct net_client *client, const struct resp_request *request);
/* Runs a command that may run, which has begun at start_us, and counts it. */
void command_execute(struct command_engine *e, struct command_call *c, uint64_t start_us);
/* Notes a command that took as long as some setting says: in the slow log, and for LATENCY. */
void command_note_slow(struct command_engine *e, const struct command_call *c, uint64_t took_us);
/* The reply waits for what the command wrote, and for what it read that is not released yet: for what keyspace_end returned. */
void command_gate(struct command_engine *e, struct net_client *client, struct store_position position);
/* Calls it, and notes how long it took if that is watched. */
void command_engine_watched(struct command_engine *e, enum latency_event event, void (*work)(struct command_engine *e));
/* The messages of pub/sub that the command has sent to its own client, engine->running, come behind its reply. */
void command_bring_own_messages(struct command_engine *e, struct net_client *client);

/* Prepares the rows of requests that come next (net_handler.ahead): those on disk are read by the store's threads, while the client waits. */
size_t command_ahead(struct command_engine *e, struct net_client *client, const struct resp_request *requests, size_t count);
/* The rows that this client waits for can be read now. */
void command_warmed(struct command_engine *e, uint64_t client_id);
/* The reply of a client that was suspended with session->waiting; it may have gone meanwhile. */
void command_engine_resume(struct command_engine *e, uint64_t client, struct bytes reply);

/* Whether the keys of a request are to be served here; if not, the error was replied: CROSSSLOT, MOVED, CLUSTERDOWN. */
bool command_slot_check(struct command_engine *e, const struct net_client *client, const struct command_request *request,
                        struct resp_writer *reply);
/* The same for all keys of several requests together. */
bool command_slot_check_all(struct command_engine *e, const struct net_client *client, const struct command_request *requests, size_t count,
                            struct resp_writer *reply);
void command_cluster_summarize(const struct cluster_routing *r, struct command_cluster_summary *out);

/* Where this client reaches a node: the first endpoint whose match fits the client's address. */
const struct cluster_endpoint *command_endpoint(const struct command_engine *e, const struct net_client *client,
                                                const struct cluster_node_info *node);
/* Whether this node is a replica, as far as it knows. */
bool command_is_replica(const struct command_engine *e);

/* Whether user and password are right (without a password set: any password of "default"). */
bool command_password_fits(const struct command_engine *e, struct bytes user, struct bytes password);
bool command_password_needed(const struct command_engine *e);

#endif
