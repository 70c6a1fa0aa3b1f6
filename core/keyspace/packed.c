#include "keyspace/packed.h"

#include <assert.h>

struct bytes packed_skip(struct bytes packed, uint64_t count)
{
    struct element el;
    for (; count; count--) {
        bool there = element_next(&packed, &el);
        assert(there);
        (void)there;
    }
    return packed;
}

/* Those up to `i`, as many as there is room for. */
static void find_places(struct packed_places *places, struct bytes packed, uint64_t i)
{
    places->known = i + 1 < PACKED_KNOWN ? (unsigned)i + 1 : PACKED_KNOWN;
    places->first = i + 1 - places->known;
    struct bytes rest = packed_skip(packed, places->first);
    for (unsigned k = 0; k < places->known; k++) {
        places->at[k] = (uint32_t)(packed.len - rest.len);
        if (k + 1 < places->known) rest = packed_skip(rest, 1);
    }
}

struct bytes packed_from(struct packed_places *places, struct bytes packed, uint64_t i)
{
    if (i < places->first || i - places->first >= places->known) find_places(places, packed, i);
    size_t at = places->at[i - places->first];
    return bytes_of(packed.data + at, packed.len - at);
}
