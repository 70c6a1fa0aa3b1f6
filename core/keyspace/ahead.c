/* Keys that commands will look up soon: their rows' names, made once, and the store told of them together.
 */
#include <assert.h>
#include <stddef.h>

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
