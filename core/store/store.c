/* Opening and closing, reading, gates. */
#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "store/memory.h"
#include "store/store_state.h"

#define SEGMENT_SIZE     ((size_t)64 << 20)
#define SEGMENT_RESERVE  2
#define LOG_MAX          ((size_t)64 << 20)
#define LOG_KEEP_MAX     ((size_t)1 << 30)
#define SNAPSHOT_MAX_MS  ((uint64_t)300000)
#define DIRTY_MAX        ((size_t)1 << 30)
#define TRANSACTION_ROWS 16384
#define CLOSE_WAIT_MS    10000
#define RECORD_ROOM      ((size_t)1 << 20) /* in the log for the batches of a turn; a larger turn waits for more */

/* ---- opening and closing ---- */

static void log_moved(void *user)
{
    struct store *s = user;
    checkpoint_poke(s->checkpoint);
    s->on_durable(s->user);
}

static void wake_owner(void *user)
{
    struct store *s = user;
    s->on_durable(s->user);
}

/* For the checkpoint: what is durable and committed. */
static uint64_t may_write(void *user)
{
    const struct store *s = user;
    uint64_t durable = wal_durable(s->wal).sequence, committed = atomic_load(&s->committed_sequence);
    return durable < committed ? durable : committed;
}

static bool log_has_failed(void *user)
{
    return wal_failed(((struct store *)user)->wal, NULL);
}

static enum wal_mode wal_mode_of(enum store_durability d)
{
    return d == STORE_ALWAYS ? WAL_ALWAYS : d == STORE_EVERYSEC ? WAL_EVERYSEC : WAL_NO;
}

static void init(struct store *s, const struct store_options *o)
{
    s->on_durable = o->on_durable;
    s->user = o->user;
    s->read_only = o->read_only;
    s->durability = s->read_only ? STORE_NO : o->durability;
    s->committed_by_owner = o->committed_by_owner;
    atomic_init(&s->committed_sequence, o->committed_by_owner ? 0 : UINT64_MAX);
    s->dirty_max = o->dirty_max ? o->dirty_max : DIRTY_MAX;
    s->log_max = o->log_max ? o->log_max : LOG_MAX;
    s->sampled = o->sampled;
    table_init(&s->table);
    generation_init(&s->generations[0], 1);
    generation_init(&s->generations[1], 2);
    s->active = &s->generations[0];
    s->frozen = &s->generations[1];
    s->began_ms = clock_monotonic_ms();
    store_snapshots_init(&s->snapshots, o->snapshot_max_ms ? o->snapshot_max_ms : SNAPSHOT_MAX_MS);
    s->saved_ms = clock_wall_ms();
}

static int open_parts(struct store *s, const struct store_options *options, const struct store_calls *calls, struct store_report *report, struct error *e)
{
    char path[4096];
    struct disk_state state;
    const char *dir = options->dir;
    int rc = s->read_only ? 0 : disk_make_dir(dir, e);
    if (rc) return rc;
    if (snprintf(path, sizeof path, "%s/lmdb", dir) >= (int)sizeof path - 8)
        return error_set(e, ERROR_IO, "the name of the store's directory is too long");
    rc = s->read_only ? disk_open_read_only(&s->disk, path, &state, e) : disk_open(&s->disk, path, options->expected, &state, e);
    if (rc) return rc;
    s->disk.expiry_of = options->expiry;
    if (calls->disk) s->disk.calls = *calls->disk;
    s->transaction_rows = calls->transaction_rows ? calls->transaction_rows : TRANSACTION_ROWS;
    struct checkpoint_options checkpoint = {.disk = &s->disk, .may_write = may_write, .log_failed = log_has_failed,
                                            .moved = wake_owner, .user = s,
                                            .rows_max = s->transaction_rows};
    s->checkpoint = checkpoint_new(&checkpoint);
    store_set_memory_max(s, options->memory_max);
    snprintf(path, sizeof path, "%s/log", dir);
    struct wal_options log = {.dir = path, .segment_size = calls->segment_size ? calls->segment_size : SEGMENT_SIZE,
                              .reserve = SEGMENT_RESERVE, .mode = wal_mode_of(s->durability), .on_durable = log_moved, .user = s,
                              .keep_max = options->log_keep_max ? options->log_keep_max : LOG_KEEP_MAX,
                              .truncate_to = options->truncate_to, .calls = calls->wal ? calls->wal : &wal_calls_system};
    s->record_room = log.segment_size / 4 < RECORD_ROOM ? log.segment_size / 4 : RECORD_ROOM;
    if ((rc = store_recover(s, &log, options->expected || s->read_only, &state, report, e)) || s->read_only) return rc;
    if ((rc = checkpoint_start(s->checkpoint, e))) return rc;
    struct cold_options cold = {.disk = &s->disk, .calls = calls->cold, .moved = wake_owner, .user = s, .suspects = report->rows > 0};
    s->cold = cold_new(&cold);
    if ((rc = cold_start(s->cold, e))) return rc;
    if (s->phase == PHASE_RUNNING) store_begin_frozen(s);
    return 0;
}

