#include "store/disk_expiry.h"

#include <assert.h>
#include <endian.h>

#include "store/memory.h"

#define SIGN ((uint64_t)1 << 63)

static uint8_t *add_key(struct disk_expiry *x, size_t len)
{
    if (x->keys_cap - x->keys_len < len) {
        while (x->keys_cap - x->keys_len < len) x->keys_cap = x->keys_cap ? 2 * x->keys_cap : 4096;
        x->keys = memory_resize(x->keys, x->keys_cap);
    }
    x->keys_len += len;
    return x->keys + x->keys_len - len;
}

static void note(struct disk_expiry *x, struct bytes key, int64_t due_ms, bool is)
{
    assert(key.len <= STORE_EXPIRING_KEY_MAX);
    if (x->count == x->cap) {
        x->cap = x->cap ? 2 * x->cap : 256;
        x->list = memory_resize(x->list, x->cap * sizeof *x->list);
    }
    x->list[x->count++] = (struct disk_expiry_change){x->keys_len, (uint16_t)(DISK_EXPIRY_HEAD + key.len), is};
    disk_expiry_write(add_key(x, DISK_EXPIRY_HEAD + key.len), due_ms, key);
}

void disk_expiry_note(struct disk_expiry *x, struct bytes key, int64_t before, int64_t now)
{
    if (before == now) return;
    if (before != STORE_NEVER) note(x, key, before, false);
    if (now != STORE_NEVER) note(x, key, now, true);
}

static int compare(const void *a, const void *b, void *keys)
{
    const struct disk_expiry_change *left = a, *right = b;
    return bytes_compare(bytes_of((uint8_t *)keys + left->at, left->len), bytes_of((uint8_t *)keys + right->at, right->len));
}

static int apply_one(MDB_cursor *cursor, const uint8_t *keys, const struct disk_expiry_change *c)
{
    MDB_val key = {c->len, (void *)(uintptr_t)(keys + c->at)}, none = {0};
    int rc = c->is ? mdb_cursor_put(cursor, &key, &none, 0) : mdb_cursor_get(cursor, &key, &none, MDB_SET);
    if (!rc && !c->is) rc = mdb_cursor_del(cursor, 0);
    return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
}

int disk_expiry_apply(struct disk_expiry *x, MDB_txn *txn, MDB_dbi table)
{
    MDB_cursor *cursor;
    if (!x->count) return 0;
    int rc = mdb_cursor_open(txn, table, &cursor);
    if (rc) return rc;
    qsort_r(x->list, x->count, sizeof *x->list, compare, x->keys);
    for (size_t i = 0; i < x->count && !rc; i++) rc = apply_one(cursor, x->keys, &x->list[i]);
    mdb_cursor_close(cursor);
    return rc;
}

void disk_expiry_release(struct disk_expiry *x)
{
    free(x->list);
    free(x->keys);
    *x = (struct disk_expiry){0};
}

struct bytes disk_expiry_write(uint8_t *out, int64_t due_ms, struct bytes key)
{
    uint64_t due_be = htobe64((uint64_t)due_ms ^ SIGN);
    memcpy(out, &due_be, DISK_EXPIRY_HEAD);
    memcpy(out + DISK_EXPIRY_HEAD, key.data, key.len);
    return bytes_of(out, DISK_EXPIRY_HEAD + key.len);
}

int64_t disk_expiry_read(struct bytes entry, struct bytes *key)
{
    uint64_t due_be;
    memcpy(&due_be, entry.data, DISK_EXPIRY_HEAD);
    *key = bytes_of(entry.data + DISK_EXPIRY_HEAD, entry.len - DISK_EXPIRY_HEAD);
    return (int64_t)(be64toh(due_be) ^ SIGN);
}
