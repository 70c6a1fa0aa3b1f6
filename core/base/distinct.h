/* Tells the first of equal bytes from those that follow, and numbers them. Memory comes from an arena: that of the table, not of the bytes, which stay where they are. */
#ifndef AIKV_BASE_DISTINCT_H
#define AIKV_BASE_DISTINCT_H

#include "base/arena.h"
#include "base/bytes.h"

struct distinct_entry {
    struct bytes bytes; /* data NULL: a free slot */
    size_t number;      /* from 0, in the order in which they came */
};

struct distinct {
    struct arena *arena;
    uint64_t seed[2];
    struct distinct_entry *slots;
    size_t count, cap; /* cap: a power of two */
};

/* `random`: the state of random_next, for the hash's key. */
void distinct_init(struct distinct *d, struct arena *arena, uint64_t *random);
/* The entry of these bytes, until the next call. `is_new`: no equal bytes were added before. The entry's live as long as `d`; a new one may be given
 * equal bytes that do. */
struct distinct_entry *distinct_enter(struct distinct *d, struct bytes b, bool *is_new);
/* Whether no equal bytes were added before. These live as long as `d`. */
bool distinct_add(struct distinct *d, struct bytes b);

#endif
