/* The sweeper: deletes keys that are due, which the store finds. */
#include <assert.h>

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

static void delete_row(struct keyspace *ks, struct bytes name)
{
    struct rowkey_parts at;
    if (!rowkey_parse(name, &at)) return;
    struct store_value value;
    struct entry en;
    bool readable = store_get(ks->store, name, &value) && entry_read(value.data, &en);
    assert(readable); /* it was due a moment ago */
    (void)readable;
    struct object_root roots[ENTRY_ROOTS_MAX];
    struct database *db = databases_find(&ks->databases, at.database_id);
    databases_count(db, at.slot, -1, -1, -(int64_t)keyspace_row_bytes(name.len, &en));
    ks->expired_total++;
    keyspace_tell(ks, (unsigned)(db - ks->databases.list), en.has_key ? en.key : at.key, KEYSPACE_EXPIRED); /* while its row has the key */
    for (unsigned i = entry_roots(&en, at.database_id, roots); i > 0; i--) objects_hand_over(&ks->objects, ks->store, &roots[i - 1].object);
    store_delete(ks->store, name);
}

size_t keyspace_sweep(struct keyspace *ks, size_t keys, int64_t now_ms)
{
    if (!keys || !store_writable(ks->store, NULL)) return 0;
    struct buffer names;
    size_t deleted = 0;
    buffer_init(&names, keys > SIZE_MAX / (ROWKEY_MAX + 4) ? SIZE_MAX : keys * (ROWKEY_MAX + 4));
    store_due(ks->store, now_ms, keys, collect, &names);
    struct reader r = reader_of(buffer_bytes(&names));
    store_begin(ks->store);
    for (; reader_left(&r); deleted++) delete_row(ks, read_bytes(&r, ROWKEY_MAX));
    struct store_position p = store_commit(ks->store);
    if (p.sequence) ks->written = p;
    buffer_release(&names);
    return deleted;
}
