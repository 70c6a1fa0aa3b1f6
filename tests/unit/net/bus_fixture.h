/* Nodes on one loop, linked over loopback, and a stranger with a plain socket who can do what no node would. */
#ifndef AIKV_TEST_BUS_FIXTURE_H
#define AIKV_TEST_BUS_FIXTURE_H

#include "bus_tests.h"

#include "base/log.h"
#include "net/bus_private.h"

#define SECRET    "the cluster's secret"
#define CLUSTER_X "1111111111111111111111111111111111111111"
#define CLUSTER_Y "2222222222222222222222222222222222222222"

struct node {
    struct bus *bus;
    uint16_t port;
    unsigned ups, downs, frames;
    struct bus_link *link; /* the latest that is up */
    enum frame_type last_type;
    struct buffer last;    /* the latest payload */
    struct buffer largest; /* the largest so far */
    const char *refuse;    /* the handler refuses frames with this text */
    void (*on_frame)(struct node *n, struct bus_link *link);
};

struct world {
    uv_loop_t loop;
    uv_timer_t limit;
    bool late;
    char log_path[40];
    enum log_level log_level; /* as it was before */
    struct node a, b;
};

int world_set_up(void **state);
/* Closes both nodes and checks that nothing of them is left on the loop. */
int world_tear_down(void **state);

/* Starts a node that listens; `name` is the hex digit its id consists of. */
void node_start(struct world *w, struct node *n, char name, const char *secret, const char *cluster, uint16_t port);
void node_start_with(struct world *w, struct node *n, char name, size_t links_max, size_t output_max);
void node_stop(struct world *w, struct node *n);
struct bus_peer *node_connect(struct node *from, const struct node *to);
const char *node_id_of(char name);

/* Turns the loop until `condition` holds; fails the test when that takes more than 10 s. */
#define run_until(w, condition)                                                                                        \
    do {                                                                                                               \
        world_limit(w);                                                                                                \
        while (!(condition)) world_turn(w, #condition);                                                                \
    } while (0)
void world_limit(struct world *w);
void world_turn(struct world *w, const char *waits_for);
/* Turns the loop for a while, in which something must not happen. */
void world_idle(struct world *w, uint64_t ms);
/* Whether the log has a line with this text. */
bool world_logged(struct world *w, const char *text);

/* The stranger: a non-blocking socket. */
struct stranger {
    int fd;
    struct handshake shake;
    struct buffer heard;
    bool closed; /* the other side has closed */
};
void stranger_connect(struct stranger *s, uint16_t port);
void stranger_say(struct stranger *s, struct bytes what);
/* Reads what is there. */
void stranger_hear(struct stranger *s);
/* The whole handshake as the node whose id consists of `name`. */
void stranger_handshake(struct world *w, struct stranger *s, const struct node *to, char name, const char *cluster);
void stranger_frame(struct stranger *s, uint64_t sequence, enum frame_type type, struct bytes payload);
void stranger_leave(struct stranger *s);

#endif
