#include "store/record.h"

#include <assert.h>

#include "base/codec.h"
#include "store/memory.h"
#include "store/reader.h"

#define KEPT ((size_t)1 << 20)

#define BATCH_HEAD 12  /* sequence and length */
#define VALUES_MAX 65536 /* pointed to: 3 MiB of pointers */

void record_release(struct record *r)
{
    free(r->data);
    free(r->values);
    free(r->parts);
    *r = (struct record){0};
}

void record_clear(struct record *r)
{
    for (size_t i = 0; i < r->value_count; i++) row_unflag(r->values[i].row, ROW_IN_RECORD);
    if (r->cap > KEPT || r->value_cap > KEPT / sizeof *r->values) {
        record_release(r);
        return;
    }
    r->len = r->value_count = r->value_bytes = 0;
    r->first = r->last = 0;
}

/* ---- writing ---- */

static uint8_t *make_room(struct record *r, size_t len)
{
    if (r->cap - r->len < len) {
        while (r->cap - r->len < len) r->cap = r->cap ? 2 * r->cap : 4096;
        r->data = memory_resize(r->data, r->cap);
    }
    uint8_t *room = r->data + r->len;
    r->len += len;
    return room;
}

static uint8_t *put_u16(uint8_t *out, size_t v)
{
    out[0] = (uint8_t)v;
    out[1] = (uint8_t)(v >> 8);
    return out + 2;
}

static uint8_t *put_u32(uint8_t *out, size_t v)
{
    return put_u16(put_u16(out, v), v >> 16);
}

static uint8_t *put_bytes(uint8_t *out, struct bytes b)
{
    if (b.len) memcpy(out, b.data, b.len);
    return out + b.len;
}

static uint8_t *put_head(uint8_t *out, enum store_operation_code code, struct bytes key)
{
    *out = (uint8_t)code;
    return put_bytes(put_u16(out + 1, key.len), key);
}

void record_begin(struct record *r, uint64_t sequence)
{
    if (r->len == 0) *make_room(r, 1) = RECORD_FORMAT;
    r->batch_at = r->len;
    uint8_t *out = make_room(r, BATCH_HEAD);
    put_u32(put_u32(out, sequence & UINT32_MAX), sequence >> 32);
    r->last = sequence;
    if (!r->first) r->first = sequence;
}

static void point_to(struct record *r, struct row *row)
{
    if (r->value_count == r->value_cap) {
        r->value_cap = r->value_cap ? 2 * r->value_cap : 16;
        r->values = memory_resize(r->values, r->value_cap * sizeof *r->values);
    }
    r->values[r->value_count++] = (struct record_value){r->len, row};
    r->value_bytes += row->value_len;
    row->flags |= ROW_IN_RECORD;
}

void record_row(struct record *r, struct row *row)
{
    struct bytes key = row_key(row), value = row_value(row);
    if (row->deleted) {
        put_head(make_room(r, 3 + key.len), STORE_OPERATION_DELETE, key);
        return;
    }
    bool copy = value.len <= RECORD_VALUE_COPY || r->value_count == VALUES_MAX;
    uint8_t *out = put_head(make_room(r, 7 + key.len + (copy ? value.len : 0)), STORE_OPERATION_PUT, key);
    out = put_u32(out, value.len);
    if (copy)
        put_bytes(out, value);
    else
        point_to(r, row);
}

void record_splice(struct record *r, struct bytes key, size_t offset, size_t removed, struct bytes inserted)
{
    uint8_t *out = put_head(make_room(r, 15 + key.len + inserted.len), STORE_OPERATION_SPLICE, key);
    put_bytes(put_u32(put_u32(put_u32(out, offset), removed), inserted.len), inserted);
}

void record_drop(struct record *r, const struct store_range *range)
{
    uint8_t *out = make_room(r, range->one_database ? 9 : 5);
    *out = range->one_database ? STORE_OPERATION_DROP_DATABASE : STORE_OPERATION_DROP_SLOTS;
    out = put_u16(put_u16(out + 1, range->first_slot), range->last_slot);
    if (range->one_database) put_u32(out, range->database);
}

