#include "keyspace/hash_expiry.h"

#include "keyspace/zset_key.h"

/* ---- the index ---- */

static void index_add(struct keyspace_hash *h, struct bytes name, int64_t expires_ms)
{
    struct keyspace *ks = h->fields.ks;
    struct zset_key key;
    zset_key_make(&key, (uint64_t)expires_ms, name);
    counted_tree_put(ks, &h->due, &(struct element){.key = key.bytes});
    zset_key_release(&key);
}

static void index_remove(struct keyspace_hash *h, struct bytes name, int64_t expires_ms)
{
    struct keyspace *ks = h->fields.ks;
    struct zset_key key;
    zset_key_make(&key, (uint64_t)expires_ms, name);
    counted_tree_take(ks, &h->due, key.bytes);
    zset_key_release(&key);
}

/* The hash is large now, or has its first field with an expiry. */
static void index_build(struct keyspace_hash *h)
{
    struct linear_hash_walk w = {0};
    struct element el;
    keyspace_go_to(h->fields.ks, h->fields.name);
    struct object object = keyspace_new_object(h->fields.ks);
    counted_tree_init(&h->due, &object);
    h->indexed = true;
    while (dictionary_next(&h->fields, &w, &el))
        if (el.mark) index_add(h, el.key, hash_element_expiry(&el));
}

/* The next field in the order of their expiry, and when that is; 0: there is none. */
static int64_t index_next(const struct keyspace_hash *h, struct counted_tree_walk *w, struct bytes *name)
{
    struct element el;
    uint64_t order;
    if (!counted_tree_next(h->fields.ks, &h->due, w, &el)) return 0;
    memcpy(&order, el.key.data, sizeof order);
    *name = bytes_of(el.key.data + sizeof order, el.key.len - sizeof order);
    return (int64_t)be64toh(order);
}

void hash_note_expiry(struct keyspace_hash *h, struct bytes name, int64_t before, int64_t now)
{
    bool expires = now != KEYSPACE_NO_EXPIRY;
    if (expires && (!h->earliest_ms || now < h->earliest_ms)) h->earliest_ms = now;
    if (!h->earliest_ms || h->fields.form != ENTRY_HASHED) return;
    if (!h->indexed) {
        index_build(h); /* the field with it */
        return;
    }
    if (before == now) return;
    if (before != KEYSPACE_NO_EXPIRY) index_remove(h, name, before);
    if (expires) index_add(h, name, now);
}

/* ---- fields whose time has come ---- */

uint64_t hash_count_due(const struct keyspace_hash *h)
{
    struct bytes rest = h->fields.packed;
    struct element el;
    uint64_t n = 0;
    if (!h->earliest_ms || h->earliest_ms > h->fields.ks->now_ms) return 0;
    if (h->indexed) {
        struct zset_key key;
        zset_key_make(&key, (uint64_t)h->fields.ks->now_ms + 1, bytes_of(NULL, 0));
        n = counted_tree_rank(h->fields.ks, &h->due, key.bytes, NULL);
        zset_key_release(&key);
        return n;
    }
    while (element_next(&rest, &el)) n += !hash_is_alive(h, &el);
    return n;
}

/* The field that expires first, and when; 0: none has an expiry. */
static int64_t first_of(const struct keyspace_hash *h, struct bytes *name)
{
    struct bytes rest = h->fields.packed;
    struct element el;
    int64_t first_ms = 0;
    if (h->indexed) return index_next(h, &(struct counted_tree_walk){.position = 0}, name);
    while (element_next(&rest, &el)) {
        int64_t ms = hash_element_expiry(&el);
        if (!el.mark || (first_ms && ms >= first_ms)) continue;
        first_ms = ms;
        *name = el.key;
    }
    return first_ms;
}

/* Of the index, whose nodes stay as they are meanwhile, all of them are taken at once. */
static size_t sweep_indexed(struct keyspace_hash *h, size_t count)
{
    struct counted_tree_walk w = {.position = 0};
    struct bytes name;
    int64_t ms;
    size_t deleted = 0;
    for (; deleted < count && (ms = index_next(h, &w, &name)) && hash_is_due(h, ms); deleted++) dictionary_remove(&h->fields, name);
    if (deleted) counted_tree_remove(h->fields.ks, &h->due, 0, deleted, NULL);
    return deleted;
}

static size_t sweep_packed(struct keyspace_hash *h, size_t count)
{
    struct bytes name;
    int64_t ms;
    size_t deleted = 0;
    for (; deleted < count && (ms = first_of(h, &name)) && hash_is_due(h, ms); deleted++) dictionary_remove(&h->fields, name);
    return deleted;
}

size_t keyspace_hash_sweep(struct keyspace_hash *h, size_t count)
{
    struct bytes name;
    size_t deleted = h->indexed ? sweep_indexed(h, count) : sweep_packed(h, count);
    int64_t first_ms = first_of(h, &name);
    h->fields.changed |= first_ms != h->earliest_ms;
    h->earliest_ms = first_ms;
    return deleted;
}

/* ---- what must hold ---- */

static int wrong(const char *what, struct error *e)
{
    return error_set(e, ERROR_FORMAT, "fields of a hash with an expiry: %s", what);
}

static bool is_indexed(const struct keyspace_hash *h, const struct element *el)
{
    struct zset_key key;
    bool there;
    zset_key_make(&key, (uint64_t)hash_element_expiry(el), el->key);
    counted_tree_rank(h->fields.ks, &h->due, key.bytes, &there);
    zset_key_release(&key);
    return there;
}

static int check_fields(const struct keyspace_hash *h, struct error *e)
{
    struct linear_hash_walk w = {0};
    struct element el;
    uint64_t expiring = 0;
    while (dictionary_next(&h->fields, &w, &el)) {
        if (!el.mark) continue;
        if (el.value.len < DICTIONARY_MARKED || !h->earliest_ms || hash_element_expiry(&el) < h->earliest_ms)
            return wrong("one expires before the key's row says", e);
        if (h->indexed && !is_indexed(h, &el)) return wrong("one is missing in the index", e);
        expiring++;
    }
    return h->indexed && h->due.root.count != expiring ? wrong("the index has others", e) : 0;
}

int keyspace_hash_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    struct keyspace_hash h;
    struct keyspace_entry found = {KEYSPACE_HASH, en->expires_ms, en->form, en->payload, en->fields_ms};
    int rc = dictionary_check(ks, database_id, en, e);
    if (rc) return rc;
    hash_open_in(&h, ks, database_id, bytes_of(NULL, 0), &found);
    if (h.indexed) rc = counted_tree_check(ks, &h.due, true, e);
    return rc ? rc : check_fields(&h, e);
}
