/* What the slots of each shard sum up to. */
#ifndef AIKV_SCRIPT_TOTALS_H
#define AIKV_SCRIPT_TOTALS_H

#include "cluster/live.h"

struct shard_totals {
    uint64_t slot_count, keys, bytes, milliops;
};

/* The place of a shard in s->shards, from 1; 0 for `number` 0, the unassigned slots. */
uint32_t shard_place(const struct cluster_state *s, uint32_t number);
/* Fills in shard_count + 1 of them, by shard_place. `load` may be NULL: none is known. */
void shard_totals(const struct cluster_state *s, const struct cluster_load *load, struct shard_totals *out);

#endif
