/* Rows that are due: those that changed since the checkpoint are in their generation's heap, the others in LMDB's index. */
#include <assert.h>
#include <stdlib.h>

#include "store/disk_expiry.h"
#include "store/memory.h"
#include "store/store_state.h"

#define ENTRIES_PER_ROW 4 /* of the index are looked at: rows may have gone since the checkpoint */
#define ENTRIES_LEAST   1000
#define DUE_NEAR        256 /* entries whose rows are read from disk together */

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

/* What is not there any more leaves the heap. Returns whether there may be more. */
static bool search_generation(struct search *d, struct generation *g)
{
    size_t most = d->left;
    if (!g->due_count || g->due[0].ms > d->now_ms || !most) return false;
    struct row **rows = memory_resize(NULL, most * sizeof *rows);
    size_t count = generation_find_due(g, d->now_ms, rows, most);
    for (size_t i = 0; i < count; i++) {
        if (rows[i]->flags & ROW_SUPERSEDED || store_is_dead(d->store, rows[i]))
            generation_set_due(g, rows[i]->place, STORE_NEVER);
        else
            give(d, row_key(rows[i]));
    }
    free(rows);
    return count == most;
}

/* ---- on disk ---- */

/* Whether LMDB's version of a row is the one that is there; `r`: what is in memory of it, or NULL. */
static bool is_current(const struct store *s, const struct row *r, struct bytes key)
{
    if (!r) return !store_dead_on_disk(s, key);
    bool on_disk = !r->generation || (s->phase == PHASE_SETTLING && r->generation == s->frozen->id);
    return on_disk && !r->deleted && !store_is_dead(s, r);
}

bool store_is_current_on_disk(const struct store *s, struct bytes key)
{
    return is_current(s, table_find(&s->table, table_hash(&s->table, key), key), key);
}

/* The value of such a row; in memory, if it is there too. */
static bool current_value(struct store *s, struct bytes key, struct bytes *value)
{
    const struct row *r = table_find(&s->table, table_hash(&s->table, key), key);
    if (!is_current(s, r, key)) return false;
    *value = r ? row_value(r) : bytes_of(NULL, 0);
    if (r) return true;
    s->disk_reads++;
    disk_get(&s->disk, key, value); /* one that is missing has no expiry */
    return true;
}

/* The index follows from the rows; if it does not, it is damaged. */
static void check_entry(const struct store *s, struct bytes key, struct bytes value, int64_t due_ms)
{
    if (s->disk.expiry_of(key, value) != due_ms) disk_die(&s->disk, MDB_CORRUPTED, "the index of rows that expire");
}

static struct bytes place_bytes(const struct due_place *p)
{
    return bytes_of(p->entry, p->len);
}

static void set_place(struct due_place *p, struct bytes entry)
{
    memcpy(p->entry, entry.data, entry.len);
    p->len = entry.len;
}

/* A walk over the index. */
struct walk {
    MDB_cursor *cursor;
    struct bytes entry, key;
    int64_t due_ms;
};

/* At the next entry, if that is due. */
static bool arrive(const struct store *s, struct walk *w, int64_t now_ms, MDB_cursor_op op, struct bytes at)
{
    MDB_val entry = disk_val(at), none;
    int rc = mdb_cursor_get(w->cursor, &entry, &none, op);
    if (rc && rc != MDB_NOTFOUND) disk_die(&s->disk, rc, "mdb_cursor_get");
    if (rc) return false;
    w->entry = bytes_of(entry.mv_data, entry.mv_size);
    w->due_ms = disk_expiry_read(w->entry, &w->key);
    return w->due_ms <= now_ms;
}

static bool walk_on(const struct store *s, struct walk *w, int64_t now_ms)
{
    return arrive(s, w, now_ms, MDB_NEXT, bytes_of(NULL, 0));
}

/* At the first one behind a place. */
static bool walk_from(const struct store *s, struct walk *w, int64_t now_ms, struct bytes place)
{
    int rc = mdb_cursor_open(s->disk.snapshot, s->disk.expiry, &w->cursor);
    if (rc) disk_die(&s->disk, rc, "mdb_cursor_open");
    if (!place.len) return arrive(s, w, now_ms, MDB_FIRST, place);
    if (!arrive(s, w, now_ms, MDB_SET_RANGE, place)) return false;
    return !bytes_equal(w->entry, place) || walk_on(s, w, now_ms);
}

/* Whether the rows of the next entries can be read. If not, they are being read, with the entries behind these. */
static bool bring_near(struct store *s, int64_t now_ms)
{
    struct bytes keys[DUE_NEAR];
    struct walk w;
    size_t count = 0, looks = 0;
    for (bool more = walk_from(s, &w, now_ms, place_bytes(&s->due_done)); more && looks < DUE_NEAR; looks++) {
        if (store_is_cold(s, w.key)) keys[count++] = w.key;
        set_place(&s->due_near, w.entry);
        more = walk_on(s, &w, now_ms);
    }
    if (count && cold_add_due(s->cold, keys, count, place_bytes(&s->due_near)))
        s->due_reading = true;
    else if (count)
        s->due_near.len = 0; /* too many wait: later */
    mdb_cursor_close(w.cursor);
    return count == 0;
}

/* Goes on where it stopped: what lies before was given, or changed since the checkpoint. Returns whether there may be more. */
static bool search_disk(struct search *d)
{
    struct store *s = d->store;
    struct walk w;
    if (s->due_reading || (store_reads_wait(s) && !s->due_near.len && !bring_near(s, d->now_ms))) return true;
    bool more = walk_from(s, &w, d->now_ms, place_bytes(&s->due_done)), near = true;
    for (size_t looks = ENTRIES_PER_ROW * d->left + ENTRIES_LEAST; more && near && looks && d->left; looks--) {
        struct bytes value;
        if (current_value(s, w.key, &value)) {
            check_entry(s, w.key, value, w.due_ms);
            give(d, w.key);
        }
        set_place(&s->due_done, w.entry);
        near = !bytes_equal(w.entry, place_bytes(&s->due_near));
        more = walk_on(s, &w, d->now_ms);
    }
    if (!near) s->due_near.len = 0;
    mdb_cursor_close(w.cursor);
    return more;
}

void store_due_is_near(struct store *s)
{
    s->due_reading = false;
}

void store_due_begin(struct store *s)
{
    s->due_done.len = s->due_near.len = 0;
}

size_t store_due(struct store *s, int64_t now_ms, size_t count, void (*visit)(void *user, struct bytes key), void *user, bool *more)
{
    struct search d = {s, now_ms, count, visit, user};
    assert(!s->in_batch);
    bool left = search_generation(&d, s->active);
    if (s->phase == PHASE_RUNNING) left |= search_generation(&d, s->frozen);
    *more = !d.left || search_disk(&d) || left;
    return count - d.left;
}
