#include "store/cold.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/resource.h>

#include "store/memory.h"

#define THREADS    4       /* a disk serves some reads at once better than one after the other */
#define NEED_LEAST 1024u   /* reads in a row that must not have waited before the owner reads by itself */
#define NEED_MOST  1048576u
#define STAYED     16u     /* times as many reads by itself as were needed: it was right to */

/* Rows that somebody waits for. */
struct job {
    STAILQ_ENTRY(job) next;
    uint64_t token;
    size_t count;
    bool ends_in_entry; /* the last key is an entry of the index of rows that expire */
    size_t taken, left; /* locked: keys given to threads, keys not read yet */
    size_t faults;      /* locked: keys that had to be read from disk */
    struct bytes keys[];
};
STAILQ_HEAD(jobs, job);

struct cold {
    struct cold_options o;
    pthread_t threads[THREADS];
    unsigned started;

    pthread_mutex_t lock;
    pthread_cond_t wanted;
    struct jobs queue, done; /* locked */
    unsigned idle;           /* locked: threads that wait for work */
    bool stopping;           /* locked */
    atomic_bool has_done;

    /* The owner's. */
    struct jobs added, taken;
    size_t added_keys;
    uint64_t begun, finished; /* keys */
    bool suspects;
    uint64_t streak, need; /* reads in a row that did not wait; how many there must be */
    uint64_t reads, faults; /* of its own since it stopped suspecting; its faults as last seen */
};

static uint64_t faults_of_thread(void)
{
    struct rusage u;
    return getrusage(RUSAGE_THREAD, &u) == 0 ? (uint64_t)u.ru_majflt : 0;
}

static const struct cold_calls system_calls = {.faults = faults_of_thread};

struct cold *cold_new(const struct cold_options *options)
{
    struct cold *c = memory_zeroed(1, sizeof *c);
    c->o = *options;
    if (!c->o.calls) c->o.calls = &system_calls;
    c->suspects = c->o.suspects;
    c->need = NEED_LEAST;
    c->faults = c->o.calls->faults();
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wanted, NULL);
    STAILQ_INIT(&c->queue);
    STAILQ_INIT(&c->done);
    STAILQ_INIT(&c->added);
    STAILQ_INIT(&c->taken);
    return c;
}

/* ---- the threads ---- */

/* What one thread reads at a time. */
struct reading {
    struct bytes key;
    bool is_entry;
};

/* Waits for a key to read. Locked. NULL: stopping. */
static struct job *next_key(struct cold *c, struct reading *next)
{
    while (!c->stopping && STAILQ_EMPTY(&c->queue)) {
        c->idle++;
        pthread_cond_wait(&c->wanted, &c->lock);
        c->idle--;
    }
    if (c->stopping) return NULL;
    struct job *j = STAILQ_FIRST(&c->queue);
    next->key = j->keys[j->taken++];
    next->is_entry = j->ends_in_entry && j->taken == j->count;
    if (j->taken == j->count) STAILQ_REMOVE_HEAD(&c->queue, next);
    return j;
}

static bool read_key(const struct cold *c, MDB_txn **txn, const struct reading *r)
{
    const struct cold_calls *calls = c->o.calls;
    if (calls->reading) calls->reading(r->key);
    uint64_t before = calls->faults();
    if (r->is_entry)
        disk_touch_expiry(c->o.disk, txn, r->key);
    else
        disk_touch(c->o.disk, txn, r->key);
    return calls->faults() != before;
}

/* Locked, but not while the owner is told. */
static void end_job(struct cold *c, struct job *j)
{
    bool first = STAILQ_EMPTY(&c->done);
    STAILQ_INSERT_TAIL(&c->done, j, next);
    atomic_store(&c->has_done, true);
    if (!first) return; /* it was told, and has not come yet */
    pthread_mutex_unlock(&c->lock);
    c->o.moved(c->o.user);
    pthread_mutex_lock(&c->lock);
}

static void *run(void *user)
{
    struct cold *c = user;
    MDB_txn *txn = NULL;
    struct reading next;
    struct job *j;
    pthread_mutex_lock(&c->lock);
    while ((j = next_key(c, &next))) {
        pthread_mutex_unlock(&c->lock);
        bool faulted = read_key(c, &txn, &next);
        pthread_mutex_lock(&c->lock);
        j->faults += faulted;
        if (--j->left == 0) end_job(c, j);
    }
    pthread_mutex_unlock(&c->lock);
    if (txn) mdb_txn_abort(txn);
    return NULL;
}

