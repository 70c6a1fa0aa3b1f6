/* Databases: numbers that clients know, ids that rows carry, and how much each holds. */
#ifndef AIKV_KEYSPACE_DATABASES_H
#define AIKV_KEYSPACE_DATABASES_H

#include "base/codec.h"
#include "keyspace/keyspace.h"

#define DATABASES_MAX 16384u

struct database {
    uint32_t id;
    uint64_t size, expiring; /* keys; those with an expiry */
    uint64_t bytes; /* of all slots */
    struct keyspace_held *slots;      /* ROWKEY_SLOTS of them; NULL while there was no key */
    bool changed;            /* since the counts were written (counts.h) */
};

struct databases {
    struct database *list; /* by number */
    unsigned count;
    unsigned *by_id;  /* numbers in order of their ids */
    uint32_t next_id; /* ids are never used twice */
    struct keyspace_held held; /* all databases together */
    uint64_t expiring;
};

void databases_init(struct databases *d);
void databases_release(struct databases *d);
/* Adds numbers, with new ids, until there are `count`. */
void databases_grow(struct databases *d, unsigned count);
/* The database with this id; NULL: there is none. */
struct database *databases_find(const struct databases *d, uint32_t id);
/* One more key (or, with -1, one less) of a slot; `expiring` and `bytes` likewise. */
void databases_count(struct databases *d, struct database *db, unsigned slot, int keys, int expiring, int64_t bytes);
/* The slot holds so much (it held nothing). */
void databases_set_slot(struct databases *d, struct database *db, unsigned slot, struct keyspace_held held);
/* So many of its keys have an expiry (it was not known). */
void databases_set_expiring(struct databases *d, struct database *db, uint64_t expiring);
/* It is empty. */
void databases_clear(struct databases *d, struct database *db);
struct keyspace_held databases_slot(const struct database *db, unsigned slot);
/* Two numbers exchange their ids, and with them their rows and counts. */
void databases_swap(struct databases *d, unsigned a, unsigned b);

/* Next id, count, ids. Reading fails `r` on what cannot be. */
void databases_write(struct buffer *b, const struct databases *d);
void databases_read(struct reader *r, struct databases *d);

#endif
