/* The bus, inside. bus.c: the listener and the whole; bus_link.c: one connection; bus_output.c: what waits to be
 * written to it; bus_peer.c: connecting and connecting again; bus_say.c: log lines at a bounded rate.
 *
 * Lifetimes. Every uv handle counts in `bus.handles` from its start until its close callback. bus_link lives until its
 * close callback, bus_peer until that of its timer and the end of its name lookup, struct bus until none is left after
 * bus_close(). */
#ifndef AIKV_NET_BUS_PRIVATE_H
#define AIKV_NET_BUS_PRIVATE_H

#include <sys/queue.h>

#include "net/bus.h"

#define BUS_WAITING_MAX    128 /* accepted connections not past the handshake; one more displaces the oldest */
#define BUS_LINKS_PER_NODE 8
#define BUS_READ_SIZE      65536

/* At most 10 lines a second; the next one tells how many were left out. */
struct bus_say_limit {
    uint64_t window_ms;
    unsigned said, suppressed;
};

enum link_state {
    LINK_CONNECTING, /* only where we connect */
    LINK_SHAKING,
    LINK_UP,
    LINK_CLOSED /* uv_close was called */
};

struct bus_link {
    uv_tcp_t tcp;
    struct bus *bus;
    struct bus_peer *owner; /* NULL: accepted, or its peer was freed */
    TAILQ_ENTRY(bus_link) all, waiting, dirty;
    uint64_t id;
    enum link_state state;
    bool initiator, told_up, is_waiting, is_dirty;
    uint64_t deadline_ms; /* while waiting */
    struct error why;     /* what closed it */
    char address[72], host[56];

    struct handshake handshake;
    uint64_t send_sequence, receive_sequence;
    struct buffer input; /* the beginning of a frame whose rest has not arrived */

    struct buffer output;  /* to be written at the end of the turn */
    struct buffer writing; /* in `write`, while write_busy */
    uint64_t queued_total; /* bytes ever put into output */
    uint64_t big_end;      /* the frame larger than output_max ends here in that count; 0: none was sent */
    size_t big_size;
    bool write_busy;
    uv_write_t write;
    uv_connect_t connect;
};
TAILQ_HEAD(link_list, bus_link);

struct bus_peer {
    struct bus *bus;
    TAILQ_ENTRY(bus_peer) entry;
    unsigned users; /* bus_peer_new calls it answers */
    char host[256];
    uint16_t port;
    char node_id[HANDSHAKE_NODE_ID_LEN + 1];

    uv_timer_t timer; /* the pause between attempts, or the limit of the present one */
    uv_getaddrinfo_t lookup;
    bool looking_up;
    bool anew; /* the address changed under the lookup or the attempt */
    bool freed, timer_closed;
    struct addrinfo *addresses, *next; /* where to try, and where next */
    struct bus_link *link;             /* trying or up */
    uint64_t pause_ms;                 /* the latest pause, before jitter; 0: none yet */
    uint64_t up_since_ms;              /* 0: not up */
    bool hopeless;                     /* in this round somebody answered who will not change his mind soon */
    char problem[480];
    bool is_stranger; /* it is of another cluster, or has another secret: an operator must look */
    uint64_t said_ms; /* when the problem was logged */
};
TAILQ_HEAD(peer_list, bus_peer);

struct bus {
    uv_loop_t *loop;
    struct bus_handler handler;
    struct handshake_identity self;
    uint8_t *secret;
    size_t secret_len;
    char *host;
    uint16_t port;
    size_t links_max, output_max;
    /* Fixed; tests shorten them. */
    uint64_t handshake_ms, connect_ms;

    int listen_fd;
    uv_poll_t acceptable;
    uv_timer_t accept_pause, sweep;
    uv_prepare_t flush;
    size_t handles; /* open ones */
    bool closing;

    struct link_list links, waiting, dirty;
    struct peer_list peers;
    size_t waiting_count;
    uint64_t next_link_id, random;
    struct bus_statistics statistics;
    struct bus_say_limit refusals, events;
    uint8_t read_space[BUS_READ_SIZE]; /* one read at a time */
};

/* bus.c */
/* Counts a handle that was opened, and one whose close callback runs; the latter may free the bus. */
void bus_handle_opened(struct bus *b);
void bus_handle_closed(struct bus *b);
/* A link is past the handshake: whether it may stay. */
int bus_admit(struct bus *b, const struct bus_link *l, struct error *e);

/* bus_link.c */
/* Takes over the connected socket. */
void link_accept(struct bus *b, int fd, const struct sockaddr *address);
/* Begins to connect; what goes wrong is told to the owner by peer_link_gone, from the loop. NULL: no memory. */
struct bus_link *link_connect(struct bus *b, struct bus_peer *owner, const struct sockaddr *address);
/* Closes because of `why`. */
void link_fail(struct bus_link *l, const struct error *why);
/* Tells the upper layer, once, that a link it knows is gone. */
void link_tell_down(struct bus_link *l);

/* bus_output.c */
void output_mark(struct bus_link *l);
/* Starts writing what waits, unless a write is on its way. */
void output_flush(struct bus_link *l);
void output_forget(struct bus_link *l);

/* bus_peer.c */
void peer_link_shaking(struct bus_peer *p);
void peer_link_up(struct bus_peer *p);
void peer_link_gone(struct bus_peer *p, const struct bus_link *l);

/* bus_say.c */
/* A line about somebody who was refused; a line about links that come and go. */
void bus_say_refused(struct bus *b, const char *msg, const struct bus_link *l);
void bus_say_event(struct bus *b, const char *msg, const struct bus_link *l);
void bus_say_problem(struct bus_peer *p);
void bus_say_accept(struct bus *b, int errnum);

#endif
