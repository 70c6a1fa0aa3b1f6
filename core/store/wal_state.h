/* What a log is made of. One list holds its segments: those begun, oldest first, up to `current`, then those ready for
 * use. The owner moves `current` on; the thread alone adds at the end and takes away at the front. */
#ifndef AIKV_STORE_WAL_STATE_H
#define AIKV_STORE_WAL_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/wal_segment.h"

struct wal_mark { /* the end of a record */
    struct store_position position;
    uint64_t offset; /* a log offset */
};

/* A position that one thread writes and all read without a lock: `version` is odd while it changes. */
struct wal_cell {
    _Atomic uint64_t version, epoch, sequence;
};

struct wal_making { /* the thread's: a segment being zero-written */
    int fd;         /* -1: none */
    size_t at, size;
};

struct wal {
    char *dir;
    int dir_fd;
    struct wal_options options;
    const struct wal_calls *calls;

    /* the owner's */
    struct store_position last; /* of the last record */
    uint32_t seed;              /* of the current segment */
    bool owner_syncs;
    struct iovec *parts;
    size_t parts_cap;

    pthread_t thread;
    struct wal_making making;

    pthread_mutex_t lock;
    pthread_cond_t wake; /* the thread: there is something to do */
    /* locked, from here on */
    struct wal_segment *first, *current, *tail; /* current is NULL before the first record */
    unsigned ready;
    uint64_t gained; /* how often a segment became ready */
    size_t at;       /* the end of the last record in the current segment */
    struct wal_mark written, synced;
    struct store_position checkpoint;
    enum wal_mode mode;
    uint64_t sync_at_us;  /* everysec: when next */
    uint64_t retry_at_us; /* when to try again to make or recycle a segment */
    size_t wanted;        /* bytes of a record that no segment had room for; 0: none */
    bool syncing; /* somebody is: the thread or the owner */
    bool unnamed; /* the next segment, which may be begun already, does not have its name on disk yet: the thread syncs after that */
    bool stopping, failed, full;
    struct error failure, fullness;
    struct wal_statistics statistics;
    struct wal_reader *readers; /* all that are open */

    struct wal_cell written_cell, durable_cell; /* written under the lock */
};

/* The thread: syncs what is due, then looks after the reserve, until told to stop. */
void *wal_sync_run(void *wal);

/* One step of recycling and making segments. Locked, but not during I/O. False: nothing to do now. */
bool wal_reserve_step(struct wal *w);
/* Makes segments until one is ready, or the disk is full. For wal_open. */
void wal_reserve_first(struct wal *w);
void wal_reserve_release(struct wal *w);

/* The segment that comes after the current one; NULL: none is ready. Locked. */
struct wal_segment *wal_next_segment(const struct wal *w);
bool wal_room_locked(const struct wal *w, size_t len);
/* Bytes of the segments that only readers still need. Locked. */
size_t wal_kept_locked(const struct wal *w);
/* The first failure is final. Locked. */
void wal_fail(struct wal *w, const struct error *e);
void wal_cell_set(struct wal_cell *cell, struct store_position p);

#endif
