/* One version of a row in memory.
 *
 * Key, value, sequence and `deleted` never change once the batch that made the version has ended (but see store_splice), so the checkpoint's
 * thread reads them without a lock. The rest is the owner's. */
#ifndef AIKV_STORE_ROW_H
#define AIKV_STORE_ROW_H

#include "base/bytes.h"

enum row_flag {
    ROW_SUPERSEDED = 1, /* a newer version stands in the table; the generation frees this one */
    ROW_TOUCHED = 2,    /* read since the clock's hand came by */
    ROW_IN_RECORD = 4,  /* the turn's record points into it */
    ROW_SAMPLED = 8,    /* one that store_sample gives; set before it stands in the table, for good */
};

struct row {
    uint64_t sequence; /* of the batch that wrote it; if it was read from LMDB: of the last batch then */
    uint32_t value_len;
    uint32_t place; /* in its generation */
    uint16_t key_len;
    bool deleted;
    uint8_t generation : 2; /* whose entry it is; 0: LMDB has the same, so it may go at any time */
    uint8_t flags : 6;
    uint32_t stamp;  /* store_value.stamp */
    uint8_t bytes[]; /* key, then value */
};

/* A version with room for its value, which the caller fills in. */
struct row *row_new(struct bytes key, size_t value_len, uint64_t sequence);
/* The same version, its value longer or shorter; it may have moved. Up to a quarter of its memory may stay free, so that a row that grows and shrinks by turns stays. */
struct row *row_resize(struct row *r, size_t value_len);
/* What it takes of the allocator's memory. */
size_t row_memory(struct row *r);

static inline void row_unflag(struct row *r, enum row_flag flag)
{
    r->flags = r->flags & ~(unsigned)flag & 63u;
}

static inline struct bytes row_key(const struct row *r)
{
    return bytes_of(r->bytes, r->key_len);
}

static inline struct bytes row_value(const struct row *r)
{
    return bytes_of(r->bytes + r->key_len, r->value_len);
}

/* The first two bytes of a key as a number that rises with keys (AiKv's rows: the slot). */
static inline unsigned row_prefix(struct bytes key)
{
    return key.len == 0 ? 0 : (unsigned)key.data[0] << 8 | (key.len > 1 ? key.data[1] : 0);
}

/* The first six bytes of a key, as if zeros followed a shorter one (AiKv's rows: slot and database). It rises with keys, so the keys of a
 * group are neighbours. */
#define ROW_GROUPS     ((uint64_t)1 << 48)
#define ROW_GROUP_SIZE 6

uint64_t row_group(struct bytes key);
/* The least key that the group can have, in `out`. */
struct bytes row_group_begin(uint64_t group, uint8_t out[ROW_GROUP_SIZE]);

/* Key order, older versions of a key first. */
int row_compare(const struct row *a, const struct row *b);
void row_sort(struct row **rows, size_t count);
/* Of sorted rows keeps the newest version of each key. Returns how many. */
size_t row_keep_newest(struct row **rows, size_t count);

#endif
