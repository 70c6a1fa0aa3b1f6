/* Commands: one table, one function each. (design: compatibility.md)
 *
 * A command is a row in the table of its group's file and a function; nothing in it knows of sockets, logs or slots. The dispatcher checks
 * arity, authentication, memory, slot ownership, then runs it between keyspace_begin and keyspace_end and gates the reply. */
#ifndef AIKV_COMMAND_COMMAND_H
#define AIKV_COMMAND_COMMAND_H

#include "base/arena.h"
#include "cluster/routing.h"
#include "keyspace/keyspace.h"
#include "net/server.h"
#include "resp/write.h"

/* The version of Redis whose commands, replies and texts these are: what HELLO and INFO tell clients that ask for one. */
#define COMMAND_REDIS_VERSION "7.0.15"

struct command_engine;

/* A setting that CONFIG GET and SET know. The server owns them; command only asks. */
struct command_setting {
    const char *name;  /* "appendfsync" */
    bool mutable_;     /* at run time */
    char value[1024];  /* now, as CONFIG GET shows it */
};

struct command_change {
    const char *name; /* of a setting that may be set */
    struct bytes value;
};

/* The process's memory, in bytes. */
struct command_memory {
    uint64_t used, peak, at_start;       /* asked of the allocator and not given back: now, the most ever, and when clients were served first */
    uint64_t active, allocator_resident; /* pages that hold some of it, and pages the allocator keeps; 0: it does not tell */
    uint64_t resident, mapped;           /* of the process; of these, pages of files */
    uint64_t rows;                       /* with all that finds them */
    uint64_t clients, client_count;      /* requests and replies under way */
    uint64_t log;                        /* batches that are not in the log yet */
};

/* What commands need from the server around them. */
struct command_host {
    void *user;
    /* Setting number `index`; false at the end. */
    bool (*setting)(void *user, size_t index, struct command_setting *out);
    /* Sets several, all or none; the error is the text after "CONFIG SET failed …", `*failed` says which it is about. */
    int (*set_settings)(void *user, const struct command_change *changes, size_t count, size_t *failed, struct error *e);
    /* Writes what was set into the configuration file. */
    int (*rewrite_settings)(void *user, struct error *e);
    /* Appends INFO's lines for what the server knows: section "server", "memory", "persistence", "cpu", "replication", "cluster" …; without the header line. */
    void (*info)(void *user, const char *section, struct buffer *out);
    void (*memory)(void *user, struct command_memory *out);
    /* Has the allocator give back what it keeps, and tell of itself (appends text for people); false: it cannot. */
    bool (*purge_memory)(void);
    bool (*describe_allocator)(struct buffer *out);
    /* The password, "" for none; and whether protected mode is on. */
    const char *(*password)(void *user);
    bool (*protected_mode)(void *user);
    /* Passes an administrative command on to control (control_call); false: too many are waiting. NULL: no cluster. */
    bool (*control)(void *user, uint64_t token, int argc, const struct bytes *argv, int protocol);
    /* Has other nodes told of a message of pub/sub, of up to publish_max bytes with its channel; false: not now, too many are waiting. NULL: no
     * cluster. */
    bool (*publish)(void *user, struct bytes channel, struct bytes text);
    size_t publish_max;
    /* Ends the process in good order. */
    void (*shutdown)(void *user);
    /* Calls command_engine_flush in the loop's next turn, even if nobody asks for anything. */
    void (*wake)(void *user);
};

#define COMMAND_PERCENTILES_MAX 16

enum command_debug { COMMAND_DEBUG_NO, COMMAND_DEBUG_LOCAL, COMMAND_DEBUG_YES };

/* Settings that commands look at as they run. */
struct command_tuning {
    int64_t slowlog_us; /* what takes so long goes into the slow log; negative: nothing does */
    size_t slowlog_max; /* entries in it */
    uint64_t latency_ms; /* what takes so long is noted for LATENCY; 0: nothing is */
    bool latency_tracking; /* whether there are histograms of how long commands take; these percentiles of them are in INFO */
    double percentiles[COMMAND_PERCENTILES_MAX];
    size_t percentile_count;
    enum command_debug debug; /* whether DEBUG may be used: by nobody, from the loopback interface, by all */
    uint64_t stream_entries; /* that "~" takes out of a stream at a time; 0: any number */
    uint64_t data_max; /* keyspace_data_bytes() above which keys are evicted; 0: none ever is */
    struct keyspace_eviction eviction;
    uint64_t eviction_us; /* so long at a time, or little more */
};

struct command_options {
    struct keyspace *keyspace;
    unsigned databases;
    bool cluster_enabled;
    const struct command_host *host;
};

struct command_engine *command_engine_new(const struct command_options *options);
void command_engine_free(struct command_engine *e);

/* At the start, and whenever one of these settings, or the server's limits, have changed. */
void command_engine_tune(struct command_engine *e, const struct command_tuning *tuning);

/* Fills in what the client server calls (opened, command, rejected, closed, turn_end), with `user` = the engine. turn_end flushes the store. */
void command_engine_handler(struct command_engine *e, struct net_handler *out);
void command_engine_set_server(struct command_engine *e, struct net_server *s, struct store *store);
/* Flushes the store and opens the gates of what it has released: at the end of each turn by itself; call it when the store woke the loop. */
void command_engine_flush(struct command_engine *e);
/* A new routing table (takes the reference). Before the first one a cluster node answers -CLUSTERDOWN to commands with keys. */
void command_engine_set_routing(struct command_engine *e, struct cluster_routing *r);
/* The reply to a control call: `token` is as given to host->control. */
void command_engine_control_reply(struct command_engine *e, uint64_t token, struct bytes reply);
/* A message that was published on another node. */
void command_engine_published(struct command_engine *e, struct bytes channel, struct bytes text);
/* Which keyspace notifications are made: letters as in Redis's notify-keyspace-events, that command_notify_canonical takes. */
void command_engine_set_notify(struct command_engine *e, const char *classes);
/* The letters in the order and form in which they are shown. False: one has no meaning. Pure. */
#define COMMAND_NOTIFY_TEXT_MAX 24
#define COMMAND_NOTIFY_LETTERS  "Ag$lshzxeKEtmdn"
bool command_notify_canonical(const char *text, char out[COMMAND_NOTIFY_TEXT_MAX]);
/* Upkeep between turns, ten times a second: samples. */
void command_engine_tick(struct command_engine *e);
/* Deletes some of what has expired, and of the rows of large values whose keys are gone, for about a millisecond at most. Returns in how many
 * milliseconds it is to be called again. */
uint64_t command_engine_sweep(struct command_engine *e);

struct command_statistics {
    uint64_t commands, keyspace_hits, keyspace_misses, rejected, errors;
    uint64_t per_second; /* sampled */
};
void command_engine_statistics(const struct command_engine *e, struct command_statistics *out);

/* In cluster mode: how many commands with keys in a slot were let in, of each of the CLUSTER_SLOTS. They wrap around. */
const uint32_t *command_engine_slot_commands(const struct command_engine *e);

/* The reference page of all commands, as Markdown: docs/reference/commands.md is this (`aikv --reference commands`). */
void command_reference(struct buffer *out);

#endif
