/* Rows of streams: of their entries. */
#include "keyspace/need_row.h"
#include "keyspace/stream.h"

#define NAMES_LOOKED_AT 8 /* newest entries, when one is added */

static const struct keyspace_need reads = {.change = NEED_READS}, puts_one = {.change = NEED_PUTS};

/* The position of an end; false: not yet. As keyspace_stream_rank(), whose leaf must be there. */
static bool find_end(struct keyspace_ahead *a, struct keyspace_stream *s, const struct keyspace_need_end *end, bool upper, uint64_t *out)
{
    uint8_t room[STREAM_KEY_MAX];
    struct element first;
    struct bytes tail = s->tail;
    bool equal;
    *out = upper ? s->count : 0;
    if (end->by != NEED_BY_ID) return true;
    if (end->id.ms >= s->base_ms && stream_id_compare(end->id, s->head.last) <= 0) {
        struct bytes key = stream_key_write(room, s->base_ms, end->id);
        bool in_tail = element_next(&tail, &first) && bytes_compare(first.key, key) <= 0;
        if (!in_tail && !need_tree_key(a, NEED_DEPTH, &s->tree, key, &reads, 0, true)) return false;
    }
    *out = keyspace_stream_rank(s, end->id, &equal);
    *out += equal && end->behind;
    return true;
}

static void need_positions(struct keyspace_ahead *a, unsigned depth, struct keyspace_stream *s, struct need_range r, const struct keyspace_need *need)
{
    if (need->change == NEED_REMOVES)
        need_tree_removed(a, depth, &s->tree, r.from, r.end, NULL, NULL);
    else
        need_tree_range(a, depth, &s->tree, r.from, r.end, NULL, NULL);
}

static void need_between(struct keyspace_ahead *a, struct keyspace_stream *s, const struct keyspace_need *need)
{
    uint64_t from, end;
    bool found_min = find_end(a, s, &need->min, false, &from), found_max = find_end(a, s, &need->max, true, &end);
    if (!found_min || !found_max) return;
    struct need_range r = need_limited(need, from, end);
    bool ended = need->min.by == NEED_BY_ID || need->max.by == NEED_BY_ID;
    unsigned depth = NEED_DEPTH + (ended ? s->tree.height : 0);
    need_positions(a, depth, s, r, need);
}

/* The tail goes into the tree when it has no room; the newest entries are looked at for their names. */
static void need_appended(struct keyspace_ahead *a, struct keyspace_stream *s, const struct keyspace_need *need)
{
    if (s->tail.len + need->size <= KEYSPACE_STREAM_TAIL_MAX && s->tail_count >= NAMES_LOOKED_AT) return;
    need_tree_position(a, NEED_DEPTH, &s->tree, s->tree.root.count, &puts_one, s->tail.len + need->size, false);
}

void need_of_stream(struct keyspace_ahead *a, const struct keyspace_need *need)
{
    struct keyspace_stream s;
    struct need_range r;
    keyspace_stream_open(a->ks, a->key, &a->entry, &s);
    switch (need->kind) {
    case NEED_WHOLE: need_tree_range(a, NEED_DEPTH, &s.tree, 0, s.count, NULL, NULL); break;
    case NEED_RANKS:
        r = need_ranks(need, s.count);
        need_positions(a, NEED_DEPTH, &s, r, need);
        break;
    case NEED_BETWEEN: need_between(a, &s, need); break;
    case NEED_END: need_appended(a, &s, need); break;
    default: break;
    }
}
