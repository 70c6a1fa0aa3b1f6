/* What a keyspace is made of. */
#ifndef AIKV_KEYSPACE_KEYSPACE_STATE_H
#define AIKV_KEYSPACE_KEYSPACE_STATE_H

#include "keyspace/candidates.h"
#include "keyspace/chunks.h"
#include "keyspace/databases.h"
#include "keyspace/entry.h"
#include "keyspace/keyspace.h"
#include "keyspace/objects.h"
#include "keyspace/rowkey.h"
#include "keyspace/usage.h"

#define KEYSPACE_FORMAT 2

struct keyspace {
    struct store *store;
    unsigned usable; /* databases clients may select; the map may know of more, empty ones */
    struct databases databases;
    struct objects objects;
    uint64_t seed_bytes[2]; /* as stored */
    struct rowkey_seed seed;
    struct store_position written; /* of the last batch */
    struct store_position flushed; /* of the last one that flushed or swapped: a key may be missing, or there, because of it */
    uint64_t counted;              /* sequence of the last batch that holds counts */
    uint64_t expired_total, evicted_total;
    struct keyspace_small small;
    struct keyspace_listener listener; /* `changed` NULL: nobody listens */

    /* The command that runs. */
    unsigned depth; /* begins without their ends */
    unsigned current;
    int64_t now_ms;
    struct store_position seen; /* the highest position of what it read */
    bool flushes;
    bool quiet; /* what changes now of a key that there is, nobody is told of */
    bool only_looks;        /* what it looks up does not count as used */
    uint64_t used;          /* hash of the key that it used last; 0: none yet */

    /* The clock of usage.h. */
    int64_t clock_from_ms, clock_ms; /* wall time, when it began; of the second that it shows */
    uint32_t clock_s;
    struct usage_rules usage;
    struct keyspace_eviction eviction;
    struct candidates candidates; /* to be evicted */
    uint64_t random;              /* state of random_next() */

    /* The key looked up last, so that finding and then putting it costs one look-up. */
    struct keyspace_place {
        struct rowkey row;
        struct bytes key; /* as it was given */
        bool known, exists, expiring;
        uint64_t bytes;          /* as counted; 0 if there is no key */
        uint32_t *usage;         /* of one that exists; NULL: its row is not in memory */
        unsigned object_count;   /* of its value */
        struct object objects[ENTRY_ROOTS_MAX];
    } place;

    struct buffer draft; /* a small payload that is being changed (draft.h) */

    /* The rows that keyspace_prefetch was told of, in order; `at`: the one looked up last. */
    struct {
        size_t at, count;
        struct rowkey rows[STORE_AHEAD_MAX];
    } ahead;
};

/* The command has seen something of this position. */
static inline void keyspace_note(struct keyspace *ks, struct store_position p)
{
    if (store_position_compare(p, ks->seen) > 0) ks->seen = p;
}

/* What a key counts in bytes. The key's row tells it all, so that a start need look at no others. */
static inline uint64_t keyspace_row_bytes(size_t name_len, const struct entry *en)
{
    struct object_root roots[ENTRY_ROOTS_MAX];
    uint64_t bytes = name_len + entry_size(en);
    if (en->form == ENTRY_WHOLE) return bytes;
    for (unsigned i = entry_roots(en, 0, roots); i > 0; i--) bytes += roots[i - 1].bytes;
    return bytes;
}

/* Every change of a key must be told of, once it is made: that those who watch it see it. */
static inline void keyspace_tell(const struct keyspace *ks, unsigned database, struct bytes key, enum keyspace_change change)
{
    if (ks->listener.changed && !(ks->quiet && change == KEYSPACE_CHANGED)) ks->listener.changed(ks->listener.user, database, key, change);
}

/* The value at ks->place, which exists, was changed in rows of its own only. What writes the key's row tells by itself: keyspace_put_entry,
 * keyspace_splice_payload, keyspace_expire, keyspace_drop. */
static inline void keyspace_tell_changed(const struct keyspace *ks)
{
    keyspace_tell(ks, ks->current, ks->place.key, KEYSPACE_CHANGED);
}

/* keys.c */

/* keyspace_find with all that the row has. False: no key; *en is that of an empty string without expiry. ks->place is the key's in any case. */
bool keyspace_find_entry(struct keyspace *ks, struct bytes key, struct entry *en);
/* Makes ks->place the key's, at no cost if the command has just looked it up. The key given must live until the next look-up. */
void keyspace_go_to(struct keyspace *ks, struct bytes key);
/* Writes the key's row (its name is seen to here) in place of what is there. Objects of the old value that the new one does not have are
 * nobody's then. The payload may lie in the row that is replaced. */
void keyspace_put_entry(struct keyspace *ks, struct bytes key, struct entry *en);
/* Changes a part of the payload of the key at ks->place, whose entry `en` was, and which keeps its objects: in place of `removed` bytes at `at`
 * come others. `held` is by how much the bytes change that it has in rows of its own. What `en` points to is no more. */
void keyspace_splice_payload(struct keyspace *ks, const struct entry *en, size_t at, size_t removed, struct bytes inserted, int64_t held);
/* One without nodes yet, in the slot of the key at ks->place. */
static inline struct object keyspace_new_object(struct keyspace *ks)
{
    const struct rowkey *row = &ks->place.row;
    return (struct object){.slot = row->slot, .database_id = row->database_id, .id = objects_new_id(&ks->objects, ks->store)};
}
/* Deletes the key at ks->place, which exists, and its value. */
void keyspace_drop(struct keyspace *ks);

/* sweep.c: deletes a key's row, which holds `en`, and hands over what the value has besides; tells and counts `why`. In a batch. `name` is not in the row. */
void keyspace_delete_row(struct keyspace *ks, struct bytes name, const struct rowkey_parts *at, const struct entry *en, enum keyspace_change why);
/* evict.c: the clock shows `now_ms`, which is of another second. */
void keyspace_set_clock(struct keyspace *ks, int64_t now_ms);
static inline void keyspace_see_time(struct keyspace *ks, int64_t now_ms)
{
    if (now_ms < ks->clock_ms || now_ms - ks->clock_ms >= 1000) keyspace_set_clock(ks, now_ms);
}

/* Writes the map of databases, in the open batch. */
void keyspace_write_meta(struct keyspace *ks);
/* Where the rows of slots end. */
struct bytes keyspace_rows_end(void);

/* ahead.c: rowkey_make() for a key of the current database, remembered. */
void keyspace_name_row(struct keyspace *ks, struct bytes key, struct rowkey *out);

/* The keys of a slot of the current database, from a hash on. */
struct store_iterator *keyspace_iterate_slot(struct keyspace *ks, unsigned slot, uint64_t hash);
/* Its next key and entry, which live until the next call; false at the end. */
bool keyspace_next_entry(struct store_iterator *it, struct rowkey_parts *at, struct entry *en);

#endif
