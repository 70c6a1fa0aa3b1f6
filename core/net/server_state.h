/* The server and its clients, as the files server*.c and client*.c share them. Private to them.
 *
 * Who does what: server.c life, turns, limits · server_listen.c listening and accepting · server_index.c clients by id ·
 * client.c a client's life · client_read.c bytes in, requests out to the handler · client_write.c replies, gates, bytes out. */
#ifndef AIKV_NET_SERVER_STATE_H
#define AIKV_NET_SERVER_STATE_H

#include "base/log.h"
#include "net/server.h"

#include <netinet/in.h>
#include <sys/queue.h>

#define READ_SIZE         ((size_t)64 << 10) /* the buffer that all clients without unfinished requests read into */
#define PENDING_MAX       ((size_t)64 << 10) /* a client that may not run now is read from up to so many waiting bytes */
#define TURN_COMMANDS_MAX 1000               /* of one client in one turn, */
#define TURN_BYTES_MAX    ((size_t)1 << 20)  /* and their bytes */
#define TRIM_AFTER_MS     2000               /* after so long without a request a client keeps no memory ready */

/* Bytes of `reply`'s stream from `at` on wait for `sequence`. */
struct client_gate {
    uint64_t at, sequence;
};

/* Bytes received and not yet run: data[at..len). */
struct client_query {
    uint8_t *data;
    size_t at, len, cap;
    bool borrowed; /* data is the server's read buffer, during one read callback */
};

/* What a uv_write holds on to: the rest of a reply that the kernel did not take at once. */
struct client_write {
    uv_write_t request;
    struct net_client *client;
    uint8_t *data;
    size_t from, to, cap;
};

TAILQ_HEAD(client_list, net_client);

struct net_client {
    uv_tcp_t tcp; /* first: uv's callbacks give it */
    struct net_server *server;
    uint64_t id;
    void *session;

    TAILQ_ENTRY(net_client) in_all, in_dirty, in_gated, in_ready;
    struct net_client *next_same_slot; /* server_index.c */
    bool is_dirty;                     /* in `dirty`: may have something to write */
    bool is_gated;                     /* in `gated`: has gates */
    bool is_ready;                     /* in `ready`: may have requests to run that nothing new will arrive for */

    bool authenticated, loopback;
    bool spared; /* its query is never the one that is too large */
    bool subscriber;          /* the limit of subscribers holds for it */
    uint64_t over_soft_since_ms; /* as of the last tick, output over the soft one since then; 0: it is not */
    bool reading;    /* uv_read_start is in force */
    bool suspended;  /* its command will reply later */
    bool held_up;    /* could not go on with what it has; wakes when it can */
    bool ended;      /* the peer sends no more; what it sent is still answered */
    bool finishing;  /* closes when its replies have left */
    bool in_handler; /* the handler has it in its hands: destroyed only after */
    bool doomed;     /* to be destroyed after the handler */
    bool destroyed;  /* waits for uv_close */

    struct resp_parser parser;
    struct client_query query;
    uint8_t *held; /* what argv of the suspended request points to */
    size_t held_cap;
    struct resp_group *held_group; /* where that argv is */
    uint64_t turn; /* the last turn it ran something in, and how much */
    size_t turn_commands, turn_bytes;

    struct buffer reply;        /* replies not yet given to the kernel or to uv_write: data[sent..len) */
    size_t sent;
    uint64_t base;              /* the place of reply.data[0] in the stream of all replies */
    uint64_t command_at;        /* where the current command's reply begins in that stream, */
    uint64_t turn_at;           /* and the replies of its current turn */
    struct client_write *write; /* under way, NULL: none */
    struct client_gate *gates;  /* gates[gate_first..gate_end), both fields rising */
    size_t gate_first, gate_end, gate_cap;

    size_t kept;                          /* held by the handler for it */
    size_t query_counted, output_counted; /* its part in the server's statistics */
    uint64_t opened_ms, active_ms;
    char host[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN + 9];
    char *local_address; /* made when asked for */
};

