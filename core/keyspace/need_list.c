/* Rows of lists. */
#include "keyspace/list.h"
#include "keyspace/need_row.h"

static const struct keyspace_need puts_one = {.change = NEED_PUTS};

/* An end that has no room goes into the tree, and what is pushed with it, or after it. */
static void need_pushed(struct keyspace_ahead *a, struct keyspace_list *l, const struct keyspace_need *need)
{
    const struct list_end *end = need->backwards ? &l->tail : &l->head;
    if (end->len + need->size <= LIST_END_MAX && end->count + need->count <= LIST_END_COUNT) return;
    uint64_t position = need->backwards ? l->tree.root.count : 0;
    need_tree_position(a, NEED_DEPTH, &l->tree, position, &puts_one, end->len + need->size, false);
}

/* An end that has nothing left is filled from the tree, with so many bytes or elements. */
static void need_filled(struct keyspace_ahead *a, struct keyspace_list *l, bool right)
{
    const struct list_end *end = right ? &l->tail : &l->head;
    uint64_t count = l->tree.root.count, near = 2;
    if (end->count || !count) return;
    near += (uint64_t)LIST_NEAR_MAX * count / l->tree.root.bytes;
    if (near > LIST_END_COUNT) near = LIST_END_COUNT;
    if (near > count) near = count;
    need_tree_range(a, NEED_DEPTH, &l->tree, right ? count - near : 0, right ? count : near, NULL, NULL);
}

void need_of_list(struct keyspace_ahead *a, const struct keyspace_need *need)
{
    struct keyspace_list l;
    keyspace_list_open(a->ks, a->key, &a->entry, &l);
    uint64_t len = keyspace_list_len(&l), head = l.head.count;
    struct need_range r = {0, len};
    if (need->kind == NEED_END) {
        need_pushed(a, &l, need);
        return;
    }
    if (need->kind == NEED_RANKS)
        r = need_ranks(need, len);
    else if (need->kind != NEED_WHOLE)
        return;
    if (r.from == r.end) return;
    bool pops = need->change == NEED_REMOVES && (r.from == 0 || r.end == len);
    if (pops && r.end - r.from < len) need_filled(a, &l, r.from > 0);
    r.from = r.from > head ? r.from - head : 0;
    r.end = r.end > head ? r.end - head : 0;
    if (need->change == NEED_READS)
        need_tree_range(a, NEED_DEPTH, &l.tree, r.from, r.end, NULL, NULL);
    else
        need_tree_removed(a, NEED_DEPTH, &l.tree, r.from, r.end, NULL, NULL);
}
