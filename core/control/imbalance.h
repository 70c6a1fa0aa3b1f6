/* Whether a shard has more than its part: the event `imbalance`. Pure. */
#ifndef AIKV_CONTROL_IMBALANCE_H
#define AIKV_CONTROL_IMBALANCE_H

#include "cluster/live.h"

/* Where a shard has less than this in the mean, its amount says nothing: a handful of keys is never even. */
#define IMBALANCE_KEYS_MIN  1000
#define IMBALANCE_BYTES_MIN (1u << 20)
#define IMBALANCE_MILLIOPS_MIN 100000 /* 100 commands a second */

/* Whether the slots, keys, bytes or operations of a shard are above the mean of all shards by more percent than the
 * setting `tolerance` allows. Without reports of load only slots are counted. */
bool imbalance_holds(const struct cluster_state *s, const struct cluster_live *live);

#endif
