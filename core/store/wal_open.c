/* Opening and closing: what a crash left is cut off, what was found is made durable, and only then does anything new
 * happen. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <sys/stat.h>

#include "store/memory.h"
#include "store/wal_io.h"
#include "store/wal_scan.h"
#include "store/wal_state.h"
#include "store/wal_truncate.h"

#define PAGE 4096u

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(memory_resize(NULL, size), text, size);
}

static int sync_parent(const struct wal *w, struct error *e)
{
    char *copy = copy_text(w->dir);
    int fd, rc = wal_io_open(w->calls, dirname(copy), O_RDONLY | O_DIRECTORY, &fd);
    if (!rc) {
        rc = wal_io_sync_dir(w->calls, fd);
        w->calls->close(w->calls->user, fd);
    }
    free(copy);
    return rc ? error_system(e, ERROR_IO, rc, "%s: syncing the directory it is in", w->dir) : 0;
}

static int open_dir(struct wal *w, struct error *e)
{
    if (mkdir(w->dir, 0700) < 0) {
        if (errno != EEXIST) return error_system(e, ERROR_IO, errno, "%s", w->dir);
    } else {
        int rc = sync_parent(w, e);
        if (rc) return rc;
    }
    int rc = wal_io_open(w->calls, w->dir, O_RDONLY | O_DIRECTORY, &w->dir_fd);
    return rc ? error_system(e, ERROR_IO, rc, "%s", w->dir) : 0;
}

static int name_error(const struct wal *w, const struct wal_segment *s, int rc, const char *doing, struct error *e)
{
    if (!rc) return 0;
    char *path = wal_segment_path(w->dir, s->number);
    rc = error_system(e, ERROR_IO, rc, "%s: %s", path, doing);
    free(path);
    return rc;
}

/* Overwrites the remains behind the end. Were this interrupted, the next opening would find the same end: nothing shows that they had been
 * synced, or there is an intention to cut them off. */
static int cut(struct wal *w, struct wal_scan *scan, struct error *e)
{
    bool behind = scan->end == NULL;
    for (struct wal_segment *s = scan->segments; s; s = s->next) {
        size_t from = behind ? 0 : scan->end_at;
        if ((behind || s == scan->end) && s->extent > from) {
            int rc = wal_io_zero(w->calls, s->fd, from, s->extent);
            if (!rc) rc = wal_io_sync(w->calls, s->fd);
            if (rc) return name_error(w, s, rc, "cutting off the remains of a crash", e);
        }
        if (behind) s->begun = false;
        if (s == scan->end) behind = true;
    }
    return 0;
}

/* What was replayed may only have been in the kernel's memory. */
static int sync_all(struct wal *w, struct error *e)
{
    for (struct wal_segment *s = w->first; s && s->begun; s = s->next) {
        int rc = wal_io_sync(w->calls, s->fd);
        if (rc) return name_error(w, s, rc, "syncing", e);
    }
    int rc = wal_io_sync_dir(w->calls, w->dir_fd);
    return rc ? error_system(e, ERROR_IO, rc, "%s: syncing the directory", w->dir) : 0;
}

/* An interrupted cut may have left segments whose headers are gone, but not from the disk yet. */
static int sync_unused(struct wal *w, const struct wal_scan *scan, struct error *e)
{
    for (struct wal_segment *s = scan->end ? scan->end->next : NULL; s; s = s->next) {
        int rc = wal_io_sync(w->calls, s->fd);
        if (rc) return name_error(w, s, rc, "syncing", e);
    }
    return 0;
}

static int remove_from(struct wal *w, struct wal_segment *first, struct error *e)
{
    int rc = 0;
    for (struct wal_segment *s = first, *next; s; s = next) {
        next = s->next;
        char *path = wal_segment_path(w->dir, s->number);
        int failed = rc ? 0 : wal_io_unlink(w->calls, path);
        if (failed) rc = error_system(e, ERROR_IO, failed, "%s: removing", path);
        free(path);
        wal_segment_free(s, w->calls);
    }
    return rc;
}

/* Keeps what is as a ready segment must be, removes the rest. */
static int take_over_ready(struct wal *w, struct error *e)
{
    struct wal_segment **link = w->current ? &w->current->next : &w->first;
    for (; *link; link = &(*link)->next) {
        struct wal_segment *s = *link;
        if (s->size != w->options.segment_size || (w->tail && s->number != w->tail->number + 1)) break;
        w->tail = s;
        w->ready++;
        w->statistics.bytes_on_disk += s->size;
    }
    struct wal_segment *unusable = *link;
    *link = NULL;
    return remove_from(w, unusable, e);
}

static int remove_unfinished(struct wal *w, struct error *e)
{
    char *path = wal_segment_making_path(w->dir);
    int rc = wal_io_unlink(w->calls, path);
    rc = rc && rc != ENOENT ? error_system(e, ERROR_IO, rc, "%s: removing", path) : 0;
    free(path);
    return rc;
}

