#include "store/checkpoint.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/memory.h"

#define ROW_BYTES ((size_t)1 << 10) /* of values, on the average of a transaction: longer ones fill it sooner */
#define RETRY_S           1

struct checkpoint {
    struct checkpoint_options o;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock;
    pthread_cond_t changed;         /* for the thread: work, a durable position, the end */
    pthread_cond_t settled;         /* for who waits: done, or stuck */
    const struct generation *work;  /* locked; NULL: none */
    struct disk_state begin;        /* locked: what LMDB has before */
    bool stopping, stuck, for_good; /* locked */
    struct error error;             /* locked; of the last failure */

    atomic_bool done, failing;
    atomic_bool waits_for_log; /* else nobody need wake it when the log moves, which in `always` is with each sync */
    _Atomic uint64_t commits, last_ms;
    _Atomic size_t rows_max; /* of a transaction */

    /* The thread's: what LMDB has, rows of one prefix, and those of the transaction being gathered. */
    struct disk_state state;
    struct row **group, **batch;
    size_t group_cap, batch_count, batch_bytes;
};

struct checkpoint *checkpoint_new(const struct checkpoint_options *options)
{
    struct checkpoint *c = memory_zeroed(1, sizeof *c);
    c->o = *options;
    c->batch = memory_resize(NULL, c->o.rows_max * sizeof *c->batch);
    atomic_init(&c->done, true);
    atomic_init(&c->rows_max, c->o.rows_max);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &monotonic);
    pthread_cond_init(&c->settled, NULL);
    pthread_condattr_destroy(&monotonic);
    return c;
}

/* ---- the thread ---- */

/* Waits for a change, at most a retry's time if `timed`. Locked. */
static void wait_for_change(struct checkpoint *c, bool timed)
{
    if (!timed) {
        pthread_cond_wait(&c->changed, &c->lock);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RETRY_S;
    while (!c->stopping && pthread_cond_timedwait(&c->changed, &c->lock, &until) == 0) continue;
}

/* Whether the log is durable and committed so far that rows up to `to` may be written. False: stopping, or it never will be. */
static bool wait_for_log(struct checkpoint *c, uint64_t to)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->waits_for_log, true); /* before looking: who moves the log looks here after that */
    bool ready;
    while (!(ready = c->o.may_write(c->o.user) >= to) && !c->stopping) {
        if (c->o.log_failed(c->o.user)) {
            c->stuck = c->for_good = true;
            error_set(&c->error, ERROR_IO, "the log has failed");
            pthread_cond_broadcast(&c->settled);
        }
        wait_for_change(c, false);
    }
    atomic_store(&c->waits_for_log, false);
    bool go_on = ready && !c->stopping;
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

static void note_commit(struct checkpoint *c)
{
    atomic_fetch_add(&c->commits, 1);
    if (atomic_exchange(&c->failing, false)) {
        pthread_mutex_lock(&c->lock);
        c->stuck = false;
        pthread_mutex_unlock(&c->lock);
        log_info("the checkpoint goes on", "");
    }
    c->o.moved(c->o.user);
}

/* Says why a commit failed and waits before the next try. False: there will be none. */
static bool note_failure(struct checkpoint *c, const struct error *e)
{
    pthread_mutex_lock(&c->lock);
    if (!atomic_exchange(&c->failing, true))
        log_error("the checkpoint cannot write: the log is kept meanwhile", "error=%s", log_quote(e->text));
    c->error = *e;
    c->stuck = true;
    c->for_good = e->code == ERROR_FORMAT;
    pthread_cond_broadcast(&c->settled);
    pthread_mutex_unlock(&c->lock);
    c->o.moved(c->o.user);
    pthread_mutex_lock(&c->lock);
    while (c->for_good && !c->stopping) wait_for_change(c, false);
    if (!c->stopping) wait_for_change(c, true);
    bool again = !c->stopping;
    pthread_mutex_unlock(&c->lock);
    return again;
}

