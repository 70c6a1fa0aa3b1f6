#include "store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/crc.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "store/history.h"
#include "store/store.h"

/* The map cannot grow while transactions are open, so address space is reserved once. Where little is to be had
 * (sanitizers, valgrind, ulimit -v), halves are tried. */
#define MAP_BYTES_WANTED ((size_t)1 << 40)
#define MAP_BYTES_LITTLE ((size_t)1 << 36) /* somebody may fill this: worth a warning */
#define MAP_BYTES_LEAST  ((size_t)1 << 30)

/* format(4) · at(8) · next(8) · done: length(4), bytes · epoch of at(8) · of next(8) · epochs: count(4), each: epoch(8), first(8) · CRC-32C of all
 * that(4). */
#define STATE_MAX (48 + STORE_KEY_MAX + STORE_EPOCHS_MAX * 16)

static MDB_val state_key(void)
{
    return disk_val(bytes_text("state"));
}

static bool is_damage(int rc)
{
    return rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH || rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
           rc == MDB_INCOMPATIBLE;
}

_Noreturn void disk_die(const struct disk *d, int rc, const char *what)
{
    log_error("the store cannot be read: ending", "dir=%s call=%s error=%s", log_quote(d->dir), what,
              log_quote(mdb_strerror(rc)));
    _exit(is_damage(rc) ? EXIT_FORMAT : EXIT_DISK);
}

/* LMDB found a page that no tree of its making can have. */
static void die_of_damage(MDB_env *env, const char *assertion)
{
    const char *dir = "?";
    mdb_env_get_path(env, &dir);
    log_error("the store is damaged: ending; restore the data directory from a backup", "dir=%s assertion=%s",
              log_quote(dir), log_quote(assertion));
    _exit(EXIT_FORMAT);
}

#define ROOM_LEAST ((uint64_t)1 << 20) /* a disk with less is full */

/* LMDB says EIO when a write was cut short, which is what a full disk does. */
static int true_cause(const struct disk *d, int rc)
{
    struct statvfs fs;
    if (rc != EIO || statvfs(d->dir, &fs)) return rc;
    return fs.f_bavail * (uint64_t)fs.f_frsize < ROOM_LEAST ? ENOSPC : rc;
}

int disk_fail(const struct disk *d, int rc, const char *doing, struct error *e)
{
    if (rc > 0) return error_system(e, ERROR_IO, true_cause(d, rc), "cannot %s store %s", doing, d->dir);
    enum error_code code = is_damage(rc) ? ERROR_FORMAT : rc == MDB_MAP_FULL ? ERROR_DISK : ERROR_IO;
    return error_set(e, code, "cannot %s store %s: %s", doing, d->dir, mdb_strerror(rc));
}

/* Makes the names in a directory survive a power loss. */
static int sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int rc = fsync(fd) && errno != EINVAL ? errno : 0; /* EINVAL: a file system that has no such thing */
    close(fd);
    return rc;
}

int disk_make_dir(const char *dir, struct error *e)
{
    if (mkdir(dir, 0700)) {
        if (errno == EEXIST) return 0;
        return error_system(e, ERROR_IO, errno, "cannot make directory %s", dir);
    }
    char parent[4096];
    if (snprintf(parent, sizeof parent, "%s/..", dir) >= (int)sizeof parent)
        return error_system(e, ERROR_IO, ENAMETOOLONG, "cannot make directory %s", dir);
    int rc = sync_dir(parent);
    return rc ? error_system(e, ERROR_IO, rc, "cannot sync the directory above %s", dir) : 0;
}

static int open_env_of_size(struct disk *d, size_t map_bytes)
{
    int rc = mdb_env_create(&d->env);
    if (rc) return rc;
    if (!(rc = mdb_env_set_mapsize(d->env, map_bytes)) && !(rc = mdb_env_set_maxdbs(d->env, 2))) {
        /* NORDAHEAD: reads are points, spread over the file; reading ahead would push out pages that are wanted.
         * NOTLS: the owner's transaction may be opened on another thread than the one that reads. */
        rc = mdb_env_open(d->env, d->dir, MDB_NORDAHEAD | MDB_NOTLS | d->flags, 0600);
    }
    if (rc) {
        mdb_env_close(d->env);
        d->env = NULL;
    }
    return rc;
}

