/* Rows in LMDB: one named table "rows", and in the main table one record, "state", that says up to where they go.
 *
 * Two threads meet here. The writer calls disk_write and nothing else; the owner everything else. LMDB keeps their
 * transactions apart. */
#ifndef AIKV_STORE_DISK_H
#define AIKV_STORE_DISK_H

#include <lmdb.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/row.h"

#define DISK_FORMAT 1
#define DISK_EPOCH  1 /* until replication brings reigns */

/* What tests replace. */
struct disk_calls {
    int (*commit)(MDB_txn *txn);
};

struct disk {
    MDB_env *env;
    MDB_dbi main, rows;
    MDB_txn *snapshot; /* what the owner reads */
    MDB_txn *spare;    /* reset, for the next one */
    struct disk_calls calls;
    char *dir;
};

/* Opens the environment in `dir`, or makes it unless one is `expected`; `sequence` gets that of the last batch in it.
 * Errors: FORMAT, IO, PERMISSION, DISK. */
int disk_open(struct disk *d, const char *dir, bool expected, uint64_t *sequence, struct error *e);
void disk_close(struct disk *d);

/* Moves the snapshot on to the last transaction. False: LMDB gives none any more, the old one stays. */
bool disk_refresh(struct disk *d);
/* Into the map, as of the snapshot; until disk_refresh. */
bool disk_get(const struct disk *d, struct bytes key, struct bytes *value);
uint64_t disk_row_count(const struct disk *d);
uint64_t disk_size_bytes(const struct disk *d);

/* Writes sorted rows, one version a key, and the state in one transaction and syncs it. An error is final. */
int disk_write(struct disk *d, struct row *const *rows, size_t count, uint64_t sequence, struct error *e);

/* A read failed: the map is damaged. There is no right answer to give, so the process ends, with EXIT_FORMAT or EXIT_DISK. */
_Noreturn void disk_die(const struct disk *d, int rc, const char *what);

static inline MDB_val disk_val(struct bytes b)
{
    return (MDB_val){b.len, (void *)(uintptr_t)b.data}; /* LMDB's type has no const; it does not write there */
}

#endif
