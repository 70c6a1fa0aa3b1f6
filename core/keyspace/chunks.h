/* Strings over CHUNKS_WHOLE_MAX: their bytes in rows of their own, CHUNKS_BYTES a row, by number from 0. A row that is not there, or shorter than
 * its part of the string, stands for zeros: a byte written far behind the end takes one row.
 *
 * The payload of the key's row: object(8) · slot(2) · length(8). The slot is that of the rows: RENAME gives the object to another key and moves
 * nothing. */
#ifndef AIKV_KEYSPACE_CHUNKS_H
#define AIKV_KEYSPACE_CHUNKS_H

#include "keyspace/keyspace.h"
#include "keyspace/objects.h"

#define CHUNKS_WHOLE_MAX ((size_t)64 << 10)

/* A little less than 16 KiB, so that the row takes no more than that with its head: in LMDB (20 bytes, with the checksum) four pages instead of five, in memory
 * (the row's head and name, 40 bytes) jemalloc's class of 16 KiB instead of the one of 20. */
#define CHUNKS_BYTES ((size_t)16320)

#define CHUNKS_PAYLOAD   18
#define CHUNKS_LENGTH_AT 10 /* in the payload: 8 bytes */

struct chunks {
    struct object object; /* its nodes follow from the length */
    uint64_t len;
};

static inline struct chunks chunks_of(struct object object, uint64_t len)
{
    object.nodes = (uint32_t)((len + CHUNKS_BYTES - 1) / CHUNKS_BYTES);
    return (struct chunks){object, len};
}

/* False: damaged. */
bool chunks_parse(struct bytes payload, uint32_t database_id, struct chunks *out);
/* Into `out`. */
struct bytes chunks_payload(uint8_t out[CHUNKS_PAYLOAD], const struct chunks *c);

/* The bytes from `at` on; at + len is at most the length. */
void chunks_read(struct keyspace *ks, const struct chunks *c, uint64_t at, size_t len, uint8_t *out);
/* The bytes from `at` on, below the length, that lie in one row; without `data`: zeros. */
struct bytes chunks_piece(struct keyspace *ks, const struct chunks *c, uint64_t at);

/* In a batch; all that is written lies within the length that `c` tells. */

/* Writes the beginning anew, row by row: of an object that is new, or that is overwritten as a whole. */
void chunks_put(struct keyspace *ks, const struct chunks *c, struct bytes value);
/* The same with the bytes that `fill` gives, in order, one call a row; rows of zeros are left out. */
void chunks_make(struct keyspace *ks, const struct chunks *c, void (*fill)(void *user, size_t at, uint8_t *out, size_t len), void *user);
/* Writes over what is there. */
void chunks_write(struct keyspace *ks, const struct chunks *c, uint64_t offset, struct bytes with);

#endif
