/* Counted trees on rows: B+trees whose inner nodes carry the number of elements below each child, so that rank, position and ranges cost O(log n)
 * rows. Order is by key (as bytes), or by position alone where keys are empty.
 *
 * A leaf's row is its elements, packed. An inner node's row is an element for each child: key, a separator (bytes that are <= all keys below it and > all
 * keys before it; the first child's is empty, so are all in a tree by position); value, the child's node(4) and count(8). Nodes are split when they pass
 * COUNTED_TREE_NODE bytes (at an end of the tree so that one of the two is full, else in halves), and joined with a neighbour if they fall below a quarter of
 * that and both fit; elements of any size are held, a large one in a node of its own. Nodes that are given up are chained (their row is the next
 * one's number + 1), and used again before the object grows.
 *
 * The root is the caller's: read from the key's row, changed by what changes the tree, and written back before the command ends. Within a command; bytes
 * that are given lie in rows, until this tree is changed or the store flushed. */
#ifndef AIKV_KEYSPACE_COUNTED_TREE_H
#define AIKV_KEYSPACE_COUNTED_TREE_H

#include "base/codec.h"
#include "base/error.h"
#include "keyspace/node.h"
#include "keyspace/packed.h"

#define COUNTED_TREE_NODE       1990 /* bytes: two fit a page of LMDB's, one a block of 2 KiB with what a row has beside it */
#define COUNTED_TREE_HEIGHT_MAX 32   /* more than any tree reaches: an inner node is split in nodes of two children at least */

struct counted_tree {
    struct object_root root; /* root.object.nodes: numbers below this were given out */
    uint32_t top;            /* the node at the top */
    uint32_t free;           /* the first of the chain of nodes to be used again, + 1; 0: none */
    uint8_t height;          /* 1: the top is a leaf */
};

/* object_root · top(4) · free(4) · height(1) */
#define COUNTED_TREE_ROOT_SIZE (OBJECT_ROOT_SIZE + 9)
bool counted_tree_read(struct reader *r, uint32_t database_id, struct counted_tree *out);
void counted_tree_write(struct buffer *b, const struct counted_tree *t);

/* A new one, without elements, in a new object. Nothing is written yet. */
void counted_tree_init(struct counted_tree *t, const struct object *object);

/* ---- finding ---- */

/* The position of the first element whose key is >= `key`; the count if there is none. Whether its key is `key` itself: `equal`, or NULL. */
uint64_t counted_tree_rank(struct keyspace *ks, const struct counted_tree *t, struct bytes key, bool *equal);

/* The element with this key. False: there is none. */
bool counted_tree_find(struct keyspace *ks, const struct counted_tree *t, struct bytes key, struct element *out);

/* Elements from a position on, or back from it. Nothing is written meanwhile. The caller sets the first two, the rest is 0. */
struct counted_tree_walk {
    uint64_t position; /* of the next element given; at the count, or below 0 (wrapped), at the end */
    bool backwards;
    uint64_t leaf_first; /* the leaf at hand begins here ... */
    uint64_t leaf_count; /* ... and has so many; 0: none is at hand */
    struct bytes leaf, rest;
    struct packed_places places; /* backwards */
};
bool counted_tree_next(struct keyspace *ks, const struct counted_tree *t, struct counted_tree_walk *w, struct element *out);

/* ---- changing; bytes that are put do not lie in nodes of the tree ---- */

/* Puts elements before the one at `position`, which is at most the count. By key, the position is counted_tree_rank's. Many at once cost little
 * more than one: a tree is built with this. */
void counted_tree_insert(struct keyspace *ks, struct counted_tree *t, uint64_t position, const struct element *els, size_t count);
/* Puts another element in place of the one at `position`; by key, with the same key. */
void counted_tree_replace(struct keyspace *ks, struct counted_tree *t, uint64_t position, const struct element *el);
/* Takes `count` elements from `position` on out. The listener, if there is one, hears of each before it goes, in order; it may change other objects. Without one,
 * of leaves that go as a whole only the length is looked up. */
struct counted_tree_listener {
    void (*removed)(void *user, const struct element *el);
    void *user;
};
void counted_tree_remove(struct keyspace *ks, struct counted_tree *t, uint64_t position, uint64_t count, const struct counted_tree_listener *listener);

/* ---- changing by key: one way down for each ---- */

/* Puts an element where its key belongs, or in place of the one with this key. */
void counted_tree_put(struct keyspace *ks, struct counted_tree *t, const struct element *el);
/* Whether there was one with this key. */
bool counted_tree_take(struct keyspace *ks, struct counted_tree *t, struct bytes key);
/* Puts an element in place of the one with `key`, which is there; its own key is not there, or is `key`. What does not leave its leaf is one small
 * change, without any of counts. */
void counted_tree_move(struct keyspace *ks, struct counted_tree *t, struct bytes key, const struct element *el);

/* What must hold: order, separators, counts, fill, depth, every node below `nodes` in the tree or in the chain of free ones and none twice, count and
 * bytes as the root says. `ordered`: by key, none twice. Errors: FORMAT. */
int counted_tree_check(struct keyspace *ks, const struct counted_tree *t, bool ordered, struct error *e);

#endif
