/* Snapshots: exactly the rows at a checkpoint, in key order, while writing goes on. (design: replication.md, migration.md)
 *
 * The owner opens one; it is then used by one thread at a time, whichever that is. While it is open the log after it is kept, as far as for a
 * reader (store/reader.h), so that store_reader_open at its position misses nothing. It costs nothing to open, but pages that it shows are not
 * used again, so the store's file grows while it is open: it ends by itself after store_options.snapshot_max_ms, whoever holds it. */
#ifndef AIKV_STORE_SNAPSHOT_H
#define AIKV_STORE_SNAPSHOT_H

#include "store/store.h"

#define STORE_SNAPSHOTS_MAX 8

struct store_snapshot;

/* A snapshot of a checkpoint that holds `least`, which is at most the last batch's position. The owner's call. *out is NULL: not ready, a
 * checkpoint is being written or begins with the next store_flush; ask again after each flush that follows on_durable. The checkpoint that was
 * waited for stays the last one until it was asked for, for a second at most. Errors: LIMIT, if too many are open; IO, DISK: the log or LMDB
 * has failed, so that there will be none. */
int store_snapshot_open(struct store *s, struct store_position least, struct store_snapshot **out, struct error *e);
/* Whose rows these are. Any thread. */
struct store_position store_snapshot_position(const struct store_snapshot *n);

/* The next row is the first whose key is not below `key`. */
void store_snapshot_seek(struct store_snapshot *n, struct bytes key);

enum store_snapshot_next {
    STORE_SNAPSHOT_ROW,
    STORE_SNAPSHOT_END,    /* no more rows */
    STORE_SNAPSHOT_EXPIRED /* its time is up; open another one and seek to the key after the last */
};
/* Key and value live until the next call. */
enum store_snapshot_next store_snapshot_next(struct store_snapshot *n, struct bytes *key, struct bytes *value);
/* Any thread, but not while another one uses it; before the store is closed. NULL is fine. */
void store_snapshot_close(struct store_snapshot *n);

#endif
