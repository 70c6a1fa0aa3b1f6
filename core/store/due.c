/* Rows that are due: those that changed since the checkpoint are in their generation's heap, the others in LMDB's index. */
#include <assert.h>
#include <stdlib.h>

#include "store/disk_expiry.h"
#include "store/memory.h"
#include "store/store_state.h"

#define ENTRIES_PER_ROW 4 /* of the index are looked at: rows may have gone since the checkpoint */
#define ENTRIES_LEAST   1000

void store_note_expiry(struct store *s, const struct row *r)
{
    if (!s->disk.expiry_of) return;
    int64_t due_ms = r->deleted ? STORE_NEVER : s->disk.expiry_of(row_key(r), row_value(r));
    assert(due_ms == STORE_NEVER || r->key_len <= STORE_EXPIRING_KEY_MAX);
    generation_set_due(s->active, r->place, due_ms);
}

struct search {
    struct store *store;
    int64_t now_ms;
    size_t left; /* rows that may be given */
    void (*visit)(void *user, struct bytes key);
    void *user;
};

static void give(struct search *d, struct bytes key)
{
    d->visit(d->user, key);
    d->left--;
}

/* What is not there any more leaves the heap. */
static void search_generation(struct search *d, struct generation *g)
{
    if (!g->due_count || g->due[0].ms > d->now_ms) return;
    struct row **rows = memory_resize(NULL, d->left * sizeof *rows);
    size_t count = generation_find_due(g, d->now_ms, rows, d->left);
    for (size_t i = 0; i < count; i++) {
        if (rows[i]->flags & ROW_SUPERSEDED || store_is_dead(d->store, rows[i]))
            generation_set_due(g, rows[i]->place, STORE_NEVER);
        else
            give(d, row_key(rows[i]));
    }
    free(rows);
}

bool store_is_current_on_disk(const struct store *s, struct bytes key)
{
    const struct row *r = table_find(&s->table, table_hash(&s->table, key), key);
    if (!r) return !store_dead_on_disk(s, key);
    bool on_disk = !r->generation || (s->phase == PHASE_SETTLING && r->generation == s->frozen->id);
    return on_disk && !r->deleted && !store_is_dead(s, r);
}

/* The index follows from the rows; if it does not, it is damaged. */
static void check_entry(const struct store *s, struct bytes key, int64_t due_ms)
{
    struct bytes value;
    if (!disk_get(&s->disk, key, &value) || s->disk.expiry_of(key, value) != due_ms) disk_die(&s->disk, MDB_CORRUPTED, "the index of rows that expire");
}

static void remember(struct store *s, struct bytes entry)
{
    memcpy(s->due_done, entry.data, entry.len);
    s->due_done_len = entry.len;
}

/* Goes on where it stopped: what lies before was given, or changed since the checkpoint. */
static void search_disk(struct search *d)
{
    struct store *s = d->store;
    MDB_cursor *cursor;
    struct bytes from = bytes_of(s->due_done, s->due_done_len), key;
    MDB_val entry = disk_val(from), none;
    int rc = mdb_cursor_open(s->disk.snapshot, s->disk.expiry, &cursor);
    if (rc) disk_die(&s->disk, rc, "mdb_cursor_open");
    rc = mdb_cursor_get(cursor, &entry, &none, from.len ? MDB_SET_RANGE : MDB_FIRST);
    if (!rc && from.len && bytes_equal(bytes_of(entry.mv_data, entry.mv_size), from)) rc = mdb_cursor_get(cursor, &entry, &none, MDB_NEXT);
    for (size_t looks = ENTRIES_PER_ROW * d->left + ENTRIES_LEAST; !rc && looks && d->left; looks--) {
        int64_t due_ms = disk_expiry_read(bytes_of(entry.mv_data, entry.mv_size), &key);
        if (due_ms > d->now_ms) break;
        if (store_is_current_on_disk(s, key)) {
            check_entry(s, key, due_ms);
            give(d, key);
        }
        remember(s, bytes_of(entry.mv_data, entry.mv_size));
        rc = mdb_cursor_get(cursor, &entry, &none, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (rc && rc != MDB_NOTFOUND) disk_die(&s->disk, rc, "mdb_cursor_get");
}

size_t store_due(struct store *s, int64_t now_ms, size_t count, void (*visit)(void *user, struct bytes key), void *user)
{
    struct search d = {s, now_ms, count, visit, user};
    assert(!s->in_batch);
    search_generation(&d, s->active);
    if (d.left && s->phase == PHASE_RUNNING) search_generation(&d, s->frozen);
    if (d.left) search_disk(&d);
    return count - d.left;
}
