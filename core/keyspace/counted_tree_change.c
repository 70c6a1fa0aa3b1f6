/* Changing: what is put in, and the splits that follow. (counted_tree_remove.c: what is taken out, and the joins.)
 *
 * A change goes up from a leaf: in each node a run of bytes gives way to elements. Where they have no room, the node's elements are cut up into
 * segments, each in a node of its own, and in the parent the node's child gives way to theirs. Rows are read where they lie; so a node that loses
 * elements to others is written after its parent. */
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/counted_tree_change.h"

static void *need(void *memory)
{
    if (memory) return memory;
    fprintf(stderr, "out of memory: a counted tree\n");
    abort();
}

/* ---- nodes ---- */

static uint32_t take_node(struct tree_change *c)
{
    struct counted_tree *t = c->t;
    if (!t->free) {
        assert(t->root.object.nodes < UINT32_MAX);
        return t->root.object.nodes++;
    }
    uint32_t node = t->free - 1, next;
    struct bytes row = node_get(c->ks, &t->root.object, node);
    assert(row.len == sizeof next);
    memcpy(&next, row.data, sizeof next);
    t->free = le32toh(next);
    return node;
}

void tree_give_up(struct tree_change *c, uint32_t node)
{
    uint32_t next = htole32(c->t->free);
    node_put(c->ks, &c->t->root.object, node, bytes_of(&next, sizeof next));
    c->t->free = node + 1;
}

void tree_add_counts(struct tree_change *c, unsigned level)
{
    if (!c->delta) return;
    while (level--) {
        struct tree_step *s = &c->path.steps[level];
        size_t at = s->at + s->size - COUNTED_TREE_COUNT;
        uint64_t count;
        memcpy(&count, s->row.data + at, sizeof count);
        count = htole64(le64toh(count) + (uint64_t)c->delta);
        node_splice(c->ks, &c->t->root.object, s->node, at, sizeof count, bytes_of(&count, sizeof count));
    }
}

/* ---- elements in a row, from several places ---- */

/* What a node is to hold: elements as they are packed, then others, then packed ones again. */
struct run {
    struct bytes left;
    const struct element *els;
    size_t count;
    struct bytes right;
};

static bool run_next(struct run *r, struct element *out)
{
    if (!r->left.len && r->count) {
        *out = *r->els++;
        r->count--;
        return true;
    }
    struct bytes *packed = r->left.len ? &r->left : &r->right;
    bool there = element_next(packed, out);
    assert(there || !packed->len);
    return there;
}

static size_t packed_size(const struct element *els, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) size += element_size(&els[i]);
    return size;
}

/* The next elements of a run, which take `len` bytes; the first one without its key, if `strips`. */
static void pack(uint8_t *out, struct run run, size_t len, bool strips)
{
    struct element el;
    for (uint8_t *end = out + len; out < end; strips = false) {
        run_next(&run, &el);
        if (strips) el.key.len = 0;
        out = element_write(out, &el);
    }
}

/* In place of `removed` bytes come the next elements of a run, which take `len`; they may lie in the node's own row. */
static void splice_run(struct tree_change *c, const struct tree_step *s, size_t at, size_t removed, const struct run *run, size_t len)
{
    const struct object *object = &c->t->root.object;
    uint8_t small[COUNTED_TREE_NODE];
    if (at == 0 && removed == s->row.len) {
        pack(node_put_open(c->ks, object, s->node, len), *run, len, false);
    } else if (len <= sizeof small) {
        pack(small, *run, len, false);
        node_splice(c->ks, object, s->node, at, removed, bytes_of(small, len));
    } else {
        uint8_t *large = need(malloc(len));
        pack(large, *run, len, false);
        node_splice(c->ks, object, s->node, at, removed, bytes_of(large, len));
        free(large);
    }
}

/* ---- segments ---- */

struct segment {
    struct run from; /* begins here, ... */
    size_t len;      /* ... and takes so many bytes */
    size_t elements;
    uint64_t count; /* of the tree's elements: in an inner node, those below */
    uint32_t node;
    struct bytes separator;
};

