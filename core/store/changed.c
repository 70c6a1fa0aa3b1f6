/* What the log changed since the checkpoint, for whoever keeps something that follows from all rows (how many there are, for example) and does
 * not want to read them all at each start. */
#include <stdlib.h>

#include "store/memory.h"
#include "store/store_state.h"

/* A base in the middle of a checkpoint is that checkpoint's end: the frozen rows, LMDB's where there is none. */
static const struct generation *frozen_of(const struct store *s)
{
    return s->phase == PHASE_RUNNING ? s->frozen : NULL;
}

uint64_t store_base_sequence(const struct store *s)
{
    return frozen_of(s) ? s->frozen_to : s->at;
}

static bool frozen_value(const struct store *s, const struct row *r, struct bytes *value)
{
    *value = row_value(r);
    return !r->deleted && r->sequence >= drop_sequence(&s->frozen->drops, row_key(r));
}

/* Whether LMDB's row is older than a drop that the base has seen. */
static bool is_dead_at_base(const struct store *s, struct bytes key)
{
    if (!frozen_of(s) || !drop_sequence(&s->frozen->drops, key)) return false;
    return bytes_compare(key, bytes_of(s->resumed, s->resumed_len)) > 0;
}

bool store_get_base(struct store *s, struct bytes key, struct bytes *value)
{
    const struct generation *g = frozen_of(s);
    const struct row *r = g ? generation_first(g, row_prefix(key)) : NULL;
    while (r && !bytes_equal(row_key(r), key)) r = generation_next(g, r);
    if (r) return frozen_value(s, r, value);
    return !is_dead_at_base(s, key) && disk_get(&s->disk, key, value);
}

struct group {
    struct row **rows;
    size_t count, cap;
};

static void gather(struct group *out, const struct generation *g, unsigned prefix)
{
    out->count = 0;
    for (struct row *r = g ? generation_first(g, prefix) : NULL; r; r = generation_next(g, r)) {
        if (out->count == out->cap) {
            out->cap = out->cap ? 2 * out->cap : 64;
            out->rows = memory_resize(out->rows, out->cap * sizeof *out->rows);
        }
        out->rows[out->count++] = r;
    }
    row_sort(out->rows, out->count);
}

/* With a cursor, since keys come in order: most are on the page of the one before. */
static bool value_on_disk(const struct store *s, MDB_cursor *cursor, struct bytes key, struct bytes *value)
{
    MDB_val k = disk_val(key), v = {0};
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET);
    if (rc && rc != MDB_NOTFOUND) disk_die(&s->disk, rc, "mdb_cursor_get");
    if (rc) return false;
    *value = disk_value(&s->disk, k, v);
    return true;
}

/* Tells of one changed row; `before`: the frozen one of its key, or NULL. */
static int visit_row(const struct store *s, MDB_cursor *cursor, const struct row *r, const struct row *before, store_changed_row *visit,
                     void *user)
{
    struct bytes key = row_key(r), value, now = row_value(r);
    uint64_t dropped = drop_sequence(&s->drops, key);
    bool is = !r->deleted && r->sequence >= dropped, had = false;
    if (dropped > store_base_sequence(s)) {
        if (!is) return 0; /* told of with its range */
    } else {
        had = before ? frozen_value(s, before, &value) : !is_dead_at_base(s, key) && value_on_disk(s, cursor, key, &value);
    }
    return visit(user, key, had ? &value : NULL, is ? &now : NULL);
}

/* Both sorted: each changed row with the frozen one of its key. */
static int visit_group(const struct store *s, MDB_cursor *cursor, const struct group *changed, const struct group *frozen,
                       store_changed_row *visit, void *user)
{
    int rc = 0;
    size_t at = 0;
    for (size_t i = 0; i < changed->count && !rc; i++) {
        const struct row *r = changed->rows[i], *before = NULL;
        while (at < frozen->count && bytes_compare(row_key(frozen->rows[at]), row_key(r)) < 0) at++;
        if (at < frozen->count && bytes_equal(row_key(frozen->rows[at]), row_key(r))) before = frozen->rows[at];
        rc = visit_row(s, cursor, r, before, visit, user);
    }
    return rc;
}

static int each_drop(const struct store *s, store_dropped_range *visit, void *user)
{
    int rc = 0;
    for (size_t i = 0; i < s->drops.count && !rc; i++)
        if (s->drops.drops[i].sequence > store_base_sequence(s)) rc = visit(user, &s->drops.drops[i].range);
    return rc;
}

static int each_row(struct store *s, store_changed_row *visit, void *user)
{
    struct group changed = {0}, frozen = {0};
    MDB_cursor *cursor;
    unsigned prefix = 0;
    int rc = mdb_cursor_open(s->disk.snapshot, s->disk.rows, &cursor);
    if (rc) disk_die(&s->disk, rc, "mdb_cursor_open");
    for (; !rc && (prefix = generation_next_prefix(s->active, prefix)) < GENERATION_PREFIXES; prefix++) {
        gather(&changed, s->active, prefix);
        gather(&frozen, frozen_of(s), prefix);
        rc = visit_group(s, cursor, &changed, &frozen, visit, user);
    }
    mdb_cursor_close(cursor);
    free(changed.rows);
    free(frozen.rows);
    return rc;
}

int store_each_changed(struct store *s, store_dropped_range *dropped, store_changed_row *changed, void *user)
{
    int rc = each_drop(s, dropped, user);
    return rc ? rc : each_row(s, changed, user);
}
