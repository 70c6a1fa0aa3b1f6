/* The owner's side: appending, and what any thread may ask. */
#include "store/wal.h"

#include <assert.h>

#include "base/crc.h"
#include "base/log.h"
#include "base/random.h"
#include "store/memory.h"
#include "store/wal_io.h"
#include "store/wal_state.h"

/* Asking changes nothing that a caller can see, but takes a lock. */
static struct wal *lock(const struct wal *w)
{
    struct wal *out = (struct wal *)(uintptr_t)w;
    pthread_mutex_lock(&out->lock);
    return out;
}

static void unlock(struct wal *w)
{
    pthread_mutex_unlock(&w->lock);
}

void wal_cell_set(struct wal_cell *cell, struct store_position p)
{
    uint64_t version = atomic_load(&cell->version);
    atomic_store(&cell->version, version + 1);
    atomic_store(&cell->epoch, p.epoch);
    atomic_store(&cell->sequence, p.sequence);
    atomic_store(&cell->version, version + 2);
}

static struct store_position cell_get(const struct wal_cell *cell)
{
    for (;;) {
        uint64_t version = atomic_load(&cell->version);
        struct store_position p = {atomic_load(&cell->epoch), atomic_load(&cell->sequence)};
        if (version % 2 == 0 && atomic_load(&cell->version) == version) return p;
    }
}

void wal_fail(struct wal *w, const struct error *e)
{
    if (w->failed) return;
    log_error("the log cannot be written any more", "error=%s", log_quote(e->text));
    w->failed = true;
    w->failure = *e;
    pthread_cond_signal(&w->wake);
}

/* Moves on to the next segment, whose header goes out with its first record. Locked. */
static struct wal_segment *begin_segment(struct wal *w)
{
    struct wal_segment *s = wal_next_segment(w);
    uint64_t salt;
    random_bytes(&salt, sizeof salt);
    s->header = (struct wal_segment_header){s->number, salt, w->written.offset, w->last};
    s->begun = true;
    w->current = s;
    w->at = WAL_BEGIN;
    w->ready--;
    w->statistics.segments++;
    w->seed = wal_seed(&s->header);
    return s;
}

int wal_begin(struct wal *w, struct error *e)
{
    uint8_t header[WAL_BEGIN];
    struct wal_segment *s = NULL;
    lock(w);
    assert(!w->current);
    if (w->failed || !w->ready)
        *e = w->failed ? w->failure : w->fullness;
    else
        s = begin_segment(w);
    unlock(w);
    if (!s) return e->code;
    wal_segment_header_write(header, &s->header);
    int rc = wal_io_write(w->calls, s->fd, &(struct iovec){header, WAL_BEGIN}, 1, 0);
    if (!rc) rc = wal_io_sync(w->calls, s->fd);
    if (rc) {
        char *path = wal_segment_path(w->dir, s->number);
        error_system(e, ERROR_IO, rc, "%s: writing its header", path);
        free(path);
        return e->code;
    }
    lock(w);
    w->written.offset = w->synced.offset = s->header.start + WAL_BEGIN;
    unlock(w);
    return 0;
}

static struct iovec *part_list(struct wal *w, size_t count)
{
    if (count > w->parts_cap) {
        w->parts = memory_resize(w->parts, count * sizeof *w->parts);
        w->parts_cap = count;
    }
    return w->parts;
}

/* Puts headers before the parts and zeroes behind them, and writes it all. 0 or errno. */
static int write_record(struct wal *w, const struct wal_segment *s, size_t at, struct wal_record_header *h,
                        const struct iovec *parts, size_t count)
{
    static const uint8_t zeroes[16];
    uint8_t segment_header[WAL_BEGIN], record_header[WAL_HEADER];
    struct iovec *out = part_list(w, count + 3);
    size_t n = 0, size = wal_record_size(h->len), total = 0;
    bool begins = at == WAL_BEGIN;
    if (begins) {
        wal_segment_header_write(segment_header, &s->header);
        out[n++] = (struct iovec){segment_header, WAL_BEGIN};
    }
    out[n++] = (struct iovec){record_header, WAL_HEADER};
    h->body_crc = w->seed;
    for (size_t i = 0; i < count; i++) {
        out[n++] = parts[i];
        h->body_crc = crc32c(h->body_crc, parts[i].iov_base, parts[i].iov_len);
        total += parts[i].iov_len;
    }
    assert(total == h->len);
    wal_record_header_write(record_header, h, w->seed);
    size_t mark = s->size - at - size < WAL_MARK ? 0 : WAL_MARK;
    out[n++] = (struct iovec){(void *)(uintptr_t)zeroes, size - WAL_HEADER - total + mark};
    return wal_io_write(w->calls, s->fd, out, n, begins ? 0 : at);
}

