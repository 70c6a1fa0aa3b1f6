/* Cutting the log, and making the checkpoint anew. Files are put aside before anything else happens to them. */
#include "store/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "store/store_state.h"
#include "store/wal_io.h"
#include "store/wal_segment.h"
#include "store/wal_truncate.h"

#define FRESH_SIZE ((size_t)4096) /* of a segment that holds no record: the next one goes into another */

struct cutting {
    const struct store_cut *cut;
    const struct wal_calls *calls;
    char log[4096], aside[4096];
};

static int fail(int rc, const char *path, const char *doing, struct error *e)
{
    return rc ? error_system(e, ERROR_IO, rc, "%s: %s", path, doing) : 0;
}

static int sync_dir(const struct wal_calls *calls, const char *dir, struct error *e)
{
    int fd, rc = wal_io_open(calls, dir, O_RDONLY | O_DIRECTORY, &fd);
    if (!rc) {
        rc = wal_io_sync_dir(calls, fd);
        close(fd);
    }
    return fail(rc, dir, "syncing the directory", e);
}

static int sync_both(const struct cutting *c, struct error *e)
{
    int rc = sync_dir(c->calls, c->aside, e);
    return rc ? rc : sync_dir(c->calls, c->log, e);
}

/* ---- whole segments ---- */

/* Whether a segment behind the cut has anything in it; what is ready for use only may stay. */
static int has_content(const struct cutting *c, uint64_t number, bool *out, struct error *e)
{
    uint8_t head[WAL_BEGIN];
    struct wal_segment_header h;
    uint32_t format;
    int fd;
    char *path = wal_segment_path(c->log, number);
    int rc = wal_io_open(c->calls, path, O_RDONLY, &fd);
    if (!rc) {
        ssize_t n = pread(fd, head, sizeof head, 0);
        *out = n != (ssize_t)sizeof head || wal_segment_header_read(head, number, &h, &format) != WAL_UNUSED;
        close(fd);
    }
    rc = fail(rc, path, "opening", e);
    free(path);
    return rc;
}

static int put_aside(const struct cutting *c, uint64_t number, struct error *e)
{
    char *from = wal_segment_path(c->log, number), *to = wal_segment_path(c->aside, number);
    int rc = fail(wal_io_rename(c->calls, from, to), from, "moving it aside", e);
    free(from);
    free(to);
    return rc;
}

/* Later ones first: what is left when this is interrupted is a log with the same damage. Where all of the log goes,
 * what is ready for use goes too, since a log begins with its first file. */
static int put_aside_behind(const struct cutting *c, const uint64_t *numbers, size_t count, struct error *e)
{
    int rc = 0;
    for (size_t i = count; !rc && i-- > 0 && numbers[i] > c->cut->segment;) {
        bool goes = c->cut->segment == 0;
        if (!goes) rc = has_content(c, numbers[i], &goes, e);
        if (!rc && goes) rc = put_aside(c, numbers[i], e);
    }
    return rc ? rc : sync_both(c, e);
}

/* ---- the segment that is cut ---- */

static int copy_head(const struct wal_calls *calls, int from, int to, size_t len)
{
    enum { STEP = 1 << 20 };
    uint8_t *block = malloc(STEP);
    int rc = block ? 0 : ENOMEM;
    for (size_t at = 0; !rc && at < len; at += STEP) {
        size_t n = len - at < STEP ? len - at : STEP;
        rc = wal_io_read(calls, from, block, n, at);
        if (!rc) rc = wal_io_write(calls, to, &(struct iovec){block, n}, 1, at);
    }
    free(block);
    return rc;
}

static int write_cut(const struct wal_calls *calls, const char *old, int to, size_t len)
{
    struct stat st;
    int from, rc = wal_io_open(calls, old, O_RDONLY, &from);
    if (rc) return rc;
    rc = fstat(from, &st) ? errno : copy_head(calls, from, to, len);
    if (!rc) rc = wal_io_zero(calls, to, len, (uint64_t)st.st_size);
    close(from);
    return rc;
}

/* A segment without records, which says that the log goes on after the checkpoint. */
static int write_fresh(const struct cutting *c, uint64_t number, int to)
{
    uint8_t head[WAL_BEGIN];
    struct wal_segment_header h = {.number = number, .base = c->cut->kept};
    random_bytes(&h.salt, sizeof h.salt);
    wal_segment_header_write(head, &h);
    int rc = wal_io_write(c->calls, to, &(struct iovec){head, sizeof head}, 1, 0);
    return rc ? rc : wal_io_zero(c->calls, to, sizeof head, FRESH_SIZE);
}

