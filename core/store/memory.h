/* Memory the store cannot do without: what it has promised to keep must be kept, so running out ends the process. How
 * much is asked for is bounded by the limits of requests and by store_pressure(). */
#ifndef AIKV_STORE_MEMORY_H
#define AIKV_STORE_MEMORY_H

#include <stdio.h>
#include <stdlib.h>

static inline void *memory_resize(void *old, size_t len_bytes)
{
    void *out = realloc(old, len_bytes);
    if (!out) {
        fprintf(stderr, "out of memory: %zu bytes for rows\n", len_bytes);
        abort();
    }
    return out;
}

static inline void *memory_zeroed(size_t count, size_t size)
{
    void *out = calloc(count, size);
    if (!out) {
        fprintf(stderr, "out of memory: %zu times %zu bytes for rows\n", count, size);
        abort();
    }
    return out;
}

#endif