static int append_failed(struct wal *w, const struct wal_segment *s, size_t at, int rc, struct error *e)
{
    struct error why;
    char *path = wal_segment_path(w->dir, s->number);
    error_system(&why, ERROR_IO, rc, "%s: writing at offset %zu", path, at);
    free(path);
    lock(w);
    wal_fail(w, &why);
    why = w->failure;
    unlock(w);
    if (e) *e = why;
    return why.code;
}

int wal_append(struct wal *w, struct store_position first, uint64_t last_sequence, const struct iovec *parts, int count,
               size_t len, struct error *e)
{
    struct wal_record_header h = {.len = len, .first = first, .last = last_sequence, .before = w->last};
    size_t size = wal_record_size(len);
    assert(len > 0 && count > 0 && wal_record_follows(&h, w->last));

    lock(w);
    if (w->failed) {
        struct error why = w->failure;
        unlock(w);
        if (e) *e = why;
        return why.code;
    }
    assert(wal_room_locked(w, len));
    struct wal_segment *s = w->current;
    bool begins = !s || size > s->size - w->at;
    if (begins) s = begin_segment(w);
    size_t at = w->at;
    h.synced = w->synced.offset;
    if (len >= w->wanted) w->wanted = 0; /* this is the one it was for */
    unlock(w);

    int rc = write_record(w, s, at, &h, parts, (size_t)count);
    if (rc) return append_failed(w, s, at, rc, e);

    w->last = (struct store_position){first.epoch, last_sequence};
    lock(w);
    w->at = at + size;
    w->written = (struct wal_mark){w->last, s->header.start + w->at};
    wal_cell_set(&w->written_cell, w->last);
    w->statistics.records++;
    w->statistics.bytes_written += size + (begins ? WAL_BEGIN : 0);
    /* Otherwise the thread wakes by itself, or has nothing to do. */
    if (begins || (w->mode == WAL_ALWAYS && !w->owner_syncs)) pthread_cond_signal(&w->wake);
    unlock(w);
    return 0;
}

void wal_set_owner_syncs(struct wal *w, bool yes)
{
    lock(w);
    w->owner_syncs = yes;
    pthread_cond_signal(&w->wake); /* there may be something that nobody has synced yet */
    unlock(w);
}

bool wal_has_room(const struct wal *w, size_t len)
{
    if (len > (size_t)1 << 48) return false;
    struct wal *m = lock(w);
    bool room = !m->failed && wal_room_locked(m, len);
    if (!room && len > m->wanted) {
        m->wanted = len;
        pthread_cond_signal(&m->wake);
    }
    unlock(m);
    return room;
}

void wal_set_mode(struct wal *w, enum wal_mode mode)
{
    lock(w);
    w->mode = mode;
    pthread_cond_signal(&w->wake);
    unlock(w);
}

enum wal_mode wal_get_mode(const struct wal *w)
{
    struct wal *m = lock(w);
    enum wal_mode mode = m->mode;
    unlock(m);
    return mode;
}

void wal_sync_soon(struct wal *w)
{
    lock(w);
    w->sync_at_us = 0;
    pthread_cond_signal(&w->wake);
    unlock(w);
}

void wal_trim(struct wal *w, struct store_position checkpoint)
{
    lock(w);
    if (store_position_compare(checkpoint, w->checkpoint) > 0) {
        w->checkpoint = checkpoint;
        pthread_cond_signal(&w->wake);
    }
    unlock(w);
}

struct store_position wal_written(const struct wal *w)
{
    return cell_get(&w->written_cell);
}

struct store_position wal_durable(const struct wal *w)
{
    return cell_get(&w->durable_cell);
}

bool wal_failed(const struct wal *w, struct error *e)
{
    struct wal *m = lock(w);
    bool failed = m->failed;
    if (failed && e) *e = m->failure;
    unlock(m);
    return failed;
}

bool wal_full(const struct wal *w, struct error *e)
{
    struct wal *m = lock(w);
    bool full = m->full;
    if (full && e) *e = m->fullness;
    unlock(m);
    return full;
}

void wal_statistics(const struct wal *w, struct wal_statistics *out)
{
    struct wal *m = lock(w);
    *out = m->statistics;
    out->segments_ready = m->ready;
    out->bytes_kept = wal_kept_locked(m);
    unlock(m);
}
