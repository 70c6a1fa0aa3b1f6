#include "store/wal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "store/memory.h"
#include "store/wal_io.h"
#include "store/wal_state.h"

#define CHUNK      ((size_t)256 << 10) /* read at once */
#define CHUNK_KEPT ((size_t)4 << 20)   /* a larger record's memory is given back after it */

struct wal_reader {
    struct wal *wal;
    struct wal_reader *next;     /* locked */
    struct wal_segment *segment; /* locked; NULL: the log has none yet, or `behind` */
    bool behind;                 /* locked */

    struct store_position from, last; /* what was asked for; the end of the record read last */
    bool seeking;                     /* `from` is not reached yet */
    int fd;                           /* its own, of the segment; -1: none */
    struct wal_segment_header header; /* of the segment */
    uint32_t seed;
    size_t at;  /* where the next record begins in the segment */
    size_t end; /* up to where there are records, when last looked */
    uint8_t *data;
    size_t data_at, data_len, data_cap; /* bytes of the segment that were read */
};

/* ---- opening and closing ---- */

static int not_held(const struct wal *w, struct store_position p, const char *why, struct store_position which, struct error *e)
{
    return error_set(e, ERROR_NOT_FOUND, "the log in %s does not hold what comes after %" PRIu64 "/%" PRIu64 ": it %s %" PRIu64 "/%" PRIu64,
                     w->dir, p.epoch, p.sequence, why, which.epoch, which.sequence);
}

/* The segment in which the record after `from` is, or will be. Locked. */
static int find_segment(const struct wal *w, struct store_position from, struct wal_segment **out, struct error *e)
{
    *out = NULL;
    if (from.sequence > w->last.sequence) return not_held(w, from, "ends at", w->last, e);
    if (!w->current) return from.sequence == w->last.sequence ? 0 : not_held(w, from, "begins after", w->last, e);
    for (struct wal_segment *s = w->first; s && s->begun && s->header.base.sequence <= from.sequence; s = s->next) *out = s;
    return *out ? 0 : not_held(w, from, "begins after", w->first->header.base, e);
}

int wal_reader_open(struct wal *w, struct store_position from, struct wal_reader **out, struct error *e)
{
    struct wal_segment *segment;
    pthread_mutex_lock(&w->lock);
    int rc = find_segment(w, from, &segment, e);
    if (!rc) {
        struct wal_reader *r = memory_zeroed(1, sizeof *r);
        *r = (struct wal_reader){.wal = w, .next = w->readers, .segment = segment, .from = from, .seeking = true, .fd = -1};
        w->readers = *out = r;
    }
    pthread_mutex_unlock(&w->lock);
    return rc;
}

static void leave_segment(struct wal_reader *r)
{
    if (r->fd >= 0) r->wal->calls->close(r->wal->calls->user, r->fd);
    r->fd = -1;
}

void wal_reader_close(struct wal_reader *r)
{
    struct wal *w = r->wal;
    pthread_mutex_lock(&w->lock);
    struct wal_reader **link = &w->readers;
    while (*link != r) link = &(*link)->next;
    *link = r->next;
    pthread_cond_signal(&w->wake); /* what it held may be recycled */
    pthread_mutex_unlock(&w->lock);
    leave_segment(r);
    free(r->data);
    free(r);
}

/* ---- what the log has ---- */

static int fell_behind(const struct wal_reader *r, struct error *e)
{
    return error_set(e, ERROR_NOT_FOUND, "the reader of the log in %s at %" PRIu64 "/%" PRIu64 " has fallen behind: the log is kept no longer",
                     r->wal->dir, r->last.epoch, r->last.sequence);
}

/* Takes a file descriptor of its own: one that stays what it is when the segment is given up and recycled. Locked. */
static int enter_segment(struct wal_reader *r, struct wal_segment *s, struct error *e)
{
    leave_segment(r);
    r->fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    if (r->fd < 0) return error_system(e, ERROR_IO, errno, "cannot read the log in %s", r->wal->dir);
    r->segment = s;
    r->header = s->header;
    r->seed = wal_seed(&s->header);
    r->at = WAL_BEGIN;
    r->data_at = r->data_len = 0;
    if (r->last.sequence == 0) r->last = s->header.base;
    return 0;
}

/* Looks how far the segment goes, and goes on to the next one at its end. Locked. */
static int look(struct wal_reader *r, struct error *e)
{
    const struct wal *w = r->wal;
    if (r->behind) return fell_behind(r, e);
    int rc = 0;
    if (r->fd < 0 && w->current) rc = enter_segment(r, r->segment ? r->segment : w->first, e);
    for (;;) {
        if (rc || r->fd < 0) return rc;
        struct wal_segment *s = r->segment;
        r->end = s == w->current ? w->at : (size_t)(s->next->header.start - s->header.start);
        if (r->at < r->end || s == w->current) return 0;
        rc = enter_segment(r, s->next, e);
    }
}

static int look_locked(struct wal_reader *r, struct error *e)
{
    pthread_mutex_lock(&r->wal->lock);
    int rc = look(r, e);
    pthread_mutex_unlock(&r->wal->lock);
    return rc;
}

