/* Taking out, and the joins that follow. */
#include <assert.h>
#include <endian.h>

#include "keyspace/counted_tree_change.h"

/* ---- joins ---- */

/* A child with its place in its parent's row. */
struct member {
    struct tree_child child;
    size_t at, size;
};

/* The one that begins at `at`, if the row goes on there. */
static bool member_at(struct bytes parent, size_t at, struct member *out)
{
    struct bytes rest = bytes_of(parent.data + at, parent.len - at);
    *out = (struct member){.at = at};
    if (!rest.len) return false;
    out->child = tree_child_take(&rest);
    out->size = parent.len - at - rest.len;
    return true;
}

/* The one that ends at `end`. */
static bool member_before(struct bytes parent, size_t end, struct member *out)
{
    size_t at = 0;
    while (at < end) {
        member_at(parent, at, out);
        at += out->size;
    }
    return end > 0;
}

static size_t size_of(const struct tree_change *c, uint32_t node)
{
    return node_get(c->ks, &c->t->root.object, node).len;
}

/* Inner nodes: the right one's first child has no separator yet, and gets the right one's. */
static bool fit_together(const struct tree_change *c, const struct member *left, const struct member *right)
{
    size_t separator = right->child.separator.len + CODEC_VARINT_MAX;
    return size_of(c, left->child.node) + size_of(c, right->child.node) + separator <= COUNTED_TREE_NODE;
}

static size_t copy_right(const struct tree_change *c, const struct member *right, bool inner, uint8_t out[COUNTED_TREE_NODE])
{
    struct bytes rest = node_get(c->ks, &c->t->root.object, right->child.node);
    struct element first;
    uint8_t *end = out;
    if (inner && element_next(&rest, &first)) {
        first.key = right->child.separator;
        end = element_write(out, &first);
    }
    memcpy(end, rest.data, rest.len);
    return (size_t)(end - out) + rest.len;
}

/* Into the left one. */
static void join(struct tree_change *c, unsigned level, const struct member *left, const struct member *right)
{
    const struct object *object = &c->t->root.object;
    uint8_t packed[COUNTED_TREE_NODE];
    size_t len = copy_right(c, right, level + 1 < c->path.height, packed);
    uint64_t count = htole64(left->child.count + right->child.count);
    node_splice(c->ks, object, left->child.node, size_of(c, left->child.node), 0, bytes_of(packed, len));
    node_splice(c->ks, object, c->path.steps[level - 1].node, right->at - sizeof count, sizeof count + right->size,
                bytes_of(&count, sizeof count));
    tree_give_up(c, right->child.node);
}

static bool join_with_neighbour(struct tree_change *c, unsigned level)
{
    const struct tree_step *s = &c->path.steps[level - 1];
    if (size_of(c, c->path.steps[level].node) >= COUNTED_TREE_LEAST) return false;
    struct bytes parent = node_get(c->ks, &c->t->root.object, s->node);
    struct member self, other;
    member_at(parent, s->at, &self);
    if (member_at(parent, s->at + self.size, &other) && fit_together(c, &self, &other)) {
        join(c, level, &self, &other);
        return true;
    }
    if (!member_before(parent, s->at, &other) || !fit_together(c, &other, &self)) return false;
    join(c, level, &other, &self);
    return true;
}

/* A top of one child goes. */
static void lower(struct tree_change *c)
{
    struct counted_tree *t = c->t;
    while (t->height > 1) {
        struct bytes row = node_get(c->ks, &t->root.object, t->top);
        struct tree_child only = tree_child_take(&row);
        if (row.len) return;
        tree_give_up(c, t->top);
        t->top = only.node;
        t->height--;
    }
}

void tree_settle(struct tree_change *c, unsigned level)
{
    while (level > 0 && join_with_neighbour(c, level)) level--;
    if (level == 0) lower(c);
}

/* ---- taking out ---- */

/* The tree has no elements: its top has no row. */
static void clear(struct tree_change *c)
{
    node_delete(c->ks, &c->t->root.object, c->t->top);
    c->t->height = 1;
}

