/* One key: finding, storing, deleting, its expiry. */
#include <assert.h>

#include "keyspace/keyspace_state.h"

static struct database *current(struct keyspace *ks)
{
    return &ks->databases.list[ks->current];
}

/* The key's entry in the store. Fills in ks->place. */
static bool look_up(struct keyspace *ks, struct bytes key, struct entry *en)
{
    struct keyspace_place *at = &ks->place;
    struct store_value v;
    keyspace_name_row(ks, key, &at->row);
    at->known = true;
    at->exists = store_get(ks->store, rowkey_bytes(&at->row), &v);
    at->expiring = false;
    keyspace_note(ks, v.position);
    if (!at->exists) return false;
    bool readable = entry_read(v.data, en);
    assert(readable); /* only this version writes here: open refuses other formats */
    (void)readable;
    assert(!en->has_key || bytes_equal(en->key, key)); /* 320 bits of keyed hashes stand for the key */
    at->expiring = entry_has_expiry(en);
    return true;
}

/* Makes ks->place the key's, at no cost if the command has just looked it up. */
static void go_to(struct keyspace *ks, struct bytes key)
{
    struct keyspace_place *at = &ks->place;
    bool same = at->known && !rowkey_is_named_by_hash(key) &&
                bytes_equal(bytes_of(at->row.bytes + ROWKEY_HEAD, at->row.len - ROWKEY_HEAD), key);
    struct entry en;
    if (!same) look_up(ks, key, &en);
}

/* Deletes the row at ks->place, which exists. */
static void drop(struct keyspace *ks)
{
    struct keyspace_place *at = &ks->place;
    store_delete(ks->store, rowkey_bytes(&at->row));
    databases_count(current(ks), at->row.slot, -1, at->expiring ? -1 : 0);
    at->exists = at->expiring = false;
}

struct keyspace_entry keyspace_find(struct keyspace *ks, struct bytes key)
{
    struct entry en;
    if (!look_up(ks, key, &en)) return (struct keyspace_entry){.expires_ms = KEYSPACE_NO_EXPIRY};
    if (!entry_is_expired(&en, ks->now_ms)) return (struct keyspace_entry){en.type, en.expires_ms, en.value};
    if (store_writable(ks->store, NULL)) { /* else nothing is written, and readers must not wait for it */
        drop(ks);
        ks->expired_total++;
    }
    return (struct keyspace_entry){.expires_ms = KEYSPACE_NO_EXPIRY};
}

void keyspace_put_string(struct keyspace *ks, struct bytes key, struct bytes value, int64_t expires_ms)
{
    struct entry en = {KEYSPACE_STRING, expires_ms, rowkey_is_named_by_hash(key), key, value};
    struct keyspace_place *at = &ks->place;
    go_to(ks, key);
    /* `value` may be in the row that this replaces: the store keeps it until its next call. */
    entry_write(store_put_open(ks->store, rowkey_bytes(&at->row), entry_size(&en)), &en);
    bool expiring = entry_has_expiry(&en);
    databases_count(current(ks), at->row.slot, at->exists ? 0 : 1, (int)expiring - (int)at->expiring);
    at->exists = true;
    at->expiring = expiring;
}

void keyspace_splice_string(struct keyspace *ks, struct bytes key, size_t offset, size_t removed, struct bytes inserted)
{
    struct entry en;
    bool there = look_up(ks, key, &en);
    assert(there && en.type == KEYSPACE_STRING && offset <= en.value.len && removed <= en.value.len - offset);
    (void)there;
    size_t head = entry_size(&en) - en.value.len;
    store_splice(ks->store, rowkey_bytes(&ks->place.row), head + offset, removed, inserted);
}

bool keyspace_delete(struct keyspace *ks, struct bytes key)
{
    if (keyspace_find(ks, key).type == KEYSPACE_NONE) return false;
    drop(ks);
    return true;
}

bool keyspace_expire(struct keyspace *ks, struct bytes key, int64_t expires_ms)
{
    struct keyspace_place *at = &ks->place;
    struct entry en;
    uint8_t changed[ENTRY_EXPIRY_MAX];
    size_t removed;
    if (keyspace_find(ks, key).type == KEYSPACE_NONE) return false;
    if (expires_ms != KEYSPACE_NO_EXPIRY && expires_ms <= ks->now_ms) {
        drop(ks);
        return true;
    }
    look_up(ks, key, &en);
    size_t len = entry_write_expiry(changed, &en, expires_ms, &removed);
    store_splice(ks->store, rowkey_bytes(&at->row), ENTRY_EXPIRY_AT, removed, bytes_of(changed, len));
    bool expiring = expires_ms != KEYSPACE_NO_EXPIRY;
    databases_count(current(ks), at->row.slot, 0, (int)expiring - (int)at->expiring);
    at->expiring = expiring;
    return true;
}
