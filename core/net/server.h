/* Redis clients: listening, reading requests, writing replies in order, limits. On one uv loop, whose thread calls all of this.
 *
 * In a turn of the loop all ready sockets are read and their commands handed to the handler; at the end of the turn the
 * handler is told (to flush the store), then every client with something to say gets one write. A reply may be gated: it, and all
 * that follow on that connection, leave only when its position has been released. One client gets at most 1,000 requests or 1 MiB
 * of them into a turn; the rest of its pipeline waits for the next.
 *
 * A client that does not read is not read from either once `output_pause` bytes wait; one whose replies pass its limit is closed. */
#ifndef AIKV_NET_SERVER_H
#define AIKV_NET_SERVER_H

#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"
#include "resp/parse.h"

struct net_server;
struct net_client;

struct net_handler {
    void *user;
    /* A new client, before its first command. Return what net_client_session gives. Protected mode is judged here: the handler may
     * write an error to the reply and net_client_close_after_reply(). */
    void *(*opened)(void *user, struct net_client *c);
    /* Requests that have arrived and come next, in this order, unless something ends the client or changes its limits before: for the handler to
     * prepare what they need. Returns how many may run (it is asked again about the others); 0 if it has suspended the client because the first
     * may not run yet: asked again when it is resumed. May be NULL. */
    size_t (*ahead)(void *user, struct net_client *c, const struct resp_request *requests, size_t count);
    /* One request (argc >= 1). Replies go to net_client_reply(c). argv lives until the function returns, or, if it suspended the client, until it is
     * resumed or gone. */
    void (*command)(void *user, struct net_client *c, const struct resp_request *request);
    /* A protocol error was answered and the client will be closed, or it was refused; for statistics. May be NULL. */
    void (*rejected)(void *user, const char *why);
    /* All commands of this turn have run, or been asked about; gates set before the return are honoured in this turn's writes. */
    void (*turn_end)(void *user);
    /* A suspended client will send nothing more; perhaps it has gone. It gets its reply when it is resumed, unless it is closed here. May be NULL. */
    void (*ended)(void *user, struct net_client *c);
    /* The client is gone; free its session. */
    void (*closed)(void *user, struct net_client *c, void *session);
};

/* More bytes waiting in one connection than `hard`, or than `soft` for longer than the time, close it. 0: as many as there are. */
struct net_output_limit {
    size_t hard, soft;
    uint64_t soft_ms;
};

struct net_limits {
    struct resp_limits request;       /* authenticated clients */
    size_t clients_max;               /* one more gets "-ERR max number of clients reached" and is closed */
    size_t output_pause;              /* bytes of replies waiting in one connection: it is not read from then */
    struct net_output_limit normal, subscriber; /* a subscriber is sent what it did not ask for one by one */
    uint64_t idle_ms;                 /* a client that sends nothing for so long is closed, unless it is suspended or a subscriber; 0: never */
    size_t query_memory_max;          /* unread, unfinished and kept requests of all clients together: past it the largest is closed */
};
/* As Redis: 10,000 clients, no idle timeout, subscribers 8 MiB for 60 s and 32 MiB. Others 1 GiB, a pause from 1 MiB on; queries 1 GiB. */
void net_limits_default(struct net_limits *out);

/* NULL: no memory. Ignores SIGPIPE for the process: a peer that has gone must show as an error of the write. */
struct net_server *net_server_new(uv_loop_t *loop, const struct net_handler *handler, const struct net_limits *limits);
/* Listens on host:port (a name or an address; port 0: the system picks). `bound_port` gets the port.
 * Errors: LOCKED with "address in use" (exit code 3), CONFIG, IO. May be called several times. */
int net_server_listen(struct net_server *s, const char *host, uint16_t port, uint16_t *bound_port, struct error *e);
/* New limits from now on (CONFIG SET maxclients, timeout, client-output-buffer-limit). */
void net_server_set_limits(struct net_server *s, const struct net_limits *limits);
const struct net_limits *net_server_limits(const struct net_server *s);
/* Stops listening, runs no more requests, lets clients have what is released (for up to a second), closes everything; frees itself
 * when the loop has let go of its handles. `closed` is called for each client until then. */
void net_server_close(struct net_server *s);
/* Gates up to `sequence` open. */
void net_server_release(struct net_server *s, uint64_t sequence);
/* No gate above what is released will ever open: who waits for one is closed (the outcome of what it asked is unknown), and so is, from
 * now on, who would begin to wait. */
void net_server_void_gates(struct net_server *s);
/* While paused, nothing is read from any client, and no request that was read is run (the store is behind). */
void net_server_pause_reading(struct net_server *s, bool paused);

struct net_statistics {
    uint64_t clients, accepted, refused, commands, bytes_in, bytes_out;
    uint64_t query_memory, output_memory; /* held now */
    uint64_t suspended;                   /* clients that are now */
};
void net_server_statistics(const struct net_server *s, struct net_statistics *out);
/* Each client, oldest first; `visit` may close clients. */
void net_server_each(struct net_server *s, void (*visit)(void *user, struct net_client *c), void *user);
struct net_client *net_server_find(struct net_server *s, uint64_t id);

/* ---- one client ---- */
void *net_client_session(const struct net_client *c);
uint64_t net_client_id(const struct net_client *c); /* rises, never used twice in a process */
/* Numeric: "127.0.0.1:50412", "127.0.0.1"; of our side likewise. */
const char *net_client_address(const struct net_client *c);
const char *net_client_host(const struct net_client *c);
const char *net_client_local_address(const struct net_client *c);
bool net_client_is_loopback(const struct net_client *c);
int net_client_fd(const struct net_client *c);
uint64_t net_client_opened_ms(const struct net_client *c); /* monotonic */
uint64_t net_client_active_ms(const struct net_client *c); /* last sent something, monotonic */
void net_client_memory(const struct net_client *c, size_t *query, size_t *output);
/* Bytes of replies that have not left. */
size_t net_client_waiting(const struct net_client *c);

/* Unauthenticated clients are held to resp_limits_unauthenticated. New clients are unauthenticated. */
void net_client_set_authenticated(struct net_client *c, bool yes);
/* Whether it is kept when query_memory_max is passed, however large its queries are. */
void net_client_spare(struct net_client *c, bool yes);
/* Whether it is sent what it did not ask for one by one: the limit of subscribers holds for it. */
void net_client_set_subscriber(struct net_client *c, bool yes);
/* So many bytes are held for it by the handler: they count as requests of its. */
void net_client_set_kept(struct net_client *c, size_t bytes);
/* Where replies, and what else it is sent, are appended; ask anew each time. Only append, or take back what this command has appended. */
struct buffer *net_client_reply(struct net_client *c);
/* What was appended so far by this command, and all that follows, leaves no earlier than net_server_release(sequence). Outside of
 * a command: by all of this client's commands of this turn, or by the last one if that was in an earlier turn (it was suspended). */
void net_client_gate(struct net_client *c, uint64_t sequence);
/* The command's reply comes later: no further request of this client is run until resume. The client may go away meanwhile
 * (`closed` is called): keep its id, not its address, and look it up with net_server_find. */
void net_client_suspend(struct net_client *c);
/* Append the reply first. Further requests that have arrived run in this turn. */
void net_client_resume(struct net_client *c);
/* Closes when everything written so far has left (gates included); nothing more is read. */
void net_client_close_after_reply(struct net_client *c);
/* Closes now. `closed` is called before this returns unless called from within `command` of the same client, then right after it. */
void net_client_close(struct net_client *c);

#endif
