/* One version of a row that is not in LMDB yet, and the turns that carry such versions there.
 *
 * A version belongs to one turn. While the turn is the owner's, the owner may replace it; once the turn is handed over,
 * key, value, sequence and kind never change, so the writer reads them without a lock. `next` and `prev` stay the
 * owner's. */
#ifndef AIKV_STORE_ROW_H
#define AIKV_STORE_ROW_H

#include "base/bytes.h"

struct row {
    struct row *next, *prev; /* pending rows with the same prefix */
    uint64_t hash;           /* of the key, in the table of pending rows */
    uint64_t sequence;       /* of the batch that wrote it */
    size_t place;            /* in its turn */
    size_t value_len;
    uint16_t key_len;
    bool deleted;
    uint8_t bytes[]; /* key, then value */
};

struct turn {
    struct turn *next;
    struct row **rows; /* at most one version of a key */
    size_t count, cap;
    size_t size_bytes;
    uint64_t sequence; /* of its last batch */
};

/* A version with room for its value, which the caller fills in. */
struct row *row_new(struct bytes key, size_t value_len, uint64_t sequence);

static inline struct bytes row_key(const struct row *r)
{
    return bytes_of(r->bytes, r->key_len);
}

static inline struct bytes row_value(const struct row *r)
{
    return bytes_of(r->bytes + r->key_len, r->value_len);
}

static inline size_t row_size(const struct row *r)
{
    return sizeof *r + r->key_len + r->value_len;
}

/* The first two bytes of a key as a number that rises with keys (AiKv's rows: the slot). */
static inline unsigned row_prefix(struct bytes key)
{
    return key.len == 0 ? 0 : (unsigned)key.data[0] << 8 | (key.len > 1 ? key.data[1] : 0);
}

/* Key order, older versions of a key first. */
int row_compare(const struct row *a, const struct row *b);
void row_sort(struct row **rows, size_t count);

struct turn *turn_new(void);
/* Takes the version over. */
void turn_add(struct turn *t, struct row *r);
/* Puts `fresh` in the place of `old`, which is the caller's from then on. */
void turn_replace(struct turn *t, struct row *old, struct row *fresh);
/* Frees a list of turns with their rows. */
void turn_free_all(struct turn *first);

#endif