static int read_error(const struct wal_reader *r, enum error_code code, int errnum, const char *what, struct error *e)
{
    char *path = wal_segment_path(r->wal->dir, r->header.number);
    int rc = errnum ? error_system(e, code, errnum, "%s: offset %zu: %s", path, r->at, what)
                    : error_set(e, code, "%s: offset %zu: %s", path, r->at, what);
    free(path);
    return rc;
}

/* Has at least `need` bytes from r->at on in memory, which the log has. */
static int load(struct wal_reader *r, size_t need, struct error *e)
{
    if (r->at >= r->data_at && r->at + need <= r->data_at + r->data_len) return 0;
    size_t len = r->end - r->at;
    if (len > CHUNK) len = need > CHUNK ? need : CHUNK;
    if (len > r->data_cap || (r->data_cap > CHUNK_KEPT && len <= CHUNK)) {
        r->data_cap = len > CHUNK ? len : CHUNK;
        r->data = memory_resize(r->data, r->data_cap);
    }
    int rc = wal_io_read(r->wal->calls, r->fd, r->data, len, r->at);
    r->data_at = r->at;
    r->data_len = rc ? 0 : len;
    pthread_mutex_lock(&r->wal->lock);
    bool behind = r->behind; /* then it may be another segment's bytes */
    pthread_mutex_unlock(&r->wal->lock);
    if (behind) return fell_behind(r, e);
    return rc ? read_error(r, ERROR_IO, rc, "reading", e) : 0;
}

/* ---- records ---- */

/* The header of the record at r->at, which the log has. Only its own bytes are in memory, so only these are looked at. */
static int read_header(struct wal_reader *r, struct wal_record_header *h, struct error *e)
{
    int rc = load(r, WAL_HEADER, e);
    if (rc) return rc;
    if (!wal_record_header_read(bytes_of(r->data, r->end - r->data_at), r->at - r->data_at, r->seed, h) || !wal_record_follows(h, r->last))
        return read_error(r, ERROR_FORMAT, 0, "the record is damaged", e);
    return 0;
}

/* Goes past the records up to `from`. */
static int seek(struct wal_reader *r, const struct wal_record_header *h, struct error *e)
{
    if (h->last > r->from.sequence)
        return error_set(e, ERROR_NOT_FOUND, "the log in %s cannot be read from %" PRIu64 "/%" PRIu64 " on: batches %" PRIu64 " to %" PRIu64 " are one record",
                         r->wal->dir, r->from.epoch, r->from.sequence, h->first.sequence, h->last);
    r->at += wal_record_size(h->len);
    r->last = (struct store_position){h->first.epoch, h->last};
    return 0;
}

/* Whether `from` is reached; it must be of the epoch that was asked for then. */
static int end_seeking(struct wal_reader *r, struct error *e)
{
    if (r->fd < 0 || r->last.sequence != r->from.sequence) return 0;
    if (r->last.epoch != r->from.epoch) return not_held(r->wal, r->from, "holds", r->last, e);
    r->seeking = false;
    return 0;
}

static int give(struct wal_reader *r, const struct wal_record_header *h, struct store_record *out, struct error *e)
{
    size_t size = wal_record_size(h->len);
    int rc = load(r, size, e);
    if (rc) return rc;
    size_t at = r->at - r->data_at;
    if (!wal_record_is_whole(bytes_of(r->data, r->data_len), at, r->seed, h)) return read_error(r, ERROR_FORMAT, 0, "the record is damaged", e);
    *out = (struct store_record){h->before, h->first, h->last, bytes_of(r->data + at + WAL_HEADER, h->len)};
    r->at += size;
    r->last = (struct store_position){h->first.epoch, h->last};
    return 0;
}

int wal_reader_next(struct wal_reader *r, uint64_t limit, struct store_record *out, struct error *e)
{
    for (;;) {
        struct wal_record_header h;
        int rc = r->fd < 0 || r->at >= r->end ? look_locked(r, e) : 0;
        if (!rc && r->seeking) rc = end_seeking(r, e);
        if (rc || r->fd < 0 || r->at >= r->end) return rc;
        if ((rc = read_header(r, &h, e))) return rc;
        if (!r->seeking) return h.last <= limit ? give(r, &h, out, e) : 0;
        if ((rc = seek(r, &h, e))) return rc;
    }
}

/* ---- recycling ---- */

bool wal_reader_holds_first(const struct wal *w)
{
    for (const struct wal_reader *r = w->readers; r; r = r->next)
        if (!r->behind && (!r->segment || r->segment == w->first)) return true;
    return false;
}

void wal_reader_give_up_first(struct wal *w)
{
    for (struct wal_reader *r = w->readers; r; r = r->next) {
        if (r->behind || (r->segment && r->segment != w->first)) continue;
        r->behind = true;
        r->segment = NULL;
        log_warn("a reader of the log has fallen behind", "segment=%" PRIu64, w->first->number);
    }
}
