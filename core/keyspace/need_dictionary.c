/* Rows of hashes and sets: of linear hashes, and of the index of a hash's fields that expire. */
#include "keyspace/hash_expiry.h"
#include "keyspace/need_row.h"
#include "keyspace/set.h"
#include "keyspace/zset_key.h"

/* What those that were passed over will have split, as if they were of this size too: an eighth less, since what is named twice costs little. */
static void count_put(struct keyspace_ahead *a, const struct linear_hash *h, size_t size)
{
    struct linear_hash after = *h;
    after.root.count += a->changed_count = a->passed;
    after.root.bytes += a->put_bytes = a->passed * size;
    uint64_t wanted = linear_hash_wanted(&after), most = h->root.object.nodes + a->passed;
    if (wanted > most) wanted = most;
    uint64_t splits = wanted > h->root.object.nodes ? wanted - h->root.object.nodes : 0;
    if (wanted <= UINT32_MAX) a->adjusted = (uint32_t)(splits - splits / 8);
    a->passed = 0;
}

/* The buckets that putting one more element may split: as if all that are put were new. */
static void need_split(struct keyspace_ahead *a, unsigned depth, const struct linear_hash *h, size_t size)
{
    if (a->passed) count_put(a, h, size);
    struct linear_hash after = *h;
    uint64_t buckets = (uint64_t)h->root.object.nodes + a->adjusted;
    after.root.count += ++a->changed_count;
    after.root.bytes += a->put_bytes += size;
    if (buckets >= linear_hash_wanted(&after) || buckets >= UINT32_MAX) return;
    uint32_t origin = linear_hash_origin((uint32_t)buckets);
    a->adjusted++;
    if (origin < h->root.object.nodes) need_node(a, depth, &h->root.object, origin, false);
}

/* So many buckets stay, with `changed` elements less. */
static uint64_t kept_without(const struct linear_hash *h, uint64_t changed)
{
    struct linear_hash after = *h;
    uint64_t count = h->root.count, left = count > changed ? count - changed : 0;
    after.root.count = left;
    after.root.bytes = count ? h->root.bytes / count * left : 0;
    return LINEAR_HASH_SPARE * (linear_hash_wanted(&after) - 1);
}

/* What those that were passed over will have joined. */
static void count_removed(struct keyspace_ahead *a, const struct linear_hash *h)
{
    uint64_t buckets = h->root.object.nodes, kept = kept_without(h, a->passed);
    a->changed_count = a->passed < h->root.count ? a->passed : h->root.count;
    uint64_t joins = buckets > kept ? buckets - (kept ? kept : 1) : 0;
    a->adjusted = (uint32_t)(joins - joins / 8);
    a->passed = 0;
}

/* Those that taking one more out may join: as if all were of one size. */
static void need_joins(struct keyspace_ahead *a, unsigned depth, const struct linear_hash *h)
{
    if (a->passed) count_removed(a, h);
    if (a->changed_count < h->root.count) a->changed_count++;
    uint64_t kept = kept_without(h, a->changed_count);
    for (unsigned i = 0; i < LINEAR_HASH_SPARE; i++) {
        uint32_t buckets = h->root.object.nodes - a->adjusted;
        if (buckets <= kept || buckets == 1) return;
        a->adjusted++;
        need_node(a, depth, &h->root.object, buckets - 1, false);
        need_node(a, depth, &h->root.object, linear_hash_origin(buckets - 1), false);
    }
}

bool need_bucket(struct keyspace_ahead *a, unsigned depth, const struct linear_hash *h, struct bytes name, const struct keyspace_need *need, size_t size, bool leads_on)
{
    if (depth == a->at.level && need->change == NEED_PUTS) need_split(a, depth, h, size);
    if (depth == a->at.level && need->change == NEED_REMOVES) need_joins(a, depth, h);
    if (need_is_passed(a, depth, leads_on)) return false;
    return need_node(a, depth, &h->root.object, linear_hash_bucket(a->ks, h, name), leads_on);
}

void need_scanned(struct keyspace_ahead *a, unsigned depth, const struct linear_hash *h, const struct keyspace_need *need)
{
    /* As if all buckets had as many elements; those not split yet have twice as many as those that are, so a few more. */
    uint64_t cursor = need->offset, given = 0, wanted = need->limit + need->limit / 4 + LINEAR_HASH_ELEMENTS;
    if (depth < a->at.level) return;
    do {
        need_node(a, depth, &h->root.object, linear_hash_scanned(h, &cursor), false);
        given += h->root.count;
    } while (cursor && given / h->root.object.nodes < wanted && !a->full);
}

static size_t size_of(const struct keyspace_need *need)
{
    return element_size(&(struct element){.key = need->name, .value = bytes_of(NULL, need->size)});
}

void need_of_set(struct keyspace_ahead *a, const struct keyspace_need *need)
{
    struct keyspace_set s;
    keyspace_set_open(&s, a->ks, a->key, &a->entry);
    const struct linear_hash *h = &s.members.hash;
    if (need->kind == NEED_WHOLE)
        need_nodes(a, NEED_DEPTH, &h->root.object, 0, h->root.object.nodes);
    else if (need->kind == NEED_SCAN)
        need_scanned(a, NEED_DEPTH, h, need);
    else if (need->kind == NEED_ELEMENT)
        need_bucket(a, NEED_DEPTH, h, need->name, need, size_of(need), false);
}

/* Where a field that expires is in the index, from which it goes. */
static void need_indexed(struct keyspace_ahead *a, const struct keyspace_hash *h, const struct keyspace_need *need)
{
    struct element el;
    struct zset_key key;
    if (!linear_hash_get(a->ks, &h->fields.hash, need->name, &el) || !el.mark) return;
    zset_key_make(&key, (uint64_t)hash_element_expiry(&el), need->name);
    el = (struct element){.key = key.bytes};
    need_tree_key(a, NEED_DEPTH + 1, &h->due, key.bytes, &(struct keyspace_need){.change = NEED_REMOVES}, element_size(&el), false);
    zset_key_release(&key);
}

void need_of_hash(struct keyspace_ahead *a, const struct keyspace_need *need)
{
    struct keyspace_hash h;
    keyspace_hash_open(&h, a->ks, a->key, &a->entry);
    const struct linear_hash *fields = &h.fields.hash;
    if (need->kind == NEED_WHOLE) {
        need_nodes(a, NEED_DEPTH, &fields->root.object, 0, fields->root.object.nodes);
    } else if (need->kind == NEED_SCAN) {
        need_scanned(a, NEED_DEPTH, fields, need);
    } else if (need->kind == NEED_ELEMENT) {
        bool indexed = h.indexed && need->change != NEED_READS;
        if (need_bucket(a, NEED_DEPTH, fields, need->name, need, size_of(need), indexed) && indexed) need_indexed(a, &h, need);
    }
}
