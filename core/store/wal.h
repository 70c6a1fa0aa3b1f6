/* The log: every change to data is one record in it before anything else happens with it. (design: store.md)
 *
 * A directory of segments of one size, zero-written ahead of their use and recycled after it. The owner appends one record a turn with
 * one write; a thread syncs, makes the next segments, and recycles old ones. A record: length, CRC-32C (hardware where there is), epoch,
 * position before it, first and last sequence, what had been synced, the turn's batches. A segment begins with a header: magic, format,
 * its number (which rises and is mixed into every record's CRC, so that a recycled tail is never taken for records), the position before
 * its first record, CRC. (bytes: wal_record.h)
 *
 * Errors of write or sync are final (fsyncgate: a failed fsync is never retried): nothing after wal_durable() will be durable. */
#ifndef AIKV_STORE_WAL_H
#define AIKV_STORE_WAL_H

#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"
#include "store/store.h"

struct wal;

enum wal_mode { WAL_ALWAYS, WAL_EVERYSEC, WAL_NO };

/* The system calls it uses, for tests that let them fail, tear, or forget what was not synced. */
struct wal_calls {
    void *user;
    int (*open)(void *user, const char *path, int flags, mode_t mode);
    ssize_t (*pwritev)(void *user, int fd, const struct iovec *parts, int count, off_t at);
    ssize_t (*pread)(void *user, int fd, void *to, size_t len, off_t at);
    int (*fdatasync)(void *user, int fd);
    int (*rename)(void *user, const char *from, const char *to);
    int (*unlink)(void *user, const char *path);
    int (*close)(void *user, int fd);
    int (*fsync)(void *user, int fd); /* of the directory */
};
extern const struct wal_calls wal_calls_system;

struct wal_options {
    const char *dir;      /* made if missing */
    size_t segment_size;  /* 64 MiB; tests use less. A record larger than a segment gets a segment of its own */
    unsigned reserve;     /* segments kept ready ahead of use (2) */
    size_t keep_max;      /* bytes of segments that are kept for readers only (wal_reader.h) */
    enum wal_mode mode;
    struct store_position truncate_to; /* cut off behind this record before anything else; 0/0: no */
    void (*on_durable)(void *user); /* on the log's thread: wal_durable() rose, room came or went, or it failed */
    void *user;
    const struct wal_calls *calls;
};

struct wal_report { /* what opening found: for the log line and `aikv check` */
    uint64_t segments, records, bytes, dropped_bytes; /* dropped: a torn record at the end of the last segment */
    uint64_t truncated_bytes;                         /* cut off because that was asked for */
    struct store_position last;
};

/* Opens the log and hands every record after `checkpoint` to `replay`, in order (`batches` as given to wal_append; a record that reaches over
 * the checkpoint is handed over whole). Stops at the first record that is torn or out of sequence, and cuts it and what follows off if nothing
 * shows that it had been synced. A directory without records begins at the checkpoint (report->segments is 0 then).
 * Errors: FORMAT with segment and offset for damage to what had been synced, a gap, a log that ends before the checkpoint, or a format it
 * does not know; NOT_FOUND, if it cannot be cut off at truncate_to: that is not the end of a record after the checkpoint; IO; what replay
 * returns. A truncation that a crash interrupted is finished first. */
typedef int (*wal_replay)(void *user, struct store_position first, uint64_t last_sequence, struct bytes batches, struct error *e);
int wal_open(const struct wal_options *options, struct store_position checkpoint, wal_replay replay, void *user, struct wal **out,
             struct wal_report *report, struct error *e);
/* Makes of a log without segments (report->segments is 0) one that can be told from a log that was lost: a header is on disk. Right after wal_open,
 * the owner; once it has failed, only wal_close may follow. Errors: DISK if there is no room; IO. */
int wal_begin(struct wal *w, struct error *e);
/* Syncs what was appended (whatever the mode), then closes. */
void wal_close(struct wal *w);

/* The owner: appends the record of a turn (batches in `parts`, sequences first to last) with one write. Returns 0; or the code of the failure,
 * which is final. Call only while wal_has_room(). */
int wal_append(struct wal *w, struct store_position first, uint64_t last_sequence, const struct iovec *parts, int count, size_t len, struct error *e);
/* Whether the owner is going to call wal_sync after what it appends, so that the thread need not be woken. Off at first. The owner. */
void wal_set_owner_syncs(struct wal *w, bool yes);
/* In ALWAYS: syncs what was appended, on the caller's thread, unless the log's thread is at it, or must be first: then that goes on to the end. on_durable is not
 * called. Returns how long it took, in µs; 0: nothing was synced. A failure is final, as ever. The owner. */
uint64_t wal_sync(struct wal *w);
/* Whether a record of `len` bytes can be appended without asking the disk for space. False: the disk is full (wal_full says so), refuse writes
 * until on_durable; or the reserve is only just being made, wait for on_durable. Any thread. */
bool wal_has_room(const struct wal *w, size_t len);
/* Takes effect with the next sync; going to ALWAYS syncs at once. The owner. */
void wal_set_mode(struct wal *w, enum wal_mode mode);
enum wal_mode wal_get_mode(const struct wal *w);
/* In EVERYSEC: what was appended is synced now, not when its second is over. The owner. */
void wal_sync_soon(struct wal *w);

/* Records up to this position are in the checkpoint: segments with nothing newer are recycled, unless readers hold them. The owner. */
void wal_trim(struct wal *w, struct store_position checkpoint);

/* Any thread: what survives kill -9 (written) and what survives power loss (durable). */
struct store_position wal_written(const struct wal *w);
struct store_position wal_durable(const struct wal *w);
/* Why no writes are taken: a full disk ("" otherwise; it passes by itself), or a failure (final). Any thread. */
bool wal_failed(const struct wal *w, struct error *e);
bool wal_full(const struct wal *w, struct error *e);

struct wal_statistics {
    uint64_t segments, segments_ready, bytes_on_disk, bytes_kept /* for readers only */, records, bytes_written, syncs, syncs_by_owner, sync_us_last, sync_us_max;
};
void wal_statistics(const struct wal *w, struct wal_statistics *out);

/* What wal_open would find and replay, or refuse, without changing anything. A directory that is missing has no segments. */
int wal_look(const char *dir, struct store_position checkpoint, wal_replay replay, void *user, struct wal_report *report, struct error *e);

/* Checks a whole log without changing it, calling `visit` for each record: `aikv check`. */
int wal_check(const char *dir, wal_replay visit, void *user, struct wal_report *report, struct error *e);

#endif