struct segments {
    struct segment *list;
    size_t count, cap;
};

static struct segment *add_segment(struct segments *s, const struct run *from, struct bytes separator)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 4;
        s->list = need(realloc(s->list, s->cap * sizeof *s->list));
    }
    s->list[s->count] = (struct segment){.from = *from, .separator = separator};
    return &s->list[s->count++];
}

/* The shortest that is above `before` and not above `key`. */
static struct bytes separator_of(struct bytes before, struct bytes key)
{
    size_t same = 0;
    while (same < before.len && same < key.len && before.data[same] == key.data[same]) same++;
    return bytes_of(key.data, same < key.len ? same + 1 : key.len);
}

static uint64_t count_of(bool inner, const struct element *el)
{
    uint64_t count = 1;
    if (inner) memcpy(&count, el->value.data + el->value.len - COUNTED_TREE_COUNT, sizeof count);
    return inner ? le64toh(count) : count;
}

/* Cuts a run of `total` bytes up. At the tree's end the nodes before the last become full, at its beginning those after the first; elsewhere all become about
 * as large. */
static struct segments cut_up(const struct tree_change *c, bool inner, struct run run, size_t total)
{
    struct segments out = {0};
    size_t least = (total + COUNTED_TREE_NODE - 1) / COUNTED_TREE_NODE;
    size_t target = c->place == TREE_AT_END ? total : c->place == TREE_AT_BEGIN ? total - (least - 1) * COUNTED_TREE_NODE : total / least;
    size_t aimed = c->place == TREE_AT_BEGIN ? 1 : least - 1; /* the segments that the target is for */
    struct segment *s = add_segment(&out, &run, bytes_of(NULL, 0));
    struct run at = run;
    struct bytes before = {0};
    struct element el;
    while (run_next(&run, &el)) {
        size_t size = element_size(&el);
        bool full = s->len + size > COUNTED_TREE_NODE || (out.count <= aimed && s->len + size / 2 > target);
        if (full && s->elements > inner) {
            s = add_segment(&out, &at, inner ? el.key : separator_of(before, el.key));
            if (inner) el.key.len = 0;
            size = element_size(&el);
        }
        s->len += size;
        s->elements++;
        s->count += count_of(inner, &el);
        before = el.key;
        at = run;
    }
    return out;
}

/* What is left in the node itself: the first segment; at the tree's beginning the last one. Most of it is there already. */
static void write_kept(struct tree_change *c, unsigned level, const struct segment *kept, bool strips, const struct run *all)
{
    const struct tree_step *s = &c->path.steps[level];
    struct run rest = kept->from;
    if (strips) { /* an inner node's first child loses its separator */
        pack(node_put_open(c->ks, &c->t->root.object, s->node, kept->len), rest, kept->len, true);
    } else if (c->place == TREE_AT_BEGIN) {
        size_t same = kept->len < all->right.len ? kept->len : all->right.len;
        if (same < s->row.len || kept->len > same) splice_run(c, s, 0, s->row.len - same, &rest, kept->len - same);
    } else {
        size_t same = kept->len < all->left.len ? kept->len : all->left.len;
        rest.left.len = 0;
        if (same < s->row.len || kept->len > same) splice_run(c, s, same, s->row.len - same, &rest, kept->len - same);
    }
}

static void grow(struct tree_change *c, const struct element *children, size_t count);

/* Gives each segment its node, and the parent their children. */
static void split(struct tree_change *c, unsigned level, struct segments *segments, const struct run *all)
{
    const struct tree_step *s = &c->path.steps[level];
    bool inner = level + 1 < c->path.height;
    size_t kept = c->place == TREE_AT_BEGIN ? segments->count - 1 : 0;
    struct element *children = need(malloc(segments->count * sizeof *children));
    uint8_t(*values)[COUNTED_TREE_CHILD] = need(malloc(segments->count * sizeof *values));
    if (level > 0) {
        const struct tree_step *above = s - 1;
        struct bytes row = bytes_of(above->row.data + above->at, above->size);
        segments->list[0].separator = tree_child_take(&row).separator;
    }
    for (size_t i = 0; i < segments->count; i++) {
        struct segment *g = &segments->list[i];
        g->node = i == kept ? s->node : take_node(c);
        if (i != kept) pack(node_put_open(c->ks, &c->t->root.object, g->node, g->len), g->from, g->len, inner && i > 0);
        children[i] = tree_child_element(&(struct tree_child){g->separator, g->node, g->count}, values[i]);
    }
    if (level > 0)
        tree_edit(c, level - 1, s[-1].at, s[-1].size, children, segments->count);
    else
        grow(c, children, segments->count);
    write_kept(c, level, &segments->list[kept], inner && kept > 0, all);
    free(children);
    free(values);
}

