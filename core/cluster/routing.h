/* The routing table: what the data thread knows of the cluster. An immutable snapshot, counted; control publishes, data reads. */
#ifndef AIKV_CLUSTER_ROUTING_H
#define AIKV_CLUSTER_ROUTING_H

#include "cluster/state.h"

struct cluster_routing {
    struct cluster_state *state; /* without scripts and runs */
    const struct cluster_node *self; /* NULL: not a member (a candidate, or removed) */
    int16_t slot_primary[CLUSTER_SLOTS]; /* index in state->nodes; -1: nobody */
    bool slot_mine[CLUSTER_SLOTS];       /* this node is the primary */
    uint32_t slots_assigned;
    bool leader_known; /* MetaRaft has a leader, as last heard */
    char leader[CLUSTER_ID_LEN + 1];
    char my_id[CLUSTER_ID_LEN + 1];
    uint16_t my_bus_port; /* for who is no member yet */
    uint64_t raft_term;
    int references; /* atomic; private */
};

/* Takes a clone of `state`. One reference belongs to the caller. */
struct cluster_routing *cluster_routing_new(const struct cluster_state *state, const struct cluster_node_info *me, const char *leader,
                                            uint64_t term);
struct cluster_routing *cluster_routing_retain(struct cluster_routing *r);
void cluster_routing_release(struct cluster_routing *r);

#endif
