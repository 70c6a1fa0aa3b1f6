/* Durations, counted in buckets: exact up to 255 µs, above that to 1/128 of a power of two, so that what is read back is at most 0.8 % too
 * long. What takes longer than HISTOGRAM_MAX_US counts as that. */
#ifndef AIKV_BASE_HISTOGRAM_H
#define AIKV_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_MAX_US  ((UINT32_C(1) << 26) - 1) /* 67 s */
#define HISTOGRAM_BUCKETS (256 + 18 * 128)

struct histogram {
    uint64_t count;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t us);
/* The least duration that `percent` of those counted do not exceed, rounded up to its bucket's end; 0 if none was counted. */
uint64_t histogram_percentile(const struct histogram *h, double percent);
/* How many were in buckets that begin at `us` or before. */
uint64_t histogram_up_to(const struct histogram *h, uint64_t us);

#endif
