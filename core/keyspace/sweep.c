/* The sweeper: deletes keys, and fields of hashes, that are due; the store finds them. */
#include <assert.h>

#include "keyspace/hash.h"
#include "keyspace/keyspace_state.h"

int64_t keyspace_expiry(struct bytes name, struct bytes value)
{
    struct rowkey_parts at;
    int64_t expires_ms = rowkey_parse(name, &at) ? entry_expiry(value) : KEYSPACE_NO_EXPIRY;
    return expires_ms == KEYSPACE_NO_EXPIRY ? STORE_NEVER : expires_ms;
}

/* Nothing may be written while the store gives names. Without memory the rest is left for another call. */
static void collect(void *names, struct bytes name)
{
    if (buffer_reserve(names, 4 + name.len)) write_bytes(names, name);
}

/* The key stays, unless its last field goes. */
static size_t sweep_fields(struct keyspace *ks, const struct rowkey_parts *at, const struct entry *en, size_t count)
{
    struct bytes key = en->has_key ? en->key : at->key;
    struct keyspace_hash h;
    ks->current = (unsigned)(databases_find(&ks->databases, at->database_id) - ks->databases.list);
    ks->place.known = false;
    keyspace_hash_open(&h, ks, key, &(struct keyspace_entry){en->type, en->expires_ms, en->form, en->payload, en->fields_ms});
    size_t deleted = keyspace_hash_sweep(&h, count);
    if (deleted) keyspace_tell(ks, ks->current, key, keyspace_hash_len(&h) ? KEYSPACE_FIELDS_EXPIRED : KEYSPACE_LAST_FIELDS_EXPIRED);
    keyspace_hash_close(&h); /* the row with the key may be another then */
    return deleted;
}

void keyspace_delete_row(struct keyspace *ks, struct bytes name, const struct rowkey_parts *at, const struct entry *en, enum keyspace_change why)
{
    struct object_root roots[ENTRY_ROOTS_MAX];
    struct database *db = databases_find(&ks->databases, at->database_id);
    databases_count(&ks->databases, db, at->slot, -1, entry_has_expiry(en) ? -1 : 0, -(int64_t)keyspace_row_bytes(name.len, en));
    ks->expired_total += why == KEYSPACE_EXPIRED;
    ks->evicted_total += why == KEYSPACE_EVICTED;
    keyspace_tell(ks, (unsigned)(db - ks->databases.list), en->has_key ? en->key : at->key, why); /* while its row has the key */
    for (unsigned i = entry_roots(en, at->database_id, roots); i > 0; i--) objects_hand_over(&ks->objects, ks->store, &roots[i - 1].object);
    store_delete(ks->store, name);
}

/* What of it is due, `count` at most; returns how many. */
static size_t delete_due(struct keyspace *ks, struct bytes name, size_t count)
{
    struct rowkey_parts at;
    if (!rowkey_parse(name, &at)) return 0;
    struct store_value value;
    struct entry en;
    bool readable = store_get(ks->store, name, &value) && entry_read(value.data, &en);
    assert(readable); /* it was due a moment ago */
    (void)readable;
    if (!entry_is_expired(&en, ks->now_ms)) return sweep_fields(ks, &at, &en, count);
    keyspace_delete_row(ks, name, &at, &en, KEYSPACE_EXPIRED);
    return 1;
}

size_t keyspace_sweep(struct keyspace *ks, size_t keys, int64_t now_ms, bool *more)
{
    bool left = false;
    if (more) *more = false;
    if (!keys || !store_writable(ks->store, NULL)) return 0;
    struct buffer names;
    size_t deleted = 0;
    buffer_init(&names, keys > SIZE_MAX / (ROWKEY_MAX + 4) ? SIZE_MAX : keys * (ROWKEY_MAX + 4));
    store_due(ks->store, now_ms, keys, collect, &names, &left);
    struct reader r = reader_of(buffer_bytes(&names));
    store_begin(ks->store);
    ks->now_ms = now_ms;
    while (reader_left(&r)) /* each that was given loses something: else one on disk would be passed over */
        deleted += delete_due(ks, read_bytes(&r, ROWKEY_MAX), deleted < keys ? keys - deleted : 1);
    struct store_position p = store_commit(ks->store);
    if (p.sequence) ks->written = p;
    buffer_release(&names);
    if (more) *more = left || deleted >= keys; /* a hash may have more fields */
    return deleted;
}
