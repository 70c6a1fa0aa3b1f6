/* Packed elements (element.h) by number, and from the back: they can be read forwards only, so where some of them begin is remembered. Pure. */
#ifndef AIKV_KEYSPACE_PACKED_H
#define AIKV_KEYSPACE_PACKED_H

#include "keyspace/element.h"

/* `packed` without its first `count` elements, which are there. */
struct bytes packed_skip(struct bytes packed, uint64_t count);

#define PACKED_KNOWN 16
struct packed_places {
    uint64_t first; /* these elements, ... */
    unsigned known; /* ... so many, 0 to begin with, ... */
    uint32_t at[PACKED_KNOWN]; /* ... begin here */
};
/* `packed` from element `i` on, which is there. `places` is of this `packed`; going back one by one costs little more than going on. */
struct bytes packed_from(struct packed_places *places, struct bytes packed, uint64_t i);

#endif
