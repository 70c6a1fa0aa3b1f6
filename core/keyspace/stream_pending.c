/* What was delivered and not acknowledged yet (stream_groups.h). */
#include "keyspace/stream_group_key.h"

#define AT_ONCE 64 /* elements that are made before they are put */

static void pending_key(struct group_key *k, const struct stream_group *g, struct stream_id id)
{
    group_key_begin(k, g->number, GROUP_PENDING);
    group_key_add_id(k, id);
}

static void own_key(struct group_key *k, const struct stream_group *g, uint64_t consumer, struct stream_id id)
{
    group_key_begin(k, g->number, GROUP_OWN);
    group_key_add_number(k, consumer);
    group_key_add_id(k, id);
}

bool keyspace_pending_find(struct keyspace_stream *s, const struct stream_group *g, struct stream_id id, struct stream_pending *out)
{
    struct group_key k;
    struct element el;
    pending_key(&k, g, id);
    if (!group_find(s, &k, &el)) return false;
    out->id = id;
    group_must(group_read_pending(el.value, out));
    return true;
}

uint64_t keyspace_pending_count(struct keyspace_stream *s, const struct stream_group *g)
{
    return group_rank_of(s, g->number + 1, GROUP_MARK) - group_rank_of(s, g->number, GROUP_PENDING);
}

/* ---- changing ---- */

void keyspace_pending_put(struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *p)
{
    uint8_t room[GROUP_VALUE_MAX];
    struct stream_pending before = {.consumer = 0};
    struct group_key k;
    if (keyspace_pending_find(s, g, p->id, &before) && before.consumer != p->consumer) {
        own_key(&k, g, before.consumer, p->id);
        group_remove(s, &k);
    }
    if (before.consumer != p->consumer) {
        own_key(&k, g, p->consumer, p->id);
        group_put(s, &k, bytes_of(NULL, 0));
    }
    pending_key(&k, g, p->id);
    group_put(s, &k, group_write_pending(room, p));
}

void keyspace_pending_remove(struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *p)
{
    struct group_key k;
    own_key(&k, g, p->consumer, p->id);
    group_remove(s, &k);
    pending_key(&k, g, p->id);
    group_remove(s, &k);
}

/* Elements of the same value, with keys for ids that rise, in one piece: nothing lies between them. */
struct run {
    size_t count;
    struct element els[AT_ONCE];
    uint8_t keys[AT_ONCE][GROUP_KEY_MAX];
};

static void run_add(struct run *r, const struct group_key *k, struct bytes value)
{
    size_t i = r->count++;
    memcpy(r->keys[i], k->bytes.data, k->bytes.len);
    r->els[i] = (struct element){.key = bytes_of(r->keys[i], k->bytes.len), .value = value};
}

static void run_insert(struct keyspace_stream *s, struct run *r)
{
    uint64_t at = counted_tree_rank(s->ks, &s->groups, r->els[0].key, NULL);
    counted_tree_insert(s->ks, &s->groups, at, r->els, r->count);
    r->count = 0;
    s->groups_changed = true;
}

/* AT_ONCE at most, none of which is pending, nor is any id between them. */
static void deliver_new(struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *as, const struct stream_id *ids, size_t count)
{
    uint8_t room[GROUP_VALUE_MAX];
    struct bytes value = group_write_pending(room, as);
    struct group_key k;
    struct run r;
    r.count = 0;
    for (size_t i = 0; i < count; i++) {
        own_key(&k, g, as->consumer, ids[i]);
        run_add(&r, &k, bytes_of(NULL, 0));
    }
    run_insert(s, &r);
    for (size_t i = 0; i < count; i++) {
        pending_key(&k, g, ids[i]);
        run_add(&r, &k, value);
    }
    run_insert(s, &r);
}

/* Whether anything from one id to another is pending. */
static bool any_between(struct keyspace_stream *s, const struct stream_group *g, struct stream_id first, struct stream_id last)
{
    struct group_key k;
    bool equal;
    pending_key(&k, g, first);
    uint64_t at = group_rank(s, &k, NULL);
    pending_key(&k, g, last);
    return group_rank(s, &k, &equal) > at || equal;
}

void keyspace_pending_deliver(struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *as, const struct stream_id *ids, size_t count)
{
    for (size_t n; count; ids += n, count -= n) {
        n = count < AT_ONCE ? count : AT_ONCE;
        if (n > 1 && !any_between(s, g, ids[0], ids[n - 1])) {
            deliver_new(s, g, as, ids, n);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            struct stream_pending one = *as;
            one.id = ids[i];
            keyspace_pending_put(s, g, &one);
        }
    }
}

/* ---- reading ---- */

uint64_t keyspace_pending_count_of(struct keyspace_stream *s, const struct stream_group *g, uint64_t consumer)
{
    return group_rank_of_own(s, g->number, consumer + 1) - group_rank_of_own(s, g->number, consumer) - 1; /* but its name */
}

void keyspace_pending_walk(struct keyspace_stream *s, const struct stream_group *g, const uint64_t *consumer, struct stream_id from, struct keyspace_group_walk *w)
{
    struct group_key k;
    *w = (struct keyspace_group_walk){.number = g->number, .of_one = consumer};
    if (consumer) {
        own_key(&k, g, *consumer, from);
        w->end = group_rank_of_own(s, g->number, *consumer + 1);
    } else {
        pending_key(&k, g, from);
        w->end = group_rank_of(s, g->number + 1, GROUP_MARK);
    }
    w->tree.position = group_rank(s, &k, NULL);
}

bool keyspace_pending_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct stream_pending *out)
{
    const struct stream_group g = {.number = w->number};
    struct element el;
    if (!group_next(s, w, &el)) return false;
    group_must(group_key_read_id(el.key, &out->id));
    group_must(w->of_one ? keyspace_pending_find(s, &g, out->id, out) : group_read_pending(el.value, out));
    return true;
}
