/* Batches: rows in memory, and the record that goes to the log at the end of the turn. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/memory.h"
#include "store/store_state.h"

#define SYNC_INLINE_MAX_US   2000 /* a slower sync is for the log's thread, which costs little beside it */
#define SYNC_INLINE_PAUSE_US 1000000

void store_begin(struct store *s)
{
    assert(!s->in_batch && !s->iterators && !s->read_only);
    s->in_batch = true;
    s->batch_is_begun = s->batch_has_rows = false;
}

/* ---- versions ---- */

void store_drop_replaced(struct store *s)
{
    free(s->replaced);
    s->replaced = NULL;
}

/* Gets rid of a version that is no longer found, once nobody can look at it. */
static void discard(struct store *s, struct row *r)
{
    s->rows_memory -= row_memory(r);
    if (!(r->flags & ROW_IN_RECORD)) {
        store_drop_replaced(s);
        s->replaced = r;
        return;
    }
    if (s->held_count == s->held_cap) {
        s->held_cap = s->held_cap ? 2 * s->held_cap : 16;
        s->held = memory_resize(s->held, s->held_cap * sizeof *s->held);
    }
    s->held[s->held_count++] = r;
}

void store_install(struct store *s, uint64_t hash, struct row *r)
{
    store_mark_row(s, r);
    struct row *before = table_put(&s->table, hash, r);
    if (before && !before->deleted && !store_is_dead(s, before)) r->stamp = before->stamp;
    size_t memory = row_memory(r);
    s->rows_memory += memory;
    s->active->memory += memory;
    if (before && before->generation == s->active->id) {
        generation_replace(s->active, before, r);
        s->active->memory -= row_memory(before);
        discard(s, before);
        return;
    }
    generation_add(s->active, r);
    if (!before) return;
    if (before->generation) {
        before->flags |= ROW_SUPERSEDED; /* the frozen generation's */
        return;
    }
    s->clean_rows--;
    s->clean_memory -= row_memory(before);
    discard(s, before);
}

/* ---- changes ---- */

/* The version given last goes into the record, now that its value is filled in. */
static void record_last(struct store *s)
{
    if (!s->unrecorded) return;
    record_row(&s->record, s->unrecorded);
    store_note_expiry(s, s->unrecorded);
    s->unrecorded = NULL;
}

static void begin_operation(struct store *s)
{
    assert(s->in_batch && !s->iterators);
    record_last(s);
    if (s->batch_is_begun) return;
    s->batch_is_begun = true;
    record_begin(&s->record, s->sequence + 1);
}

static void begin_change(struct store *s, struct bytes key, size_t value_len)
{
    assert(key.len > 0 && key.len <= STORE_KEY_MAX && value_len <= STORE_VALUE_MAX);
    begin_operation(s);
    s->batch_has_rows = true;
}

/* Sequences tell what a drop leaves, so behind rows it gets one of its own. The record keeps both together. */
void store_begin_drop(struct store *s)
{
    if (s->batch_has_rows) {
        record_last(s);
        record_end(&s->record);
        s->sequence++;
        s->batch_is_begun = s->batch_has_rows = false;
    }
    begin_operation(s);
}

static struct row *new_version(struct store *s, struct bytes key, size_t value_len, bool deleted)
{
    begin_change(s, key, value_len);
    struct row *r = row_new(key, value_len, s->sequence + 1);
    r->deleted = deleted;
    store_install(s, store_hash(s, key), r);
    s->unrecorded = r;
    return r;
}

uint8_t *store_put_open(struct store *s, struct bytes key, size_t value_len)
{
    struct row *r = new_version(s, key, value_len, false);
    return r->bytes + r->key_len;
}

void store_put(struct store *s, struct bytes key, struct bytes value)
{
    uint8_t *room = store_put_open(s, key, value.len);
    if (value.len) memcpy(room, value.data, value.len);
}

void store_delete(struct store *s, struct bytes key)
{
    new_version(s, key, 0, true);
}

struct row *store_spliced(struct store *s, struct bytes key, const struct row *old, size_t offset, size_t removed, struct bytes inserted,
                          uint64_t sequence)
{
    struct bytes base = {NULL, 0};
    if (old)
        base = old->deleted || store_is_dead(s, old) ? base : row_value(old);
    else if (!store_dead_on_disk(s, key))
        disk_get(&s->disk, key, &base);
    if (offset > base.len || removed > base.len - offset || base.len - removed + inserted.len > STORE_VALUE_MAX) return NULL;
    struct row *r = row_new(key, base.len - removed + inserted.len, sequence);
    uint8_t *value = r->bytes + r->key_len;
    if (offset) memcpy(value, base.data, offset);
    if (inserted.len) memcpy(value + offset, inserted.data, inserted.len);
    size_t rest = base.len - offset - removed;
    if (rest) memcpy(value + offset + inserted.len, base.data + offset + removed, rest);
    return r;
}