static int open_env(struct disk *d, struct error *e)
{
    size_t map_bytes = MAP_BYTES_WANTED;
    int rc;
    while ((rc = open_env_of_size(d, map_bytes)) && (rc == ENOMEM || rc == EINVAL) && map_bytes > MAP_BYTES_LEAST) map_bytes /= 2;
    if (rc) return disk_fail(d, rc, "open", e);
    mdb_env_set_assert(d->env, die_of_damage);
    if (map_bytes < MAP_BYTES_LITTLE)
        log_warn("little address space for the store", "dir=%s bytes=%zu", log_quote(d->dir), map_bytes);
    if (mdb_env_get_maxkeysize(d->env) < STORE_KEY_MAX)
        return error_set(e, ERROR_IO, "liblmdb was built for keys of %d bytes, %d are needed",
                         mdb_env_get_maxkeysize(d->env), STORE_KEY_MAX);
    return 0;
}

/* Pages at the end that no tree uses need not be in the file, so a short one is no damage by itself; but to touch what is
 * missing would end the process. As zeros, LMDB or the keyspace finds what is damage. */
static int fill_up(struct disk *d, struct error *e)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int fd, rc = mdb_env_info(d->env, &info);
    if (!rc) rc = mdb_env_stat(d->env, &stat);
    if (!rc) rc = mdb_env_get_fd(d->env, &fd);
    if (rc) return disk_fail(d, rc, "open", e);
    uint64_t whole = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
    if (whole > info.me_mapsize) return disk_fail(d, MDB_CORRUPTED, "open", e);
    if (fstat(fd, &file) || ((uint64_t)file.st_size < whole && ftruncate(fd, (off_t)whole)))
        return error_system(e, ERROR_IO, errno, "cannot open store %s", d->dir);
    return 0;
}

static void write_epochs(struct buffer *b, const struct disk_state *st)
{
    const struct disk_epochs *e = &st->epochs;
    write_u64(b, st->at == st->next ? e->next : e->at);
    write_u64(b, e->next);
    write_u32(b, e->history.count);
    for (uint32_t i = 0; i < e->history.count; i++) {
        write_u64(b, e->history.epochs[i].epoch);
        write_u64(b, e->history.epochs[i].first);
    }
}

static void read_epochs(struct reader *r, struct disk_epochs *e)
{
    e->at = read_u64(r);
    e->next = read_u64(r);
    e->history.count = read_count(r, STORE_EPOCHS_MAX, 16);
    for (uint32_t i = 0; i < e->history.count; i++) {
        e->history.epochs[i].epoch = read_u64(r);
        e->history.epochs[i].first = read_u64(r);
    }
}