static bool goes_on(struct checkpoint *c)
{
    pthread_mutex_lock(&c->lock);
    bool go_on = !c->stopping;
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

/* One transaction, however often it takes; of the rows gathered those that are written are taken away. False: stopping. */
static bool commit_some(struct checkpoint *c, const struct generation *g, bool last)
{
    struct disk_changes changes = {c->batch, c->batch_count, &g->drops, last, atomic_load(&c->rows_max)};
    struct error e;
    size_t written;
    while (disk_write(c->o.disk, &changes, &c->state, &written, &e)) {
        if (!note_failure(c, &e)) return false;
    }
    c->batch_count -= written;
    memmove(c->batch, c->batch + written, c->batch_count * sizeof *c->batch);
    if (c->state.at == c->state.next) return true; /* told by finish() */
    note_commit(c);
    return goes_on(c);
}

/* Writes what was gathered; `last`: nothing follows. False: stopping. */
static bool commit(struct checkpoint *c, const struct generation *g, bool last)
{
    do {
        if (!commit_some(c, g, last)) return false;
    } while (c->batch_count || (last && c->state.at != c->state.next));
    c->batch_bytes = 0;
    return true;
}

/* The rows of a prefix that were not dropped, sorted. Returns how many. */
static size_t gather(struct checkpoint *c, const struct generation *g, unsigned prefix)
{
    size_t count = 0;
    for (struct row *r = generation_first(g, prefix); r; r = generation_next(g, r)) {
        if (r->sequence < drop_sequence(&g->drops, row_key(r))) continue;
        if (count == c->group_cap) {
            c->group_cap = c->group_cap ? 2 * c->group_cap : 256;
            c->group = memory_resize(c->group, c->group_cap * sizeof *c->group);
        }
        c->group[count++] = r;
    }
    row_sort(c->group, count);
    return count;
}

/* False: stopping. */
static bool write_generation(struct checkpoint *c, const struct generation *g)
{
    for (unsigned prefix = 0; (prefix = generation_next_prefix(g, prefix)) < GENERATION_PREFIXES; prefix++) {
        size_t count = gather(c, g, prefix);
        for (size_t i = 0; i < count; i++) {
            size_t rows_max = atomic_load(&c->rows_max);
            bool full = c->batch_count >= rows_max || c->batch_bytes > rows_max * ROW_BYTES;
            if (full && !commit(c, g, false)) return false;
            c->batch[c->batch_count++] = c->group[i];
            c->batch_bytes += c->group[i]->value_len;
        }
    }
    return commit(c, g, true);
}

static void finish(struct checkpoint *c, uint64_t began_ms)
{
    pthread_mutex_lock(&c->lock);
    c->work = NULL;
    atomic_store(&c->last_ms, clock_monotonic_ms() - began_ms);
    atomic_store(&c->done, true);
    pthread_cond_broadcast(&c->settled);
    pthread_mutex_unlock(&c->lock);
    note_commit(c);
}

static void *run(void *arg)
{
    struct checkpoint *c = arg;
    log_set_thread("checkpoint");
    for (;;) {
        pthread_mutex_lock(&c->lock);
        while (!c->work && !c->stopping) wait_for_change(c, false);
        const struct generation *g = c->work;
        c->state = c->begin;
        bool stopping = c->stopping;
        pthread_mutex_unlock(&c->lock);
        uint64_t began_ms = clock_monotonic_ms();
        c->batch_count = c->batch_bytes = 0;
        if (stopping || !wait_for_log(c, c->state.next) || !write_generation(c, g)) return NULL;
        finish(c, began_ms);
    }
}

/* Signals are for the thread that has a loop. */
int checkpoint_start(struct checkpoint *c, struct error *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&c->thread, NULL, run, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc) return error_system(e, ERROR_IO, rc, "cannot start the checkpoint's thread");
    c->started = true;
    return 0;
}

void checkpoint_stop(struct checkpoint *c)
{
    if (!c || !c->started) return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    c->started = false;
}

void checkpoint_free(struct checkpoint *c)
{
    if (!c) return;
    pthread_cond_destroy(&c->changed);
    pthread_cond_destroy(&c->settled);
    pthread_mutex_destroy(&c->lock);
    free(c->group);
    free(c->batch);
    free(c);
}

/* ---- other threads ---- */

void checkpoint_poke(struct checkpoint *c)
{
    if (!atomic_load(&c->waits_for_log)) return;
    pthread_mutex_lock(&c->lock);
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void checkpoint_begin(struct checkpoint *c, const struct generation *g, const struct disk_state *from)
{
    pthread_mutex_lock(&c->lock);
    c->work = g;
    c->begin = *from;
    atomic_store(&c->done, false);
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void checkpoint_set_rows_max(struct checkpoint *c, size_t rows)
{
    assert(rows > 0 && rows <= c->o.rows_max);
    atomic_store(&c->rows_max, rows);
}

bool checkpoint_is_done(const struct checkpoint *c)
{
    return atomic_load(&c->done);
}

bool checkpoint_wait(struct checkpoint *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->work && !c->stuck) pthread_cond_wait(&c->settled, &c->lock);
    bool done = !c->work;
    pthread_mutex_unlock(&c->lock);
    return done;
}

uint64_t checkpoint_commits(const struct checkpoint *c)
{
    return atomic_load(&c->commits);
}

bool checkpoint_is_stuck(struct checkpoint *c, bool *for_good, struct error *e)
{
    pthread_mutex_lock(&c->lock);
    bool stuck = c->stuck;
    if (stuck && for_good) *for_good = c->for_good;
    if (stuck && e) *e = c->error;
    pthread_mutex_unlock(&c->lock);
    return stuck;
}

uint64_t checkpoint_last_ms(const struct checkpoint *c)
{
    return atomic_load(&c->last_ms);
}
