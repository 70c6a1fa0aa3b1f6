#include "store/store.h"

#include <assert.h>

#include "store/memory.h"
#include "store/store_state.h"

static struct store_position position_of(uint64_t sequence)
{
    return sequence ? (struct store_position){DISK_EPOCH, sequence} : (struct store_position){0, 0};
}

/* ---- opening and closing ---- */

int store_open(const struct store_options *options, struct store **out, struct store_report *report, struct error *e)
{
    return store_open_with(options, NULL, out, report, e);
}

int store_open_with(const struct store_options *options, const struct disk_calls *calls, struct store **out,
                    struct store_report *report, struct error *e)
{
    struct store *s = memory_zeroed(1, sizeof *s);
    int rc = disk_open(&s->disk, options->dir, options->expected, &s->sequence, e);
    if (rc) {
        free(s);
        return rc;
    }
    if (calls) s->disk.calls = *calls;
    s->handed_over = s->settled = s->sequence;
    s->pending_max = options->pending_max;
    s->writer = writer_start(&s->disk, s->sequence, options->on_durable, options->user, e);
    if (!s->writer) {
        disk_close(&s->disk);
        free(s);
        return ERROR_IO;
    }
    pending_init(&s->pending);
    if (report) *report = (struct store_report){disk_row_count(&s->disk), position_of(s->sequence)};
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s) return;
    store_flush(s);
    writer_stop(s->writer);
    turn_free_all(s->done);
    pending_release(&s->pending);
    disk_close(&s->disk);
    free(s);
}

/* ---- reading ---- */

struct store_position store_row_position(const struct store *s, const struct row *r)
{
    return position_of(r->sequence <= writer_durable_sequence(s->writer) ? 0 : r->sequence);
}

bool store_get(struct store *s, struct bytes key, struct store_value *out)
{
    *out = (struct store_value){0};
    if (key.len == 0 || key.len > STORE_KEY_MAX) return false;
    const struct row *r = pending_find(&s->pending, key);
    if (!r) return disk_get(&s->disk, key, &out->data);
    out->position = store_row_position(s, r);
    if (r->deleted) return false;
    out->data = row_value(r);
    return true;
}

/* ---- writing ---- */

void store_begin(struct store *s)
{
    assert(!s->in_batch && !s->iterators);
    s->in_batch = true;
    s->batch_has_rows = false;
}

static void drop_replaced(struct store *s)
{
    free(s->replaced);
    s->replaced = NULL;
}

/* Adds a version to the turn and makes it the newest of its key. */
static void write_row(struct store *s, struct row *r)
{
    drop_replaced(s);
    if (!s->turn) s->turn = turn_new();
    struct row *before = pending_put(&s->pending, r);
    if (before && before->sequence > s->handed_over) {
        turn_replace(s->turn, before, r);
        s->bytes_written -= row_size(before);
        s->pending_bytes -= row_size(before);
        s->replaced = before;
    } else {
        turn_add(s->turn, r);
    }
    s->bytes_written += row_size(r);
    s->pending_bytes += row_size(r);
    s->batch_has_rows = true;
}

static struct row *new_version(struct store *s, struct bytes key, size_t value_len)
{
    assert(s->in_batch && !s->iterators);
    assert(key.len > 0 && key.len <= STORE_KEY_MAX && value_len <= STORE_VALUE_MAX);
    return row_new(key, value_len, s->sequence + 1);
}

uint8_t *store_put_open(struct store *s, struct bytes key, size_t value_len)
{
    struct row *r = new_version(s, key, value_len);
    write_row(s, r);
    return r->bytes + r->key_len;
}

void store_put(struct store *s, struct bytes key, struct bytes value)
{
    uint8_t *room = store_put_open(s, key, value.len);
    if (value.len) memcpy(room, value.data, value.len);
}

void store_delete(struct store *s, struct bytes key)
{
    struct row *r = new_version(s, key, 0);
    r->deleted = true;
    write_row(s, r);
}

struct store_position store_commit(struct store *s)
{
    assert(s->in_batch);
    s->in_batch = false;
    if (!s->batch_has_rows) return position_of(0);
    s->batches++;
    return position_of(++s->sequence);
}

/* Lets go of versions that are durable, once the owner's snapshot has them. */
static void settle(struct store *s)
{
    if (writer_durable_sequence(s->writer) == s->settled) return;
    if (!s->done) s->done = writer_take_done(s->writer);
    if (!disk_refresh(&s->disk)) return; /* writing has failed; memory goes on to say what the old snapshot does not */
    for (struct turn *t = s->done; t; t = t->next) {
        for (size_t i = 0; i < t->count; i++) pending_remove(&s->pending, t->rows[i]);
        s->pending_bytes -= t->size_bytes;
        s->settled = t->sequence;
    }
    turn_free_all(s->done);
    s->done = NULL;
}

void store_flush(struct store *s)
{
    assert(!s->in_batch && !s->iterators);
    drop_replaced(s);
    if (s->turn) {
        s->turn->sequence = s->handed_over = s->sequence;
        writer_hand_over(s->writer, s->turn);
        s->turn = NULL;
        s->flushes++;
    }
    settle(s);
}

/* ---- gates ---- */

struct store_position store_durable(const struct store *s)
{
    return position_of(writer_durable_sequence(s->writer));
}

bool store_pressure(const struct store *s)
{
    return s->bytes_written - writer_durable_bytes(s->writer) > s->pending_max;
}

bool store_failed(const struct store *s, struct error *e)
{
    return writer_failed(s->writer, e);
}

void store_statistics(const struct store *s, struct store_statistics *out)
{
    *out = (struct store_statistics){
        .rows_durable = disk_row_count(&s->disk),
        .bytes_on_disk = disk_size_bytes(&s->disk),
        .pending_rows = s->pending.count,
        .pending_bytes = s->pending_bytes,
        .batches = s->batches,
        .flushes = s->flushes,
        .syncs = writer_syncs(s->writer),
    };
}