int cold_start(struct cold *c, struct error *e)
{
    sigset_t all, before;
    int rc = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (c->started < THREADS && !(rc = pthread_create(&c->threads[c->started], NULL, run, c))) c->started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? error_system(e, ERROR_IO, rc, "cannot start the threads that read rows") : 0;
}

static void free_jobs(struct jobs *jobs)
{
    struct job *j;
    while ((j = STAILQ_FIRST(jobs))) {
        STAILQ_REMOVE_HEAD(jobs, next);
        free(j);
    }
}

void cold_stop_and_free(struct cold *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->wanted);
    pthread_mutex_unlock(&c->lock);
    while (c->started) pthread_join(c->threads[--c->started], NULL);
    free_jobs(&c->queue);
    free_jobs(&c->done);
    free_jobs(&c->added);
    free_jobs(&c->taken);
    pthread_cond_destroy(&c->wanted);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- the owner ---- */

bool cold_suspects(const struct cold *c)
{
    return c->suspects;
}

void cold_note_read(const struct cold *c, struct bytes key)
{
    if (c && c->o.calls->reading_alone) c->o.calls->reading_alone(key);
}

bool cold_is_busy(const struct cold *c)
{
    return c->begun - c->finished >= COLD_KEYS_MAX / 2;
}

/* `entry` empty: none. */
static bool add(struct cold *c, const struct bytes *keys, size_t rows, struct bytes entry, uint64_t token)
{
    size_t count = rows + (entry.len > 0);
    if (count == 0 || c->begun - c->finished >= COLD_KEYS_MAX) return false;
    size_t bytes = entry.len;
    for (size_t i = 0; i < rows; i++) bytes += keys[i].len;
    struct job *j = memory_resize(NULL, sizeof *j + count * sizeof *j->keys + bytes);
    *j = (struct job){.token = token, .count = count, .ends_in_entry = entry.len > 0, .left = count};
    uint8_t *at = (uint8_t *)&j->keys[count];
    for (size_t i = 0; i < count; i++) {
        struct bytes key = i < rows ? keys[i] : entry;
        memcpy(at, key.data, key.len);
        j->keys[i] = bytes_of(at, key.len);
        at += key.len;
    }
    STAILQ_INSERT_TAIL(&c->added, j, next);
    c->added_keys += count;
    c->begun += count;
    return true;
}

bool cold_add(struct cold *c, const struct bytes *keys, size_t count, uint64_t token)
{
    return add(c, keys, count, bytes_of(NULL, 0), token);
}

bool cold_add_due(struct cold *c, const struct bytes *keys, size_t count, struct bytes entry)
{
    return add(c, keys, count, entry, COLD_DUE);
}

static void send_added(struct cold *c)
{
    pthread_mutex_lock(&c->lock);
    STAILQ_CONCAT(&c->queue, &c->added);
    size_t wake = c->added_keys < c->idle ? c->added_keys : c->idle;
    while (wake--) pthread_cond_signal(&c->wanted);
    pthread_mutex_unlock(&c->lock);
    c->added_keys = 0;
}

/* The owner had to wait for the disk itself. */
static void suspect_again(struct cold *c)
{
    bool stayed = c->reads / STAYED >= c->need;
    c->need = stayed ? NEED_LEAST : c->need < NEED_MOST ? 2 * c->need : NEED_MOST;
    c->suspects = true;
    c->streak = 0;
}

void cold_end_turn(struct cold *c, uint64_t reads)
{
    if (!STAILQ_EMPTY(&c->added)) send_added(c);
    if (!reads || c->suspects) return;
    uint64_t faults = c->o.calls->faults();
    c->reads += reads;
    if (faults != c->faults) suspect_again(c);
    c->faults = faults;
}

static void learn(struct cold *c, const struct job *j)
{
    c->finished += j->count;
    if (!c->suspects) return;
    c->streak = j->faults ? 0 : c->streak + j->count;
    if (c->streak < c->need) return;
    c->suspects = false;
    c->reads = 0;
    c->faults = c->o.calls->faults();
}

bool cold_take(struct cold *c, uint64_t *token)
{
    if (STAILQ_EMPTY(&c->taken) && atomic_load(&c->has_done)) {
        pthread_mutex_lock(&c->lock);
        STAILQ_CONCAT(&c->taken, &c->done);
        atomic_store(&c->has_done, false);
        pthread_mutex_unlock(&c->lock);
    }
    struct job *j = STAILQ_FIRST(&c->taken);
    if (!j) return false;
    STAILQ_REMOVE_HEAD(&c->taken, next);
    learn(c, j);
    *token = j->token;
    free(j);
    return true;
}

void cold_statistics(const struct cold *c, uint64_t *begun, uint64_t *waiting)
{
    *begun = c->begun;
    *waiting = c->begun - c->finished;
}
