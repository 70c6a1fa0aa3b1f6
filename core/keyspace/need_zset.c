/* Rows of sorted sets. */
#include "keyspace/need_row.h"
#include "keyspace/zset.h"
#include "keyspace/zset_key.h"

#define TREE_DEPTH NEED_DEPTH

static const struct keyspace_need reads = {.change = NEED_READS}, removes = {.change = NEED_REMOVES}, puts_one = {.change = NEED_PUTS};

/* A score and a member's place in the tree. */
static void need_key(struct keyspace_ahead *a, unsigned depth, struct keyspace_zset *z, double score, struct bytes member, const struct keyspace_need *change)
{
    struct zset_key key;
    zset_key_make(&key, zset_order(score), member);
    need_tree_key(a, depth, &z->order, key.bytes, change, element_size(&(struct element){.key = key.bytes}), false);
    zset_key_release(&key);
}

static void need_member(struct keyspace_ahead *a, struct keyspace_zset *z, const struct keyspace_need *need)
{
    double score;
    size_t size = element_size(&(struct element){.key = need->name, .value = bytes_of(NULL, ZSET_SCORE)});
    bool placed = need->kind != NEED_ELEMENT;
    if (need->kind == NEED_MEMBER && !need->adds) need_key(a, TREE_DEPTH, z, need->score, need->name, &puts_one);
    if (!need_bucket(a, NEED_DEPTH, &z->scores, need->name, need, size, placed) || !placed) return;
    bool there = keyspace_zset_score(z, need->name, &score);
    if (need->adds) need_key(a, NEED_DEPTH + 1, z, there ? score + need->score : need->score, need->name, &puts_one);
    if (there && (need->adds || score != need->score || need->kind == NEED_PLACE))
        need_key(a, NEED_DEPTH + 1, z, score, need->name, need->change == NEED_READS ? &reads : &removes);
}

/* ---- ranges ---- */

struct removed {
    struct keyspace_ahead *a;
    struct keyspace_zset *z;
    unsigned depth;
};

static void visit_removed(void *user, const struct element *el)
{
    const struct removed *r = user;
    struct bytes member = zset_scored_of_key(el).member;
    if (!r->a->full) need_bucket(r->a, r->depth, &r->z->scores, member, &removes, 0, false);
}

/* Of what goes each member's bucket is read too. All of it goes unread. */
static void need_range(struct keyspace_ahead *a, struct keyspace_zset *z, unsigned depth, struct need_range r, const struct keyspace_need *need)
{
    struct removed removed = {a, z, depth + z->order.height};
    bool removes_all = r.from == 0 && r.end == z->count;
    if (r.from >= r.end || (need->change == NEED_REMOVES && removes_all)) return;
    if (need->change == NEED_REMOVES)
        need_tree_removed(a, depth, &z->order, r.from, r.end, visit_removed, &removed);
    else
        need_tree_range(a, depth, &z->order, r.from, r.end, NULL, NULL);
}

/* The position of an end, of which `*depth` tells the level of the first row to be read, and then of the first row behind. False: not yet. */
static bool find_end(struct keyspace_ahead *a, struct keyspace_zset *z, unsigned *depth, const struct keyspace_need_end *end, bool upper, uint64_t *out)
{
    struct counted_tree_walk first = {0};
    struct element el;
    struct zset_key key;
    uint64_t order;
    *out = upper ? z->count : 0;
    if (end->by != NEED_BY_SCORE && end->by != NEED_BY_NAME) return true;
    if (end->by == NEED_BY_SCORE) {
        zset_key_make(&key, zset_order(end->score) + end->behind, bytes_of(NULL, 0));
    } else {
        if (!need_tree_position(a, *depth, &z->order, 0, &reads, 0, true)) return false;
        *depth += z->order.height;
        if (!counted_tree_next(a->ks, &z->order, &first, &el)) return true;
        memcpy(&order, el.key.data, ZSET_SCORE);
        zset_key_make(&key, be64toh(order), end->name);
    }
    bool equal = false, found = need_tree_key(a, *depth, &z->order, key.bytes, &reads, 0, true);
    if (found) *out = counted_tree_rank(a->ks, &z->order, key.bytes, &equal);
    zset_key_release(&key);
    *out += equal && end->behind && end->by == NEED_BY_NAME;
    *depth += z->order.height;
    return found;
}

static void need_between(struct keyspace_ahead *a, struct keyspace_zset *z, const struct keyspace_need *need)
{
    unsigned min_depth = TREE_DEPTH, max_depth = TREE_DEPTH;
    uint64_t from, end;
    bool found_min = find_end(a, z, &min_depth, &need->min, false, &from), found_max = find_end(a, z, &max_depth, &need->max, true, &end);
    if (!found_min || !found_max) return;
    need_range(a, z, min_depth > max_depth ? min_depth : max_depth, need_limited(need, from, end), need);
}

void need_of_zset(struct keyspace_ahead *a, const struct keyspace_need *need)
{
    struct keyspace_zset z;
    keyspace_zset_open(a->ks, a->key, &a->entry, &z);
    switch (need->kind) {
    case NEED_WHOLE: need_tree_range(a, TREE_DEPTH, &z.order, 0, z.count, NULL, NULL); break;
    case NEED_ELEMENT:
    case NEED_PLACE:
    case NEED_MEMBER: need_member(a, &z, need); break;
    case NEED_RANKS: need_range(a, &z, TREE_DEPTH, need_ranks(need, z.count), need); break;
    case NEED_BETWEEN: need_between(a, &z, need); break;
    case NEED_SCAN: need_scanned(a, NEED_DEPTH, &z.scores, need); break;
    case NEED_ROWS:
    case NEED_END:
    case NEED_BYTES: break;
    }
}
