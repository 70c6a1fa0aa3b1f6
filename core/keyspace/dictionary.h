/* Dictionaries: elements by key, what hashes and sets are. Small ones are packed in the key's row, in the order in which they came; from
 * some number of elements on, or with one that is large, they are a linear hash, for good: a hash by keyspace_set_small(), a set by what is below.
 *
 * A handle is opened with what keyspace_find gave, and closed when it was changed. Several may be open for reading at once, and one of them for
 * writing; a key has only one. Bytes that are given live until that dictionary is changed. */
#ifndef AIKV_KEYSPACE_DICTIONARY_H
#define AIKV_KEYSPACE_DICTIONARY_H

#include "base/arena.h"
#include "keyspace/draft.h"
#include "keyspace/linear_hash.h"

#define DICTIONARY_SET_ENTRIES 128 /* a set whose members are not all integers, which Redis holds in one way whatever it has, */
#define DICTIONARY_SET_MEMBER  64  /* and bytes of one of them */
#define DICTIONARY_MARKED      8  /* bytes that begin the value of a marked element, and do not count */

struct dictionary {
    struct keyspace *ks;
    struct bytes name; /* the key of the keyspace */
    bool exists, changed;
    struct entry en;      /* as it was found */
    enum entry_form form; /* as it is now */
    struct draft draft;
    struct bytes packed;     /* ENTRY_WHOLE: the elements, in the row or in the draft */
    uint64_t packed_count;   /* UINT64_MAX: nobody has counted */
    struct linear_hash hash; /* ENTRY_HASHED */
};

/* `found` is of this type, or none. */
void dictionary_open(struct dictionary *d, struct keyspace *ks, struct bytes name, enum keyspace_type type, const struct keyspace_entry *found);
/* The same in any database, to be looked at only. */
void dictionary_open_in(struct dictionary *d, struct keyspace *ks, uint32_t database_id, struct bytes name, enum keyspace_type type,
                        const struct keyspace_entry *found);
/* Writes the key's row; deletes it if nothing is left. The expiry stays. */
void dictionary_close(struct dictionary *d);

uint64_t dictionary_count(struct dictionary *d);
bool dictionary_get(const struct dictionary *d, struct bytes key, struct element *out);
/* Adds an element, or puts it in place of the one with its key. Its bytes do not lie in this dictionary. Returns whether it is a new one. */
bool dictionary_put(struct dictionary *d, const struct element *el);
/* Adds an element, unless there is one with its key: nothing is changed then. Returns whether it did. */
bool dictionary_add(struct dictionary *d, const struct element *el);
/* Whether there was one. */
bool dictionary_remove(struct dictionary *d, struct bytes key);

/* All elements, each once, if it is not changed meanwhile. Zeros to begin with. */
bool dictionary_next(const struct dictionary *d, struct linear_hash_walk *w, struct element *out);
/* As linear_hash_scan. */
uint64_t dictionary_scan(const struct dictionary *d, uint64_t cursor, void (*visit)(void *user, const struct element *el), void *user);

/* An element of a dictionary that has some, each about as likely. `random` is the state of random_next. */
void dictionary_random(struct dictionary *d, uint64_t *random, struct element *out);
/* `count` different elements, in no order; all, if there are no more. Memory comes from the arena. */
void dictionary_sample(struct dictionary *d, uint64_t count, uint64_t *random, struct arena *arena,
                       void (*visit)(void *user, const struct element *el), void *user);

/* What must hold of a dictionary's entry. Errors: FORMAT. */
int dictionary_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e);

#endif
