/* The way from a counted tree's top down to a leaf. Private to the tree's files. */
#ifndef AIKV_KEYSPACE_COUNTED_TREE_PATH_H
#define AIKV_KEYSPACE_COUNTED_TREE_PATH_H

#include <assert.h>
#include <endian.h>

#include "keyspace/counted_tree.h"

#define COUNTED_TREE_CHILD 12 /* bytes: node(4) · count(8), the value of a child's element in its parent's row */
#define COUNTED_TREE_COUNT 8  /* bytes: what a child's element ends with */
#define COUNTED_TREE_LEAST (COUNTED_TREE_NODE / 4) /* bytes; a node that has less is joined with a neighbour, if both have room in one */

struct tree_child {
    struct bytes separator;
    uint32_t node;
    uint64_t count;
};

/* Reads the child at the front of an inner node's row. False: the row has ended, or is damaged (told apart by row->len). */
static inline bool tree_child_next(struct bytes *row, struct tree_child *out)
{
    struct element el;
    struct bytes rest = *row;
    if (!element_next(&rest, &el) || el.value.len != COUNTED_TREE_CHILD) return false;
    memcpy(&out->node, el.value.data, 4);
    memcpy(&out->count, el.value.data + 4, 8);
    out->separator = el.key;
    out->node = le32toh(out->node);
    out->count = le64toh(out->count);
    *row = rest;
    return true;
}
/* The same of a row that has one there. Only the tree writes its rows; `aikv check` looks at them with counted_tree_check. */
static inline struct tree_child tree_child_take(struct bytes *row)
{
    struct tree_child child;
    bool there = tree_child_next(row, &child);
    assert(there);
    (void)there;
    return child;
}
/* Bytes of the child that is there, its separator, and its count, which the bytes end with: for those that pass many by. */
static inline size_t tree_child_size(struct bytes row)
{
    struct bytes rest = row;
    if (row.data[0] < 128) return 2 + (size_t)(row.data[0] >> 1) + COUNTED_TREE_CHILD; /* element.h: a short key */
    tree_child_take(&rest);
    return row.len - rest.len;
}
static inline struct bytes tree_child_separator(struct bytes row)
{
    if (row.data[0] < 128) return bytes_of(row.data + 2, row.data[0] >> 1);
    return tree_child_take(&row).separator;
}
static inline uint64_t tree_child_count(const uint8_t *end)
{
    uint64_t count;
    memcpy(&count, end - COUNTED_TREE_COUNT, sizeof count);
    return le64toh(count);
}
/* Into `value`, as the element of a child. */
struct element tree_child_element(const struct tree_child *child, uint8_t value[COUNTED_TREE_CHILD]);

/* Where a descent goes. */
struct tree_target {
    enum { TREE_FIND, TREE_RANK, TREE_INSERT } mode;
    uint64_t position;  /* FIND: of an element; INSERT: of the one to come, at most the count */
    struct bytes key;   /* RANK, and INSERT by key */
    struct bytes lower, upper; /* set by RANK and INSERT: keys from here on and below there go to the same leaf; empty: any */
};

struct tree_step {
    uint32_t node;
    struct bytes row; /* the node's, until it is written */
    size_t at, size;  /* in an inner node: the element of the child that the path goes to */
};

struct tree_path {
    unsigned height;
    uint64_t first, count; /* the leaf's elements */
    struct tree_step steps[COUNTED_TREE_HEIGHT_MAX]; /* from the top; the leaf is the last */
};

/* The beginning of a descent. */
static inline void tree_begin(const struct counted_tree *t, struct tree_target *target, struct tree_path *p)
{
    p->height = t->height;
    p->first = 0;
    p->count = t->root.count;
    target->lower = target->upper = bytes_of(NULL, 0);
}

/* A step of it: chooses a child in the row of `s`; p->first is the position of the row's first element, then the child's. */
uint32_t tree_choose(struct tree_target *target, struct tree_step *s, struct tree_path *p);
/* All of it. */
void tree_descend(struct keyspace *ks, const struct counted_tree *t, struct tree_target *target, struct tree_path *p);

static inline struct tree_step *tree_leaf(struct tree_path *p)
{
    return &p->steps[p->height - 1];
}

#endif
