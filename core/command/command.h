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

/* What commands need from the server around them. */
struct command_host {
    void *user;
    /* Setting number `index`; false at the end. */
    bool (*setting)(void *user, size_t index, struct command_setting *out);
    /* Sets one; the error is the text after "CONFIG SET failed …". Nothing is changed on error. */
    int (*set_setting)(void *user, const char *name, struct bytes value, struct error *e);
    /* Appends INFO's lines for what the server knows: section "server", "memory", "persistence", "cpu", "replication", "cluster" …; without the header line. */
    void (*info)(void *user, const char *section, struct buffer *out);
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
};

struct command_options {
    struct keyspace *keyspace;
    unsigned databases;
    bool cluster_enabled;
    const struct command_host *host;
};

struct command_engine *command_engine_new(const struct command_options *options);
void command_engine_free(struct command_engine *e);

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
/* Upkeep between turns, ten times a second: sweeps, samples. */
void command_engine_tick(struct command_engine *e);

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