int store_open(const struct store_options *options, struct store **out, struct store_report *report, struct error *e)
{
    return store_open_with(options, NULL, out, report, e);
}

static void free_row(void *user, struct row *r)
{
    (void)user;
    free(r);
}

static void close_parts(struct store *s)
{
    store_snapshots_release(&s->snapshots);
    cold_stop_and_free(s->cold);
    checkpoint_stop(s->checkpoint);
    if (s->wal) wal_close(s->wal);
    checkpoint_free(s->checkpoint);
    for (uint32_t i = s->settle_at; i < s->frozen->count; i++) {
        struct row *r = generation_at(s->frozen, i);
        if (r->flags & ROW_SUPERSEDED) free(r);
    }
    table_each(&s->table, free_row, NULL);
    while (s->held_count) free(s->held[--s->held_count]);
    free(s->held);
    store_drop_replaced(s);
    record_release(&s->record);
    drop_list_release(&s->drops);
    generation_release(&s->generations[0]);
    generation_release(&s->generations[1]);
    table_release(&s->table);
    disk_close(&s->disk);
    free(s);
}

int store_open_with(const struct store_options *options, const struct store_calls *calls, struct store **out,
                    struct store_report *report, struct error *e)
{
    static const struct store_calls none;
    struct store_report found;
    struct store *s = memory_zeroed(1, sizeof *s);
    init(s, options);
    int rc = open_parts(s, options, calls ? calls : &none, &found, e);
    if (rc) {
        close_parts(s);
        return rc;
    }
    if (report) *report = found;
    *out = s;
    return 0;
}

/* The log may have to make room first. */
static void flush_for_good(struct store *s)
{
    uint64_t until_ms = clock_monotonic_ms() + CLOSE_WAIT_MS;
    store_flush(s);
    while (s->record.first && !wal_full(s->wal, NULL) && clock_monotonic_ms() < until_ms) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        store_flush(s);
    }
}

void store_close(struct store *s)
{
    if (!s) return;
    store_on_checkpoint(s, NULL, NULL);
    store_on_warm(s, NULL, NULL);
    if (!s->read_only) {
        flush_for_good(s);
        store_finish_checkpoints(s);
    }
    close_parts(s);
}

/* ---- reading ---- */

struct store_position store_unreleased(const struct store *s, uint64_t sequence)
{
    return sequence <= store_released(s).sequence ? (struct store_position){0, 0} : store_position_of(s, sequence);
}

