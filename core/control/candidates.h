/* Nodes that have announced themselves and are no members: what the leader may admit. Kept for some seconds after the
 * last word of each; pure (the caller passes the time). */
#ifndef AIKV_CONTROL_CANDIDATES_H
#define AIKV_CONTROL_CANDIDATES_H

#include "cluster/state.h"

#define CANDIDATES_MAX    1024
#define CANDIDATES_TTL_MS 5000

struct candidates {
    struct candidate {
        struct cluster_node_info info;
        uint64_t heard_ms;
    } * list; /* sorted by id */
    uint32_t count, room;
};

void candidates_release(struct candidates *c);
/* Takes an announcement in, in place of that of another node at the same bus address. Returns whether the node is new here; when there are CANDIDATES_MAX others it is left out.
 */
bool candidates_heard(struct candidates *c, const struct cluster_node_info *info, uint64_t now_ms);
/* Until it announces itself again. */
void candidates_remove(struct candidates *c, const char *id);
/* Drops those not heard for CANDIDATES_TTL_MS, and those that `state` has as members. */
void candidates_expire(struct candidates *c, const struct cluster_state *state, uint64_t now_ms);
/* NULL if it is not there. */
const struct cluster_node_info *candidates_find(const struct candidates *c, const char *id);
/* The infos alone, sorted by id: an array of c->count (NULL if none), for the caller to free. */
struct cluster_node_info *candidates_infos(const struct candidates *c);

#endif
