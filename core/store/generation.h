/* The rows that changed since a checkpoint: one entry a key, in the order of their first change, chained by the first two bytes of the key.
 *
 * The owner fills a generation. Once it is frozen its entries never change, and the checkpoint's thread reads them. */
#ifndef AIKV_STORE_GENERATION_H
#define AIKV_STORE_GENERATION_H

#include "store/drop.h"

#define GENERATION_PREFIXES 65536u

struct generation_entry {
    struct row *row;
    uint32_t next; /* with the same prefix: place + 1; 0: the last */
    uint32_t due;  /* in the heap of those that expire: place + 1; 0: it does not. The owner's, frozen or not */
};

struct generation_due {
    int64_t ms;
    uint32_t place;
};

struct generation {
    uint8_t id; /* what its rows carry */
    uint32_t count;
    struct generation_entry **chunks;
    size_t chunk_count; /* allocated ones; their room grows without moving what is there */
    uint32_t *heads;    /* by prefix: place + 1; 0: none */
    uint64_t in_use[GENERATION_PREFIXES / 64];
    struct generation_due *due; /* a heap (generation_due.c); the owner's */
    uint32_t due_count, due_cap;
    struct drop_list drops; /* of a frozen one: those since the checkpoint before */
    size_t memory; /* of its rows, as the owner counts it; the entries come on top (generation_overhead) */
};

void generation_init(struct generation *g, uint8_t id);
/* Frees the entries and drops, not the rows. */
void generation_release(struct generation *g);
/* Forgets all entries and drops. */
void generation_clear(struct generation *g);

void generation_add(struct generation *g, struct row *r);
/* `fresh` takes the place of an older version of the same key. */
void generation_replace(struct generation *g, const struct row *old, struct row *fresh);
struct generation_entry *generation_entry_at(const struct generation *g, uint32_t place);
static inline struct row *generation_at(const struct generation *g, uint32_t place)
{
    return generation_entry_at(g, place)->row;
}
size_t generation_overhead(const struct generation *g);

/* generation_due.c */

/* When the row at this place is due; STORE_NEVER: it does not expire. */
void generation_set_due(struct generation *g, uint32_t place, int64_t due_ms);
/* Up to `max` rows that are due, in no order. Returns how many. */
size_t generation_find_due(const struct generation *g, int64_t now_ms, struct row **out, size_t max);
/* For good: nothing expires here any more, and nothing is set. */
void generation_forget_due(struct generation *g);

/* The first prefix from `from` on that has rows; GENERATION_PREFIXES: none. */
unsigned generation_next_prefix(const struct generation *g, unsigned from);
/* The first row of a prefix, and the one after `r`; NULL: none. */
struct row *generation_first(const struct generation *g, unsigned prefix);
struct row *generation_next(const struct generation *g, const struct row *r);

#endif
