/* Sets: members. How they are held shows nowhere. A handle is opened with what keyspace_find gave for the key, a set or none, and closed when it
 * was changed; a key has one at a time, several keys may be looked at beside one that is written. Bytes that are given live until the set is changed;
 * a member that is added lies elsewhere. */
#ifndef AIKV_KEYSPACE_SET_H
#define AIKV_KEYSPACE_SET_H

#include "base/number.h"
#include "keyspace/dictionary.h"

#define KEYSPACE_SET_MEMBER_MAX LINEAR_HASH_ELEMENT_MAX

struct keyspace_set {
    struct dictionary members; /* of ENTRY_INTEGERS: its `packed` are those (set.c) */
};

/* A member that is an integer has its text here. */
struct keyspace_member {
    struct bytes text;
    char digits[NUMBER_TEXT_MAX];
};

/* With none found, but a key there: what is put takes its place, its expiry goes too. */
void keyspace_set_open(struct keyspace_set *s, struct keyspace *ks, struct bytes key, const struct keyspace_entry *found);
/* Writes what belongs to the key; deletes the key if no member is left. Its expiry stays. */
void keyspace_set_close(struct keyspace_set *s);

/* Whether OBJECT ENCODING says "intset" rather than "hashtable": then its members come in their order as numbers. */
bool keyspace_set_is_integers(const struct keyspace_entry *found);

uint64_t keyspace_set_count(struct keyspace_set *s);
bool keyspace_set_has(const struct keyspace_set *s, struct bytes member);
/* Whether it is new. */
bool keyspace_set_add(struct keyspace_set *s, struct bytes member);
/* Whether it was there. */
bool keyspace_set_remove(struct keyspace_set *s, struct bytes member);

/* All members, each once, if nothing is changed meanwhile. Zeros to begin with. */
struct keyspace_set_walk {
    struct linear_hash_walk members;
};
bool keyspace_set_next(const struct keyspace_set *s, struct keyspace_set_walk *w, struct keyspace_member *out);

typedef void keyspace_set_visit(void *user, struct bytes member);
/* Some members, and the next cursor, 0 at the end; what is there from the first call to the last is given at least once. `visit` must not change it. */
uint64_t keyspace_set_scan(const struct keyspace_set *s, uint64_t cursor, keyspace_set_visit *visit, void *user);

/* A member of a set that has some, each about as likely. `random` is the state of random_next. */
void keyspace_set_random(struct keyspace_set *s, uint64_t *random, struct keyspace_member *out);
/* `count` different ones, in no order; all, if there are no more. */
void keyspace_set_sample(struct keyspace_set *s, uint64_t count, uint64_t *random, struct arena *arena, keyspace_set_visit *visit, void *user);

/* What must hold of a set's entry. Errors: FORMAT. */
int keyspace_set_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e);

#endif
