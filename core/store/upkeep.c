/* What the owner does a bit of at the end of each turn: begin checkpoints, take over what they wrote, let clean rows go. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/store_state.h"

#define CHECKPOINT_EVERY_MS 60000
#define DIRTY_START         ((size_t)128 << 20) /* of dirty rows start a checkpoint, or half of what there may be */
#define DROP_WAIT_MS        1000                /* a drop starts a checkpoint, but not each one */
#define SETTLE_ROWS         1024                /* a turn: about 0.1 ms */
#define SWEEP_SLOTS         64
#define SWEEP_SLOTS_MAX     4096 /* a turn */

/* ---- beginning ---- */

void store_freeze(struct store *s, struct store_position to)
{
    struct generation *g = s->active;
    s->active = s->frozen;
    s->frozen = g;
    s->frozen_to = to.sequence;
    s->frozen_epoch = to.epoch;
    drop_list_add_newer(&g->drops, &s->drops, s->at);
    s->settle_at = 0;
    s->phase = PHASE_RUNNING;
    s->log_at_next = s->log_bytes;
    s->began_ms = clock_monotonic_ms();
    s->wanted = false;
}

void store_begin_frozen(struct store *s)
{
    struct disk_state from = {.at = s->at, .next = s->frozen_to, .done_len = s->resumed_len, .epochs = {s->at_epoch, s->frozen_epoch, s->history}};
    struct store_history *history = &from.epochs.history;
    while (history->count && history->epochs[history->count - 1].first > s->frozen_to) history->count--;
    memcpy(from.done, s->resumed, s->resumed_len);
    checkpoint_begin(s->checkpoint, s->frozen, &from);
}

static bool is_due(const struct store *s)
{
    if (s->wanted || s->log_bytes - s->log_at > s->log_max) return true;
    uint64_t waited_ms = clock_monotonic_ms() - s->began_ms;
    if (drop_list_last(&s->drops) > s->at && waited_ms > DROP_WAIT_MS) return true;
    size_t start = store_dirty_bound(s) / 2 < DIRTY_START ? store_dirty_bound(s) / 2 : DIRTY_START;
    return s->active->memory > start || waited_ms > CHECKPOINT_EVERY_MS;
}

static void begin_checkpoint(struct store *s)
{
    if (wal_failed(s->wal, NULL)) return;
    if (s->prepare) {
        s->prepare(s->prepare_user);
        assert(!s->in_batch);
        store_drop_replaced(s);
        store_write_log(s);
    }
    if (s->written != s->sequence) return; /* no room in the log: the next turn tries again */
    store_freeze(s, store_position_of(s, s->sequence));
    /* What is checkpointed must be durable first; in a mode that does not see to it, or not at once, this does: writers may be waiting for memory. */
    if (s->durability == STORE_NO) wal_set_mode(s->wal, WAL_ALWAYS);
    wal_sync_soon(s->wal);
    store_begin_frozen(s);
}

/* ---- taking over ---- */

static void begin_settling(struct store *s)
{
    s->phase = PHASE_SETTLING;
    s->at = s->frozen_to;
    s->at_epoch = s->frozen_epoch;
    s->resumed_len = s->sampled_done_len = 0;
    store_due_begin(s);
    generation_forget_due(s->frozen); /* the index has them */
    s->log_at = s->log_at_next;
    s->checkpoints++;
    s->saved_ms = clock_wall_ms();
    disk_refresh(&s->disk);
    wal_trim(s->wal, store_checkpoint_position(s));
    if (s->durability == STORE_NO) wal_set_mode(s->wal, WAL_NO);
}

/* LMDB has this version now, if it was not dropped. */
static void settle_row(struct store *s, struct row *r)
{
    size_t memory = row_memory(r);
    s->frozen->memory -= memory;
    bool superseded = r->flags & ROW_SUPERSEDED;
    if (!superseded && !r->deleted && r->value_len <= STORE_CACHED_VALUE_MAX && !store_is_dead(s, r)) {
        r->generation = 0;
        s->clean_rows++;
        s->clean_memory += memory;
        return;
    }
    if (!superseded) table_remove(&s->table, table_hash(&s->table, row_key(r)), r);
    s->rows_memory -= memory;
    free(r);
}

