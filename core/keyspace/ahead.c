/* Keys that commands will look up soon: their rows' names, made once, and the store told of them together.
 */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "keyspace/keyspace_state.h"

#define TRIES 4 /* so many of those announced may have been left out */

void keyspace_prefetch(struct keyspace *ks, unsigned database, const struct bytes *keys, size_t count)
{
    assert(database < ks->usable);
    struct bytes names[STORE_AHEAD_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count && n < STORE_AHEAD_MAX; i++) {
        if (rowkey_is_named_by_hash(keys[i])) continue;
        struct rowkey *row = &ks->ahead.rows[n];
        rowkey_make(row, &ks->seed, keyspace_slot(keys[i]), ks->databases.list[database].id, keys[i]);
        names[n++] = rowkey_bytes(row);
    }
    ks->ahead.at = 0;
    ks->ahead.count = n;
    store_prefetch(ks->store, names, n);
}

static bool is_of(const struct rowkey *row, uint32_t database_id, struct bytes key)
{
    return row->database_id == database_id && bytes_equal(bytes_of(row->bytes + ROWKEY_HEAD, row->len - ROWKEY_HEAD), key);
}

void keyspace_name_row(struct keyspace *ks, struct bytes key, struct rowkey *out)
{
    uint32_t id = ks->databases.list[ks->current].id;
    for (size_t i = ks->ahead.at; i < ks->ahead.count && i < ks->ahead.at + TRIES; i++) {
        const struct rowkey *row = &ks->ahead.rows[i];
        if (rowkey_is_named_by_hash(key) || !is_of(row, id, key)) continue;
        ks->ahead.at = i;
        memcpy(out, row, offsetof(struct rowkey, bytes) + row->len);
        return;
    }
    rowkey_make(out, &ks->seed, keyspace_slot(key), id, key);
}

/* ---- keys whose rows may be on disk ---- */

bool keyspace_reads_wait(const struct keyspace *ks)
{
    return store_reads_wait(ks->store);
}

bool keyspace_is_cold(struct keyspace *ks, unsigned database, struct bytes key)
{
    struct rowkey row;
    rowkey_make(&row, &ks->seed, keyspace_slot(key), ks->databases.list[database].id, key);
    return store_is_cold(ks->store, rowkey_bytes(&row));
}

bool keyspace_warm(struct keyspace *ks, unsigned database, const struct bytes *keys, size_t count, uint64_t token)
{
    struct rowkey row;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) size += ROWKEY_HEAD + (rowkey_is_named_by_hash(keys[i]) ? ROWKEY_NAME_SIZE : keys[i].len);
    struct bytes *names = malloc(count * sizeof *names + size);
    if (!names) return false;
    uint8_t *at = (uint8_t *)&names[count];
    for (size_t i = 0; i < count; i++) {
        rowkey_make(&row, &ks->seed, keyspace_slot(keys[i]), ks->databases.list[database].id, keys[i]);
        names[i] = bytes_of(at, row.len);
        memcpy(at, row.bytes, row.len);
        at += row.len;
    }
    bool taken = store_warm(ks->store, names, count, token);
    free(names);
    return taken;
}
