/* What a store is made of. All of it is the owner's but for what disk.h, wal.h and checkpoint.h say. */
#ifndef AIKV_STORE_STORE_STATE_H
#define AIKV_STORE_STORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/checkpoint.h"
#include "store/cold.h"
#include "store/disk.h"
#include "store/drop.h"
#include "store/generation.h"
#include "store/history.h"
#include "store/record.h"
#include "store/store.h"
#include "store/table.h"
#include "store/wal.h"

/* Longer values are not kept in memory once LMDB has them. */
#define STORE_CACHED_VALUE_MAX ((size_t)64 << 10)

/* Rows that changed may take so much even if less is configured for all: nothing can be written without. */
#define STORE_DIRTY_LEAST ((size_t)16 << 20)

/* The keys that store_prefetch was told of; longer ones are left out. */
#define AHEAD_KEY_MAX 112
#define AHEAD_TRIES   4
struct ahead {
    size_t at, count; /* keys[at]: the one asked for last */
    struct ahead_key {
        uint64_t hash;
        size_t len;
        uint8_t bytes[AHEAD_KEY_MAX];
    } keys[STORE_AHEAD_MAX];
};

/* A name whose hash was asked for lately, as the words that its bytes are in (the last two may overlap). All zeros: none, since names that are kept have a length. A
 * command asks for the hash of a node that it reads and changes several times, and so do commands that change one value. */
#define RECENT_BITS 5
struct recent_name {
    uint64_t words[3], len, hash;
};

enum store_phase {
    PHASE_IDLE,     /* nothing is frozen */
    PHASE_RUNNING,  /* the checkpoint's thread reads the frozen generation */
    PHASE_SETTLING, /* it is in LMDB; its rows become clean, some each turn */
};

/* snapshot.c: those that are open, and the wish for one. */
struct store_snapshots {
    pthread_mutex_t lock;
    struct store_snapshot *first; /* locked */
    _Atomic unsigned count;
    uint64_t max_ms;
    /* The owner's: somebody wants a checkpoint that holds `least`, and asks again before this time once it is there (0: not there yet). */
    bool asked;
    uint64_t least, hold_until_ms;
};

struct store {
    struct disk disk;
    struct wal *wal;
    struct checkpoint *checkpoint;
    struct cold *cold;
    void (*on_warm)(void *user, uint64_t token);
    void *warm_user;
    uint64_t disk_reads; /* by the owner, in this turn */
    void (*on_durable)(void *user);
    void *user;
    enum store_durability durability;
    bool read_only; /* then there is no `wal`, and checkpoint's thread does not run */

    /* Rows: every version that is found is in the table; dirty ones are in a generation too. */
    struct table table;
    struct ahead ahead;
    struct recent_name recent[1 << RECENT_BITS];
    struct generation generations[2];
    struct generation *active, *frozen;
    size_t rows_memory; /* of all versions, clean or dirty, superseded ones included */
    size_t clean_memory, clean_rows;
    size_t memory_max, dirty_max;
    uint64_t evictions;

    struct drop_list drops; /* not carried out everywhere */
    uint64_t purged_to;     /* the hand has passed the table since this one came */
    uint64_t purging_to;    /* ... will have */

    /* LMDB's index of rows that expire: up to this entry it was searched since the checkpoint; and up to this one the rows need not be waited for
     * (empty: not known), or are being read. */
    struct due_place {
        uint8_t entry[STORE_KEY_MAX];
        size_t len;
    } due_done, due_near;
    bool due_reading;
    uint8_t sampled_done[STORE_KEY_MAX]; /* up to this entry of it none is of use to store_sample_due() */
    size_t sampled_done_len;
    store_sampled *sampled;
    uint32_t stamp; /* of rows that come into memory */

    /* The turn. */
    struct record record;
    struct row *unrecorded; /* what store_put_open gave, its value perhaps not filled in yet */
    struct row *replaced;   /* a version that was overwritten; callers may still look at its value */
    struct row **held;      /* overwritten ones that the record points to */
    size_t held_count, held_cap;
    bool in_batch;
    bool batch_is_begun, batch_has_rows; /* in the record; rows, not only drops */
    unsigned iterators; /* open ones */

    uint64_t sequence; /* of the last batch */
    uint64_t written;  /* ... of the last one in the log */
    uint64_t epoch;    /* of the next batch, and of those not in the log yet */
    struct store_history history; /* of what is in the log */
    bool committed_by_owner;
    struct store_position committed;     /* as told by the owner */
    _Atomic uint64_t committed_sequence; /* the same, for other threads; UINT64_MAX if all that is written is committed */
    uint64_t batches, flushes, log_bytes;
    size_t record_room; /* what the log should have room for before a turn begins */
    bool sync_inline;
    uint64_t sync_inline_from_us; /* not earlier: the disk was slow */

    /* Checkpoints. */
    enum store_phase phase;
    uint64_t at;          /* what LMDB holds */
    uint64_t frozen_to;   /* what it will hold after the running one */
    uint64_t at_epoch, frozen_epoch; /* of these */
    uint64_t log_at;      /* log_bytes when the last whole one was frozen */
    uint64_t log_at_next; /* ... the running one */
    uint32_t settle_at;   /* place in the frozen generation */
    uint8_t resumed[STORE_KEY_MAX]; /* of a checkpoint that a crash interrupted: LMDB's rows up to this key were those of its end then */
    size_t resumed_len;
    uint64_t commits_seen, began_ms, checkpoints;
    int64_t saved_ms; /* wall time */
    size_t log_max, transaction_rows; /* the latter at most */
    bool wanted;
    void (*prepare)(void *user);
    void *prepare_user;
    struct store_snapshots snapshots;
};

