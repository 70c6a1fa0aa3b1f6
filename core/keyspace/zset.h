/* Sorted sets: members with scores, in the order of score, then member (as bytes). How they are held (packed in the key's row; or, when they are many
 * or long, by member in a linear hash and by score in a counted tree) shows nowhere.
 *
 * A handle is opened on what keyspace_find gave for a key of the current database, a sorted set or no key (an empty one, then). For reading, several
 * may be open at once, and one of them for writing, which keyspace_zset_close() writes: the last member takes the key with it. Positions count from
 * 0 in order. While it is small, a zero has no sign. Members that are given live until that set is changed; those that are put do not lie in rows. */
#ifndef AIKV_KEYSPACE_ZSET_H
#define AIKV_KEYSPACE_ZSET_H

#include "keyspace/counted_tree.h"
#include "keyspace/draft.h"
#include "keyspace/linear_hash.h"

#define KEYSPACE_ZSET_MEMBER_MAX LINEAR_HASH_ELEMENT_MAX

struct keyspace_zset {
    struct keyspace *ks;
    struct bytes key;
    bool exists, changed;
    struct entry en; /* as it was found */
    bool large;      /* as it is now */
    uint64_t count;
    struct draft draft;
    struct bytes packed;       /* small: the elements, in the row or in the draft */
    struct linear_hash scores; /* large */
    struct counted_tree order;
};

struct keyspace_scored {
    struct bytes member;
    double score; /* not a NaN */
};

void keyspace_zset_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *e, struct keyspace_zset *out);
void keyspace_zset_close(struct keyspace_zset *z);
/* Whether OBJECT ENCODING says "skiplist" rather than "listpack". */
bool keyspace_zset_is_large(const struct keyspace_entry *e);

/* ---- reading ---- */

static inline uint64_t keyspace_zset_count(const struct keyspace_zset *z)
{
    return z->count;
}
bool keyspace_zset_score(struct keyspace_zset *z, struct bytes member, double *out);
/* The member's position. */
bool keyspace_zset_rank(struct keyspace_zset *z, struct bytes member, uint64_t *out);
/* How many have a score below this one, or, with `same`, this one too. */
uint64_t keyspace_zset_below(struct keyspace_zset *z, double score, bool same);
/* How many members, all having one score, come before this one, or, with `same`, are this one too. If they differ, some number. */
uint64_t keyspace_zset_before(struct keyspace_zset *z, struct bytes member, bool same);

/* Members from a position on, or back from it. */
struct keyspace_zset_walk {
    struct counted_tree_walk tree;                   /* large */
    struct bytes rest;                               /* small, forwards */
    unsigned left;                                   /* small, backwards: so many are before ... */
    uint16_t at[KEYSPACE_SMALL_ZSET_ENTRIES];        /* ... and begin here */
};
void keyspace_zset_walk(struct keyspace_zset *z, uint64_t position, bool backwards, struct keyspace_zset_walk *w);
bool keyspace_zset_next(struct keyspace_zset *z, struct keyspace_zset_walk *w, struct keyspace_scored *out);

/* One of them, each about as likely; there is one. `random` is the state of random_next. */
void keyspace_zset_random(struct keyspace_zset *z, uint64_t *random, struct keyspace_scored *out);
/* Some members and the next cursor, 0 at the end: what is there from the first call, with 0, to the last is given at least once. */
uint64_t keyspace_zset_scan(struct keyspace_zset *z, uint64_t cursor, void (*visit)(void *user, const struct keyspace_scored *s), void *user);

/* ---- changing ---- */

/* Gives a member, of KEYSPACE_ZSET_MEMBER_MAX bytes at most, a score. */
void keyspace_zset_put(struct keyspace_zset *z, const struct keyspace_scored *s);
bool keyspace_zset_remove(struct keyspace_zset *z, struct bytes member);
/* Takes `count` out from a position on. */
void keyspace_zset_remove_range(struct keyspace_zset *z, uint64_t position, uint64_t count);
/* Puts a sorted set of these, in order and each member once, in place of whatever the key held. None: the key is deleted. */
void keyspace_zset_store(struct keyspace *ks, struct bytes key, const struct keyspace_scored *members, size_t count);

/* Takes the sign from the zeros among these that would lose it if they were put in one by one, with `backwards` from the last one on: while the
 * sorted set is small. `known`: it begins large where there are too many. */
void keyspace_zset_drop_signs(const struct keyspace *ks, struct keyspace_scored *members, size_t count, bool backwards, bool known);

/* The order above: < 0, 0, > 0. */
int keyspace_scored_compare(const struct keyspace_scored *a, const struct keyspace_scored *b);

/* What must hold of a sorted set's entry. Errors: FORMAT. */
int keyspace_zset_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e);

#endif