/* Writes the segment under the name of one in the making, which a start would throw away, and gives it its own. */
static int replace(const struct cutting *c, uint64_t number, struct error *e)
{
    char *name = wal_segment_path(c->log, number), *kept = wal_segment_path(c->aside, number),
         *making = wal_segment_making_path(c->log);
    bool fresh = c->cut->segment == 0;
    int fd, rc = wal_io_open(c->calls, making, O_WRONLY | O_CREAT | O_TRUNC, &fd);
    if (!rc) {
        rc = fresh ? write_fresh(c, number, fd) : write_cut(c->calls, name, fd, (size_t)c->cut->offset);
        if (!rc) rc = wal_io_sync(c->calls, fd);
        close(fd);
    }
    rc = fail(rc, making, "writing", e);
    if (!rc && !fresh && link(name, kept)) rc = fail(errno, name, "keeping it aside", e);
    if (!rc) rc = sync_dir(c->calls, c->aside, e);
    if (!rc) rc = fail(wal_io_rename(c->calls, making, name), name, "replacing", e);
    if (!rc) rc = sync_dir(c->calls, c->log, e);
    free(name);
    free(kept);
    free(making);
    return rc;
}

/* What an interrupted truncation had intended: the cut goes before that, so it has nothing to do any more. The last thing that is put aside. */
static int put_intention_aside(const struct cutting *c, struct error *e)
{
    char *from = wal_segment_path_in(c->log, WAL_TRUNCATE), *to = wal_segment_path_in(c->aside, WAL_TRUNCATE);
    int rc = wal_io_rename(c->calls, from, to);
    rc = rc == ENOENT ? 0 : fail(rc, from, "moving it aside", e);
    free(from);
    free(to);
    return rc ? rc : sync_both(c, e);
}

/* ---- all ---- */

static int prepare(struct cutting *c, const char *dir, const char *aside, struct error *e)
{
    if (snprintf(c->log, sizeof c->log, "%s/log", dir) >= (int)sizeof c->log ||
        snprintf(c->aside, sizeof c->aside, "%s/log", aside) >= (int)sizeof c->aside)
        return error_set(e, ERROR_IO, "the name of a directory is too long");
    int rc = disk_make_dir(c->log, e);
    return rc ? rc : disk_make_dir(c->aside, e);
}

int store_cut_log_with(const char *dir, const struct store_cut *cut, const char *aside, const struct wal_calls *calls,
                       struct error *e)
{
    struct cutting c = {.cut = cut, .calls = calls};
    uint64_t *numbers = NULL;
    size_t count = 0;
    int rc = prepare(&c, dir, aside, e);
    if (!rc) rc = wal_segment_numbers(c.log, &numbers, &count, e);
    if (!rc) rc = put_aside_behind(&c, numbers, count, e);
    if (!rc) rc = replace(&c, cut->segment ? cut->segment : count ? numbers[count - 1] + 1 : 1, e);
    if (!rc) rc = put_intention_aside(&c, e);
    free(numbers);
    return rc;
}

int store_cut_log(const char *dir, const struct store_cut *cut, const char *aside, struct error *e)
{
    return store_cut_log_with(dir, cut, aside, &wal_calls_system, e);
}

static void ignore(void *user)
{
    (void)user;
}

int store_rebuild_checkpoint(const char *dir, const char *aside, store_expiry *expiry, struct store_report *out, struct error *e)
{
    char from[4096], to[4096];
    struct store *s;
    if (snprintf(from, sizeof from, "%s/lmdb", dir) >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/lmdb", aside) >= (int)sizeof to)
        return error_set(e, ERROR_IO, "the name of a directory is too long");
    int rc = rename(from, to) && errno != ENOENT ? fail(errno, from, "moving it aside", e) : 0;
    if (!rc) rc = sync_dir(&wal_calls_system, aside, e);
    if (!rc) rc = sync_dir(&wal_calls_system, dir, e);
    if (!rc) rc = store_open(&(struct store_options){.dir = dir, .on_durable = ignore, .expiry = expiry}, &s, out, e);
    if (!rc) store_close(s);
    return rc;
}
