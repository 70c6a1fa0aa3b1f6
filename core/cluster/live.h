/* What the leader sees of the cluster beside the metadata: who announced itself, who is silent, who votes already. Not agreed on,
 * not kept; with a state it makes the view that policies read. */
#ifndef AIKV_CLUSTER_LIVE_H
#define AIKV_CLUSTER_LIVE_H

#include "cluster/state.h"

/* What a node reports of itself. */
struct cluster_node_load {
    uint64_t keys, milliops, uptime_ms; /* milliops: thousandths of a command with keys, a second */
    uint64_t disk_bytes, disk_limit_bytes, memory_bytes, memory_limit_bytes;
};

struct cluster_live_node {
    char id[CLUSTER_ID_LEN + 1];
    uint64_t silent_ms;     /* since its last answer */
    enum cluster_role role; /* in libraft's configuration now */
    uint64_t metadata_version; /* it has acknowledged */
    struct cluster_node_load load; /* as last reported; all 0 before that */
};

/* By slot, all databases together; 0 where the primary has not reported yet. */
struct cluster_load {
    uint64_t keys[CLUSTER_SLOTS], bytes[CLUSTER_SLOTS], milliops[CLUSTER_SLOTS];
};
/* No slot has more of any of these: sums over all slots stay far below what Lua's integers hold. */
#define CLUSTER_LOAD_MAX ((uint64_t)1 << 48)

struct cluster_live {
    char leader[CLUSTER_ID_LEN + 1];
    struct cluster_live_node *nodes; /* members, sorted by id as in the state; owned */
    uint32_t node_count;
    struct cluster_node_info *candidates; /* announced within the last seconds, not members; sorted by id; owned */
    uint32_t candidate_count;
    struct cluster_load *load; /* NULL: none is known; owned */
};

void cluster_live_release(struct cluster_live *l);
/* NULL if it is not there. */
const struct cluster_live_node *cluster_live_find(const struct cluster_live *l, const char *id);

#endif
