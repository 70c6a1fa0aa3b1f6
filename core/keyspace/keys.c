/* One key: finding, storing, deleting, its expiry. */
#include <assert.h>

#include "base/random.h"
#include "keyspace/keyspace_state.h"

static struct database *current(struct keyspace *ks)
{
    return &ks->databases.list[ks->current];
}

/* Returns what the value has in them. */
static uint64_t see_objects(struct keyspace *ks, const struct entry *en)
{
    struct keyspace_place *at = &ks->place;
    struct object_root roots[ENTRY_ROOTS_MAX];
    uint64_t bytes = 0;
    at->object_count = entry_roots(en, current(ks)->id, roots);
    for (unsigned i = 0; i < at->object_count; i++) {
        at->objects[i] = roots[i].object;
        bytes += roots[i].bytes;
    }
    return bytes;
}

/* The key at ks->place, which is there, is used; by one command once. */
static void use(struct keyspace *ks)
{
    struct keyspace_place *at = &ks->place;
    if (!at->usage || ks->only_looks || ks->used == at->row.hash) return;
    ks->used = at->row.hash;
    *at->usage = usage_again(&ks->usage, *at->usage, ks->clock_s, ks->usage.counts ? random_next(&ks->random) : 0);
}

/* The key's entry in the store. Fills in ks->place. */
static bool look_up(struct keyspace *ks, struct bytes key, struct entry *en)
{
    struct keyspace_place *at = &ks->place;
    struct store_value v;
    keyspace_name_row(ks, key, &at->row);
    at->key = key;
    at->known = true;
    at->exists = store_get(ks->store, rowkey_bytes(&at->row), &v);
    at->expiring = false;
    at->object_count = 0;
    at->bytes = 0;
    keyspace_note(ks, v.position);
    if (!at->exists) return false;
    at->usage = v.stamp;
    use(ks);
    bool readable = entry_read(v.data, en);
    assert(readable); /* only this version writes here: open refuses other formats */
    (void)readable;
    assert(!en->has_key || bytes_equal(en->key, key)); /* 320 bits of keyed hashes stand for the key */
    at->expiring = entry_has_expiry(en);
    at->bytes = at->row.len + entry_size(en); /* keyspace_row_bytes */
    if (en->form != ENTRY_WHOLE) at->bytes += see_objects(ks, en);
    return true;
}

void keyspace_go_to(struct keyspace *ks, struct bytes key)
{
    struct keyspace_place *at = &ks->place;
    bool same = at->known && !rowkey_is_named_by_hash(key) &&
                bytes_equal(bytes_of(at->row.bytes + ROWKEY_HEAD, at->row.len - ROWKEY_HEAD), key);
    struct entry en;
    if (!same) look_up(ks, key, &en);
    at->key = key;
}

/* An object that the value at ks->place had is nobody's: its rows are deleted bit by bit. */
static void hand_over(struct keyspace *ks, const struct object *object)
{
    objects_hand_over(&ks->objects, ks->store, object);
}

static bool is_among(uint64_t id, const struct object_root *roots, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (roots[i].object.id == id) return true;
    return false;
}

static void drop(struct keyspace *ks, enum keyspace_change why)
{
    struct keyspace_place *at = &ks->place;
    for (unsigned i = 0; i < at->object_count; i++) hand_over(ks, &at->objects[i]);
    at->object_count = 0;
    store_delete(ks->store, rowkey_bytes(&at->row));
    databases_count(&ks->databases, current(ks), at->row.slot, -1, at->expiring ? -1 : 0, -(int64_t)at->bytes);
    at->exists = at->expiring = false;
    at->bytes = 0;
    keyspace_tell(ks, ks->current, at->key, why);
}

void keyspace_drop(struct keyspace *ks)
{
    drop(ks, KEYSPACE_DELETED);
}

bool keyspace_find_entry(struct keyspace *ks, struct bytes key, struct entry *en)
{
    bool there = look_up(ks, key, en);
    if (there && !entry_is_expired(en, ks->now_ms)) return true;
    if (there && store_writable(ks->store, NULL)) { /* else nothing is written, and readers must not wait for it */
        ks->expired_total++;
        drop(ks, KEYSPACE_EXPIRED);
    }
    *en = (struct entry){.type = KEYSPACE_STRING, .form = ENTRY_WHOLE, .expires_ms = KEYSPACE_NO_EXPIRY};
    return false;
}

