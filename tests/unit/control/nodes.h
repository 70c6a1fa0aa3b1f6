/* Several nodes' control in one process, over loopback: each has its own threads and data directory; the test's thread
 * is the data thread of all of them. */
#ifndef AIKV_TEST_CONTROL_NODES_H
#define AIKV_TEST_CONTROL_NODES_H

#include "control/control.h"
#include "files.h"
#include "tests.h"

#define NODES_MAX 7

struct test_node {
    struct control *control; /* NULL: stopped */
    struct cluster_node_info info;
    struct control_identity identity; /* what was made durable */
    char dir[300];
    uint16_t port;
    struct cluster_routing *routing; /* the newest */
    bool failed;
    uint64_t awaited; /* the token of the call under way */
    char *reply;      /* NUL-terminated RESP, NULL: none yet */
    size_t reply_len;
    unsigned published; /* messages of pub/sub that came, */
    char heard[64];     /* and the last one */
};

struct test_nodes {
    uv_loop_t loop;
    uv_timer_t clock; /* so that the loop never sleeps for long */
    uint64_t ticks;   /* of the clock */
    struct mailbox *mailbox;
    struct test_node node[NODES_MAX]; /* from 0; node i has the alias i + 1 and the client port 7001 + i */
    char join[NODES_MAX][280];
    size_t join_count;
    uint64_t tokens;
    char root[FILES_DIR_MAX];
};

struct test_nodes *nodes_new(void);
/* Stops all, removes their directories. */
void nodes_free(struct test_nodes *t);
/* From now on nodes are started with node `i`'s address in `join`. */
void nodes_join(struct test_nodes *t, int i);
void nodes_start(struct test_nodes *t, int i, bool bootstrap);
void nodes_stop(struct test_nodes *t, int i);
/* Starts node 0 as founder and `count` - 1 more that announce themselves to it, and waits until all are candidates. */
void nodes_start_cluster(struct test_nodes *t, int count);

/* Runs the loop until the condition holds; fails the test after 30 s. */
typedef bool (*nodes_condition)(struct test_nodes *t, int i);
void nodes_wait(struct test_nodes *t, int i, nodes_condition condition, const char *what);
bool nodes_knows_leader(struct test_nodes *t, int i);
bool nodes_is_member(struct test_nodes *t, int i);

/* A call on node `i`, words separated by blanks; "@2" stands for the node id of node 2, "#2" for the bus address of
 * node 2, "#2p" for its bus port. Returns the reply (RESP2), valid until the node's next call. */
const char *nodes_call(struct test_nodes *t, int i, const char *words);
/* The same with the last argument as it is. */
const char *nodes_call_with(struct test_nodes *t, int i, const char *words, const char *last);
/* Without waiting for the reply; and waiting for it. */
void nodes_call_begin(struct test_nodes *t, int i, const char *words, const char *last);
const char *nodes_call_end(struct test_nodes *t, int i);
void nodes_expect(struct test_nodes *t, int i, const char *words, const char *reply);
/* Repeats a call until its reply holds `part`; fails the test after 30 s. */
void nodes_expect_soon(struct test_nodes *t, int i, const char *words, const char *part);
/* That the reply holds `part`. */
void nodes_expect_part(struct test_nodes *t, int i, const char *words, const char *part);

/* Looking at routing tables. */
uint32_t nodes_shards(struct test_nodes *t, int i);
uint32_t nodes_slots(struct test_nodes *t, int i);
uint32_t nodes_replicas(struct test_nodes *t, int i);
uint32_t nodes_voters(struct test_nodes *t, int i);

#endif
