/* The reserve: segments made, or recycled, before they are needed. Whatever goes wrong with one that is not in use
 * harms no record: it is thrown away and tried again a second later. Only a directory that cannot be synced is final,
 * since nobody can say what is in it then. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/wal_io.h"
#include "store/wal_reader.h"
#include "store/wal_state.h"

#define RETRY_US  1000000u
#define SPARE_MAX 8u /* so many are kept of what a checkpoint sets free; the rest goes back to the file system */
#define PAGE      ((size_t)4096)
/* How much is zero-written and synced between two looks at what else is to sync: replies wait that long in `always`. */
#define STEP       ((size_t)4 << 20)
#define STEP_SHORT ((size_t)256 << 10)

static void wait_for_space(struct wal *w, const struct error *e)
{
    if (!w->full) log_warn("no room for the log", "error=%s", log_quote(e->text));
    w->full = true;
    w->fullness = *e;
    w->retry_at_us = clock_monotonic_us() + RETRY_US;
}

static bool can_use(const struct wal *w, const struct wal_segment *s, size_t len)
{
    return s && wal_record_size(len) <= s->size - WAL_BEGIN &&
           (s != w->current || wal_record_size(len) <= s->size - w->at);
}

bool wal_room_locked(const struct wal *w, size_t len)
{
    return can_use(w, w->current, len) || can_use(w, wal_next_segment(w), len);
}

struct wal_segment *wal_next_segment(const struct wal *w)
{
    return w->current ? w->current->next : w->first;
}

/* The size of the segment that should be made now; 0: none. */
static size_t lacking(struct wal *w)
{
    if (w->wanted && wal_room_locked(w, w->wanted)) w->wanted = 0;
    if (w->wanted > w->options.segment_size - WAL_BEGIN - WAL_HEADER)
        return (WAL_BEGIN + wal_record_size(w->wanted) + WAL_MARK + PAGE - 1) & ~(PAGE - 1);
    return w->ready < w->options.reserve ? w->options.segment_size : 0;
}

static void dir_failed(struct wal *w, int rc)
{
    struct error e;
    error_system(&e, ERROR_IO, rc, "%s: syncing the directory", w->dir);
    wal_fail(w, &e);
}

static void forget_oldest(struct wal *w, struct wal_segment *s, bool keep, uint64_t number)
{
    w->first = s->next;
    s->next = NULL;
    w->statistics.segments--;
    w->statistics.bytes_on_disk -= keep ? 0 : s->size;
    if (!keep) {
        wal_segment_free(s, w->calls);
        return;
    }
    s->number = number;
    s->begun = false;
    w->tail->next = s;
    w->tail = s;
    w->ready++;
    w->gained++;
}

/* Whether all in a segment is in the checkpoint. The one after it must be on disk, header and all: the log would begin there. */
static bool is_needless(const struct wal *w, const struct wal_segment *s)
{
    return w->current && s != w->current && w->synced.offset > s->next->header.start &&
           store_position_compare(s->next->header.base, w->checkpoint) <= 0;
}

size_t wal_kept_locked(const struct wal *w)
{
    size_t kept = 0;
    if (w->current && wal_reader_holds_first(w))
        for (const struct wal_segment *s = w->first; is_needless(w, s); s = s->next) kept += s->size;
    return kept;
}

/* Whether readers keep the first segment, which nobody else needs. They may until they keep too much. */
static bool is_kept(struct wal *w)
{
    size_t kept = wal_kept_locked(w);
    if (kept > w->options.keep_max) wal_reader_give_up_first(w);
    return kept && kept <= w->options.keep_max;
}

/* Gives the oldest segment a new number, or removes it, if nobody needs it any more. */
static bool recycle(struct wal *w)
{
    struct wal_segment *s = w->first;
    if (!w->current || !is_needless(w, s) || is_kept(w)) return false;
    bool keep = s->size == w->options.segment_size &&
                w->ready < (w->options.reserve > SPARE_MAX ? w->options.reserve : SPARE_MAX);
    uint64_t number = w->tail->number + 1;
    struct error e;
    pthread_mutex_unlock(&w->lock);
    char *from = wal_segment_path(w->dir, s->number), *to = wal_segment_path(w->dir, number);
    int rc = keep ? wal_io_rename(w->calls, from, to) : wal_io_unlink(w->calls, from);
    if (rc) error_system(&e, ERROR_IO, rc, "%s: %s", from, keep ? "renaming" : "removing");
    int sync_rc = rc ? 0 : wal_io_sync_dir(w->calls, w->dir_fd);
    free(from);
    free(to);
    pthread_mutex_lock(&w->lock);
    if (rc)
        wait_for_space(w, &e);
    else
        forget_oldest(w, s, keep, number);
    if (sync_rc) dir_failed(w, sync_rc);
    return true;
}

