/* The bus: authenticated connections between nodes, on the control thread's loop.
 *
 * A *link* is one connection on which the handshake is done; both sides may send. A *peer* is somebody we want to be linked to: an
 * address (and, once known, the node expected there) that is connected and connected again, with growing pauses, until told to stop;
 * its name is resolved anew each time. Sending never blocks: a link's output is bounded, and a full one drops the link (the other side
 * does not read). Everything a peer could do wrong closes its link with a log line, at a bounded rate.
 * Links not past the handshake are bounded in number (128: one more displaces the oldest, so that silent strangers lock nobody out)
 * and time (5 s); at most `links_max` links, at most 8 from one node. */
#ifndef AIKV_NET_BUS_H
#define AIKV_NET_BUS_H

#include <uv.h>

#include "net/handshake.h"

struct bus;
struct bus_link;
struct bus_peer;

struct bus_handler {
    void *user;
    void (*up)(void *user, struct bus_link *link);   /* the handshake is done; the first frames may be sent */
    /* A frame of a known type. The payload lives until the return. A return other than 0 (with `e`) closes the link. */
    int (*frame)(void *user, struct bus_link *link, enum frame_type type, struct bytes payload, struct error *e);
    void (*down)(void *user, struct bus_link *link); /* it is gone after the return */
};

struct bus_options {
    const char *host; /* to listen on */
    uint16_t port;    /* 0: the system picks */
    struct bytes secret;
    struct handshake_identity self;
    size_t links_max;
    size_t output_max; /* bytes waiting in one link */
};

/* Copies what it needs of the options. SIGPIPE must be ignored. NULL: no memory. */
struct bus *bus_new(uv_loop_t *loop, const struct bus_options *options, const struct bus_handler *handler);
/* Errors: LOCKED with "address in use" (exit code 3), CONFIG, PERMISSION, IO. */
int bus_listen(struct bus *b, uint16_t *bound_port, struct error *e);
/* From now on this is our cluster. Links to nodes that named none stay; the next handshakes use it. */
void bus_set_cluster(struct bus *b, const char *cluster_id);
/* From now on this is who we are. Links that are up close: they were made by who we were. */
void bus_set_self(struct bus *b, const struct handshake_identity *self);
/* Closes all, peers included. `down` is called for each link that is up, before this returns; after that nothing is. Frees itself
 * when the loop has let go of its handles. */
void bus_close(struct bus *b);

/* Keeps a link to host:port. `node_id` ("" = whoever is there) is checked against the handshake. One peer per (host, port, node id): asked
 * for once more, the same is returned, and lives until it was freed as often. NULL: no memory. */
struct bus_peer *bus_peer_new(struct bus *b, const char *host, uint16_t port, const char *node_id);
/* Changes the address; a link that is up stays. */
void bus_peer_set_address(struct bus_peer *p, const char *host, uint16_t port);
/* Drops the link and stops. */
void bus_peer_free(struct bus_peer *p);
/* Its link, NULL while it is down; and why it is down ("" at first). */
struct bus_link *bus_peer_link(struct bus_peer *p);
const char *bus_peer_problem(const struct bus_peer *p);

const struct handshake_identity *bus_link_peer(const struct bus_link *l);
/* The peer it belongs to; NULL: they connected to us. */
struct bus_peer *bus_link_owner(const struct bus_link *l);
/* The other side's numeric address, without the port. */
const char *bus_link_host(const struct bus_link *l);
/* Sends, or closes the link when its output is full. Returns whether the frame was queued. `down` is never called from within.
 * One frame larger than output_max may be on its way in addition to it. A payload over its type's maximum is not sent (and logged). */
bool bus_link_send(struct bus_link *l, enum frame_type type, struct bytes payload);
/* Bytes of what was sent that the kernel has not taken yet: who can do without sending looks at them first. */
size_t bus_link_waiting(const struct bus_link *l);
/* Closes, after what was sent if the kernel takes that at once; `down` is called later, from the loop. */
void bus_link_close(struct bus_link *l);
/* For whoever sends answers later: links have numbers that are never used again. */
uint64_t bus_link_id(const struct bus_link *l);
struct bus_link *bus_find_link(struct bus *b, uint64_t id);

struct bus_statistics {
    uint64_t links, handshakes_failed, frames_refused, bytes_in, bytes_out;
};
void bus_statistics(const struct bus *b, struct bus_statistics *out);

#endif
