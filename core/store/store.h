/* The store: ordered rows, atomic batches, positions, gates. (design: store.md)
 *
 * One thread, the owner, calls everything here but what says 'any thread'. It sees its own writes at once. At the end of a turn of its loop
 * store_flush() writes the turn's batches to the log; who must not speak before a write is safe waits for its position to be released: when
 * the log is synced or, in the modes that promise less, when it is written.
 *
 * Nothing of what lies behind (a log, rows in memory, LMDB as the log's checkpoint, threads) shows here. */
#ifndef AIKV_STORE_STORE_H
#define AIKV_STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"

#define STORE_KEY_MAX   511
#define STORE_EXPIRING_KEY_MAX (STORE_KEY_MAX - 8) /* of rows that expire */
#define STORE_VALUE_MAX ((size_t)1025 << 20) /* a value and, where it does not fit the row's key, a name of 512 MiB each */

struct store;

/* A place in the history of writes. Sequences rise by one with every batch, from one epoch to the next too; one that was cut off
 * (store_options.truncate_to) is used again under a later epoch. 0/0: before all. */
struct store_position {
    uint64_t epoch, sequence;
};

static inline int store_position_compare(struct store_position a, struct store_position b)
{
    if (a.epoch != b.epoch) return a.epoch < b.epoch ? -1 : 1;
    return a.sequence < b.sequence ? -1 : a.sequence > b.sequence;
}

#define STORE_NEVER INT64_MAX

enum store_durability { STORE_ALWAYS, STORE_EVERYSEC, STORE_NO };

/* When a row is due, in ms of wall time since 1970, or STORE_NEVER. Pure: an index follows from it, so it may not change with a store that is
 * there. Any thread. */
typedef int64_t store_expiry(struct bytes key, struct bytes value);
/* Whether a row is one of those that store_sample() gives. Pure; the same for as long as the store is open. */
typedef bool store_sampled(struct bytes key);

struct store_options {
    const char *dir;  /* made if missing */
    size_t dirty_max; /* bytes of rows that are in the log only before store_pressure() says so; 0: 1 GiB. Half of memory_max at most */
    /* Called on threads of the store's when there may be something new: a position was released, room came, writing failed. Wake the owner, who
     * calls store_flush(). */
    void (*on_durable)(void *user);
    void *user;
    enum store_durability durability;
    size_t memory_max; /* bytes of rows in memory before those that can be read again go; 0: no bound */
    size_t log_max;    /* bytes of log that start a checkpoint; 0: 64 MiB */
    size_t log_keep_max;  /* bytes of log that are kept for readers beyond what the checkpoint needs (store/reader.h); 0: 1 GiB */
    store_expiry *expiry; /* NULL: no row ever is due */
    store_sampled *sampled; /* NULL: none is */
    bool expected;        /* it was there before: one that is missing is not made anew, but an error */
    /* Cut the log off behind this position: the end of a record that is in the log, not below the checkpoint. 0/0: no. What comes after is
     * to be of a later epoch. A crash meanwhile leaves the store as it was, or the next opening finishes it. */
    struct store_position truncate_to;
    uint64_t snapshot_max_ms; /* how long a snapshot may be open (store/snapshot.h); 0: 5 minutes */
    bool committed_by_owner; /* what is written is not committed before store_set_committed() says so */
    /* For looking at what is there, while nobody else has it open: nothing in `dir` is changed. Implies `expected`. Of what follows below, reading,
     * what changed since the checkpoint, statistics and closing may be called. */
    bool read_only;
};

struct store_report { /* what opening found */
    uint64_t rows;                         /* in the checkpoint */
    struct store_position checkpoint;      /* what it holds */
    struct store_position position;        /* the last batch */
    uint64_t records, bytes, changed_rows; /* replayed from the log */
    uint64_t dropped_bytes;                /* of a torn end of the log: never acknowledged as durable */
    uint64_t truncated_bytes;              /* behind truncate_to */
};

