/* Control: the thread that makes this node part of a cluster. It runs the bus, MetaRaft, the announcements of candidates, the push of
 * metadata, calls from any node to the leader, and the runs of cluster scripts. (design: architecture.md, control-plane.md)
 *
 * What a node knows of the cluster is the newer of the state pushed by the leader and, if it is a member of MetaRaft, the one that has
 * applied; on the leader MetaRaft's. It is kept in <data_dir>/metadata, so that a restarted node serves its slots before it has found
 * the leader.
 *
 * Threads: control has one of its own, and one for policies. The data thread calls control_call, control_publish, control_report_load, control_report_slots and control_stop;
 * the handler's functions are called on the data thread, through its mailbox. */
#ifndef AIKV_CONTROL_CONTROL_H
#define AIKV_CONTROL_CONTROL_H

#include "base/buffer.h"
#include "cluster/routing.h"
#include "net/mailbox.h"

struct control;

struct control_handler {
    void *user;
    /* A new routing table; the reference is the receiver's. Called once soon after the start, then with every change. */
    void (*routing)(void *user, struct cluster_routing *r);
    /* The reply to a control_call: RESP bytes. */
    void (*reply)(void *user, uint64_t token, struct bytes reply);
    /* A message of pub/sub that another member has published. */
    void (*published)(void *user, struct bytes channel, struct bytes text);
    /* Control cannot go on; the process must end with this exit code. */
    void (*failed)(void *user, int exit_code, const struct error *e);
};

struct control_identity {
    char cluster_id[CLUSTER_ID_LEN + 1]; /* "": none yet */
    uint64_t raft_id;                    /* 0: none yet */
    bool took_part;                      /* as raft_id, so raft/ holds its votes: without it the id must not be used */
    bool left;                           /* it has no part in MetaRaft any more; raft/ stays, in case it gets one again */
    char node_id[CLUSTER_ID_LEN + 1];    /* at the start control takes the one in `self`; CLUSTER RESET HARD makes another */
};

struct control_options {
    struct cluster_node_info self;
    struct control_identity identity;
    /* Makes a changed identity durable (node.json), before control acts on it. On the control thread. */
    int (*save_identity)(void *user, const struct control_identity *identity, struct error *e);
    const char *data_dir;
    const char *bus_host; /* to listen on */
    uint16_t bus_port;    /* 0: the system picks; self.bus_port is then set to what it got */
    struct bytes secret;
    bool bootstrap;
    const char (*join)[280]; /* "host:port" each */
    size_t join_count;
    struct mailbox *data_mailbox;
    struct control_handler handler;
};

/* Listens, opens MetaRaft if this node was part of it, starts the threads. Founds a cluster if `bootstrap` is set, the identity holds no
 * cluster, and no join peer reports one (all of them are waited for, after 3 s most of them: who is silent may be of a cluster).
 * `bound_port` gets the bus port.
 * Errors as net_server_listen and meta_open. */
int control_start(const struct control_options *options, struct control **out, uint16_t *bound_port, struct error *e);
/* Hands leadership over if it leads, ends the threads, frees everything. Blocks up to some seconds. The data thread's mailbox must still be open. */
void control_stop(struct control *c);

/* Carries out an administrative command: CLUSTER METARAFT|SCRIPT|MEET|ADDSLOTS|ADDSLOTSRANGE|REPLICATE|ADDREPLICATION …, whole argv with
 * CLUSTER first, copied. Forwarded to the leader if that is another node. Exactly one reply comes for each call that returned true, after 15 s at
 * the latest (RUN WAIT: after its time); false: too many are waiting (256). `protocol` is what the reply is written in. */
bool control_call(struct control *c, uint64_t token, int argc, const struct bytes *argv, int protocol);

/* Sends a message of pub/sub to all other members, at most once: for one that cannot be reached now, or has no room, it is lost.
 * CONTROL_PUBLISH_MAX bytes of channel and text together at most. False: too many are waiting, try again later. */
#define CONTROL_PUBLISH_MAX (((size_t)4 << 20) - 8)
bool control_publish(struct control *c, struct bytes channel, struct bytes text);
/* So many are on their way to the data thread at most, in its mailbox. */
#define CONTROL_MESSAGES_MAX 65536
/* How often that has happened since the start, each member counted, in both directions. Any thread. */
uint64_t control_messages_lost(const struct control *c);

/* Load of this node, for the view; any thread, cheap. Numbers are picked up one by one, whenever control reports to the leader. */
struct control_load {
    uint64_t disk_bytes, memory_bytes, memory_limit_bytes;
};
void control_report_load(struct control *c, const struct control_load *load);
/* Of `count` slots from `first` on. */
struct control_slot_load {
    uint64_t keys, bytes; /* now */
    uint32_t commands;    /* with keys in it, ever; wraps around */
};
void control_report_slots(struct control *c, unsigned first, size_t count, const struct control_slot_load *slots);

#endif
