/* Latencies, counted in buckets that are 1/64 of a power of two wide: a percentile is at most 1.6 % too high. */
#pragma once

#include <stdint.h>

#define LOAD_HISTOGRAM_STEPS   64 /* buckets for each power of two */
#define LOAD_HISTOGRAM_BUCKETS (LOAD_HISTOGRAM_STEPS * 60)

struct load_histogram {
    uint64_t count, max;
    uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
};

void load_histogram_add(struct load_histogram *h, uint64_t value);

/* The least value that `percent` of those added do not exceed, rounded up to its bucket's end; 100 is the exact
 * maximum. 0 if none was added. */
uint64_t load_histogram_percentile(const struct load_histogram *h, double percent);
