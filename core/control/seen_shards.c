#include "control/seen_shards.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct seen_shard *find(const struct seen_shards *seen, uint32_t number)
{
    for (uint32_t i = 0; number && i < seen->count; i++)
        if (seen->list[i].number == number) return &seen->list[i];
    return NULL;
}

static void resize(struct seen_shards *seen, uint32_t count)
{
    seen_shards_release(seen);
    if (count == 0) return;
    seen->list = malloc(count * sizeof *seen->list);
    if (!seen->list) abort();
    seen->count = count;
}

void seen_shards_take(struct seen_shards *seen, const struct cluster_state *s)
{
    resize(seen, s->shard_count);
    for (uint32_t i = 0; i < s->shard_count; i++)
        seen->list[i] = (struct seen_shard){s->shards[i].number, s->shards[i].epoch};
}

void seen_shards_copy(struct seen_shards *seen, const struct seen_shards *from)
{
    resize(seen, from->count);
    for (uint32_t i = 0; i < from->count; i++) seen->list[i] = from->list[i];
}

void seen_shards_release(struct seen_shards *seen)
{
    free(seen->list);
    *seen = (struct seen_shards){0};
}

void seen_shards_of_step(const struct cluster_state *s, const struct cluster_step *step,
                         uint32_t out[SEEN_SHARDS_A_STEP])
{
    const struct cluster_node *n = step->node[0] ? cluster_node_find(s, step->node) : NULL;
    memset(out, 0, SEEN_SHARDS_A_STEP * sizeof *out);
    if (!(cluster_op_info(step->op)->touches & CLUSTER_TOUCH_SHARD)) return;
    out[0] = step->shard;
    out[1] = step->to;
    if (n && n->shard != step->shard && n->shard != step->to) out[2] = n->shard;
}

bool seen_shards_stale(const struct seen_shards *seen, const struct cluster_state *s, const struct cluster_step *step,
                       char *why, size_t size)
{
    uint32_t shards[SEEN_SHARDS_A_STEP];
    seen_shards_of_step(s, step, shards);
    for (int i = 0; i < SEEN_SHARDS_A_STEP; i++) {
        const struct seen_shard *was = find(seen, shards[i]);
        const struct cluster_shard *is = was ? cluster_shard_find(s, was->number) : NULL;
        if (!was || (is && is->epoch == was->epoch)) continue;
        if (is)
            snprintf(why, size, "shard s%u has changed since this was planned: its epoch is %" PRIu64 ", not %" PRIu64,
                     was->number, is->epoch, was->epoch);
        else
            snprintf(why, size, "shard s%u is gone since this was planned", was->number);
        return true;
    }
    return false;
}

/* An epoch that rose by more than this step's one was raised by somebody else as well: that stays unseen. */
void seen_shards_changed(struct seen_shards *seen, const struct cluster_state *s,
                         const uint32_t shards[SEEN_SHARDS_A_STEP])
{
    for (int i = 0; i < SEEN_SHARDS_A_STEP; i++) {
        struct seen_shard *was = find(seen, shards[i]);
        if (!was) continue;
        if (cluster_shard_find(s, was->number))
            was->epoch++;
        else
            was->number = 0; /* dropped, as was wanted */
    }
}
