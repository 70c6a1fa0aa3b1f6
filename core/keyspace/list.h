/* Lists: values by position, from 0. How they are held shows nowhere.
 *
 * A small list is its elements, packed in the key's row. A larger one has a counted tree by position; the elements before and behind those of the
 * tree, its two ends, are in the key's row, so that pushes and pops change that row alone, mostly. An end that has grown too large goes into the tree,
 * one that is popped empty is filled from it. */
#ifndef AIKV_KEYSPACE_LIST_H
#define AIKV_KEYSPACE_LIST_H

#include "keyspace/counted_tree.h"
#include "keyspace/entry.h"

#define LIST_WHOLE_MAX   1024 /* bytes of a list that is in the key's row as a whole, whose length is counted each time ... */
#define LIST_WHOLE_COUNT 128  /* ... and how many elements */
#define LIST_END_MAX     2048 /* bytes of each end of a larger one ... */
#define LIST_NEAR_MAX    1024 /* bytes that an empty end is filled with from the tree; no more elements than it may have */
#define LIST_END_COUNT   128  /* ... and elements: what is popped from the right passes all before it */

/* A list that is open: its key and what is known of its row. */
struct keyspace_list {
    struct keyspace *ks;
    struct bytes key;
    bool there;
    struct entry en;           /* its payload is as of the last look; see `stale` */
    bool stale;                /* the payload has been changed since */
    struct list_end {
        uint32_t count, len; /* elements, bytes */
    } head, tail;              /* a small list is all head */
    struct counted_tree tree;  /* of a larger one */
    bool tree_changed;         /* its root is not what the row says */
    uint64_t tree_bytes;       /* that the row says it has */
};

/* Opens the list that keyspace_find found at `key`, or none (an empty one, then; if the key holds something all the same, what is pushed takes its place).
 * Many may be open for reading, one for changes. `key` lives longer. */
void keyspace_list_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *e, struct keyspace_list *l);
/* Ends a series of changes: a list that has become empty is deleted with its key. What was only read need not be closed. */
void keyspace_list_close(struct keyspace_list *l);

static inline uint64_t keyspace_list_len(const struct keyspace_list *l)
{
    return l->head.count + l->tail.count + (l->en.form == ENTRY_TREE ? l->tree.root.count : 0);
}

/* Values from an index on, or back from it. The caller sets the first two, the rest is 0. Nothing is changed meanwhile; values lie in rows. */
struct keyspace_list_walk {
    uint64_t index; /* of the next value given; at the length, or below 0 (wrapped), at the end */
    bool backwards;
    uint64_t part_first, part_count; /* the part at hand: head, tree or tail */
    struct bytes part, rest;
    struct packed_places places;
    struct counted_tree_walk tree;
};
bool keyspace_list_next(struct keyspace_list *l, struct keyspace_list_walk *w, struct bytes *value);

/* ---- changes; values do not lie in rows ---- */

enum keyspace_list_side { LIST_LEFT, LIST_RIGHT };
/* One after the other, so that the last one is outermost. */
void keyspace_list_push(struct keyspace_list *l, enum keyspace_list_side side, const struct bytes *values, size_t count);
/* Has the side's outermost values at hand, where a pop is about to take them: it costs as much as some pops, once in many. */
void keyspace_list_near(struct keyspace_list *l, enum keyspace_list_side side);
/* Takes out `count` values from an index on. */
void keyspace_list_remove(struct keyspace_list *l, uint64_t index, uint64_t count);
/* Another value in place of the one at an index. */
void keyspace_list_set(struct keyspace_list *l, uint64_t index, struct bytes value);
/* A value before the one at an index. */
void keyspace_list_insert(struct keyspace_list *l, uint64_t index, struct bytes value);

/* What must hold of a list's row and rows. Errors: FORMAT. */
int keyspace_list_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e);

#endif
