/* Rows in LMDB, the log's checkpoint: a named table "rows", another, "expiry", that follows from it (disk_expiry.h), and in the main table one
 * record, "state", that says up to where they go.
 *
 * Threads meet here. The checkpoint's calls disk_write and nothing else, those of cold.h disk_touch; the owner everything else. LMDB keeps
 * their transactions apart. */
#ifndef AIKV_STORE_DISK_H
#define AIKV_STORE_DISK_H

#include <lmdb.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/drop.h"
#include "store/row.h"
#include "store/store.h"

#define DISK_FORMAT 3

/* The epochs of what a state names. */
struct disk_epochs {
    uint64_t at, next;            /* of these sequences; of one that has reached the other, `next` counts */
    struct store_history history; /* up to `next` */
};

/* Rows are those of `at`; while a checkpoint is being written (`next` is later), those up to and with the key `done` are of `next`. */
struct disk_state {
    uint64_t at, next; /* sequences */
    size_t done_len;
    uint8_t done[STORE_KEY_MAX];
    struct disk_epochs epochs;
};

/* What tests replace. */
struct disk_calls {
    int (*commit)(MDB_txn *txn);
};

struct disk {
    MDB_env *env;
    MDB_dbi main, rows, expiry;
    store_expiry *expiry_of; /* store_options.expiry */
    MDB_txn *snapshot; /* what the owner reads */
    MDB_txn *spare;    /* reset, for the next one */
    struct disk_calls calls;
    char *dir;
    unsigned flags; /* of LMDB's, besides the usual ones */
};

/* Opens the environment in `dir`, or makes it unless one is `expected`. Errors: FORMAT, IO, PERMISSION, DISK. */
int disk_open(struct disk *d, const char *dir, bool expected, struct disk_state *state, struct error *e);
/* The same environment without changing anything in `dir`, where nobody else may write meanwhile; disk_write must not be called. */
int disk_open_read_only(struct disk *d, const char *dir, struct disk_state *state, struct error *e);
void disk_close(struct disk *d);

/* disk_mend.c: LMDB writes its two first pages in turn and opens by the newer one; each holds all that is needed. */

/* Before LMDB opens the file in `dir`: a first page that a power cut left as zeros gives way to a copy of the other one, which is the transaction
 * before. A file whose two first pages were never written is removed unless it is `expected` to hold something: LMDB would take it for damage.
 * Anything else is left to LMDB. Errors: IO. */
int disk_mend(const char *dir, bool expected, struct error *e);
/* FORMAT: disk_mend would mend the file. Changes nothing. */
int disk_check_mended(const char *dir, struct error *e);

/* Makes a directory, unless it is there, so that it survives a power loss. */
int disk_make_dir(const char *dir, struct error *e);

/* Moves the snapshot on to the last transaction, unless LMDB gives none any more: then the old one stays. */
void disk_refresh(struct disk *d);
/* Into the map, as of the snapshot; until disk_refresh. */
bool disk_get(const struct disk *d, struct bytes key, struct bytes *value);
/* Reads the pages of a row, if there is one, and nothing else. `*txn` is the calling thread's, NULL at first; the thread aborts it in the end.
 * An error shows when the owner reads. */
void disk_touch(const struct disk *d, MDB_txn **txn, struct bytes key);
/* Likewise some hundred entries of the index of rows that expire, from `entry` on. */
void disk_touch_expiry(const struct disk *d, MDB_txn **txn, struct bytes entry);
uint64_t disk_row_count(const struct disk *d);
uint64_t disk_size_bytes(const struct disk *d);

/* disk_value.c: what LMDB holds of a row is its value and, behind it, a CRC-32C of key and value: LMDB's pages have no checksums, so without it
 * a flipped bit would be served. */

#define DISK_CHECKSUM ((size_t)4)
/* Writes value and checksum, value.len + DISK_CHECKSUM bytes. */
void disk_value_write(uint8_t *out, struct bytes key, struct bytes value);
/* The value, in `stored`. False: damaged. */
bool disk_value_read(MDB_val key, MDB_val stored, struct bytes *value);
/* The same for who has no other answer: if it is damaged, the process ends with EXIT_FORMAT. Any thread. */
struct bytes disk_value(const struct disk *d, MDB_val key, MDB_val stored);

/* disk_write.c */

struct disk_changes {
    struct row *const *rows; /* sorted, one version a key */
    size_t count;
    const struct drop_list *drops; /* what they cover goes, behind the key that is done */
    bool last;                     /* nothing comes behind the rows; else the drops take effect up to the last of them only */
    size_t rows_max;               /* of rows to write and to delete, at least 1 */
};
/* Writes some of the changes, in key order, and in the same transaction how far it got, and syncs it. `state`: in, how far LMDB is; out, how
 * far it is now: `at` is `next` when all is done and nothing comes behind. *written of the rows are. After an error nothing of it is there,
 * and it may be tried again unless the code is FORMAT: LMDB gives no more transactions then. */
int disk_write(struct disk *d, const struct disk_changes *c, struct disk_state *state, size_t *written, struct error *e);
/* In a transaction. */
int disk_write_state(struct disk *d, MDB_txn *txn, const struct disk_state *st);
/* Sets the error that a failed call of LMDB's makes. */
int disk_fail(const struct disk *d, int rc, const char *doing, struct error *e);

/* A read failed: the map is damaged. There is no right answer to give, so the process ends, with EXIT_FORMAT or EXIT_DISK. */
_Noreturn void disk_die(const struct disk *d, int rc, const char *what);

static inline MDB_val disk_val(struct bytes b)
{
    return (MDB_val){b.len, (void *)(uintptr_t)b.data}; /* LMDB's type has no const; it does not write there */
}

#endif