void record_end(struct record *r)
{
    size_t begin = r->batch_at + BATCH_HEAD, len = r->len - begin;
    for (size_t i = r->value_count; i && r->values[i - 1].at > begin; i--) len += r->values[i - 1].row->value_len;
    assert(len > 0 && len <= UINT32_MAX); /* requests are bounded by a quarter of this */
    put_u32(r->data + begin - 4, len);
}

static void add_part(struct record *r, size_t *count, const uint8_t *data, size_t len)
{
    if (len) r->parts[(*count)++] = (struct iovec){(void *)(uintptr_t)data, len}; /* iovec has no const; it is only read */
}

size_t record_parts(struct record *r, const struct iovec **parts)
{
    if (r->part_cap < 2 * r->value_count + 1) {
        r->part_cap = 2 * r->value_count + 1;
        r->parts = memory_resize(r->parts, r->part_cap * sizeof *r->parts);
    }
    size_t at = 0, count = 0;
    for (size_t i = 0; i < r->value_count; i++) {
        const struct record_value *v = &r->values[i];
        add_part(r, &count, r->data + at, v->at - at);
        add_part(r, &count, v->row->bytes + v->row->key_len, v->row->value_len);
        at = v->at;
    }
    add_part(r, &count, r->data + at, r->len - at);
    *parts = r->parts;
    return count;
}

/* ---- reading ---- */

static bool read_drop(struct reader *r, struct store_operation *o)
{
    o->range = (struct store_range){.first_slot = read_u16(r), .one_database = o->code == STORE_OPERATION_DROP_DATABASE};
    o->range.last_slot = read_u16(r);
    if (o->range.one_database) o->range.database = read_u32(r);
    return !r->failed && o->range.first_slot <= o->range.last_slot;
}

/* The rest of an operation behind its code. False: not one that this version knows. */
static bool read_operation(struct reader *r, struct store_operation *o)
{
    if (o->code == STORE_OPERATION_DROP_SLOTS || o->code == STORE_OPERATION_DROP_DATABASE) return read_drop(r, o);
    o->key = read_raw(r, read_u16(r));
    if (o->key.len == 0 || o->key.len > STORE_KEY_MAX) return false;
    switch (o->code) {
    case STORE_OPERATION_PUT: o->value = read_bytes(r, STORE_VALUE_MAX); return !r->failed;
    case STORE_OPERATION_DELETE: return !r->failed;
    case STORE_OPERATION_SPLICE:
        o->offset = read_u32(r);
        o->removed = read_u32(r);
        o->value = read_bytes(r, STORE_VALUE_MAX);
        return !r->failed;
    default: return false;
    }
}

int store_read_record(struct bytes batches, store_visit_operation *visit, void *user, struct error *e)
{
    struct reader r = reader_of(batches);
    uint8_t format = read_u8(&r);
    if (r.failed || format != RECORD_FORMAT)
        return error_set(e, ERROR_FORMAT, "a record of the log has format %u, this version of AiKv reads %d", format, RECORD_FORMAT);
    while (reader_left(&r)) {
        uint64_t sequence = read_u64(&r);
        struct reader batch = reader_of(read_bytes(&r, UINT32_MAX));
        if (r.failed) return error_set(e, ERROR_FORMAT, "a record of the log ends within a batch");
        while (reader_left(&batch)) {
            struct store_operation o = {.sequence = sequence, .code = (enum store_operation_code)read_u8(&batch)};
            if (!read_operation(&batch, &o))
                return error_set(e, ERROR_FORMAT, "batch %llu of the log holds an operation of code %d that this version of AiKv does not read",
                                 (unsigned long long)sequence, (int)o.code);
            int rc = visit(user, &o, e);
            if (rc) return rc;
        }
    }
    return 0;
}
