/* The index of rows in LMDB that expire: a table "expiry" whose keys are when (8 bytes that rise with the time) and the row's key, without
 * values. A transaction of the checkpoint's derives its changes from the rows it changes: they are collected, sorted, and applied at its end, so
 * the index always holds exactly what the rows say. */
#ifndef AIKV_STORE_DISK_EXPIRY_H
#define AIKV_STORE_DISK_EXPIRY_H

#include <lmdb.h>

#include "store/store.h"

#define DISK_EXPIRY_HEAD 8

struct disk_expiry_change {
    size_t at; /* in `keys` */
    uint16_t len;
    bool is; /* there from now on */
};

struct disk_expiry { /* changes, collected */
    struct disk_expiry_change *list;
    size_t count, cap;
    uint8_t *keys;
    size_t keys_len, keys_cap;
};

/* A row expired at `before` and now does at `now` (either may be STORE_NEVER). */
void disk_expiry_note(struct disk_expiry *x, struct bytes key, int64_t before, int64_t now);
/* Changes the table. MDB_CORRUPTED: it did not hold what the rows said. */
int disk_expiry_apply(struct disk_expiry *x, MDB_txn *txn, MDB_dbi table);
void disk_expiry_release(struct disk_expiry *x);

/* An entry; `out` has room for DISK_EXPIRY_HEAD bytes and the key. */
struct bytes disk_expiry_write(uint8_t *out, int64_t due_ms, struct bytes key);
/* When an entry's row is due, and its key. */
int64_t disk_expiry_read(struct bytes entry, struct bytes *key);

#endif
