#include "base/histogram.h"

#define EXACT 256 /* durations below have a bucket each; above, the seven bits after the highest one choose */
#define STEPS 128 /* buckets for each power of two above */

static uint32_t bucket_of(uint64_t us)
{
    uint32_t n = us > HISTOGRAM_MAX_US ? HISTOGRAM_MAX_US : (uint32_t)us;
    if (n < EXACT) return n;
    uint32_t shift = 24 - (uint32_t)__builtin_clz(n);
    return shift * STEPS + (n >> shift);
}

static uint64_t end_of(uint32_t bucket)
{
    if (bucket < EXACT) return bucket;
    uint32_t shift = bucket / STEPS - 1;
    uint64_t first = (uint64_t)(bucket % STEPS + STEPS) << shift;
    return first + (UINT64_C(1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t us)
{
    h->count++;
    h->buckets[bucket_of(us)]++;
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
    uint64_t wanted = (uint64_t)(percent / 100 * (double)h->count + 0.5), seen = 0;
    if (wanted == 0) wanted = 1;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= wanted) return end_of(i);
    }
    return 0;
}

uint64_t histogram_up_to(const struct histogram *h, uint64_t us)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i <= bucket_of(us); i++) seen += h->buckets[i];
    return seen;
}