/* From LMDB; kept in memory if there is room. Nothing is evicted here: what was given before must stay. */
static bool read_disk(struct store *s, uint64_t hash, struct bytes key, struct store_value *out)
{
    if (store_dead_on_disk(s, key)) return false;
    s->disk_reads++;
    cold_note_read(s->cold, key);
    if (!disk_get(&s->disk, key, &out->data)) return false;
    size_t len = out->data.len;
    if (len > STORE_CACHED_VALUE_MAX || store_memory(s) + len > s->memory_max) return true;
    struct row *r = row_new(key, len, s->sequence); /* no drop up to now is about it */
    if (len) memcpy(r->bytes + r->key_len, out->data.data, len);
    store_mark_row(s, r);
    table_put(&s->table, hash, r);
    size_t memory = row_memory(r);
    s->rows_memory += memory;
    s->clean_memory += memory;
    s->clean_rows++;
    out->data = row_value(r);
    out->stamp = &r->stamp;
    return true;
}

bool store_get(struct store *s, struct bytes key, struct store_value *out)
{
    *out = (struct store_value){0};
    if (key.len == 0 || key.len > STORE_KEY_MAX) return false;
    uint64_t hash = store_hash(s, key), dropped = drop_sequence(&s->drops, key);
    struct row *r = table_find(&s->table, hash, key);
    if (dropped) out->position = store_unreleased(s, dropped);
    if (!r) return read_disk(s, hash, key, out);
    if (r->sequence < dropped) return false;
    if (!(r->flags & ROW_TOUCHED)) r->flags |= ROW_TOUCHED;
    out->position = store_row_position(s, r);
    if (r->deleted) return false;
    out->data = row_value(r);
    out->stamp = &r->stamp;
    return true;
}

bool store_has(struct store *s, struct bytes key)
{
    struct bytes value;
    const struct row *r = table_find(&s->table, store_hash(s, key), key);
    if (r) return !r->deleted && r->sequence >= drop_sequence(&s->drops, key);
    return !store_dead_on_disk(s, key) && disk_get(&s->disk, key, &value);
}

/* ---- gates ---- */

struct store_position store_durable(const struct store *s)
{
    return wal_durable(s->wal);
}

struct store_position store_written(const struct store *s)
{
    return wal_written(s->wal);
}

struct store_position store_released(const struct store *s)
{
    struct store_position own = s->durability == STORE_ALWAYS ? wal_durable(s->wal) : store_position_of(s, s->written);
    return s->committed_by_owner && store_position_compare(s->committed, own) < 0 ? s->committed : own;
}

void store_set_committed(struct store *s, struct store_position committed)
{
    assert(s->committed_by_owner);
    if (store_position_compare(committed, s->committed) <= 0) return;
    s->committed = committed;
    atomic_store(&s->committed_sequence, committed.sequence);
    checkpoint_poke(s->checkpoint);
}

void store_set_durability(struct store *s, enum store_durability mode)
{
    s->durability = mode;
    wal_set_mode(s->wal, wal_mode_of(mode));
    if (mode == STORE_NO && s->phase == PHASE_RUNNING) wal_set_mode(s->wal, WAL_ALWAYS); /* the checkpoint waits for it */
}

enum store_durability store_get_durability(const struct store *s)
{
    return s->durability;
}

bool store_pressure(const struct store *s)
{
    if (wal_failed(s->wal, NULL) || wal_full(s->wal, NULL)) return false; /* writes are refused, reads go on */
    if (!wal_has_room(s->wal, record_size(&s->record) + s->record_room)) return true;
    return store_dirty_memory(s) > store_dirty_bound(s) && !checkpoint_is_stuck(s->checkpoint, NULL, NULL);
}

bool store_busy(const struct store *s)
{
    return store_pressure(s) || store_dirty_memory(s) > store_dirty_bound(s) / 4 * 3;
}

bool store_writable(const struct store *s, struct error *e)
{
    bool for_good;
    if (s->read_only) return error_set(e, ERROR_PERMISSION, "the store was opened for looking at only"), false;
    if (wal_failed(s->wal, e)) return false;
    if (!wal_has_room(s->wal, record_size(&s->record) + s->record_room) && wal_full(s->wal, e)) return false;
    if (!checkpoint_is_stuck(s->checkpoint, &for_good, e)) return true;
    if (for_good || store_dirty_memory(s) > store_dirty_bound(s)) return false;
    return true;
}