/* Takes bytes out of the path's node at `level`; of nodes that have nothing left, their children out of their parents. */
static void cut(struct tree_change *c, unsigned level, size_t at, size_t len)
{
    struct tree_step *s = &c->path.steps[level];
    for (; len == s->row.len && level > 0; level--, s--) {
        tree_give_up(c, s->node);
        at = s[-1].at;
        len = s[-1].size;
    }
    if (len == s->row.len) {
        clear(c);
        return;
    }
    uint8_t first[COUNTED_TREE_CHILD + 2]; /* a child that becomes the first has no separator */
    struct bytes inserted = {0};
    if (level + 1 < c->path.height && at == 0) {
        struct bytes rest = bytes_of(s->row.data + len, s->row.len - len);
        struct tree_child child = tree_child_take(&rest);
        uint8_t value[COUNTED_TREE_CHILD];
        child.separator.len = 0;
        len = s->row.len - rest.len;
        struct element el = tree_child_element(&child, value);
        inserted = bytes_of(first, (size_t)(element_write(first, &el) - first));
    }
    size_t left = s->row.len - len + inserted.len;
    node_splice(c->ks, &c->t->root.object, s->node, at, len, inserted);
    tree_add_counts(c, level);
    if (level == 0 || left < COUNTED_TREE_LEAST) tree_settle(c, level);
}

void tree_cut(struct tree_change *c, size_t at, size_t len, uint64_t count)
{
    c->t->root.bytes -= len;
    c->t->root.count -= count;
    c->delta = -(int64_t)count;
    cut(c, c->path.height - 1, at, len);
}

static void tell(const struct counted_tree_listener *listener, struct bytes packed)
{
    struct element el;
    if (!listener) return;
    while (element_next(&packed, &el)) listener->removed(listener->user, &el);
}

/* From the leaf of the path on, which goes as a whole: it and those behind it that have the same parent and go too. */
static uint64_t remove_leaves(struct tree_change *c, uint64_t count, const struct counted_tree_listener *listener)
{
    unsigned level = c->path.height - 2;
    const struct tree_step *s = &c->path.steps[level];
    struct bytes rest = bytes_of(s->row.data + s->at, s->row.len - s->at), before = rest;
    struct tree_child child;
    uint64_t removed = 0;
    size_t len = 0;
    while (tree_child_next(&rest, &child) && child.count <= count - removed) {
        struct bytes leaf = node_get(c->ks, &c->t->root.object, child.node);
        c->t->root.bytes -= leaf.len;
        tell(listener, leaf);
        tree_give_up(c, child.node);
        removed += child.count;
        len = before.len - rest.len;
    }
    c->t->root.count -= removed;
    c->delta = -(int64_t)removed;
    cut(c, level, s->at, len);
    return removed;
}

/* From the beginning of a range to the end of it, or of a leaf, or of leaves that go as a whole. */
static uint64_t remove_some(struct tree_change *c, uint64_t position, uint64_t count, const struct counted_tree_listener *listener)
{
    struct tree_target target = {.mode = TREE_FIND, .position = position};
    tree_descend(c->ks, c->t, &target, &c->path);
    uint64_t left = c->path.count - (position - c->path.first);
    if (left <= count && position == c->path.first && c->path.height > 1) return remove_leaves(c, count, listener);
    if (count > left) count = left;
    struct bytes leaf = tree_leaf(&c->path)->row;
    struct bytes from = packed_skip(leaf, position - c->path.first), run = bytes_of(from.data, from.len - packed_skip(from, count).len);
    tell(listener, run);
    tree_cut(c, leaf.len - from.len, run.len, count);
    return count;
}

static void settle_at(struct tree_change *c, uint64_t position)
{
    struct tree_target target = {.mode = TREE_FIND, .position = position};
    tree_descend(c->ks, c->t, &target, &c->path);
    tree_settle(c, c->path.height - 1);
}

void tree_settle_around(struct tree_change *c, uint64_t position)
{
    if (position == 0 || position == c->t->root.count) return;
    settle_at(c, position - 1);
    settle_at(c, position);
}

void counted_tree_remove(struct keyspace *ks, struct counted_tree *t, uint64_t position, uint64_t count, const struct counted_tree_listener *listener)
{
    assert(position <= t->root.count && count <= t->root.count - position);
    struct tree_change c = {.ks = ks, .t = t};
    uint32_t free = t->free;
    while (count) count -= remove_some(&c, position, count, listener);
    if (t->free != free) tree_settle_around(&c, position);
}
