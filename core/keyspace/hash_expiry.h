/* Fields with an expiry: how it is held, and the index by which those whose time has come are found. Within hash*.c.
 *
 * The value of such a field begins with the time, 8 bytes, little endian, and its element has the mark. A large hash with such fields has a tree of them:
 * expiry (8, big endian) · name. The key's row has a time before which no field expires: the sweeper looks at the hash then, and puts it right. */
#ifndef AIKV_KEYSPACE_HASH_EXPIRY_H
#define AIKV_KEYSPACE_HASH_EXPIRY_H

#include <endian.h>

#include "keyspace/hash.h"
#include "keyspace/keyspace_state.h"

static inline int64_t hash_element_expiry(const struct element *el)
{
    uint64_t ms;
    if (!el->mark) return KEYSPACE_NO_EXPIRY;
    memcpy(&ms, el->value.data, sizeof ms);
    return (int64_t)le64toh(ms);
}

static inline bool hash_is_due(const struct keyspace_hash *h, int64_t expires_ms)
{
    return expires_ms != KEYSPACE_NO_EXPIRY && expires_ms <= h->fields.ks->now_ms;
}

/* Whether the element is a field that is still there. */
static inline bool hash_is_alive(const struct keyspace_hash *h, const struct element *el)
{
    return !hash_is_due(h, hash_element_expiry(el));
}

/* keyspace_hash_open in any database, to be looked at only. */
void hash_open_in(struct keyspace_hash *h, struct keyspace *ks, uint32_t database_id, struct bytes key, const struct keyspace_entry *found);
/* A field was put whose expiry was `before`: the index follows. */
void hash_note_expiry(struct keyspace_hash *h, struct bytes name, int64_t before, int64_t now);
/* How many of the fields that are held are not there any more. */
uint64_t hash_count_due(const struct keyspace_hash *h);

#endif