int disk_write_state(struct disk *d, MDB_txn *txn, const struct disk_state *st)
{
    uint8_t bytes[STATE_MAX];
    struct buffer b = {.data = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    write_u32(&b, DISK_FORMAT);
    write_u64(&b, st->at);
    write_u64(&b, st->next);
    write_bytes(&b, bytes_of(st->done, st->done_len));
    write_epochs(&b, st);
    write_u32(&b, crc32c(0, b.data, b.len));
    MDB_val key = state_key(), value = {b.len, bytes};
    return mdb_put(txn, d->main, &key, &value, 0);
}

static int read_state(struct disk *d, MDB_val value, struct disk_state *st, struct error *e)
{
    struct reader r = reader_of(bytes_of(value.mv_data, value.mv_size));
    size_t checked = value.mv_size - (value.mv_size < DISK_CHECKSUM ? value.mv_size : DISK_CHECKSUM);
    uint32_t format = read_u32(&r);
    if (!r.failed && format != DISK_FORMAT)
        return error_set(e, ERROR_FORMAT, "store %s has format %u, this version of AiKv reads %d", d->dir, format, DISK_FORMAT);
    *st = (struct disk_state){.at = read_u64(&r)};
    st->next = read_u64(&r);
    struct bytes done = read_bytes(&r, STORE_KEY_MAX);
    read_epochs(&r, &st->epochs);
    st->epochs.history.last = st->next;
    bool intact = read_u32(&r) == crc32c(0, value.mv_data, checked);
    if (!reader_done(&r) || !intact || st->next < st->at || !history_is_sound(&st->epochs.history))
        return error_set(e, ERROR_FORMAT, "store %s: its state record is damaged", d->dir);
    st->done_len = done.len;
    if (done.len) memcpy(st->done, done.data, done.len);
    return 0;
}

/* Opens the tables; makes them, and the state, in an empty environment. */
static int open_tables(struct disk *d, MDB_txn *txn, struct disk_state *st, struct error *e)
{
    MDB_stat stat;
    MDB_val key = state_key(), value;
    int rc = mdb_dbi_open(txn, NULL, 0, &d->main);
    if (!rc) rc = mdb_stat(txn, d->main, &stat);
    if (rc) return disk_fail(d, rc, "read", e);
    bool empty = stat.ms_entries == 0;
    if (empty && d->flags & MDB_RDONLY) return error_set(e, ERROR_FORMAT, "store %s holds nothing: it was not made to the end", d->dir);
    if (empty) {
        *st = (struct disk_state){0};
        if ((rc = disk_write_state(d, txn, st))) return disk_fail(d, rc, "write", e);
    } else {
        rc = mdb_get(txn, d->main, &key, &value);
        if (rc == MDB_NOTFOUND)
            return error_set(e, ERROR_FORMAT, "%s holds an LMDB database that is not AiKv's", d->dir);
        if (rc) return disk_fail(d, rc, "read", e);
        if ((rc = read_state(d, value, st, e))) return rc;
    }
    rc = mdb_dbi_open(txn, "rows", empty ? MDB_CREATE : 0, &d->rows);
    if (!rc) rc = mdb_dbi_open(txn, "expiry", empty ? MDB_CREATE : 0, &d->expiry);
    if (rc == MDB_NOTFOUND) return error_set(e, ERROR_FORMAT, "store %s: one of its tables is missing", d->dir);
    return rc ? disk_fail(d, rc, "read", e) : 0;
}

static int open_content(struct disk *d, struct disk_state *st, struct error *e)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(d->env, NULL, d->flags & MDB_RDONLY, &txn);
    if (rc) return disk_fail(d, rc, "open", e);
    if ((rc = open_tables(d, txn, st, e))) {
        mdb_txn_abort(txn);
        return rc;
    }
    if ((rc = mdb_txn_commit(txn))) return disk_fail(d, rc, "write", e);
    if (!(d->flags & MDB_RDONLY) && (rc = sync_dir(d->dir))) return error_system(e, ERROR_IO, rc, "cannot sync directory %s", d->dir);
    if ((rc = mdb_txn_begin(d->env, NULL, MDB_RDONLY, &d->snapshot)) ||
        (rc = mdb_txn_begin(d->env, NULL, MDB_RDONLY, &d->spare)))
        return disk_fail(d, rc, "read", e);
    mdb_txn_reset(d->spare);
    return 0;
}

/* LMDB would take a file that is missing or empty for a new environment. */
static int check_file(const struct disk *d, struct error *e)
{
    char path[4096];
    struct stat file;
    snprintf(path, sizeof path, "%s/data.mdb", d->dir);
    if (stat(path, &file)) {
        if (errno != ENOENT) return error_system(e, ERROR_IO, errno, "cannot open '%s'", path);
    } else if (file.st_size > 0) {
        return 0;
    }
    return error_set(e, ERROR_FORMAT,
                     "'%s' is missing or empty, but this node has kept data there: restore it from a backup; to begin "
                     "anew, remove the whole data directory",
                     path);
}

int disk_open(struct disk *d, const char *dir, bool expected, struct disk_state *state, struct error *e)
{
    *d = (struct disk){.calls = {mdb_txn_commit}, .dir = strdup(dir)};
    if (!d->dir) return error_system(e, ERROR_IO, ENOMEM, "cannot open store %s", dir);
    int rc = expected ? check_file(d, e) : disk_make_dir(dir, e);
    if (!rc) rc = disk_mend(dir, expected, e);
    if (!rc) rc = open_env(d, e);
    if (!rc) rc = fill_up(d, e);
    if (!rc) rc = open_content(d, state, e);
    if (rc) disk_close(d);
    return rc;
}

