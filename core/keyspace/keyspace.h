/* The keyspace: what Redis's commands see, on rows. Databases, keys, expiry; one command at a time. What a value holds is in the headers of the
 * types: string.h.
 *
 * Rows (design: keyspace.md):
 *   key row   slot(2, big endian) · database id(4, big endian) · 'k' · hash(8, big endian) · key
 *             value: type(1) · form(1) · flags(1) · [expiry, ms since 1970, 8, if flag] · payload
 *             a key over 400 bytes is named by its 32-byte hash in the row key; the key itself opens the payload.
 *   node rows of larger values: slot · database id · 'n' · object(8) · node(4). The key's payload names the object.
 *   slot 0xffff holds what belongs to no slot: format, hash seed, the map from database numbers to ids, objects to be deleted.
 * `hash` is a seeded 64-bit hash of the key (the seed is kept with the data), so that SCAN's cursor is an integer: slot and hash.
 * Database numbers map to ids, so that two can change places; flushing one is a drop of the store's. The store knows when rows
 * are due, and a sweeper deletes these. */
#ifndef AIKV_KEYSPACE_KEYSPACE_H
#define AIKV_KEYSPACE_KEYSPACE_H

#include "base/buffer.h"
#include "store/store.h"

struct keyspace;

/* `now_ms` below is wall time; it decides what has expired, and stands still during a command. */

/* What store_options.expiry must be. Pure. */
int64_t keyspace_expiry(struct bytes name, struct bytes value);
/* ... and store_options.sampled: keys' rows are. Pure. */
bool keyspace_sampled(struct bytes name);
/* Opens the keyspace in `store`, right after store_open. How many keys there are comes with the store's checkpoint and what was written since
 * (keyspace_close and each checkpoint store it); where that is not so, the rows are counted. A `databases` lower than keys need is an error. */
int keyspace_open(struct store *store, unsigned databases, struct keyspace **out, struct error *e);
void keyspace_close(struct keyspace *ks);

/* A command runs between begin and end: its changes are one batch. `end` returns the position that the reply must wait for:
 * the highest among what was written and what was read; 0/0 for none.
 * Between an outer begin and its end others may come, each with its database: all their changes are one batch, at the time of the outermost,
 * whose end alone returns a position. */
void keyspace_begin(struct keyspace *ks, unsigned database, int64_t now_ms);
struct store_position keyspace_end(struct keyspace *ks);
/* Of the last batch that wrote. */
struct store_position keyspace_written(const struct keyspace *ks);

/* The numbers are those of the rows. */
enum keyspace_type { KEYSPACE_NONE, KEYSPACE_STRING, KEYSPACE_HASH, KEYSPACE_LIST, KEYSPACE_SET, KEYSPACE_ZSET, KEYSPACE_STREAM, KEYSPACE_TYPES };
const char *keyspace_type_name(enum keyspace_type type); /* "none", "string", "zset" as TYPE says */

#define KEYSPACE_NO_EXPIRY INT64_MIN
struct keyspace_entry {
    enum keyspace_type type; /* KEYSPACE_NONE: no such key (or expired) */
    int64_t expires_ms;      /* or KEYSPACE_NO_EXPIRY */
    /* For the types: how the value is held, and what the key's row has of it, until the key is changed. */
    unsigned form;
    struct bytes payload;
    int64_t fields_ms;
};
/* Looks a key up. An expired key is deleted on the way and reads as none. */
struct keyspace_entry keyspace_find(struct keyspace *ks, struct bytes key);
/* Bytes of a key's rows, names and values, as they are counted (struct keyspace_held). 0: no such key. */
uint64_t keyspace_key_bytes(struct keyspace *ks, struct bytes key);
/* These keys of a database will be looked up soon, in this order, by the commands to come: has their rows brought near. Of more than
 * STORE_AHEAD_MAX the rest are ignored. */
void keyspace_prefetch(struct keyspace *ks, unsigned database, const struct bytes *keys, size_t count);
/* Whether there was one. */
bool keyspace_delete(struct keyspace *ks, struct bytes key);
/* Changes the expiry (KEYSPACE_NO_EXPIRY: none); a time not after now deletes the key. False: no such key. */
bool keyspace_expire(struct keyspace *ks, struct bytes key, int64_t expires_ms);

