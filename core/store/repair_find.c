/* Where the log is damaged, and what lies behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/repair.h"
#include "store/wal_io.h"
#include "store/wal_scan.h"
#include "store/wal_truncate.h"

static int log_path(const char *dir, char out[4096], struct error *e)
{
    if (snprintf(out, 4096, "%s/log", dir) < 4096) return 0;
    return error_set(e, ERROR_IO, "the name of the store's directory is too long");
}

/* ---- what is lost ---- */

/* Records that can still be told from the rest, though nothing says that they are whole. */
static void look_for_records(const struct wal_segment_header *h, struct bytes data, size_t from, struct store_cut *cut)
{
    struct wal_record_header r;
    size_t extent = from;
    for (size_t at = from; at + WAL_HEADER <= data.len; at += 8) {
        if (!wal_record_header_read(data, at, wal_seed(h), &r)) continue;
        struct store_position last = {r.first.epoch, r.last};
        if (store_position_compare(last, cut->lost_to) > 0) cut->lost_to = last;
        if (at + wal_record_size(r.len) > extent) extent = at + wal_record_size(r.len);
    }
    cut->lost_bytes += extent - from;
}

static void add_lost(struct bytes data, uint64_t number, size_t from, struct store_cut *cut)
{
    struct wal_segment_header h;
    uint32_t format;
    enum wal_header_state state = data.len < WAL_BEGIN ? WAL_DAMAGED
                                                       : wal_segment_header_read(data.data, number, &h, &format);
    if (state == WAL_BEGUN) look_for_records(&h, data, from, cut);
    if (state == WAL_DAMAGED) cut->lost_bytes += data.len;
}

/* Adds what lies in a segment from `from` on. */
static int look_at_segment(const char *log, uint64_t number, size_t from, struct store_cut *cut, struct error *e)
{
    int fd;
    struct stat st;
    char *path = wal_segment_path(log, number);
    uint8_t *data = NULL;
    int rc = wal_io_open(&wal_calls_system, path, O_RDONLY, &fd);
    if (!rc) {
        if (fstat(fd, &st)) rc = errno;
        if (!rc && !(data = malloc((size_t)st.st_size + 1))) rc = ENOMEM;
        if (!rc) rc = wal_io_read(&wal_calls_system, fd, data, (size_t)st.st_size, 0);
        close(fd);
    }
    if (rc)
        rc = error_system(e, ERROR_IO, rc, "%s", path);
    else
        add_lost(bytes_of(data, (size_t)st.st_size), number, from, cut);
    free(data);
    free(path);
    return rc;
}

static int find_loss(const char *log, struct store_cut *cut, struct error *e)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    int rc = wal_segment_numbers(log, &numbers, &count, e);
    for (size_t i = 0; !rc && i < count; i++) {
        if (numbers[i] < cut->segment) continue;
        rc = look_at_segment(log, numbers[i], numbers[i] == cut->segment ? (size_t)cut->offset : WAL_BEGIN, cut, e);
    }
    free(numbers);
    return rc;
}

/* ---- the cut ---- */

/* Takes the segments behind a gap off the list. Returns the number that is missing; 0: none. */
static uint64_t end_at_gap(struct wal_segment *first)
{
    for (struct wal_segment *s = first; s && s->next; s = s->next) {
        if (s->next->number == s->number + 1) continue;
        bool begun = false;
        for (const struct wal_segment *g = s->next; g; g = g->next) begun = begun || g->begun;
        wal_segment_free_all(s->next, &wal_calls_system);
        s->next = NULL;
        return begun ? s->number + 1 : 0;
    }
    return 0;
}

/* The segments that can be read, up to the first damage. Whether there is any is in cut->damage. */
static int scan_what_is_sound(struct wal_scan *scan, struct store_cut *cut, struct error *e)
{
    bool missing = access(scan->dir, F_OK) && errno == ENOENT;
    int rc = missing ? 0 : wal_truncate_read(scan->dir, scan->calls, &scan->until, e);
    if (rc) return rc;
    if (!missing) rc = wal_segment_list(scan->dir, scan->calls, O_RDONLY, &scan->segments, e);
    if (rc == ERROR_FORMAT)
        cut->damage = *e;
    else if (rc)
        return rc;
    uint64_t gap = end_at_gap(scan->segments);
    if (gap)
        error_set(&cut->damage, ERROR_FORMAT, "%s: segment %llu is missing", scan->dir, (unsigned long long)gap);
    rc = wal_scan_run(scan, e);
    bool damaged = rc == ERROR_FORMAT || rc == ERROR_NOT_FOUND; /* not found: the place where an interrupted truncation was to cut it */
    if (damaged && !cut->damage.code) cut->damage = *e;
    if (scan->report.segments == 0 && !cut->damage.code)
        error_set(&cut->damage, ERROR_FORMAT, "%s: the log is missing", scan->dir);
    return damaged ? 0 : rc;
}

static int check_kept(const struct store_cut *cut, struct store_position next, struct error *e)
{
    if (!cut->damage.code) return error_set(e, ERROR_NOT_FOUND, "the log is not damaged");
    if (cut->kept.sequence == 0)
        return error_set(
            e, ERROR_FORMAT,
            "nothing of the log is left that could be used without a checkpoint: restore a backup (%.200s)",
            cut->damage.text);
    if (store_position_compare(cut->kept, next) >= 0) return 0;
    return error_set(e, ERROR_FORMAT,
                     "the log is intact up to batch %llu, but the checkpoint holds some rows of batch %llu already: "
                     "cut there, rows of two times would be mixed; "
                     "restore a backup",
                     (unsigned long long)cut->kept.sequence, (unsigned long long)next.sequence);
}

int store_find_cut(const char *dir, struct store_position at, struct store_position next, struct store_cut *out,
                   struct error *e)
{
    char log[4096];
    struct error own;
    if (!e) e = &own;
    *out = (struct store_cut){0};
    int rc = log_path(dir, log, e);
    if (rc) return rc;
    struct wal_scan scan = {.dir = log, .calls = &wal_calls_system, .checkpoint = at};
    rc = scan_what_is_sound(&scan, out, e);
    if (!rc) {
        bool useful = scan.end && store_position_compare(scan.report.last, at) >= 0;
        out->kept = useful ? scan.report.last : at;
        out->segment = useful ? scan.end->number : 0;
        out->offset = useful ? scan.end_at : 0;
    }
    wal_segment_free_all(scan.segments, scan.calls);
    if (!rc) rc = check_kept(out, next, e);
    return rc || access(log, F_OK) ? rc : find_loss(log, out, e);
}