static void take_over(struct wal *w, const struct wal_scan *scan)
{
    w->current = w->tail = scan->end;
    w->at = scan->end_at;
    w->last = scan->report.last;
    w->written = w->synced = (struct wal_mark){w->last, scan->end_offset};
    w->checkpoint = scan->checkpoint;
    if (w->current) w->seed = wal_seed(&w->current->header);
    for (struct wal_segment *s = w->first; s && s->begun; s = s->next) {
        w->statistics.segments++;
        w->statistics.bytes_on_disk += s->size;
    }
    wal_cell_set(&w->written_cell, w->last);
    wal_cell_set(&w->durable_cell, w->last);
}

/* Where the log is to be cut off: where that was intended when a crash came, or where it is asked for now. */
static int find_cut(const struct wal *w, struct wal_scan *scan, struct store_position *intended, struct error *e)
{
    struct store_position asked = w->options.truncate_to;
    int rc = wal_truncate_read(w->dir, w->calls, intended, e);
    if (rc) return rc;
    scan->until = asked.sequence ? asked : *intended;
    if (!asked.sequence) return 0;
    if (asked.sequence < scan->checkpoint.sequence)
        return error_set(e, ERROR_NOT_FOUND, "the log in %s cannot be cut off behind batch %llu: the checkpoint holds batch %llu", w->dir,
                         (unsigned long long)asked.sequence, (unsigned long long)scan->checkpoint.sequence);
    if (intended->sequence && asked.sequence > intended->sequence)
        return error_set(e, ERROR_NOT_FOUND, "the log in %s cannot be cut off behind batch %llu: it was cut off behind batch %llu", w->dir,
                         (unsigned long long)asked.sequence, (unsigned long long)intended->sequence);
    return 0;
}

/* What is behind the end goes, durably. What stays must be on disk before the intention is: else that could not be carried out after a loss of
 * power. */
static int cut_durably(struct wal *w, struct wal_scan *scan, struct store_position intended, struct error *e)
{
    bool truncates = scan->until.sequence && scan->remains;
    int rc = 0;
    if (truncates && store_position_compare(intended, scan->until) != 0) {
        rc = sync_all(w, e);
        if (!rc) rc = wal_truncate_write(w->dir, w->dir_fd, w->calls, scan->until, e);
    }
    if (!rc) rc = cut(w, scan, e);
    if (!rc) rc = sync_all(w, e);
    if (!truncates && !intended.sequence) return rc;
    if (!rc) rc = sync_unused(w, scan, e);
    if (!rc) rc = wal_truncate_remove(w->dir, w->dir_fd, w->calls, e);
    return rc;
}

static int recover(struct wal *w, struct wal_scan *scan, struct error *e)
{
    struct store_position intended;
    int rc = open_dir(w, e);
    if (!rc) rc = find_cut(w, scan, &intended, e);
    if (!rc) rc = remove_unfinished(w, e);
    if (!rc) rc = wal_segment_list(w->dir, w->calls, O_RDWR, &w->first, e);
    scan->segments = w->first;
    if (!rc) rc = wal_scan_run(scan, e);
    if (!rc) rc = cut_durably(w, scan, intended, e);
    if (rc) return rc;
    take_over(w, scan);
    return take_over_ready(w, e);
}

static struct wal *wal_new(const struct wal_options *options)
{
    struct wal *w = memory_zeroed(1, sizeof *w);
    pthread_condattr_t monotonic;
    w->options = *options;
    w->options.segment_size = (options->segment_size + PAGE - 1) / PAGE * PAGE;
    if (!w->options.segment_size) w->options.segment_size = PAGE;
    if (!w->options.reserve) w->options.reserve = 1;
    w->calls = options->calls ? options->calls : &wal_calls_system;
    w->mode = options->mode;
    w->dir = copy_text(options->dir);
    w->dir_fd = w->making.fd = -1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return w;
}

static void wal_free(struct wal *w)
{
    wal_reserve_release(w);
    wal_segment_free_all(w->first, w->calls);
    if (w->dir_fd >= 0) w->calls->close(w->calls->user, w->dir_fd);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->parts);
    free(w->dir);
    free(w);
}

/* Signals are for the thread that has a loop. */
static int start_without_signals(struct wal *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&w->thread, NULL, wal_sync_run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int wal_open(const struct wal_options *options, struct store_position checkpoint, wal_replay replay, void *user,
             struct wal **out, struct wal_report *report, struct error *e)
{
    struct wal *w = wal_new(options);
    struct wal_scan scan = {.dir = w->dir, .calls = w->calls, .checkpoint = checkpoint, .replay = replay, .user = user};
    struct error own;
    if (!e) e = &own;
    int rc = recover(w, &scan, e);
    if (report) *report = scan.report;
    if (!rc) {
        pthread_mutex_lock(&w->lock);
        wal_reserve_first(w); /* so that there is room from the beginning, if there is any */
        if (w->failed) {
            *e = w->failure;
            rc = e->code;
        }
        pthread_mutex_unlock(&w->lock);
    }
    if (!rc) {
        rc = start_without_signals(w);
        if (rc) rc = error_system(e, ERROR_IO, rc, "cannot start the log's thread");
    }
    if (rc) {
        wal_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void wal_close(struct wal *w)
{
    assert(!w->readers);
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    wal_free(w);
}
