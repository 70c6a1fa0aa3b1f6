/* The allocator that the node is linked with: jemalloc, or libc's where there is none or a sanitizer wants it. */
#ifndef AIKV_SERVER_ALLOCATOR_H
#define AIKV_SERVER_ALLOCATOR_H

#include "base/buffer.h"

#ifndef AIKV_ALLOCATOR
#define AIKV_ALLOCATOR "libc"
#endif

struct allocator_statistics {
    uint64_t used;             /* bytes asked for and not given back */
    uint64_t active, resident; /* bytes of pages that hold some of it, and of pages it keeps; 0: it does not tell */
};

void allocator_statistics(struct allocator_statistics *out);
/* Gives pages that hold nothing back to the system. */
bool allocator_purge(void);
/* Appends what the allocator tells of itself, as text for people; false: it does not. */
bool allocator_describe(struct buffer *out);

#endif
