/* Sets of slots as sorted ranges, both ends included; adjoining ranges are one. */
#ifndef AIKV_CLUSTER_SLOTS_H
#define AIKV_CLUSTER_SLOTS_H

#include "base/codec.h"
#include "base/error.h"

#define CLUSTER_SLOTS 16384

/* Where the stretch of slots with one owner ends that begins at `from`. */
unsigned cluster_stretch_end(const uint32_t owner[CLUSTER_SLOTS], unsigned from);

struct cluster_range {
    uint16_t from, to;
};

struct cluster_ranges {
    struct cluster_range *list; /* owned */
    size_t count;
};

void cluster_ranges_release(struct cluster_ranges *r);
int cluster_ranges_copy(struct cluster_ranges *out, const struct cluster_ranges *from);
/* Adds a range at the end; it must begin after the last one ends (adjoining ones are joined). Errors: SYNTAX (order, 0 to 16383). */
int cluster_ranges_add(struct cluster_ranges *r, unsigned from, unsigned to, struct error *e);
size_t cluster_ranges_slots(const struct cluster_ranges *r);
/* Wire form: count, then from and to of each. Reading refuses what is not sorted and disjoint. */
void cluster_ranges_write(struct buffer *b, const struct cluster_ranges *r);
int cluster_ranges_read(struct reader *in, struct cluster_ranges *out, struct error *e);

#endif