/* store_open with parts replaced, for tests that let them fail. NULL: nothing. */
struct store_calls {
    const struct disk_calls *disk;
    const struct wal_calls *wal;
    const struct cold_calls *cold;
    size_t segment_size;     /* 0: 64 MiB */
    size_t transaction_rows; /* 0: 16,384 */
};
int store_open_with(const struct store_options *options, const struct store_calls *calls, struct store **out,
                    struct store_report *report, struct error *e);
/* store_cut_log likewise. */
struct store_cut;
int store_cut_log_with(const char *dir, const struct store_cut *cut, const char *aside, const struct wal_calls *calls, struct error *e);

/* Of a batch, be it in the log or not yet. */
static inline struct store_position store_position_of(const struct store *s, uint64_t sequence)
{
    return sequence > s->written ? (struct store_position){s->epoch, sequence} : history_position(&s->history, sequence);
}

/* Of what LMDB holds. */
static inline struct store_position store_checkpoint_position(const struct store *s)
{
    return (struct store_position){s->at_epoch, s->at};
}

/* A position that replies wait for, 0/0 if it is released; and that of a version. */
struct store_position store_unreleased(const struct store *s, uint64_t sequence);
static inline struct store_position store_row_position(const struct store *s, const struct row *r)
{
    return r->generation ? store_unreleased(s, r->sequence) : (struct store_position){0, 0}; /* LMDB holds only what is */
}

/* ahead.c */

/* table_hash(), remembered. */
uint64_t store_hash(struct store *s, struct bytes key);
/* The end of a turn for what is read from disk; tells who waits that it can be read. */
void store_tell_warm(struct store *s);

/* write.c */

/* Makes a version the newest of its key and dirty. */
void store_install(struct store *s, uint64_t hash, struct row *r);
/* The version that a splice of `old` (NULL: of what LMDB has) makes; NULL: it does not fit the value's length. */
struct row *store_spliced(struct store *s, struct bytes key, const struct row *old, size_t offset, size_t removed, struct bytes inserted,
                          uint64_t sequence);
/* The next operation of the batch is a drop. */
void store_begin_drop(struct store *s);
/* Writes the turn's batches to the log, if there is room. */
void store_write_log(struct store *s);
/* Frees what the last calls replaced. */
void store_drop_replaced(struct store *s);

/* due.c */

/* A dirty row has a new value. */
void store_note_expiry(struct store *s, const struct row *r);
/* Whether LMDB's version of a row, which an entry of its index names, is the one that is there. */
bool store_is_current_on_disk(const struct store *s, struct bytes key);

/* A row that comes into memory is stamped, and marked if it is to be sampled. Before it stands in the table. */
static inline void store_mark_row(const struct store *s, struct row *r)
{
    r->stamp = s->stamp;
    if (s->sampled && !r->deleted && s->sampled(row_key(r))) r->flags |= ROW_SAMPLED;
}
/* LMDB's index is another than it was. */
void store_due_begin(struct store *s);
/* What cold_add_due was asked for can be read. */
void store_due_is_near(struct store *s);

/* purge.c */

/* Whether a version in memory was dropped. */
static inline bool store_is_dead(const struct store *s, const struct row *r)
{
    return s->drops.count && r->sequence < drop_sequence(&s->drops, row_key(r));
}
/* The drop for which LMDB's row of this key, if it has one, is not there; NULL: it is. */
const struct drop *store_dead_on_disk(const struct store *s, struct bytes key);
/* Frees some of the dead rows in memory; forgets drops that are carried out. */
void store_purge(struct store *s);

/* upkeep.c */

/* All that is done a bit at a time: what the checkpoint has brought to LMDB becomes clean, the next one begins, clean rows leave. */
void store_upkeep(struct store *s);
/* Brings LMDB up to the last batch, waiting for it, if that can be. */
void store_finish_checkpoints(struct store *s);
/* Freezes the active generation, which ends at `to`. */
void store_freeze(struct store *s, struct store_position to);
/* Hands what is frozen to the checkpoint's thread. */
void store_begin_frozen(struct store *s);
static inline size_t store_dirty_memory(const struct store *s)
{
    return s->active->memory + s->frozen->memory + generation_overhead(s->active) + generation_overhead(s->frozen);
}
/* How much of it there may be: at most half of the memory for rows. */
static inline size_t store_dirty_bound(const struct store *s)
{
    size_t half = s->memory_max / 2 > STORE_DIRTY_LEAST ? s->memory_max / 2 : STORE_DIRTY_LEAST;
    return s->dirty_max < half ? s->dirty_max : half;
}
static inline size_t store_memory(const struct store *s)
{
    return s->rows_memory + s->table.memory + generation_overhead(s->active) + generation_overhead(s->frozen);
}

/* snapshot.c */

void store_snapshots_init(struct store_snapshots *all, uint64_t max_ms);
/* None is open. */
void store_snapshots_release(struct store_snapshots *all);
/* Ends those whose time is up. */
void store_snapshots_expire(struct store *s);
/* Whether the next checkpoint must wait: somebody who wanted this one has not got it yet. */
bool store_snapshots_hold(struct store *s);

/* recover.c: opens the log and replays it. */
int store_recover(struct store *s, const struct wal_options *options, bool expected, const struct disk_state *state, struct store_report *report,
                  struct error *e);

#endif
