/* Memory that is dropped all at once: what one command needs until its reply is written. Not for threads. */
#ifndef AIKV_BASE_ARENA_H
#define AIKV_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes of the newest block in use */
};

/* `size` bytes, aligned to 16, not cleared. Aborts when the system has no memory: callers bound what they ask for. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy of `len` bytes with a NUL behind them. */
char *arena_copy(struct arena *a, const void *data, size_t len);
/* Drops everything; keeps one block for the next time. */
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

#endif
