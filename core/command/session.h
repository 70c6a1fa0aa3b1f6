/* What the node remembers of a connection. */
#ifndef AIKV_COMMAND_SESSION_H
#define AIKV_COMMAND_SESSION_H

#include "base/buffer.h"
#include "base/error.h"
#include "command/pubsub.h"
#include "command/transaction.h"
#include "command/watch.h"
#include "keyspace/need.h"
#include "net/server.h"

#define COMMAND_SESSION_NAME_MAX 1024 /* bytes of a client's name; CLIENT LIST shows them all */

struct command_session {
    struct net_client *client;
    unsigned database;
    int protocol; /* 2 or 3 */
    bool authenticated, readonly;
    bool monitor; /* it is shown what others run */
    bool paused;  /* suspended until a CLIENT PAUSE ends */
    bool no_evict, no_touch;
    bool replies_off;         /* CLIENT REPLY OFF */
    unsigned replies_skipped; /* so many replies are dropped, if those are not */
    bool muted;               /* the reply of the command run last is dropped */
    bool waiting; /* suspended until command_engine_resume, or until its blocking command ends */
    struct blocked_client *blocked; /* the latter; NULL: it is not in a blocking command */
    struct { /* rows that its next requests need, being read */
        size_t requests; /* all that follows is about so many; 0: none */
        bool waiting;    /* the client is suspended meanwhile */
        bool more;       /* there may be others than those */
        uint64_t rows;   /* that were read so far */
        struct keyspace_ahead_at at;
    } ahead;
    struct pubsub_subscriber subscriber;
    struct watcher watcher;
    struct command_transaction transaction;
    size_t kept; /* bytes that are held for the client beyond its requests: what it has subscribed to, watches and has queued */
    char *name, *library, *library_version; /* owned; NULL: none */
    const struct command_entry *last; /* the command run last, or running */
};

/* Whether the reply of the command that runs will be dropped: CLIENT REPLY. */
static inline bool command_session_is_muted(const struct command_session *s)
{
    return s->replies_off || s->replies_skipped > 0;
}

struct command_session *command_session_new(struct net_client *c);
void command_session_free(struct command_engine *e, struct command_session *s);
/* As after connecting, but for authentication, which is the caller's to decide. What the engine knows of it ends. */
void command_session_reset(struct command_engine *e, struct command_session *s);
/* So many bytes more are held for the client, or less: they count as its requests do (net_limits.query_memory_max). */
void command_session_keep(struct command_session *s, size_t bytes);
void command_session_let_go(struct command_session *s, size_t bytes);

/* Sets one of the names; an empty one removes it. Errors: SYNTAX; `what` ("Client names") is what the text calls it. */
int command_session_set_name(char **name, struct bytes value, const char *what, struct error *e);
/* Appends the line of CLIENT LIST with its line break. */
void command_session_describe(const struct command_session *s, const struct net_client *c, struct buffer *out);

#endif