/* Opens or makes the store in `dir`. Errors: FORMAT (damaged, missing, or another version), IO, PERMISSION or DISK (text with the path),
 * NOT_FOUND (truncate_to is not a place where the log can be cut off; nothing was changed). */
int store_open(const struct store_options *options, struct store **out, struct store_report *report, struct error *e);
/* Makes what was flushed durable, brings the checkpoint up to it where that can be, then closes. */
void store_close(struct store *s);

/* ---- reading, by the owner ---- */

struct store_value {
    struct bytes data;              /* until this row is written, or the next flush or close */
    struct store_position position; /* of the write that made it, while that is not released; 0/0 if it is */
    /* A number of the owner's that the row has for as long as it is in memory: that of store_set_stamp() when it came there; what is written over a
     * row takes it on. May be read and set until this row is written, or the next flush. NULL: the row is not in memory. Iterators do not tell. */
    uint32_t *stamp;
};

/* The row's value, own unflushed writes included. False: no such row; `position` is then that of a deletion not yet released. */
bool store_get(struct store *s, struct bytes key, struct store_value *out);

/* What rows that come into memory from now on are stamped with. 0 at first, and for what opening replays. */
void store_set_stamp(struct store *s, uint32_t stamp);

/* Whether there is such a row. Nothing of its value is read, however large it is. */
bool store_has(struct store *s, struct bytes key);

/* These rows will be asked for soon, in this order: brings near what of them is in memory. Tells nothing, changes nothing. Of more than
 * STORE_AHEAD_MAX keys the rest are ignored; each call forgets the last one. */
#define STORE_AHEAD_MAX 32
void store_prefetch(struct store *s, const struct bytes *keys, size_t count);

/* Whether reading has had to wait for the disk lately. While it has not, reading what is not in memory costs a microsecond, not more. */
bool store_reads_wait(const struct store *s);
/* Whether looking this row up may have to wait: it is not in memory, and reads do. */
bool store_is_cold(struct store *s, struct bytes key);
/* Has threads of the store's bring these rows' pages into the kernel's cache; copies the keys. When they are there, or could not be brought,
 * store_flush calls the function of store_on_warm with `token` (any but UINT64_MAX); then read them, whatever store_is_cold says. False: too many wait; read them
 * as they are. Rows asked for in one turn go out together with its flush. */
bool store_warm(struct store *s, const struct bytes *keys, size_t count, uint64_t token);
/* Whether half as many wait as may. */
bool store_warm_is_busy(const struct store *s);
/* NULL: nobody; what was asked for is then forgotten. */
void store_on_warm(struct store *s, void (*warm)(void *user, uint64_t token), void *user);

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
/* Replaces `removed` bytes of the row's value at `offset` by others: a small record for a small change of a large value. offset + removed is at
 * most the value's length; a row that is not there has an empty one. */
void store_splice(struct store *s, struct bytes key, size_t offset, size_t removed, struct bytes inserted);
/* Rows of a range of slots (the first two bytes of a key, big endian; a shorter key counts as if zeros followed), all of them or those of one
 * database (the next four). */
struct store_range {
    uint16_t first_slot, last_slot;
    bool one_database;
    uint32_t database;
};
/* Every row of the range that is there is gone, at once and with one small operation in the log, however many they are; what the batch puts
 * there afterwards stays. Memory and disk come back in the background. */
void store_drop(struct store *s, const struct store_range *range);
/* Ends the batch. Returns its position; of an empty one, 0/0. A batch that drops after other changes takes two sequences, or more. */
struct store_position store_commit(struct store *s);
/* The end of the loop's turn: writes all batches since the last flush to the log, in one piece, and does a bounded bit of upkeep (so call it
 * after on_durable too). Cheap when there is nothing to do. Without room in the log the batches wait for the next flush. */
void store_flush(struct store *s);
/* In STORE_ALWAYS: whether store_flush also syncs what it wrote before it returns, so that it is released at once: cheaper than to wake a thread
 * that wakes the owner again, if nobody can be served meanwhile. Not done on a disk that takes milliseconds. Off at first. */
