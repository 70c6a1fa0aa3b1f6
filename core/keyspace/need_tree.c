/* Rows of counted trees. */
#include "keyspace/counted_tree_path.h"
#include "keyspace/need_row.h"

/* tree_descend(), as far as rows can be read. Whether that is all the way. */
static bool descend(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, struct tree_target *target, struct tree_path *p, bool leads_on)
{
    uint32_t node = t->top;
    tree_begin(t, target, p);
    for (unsigned level = 0; level < t->height; level++) {
        struct tree_step *s = &p->steps[level];
        bool inner = level + 1 < t->height;
        if (!need_node(a, depth + level, &t->root.object, node, inner || leads_on)) return false;
        s->node = node;
        s->row = node_get(a->ks, &t->root.object, node);
        if (inner) node = tree_choose(target, s, p);
    }
    return true;
}

/* Those that the leaf may be joined with: the children before and behind it in its parent. */
static void need_neighbours(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, const struct tree_path *p)
{
    const struct tree_step *s = &p->steps[p->height - 2];
    struct bytes rest = s->row;
    struct tree_child child, before = {0};
    bool any = false, found = false;
    while (!found && rest.len) {
        found = s->row.len - rest.len == s->at;
        child = tree_child_take(&rest);
        if (found) break;
        before = child;
        any = true;
    }
    if (rest.len) need_node(a, depth, &t->root.object, tree_child_take(&rest).node, false);
    if (any) need_node(a, depth, &t->root.object, before.node, false);
}

/* What a change of the leaf reads besides. */
static void need_change(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, const struct tree_path *p, const struct keyspace_need *need,
                        size_t size)
{
    size_t len = p->steps[p->height - 1].row.len;
    bool splits = need->change == NEED_PUTS && len + size > COUNTED_TREE_NODE;
    if (splits && t->free) need_node(a, depth, &t->root.object, t->free - 1, false);
    if (need->change == NEED_REMOVES && p->height > 1 && len < size + COUNTED_TREE_LEAST) need_neighbours(a, depth, t, p);
}

static bool need_way(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, struct tree_target *target, const struct keyspace_need *need,
                     size_t size, bool leads_on)
{
    struct tree_path p;
    bool changes = need->change != NEED_READS;
    if (!t->root.count) return true;
    if (!descend(a, depth, t, target, &p, leads_on || changes)) return false;
    if (changes) need_change(a, depth + t->height, t, &p, need, size);
    return true;
}

bool need_tree_key(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, struct bytes key, const struct keyspace_need *need, size_t size,
                   bool leads_on)
{
    return need_way(a, depth, t, &(struct tree_target){.mode = TREE_RANK, .key = key}, need, size, leads_on);
}

bool need_tree_position(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, uint64_t position, const struct keyspace_need *need, size_t size,
                        bool leads_on)
{
    return need_way(a, depth, t, &(struct tree_target){.mode = TREE_INSERT, .position = position}, need, size, leads_on);
}

/* ---- ranges ---- */

struct range {
    struct keyspace_ahead *a;
    const struct counted_tree *t;
    unsigned depth;
    uint64_t from, end;
    need_visit *visit;
    void *user;
};

static void visit_leaf(const struct range *r, struct bytes leaf, uint64_t first)
{
    struct element el;
    for (uint64_t n = first; n < r->end && element_next(&leaf, &el); n++)
        if (n >= r->from) r->visit(r->user, &el);
}

/* The node's part of the range; its first element has position `first`. */
static void walk(const struct range *r, uint32_t node, unsigned level, uint64_t first)
{
    bool inner = level + 1 < r->t->height;
    struct tree_child child;
    if (!need_node(r->a, r->depth + level, &r->t->root.object, node, inner || r->visit)) return;
    if (!inner && !r->visit) return;
    struct bytes row = node_get(r->a->ks, &r->t->root.object, node);
    if (!inner) {
        visit_leaf(r, row, first);
        return;
    }
    while (first < r->end && !r->a->full && tree_child_next(&row, &child)) {
        if (first + child.count > r->from) walk(r, child.node, level + 1, first);
        first += child.count;
    }
}

void need_tree_range(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, uint64_t from, uint64_t end, need_visit *visit, void *user)
{
    if (end > t->root.count) end = t->root.count;
    if (from >= end) return;
    if (from == 0 && end == t->root.count && !visit)
        need_nodes(a, depth, &t->root.object, 0, t->root.object.nodes);
    else
        walk(&(struct range){a, t, depth, from, end, visit, user}, t->top, 0, 0);
}

/* A leaf that a part is taken out of may be joined with a neighbour: if, as far as its elements are of one size, too little is left. */
static void need_cut(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, uint64_t position, uint64_t from, uint64_t end)
{
    struct tree_target target = {.mode = TREE_FIND, .position = position};
    struct tree_path p;
    if (!descend(a, depth, t, &target, &p, true) || p.height == 1) return;
    uint64_t first = from > p.first ? from : p.first, behind = end < p.first + p.count ? end : p.first + p.count;
    size_t len = tree_leaf(&p)->row.len, left = len - (size_t)(len * (behind - first) / p.count);
    if (left < COUNTED_TREE_LEAST + COUNTED_TREE_LEAST / 4) need_neighbours(a, depth + t->height, t, &p);
}

void need_tree_removed(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, uint64_t from, uint64_t end, need_visit *visit, void *user)
{
    if (end > t->root.count) end = t->root.count;
    if (from >= end) return;
    need_tree_range(a, depth, t, from - (from > 0), from, NULL, NULL); /* leaves on both sides are neighbours then, and may be joined too */
    need_tree_range(a, depth, t, from, end, visit, user);
    need_tree_range(a, depth, t, end, end + 1, NULL, NULL);
    need_cut(a, depth, t, from, from, end);
    need_cut(a, depth, t, end - 1, from, end);
}
