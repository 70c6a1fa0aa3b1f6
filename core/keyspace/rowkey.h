/* Names of rows: slot(2) · database id(4) · 'k' · hash(8) · key, or slot(2) · database id(4) · 'n' · object(8) · node(4), numbers big endian, so that a
 * database's part of a slot is one range: keys in order of their hashes, then the nodes of each object. Pure. */
#ifndef AIKV_KEYSPACE_ROWKEY_H
#define AIKV_KEYSPACE_ROWKEY_H

#include "base/bytes.h"

#define ROWKEY_SLOTS      16384u
#define ROWKEY_HEAD       15  /* bytes before the key */
#define ROWKEY_INLINE_MAX 400 /* longer keys are named by their hash */
#define ROWKEY_NAME_SIZE  32  /* ... of this many bytes */
#define ROWKEY_MAX        (ROWKEY_HEAD + ROWKEY_INLINE_MAX)

/* The secret keys of the hashes, all made from one seed. */
struct rowkey_seed {
    uint64_t hash[2];
    uint64_t name[ROWKEY_NAME_SIZE / 8][2];
};
void rowkey_seed_init(struct rowkey_seed *s, const uint64_t seed[2]);

struct rowkey {
    unsigned slot;
    uint32_t database_id;
    uint64_t hash;
    size_t len;
    uint8_t bytes[ROWKEY_MAX];
};

static inline struct bytes rowkey_bytes(const struct rowkey *r)
{
    return bytes_of(r->bytes, r->len);
}

/* Whether the row's value begins with the key because the name has only its hash. */
static inline bool rowkey_is_named_by_hash(struct bytes key)
{
    return key.len > ROWKEY_INLINE_MAX;
}

/* The name of a key's row. */
void rowkey_make(struct rowkey *out, const struct rowkey_seed *seed, unsigned slot, uint32_t database_id,
                 struct bytes key);
/* The least name of a key of the slot and database with this hash or a greater one. */
void rowkey_bound(struct rowkey *out, unsigned slot, uint32_t database_id, uint64_t hash);
/* Past all names of keys of the slot and database. */
void rowkey_end(struct rowkey *out, unsigned slot, uint32_t database_id);

struct rowkey_parts {
    unsigned slot;
    uint32_t database_id;
    uint64_t hash;
    struct bytes key; /* or the hash that names it */
};
/* False: not the name of a key's row. */
bool rowkey_parse(struct bytes name, struct rowkey_parts *out);

/* The row of a part of a value: node `number` of an object. */
#define ROWKEY_NODE_SIZE 19
struct rowkey_node {
    unsigned slot;
    uint32_t database_id;
    uint64_t object;
    uint32_t number;
};
/* Its name, in `out`. */
struct bytes rowkey_node_name(uint8_t out[ROWKEY_NODE_SIZE], const struct rowkey_node *node);
/* False: not the name of such a row. */
bool rowkey_node_parse(struct bytes name, struct rowkey_node *out);

#endif
