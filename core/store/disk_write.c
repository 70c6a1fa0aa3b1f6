/* One transaction of a checkpoint: rows that changed, merged in key order with those of LMDB's that drops cover. */
#include "store/disk.h"

struct merge {
    MDB_cursor *cursor;
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

static int delete_row(struct merge *m, struct bytes name)
{
    MDB_val key = disk_val(name), value;
    int rc = mdb_cursor_get(m->cursor, &key, &value, MDB_SET);
    if (rc == MDB_NOTFOUND) return 0;
    return rc ? rc : mdb_cursor_del(m->cursor, 0);
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
    MDB_val key = disk_val(row_key(r)), value = disk_val(row_value(r));
    int rc = r->deleted ? delete_row(m, row_key(r)) : mdb_cursor_put(m->cursor, &key, &value, 0);
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
    return rc ? rc : disk_write_state(d, txn, m->state);
}

int disk_write(struct disk *d, const struct disk_changes *c, struct disk_state *state, size_t *written, struct error *e)
{
    struct disk_state reached = *state;
    struct merge m = {.changes = c, .left = c->rows_max, .state = &reached};
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
