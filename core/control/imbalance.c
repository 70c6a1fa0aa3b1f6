#include "control/imbalance.h"

#include <stdlib.h>

/* By shard, in the state's order. */
struct amounts {
    uint64_t *slots, *keys, *bytes, *milliops;
};

static void add_slot(struct amounts *a, size_t shard, unsigned slot, const struct cluster_load *load)
{
    a->slots[shard]++;
    if (!load) return;
    a->keys[shard] += load->keys[slot];
    a->bytes[shard] += load->bytes[slot];
    a->milliops[shard] += load->milliops[slot];
}

static void add_up(const struct cluster_state *s, const struct cluster_load *load, struct amounts *out)
{
    const struct cluster_shard *shard = NULL; /* slots lie in ranges: the last one found is mostly the next */
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        if (!s->owner[slot]) continue;
        if (!shard || shard->number != s->owner[slot]) shard = cluster_shard_find(s, s->owner[slot]);
        add_slot(out, (size_t)(shard - s->shards), slot, load);
    }
}

/* Without fractions. The mean is rounded up: what cannot be divided evenly is even enough. */
static bool is_above(const uint64_t *amount, uint32_t count, uint64_t mean_min, uint64_t tolerance)
{
    uint64_t most = 0, sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += amount[i];
        if (amount[i] > most) most = amount[i];
    }
    const uint64_t mean = sum / count + (sum % count > 0);
    return mean >= mean_min && most > mean && most - mean > mean / 100 * tolerance + mean % 100 * tolerance / 100;
}

bool imbalance_holds(const struct cluster_state *s, const struct cluster_live *live)
{
    const uint32_t n = s->shard_count;
    if (n < 2) return false;
    uint64_t *all = calloc(n * (size_t)4, sizeof *all);
    if (!all) abort();
    struct amounts a = {all, all + n, all + n * (size_t)2, all + n * (size_t)3};
    add_up(s, live->load, &a);
    const uint64_t tolerance = (uint64_t)s->settings[CLUSTER_SETTING_tolerance];
    const bool holds = is_above(a.slots, n, 0, tolerance) || is_above(a.keys, n, IMBALANCE_KEYS_MIN, tolerance) ||
                       is_above(a.bytes, n, IMBALANCE_BYTES_MIN, tolerance) ||
                       is_above(a.milliops, n, IMBALANCE_MILLIOPS_MIN, tolerance);
    free(all);
    return holds;
}
