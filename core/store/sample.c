/* Some rows of many, for who has to choose among all of them and cannot look at all. */
#include <assert.h>

#include "store/disk_expiry.h"
#include "store/store_state.h"

/* So many rows that may be no more are looked at, beside those that were asked for. */
#define ROW_LOOKS 16
#define DUE_LOOKS 64

void store_whereabouts(const struct store *s, struct store_whereabouts *out)
{
    uint64_t on_disk = disk_row_count(&s->disk);
    *out = (struct store_whereabouts){s->table.rows, on_disk > s->clean_rows ? on_disk - s->clean_rows : 0};
}

static struct store_sample sample_of(const struct row *r)
{
    return (struct store_sample){row_key(r), row_value(r), true, r->stamp};
}

/* ---- in memory ---- */

void store_sample(struct store *s, uint64_t random, size_t count, store_visit_sample *visit, void *user)
{
    struct row *rows[STORE_SAMPLE_MAX];
    assert(count <= STORE_SAMPLE_MAX);
    count = table_sample(&s->table, random, rows, count);
    for (size_t i = 0; i < count; i++) __builtin_prefetch(rows[i]);
    for (size_t i = 0; i < count; i++) {
        if (store_is_dead(s, rows[i])) continue;
        struct store_sample sample = sample_of(rows[i]);
        visit(user, &sample);
    }
}

/* ---- in the checkpoint ---- */

static MDB_cursor *open_cursor(const struct store *s, MDB_dbi table)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(s->disk.snapshot, table, &cursor);
    if (rc) disk_die(&s->disk, rc, "mdb_cursor_open");
    return cursor;
}

static void close_cursor(const struct store *s, MDB_cursor *cursor, int rc)
{
    mdb_cursor_close(cursor);
    if (rc && rc != MDB_NOTFOUND) disk_die(&s->disk, rc, "mdb_cursor_get");
}

/* The row that LMDB has this of, as it is now; false: it is no more. */
static bool sample_on_disk(const struct store *s, MDB_val key, MDB_val value, struct store_sample *out)
{
    struct bytes name = bytes_of(key.mv_data, key.mv_size);
    const struct row *r = table_find(&s->table, table_hash(&s->table, name), name);
    if (r) {
        *out = sample_of(r);
        return !r->deleted && !store_is_dead(s, r);
    }
    if (store_dead_on_disk(s, name)) return false;
    *out = (struct store_sample){.key = name, .value = disk_value(&s->disk, key, value)};
    return true;
}

void store_sample_disk(struct store *s, struct bytes from, struct bytes to, size_t count, store_visit_sample *visit, void *user)
{
    MDB_cursor *cursor = open_cursor(s, s->disk.rows);
    MDB_val key = disk_val(from), value;
    struct store_sample sample;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (size_t looks = count + ROW_LOOKS; !rc && looks && count; looks--) {
        if (bytes_compare(bytes_of(key.mv_data, key.mv_size), to) >= 0) break;
        if (sample_on_disk(s, key, value, &sample)) {
            visit(user, &sample);
            count--;
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    close_cursor(s, cursor, rc);
}

/* ---- what will be due first ---- */

/* The heap's first entries are early ones, the first of all the earliest. What is no more leaves it. */
static void sample_heap(struct store *s, struct generation *g, size_t count, store_visit_due *visit, void *user)
{
    uint32_t i = 0;
    for (size_t looks = count + DUE_LOOKS; looks && count && i < g->due_count; looks--) {
        const struct row *r = generation_at(g, g->due[i].place);
        if (r->flags & ROW_SUPERSEDED || store_is_dead(s, r)) {
            generation_set_due(g, r->place, STORE_NEVER);
            continue;
        }
        struct store_sample sample = sample_of(r);
        count -= visit(user, &sample);
        i++;
    }
}

/* Reads the row of an entry; false: it is no more. */
static bool sample_entry(const struct store *s, struct bytes entry, struct store_sample *out)
{
    struct bytes key;
    MDB_val value;
    disk_expiry_read(entry, &key);
    if (!store_is_current_on_disk(s, key)) return false;
    MDB_val name = disk_val(key);
    int rc = mdb_get(s->disk.snapshot, s->disk.rows, &name, &value);
    if (rc) disk_die(&s->disk, rc, "mdb_get");
    return sample_on_disk(s, name, value, out);
}

/* Goes on where nothing was of use before. */
static void sample_index(struct store *s, size_t count, store_visit_due *visit, void *user)
{
    MDB_cursor *cursor = open_cursor(s, s->disk.expiry);
    struct bytes from = bytes_of(s->sampled_done, s->sampled_done_len);
    MDB_val entry = disk_val(from), none;
    struct store_sample sample;
    bool first = true;
    int rc = mdb_cursor_get(cursor, &entry, &none, from.len ? MDB_SET_RANGE : MDB_FIRST);
    for (size_t looks = count + DUE_LOOKS; !rc && looks && count; looks--) {
        struct bytes found = bytes_of(entry.mv_data, entry.mv_size);
        bool used = sample_entry(s, found, &sample) && visit(user, &sample);
        first &= !used;
        count -= used;
        if (first) {
            memcpy(s->sampled_done, found.data, found.len);
            s->sampled_done_len = found.len;
        }
        rc = mdb_cursor_get(cursor, &entry, &none, MDB_NEXT);
    }
    close_cursor(s, cursor, rc);
}

void store_sample_due(struct store *s, size_t count, store_visit_due *visit, void *user)
{
    assert(!s->in_batch);
    sample_heap(s, s->active, count, visit, user);
    if (s->phase == PHASE_RUNNING) sample_heap(s, s->frozen, count, visit, user);
    sample_index(s, count, visit, user);
}