/* A new top, above what was one node. */
static void grow(struct tree_change *c, const struct element *children, size_t count)
{
    struct tree_change above = {.ks = c->ks, .t = c->t, .place = c->place};
    assert(c->t->height < COUNTED_TREE_HEIGHT_MAX);
    above.path.height = ++c->t->height;
    above.path.steps[0].node = c->t->top = take_node(c);
    tree_edit(&above, 0, 0, 0, children, count);
}

void tree_edit(struct tree_change *c, unsigned level, size_t at, size_t removed, const struct element *els, size_t count)
{
    const struct tree_step *s = &c->path.steps[level];
    bool inner = level + 1 < c->path.height;
    size_t behind = at + removed, inserted = packed_size(els, count), total = s->row.len - removed + inserted;
    struct bytes rest = s->row.len ? bytes_of(s->row.data + behind, s->row.len - behind) : s->row; /* of a new node there is nothing */
    struct run all = {bytes_of(s->row.data, at), els, count, rest};
    struct segments segments = {0};
    if (total > COUNTED_TREE_NODE) segments = cut_up(c, inner, all, total);
    if (segments.count > 1) {
        split(c, level, &segments, &all);
    } else {
        struct run new = {.els = els, .count = count};
        splice_run(c, s, at, removed, &new, inserted);
        tree_add_counts(c, level);
    }
    free(segments.list);
}

/* ---- what the header says ---- */

/* How many of them go to the leaf that the first one goes to. */
static size_t count_below(struct bytes upper, const struct element *els, size_t count)
{
    size_t n = upper.len ? 1 : count;
    while (n < count && bytes_compare(els[n].key, upper) < 0) n++;
    return n;
}

void counted_tree_insert(struct keyspace *ks, struct counted_tree *t, uint64_t position, const struct element *els, size_t count)
{
    assert(position <= t->root.count);
    while (count) {
        struct tree_change c = {.ks = ks, .t = t};
        struct tree_target target = {.mode = TREE_INSERT, .position = position, .key = els->key};
        tree_descend(ks, t, &target, &c.path);
        size_t n = count_below(target.upper, els, count);
        c.delta = (int64_t)n;
        c.place = position == t->root.count ? TREE_AT_END : position == 0 ? TREE_AT_BEGIN : TREE_WITHIN;
        struct bytes leaf = tree_leaf(&c.path)->row;
        size_t at = leaf.len - packed_skip(leaf, position - c.path.first).len;
        t->root.count += n;
        t->root.bytes += packed_size(els, n);
        tree_edit(&c, c.path.height - 1, at, 0, els, n);
        position += n;
        els += n;
        count -= n;
    }
}

void counted_tree_replace(struct keyspace *ks, struct counted_tree *t, uint64_t position, const struct element *el)
{
    assert(position < t->root.count);
    struct tree_change c = {.ks = ks, .t = t, .place = TREE_WITHIN};
    struct tree_target target = {.mode = TREE_FIND, .position = position};
    tree_descend(ks, t, &target, &c.path);
    struct bytes leaf = tree_leaf(&c.path)->row;
    struct bytes from = packed_skip(leaf, position - c.path.first);
    size_t removed = from.len - packed_skip(from, 1).len, inserted = element_size(el);
    t->root.bytes += inserted - removed;
    tree_edit(&c, c.path.height - 1, leaf.len - from.len, removed, el, 1);
    if (inserted < removed) tree_settle(&c, c.path.height - 1);
}