static void overwrite(struct row *r, size_t offset, struct bytes by)
{
    if (by.len) memcpy(r->bytes + r->key_len + offset, by.data, by.len);
}

static struct row *replace_part(struct store *s, uint64_t hash, struct row *r, size_t offset, size_t removed, struct bytes inserted)
{
    size_t before = row_memory(r), len = r->value_len, rest = len - offset - removed;
    struct row *old = r;
    if (inserted.len > removed) r = row_resize(r, len + inserted.len - removed);
    uint8_t *at = r->bytes + r->key_len + offset;
    memmove(at + inserted.len, at + removed, rest);
    if (inserted.len) memcpy(at, inserted.data, inserted.len);
    if (inserted.len < removed) r = row_resize(r, len + inserted.len - removed);
    if (r != old) {
        generation_replace(s->active, r, r);
        table_move(&s->table, hash, old, r);
    }
    size_t grown = row_memory(r) - before; /* wraps when it shrinks */
    s->rows_memory += grown;
    s->active->memory += grown;
    return r;
}

/* Changes a version where it stands, which saves copying a large value for each byte appended. */
static void splice_in_place(struct store *s, uint64_t hash, struct row *r, size_t offset, size_t removed, struct bytes inserted)
{
    if (removed == inserted.len)
        overwrite(r, offset, inserted);
    else
        r = replace_part(s, hash, r, offset, removed, inserted);
    r->sequence = s->sequence + 1;
    store_note_expiry(s, r);
}

static bool is_within(const struct row *r, struct bytes b)
{
    return b.len && b.data >= r->bytes && b.data < r->bytes + r->key_len + r->value_len;
}

void store_splice(struct store *s, struct bytes key, size_t offset, size_t removed, struct bytes inserted)
{
    begin_change(s, key, inserted.len);
    uint64_t hash = store_hash(s, key);
    struct row *old = table_find(&s->table, hash, key);
    record_splice(&s->record, key, offset, removed, inserted);
    bool mine = old && old->generation == s->active->id && !old->deleted && !(old->flags & ROW_IN_RECORD) && !store_is_dead(s, old);
    if (mine && !is_within(old, inserted)) {
        assert(offset <= old->value_len && removed <= old->value_len - offset);
        splice_in_place(s, hash, old, offset, removed, inserted);
        return;
    }
    struct row *r = store_spliced(s, key, old, offset, removed, inserted, s->sequence + 1);
    assert(r);
    store_install(s, hash, r);
    store_note_expiry(s, r);
}

struct store_position store_commit(struct store *s)
{
    assert(s->in_batch);
    s->in_batch = false;
    if (!s->batch_is_begun) return (struct store_position){0, 0};
    record_last(s);
    record_end(&s->record);
    s->batches++;
    return store_position_of(s, ++s->sequence);
}

/* ---- the end of the turn ---- */

static void forget_record(struct store *s)
{
    record_clear(&s->record);
    while (s->held_count) free(s->held[--s->held_count]);
}

void store_write_log(struct store *s)
{
    struct record *r = &s->record;
    if (!r->first) return;
    struct error e;
    if (wal_failed(s->wal, NULL)) {
        forget_record(s); /* writes are refused; these came in the same turn as the failure */
        return;
    }
    size_t size = record_size(r);
    if (!wal_has_room(s->wal, size)) return;
    const struct iovec *parts;
    size_t count = record_parts(r, &parts);
    if (wal_append(s->wal, store_position_of(s, r->first), r->last, parts, (int)count, size, &e)) {
        log_error("the log cannot be written any more: writes are refused", "error=%s", log_quote(e.text));
    } else {
        history_add(&s->history, s->epoch, r->first);
        s->written = s->history.last = r->last;
        s->log_bytes += size;
        s->flushes++;
    }
    forget_record(s);
}

void store_sync_inline(struct store *s, bool yes)
{
    if (yes && clock_monotonic_us() < s->sync_inline_from_us) yes = false;
    if (yes == s->sync_inline) return;
    s->sync_inline = yes;
    wal_set_owner_syncs(s->wal, yes);
}

static void sync_log(struct store *s)
{
    uint64_t took_us = wal_sync(s->wal);
    if (!took_us) return;
    checkpoint_poke(s->checkpoint);
    if (took_us <= SYNC_INLINE_MAX_US) return;
    s->sync_inline_from_us = clock_monotonic_us() + SYNC_INLINE_PAUSE_US;
    store_sync_inline(s, false);
}

void store_flush(struct store *s)
{
    assert(!s->in_batch && !s->iterators);
    store_drop_replaced(s);
    store_write_log(s);
    store_upkeep(s);
    if (s->sync_inline) sync_log(s);
    store_tell_warm(s);
}
