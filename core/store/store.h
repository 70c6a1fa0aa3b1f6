/* The store: ordered rows, atomic batches, positions, gates. (design: store.md)
 *
 * One thread, the owner, calls everything here except store_durable(). It sees its own writes at once; they become durable
 * later, in order, a turn of its loop at a time. Who must not speak before a write is durable waits for its position.
 *
 * Nothing of what lies behind (LMDB, files, threads) shows here. First version: the rows of a turn become one LMDB
 * transaction, synced, on a thread of its own; rows not yet durable are held in memory. */
#ifndef AIKV_STORE_STORE_H
#define AIKV_STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"

#define STORE_KEY_MAX   511
#define STORE_VALUE_MAX ((size_t)1025 << 20) /* a value and, where it does not fit the row's key, a name of 512 MiB each */

struct store;

/* A place in the history of writes. Sequences rise by one with every batch and never repeat within an epoch. 0/0: before all. */
struct store_position {
    uint64_t epoch, sequence;
};

static inline int store_position_compare(struct store_position a, struct store_position b)
{
    if (a.epoch != b.epoch) return a.epoch < b.epoch ? -1 : 1;
    return a.sequence < b.sequence ? -1 : a.sequence > b.sequence;
}

struct store_options {
    const char *dir;      /* made if missing */
    size_t pending_max;   /* bytes of rows not yet durable before store_pressure() says so */
    /* Called on a thread of the store's whenever the durable position rose, or writing has failed for good: wake the owner. */
    void (*on_durable)(void *user);
    void *user;
    bool expected;        /* it was there before: one that is missing is not made anew, but an error */
};

struct store_report { /* what opening found */
    uint64_t rows;
    struct store_position position;
};

/* Opens or makes the store in `dir`. Errors: FORMAT (damaged, missing, or another version), IO, PERMISSION or DISK (text with the path). */
int store_open(const struct store_options *options, struct store **out, struct store_report *report, struct error *e);
/* Makes what was flushed durable, then closes. */
void store_close(struct store *s);

/* ---- reading, by the owner ---- */

struct store_value {
    struct bytes data;              /* until the next call that writes, flushes or closes */
    struct store_position position; /* of the write that made it, while that is not durable; 0/0 if it is */
};

/* The row's value, own unflushed writes included. False: no such row; `position` is then that of a deletion not yet durable. */
bool store_get(struct store *s, struct bytes key, struct store_value *out);

/* Rows with from <= key < to (an empty `to`: to the end), in key order, as of now. Nothing may be written while it is open. */
struct store_iterator;
struct store_iterator *store_iterate(struct store *s, struct bytes from, struct bytes to);
/* The next row; false at the end. Key and value live until the next call. */
bool store_iterator_next(struct store_iterator *it, struct bytes *key, struct store_value *value);
void store_iterator_close(struct store_iterator *it);

/* ---- writing, by the owner ---- */

/* A batch: the row changes of one command, all or nothing. Changes show in store_get at once. One is open at a time. */
void store_begin(struct store *s);
/* Copies key (1 to STORE_KEY_MAX bytes) and value. The value may point into what store_get gave. */
void store_put(struct store *s, struct bytes key, struct bytes value);
/* The same, the value being for the caller to fill in before the next call: saves a copy of large ones. */
uint8_t *store_put_open(struct store *s, struct bytes key, size_t value_len);
void store_delete(struct store *s, struct bytes key);
/* Ends the batch. Returns its position; of an empty one, 0/0. */
struct store_position store_commit(struct store *s);
/* The end of the loop's turn: hands all batches since the last flush on to be made durable together, and lets go of rows held in
 * memory that became durable (so call it after on_durable too). Cheap when there are none. */
void store_flush(struct store *s);

/* ---- gates ---- */

/* Everything up to here survives kill -9 and power loss. Any thread. */
struct store_position store_durable(const struct store *s);
/* Whether more than pending_max bytes wait to become durable: take no more commands until on_durable. */
bool store_pressure(const struct store *s);
/* Whether writing has failed for good (disk full or failing); `e` says why. Nothing above store_durable() will ever be durable. Any thread. */
bool store_failed(const struct store *s, struct error *e);

struct store_statistics {
    uint64_t rows_durable, bytes_on_disk, pending_rows, pending_bytes, batches, flushes, syncs;
};
void store_statistics(const struct store *s, struct store_statistics *out);

#endif