/* ---- who wants to know of changes ---- */

enum keyspace_change {
    KEYSPACE_CREATED, /* there was no such key */
    KEYSPACE_CHANGED, /* its value or its expiry, even to what it was; not if only a stream's consumer groups have */
    KEYSPACE_DELETED,
    KEYSPACE_EXPIRED, /* deleted since its time had come */
    KEYSPACE_EVICTED, /* deleted to make room */
    /* Told of beside CHANGED or DELETED: */
    KEYSPACE_FIELDS_EXPIRED,      /* fields of a hash were deleted since their time had come ... */
    KEYSPACE_LAST_FIELDS_EXPIRED, /* ... and with them the key */
};
/* Called with each change of a key, from wherever it comes, after it was made and in its batch. `key` lives until the return. Nothing of the
 * keyspace may be called from there. Databases that are flushed or swapped as a whole are not told of. */
struct keyspace_listener {
    void *user;
    void (*changed)(void *user, unsigned database, struct bytes key, enum keyspace_change change);
};
/* One at most; copied. NULL: nobody. */
void keyspace_listen(struct keyspace *ks, const struct keyspace_listener *listener);

/* Tells of a change of a key of the current database where there was none: some commands of Redis's count as one all the same. */
void keyspace_touch(const struct keyspace *ks, struct bytes key);

/* ---- from one key to another: value and expiry. A large value is copied row by row; moved within a database, it stays where it is ---- */
struct keyspace_destination {
    unsigned database;
    struct bytes key;
    bool replace; /* a key that is there already */
};
enum keyspace_transfer { KEYSPACE_TRANSFERRED, KEYSPACE_NO_SOURCE, KEYSPACE_OCCUPIED };
/* From a key of the current database. To itself nothing is done: TRANSFERRED with `replace`, else OCCUPIED. */
enum keyspace_transfer keyspace_copy(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to);
/* The same, and `from` is gone afterwards. */
enum keyspace_transfer keyspace_move(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to);

/* ---- whole databases ---- */
uint64_t keyspace_size(struct keyspace *ks, unsigned database);
/* Keys of `database` that have an expiry. */
uint64_t keyspace_expiring(struct keyspace *ks, unsigned database);
/* Drops a database, or all (constant time; the space comes back later). */
void keyspace_flush(struct keyspace *ks, unsigned database);
void keyspace_flush_all(struct keyspace *ks);
/* Two databases change places (constant time). */
void keyspace_swap(struct keyspace *ks, unsigned a, unsigned b);

/* SCAN: at least `count` keys (fewer at the end, and where many have expired) from `cursor` on; each key that is there from the first
 * call to the last is given at least once. Returns the next cursor, 0 at the end. `visit` must not change the keyspace; expired keys
 * are left out. */
uint64_t keyspace_scan(struct keyspace *ks, uint64_t cursor, size_t count,
                       void (*visit)(void *user, struct bytes key, const struct keyspace_entry *entry), void *user);

/* A random key of the current database into `key`, about all as likely; `random` is any number. Expired keys met on the way are
 * deleted. False: there is none, or 100 in a row had expired. A key that does not fit sets key->failed. */
bool keyspace_random(struct keyspace *ks, uint64_t random, struct buffer *key);

/* ---- how keys are used, and which of them go when there are too many ---- */

/* Looking a key up counts as using it; not what the command that runs looks up from here on, if `only`. */
void keyspace_only_look(struct keyspace *ks, bool only);
/* Of the key looked up last, which is there: when it was used, before that unless it counted; where the order is LEAST_OFTEN, how often (0 to 255). A
 * key whose row comes from disk was used just then, for the first time. */
uint32_t keyspace_idle_s(const struct keyspace *ks);
unsigned keyspace_frequency(const struct keyspace *ks);

/* The key, if it is there, is as one that was last used so long ago, a year before the node's start at most; or, where the order is LEAST_OFTEN, so often. */
void keyspace_set_idle(struct keyspace *ks, struct bytes key, uint64_t idle_s);
void keyspace_set_frequency(struct keyspace *ks, struct bytes key, unsigned frequency);

