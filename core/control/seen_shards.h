/* The shards as a policy saw them: a step that touches one which has changed since is stale. What the round's own steps
 * change is reckoned with. Pure. */
#ifndef AIKV_CONTROL_SEEN_SHARDS_H
#define AIKV_CONTROL_SEEN_SHARDS_H

#include "cluster/state.h"

struct seen_shard {
    uint32_t number;
    uint64_t epoch;
};

struct seen_shards {
    struct seen_shard *list; /* by number; owned */
    uint32_t count;
};

/* As they are in `s`; as in another one. What was there is released. */
void seen_shards_take(struct seen_shards *seen, const struct cluster_state *s);
void seen_shards_copy(struct seen_shards *seen, const struct seen_shards *from);
/* Nothing is seen then, so nothing is stale. */
void seen_shards_release(struct seen_shards *seen);
/* The shards a step touches, its node being in the one it is in in `s`: different numbers, 0 where there are fewer. */
#define SEEN_SHARDS_A_STEP 3
void seen_shards_of_step(const struct cluster_state *s, const struct cluster_step *step,
                         uint32_t out[SEEN_SHARDS_A_STEP]);
/* Whether a step touches a shard that is not in `s` as it was seen; `why` says which then. A shard that was not there is
 * none of them: it was made meanwhile, perhaps by this round. */
bool seen_shards_stale(const struct seen_shards *seen, const struct cluster_state *s, const struct cluster_step *step,
                       char *why, size_t size);
/* A step of the round has changed these shards, which it touched before, and `s` is what came of it. */
void seen_shards_changed(struct seen_shards *seen, const struct cluster_state *s,
                         const uint32_t shards[SEEN_SHARDS_A_STEP]);

#endif