struct net_listener {
    uv_poll_t poll;
    struct net_server *server;
    int fd;
    struct net_listener *next;
};

/* net_server_each under way: where it goes on, even if that client is closed meanwhile. */
struct client_cursor {
    struct net_client *next;
    struct client_cursor *outer;
};

struct net_server {
    uv_loop_t *loop;
    struct net_handler handler;
    struct net_limits limits;
    struct net_statistics statistics;

    uv_prepare_t prepare; /* a turn ends before the loop sleeps (timers may have worked) … */
    uv_check_t check;     /* … and after it has polled */
    uv_idle_t no_sleep;   /* runs while requests wait that only need a turn */
    uv_timer_t tick, accept_again;
    size_t handles;       /* not yet let go of by the loop, clients included */
    bool closing;

    struct net_listener *listeners;
    struct client_list all, dirty, gated, ready;
    size_t ready_count;
    struct client_cursor *cursors;
    struct client_slot *slots; /* by id: server_index.c */
    size_t slots_count;
    uint64_t last_id;

    uint8_t *read_buffer; /* READ_SIZE bytes, or NULL until wanted */
    struct resp_group *group; /* of the client that runs; NULL until wanted */
    uint64_t turn;
    bool ran, paused;
    uint64_t released;
    bool gates_void; /* none above `released` will open */
    uint64_t complained_ms; /* the last log line about a client */
};

/* ---- server.c ---- */
uint64_t net_server_now_ms(const struct net_server *s);
/* One handle less; frees a closing server with the last. */
void net_server_let_go(struct net_server *s);
/* A log line about a client that was refused or closed, at most one a second; and the handler's statistics. */
void net_server_complain(struct net_server *s, enum log_level level, const char *address, const char *why);
/* Closes those with the largest queries until query_memory_max holds. */
void net_server_shed(struct net_server *s);
/* Called for the last client of a closing server. */
void net_server_emptied(struct net_server *s);

/* ---- server_listen.c ---- */
void net_server_stop_listening(struct net_server *s);

/* ---- server_index.c ---- */
bool net_index_add(struct net_server *s, struct net_client *c);
void net_index_remove(struct net_server *s, struct net_client *c);

/* ---- client.c ---- */
/* Takes over a connected socket. */
void net_client_open(struct net_server *s, int fd, const struct sockaddr_storage *peer);
/* Closes at once, or, while the handler has it, after that. */
void net_client_destroy(struct net_client *c);
/* Brings the server's sums up to date with the memory this client holds. */
void net_client_count(struct net_client *c);
/* Gives back what an idle client does not need. */
void net_client_trim(struct net_client *c);

/* ---- client_read.c ---- */
/* Frees what the suspended request was in. */
void net_client_drop_held(struct net_client *c);
/* Runs what has arrived, as far as it may. The client may be destroyed afterwards. */
void net_client_run(struct net_client *c);
/* What held it up may be over: runs it at the end of this turn, and reads again. */
void net_client_wake(struct net_client *c);
void net_client_drop_query(struct net_client *c);
/* Reads, or stops reading, as its state asks. */
void net_client_update_reading(struct net_client *c);

/* ---- client_write.c ---- */
void net_client_mark_dirty(struct net_client *c);
/* Where the next reply will begin in the stream of replies. */
static inline uint64_t net_client_reply_end(const struct net_client *c)
{
    return c->base + c->reply.len;
}
/* Whether its replies passed what may wait, or could not be kept: it must be closed. */
bool net_client_overflowed(const struct net_client *c);
/* Whether they have passed the soft limit for too long; ask once a second. */
bool net_client_lags(struct net_client *c);
void net_client_complain_of_output(struct net_client *c);
void net_client_set_output_max(struct net_client *c);
/* Drops the gates that have opened. */
void net_client_open_gates(struct net_client *c);
/* Writes what may leave. The client may be destroyed afterwards. */
void net_client_flush(struct net_client *c);

#endif
