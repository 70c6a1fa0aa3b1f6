#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/wal_io.h"
#include "store/wal_state.h"

#define SECOND_US 1000000u

/* Up to where a sync would go now: everything, or what is in segments that are full. */
static struct wal_mark target_of(const struct wal *w, bool everything)
{
    if (everything || !w->current) return w->written;
    return (struct wal_mark){w->current->header.base, w->current->header.start};
}

static bool is_due(struct wal *w)
{
    if (w->syncing) return false;
    if (w->mode == WAL_EVERYSEC && clock_monotonic_us() < w->sync_at_us) return false;
    if (w->mode == WAL_EVERYSEC) w->sync_at_us = clock_monotonic_us() + SECOND_US;
    return target_of(w, w->mode != WAL_NO).offset > w->synced.offset;
}

/* Syncs the segments that hold anything between `from` and `to`, in order. What it reads of them no longer changes. */
static int sync_segments(struct wal *w, const struct wal_segment *first, const struct wal_segment *last, uint64_t from,
                         uint64_t to, struct error *e)
{
    for (const struct wal_segment *s = first;; s = s->next) {
        bool has_some = s == last ? s->header.start < to : s->next->header.start > from;
        int rc = has_some ? wal_io_sync(w->calls, s->fd) : 0;
        if (rc) {
            char *path = wal_segment_path(w->dir, s->number);
            error_system(e, ERROR_IO, rc, "%s: syncing", path);
            free(path);
            return e->code;
        }
        if (s == last) return 0;
    }
}

/* Locked, but not while it syncs: meanwhile the next group gathers. Segments that hold what is not synced are not recycled, so the list from the
 * first of them on stays as it is. */
static void sync_now(struct wal *w, bool everything)
{
    struct wal_mark target = target_of(w, everything);
    const struct wal_segment *first = w->first, *last = w->current;
    uint64_t from = w->synced.offset, began_us = clock_monotonic_us();
    struct error e;
    while (first != last && first->next->header.start <= from) first = first->next;
    w->syncing = true;
    pthread_mutex_unlock(&w->lock);
    int rc = sync_segments(w, first, last, from, target.offset, &e);
    uint64_t took_us = clock_monotonic_us() - began_us;
    pthread_mutex_lock(&w->lock);
    w->syncing = false;
    if (rc) {
        wal_fail(w, &e);
        return;
    }
    w->synced = target;
    wal_cell_set(&w->durable_cell, target.position);
    struct wal_statistics *t = &w->statistics;
    t->syncs++;
    t->sync_us_last = took_us;
    if (took_us > t->sync_us_max) t->sync_us_max = took_us;
}

uint64_t wal_sync(struct wal *w)
{
    uint64_t took_us = 0;
    pthread_mutex_lock(&w->lock);
    if (w->mode == WAL_ALWAYS && !w->failed && !w->syncing && !w->unnamed && w->written.offset > w->synced.offset) {
        sync_now(w, true);
        w->statistics.syncs_by_owner += !w->failed;
        if (!w->failed) took_us = w->statistics.sync_us_last ? w->statistics.sync_us_last : 1;
    }
    pthread_mutex_unlock(&w->lock);
    return took_us;
}

static void tell(struct wal *w)
{
    pthread_mutex_unlock(&w->lock);
    if (w->options.on_durable) w->options.on_durable(w->options.user);
    pthread_mutex_lock(&w->lock);
}

static void wait(struct wal *w)
{
    uint64_t until_us = UINT64_MAX;
    if (w->mode == WAL_EVERYSEC) until_us = w->sync_at_us;
    if (w->retry_at_us && w->retry_at_us < until_us) until_us = w->retry_at_us;
    if (until_us == UINT64_MAX) {
        pthread_cond_wait(&w->wake, &w->lock);
        return;
    }
    struct timespec until = {(time_t)(until_us / SECOND_US), (long)(until_us % SECOND_US * 1000)};
    pthread_cond_timedwait(&w->wake, &w->lock, &until);
}

/* What on_durable tells of. */
struct news {
    uint64_t synced, gained;
    bool full, failed;
};

static struct news news_of(const struct wal *w)
{
    return (struct news){w->synced.offset, w->gained, w->full, w->failed};
}

static bool is_news(struct news a, struct news b)
{
    return a.synced != b.synced || a.gained != b.gained || a.full != b.full || a.failed != b.failed;
}

void *wal_sync_run(void *wal)
{
    struct wal *w = wal;
    log_set_thread("log");
    pthread_mutex_lock(&w->lock);
    struct news told = news_of(w);
    while (!w->stopping && !w->failed) {
        bool busy = is_due(w);
        if (busy) sync_now(w, w->mode != WAL_NO);
        /* Also while there is always something to sync: segments must not run out. But replies first. */
        struct news now = news_of(w);
        bool tell_now = is_news(told, now);
        told = now;
        if (tell_now) tell(w);
        if (!w->failed && wal_reserve_step(w)) busy = true;
        if (!busy && !tell_now && !w->stopping && !w->failed) wait(w);
    }
    if (!w->failed && w->written.offset > w->synced.offset) sync_now(w, true);
    if (is_news(told, news_of(w))) tell(w);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}