static void settle(struct store *s, uint32_t rows)
{
    const struct generation *g = s->frozen;
    for (; rows && s->settle_at < g->count; rows--, s->settle_at++) {
        if (s->settle_at + 8 < g->count) __builtin_prefetch(generation_at(g, s->settle_at + 8));
        settle_row(s, generation_at(g, s->settle_at));
    }
    if (s->settle_at < g->count) {
        s->on_durable(s->user); /* and again in the next turn */
        return;
    }
    assert(g->memory == 0);
    generation_clear(s->frozen);
    s->settle_at = 0;
    s->phase = PHASE_IDLE;
}

/* The last checkpoint is what one made now would be. */
static void note_nothing_to_write(struct store *s)
{
    if (s->wanted) s->saved_ms = clock_wall_ms();
    s->wanted = false;
}

/* ---- clean rows ---- */

static bool drop_clean(void *user, struct row *r)
{
    struct store *s = user;
    if (r->generation) return false;
    if (r->flags & ROW_TOUCHED) {
        row_unflag(r, ROW_TOUCHED);
        return false;
    }
    size_t memory = row_memory(r);
    s->rows_memory -= memory;
    s->clean_memory -= memory;
    s->clean_rows--;
    s->evictions++;
    free(r);
    return true;
}

/* Down to a little below the bound, so that what the next turn reads has room. */
static void evict(struct store *s)
{
    size_t goal = s->memory_max - s->memory_max / 32;
    for (size_t passed = 0; store_memory(s) > goal && s->clean_rows && passed < SWEEP_SLOTS_MAX; passed += SWEEP_SLOTS)
        table_sweep(&s->table, SWEEP_SLOTS, drop_clean, s);
}

void store_drop_cached(struct store *s)
{
    assert(!s->in_batch);
    if (s->phase == PHASE_SETTLING) settle(s, UINT32_MAX);
    while (s->clean_rows) table_sweep(&s->table, SWEEP_SLOTS_MAX, drop_clean, s); /* the first time round it leaves what was used lately */
}

/* ---- each turn ---- */

void store_upkeep(struct store *s)
{
    uint64_t commits = checkpoint_commits(s->checkpoint);
    if (commits != s->commits_seen) {
        s->commits_seen = commits;
        disk_refresh(&s->disk); /* what is half written shows, under the frozen rows: it may reuse the pages it freed */
    }
    if (s->phase == PHASE_RUNNING && checkpoint_is_done(s->checkpoint)) begin_settling(s);
    if (s->phase == PHASE_SETTLING) settle(s, SETTLE_ROWS);
    store_purge(s);
    store_snapshots_expire(s);
    if (s->phase == PHASE_IDLE && s->sequence == s->at)
        note_nothing_to_write(s);
    else if (s->phase == PHASE_IDLE && is_due(s) && !store_snapshots_hold(s))
        begin_checkpoint(s);
    evict(s);
}

void store_finish_checkpoints(struct store *s)
{
    if (wal_failed(s->wal, NULL) || s->written != s->sequence) return;
    s->durability = STORE_ALWAYS;
    wal_set_mode(s->wal, WAL_ALWAYS);
    while (s->at != s->sequence) {
        if (s->phase == PHASE_SETTLING) settle(s, UINT32_MAX);
        if (s->phase == PHASE_IDLE) begin_checkpoint(s);
        if (s->phase == PHASE_RUNNING && s->frozen_to > atomic_load(&s->committed_sequence)) return; /* nobody knows when */
        if (s->phase != PHASE_RUNNING || !checkpoint_wait(s->checkpoint)) return;
        begin_settling(s);
    }
}