struct keyspace_entry keyspace_find(struct keyspace *ks, struct bytes key)
{
    struct entry en;
    if (!keyspace_find_entry(ks, key, &en)) return (struct keyspace_entry){.expires_ms = KEYSPACE_NO_EXPIRY};
    return (struct keyspace_entry){en.type, en.expires_ms, en.form, en.payload, en.fields_ms};
}

uint64_t keyspace_key_bytes(struct keyspace *ks, struct bytes key)
{
    struct entry en;
    return keyspace_find_entry(ks, key, &en) ? ks->place.bytes : 0;
}

void keyspace_put_entry(struct keyspace *ks, struct bytes key, struct entry *en)
{
    struct keyspace_place *at = &ks->place;
    keyspace_go_to(ks, key);
    en->has_key = rowkey_is_named_by_hash(key);
    en->key = key;
    struct object_root roots[ENTRY_ROOTS_MAX];
    unsigned count = entry_roots(en, current(ks)->id, roots);
    for (unsigned i = 0; i < at->object_count; i++)
        if (!is_among(at->objects[i].id, roots, count)) hand_over(ks, &at->objects[i]);
    at->object_count = count;
    for (unsigned i = 0; i < count; i++) at->objects[i] = roots[i].object;
    uint64_t bytes = keyspace_row_bytes(at->row.len, en);
    /* The payload may be in the row that this replaces: the store keeps it until its next call. */
    entry_write(store_put_open(ks->store, rowkey_bytes(&at->row), entry_size(en)), en);
    bool expiring = entry_has_expiry(en);
    databases_count(&ks->databases, current(ks), at->row.slot, at->exists ? 0 : 1, (int)expiring - (int)at->expiring, (int64_t)(bytes - at->bytes));
    enum keyspace_change change = at->exists ? KEYSPACE_CHANGED : KEYSPACE_CREATED;
    at->exists = true;
    at->expiring = expiring;
    at->bytes = bytes;
    keyspace_tell(ks, ks->current, key, change);
}

void keyspace_splice_payload(struct keyspace *ks, const struct entry *en, size_t at, size_t removed, struct bytes inserted, int64_t held)
{
    int64_t grown = held + (int64_t)inserted.len - (int64_t)removed;
    store_splice(ks->store, rowkey_bytes(&ks->place.row), entry_payload_at(en) + at, removed, inserted);
    databases_count(&ks->databases, current(ks), ks->place.row.slot, 0, 0, grown);
    ks->place.bytes += (uint64_t)grown;
    keyspace_tell_changed(ks);
}

bool keyspace_delete(struct keyspace *ks, struct bytes key)
{
    struct entry en;
    if (!keyspace_find_entry(ks, key, &en)) return false;
    keyspace_drop(ks);
    return true;
}

bool keyspace_expire(struct keyspace *ks, struct bytes key, int64_t expires_ms)
{
    struct keyspace_place *at = &ks->place;
    struct entry en;
    uint8_t changed[ENTRY_EXPIRY_MAX];
    size_t removed;
    if (!keyspace_find_entry(ks, key, &en)) return false;
    if (expires_ms != KEYSPACE_NO_EXPIRY && expires_ms <= ks->now_ms) {
        keyspace_drop(ks);
        return true;
    }
    size_t len = entry_write_expiry(changed, &en, expires_ms, &removed);
    store_splice(ks->store, rowkey_bytes(&at->row), ENTRY_EXPIRY_AT, removed, bytes_of(changed, len));
    bool expiring = expires_ms != KEYSPACE_NO_EXPIRY;
    databases_count(&ks->databases, current(ks), at->row.slot, 0, (int)expiring - (int)at->expiring, (int64_t)len - (int64_t)removed);
    at->expiring = expiring;
    at->bytes += len - removed;
    keyspace_tell_changed(ks);
    return true;
}