bool store_failed(const struct store *s, struct error *e)
{
    return wal_failed(s->wal, e);
}

bool store_checkpoint_failing(const struct store *s, struct error *e)
{
    return checkpoint_is_stuck(s->checkpoint, NULL, e);
}

/* ---- epochs ---- */

bool store_set_epoch(struct store *s, uint64_t epoch)
{
    assert(!s->in_batch && epoch >= s->epoch);
    if (epoch == s->epoch) return true;
    store_drop_replaced(s);
    store_write_log(s); /* a record is of one epoch */
    if (s->record.first) return false;
    s->epoch = epoch;
    return true;
}

uint64_t store_get_epoch(const struct store *s)
{
    return s->epoch;
}

void store_get_history(const struct store *s, struct store_history *out)
{
    *out = s->history;
}

/* ---- settings and numbers ---- */

/* A transaction of the checkpoint's may change a page for each of its rows, and LMDB keeps them all in memory until it is committed: as much as
 * this part of the rows' memory at most. */
#define TRANSACTION_PART 16
#define PAGE_BYTES       4096
#define TRANSACTION_LEAST ((size_t)256)

static void bound_transactions(struct store *s)
{
    size_t rows = s->memory_max / TRANSACTION_PART / PAGE_BYTES;
    if (rows < TRANSACTION_LEAST) rows = TRANSACTION_LEAST;
    checkpoint_set_rows_max(s->checkpoint, rows < s->transaction_rows ? rows : s->transaction_rows);
}

void store_set_stamp(struct store *s, uint32_t stamp)
{
    s->stamp = stamp;
}

void store_set_memory_max(struct store *s, size_t bytes)
{
    s->memory_max = bytes ? bytes : SIZE_MAX / 2;
    bound_transactions(s);
}

void store_on_checkpoint(struct store *s, void (*prepare)(void *user), void *user)
{
    s->prepare = prepare;
    s->prepare_user = user;
}

void store_checkpoint_soon(struct store *s)
{
    s->wanted = true;
}

void store_statistics(const struct store *s, struct store_statistics *out)
{
    struct wal_statistics log = {0};
    if (s->wal) wal_statistics(s->wal, &log);
    uint64_t cold_reads = 0, cold_waiting = 0;
    if (s->cold) cold_statistics(s->cold, &cold_reads, &cold_waiting);
    *out = (struct store_statistics){
        .last = store_position_of(s, s->sequence),
        .rows_durable = disk_row_count(&s->disk),
        .bytes_on_disk = disk_size_bytes(&s->disk) + log.bytes_on_disk,
        .batches = s->batches,
        .flushes = s->flushes,
        .syncs = log.syncs,
        .syncs_inline = log.syncs_by_owner,
        .log_bytes = s->log_bytes - s->log_at,
        .log_unwritten = record_size(&s->record),
        .log_kept_bytes = log.bytes_kept,
        .snapshots = atomic_load(&s->snapshots.count),
        .dirty_rows = s->active->count + s->frozen->count - s->settle_at,
        .dirty_bytes = store_dirty_memory(s),
        .cached_rows = s->clean_rows,
        .cached_bytes = s->clean_memory,
        .evictions = s->evictions,
        .memory_bytes = store_memory(s),
        .memory_max = s->memory_max,
        .cold_reads = cold_reads,
        .cold_waiting = cold_waiting,
        .cold_suspected = s->cold && cold_suspects(s->cold),
        .checkpoint = store_checkpoint_position(s),
        .checkpoint_running = s->phase == PHASE_RUNNING || s->wanted,
        .checkpoint_stuck = checkpoint_is_stuck(s->checkpoint, NULL, NULL),
        .checkpoints = s->checkpoints,
        .checkpoint_ms = checkpoint_last_ms(s->checkpoint),
        .checkpoint_began_ms = s->began_ms,
        .checkpoint_saved_ms = s->saved_ms,
    };
}
