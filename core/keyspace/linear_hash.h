/* Linear hashing on rows (Litwin, Linear hashing: a new tool for file and table addressing, 1980): elements by key, in no order.
 *
 * Node n of the object is bucket n. With N buckets, 2^L <= N < 2^(L+1): an element is in bucket hash mod 2^(L+1) if there is one of that
 * number, else in hash mod 2^L; so it is one row away, and nothing but N need be known. The hash is keyed with the seed of the keyspace. When the
 * mean fill passes LINEAR_HASH_FILL bytes or LINEAR_HASH_ELEMENTS, the next bucket in turn is split in two; when it falls far below, the last ones are joined to those they
 * came from.
 *
 * A bucket's row: a tag (1 to 255, from the hash) for each element, a zero, the elements, the first one's tag last: so that an element comes with
 * one splice, where tags and elements meet. Whoever looks for a key compares tags first. An empty bucket has no row.
 *
 * The root is the caller's: it is read from the key's row, changed by what changes the hash, and written back before the command ends. Within a
 * command; bytes that are given lie in rows, until this hash is changed or the store flushed. */
#ifndef AIKV_KEYSPACE_LINEAR_HASH_H
#define AIKV_KEYSPACE_LINEAR_HASH_H

#include "base/error.h"
#include "keyspace/element.h"
#include "keyspace/node.h"

#define LINEAR_HASH_FILL     1000 /* bytes; elements that are larger have about a bucket each */
#define LINEAR_HASH_ELEMENTS 16   /* smaller ones have more buckets than their bytes need: they are passed one by one */
/* Key and value of one element. A bucket must fit a row of the store's: sixteen of these in one are not to be expected. */
#define LINEAR_HASH_ELEMENT_MAX ((size_t)64 << 20)

struct linear_hash {
    struct object_root root; /* root.object.nodes buckets */
};

#define LINEAR_HASH_SPARE 4 /* so many times the buckets wanted are kept */

/* ---- where elements are, for those who have rows read ahead (need.h) ---- */

/* The bucket that an element with this key is in, if there is one. */
uint32_t linear_hash_bucket(const struct keyspace *ks, const struct linear_hash *h, struct bytes key);
/* The bucket that bucket `last` is split from, or joined to. */
uint32_t linear_hash_origin(uint32_t last);
/* How many buckets its elements fill. Each change is followed by a split if there are fewer; each that takes an
 * element by up to LINEAR_HASH_SPARE joins if there are more than LINEAR_HASH_SPARE times as many. */
uint64_t linear_hash_wanted(const struct linear_hash *h);

/* The bucket that linear_hash_scan() gives at a cursor, which becomes the next one. */
uint32_t linear_hash_scanned(const struct linear_hash *h, uint64_t *cursor);

/* A new one, without elements, in a new object. */
void linear_hash_init(struct linear_hash *h, const struct object *object);

bool linear_hash_get(struct keyspace *ks, const struct linear_hash *h, struct bytes key, struct element *out);
/* Adds an element, or puts it in place of the one with its key; of the same size, that leaves the root as it is. Its bytes do not lie in rows. Returns whether it is
 * a new one. */
bool linear_hash_put(struct keyspace *ks, struct linear_hash *h, const struct element *el);
/* linear_hash_put for values that are all of one length: that of the one that was there is copied into `before`. */
bool linear_hash_exchange(struct keyspace *ks, struct linear_hash *h, const struct element *el, uint8_t *before);
/* linear_hash_put, but one that is there stays as it is, and nothing is written. */
bool linear_hash_add(struct keyspace *ks, struct linear_hash *h, const struct element *el);
/* Whether there was one. */
bool linear_hash_remove(struct keyspace *ks, struct linear_hash *h, struct bytes key);

/* All elements, each once, if nothing is written meanwhile. Zeros to begin with. */
struct linear_hash_walk {
    uint32_t bucket; /* the next one */
    struct bytes packed;
};
bool linear_hash_next(struct keyspace *ks, const struct linear_hash *h, struct linear_hash_walk *w, struct element *out);

/* One bucket's elements and the next cursor, 0 at the end; 0 to begin with. Buckets come in the order of their reversed bits: what is there from
 * the first call to the last is given at least once, whatever is put, removed, split or joined in between (Redis's dictScan). */
uint64_t linear_hash_scan(struct keyspace *ks, const struct linear_hash *h, uint64_t cursor,
                          void (*visit)(void *user, const struct element *el), void *user);

/* An element, each about as likely; there is one. `random` is the state of random_next, drawn from as often as it takes. */
void linear_hash_random(struct keyspace *ks, const struct linear_hash *h, uint64_t *random, struct element *out);

/* What must hold: each element in its bucket, with its tag, no key twice, count and bytes as the root says. Errors: FORMAT. */
int linear_hash_check(struct keyspace *ks, const struct linear_hash *h, struct error *e);

#endif
