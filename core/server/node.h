/* The node: everything wired together, on the data thread's loop. */
#ifndef AIKV_SERVER_NODE_H
#define AIKV_SERVER_NODE_H

#include <stdatomic.h>
#include <uv.h>

#include "base/exit_code.h"
#include "command/command.h"
#include "control/control.h"
#include "server/config.h"
#include "server/identity.h"

struct node {
    struct config *config;
    const char *config_file, *ready_file;
    struct identity identity;
    char run_id[CLUSTER_ID_LEN + 1]; /* of this start, for INFO */
    uint64_t started_ms;
    uint64_t memory_peak, memory_at_start; /* of the allocator; 0: not looked at yet */
    uint64_t memory_limit;                 /* as node_memory_limit() said at the start */
    unsigned report_part;               /* of the load, which is next */
    uint16_t port, bus_port;

    uv_loop_t loop;
    uv_async_t durable;      /* the store's durable position rose */
    uv_timer_t tick;         /* upkeep, ten times a second */
    uv_timer_t sweep;        /* of what has expired: when the engine says */
    uv_check_t turn;         /* after each turn: is the store behind? */
    uv_signal_t sigterm, sigint;

    struct mailbox *mailbox; /* from control */
    struct store *store;
    struct keyspace *keyspace;
    struct command_host host;
    struct command_engine *engine;
    struct net_server *server;
    struct control *control; /* NULL without cluster mode */
    struct cluster_routing *routing;
    bool reading_paused, writes_refused;
    uint64_t stopping_since_ms; /* 0: not stopping */
    int exit_code;
};

/* Opens everything and serves until told to stop. Returns the process's exit code; what went wrong was logged. */
int node_run(struct node *n, struct config *config, const char *config_file, const char *ready_file);
/* Begins a clean end: what was accepted is answered, then the loop ends. */
void node_stop(struct node *n, int exit_code);

/* What commands need from the node (settings.c, info.c and the sections of it that have files of their own). */
void node_settings_host(struct node *n, struct command_host *host);
void node_info(void *user, const char *section, struct buffer *out);
void node_info_memory(struct node *n, struct buffer *out);
void node_memory(void *user, struct command_memory *out);
void node_info_persistence(struct node *n, struct buffer *out);
/* Keeps the highest amount of memory used, for INFO. Ten times a second. */
void node_sample_memory(struct node *n);
/* Tells control of the load, bit by bit. Ten times a second. */
void node_report_load(struct node *n);
/* Gives the engine the settings that it looks at as commands run. */
void node_tune(struct node *n);
void node_net_limits(const struct config *c, struct net_limits *out);
enum store_durability node_durability(const struct config *c);
size_t node_memory_max(const struct config *c);
/* What the system, or the process's control group, has of memory, in bytes. */
uint64_t node_memory_limit(void);

#endif