enum keyspace_order { KEYSPACE_LEAST_LATELY, KEYSPACE_LEAST_OFTEN, KEYSPACE_ANY, KEYSPACE_DUE_FIRST };
struct keyspace_eviction { /* all zeros at first */
    enum keyspace_order order;
    bool expiring_only; /* no other keys go */
    unsigned samples;   /* keys that are looked at to choose one, up to KEYSPACE_SAMPLES_MAX */
    uint32_t lfu_log_factor, lfu_decay_min; /* as in usage.h */
};
#define KEYSPACE_SAMPLES_MAX 64
void keyspace_set_eviction(struct keyspace *ks, const struct keyspace_eviction *eviction);

/* Bytes of all data, as struct keyspace_held counts them, and KEYSPACE_KEY_COSTS for each key, about what it takes to hold one. Constant time. */
#define KEYSPACE_KEY_COSTS 48
uint64_t keyspace_data_bytes(const struct keyspace *ks);

enum keyspace_evicted {
    KEYSPACE_MADE_ROOM,  /* a key is gone */
    KEYSPACE_NOT_FOUND,  /* none of those that were looked at may go; others may */
    KEYSPACE_NONE_MAY_GO /* there is none that may */
};
/* Deletes the key that comes first by the order among some that are picked at random, or one that has expired. Of DUE_FIRST it is the first of all. A key
 * on disk only counts as not used for longest. A batch of its own; call between commands. */
enum keyspace_evicted keyspace_evict(struct keyspace *ks, int64_t now_ms);
uint64_t keyspace_evicted_total(const struct keyspace *ks); /* since open */

/* ---- slots ---- */
/* CRC16 of the key, or of what stands between its first '{' and the next '}' if that is not empty; modulo 16,384. */
unsigned keyspace_slot(struct bytes key);
/* Keys of the slot in the current database; constant time. */
uint64_t keyspace_slot_size(struct keyspace *ks, unsigned slot);
/* What a slot holds. Bytes are those of the keys' rows, names and values, a large string with its whole length; they are counted with every
 * change. */
struct keyspace_held {
    uint64_t keys, bytes;
};
/* Of `count` slots from `first` on, in all databases together. */
void keyspace_slots_held(const struct keyspace *ks, unsigned first, size_t count, struct keyspace_held *out);
/* Up to `count` keys of the slot in the current database. */
void keyspace_slot_keys(struct keyspace *ks, unsigned slot, size_t count, void (*visit)(void *user, struct bytes key), void *user);

/* ---- what is small ---- */
/* Up to this, collections are whole in their key's row; one that has been larger is in rows of its own for good. As Redis's settings of such names;
 * these are its defaults, and the most that has an effect here, so that a key's row stays small. */
#define KEYSPACE_SMALL_HASH_ENTRIES 512 /* fields of a hash, */
#define KEYSPACE_SMALL_HASH_VALUE   64  /* bytes of a name or value */
#define KEYSPACE_SMALL_SET_INTEGERS 512 /* members of a set, if all are integers */
#define KEYSPACE_SMALL_ZSET_ENTRIES 128 /* members of a sorted set, */
#define KEYSPACE_SMALL_ZSET_VALUE   64  /* bytes of one */
struct keyspace_small {
    size_t hash_entries, hash_value, set_integers, zset_entries, zset_value;
};
/* From now on, until the keyspace is closed; what is above those counts as them. */
void keyspace_set_small(struct keyspace *ks, const struct keyspace_small *small);

/* ---- upkeep ---- */
/* Deletes keys, and fields of hashes, that have expired at `now_ms`, wherever they are: no other keys' rows are read. Up to `keys`, or twice as
 * many if hashes with many such fields are among them. A batch of its own; call between commands. `*more`, unless NULL: whether there may be others to be deleted now. Returns how many were deleted. */
size_t keyspace_sweep(struct keyspace *ks, size_t keys, int64_t now_ms, bool *more);
/* Deletes up to `rows` rows of large values whose keys are gone. A batch of its own; call between commands. Returns how many it looked at; 0:
 * there are none, and it cost nothing. */
size_t keyspace_reclaim(struct keyspace *ks, size_t rows);
/* How many such values there are, in part or whole. */
size_t keyspace_reclaim_waiting(const struct keyspace *ks);
uint64_t keyspace_expired_total(const struct keyspace *ks); /* keys deleted because their time had come, since open */

#endif