void store_sync_inline(struct store *s, bool yes);
/* `prepare` is called within store_flush when a checkpoint is about to begin; it may write one batch, the last that the checkpoint holds.
 * NULL: nobody. */
void store_on_checkpoint(struct store *s, void (*prepare)(void *user), void *user);
/* Starts a checkpoint with the next flush (unless one is running: then after it). Where nothing was written since the last one, that one counts as
 * made anew. */
void store_checkpoint_soon(struct store *s);

/* ---- what changed since the checkpoint; only right after store_open, nothing flushed yet ---- */

/* A row's value as of store_report.checkpoint, or, after a crash within a checkpoint, as of that one's end. */
bool store_get_base(struct store *s, struct bytes key, struct bytes *value);
/* What changed since then: first each range that was dropped, then each row that was written, with its value then and now; NULL: none. A row
 * that was dropped and not put again is not told of, one that was put again had none before. Stops when a function returns another value than
 * 0, and returns that. */
typedef int store_dropped_range(void *user, const struct store_range *range);
typedef int store_changed_row(void *user, struct bytes key, const struct bytes *before, const struct bytes *now);
int store_each_changed(struct store *s, store_dropped_range *dropped, store_changed_row *changed, void *user);
/* The sequence of the base. */
uint64_t store_base_sequence(const struct store *s);

/* ---- rows that are due ---- */

/* Gives rows that are due at `now_ms` and there, `count` at most, in no order; `visit` must not write. What it leaves undeleted is given again:
 * a row that changed since the checkpoint by the next call, others after the next checkpoint. `*more`: whether there may be others that are due,
 * even if none was given: only so much is looked at in one call. Returns how many. Not within a batch. */
size_t store_due(struct store *s, int64_t now_ms, size_t count, void (*visit)(void *user, struct bytes key), void *user, bool *more);

/* ---- some rows of many: those that store_options.sampled names ---- */

struct store_sample {
    struct bytes key, value;
    bool in_memory;
    uint32_t stamp; /* if so */
};
/* Must not call the store. */
typedef void store_visit_sample(void *user, const struct store_sample *sample);

/* About how many rows of any kind are in memory, deleted ones too, and how many are on disk only. */
struct store_whereabouts {
    uint64_t in_memory, on_disk;
};
void store_whereabouts(const struct store *s, struct store_whereabouts *out);

/* Gives rows in memory, up to `count` (STORE_SAMPLE_MAX at most), from a random place on; which are neighbours there is random too. A bounded number
 * of places is looked at: where few rows are such, it may find none. */
#define STORE_SAMPLE_MAX 64
void store_sample(struct store *s, uint64_t random, size_t count, store_visit_sample *visit, void *user);
/* Gives rows with from <= key < to that the checkpoint has, as they are now, in memory or not, up to `count`, in key order. A bounded number is looked
 * at, and those that are no more count too. */
void store_sample_disk(struct store *s, struct bytes from, struct bytes to, size_t count, store_visit_sample *visit, void *user);
/* Gives the rows that will be due first: of those that changed since the checkpoint, and of the others, up to `count` each that are of use, as the
 * function says of each. One of the others that is not is not given again before the next checkpoint. A bounded number is looked at. */
typedef bool store_visit_due(void *user, const struct store_sample *sample);
void store_sample_due(struct store *s, size_t count, store_visit_due *visit, void *user);

/* ---- gates ---- */

/* Everything up to here survives kill -9 and power loss. Any thread. */
struct store_position store_durable(const struct store *s);
/* Replies up to here may leave: what is committed of store_durable() in STORE_ALWAYS, else of store_written(). */
struct store_position store_released(const struct store *s);
/* Everything up to here is in the log: survives kill -9. Any thread. */
struct store_position store_written(const struct store *s);
/* At run time. From ALWAYS to another what waits is released with the next flush; to ALWAYS only what comes then waits. */
void store_set_durability(struct store *s, enum store_durability mode);
enum store_durability store_get_durability(const struct store *s);

