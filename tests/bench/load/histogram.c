#include "histogram.h"

#include <math.h>

/* Values below 64 have a bucket each; above, the six bits after the highest one choose. */
static uint32_t bucket_of(uint64_t value)
{
    if (value < LOAD_HISTOGRAM_STEPS) return (uint32_t)value;
    uint32_t shift = 57 - (uint32_t)__builtin_clzll(value);
    return (shift + 1) * LOAD_HISTOGRAM_STEPS + (uint32_t)(value >> shift) - LOAD_HISTOGRAM_STEPS;
}

static uint64_t end_of(uint32_t bucket)
{
    if (bucket < LOAD_HISTOGRAM_STEPS) return bucket;
    uint32_t shift = bucket / LOAD_HISTOGRAM_STEPS - 1;
    uint64_t first = (uint64_t)(bucket % LOAD_HISTOGRAM_STEPS + LOAD_HISTOGRAM_STEPS) << shift;
    return first + ((uint64_t)1 << shift) - 1;
}

void load_histogram_add(struct load_histogram *h, uint64_t value)
{
    h->count++;
    if (value > h->max) h->max = value;
    h->buckets[bucket_of(value)]++;
}

uint64_t load_histogram_percentile(const struct load_histogram *h, double percent)
{
    uint64_t wanted = (uint64_t)ceil((double)h->count * percent / 100), seen = 0;
    if (wanted >= h->count) return h->max;
    for (uint32_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= wanted && seen) return end_of(i) < h->max ? end_of(i) : h->max;
    }
    return h->max;
}
