/* LMDB's file, row by row and page by page. */
#include <stdio.h>

#include "store/disk.h"
#include "store/disk_expiry.h"
#include "store/inspect.h"

#define LIST_OF_FREE_PAGES 0 /* LMDB's first table: transaction → a count and so many page numbers */

static int wrong(const struct disk *d, struct error *e, int rc, const char *what)
{
    return error_set(e, ERROR_FORMAT, "store %s: %s%s%s", d->dir, what, rc ? ": " : "", rc ? mdb_strerror(rc) : "");
}

/* A row that expires is in the index of those. */
static int check_expiry(const struct disk *d, struct bytes key, struct bytes value, struct store_checkpoint_report *out, struct error *e)
{
    int64_t due_ms = d->expiry_of ? d->expiry_of(key, value) : STORE_NEVER;
    if (due_ms == STORE_NEVER) return 0;
    out->expiring++;
    uint8_t bytes[DISK_EXPIRY_HEAD + STORE_EXPIRING_KEY_MAX];
    if (key.len > STORE_EXPIRING_KEY_MAX) return wrong(d, e, 0, "a row that expires has a key of impossible length");
    MDB_val entry = disk_val(disk_expiry_write(bytes, due_ms, key)), none;
    int rc = mdb_get(d->snapshot, d->expiry, &entry, &none);
    if (rc == MDB_NOTFOUND) return wrong(d, e, 0, "a row that expires is missing in the index of those");
    return rc ? wrong(d, e, rc, "reading its index of rows that expire") : 0;
}

/* Keys must rise: so a tree whose pages lead back to themselves ends here too. */
static int walk_rows(const struct disk *d, MDB_cursor *cursor, struct store_checkpoint_report *out, struct error *e)
{
    uint8_t last[STORE_KEY_MAX];
    size_t last_len = 0;
    MDB_val key, value;
    int rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        struct bytes k = bytes_of(key.mv_data, key.mv_size);
        if (k.len == 0 || k.len > STORE_KEY_MAX) return wrong(d, e, 0, "a row has a key of impossible length");
        if (last_len && bytes_compare(k, bytes_of(last, last_len)) <= 0)
            return wrong(d, e, 0, "rows are not in the order of their keys");
        memcpy(last, k.data, k.len);
        last_len = k.len;
        struct bytes v;
        if (!disk_value_read(key, value, &v)) return wrong(d, e, 0, "a row's checksum is wrong");
        out->rows++;
        out->key_bytes += key.mv_size;
        out->value_bytes += v.len;
        if (v.len > out->value_max_bytes) out->value_max_bytes = v.len;
        if ((rc = check_expiry(d, k, v, out, e))) return rc;
    }
    return rc == MDB_NOTFOUND ? 0 : wrong(d, e, rc, "reading its rows");
}

static int walk_free_pages(const struct disk *d, MDB_cursor *cursor, struct store_checkpoint_report *out,
                           struct error *e)
{
    MDB_val key, value;
    size_t last = 0, transaction;
    int rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        size_t count;
        if (key.mv_size != sizeof transaction) return wrong(d, e, 0, "its list of free pages is damaged");
        memcpy(&transaction, key.mv_data, sizeof transaction);
        if (transaction <= last) return wrong(d, e, 0, "its list of free pages is not in order");
        last = transaction;
        if (value.mv_size < sizeof count) return wrong(d, e, 0, "its list of free pages is damaged");
        memcpy(&count, value.mv_data, sizeof count);
        if (count > value.mv_size / sizeof count - 1) return wrong(d, e, 0, "its list of free pages is damaged");
        out->free_pages += count;
    }
    if (out->free_pages > out->pages) return wrong(d, e, 0, "its list has more free pages than there are");
    return rc == MDB_NOTFOUND ? 0 : wrong(d, e, rc, "reading its list of free pages");
}

static int walk(const struct disk *d, MDB_dbi table,
                int (*each)(const struct disk *, MDB_cursor *, struct store_checkpoint_report *, struct error *),
                struct store_checkpoint_report *out, struct error *e)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(d->snapshot, table, &cursor);
    if (rc) return wrong(d, e, rc, "opening a table");
    rc = each(d, cursor, out, e);
    mdb_cursor_close(cursor);
    return rc;
}

static int inspect(const struct disk *d, struct store_checkpoint_report *out, struct error *e)
{
    MDB_envinfo info;
    MDB_stat rows, expiry;
    int rc = mdb_env_info(d->env, &info);
    if (!rc) rc = mdb_stat(d->snapshot, d->rows, &rows);
    if (!rc) rc = mdb_stat(d->snapshot, d->expiry, &expiry);
    if (rc) return wrong(d, e, rc, "reading its statistics");
    out->pages = info.me_last_pgno + 1;
    out->page_bytes = rows.ms_psize;
    out->branch_pages = rows.ms_branch_pages;
    out->leaf_pages = rows.ms_leaf_pages;
    out->overflow_pages = rows.ms_overflow_pages;
    out->depth = rows.ms_depth;
    if ((rc = walk(d, d->rows, walk_rows, out, e))) return rc;
    if (out->rows != rows.ms_entries) return wrong(d, e, 0, "it does not have as many rows as it says");
    if (d->expiry_of && out->expiring != expiry.ms_entries) return wrong(d, e, 0, "its index of rows that expire has entries of no row");
    return walk(d, LIST_OF_FREE_PAGES, walk_free_pages, out, e);
}

int store_inspect_checkpoint(const char *dir, store_expiry *expiry, struct store_checkpoint_report *out, struct error *e)
{
    char path[4096];
    struct disk d;
    struct disk_state state;
    *out = (struct store_checkpoint_report){0};
    if (snprintf(path, sizeof path, "%s/lmdb", dir) >= (int)sizeof path)
        return error_set(e, ERROR_IO, "the name of the store's directory is too long");
    int rc = disk_open_read_only(&d, path, &state, e);
    if (rc) return rc;
    out->next = (struct store_position){state.next ? state.epochs.next : 0, state.next};
    out->at = state.at == state.next ? out->next : (struct store_position){state.at ? state.epochs.at : 0, state.at};
    d.expiry_of = expiry;
    rc = inspect(&d, out, e);
    disk_close(&d);
    return rc;
}
