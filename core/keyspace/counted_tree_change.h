/* What changes of a counted tree have in common. Private to the tree's files. */
#ifndef AIKV_KEYSPACE_COUNTED_TREE_CHANGE_H
#define AIKV_KEYSPACE_COUNTED_TREE_CHANGE_H

#include "keyspace/counted_tree_path.h"

struct tree_change {
    struct keyspace *ks;
    struct counted_tree *t;
    int64_t delta; /* of the elements below the nodes of the path */
    enum { TREE_WITHIN, TREE_AT_BEGIN, TREE_AT_END } place; /* of what is put */
    struct tree_path path;
};

/* In place of `removed` bytes of the path's node at `level` come elements, with what follows above and below. Within the node no element is cut. */
void tree_edit(struct tree_change *c, unsigned level, size_t at, size_t removed, const struct element *els, size_t count);
/* Adds `delta` to the counts of the path's nodes above `level`, whose rows were not written yet. */
void tree_add_counts(struct tree_change *c, unsigned level);
/* Takes `len` bytes at `at`, of `count` elements, out of the path's leaf, with what follows above. */
void tree_cut(struct tree_change *c, size_t at, size_t len, uint64_t count);
/* For when nodes were given up: those have become neighbours that the elements before and behind `position` are in. */
void tree_settle_around(struct tree_change *c, uint64_t position);
/* The node is to be used again. */
void tree_give_up(struct tree_change *c, uint32_t node);
/* The path's node at `level` has become smaller: it is joined with a neighbour if it should be, then its parent, and so on; a top of one child goes.
 * Where children are on the path above must still be so. */
void tree_settle(struct tree_change *c, unsigned level);

#endif
