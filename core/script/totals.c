#include "script/totals.h"

uint32_t shard_place(const struct cluster_state *s, uint32_t number)
{
    const struct cluster_shard *shard = number ? cluster_shard_find(s, number) : NULL;
    return shard ? (uint32_t)(shard - s->shards) + 1 : 0;
}

void shard_totals(const struct cluster_state *s, const struct cluster_load *load, struct shard_totals *out)
{
    struct shard_totals *t = out;
    memset(out, 0, (s->shard_count + 1u) * sizeof *out);
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        if (!slot || s->owner[slot] != s->owner[slot - 1]) t = &out[shard_place(s, s->owner[slot])];
        t->slot_count++;
        if (!load) continue;
        t->keys += load->keys[slot];
        t->bytes += load->bytes[slot];
        t->milliops += load->milliops[slot];
    }
}
