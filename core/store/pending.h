/* The newest versions of rows that LMDB, as the owner sees it, does not have yet: found by key in a hash table, and in
 * key order by the first two bytes of the key (a slot has few pending rows; they are sorted when somebody asks). */
#ifndef AIKV_STORE_PENDING_H
#define AIKV_STORE_PENDING_H

#include "store/row.h"

#define PENDING_PREFIXES 65536u

struct pending_slot {
    uint64_t hash;
    struct row *row; /* NULL: empty */
};

struct pending {
    uint64_t seed[2];
    struct pending_slot *slots; /* open addressing, linear probing; cap is a power of two */
    size_t cap, count;
    struct row **chains;                    /* by prefix */
    uint64_t in_use[PENDING_PREFIXES / 64]; /* a bit for each chain that is not empty */
};

void pending_init(struct pending *p);
/* Forgets the rows, which are their turns'. */
void pending_release(struct pending *p);

/* The newest version of a key; NULL: none pending. */
struct row *pending_find(const struct pending *p, struct bytes key);
/* Makes `r` the newest version of its key. Returns the one before, which is no longer here; NULL: none. */
struct row *pending_put(struct pending *p, struct row *r);
/* Removes `r` if it still is the newest version of its key. */
void pending_remove(struct pending *p, struct row *r);
/* The first prefix from `from` on that has rows; PENDING_PREFIXES: none. */
unsigned pending_next_prefix(const struct pending *p, unsigned from);

#endif
