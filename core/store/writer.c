#include "store/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/log.h"
#include "store/memory.h"

struct turns {
    struct turn *first, **last;
};

struct writer {
    struct disk *disk;
    void (*on_durable)(void *user);
    void *user;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t handed_over;
    struct turns queue, done; /* locked */
    bool stopping;            /* locked */
    struct error error;       /* locked */

    _Atomic uint64_t durable_sequence, durable_bytes, syncs;
    atomic_bool failed;

    struct row **rows; /* the thread's: what it sorts */
    size_t rows_cap;
};

static void turns_init(struct turns *t)
{
    t->first = NULL;
    t->last = &t->first;
}

static void turns_append(struct turns *t, struct turn *first, struct turn *last)
{
    *t->last = first;
    t->last = &last->next;
}

static struct turn *turns_take(struct turns *t)
{
    struct turn *first = t->first;
    turns_init(t);
    return first;
}

/* The rows of the turns in key order, of each key the newest version only. Returns how many. */
static size_t gather(struct writer *w, const struct turn *first)
{
    size_t total = 0, count = 0, kept = 0;
    for (const struct turn *t = first; t; t = t->next) total += t->count;
    if (total > w->rows_cap) {
        w->rows = memory_resize(w->rows, total * sizeof(struct row *));
        w->rows_cap = total;
    }
    for (const struct turn *t = first; t; count += t->count, t = t->next)
        memcpy(w->rows + count, t->rows, t->count * sizeof(struct row *));
    row_sort(w->rows, total);
    for (size_t i = 0; i < total; i++) {
        bool newest = i + 1 == total || !bytes_equal(row_key(w->rows[i]), row_key(w->rows[i + 1]));
        if (newest) w->rows[kept++] = w->rows[i];
    }
    return kept;
}

/* Waits for turns. NULL: there will be none any more. */
static struct turn *wait_for_turns(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->queue.first && !w->stopping) pthread_cond_wait(&w->handed_over, &w->lock);
    struct turn *first = turns_take(&w->queue);
    pthread_mutex_unlock(&w->lock);
    return first;
}

static void finish(struct writer *w, struct turn *first, struct turn *last, size_t size_bytes)
{
    pthread_mutex_lock(&w->lock);
    uint64_t sequence = last->sequence; /* read before the owner may free it */
    turns_append(&w->done, first, last);
    atomic_store(&w->durable_sequence, sequence);
    atomic_fetch_add(&w->durable_bytes, size_bytes);
    atomic_fetch_add(&w->syncs, 1);
    pthread_mutex_unlock(&w->lock);
}

static void give_up(struct writer *w, struct turn *first, struct turn *last, const struct error *e)
{
    log_error("the store cannot write any more", "error=%s", log_quote(e->text));
    pthread_mutex_lock(&w->lock);
    w->error = *e;
    last->next = w->queue.first;
    if (!w->queue.first) w->queue.last = &last->next;
    w->queue.first = first;
    atomic_store(&w->failed, true);
    pthread_mutex_unlock(&w->lock);
}

static void *run(void *arg)
{
    struct writer *w = arg;
    log_set_thread("store");
    for (struct turn *first, *last; (first = wait_for_turns(w));) {
        size_t size_bytes = 0;
        for (struct turn *t = last = first; t; t = t->next) {
            size_bytes += t->size_bytes;
            last = t;
        }
        struct error e;
        size_t count = gather(w, first);
        bool written = disk_write(w->disk, w->rows, count, last->sequence, &e) == 0;
        if (written)
            finish(w, first, last, size_bytes);
        else
            give_up(w, first, last, &e);
        w->on_durable(w->user);
        if (!written) break;
    }
    return NULL;
}

/* Signals are for the thread that has a loop. */
static int start_without_signals(struct writer *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

struct writer *writer_start(struct disk *disk, uint64_t sequence, void (*on_durable)(void *user), void *user,
                            struct error *e)
{
    struct writer *w = memory_zeroed(1, sizeof *w);
    w->disk = disk;
    w->on_durable = on_durable;
    w->user = user;
    turns_init(&w->queue);
    turns_init(&w->done);
    atomic_init(&w->durable_sequence, sequence);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->handed_over, NULL);
    int rc = start_without_signals(w);
    if (!rc) return w;
    error_system(e, ERROR_IO, rc, "cannot start the store's thread");
    free(w);
    return NULL;
}

void writer_stop(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->handed_over);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    turn_free_all(w->queue.first);
    turn_free_all(w->done.first);
    pthread_cond_destroy(&w->handed_over);
    pthread_mutex_destroy(&w->lock);
    free(w->rows);
    free(w);
}

void writer_hand_over(struct writer *w, struct turn *t)
{
    pthread_mutex_lock(&w->lock);
    turns_append(&w->queue, t, t);
    pthread_cond_signal(&w->handed_over);
    pthread_mutex_unlock(&w->lock);
}

struct turn *writer_take_done(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    struct turn *first = turns_take(&w->done);
    pthread_mutex_unlock(&w->lock);
    return first;
}

uint64_t writer_durable_sequence(const struct writer *w)
{
    return atomic_load(&w->durable_sequence);
}

uint64_t writer_durable_bytes(const struct writer *w)
{
    return atomic_load(&w->durable_bytes);
}

uint64_t writer_syncs(const struct writer *w)
{
    return atomic_load(&w->syncs);
}

bool writer_failed(struct writer *w, struct error *e)
{
    if (!atomic_load(&w->failed)) return false;
    if (e) {
        pthread_mutex_lock(&w->lock);
        *e = w->error;
        pthread_mutex_unlock(&w->lock);
    }
    return true;
}
