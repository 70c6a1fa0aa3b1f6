/* By key: finding, putting, taking out and moving, each with one way down. */
#include <assert.h>

#include "keyspace/counted_tree_change.h"

/* Where in a leaf a key is, or would be. */
struct spot {
    uint64_t position; /* in the leaf */
    size_t at, size;   /* size 0: no element has the key */
};

static struct spot find_spot(struct bytes leaf, struct bytes key)
{
    struct spot s = {0};
    struct element el;
    for (struct bytes rest = leaf; element_next(&rest, &el); s.position++) {
        int order = bytes_compare(el.key, key);
        if (order == 0) s.size = leaf.len - rest.len - s.at;
        if (order >= 0) break;
        s.at = leaf.len - rest.len;
    }
    return s;
}

/* Goes down to the leaf that the key belongs in. */
static struct spot seek(struct keyspace *ks, const struct counted_tree *t, struct tree_target *target, struct tree_path *p)
{
    tree_descend(ks, t, target, p);
    return find_spot(tree_leaf(p)->row, target->key);
}

uint64_t counted_tree_rank(struct keyspace *ks, const struct counted_tree *t, struct bytes key, bool *equal)
{
    struct tree_target target = {.mode = TREE_RANK, .key = key};
    struct tree_path p;
    struct spot s = seek(ks, t, &target, &p);
    if (equal) *equal = s.size > 0;
    return p.first + s.position;
}

bool counted_tree_find(struct keyspace *ks, const struct counted_tree *t, struct bytes key, struct element *out)
{
    struct tree_target target = {.mode = TREE_RANK, .key = key};
    struct tree_path p;
    struct spot s = seek(ks, t, &target, &p);
    struct bytes rest = bytes_of(tree_leaf(&p)->row.data + s.at, s.size);
    return element_next(&rest, out);
}

/* In place of the element at the spot, or of none, comes one with the same key. */
static void put_at(struct tree_change *c, const struct spot *s, const struct element *el)
{
    struct counted_tree *t = c->t;
    uint64_t position = c->path.first + s->position;
    size_t size = element_size(el);
    if (!s->size) {
        c->delta = 1;
        c->place = position == t->root.count ? TREE_AT_END : position == 0 ? TREE_AT_BEGIN : TREE_WITHIN;
        t->root.count++;
    }
    t->root.bytes += size - s->size;
    tree_edit(c, c->path.height - 1, s->at, s->size, el, 1);
    if (size < s->size) tree_settle(c, c->path.height - 1);
}

void counted_tree_put(struct keyspace *ks, struct counted_tree *t, const struct element *el)
{
    struct tree_change c = {.ks = ks, .t = t};
    struct tree_target target = {.mode = TREE_RANK, .key = el->key};
    struct spot s = seek(ks, t, &target, &c.path);
    put_at(&c, &s, el);
}

static void take_at(struct tree_change *c, const struct spot *s)
{
    uint32_t free = c->t->free;
    uint64_t position = c->path.first + s->position;
    tree_cut(c, s->at, s->size, 1);
    if (c->t->free != free) tree_settle_around(c, position);
}

bool counted_tree_take(struct keyspace *ks, struct counted_tree *t, struct bytes key)
{
    struct tree_change c = {.ks = ks, .t = t};
    struct tree_target target = {.mode = TREE_RANK, .key = key};
    struct spot s = seek(ks, t, &target, &c.path);
    if (s.size) take_at(&c, &s);
    return s.size > 0;
}

/* The element at `from` becomes `el`, at `to`; those between move over. The leaf has room. */
static void move_within(struct tree_change *c, const struct spot *from, const struct spot *to, const struct element *el)
{
    const struct tree_step *s = tree_leaf(&c->path);
    bool up = to->at > from->at;
    size_t size = element_size(el), begin = up ? from->at : to->at, end = up ? to->at : from->at + from->size;
    struct bytes between = bytes_of(s->row.data + (up ? from->at + from->size : begin), end - begin - from->size);
    uint8_t packed[COUNTED_TREE_NODE], *at = packed;
    if (!up) at = element_write(at, el);
    memcpy(at, between.data, between.len);
    if (up) element_write(at + between.len, el);
    c->t->root.bytes += size - from->size;
    node_splice(c->ks, &c->t->root.object, s->node, begin, end - begin, bytes_of(packed, between.len + size));
    if (size < from->size) tree_settle(c, c->path.height - 1);
}

/* What becomes of the counts of two children above the leaf that an element leaves and the one that it goes to. */
struct count_pair {
    uint64_t left, entered;
};

/* From one leaf to another, where no node is split or joined. The counts of the children that both leaves are below stay; all are read before
 * anything is written. */
static void move_across(struct tree_change *c, const struct spot *from, const struct tree_path *to, const struct spot *at, const struct element *el)
{
    const struct object *object = &c->t->root.object;
    const struct tree_path *path = &c->path;
    struct count_pair counts[COUNTED_TREE_HEIGHT_MAX];
    unsigned leaf = path->height - 1, shared = 0;
    uint8_t packed[COUNTED_TREE_NODE];
    size_t size = element_size(el);
    while (path->steps[shared].node == to->steps[shared].node && path->steps[shared].at == to->steps[shared].at) shared++;
    for (unsigned level = shared; level < leaf; level++) {
        const struct tree_step *a = &path->steps[level], *b = &to->steps[level];
        counts[level].left = htole64(tree_child_count(a->row.data + a->at + a->size) - 1);
        counts[level].entered = htole64(tree_child_count(b->row.data + b->at + b->size) + 1);
    }
    element_write(packed, el);
    c->t->root.bytes += size - from->size;
    node_splice(c->ks, object, path->steps[leaf].node, from->at, from->size, bytes_of(NULL, 0));
    node_splice(c->ks, object, to->steps[leaf].node, at->at, 0, bytes_of(packed, size));
    for (unsigned level = leaf; level-- > shared;) {
        const struct tree_step *a = &path->steps[level], *b = &to->steps[level];
        node_splice(c->ks, object, a->node, a->at + a->size - COUNTED_TREE_COUNT, COUNTED_TREE_COUNT, bytes_of(&counts[level].left, COUNTED_TREE_COUNT));
        node_splice(c->ks, object, b->node, b->at + b->size - COUNTED_TREE_COUNT, COUNTED_TREE_COUNT, bytes_of(&counts[level].entered, COUNTED_TREE_COUNT));
    }
}

void counted_tree_move(struct keyspace *ks, struct counted_tree *t, struct bytes key, const struct element *el)
{
    struct tree_change c = {.ks = ks, .t = t};
    struct tree_target target = {.mode = TREE_RANK, .key = key};
    struct spot from = seek(ks, t, &target, &c.path);
    assert(from.size);
    struct bytes leaf = tree_leaf(&c.path)->row;
    size_t left = leaf.len - from.size, size = element_size(el);
    bool stays = (!target.lower.len || bytes_compare(el->key, target.lower) >= 0) && (!target.upper.len || bytes_compare(el->key, target.upper) < 0);
    if (stays && left + size <= COUNTED_TREE_NODE) {
        struct spot to = find_spot(leaf, el->key);
        move_within(&c, &from, &to, el);
        return;
    }
    struct tree_path path;
    struct tree_target there = {.mode = TREE_RANK, .key = el->key};
    struct spot to = seek(ks, t, &there, &path);
    if (!stays && left >= COUNTED_TREE_LEAST && tree_leaf(&path)->row.len + size <= COUNTED_TREE_NODE) {
        move_across(&c, &from, &path, &to, el);
    } else {
        take_at(&c, &from);
        counted_tree_put(ks, t, el);
    }
}