static void discard(struct wal *w, const char *path)
{
    if (w->making.fd < 0) return;
    w->calls->close(w->calls->user, w->making.fd);
    w->making.fd = -1;
    wal_io_unlink(w->calls, path); /* what stays is written over by the next, or removed by wal_open */
}

/* Begins or goes on zero-writing. Not locked. */
static int fill(struct wal *w, size_t size, size_t step, const char *path, struct error *e)
{
    struct wal_making *m = &w->making;
    int rc = 0;
    if (m->fd < 0) {
        rc = wal_io_open(w->calls, path, O_RDWR | O_CREAT | O_TRUNC, &m->fd);
        if (rc) return error_system(e, ERROR_IO, rc, "%s: making a segment of %zu bytes", path, size);
        m->at = 0;
        m->size = size;
    }
    if (size > m->size) m->size = size;
    size_t end = m->size - m->at < step ? m->size : m->at + step;
    rc = wal_io_zero(w->calls, m->fd, m->at, end);
    if (!rc) rc = wal_io_sync(w->calls, m->fd);
    if (rc) {
        discard(w, path);
        return error_system(e, ERROR_IO, rc, "%s: making a segment of %zu bytes", path, m->size);
    }
    m->at = end;
    return 0;
}

/* Puts what was made at the end of the reserve; or, being larger than usual, in the place of the next segment, which
 * must not be begun meanwhile: so that is done locked. Locked; lets go of the lock to sync. */
static void add(struct wal *w, const char *path)
{
    struct wal_segment *place = w->making.size > w->options.segment_size ? wal_next_segment(w) : NULL;
    uint64_t number = place ? place->number : w->tail ? w->tail->number + 1 : 1;
    char *to = wal_segment_path(w->dir, number);
    struct error e;
    if (!place) pthread_mutex_unlock(&w->lock);
    int rc = wal_io_rename(w->calls, path, to);
    if (rc) {
        error_system(&e, ERROR_IO, rc, "%s: renaming to %s", path, to);
        discard(w, path);
    }
    if (!place) pthread_mutex_lock(&w->lock);
    free(to);
    if (rc) {
        wait_for_space(w, &e);
        return;
    }
    struct wal_segment *made = wal_segment_new(number, w->making.fd, w->making.size);
    w->making.fd = -1;
    w->statistics.bytes_on_disk += made->size - (place ? place->size : 0);
    if (place) {
        int old = place->fd;
        place->fd = made->fd;
        place->size = made->size;
        made->fd = old;
        w->unnamed = true;
    }
    pthread_mutex_unlock(&w->lock);
    rc = wal_io_sync_dir(w->calls, w->dir_fd);
    if (place) wal_segment_free(made, w->calls);
    pthread_mutex_lock(&w->lock);
    if (!place) {
        *(w->tail ? &w->tail->next : &w->first) = made;
        w->tail = made;
        w->ready++;
    }
    w->unnamed = false;
    w->gained++;
    if (rc) dir_failed(w, rc);
}

static bool make(struct wal *w)
{
    size_t size = lacking(w), step = w->mode == WAL_ALWAYS ? STEP_SHORT : STEP;
    if (!size && w->making.fd < 0) return false;
    struct error e;
    char *path = wal_segment_making_path(w->dir);
    pthread_mutex_unlock(&w->lock);
    int rc = fill(w, size, step, path, &e);
    pthread_mutex_lock(&w->lock);
    if (rc && wal_kept_locked(w))
        wal_reader_give_up_first(w); /* writes go first: what they held is recycled next */
    else if (rc)
        wait_for_space(w, &e);
    else if (w->making.at == w->making.size)
        add(w, path);
    free(path);
    return true;
}

bool wal_reserve_step(struct wal *w)
{
    if (w->retry_at_us && clock_monotonic_us() < w->retry_at_us) return false;
    w->retry_at_us = 0;
    if (recycle(w) || make(w)) return true;
    if (!w->full) return false;
    w->full = false; /* nothing is lacking any more */
    log_info("there is room for the log again", "");
    return true;
}

void wal_reserve_first(struct wal *w)
{
    while (!w->current && !w->ready && !w->full && !w->failed) wal_reserve_step(w);
}

void wal_reserve_release(struct wal *w)
{
    char *path = wal_segment_making_path(w->dir);
    discard(w, path);
    free(path);
}
