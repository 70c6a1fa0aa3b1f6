/* All rows in memory, found by key: extendible hashing over segments of one page.
 *
 * A directory, indexed by the upper bits of the hash, points to segments; a segment is an open-addressing table of (tag, pointer)
 * slots, one word each. A full segment splits in two, two that are nearly empty become one: no operation ever does more than that, so the table
 * grows without a pause. The tag is the hash's low 16 bits and alone decides where in its segment a row is looked for, so that rows can
 * be moved and removed without touching them. A bit of the pointer, which addresses of rows leave free, says whether the row is ROW_SAMPLED, so that
 * looking for one touches no others. The hash is seeded: outsiders cannot aim at a segment. */
#ifndef AIKV_STORE_TABLE_H
#define AIKV_STORE_TABLE_H

#include "store/row.h"

struct segment;

struct table {
    uint64_t seed[2];
    struct segment **directory; /* 2^depth; neighbours may share one */
    unsigned depth;
    size_t rows;
    size_t memory; /* of directory and segments */
    struct {
        size_t at;     /* in the directory */
        unsigned slot; /* in the segment */
    } hand;
    size_t purge_at; /* in the directory: where table_purge goes on */
};

void table_init(struct table *t);
/* Frees the table, not the rows. */
void table_release(struct table *t);

uint64_t table_hash(const struct table *t, struct bytes key);
/* `hash` is table_hash() of the key. NULL: no such row. */
struct row *table_find(const struct table *t, uint64_t hash, struct bytes key);
/* Has the processor fetch what table_find will look at; the row some time after the slots. */
void table_prefetch_slots(const struct table *t, uint64_t hash);
void table_prefetch_row(const struct table *t, uint64_t hash);
/* Makes `r` the version of its key that is found. Returns the one before; NULL: none. */
struct row *table_put(struct table *t, uint64_t hash, struct row *r);
/* A row that is in the table has moved in memory. */
void table_move(struct table *t, uint64_t hash, const struct row *from, struct row *to);
/* Removes a row that is in the table. */
void table_remove(struct table *t, uint64_t hash, const struct row *r);

/* The clock's hand passes `slots` slots (fewer at the end of the table, which begins anew) and removes the rows for which `drop`
 * says so. */
void table_sweep(struct table *t, size_t slots, bool (*drop)(void *user, struct row *r), void *user);
/* Another hand: passes up to `segments` segments of some hundred rows and removes the rows for which `drop` says so. True: at the end. Every row
 * that is in the table from a beginning to an end was passed. */
bool table_purge(struct table *t, size_t segments, bool (*drop)(void *user, struct row *r), void *user);
/* Rows that are ROW_SAMPLED, up to `count`, from a random place on; TABLE_SAMPLE_SLOTS slots are looked at, no more. Returns how many. */
#define TABLE_SAMPLE_SLOTS 8192
size_t table_sample(const struct table *t, uint64_t random, struct row **out, size_t count);
void table_each(const struct table *t, void (*visit)(void *user, struct row *r), void *user);

#endif
