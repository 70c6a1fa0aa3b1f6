/* One transaction of a checkpoint: rows that changed, merged in key order with those of LMDB's that drops cover. */
#include "store/disk.h"
#include "store/disk_expiry.h"

struct merge {
    const struct disk *disk;
    MDB_cursor *cursor;
    struct disk_expiry expiry; /* what changes of the index */
    const struct disk_changes *changes;
    size_t written; /* of the changed rows */
    size_t left;    /* rows that may be written or deleted */
    bool any_dead;  /* LMDB has a dead row that was not come to yet: the next one is */
    size_t dead_len;
    uint8_t dead[STORE_KEY_MAX];
    struct disk_state *state;
};

static struct bytes dead_key(const struct merge *m)
{
    return bytes_of(m->dead, m->dead_len);
}

static void set_done(struct merge *m, struct bytes key)
{
    m->state->done_len = key.len;
    memcpy(m->state->done, key.data, key.len);
}

/* Goes on from group to group as the drops or LMDB's rows have the later one, until both have the same. `from`: a row behind it, or at it. */
static int find_dead(struct merge *m, struct bytes from, bool behind)
{
    const struct drop_list *drops = m->changes->drops;
    uint8_t bytes[ROW_GROUP_SIZE];
    MDB_val key = disk_val(from), value;
    m->any_dead = false;
    if (!drops->count) return 0;
    int rc = mdb_cursor_get(m->cursor, &key, &value, from.len ? MDB_SET_RANGE : MDB_FIRST);
    if (!rc && behind && bytes_equal(bytes_of(key.mv_data, key.mv_size), from)) rc = mdb_cursor_get(m->cursor, &key, &value, MDB_NEXT);
    while (!rc) {
        uint64_t there = row_group(bytes_of(key.mv_data, key.mv_size)), dropped = drop_next_group(drops, there);
        if (dropped == ROW_GROUPS) return 0;
        if (dropped == there) break;
        key = disk_val(row_group_begin(dropped, bytes));
        rc = mdb_cursor_get(m->cursor, &key, &value, MDB_SET_RANGE);
    }
    if (rc) return rc == MDB_NOTFOUND ? 0 : rc;
    m->any_dead = true;
    m->dead_len = key.mv_size;
    memcpy(m->dead, key.mv_data, key.mv_size);
    return 0;
}

static int64_t expiry_of(const struct merge *m, struct bytes key, struct bytes value)
{
    return m->disk->expiry_of ? m->disk->expiry_of(key, value) : STORE_NEVER;
}

static int delete_row(struct merge *m, struct bytes name)
{
    MDB_val key = disk_val(name), value;
    int rc = mdb_cursor_get(m->cursor, &key, &value, MDB_SET);
    if (rc) return rc == MDB_NOTFOUND ? 0 : rc;
    struct bytes old;
    if (!disk_value_read(key, value, &old)) return MDB_CORRUPTED;
    disk_expiry_note(&m->expiry, name, expiry_of(m, name, old), STORE_NEVER);
    return mdb_cursor_del(m->cursor, 0);
}

/* The row that this one takes the place of is on the page that the cursor goes to anyway. */
static int put_row(struct merge *m, const struct row *r)
{
    MDB_val key = disk_val(row_key(r)), there, room = {.mv_size = r->value_len + DISK_CHECKSUM};
    int rc;
    if (m->disk->expiry_of) {
        struct bytes old = {NULL, 0};
        rc = mdb_cursor_get(m->cursor, &key, &there, MDB_SET);
        if (rc && rc != MDB_NOTFOUND) return rc;
        if (!rc && !disk_value_read(key, there, &old)) return MDB_CORRUPTED;
        int64_t before = rc ? STORE_NEVER : expiry_of(m, row_key(r), old);
        disk_expiry_note(&m->expiry, row_key(r), before, expiry_of(m, row_key(r), row_value(r)));
    }
    if ((rc = mdb_cursor_put(m->cursor, &key, &room, MDB_RESERVE))) return rc;
    disk_value_write(room.mv_data, row_key(r), row_value(r));
    return 0;
}

/* Deletes dead rows in front of `end` (empty: all that are left), while there may be more deletions. */
static int delete_dead(struct merge *m, struct bytes end)
{
    int rc = 0;
    while (!rc && m->any_dead && m->left && (!end.len || bytes_compare(dead_key(m), end) < 0)) {
        rc = delete_row(m, dead_key(m));
        set_done(m, dead_key(m));
        m->left--;
        if (!rc) rc = find_dead(m, dead_key(m), false);
    }
    return rc;
}

static int write_row(struct merge *m, const struct row *r)
{
    int rc = r->deleted ? delete_row(m, row_key(r)) : put_row(m, r);
    set_done(m, row_key(r));
    m->written++;
    m->left--;
    return rc || !m->any_dead || !bytes_equal(dead_key(m), row_key(r)) ? rc : find_dead(m, row_key(r), true); /* not dead any more */
}

static int write_changes(struct merge *m)
{
    const struct disk_changes *c = m->changes;
    int rc = find_dead(m, bytes_of(m->state->done, m->state->done_len), true);
    while (!rc && m->left && m->written < c->count) {
        const struct row *r = c->rows[m->written];
        rc = delete_dead(m, row_key(r));
        if (!rc && m->left) rc = write_row(m, r);
    }
    if (rc || !c->last || m->written < c->count) return rc;
    rc = delete_dead(m, bytes_of(NULL, 0));
    if (m->any_dead) return rc;
    m->state->at = m->state->next;
    m->state->done_len = 0;
    return rc;
}

static int write_all(struct disk *d, MDB_txn *txn, struct merge *m)
{
    int rc = mdb_cursor_open(txn, d->rows, &m->cursor);
    if (rc) return rc;
    rc = write_changes(m);
    mdb_cursor_close(m->cursor);
    if (!rc) rc = disk_expiry_apply(&m->expiry, txn, d->expiry);
    disk_expiry_release(&m->expiry);
    return rc ? rc : disk_write_state(d, txn, m->state);
}

int disk_write(struct disk *d, const struct disk_changes *c, struct disk_state *state, size_t *written, struct error *e)
{
    struct disk_state reached = *state;
    struct merge m = {.disk = d, .changes = c, .left = c->rows_max, .state = &reached};
    MDB_txn *txn;
    int rc = mdb_txn_begin(d->env, NULL, 0, &txn);
    if (rc) return disk_fail(d, rc, "write", e);
    if ((rc = write_all(d, txn, &m))) {
        mdb_txn_abort(txn);
        return disk_fail(d, rc, "write", e);
    }
    if ((rc = d->calls.commit(txn))) return disk_fail(d, rc, "write", e);
    *state = reached;
    *written = m.written;
    return 0;
}
