/* A hash table of things that outsiders name: keys, channels. The things are the caller's, with a names_entry in each, and stay where they are. */
#ifndef AIKV_BASE_NAMES_H
#define AIKV_BASE_NAMES_H

#include "base/bytes.h"

struct names_entry {
    struct bytes name; /* the caller's; set it before names_add, and keep it as long as the entry is in a table */
    uint64_t hash;     /* the table's, as is the rest */
    struct names_entry *next;
};

struct names {
    uint64_t seed[2]; /* of the hash */
    struct names_entry **buckets;
    size_t count, bucket_count; /* buckets are a power of two; none while nothing was added */
};

/* An empty table, which allocates nothing yet. The seed is to be secret: names are chosen by others. */
void names_init(struct names *n, const uint64_t seed[2]);
/* Forgets the entries, which stay the caller's. The table is empty, and may be used again. */
void names_release(struct names *n);

/* NULL: there is none. */
struct names_entry *names_find(const struct names *n, struct bytes name);
/* One whose name is not in the table. Aborts when the system has no memory. */
void names_add(struct names *n, struct names_entry *entry);
/* One that is in the table. The table shrinks with its content. */
void names_remove(struct names *n, struct names_entry *entry);
/* The entry behind this one, in no order; NULL for `entry`: the first. NULL: there are no more. Nothing may be added or removed meanwhile. */
struct names_entry *names_next(const struct names *n, const struct names_entry *entry);

#endif
