#include "cluster/routing.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"

static int16_t primary_index(const struct cluster_state *s, uint32_t shard_number)
{
    const struct cluster_shard *shard = shard_number ? cluster_shard_find(s, shard_number) : NULL;
    const struct cluster_node *primary = shard ? cluster_node_find(s, shard->primary) : NULL;
    return primary ? (int16_t)(primary - s->nodes) : -1;
}

/* Slots of one shard mostly lie side by side, so its primary is looked up once a stretch. */
static void fill_slots(struct cluster_routing *r)
{
    const struct cluster_state *s = r->state;
    const int16_t me = r->self ? (int16_t)(r->self - s->nodes) : -1;
    int16_t primary = -1;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        if (slot == 0 || s->owner[slot] != s->owner[slot - 1]) primary = primary_index(s, s->owner[slot]);
        r->slot_primary[slot] = primary;
        r->slot_mine[slot] = primary >= 0 && primary == me;
        r->slots_assigned += primary >= 0;
    }
}

struct cluster_routing *cluster_routing_new(const struct cluster_state *state, const struct cluster_node_info *me,
                                            const char *leader, uint64_t term)
{
    struct cluster_routing *r = cluster_alloc_array(1, sizeof *r);
    r->state = cluster_state_clone(state, false);
    r->self = cluster_node_find(r->state, me->id);
    r->leader_known = leader && leader[0];
    r->raft_term = term;
    r->references = 1;
    memcpy(r->my_id, me->id, sizeof r->my_id);
    r->my_bus_port = me->bus_port;
    snprintf(r->leader, sizeof r->leader, "%s", leader ? leader : "");
    fill_slots(r);
    return r;
}

struct cluster_routing *cluster_routing_retain(struct cluster_routing *r)
{
    __atomic_add_fetch(&r->references, 1, __ATOMIC_RELAXED);
    return r;
}

void cluster_routing_release(struct cluster_routing *r)
{
    if (!r || __atomic_sub_fetch(&r->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    cluster_state_free(r->state);
    free(r);
}
