/* A snapshot is a transaction of LMDB's that was begun while no checkpoint was half written. Its rows are copied out one at a time under its
 * lock, so that the owner, which never waits for the lock, can end it between two. */
#include "store/snapshot.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/memory.h"
#include "store/store_state.h"
#include "store/wal_reader.h"

#define HOLD_MS 1000               /* how long the next checkpoint waits for who asked for this one */
#define KEPT    ((size_t)1 << 20) /* memory of a row that was copied; more is given back with the next row */

struct store_snapshot {
    struct store *store;
    struct store_snapshot *next; /* locked by the list's lock */
    struct store_position position;
    uint64_t until_ms;

    pthread_mutex_t lock;
    MDB_txn *txn; /* NULL: it has expired; locked, from here on */
    MDB_cursor *cursor;
    struct wal_reader *log; /* holds the log after `position` */
    bool seeks;             /* the next row is the first from `from` on, else the one after the cursor's */
    size_t from_len;
    uint8_t from[STORE_KEY_MAX];

    uint8_t *row; /* a copy: key, then value */
    size_t row_cap;
};

void store_snapshots_init(struct store_snapshots *all, uint64_t max_ms)
{
    pthread_mutex_init(&all->lock, NULL);
    all->max_ms = max_ms;
}

void store_snapshots_release(struct store_snapshots *all)
{
    assert(!all->first);
    pthread_mutex_destroy(&all->lock);
}

/* ---- opening ---- */

static int open_transaction(struct store_snapshot *n, struct error *e)
{
    const struct disk *d = &n->store->disk;
    int rc = mdb_txn_begin(d->env, NULL, MDB_RDONLY, &n->txn);
    if (!rc) rc = mdb_cursor_open(n->txn, d->rows, &n->cursor);
    if (!rc) return 0;
    if (n->txn) mdb_txn_abort(n->txn);
    return error_set(e, ERROR_IO, "cannot take a snapshot of store %s: %s", d->dir, mdb_strerror(rc));
}

static int open_now(struct store *s, struct store_snapshot **out, struct error *e)
{
    struct store_snapshots *all = &s->snapshots;
    struct store_snapshot *n = memory_zeroed(1, sizeof *n);
    n->store = s;
    n->position = store_checkpoint_position(s);
    n->until_ms = clock_monotonic_ms() + all->max_ms;
    n->seeks = true;
    int rc = open_transaction(n, e);
    if (!rc && (rc = wal_reader_open(s->wal, n->position, &n->log, e))) mdb_txn_abort(n->txn);
    if (rc) {
        free(n);
        return rc;
    }
    pthread_mutex_init(&n->lock, NULL);
    pthread_mutex_lock(&all->lock);
    n->next = all->first;
    all->first = n;
    atomic_fetch_add(&all->count, 1);
    pthread_mutex_unlock(&all->lock);
    *out = n;
    return 0;
}

/* No checkpoint will come any more. */
static bool has_failed(const struct store *s, struct error *e)
{
    bool for_good = false;
    return wal_failed(s->wal, e) || (checkpoint_is_stuck(s->checkpoint, &for_good, e) && for_good);
}

int store_snapshot_open(struct store *s, struct store_position least, struct store_snapshot **out, struct error *e)
{
    struct store_snapshots *all = &s->snapshots;
    assert(least.sequence <= s->sequence);
    *out = NULL;
    if (atomic_load(&all->count) >= STORE_SNAPSHOTS_MAX)
        return error_set(e, ERROR_LIMIT, "%d snapshots of the store are open already", STORE_SNAPSHOTS_MAX);
    if (s->phase != PHASE_RUNNING && s->at >= least.sequence) {
        all->asked = false;
        return open_now(s, out, e);
    }
    struct error why;
    if (has_failed(s, &why)) {
        if (e) *e = why;
        return why.code;
    }
    if ((s->phase == PHASE_RUNNING ? s->frozen_to : s->at) < least.sequence) store_checkpoint_soon(s);
    all->asked = true;
    all->least = least.sequence;
    all->hold_until_ms = 0;
    return 0;
}