int disk_open_read_only(struct disk *d, const char *dir, struct disk_state *state, struct error *e)
{
    /* NOLOCK: the file of its locks would be made and written. */
    *d = (struct disk){.calls = {mdb_txn_commit}, .dir = strdup(dir), .flags = MDB_RDONLY | MDB_NOLOCK};
    if (!d->dir) return error_system(e, ERROR_IO, ENOMEM, "cannot open store %s", dir);
    int rc = check_file(d, e);
    if (!rc) rc = disk_check_mended(dir, e);
    if (!rc) rc = open_env(d, e);
    if (!rc) rc = open_content(d, state, e);
    if (rc) disk_close(d);
    return rc;
}

void disk_close(struct disk *d)
{
    if (d->snapshot) mdb_txn_abort(d->snapshot);
    if (d->spare) mdb_txn_abort(d->spare);
    if (d->env) mdb_env_close(d->env);
    free(d->dir);
    *d = (struct disk){0};
}

void disk_refresh(struct disk *d)
{
    /* The new snapshot is taken before the old one is given up: after some failures LMDB gives no more. */
    if (mdb_txn_renew(d->spare)) return;
    mdb_txn_reset(d->snapshot);
    MDB_txn *old = d->snapshot;
    d->snapshot = d->spare;
    d->spare = old;
}

bool disk_get(const struct disk *d, struct bytes key, struct bytes *value)
{
    MDB_val k = disk_val(key), v;
    int rc = mdb_get(d->snapshot, d->rows, &k, &v);
    if (rc == MDB_NOTFOUND) return false;
    if (rc) disk_die(d, rc, "mdb_get");
    *value = disk_value(d, k, v);
    return true;
}

#define PAGE 4096u

/* Large values have pages of their own, which follow each other. */
static void touch_pages(MDB_val v)
{
    const volatile uint8_t *data = v.mv_data;
    uintptr_t first = (uintptr_t)v.mv_data & ~(uintptr_t)(PAGE - 1);
    if (v.mv_size > PAGE) madvise((void *)first, v.mv_size, MADV_WILLNEED); /* in few large reads; advice may be ignored */
    for (size_t at = 0; at < v.mv_size; at += PAGE) (void)data[at];
    if (v.mv_size) (void)data[v.mv_size - 1];
}

void disk_touch(const struct disk *d, MDB_txn **txn, struct bytes key)
{
    MDB_val k = disk_val(key), v;
    if (*txn ? mdb_txn_renew(*txn) : mdb_txn_begin(d->env, NULL, MDB_RDONLY, txn)) return;
    if (mdb_get(*txn, d->rows, &k, &v) == 0) touch_pages(v);
    mdb_txn_reset(*txn); /* pages are not kept from being used again longer than this */
}

#define ENTRIES 512

void disk_touch_expiry(const struct disk *d, MDB_txn **txn, struct bytes entry)
{
    MDB_val k = disk_val(entry), v;
    MDB_cursor *cursor;
    if (*txn ? mdb_txn_renew(*txn) : mdb_txn_begin(d->env, NULL, MDB_RDONLY, txn)) return;
    if (mdb_cursor_open(*txn, d->expiry, &cursor) == 0) {
        int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
        for (int i = 0; i < ENTRIES && !rc; i++) rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
        mdb_cursor_close(cursor);
    }
    mdb_txn_reset(*txn);
}

uint64_t disk_row_count(const struct disk *d)
{
    MDB_stat stat;
    int rc = mdb_stat(d->snapshot, d->rows, &stat);
    if (rc) disk_die(d, rc, "mdb_stat");
    return stat.ms_entries;
}

uint64_t disk_size_bytes(const struct disk *d)
{
    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_info(d->env, &info);
    if (!rc) rc = mdb_stat(d->snapshot, d->main, &stat);
    if (rc) disk_die(d, rc, "mdb_env_info");
    return (info.me_last_pgno + 1) * (uint64_t)stat.ms_psize;
}
