/* Tells the first of equal bytes from those that follow. Memory comes from an arena: that of the table, not of the bytes, which stay where they are. */
#ifndef AIKV_BASE_DISTINCT_H
#define AIKV_BASE_DISTINCT_H

#include "base/arena.h"
#include "base/bytes.h"

struct distinct {
    struct arena *arena;
    uint64_t seed[2];
    struct bytes *slots; /* data NULL: free */
    size_t count, cap;   /* cap: a power of two */
};

/* `random`: the state of random_next, for the hash's key. */
void distinct_init(struct distinct *d, struct arena *arena, uint64_t *random);
/* Whether no equal bytes were added before. These live as long as `d`. */
bool distinct_add(struct distinct *d, struct bytes b);

#endif