/* Whether too much waits for the disk: take no more commands until on_durable. */
bool store_pressure(const struct store *s);
/* Whether three quarters of what may wait for the disk do: what can be put off should be. */
bool store_busy(const struct store *s);
/* Whether writes are taken; if not, `e` says why: a full disk (it passes by itself) or a failing one. */
bool store_writable(const struct store *s, struct error *e);
/* Whether the log has failed for good. Nothing above store_durable() will ever be durable; reads go on. Any thread. */
bool store_failed(const struct store *s, struct error *e);

/* With committed_by_owner: all up to here is committed, and will never be cut off. Only rises; what is lower changes nothing. A position beyond
 * the last batch says it of batches to come. A checkpoint holds only what is committed, so memory of changed rows is not given back before. */
void store_set_committed(struct store *s, struct store_position committed);
/* Whether the last try to write a checkpoint failed, and why. It is tried again each second while that may help. */
bool store_checkpoint_failing(const struct store *s, struct error *e);

void store_set_memory_max(struct store *s, size_t bytes);
/* Lets go of all rows in memory that the checkpoint holds as they are; they are read from disk when asked for. Not within a batch; takes time for each of them. */
void store_drop_cached(struct store *s);

/* ---- epochs, and comparing two logs ---- */

#define STORE_EPOCHS_MAX 64

struct store_epoch {
    uint64_t epoch, first; /* sequence */
};

/* What a log needs to be compared with another: small enough to be sent. */
struct store_history {
    struct store_epoch epochs[STORE_EPOCHS_MAX]; /* that have batches, both numbers rising; older ones are forgotten */
    uint32_t count;
    uint64_t last; /* sequence of the last batch in the log */
};

/* What is written from here on is of `epoch`, which is not lower than the one before. False: batches of the one before still wait for room in the
 * log, ask again after on_durable. An epoch outlives the process with its first batch. Not within a batch. */
bool store_set_epoch(struct store *s, uint64_t epoch);
/* The epoch of the next batch. 1 in a new store. */
uint64_t store_get_epoch(const struct store *s);
void store_get_history(const struct store *s, struct store_history *out);
/* The last position that is in both logs, with all before it the same: where the one that follows is to be cut off. 0/0: none that the histories
 * know of. Any thread. */
struct store_position store_common_position(const struct store_history *a, const struct store_history *b);

struct store_statistics {
    struct store_position last; /* batch */
    uint64_t rows_durable;      /* in the checkpoint */
    uint64_t bytes_on_disk;     /* checkpoint and log */
    uint64_t batches, flushes, syncs, syncs_inline;
    uint64_t log_bytes;                            /* after the checkpoint */
    uint64_t log_unwritten;                        /* of batches that are not in the log yet */
    uint64_t log_kept_bytes;                       /* of log files that only readers still need; in bytes_on_disk too */
    uint64_t snapshots;                            /* open ones */
    uint64_t dirty_rows, dirty_bytes;              /* in the log but not in the checkpoint */
    uint64_t cached_rows, cached_bytes, evictions; /* in the checkpoint too */
    uint64_t memory_bytes, memory_max;             /* all rows in memory, with their table */
    uint64_t cold_reads, cold_waiting;             /* rows given to store_warm: since open, and now */
    bool cold_suspected;                           /* reading has had to wait for the disk lately */
    struct store_position checkpoint;
    bool checkpoint_running; /* or about to be, since it was asked for */
    bool checkpoint_stuck;   /* its last try failed: store_checkpoint_failing */
    uint64_t checkpoints, checkpoint_ms; /* since open; the last one's time */
    uint64_t checkpoint_began_ms; /* the running one, monotonic */
    int64_t checkpoint_saved_ms;  /* when the last one was whole, wall time; of none since open: when that was */
};
void store_statistics(const struct store *s, struct store_statistics *out);

#endif
