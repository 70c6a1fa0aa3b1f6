/* Hashes: values by field; fields may have an expiry of their own. How all that is held shows nowhere. A handle is opened with what keyspace_find gave
 * for the key, a hash or none, and closed when it was changed; a key has one at a time. Bytes that are given live until the hash is changed; those of
 * a field that is put lie elsewhere.
 *
 * A field whose time has come is not there any more for any call; keyspace_sweep() deletes it. A key goes with its last field. */
#ifndef AIKV_KEYSPACE_HASH_H
#define AIKV_KEYSPACE_HASH_H

#include "keyspace/counted_tree.h"
#include "keyspace/dictionary.h"

struct keyspace_hash {
    struct dictionary fields;
    int64_t earliest_ms; /* no field expires before; 0: none has an expiry */
    bool indexed;        /* `due` is there: a large hash has it if fields have an expiry */
    struct counted_tree due;
};

struct keyspace_field {
    struct bytes name, value;
    int64_t expires_ms; /* KEYSPACE_NO_EXPIRY, or above 0 */
};

/* A name and a value together. */
#define KEYSPACE_HASH_FIELD_MAX LINEAR_HASH_ELEMENT_MAX

void keyspace_hash_open(struct keyspace_hash *h, struct keyspace *ks, struct bytes key, const struct keyspace_entry *found);
/* Writes what belongs to the key; deletes the key if no field is left. Its expiry stays. */
void keyspace_hash_close(struct keyspace_hash *h);

/* Whether OBJECT ENCODING says "hashtable" rather than "listpack". */
bool keyspace_hash_is_large(const struct keyspace_entry *found);

uint64_t keyspace_hash_len(struct keyspace_hash *h);
bool keyspace_hash_get(const struct keyspace_hash *h, struct bytes name, struct keyspace_field *out);
/* Returns whether the field is new. */
bool keyspace_hash_put(struct keyspace_hash *h, const struct keyspace_field *field);
/* The same, unless the field is there. */
bool keyspace_hash_add(struct keyspace_hash *h, const struct keyspace_field *field);
/* Gives a field that keyspace_hash_get gave another expiry, above 0, or KEYSPACE_NO_EXPIRY. */
void keyspace_hash_expire(struct keyspace_hash *h, const struct keyspace_field *field, int64_t expires_ms);
/* Whether there was such a field. */
bool keyspace_hash_remove(struct keyspace_hash *h, struct bytes name);

/* All fields, each once, if nothing is changed meanwhile. Zeros to begin with. */
struct keyspace_hash_walk {
    struct linear_hash_walk fields;
};
bool keyspace_hash_next(const struct keyspace_hash *h, struct keyspace_hash_walk *w, struct keyspace_field *out);

typedef void keyspace_hash_visit(void *user, const struct keyspace_field *field);
/* Some fields, and the next cursor, 0 at the end; what is there from the first call to the last is given at least once. `visit` must not change it. */
uint64_t keyspace_hash_scan(const struct keyspace_hash *h, uint64_t cursor, keyspace_hash_visit *visit, void *user);

/* A field of a hash that has some, each about as likely. `random` is the state of random_next. */
void keyspace_hash_random(struct keyspace_hash *h, uint64_t *random, struct keyspace_field *out);
/* `count` times such a field, which may come again and again; fewer, if `visit` says false. Memory comes from the arena. */
void keyspace_hash_pick(struct keyspace_hash *h, uint64_t count, uint64_t *random, struct arena *arena,
                        bool (*visit)(void *user, const struct keyspace_field *field), void *user);
/* `count` different ones, in no order; all, if there are no more. */
void keyspace_hash_sample(struct keyspace_hash *h, uint64_t count, uint64_t *random, struct arena *arena, keyspace_hash_visit *visit, void *user);

/* Deletes up to `count` fields whose time has come; returns how many. To be closed like after any other change. */
size_t keyspace_hash_sweep(struct keyspace_hash *h, size_t count);

/* What must hold of a hash's entry. Errors: FORMAT. */
int keyspace_hash_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e);

#endif
