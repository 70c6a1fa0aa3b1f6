/* Clients that wait for keys: BLPOP and its kin; or for time to pass, and no key: WAIT.
 *
 * A command that finds nothing says command_block(), last of all; its client is suspended. When a key that is waited for has changed, the clients in its
 * queue are served once the command that changed it has ended, those first that came first: each by its command's own function, in a batch of its own,
 * and its reply waits for that. What nobody waits for costs a write one look at a number. */
#ifndef AIKV_COMMAND_BLOCKED_H
#define AIKV_COMMAND_BLOCKED_H

#include <sys/queue.h>

#include "base/names.h"
#include "keyspace/keyspace.h"

struct command_call;
struct command_engine;
struct command_session;
struct blocked_client;

/* Serves a client that waits from a key of the type it waits for. False: it goes on waiting, nothing was replied. */
typedef bool command_serve(struct command_call *c, struct bytes key);

struct command_block {
    const struct bytes *keys; /* of the request; one that comes twice counts once */
    size_t key_count;
    enum keyspace_type type;
    command_serve *serve;
    int64_t timeout_ms; /* 0: for ever */
    bool until_gone;    /* `serve` is called too when the key is gone, or of another type */
    struct bytes kept;  /* copied; `serve` finds it in command_call.kept: what the request meant when the wait began */
    bool gets_zero;     /* in place of a null array, if it is not served */
    bool alike;         /* where one finds nothing, no other finds anything whose `serve` and `kept` are the same */
};
/* The client waits, until it is served or gets a null array, or 0; within a transaction it gets that at once. */
void command_block(struct command_call *c, const struct command_block *b);
/* Argument `i`, a timeout in seconds; false: the error was replied. */
bool command_timeout(struct command_call *c, int i, int64_t *timeout_ms);
/* The same in milliseconds. */
bool command_timeout_ms(struct command_call *c, int i, int64_t *timeout_ms);

/* Of an engine. */
TAILQ_HEAD(waited_keys, waited_key);
TAILQ_HEAD(blocked_clients, blocked_client);
struct command_blocked {
    struct names *keys;           /* that are waited for, of each database */
    struct blocked_clients list;  /* the first to come first */
    struct waited_keys ready;     /* have changed, the first to change first */
    size_t count, timed;          /* clients; of these, those whose wait ends by itself */
    uint64_t next_ms;             /* monotonic: no timeout ends before */
};
void command_blocked_init(struct command_blocked *b, unsigned databases);
void command_blocked_release(struct command_blocked *b);

/* A key has changed: whoever waits for it is served by the next command_blocked_serve. */
void command_blocked_touch(struct command_engine *e, unsigned database, struct bytes key);
/* It is gone: so are those who wait until then. */
void command_blocked_touch_gone(struct command_engine *e, unsigned database, struct bytes key);
/* All keys of a database have, for all that is known. */
void command_blocked_touch_all(struct command_engine *e, unsigned database);
/* Between commands. */
void command_blocked_serve(struct command_engine *e);
/* Those whose time is over are told so. Call ten times a second. */
void command_blocked_expire(struct command_engine *e);
/* Those whose keys are served elsewhere now are told where. */
void command_blocked_reroute(struct command_engine *e);
/* CLIENT UNBLOCK: as if its time were over, or with an error. False: it is not in a blocking command. */
bool command_unblock(struct command_engine *e, struct command_session *s, bool with_error);
/* The session ends. */
void command_blocked_forget(struct command_engine *e, struct command_session *s);

#endif