bool store_snapshots_hold(struct store *s)
{
    struct store_snapshots *all = &s->snapshots;
    if (!all->asked || s->at < all->least) return false;
    uint64_t now_ms = clock_monotonic_ms();
    if (!all->hold_until_ms) all->hold_until_ms = now_ms + HOLD_MS;
    all->asked = now_ms < all->hold_until_ms;
    return all->asked;
}

/* ---- rows ---- */

struct store_position store_snapshot_position(const struct store_snapshot *n)
{
    return n->position;
}

void store_snapshot_seek(struct store_snapshot *n, struct bytes key)
{
    assert(key.len <= STORE_KEY_MAX);
    n->seeks = true;
    n->from_len = key.len;
    if (key.len) memcpy(n->from, key.data, key.len);
}

/* Locked. */
static void expire(struct store_snapshot *n)
{
    if (!n->txn) return;
    mdb_cursor_close(n->cursor);
    mdb_txn_abort(n->txn);
    n->txn = NULL;
    wal_reader_close(n->log);
}

static void copy_row(struct store_snapshot *n, MDB_val k, MDB_val v, struct bytes *key, struct bytes *value)
{
    struct bytes found = disk_value(&n->store->disk, k, v);
    size_t len = k.mv_size + found.len;
    if (len > n->row_cap || (n->row_cap > KEPT && len <= KEPT)) {
        n->row_cap = len > 4096 ? len : 4096;
        n->row = memory_resize(n->row, n->row_cap);
    }
    memcpy(n->row, k.mv_data, k.mv_size);
    if (found.len) memcpy(n->row + k.mv_size, found.data, found.len);
    *key = bytes_of(n->row, k.mv_size);
    *value = bytes_of(n->row + k.mv_size, found.len);
}

/* Locked, and not expired. */
static bool next_row(struct store_snapshot *n, struct bytes *key, struct bytes *value)
{
    MDB_val k = disk_val(bytes_of(n->from, n->from_len)), v;
    MDB_cursor_op op = !n->seeks ? MDB_NEXT : n->from_len ? MDB_SET_RANGE : MDB_FIRST;
    int rc = mdb_cursor_get(n->cursor, &k, &v, op);
    if (rc && rc != MDB_NOTFOUND) disk_die(&n->store->disk, rc, "mdb_cursor_get");
    if (rc) return false;
    n->seeks = false;
    copy_row(n, k, v, key, value);
    return true;
}

enum store_snapshot_next store_snapshot_next(struct store_snapshot *n, struct bytes *key, struct bytes *value)
{
    enum store_snapshot_next found = STORE_SNAPSHOT_EXPIRED;
    pthread_mutex_lock(&n->lock);
    if (clock_monotonic_ms() >= n->until_ms) expire(n);
    if (n->txn) found = next_row(n, key, value) ? STORE_SNAPSHOT_ROW : STORE_SNAPSHOT_END;
    pthread_mutex_unlock(&n->lock);
    return found;
}

/* ---- the end ---- */

void store_snapshot_close(struct store_snapshot *n)
{
    if (!n) return;
    struct store_snapshots *all = &n->store->snapshots;
    pthread_mutex_lock(&all->lock);
    struct store_snapshot **link = &all->first;
    while (*link != n) link = &(*link)->next;
    *link = n->next;
    pthread_mutex_unlock(&all->lock);
    expire(n); /* nobody else knows it any more */
    atomic_fetch_sub(&all->count, 1);
    pthread_mutex_destroy(&n->lock);
    free(n->row);
    free(n);
}

void store_snapshots_expire(struct store *s)
{
    struct store_snapshots *all = &s->snapshots;
    if (atomic_load(&all->count) == 0) return;
    uint64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&all->lock);
    for (struct store_snapshot *n = all->first; n; n = n->next) {
        if (now_ms < n->until_ms || pthread_mutex_trylock(&n->lock)) continue; /* in use: it sees for itself, or the next turn */
        if (n->txn) log_warn("a snapshot of the store was open for too long", "ms=%llu", (unsigned long long)all->max_ms);
        expire(n);
        pthread_mutex_unlock(&n->lock);
    }
    pthread_mutex_unlock(&all->lock);
}
