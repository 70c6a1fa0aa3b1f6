/* What a record of the log holds: the batches of one turn. Little endian.
 *
 *   record  format(1) · batches
 *   batch   sequence(8) · length of the operations(4) · operations
 *   operation  code(1), then
 *     put            key length(2) · key · value length(4) · value
 *     delete         key length(2) · key
 *     splice         key length(2) · key · offset(4) · removed(4) · length(4) · the bytes that go there
 *     drop slots     first(2) · last(2)
 *     drop database  first slot(2) · last slot(2) · id(4)
 *   Drops are the first of their batch: they concern what older batches left.
 *
 * A record is made while the turn runs; it is read by store_read_record (store/reader.h). Large values are not copied: the record points to their rows until it is cleared. */
#ifndef AIKV_STORE_RECORD_H
#define AIKV_STORE_RECORD_H

#include <sys/uio.h>

#include "base/error.h"
#include "store/row.h"
#include "store/store.h"

#define RECORD_FORMAT     1
#define RECORD_VALUE_COPY 8192u /* longer values are pointed to */

struct record_value {
    size_t at; /* in the record's bytes: where it belongs */
    struct row *row;
};

struct record {
    uint8_t *data;
    size_t len, cap;
    size_t batch_at; /* where the open batch begins */
    struct record_value *values;
    size_t value_count, value_cap, value_bytes;
    struct iovec *parts;
    size_t part_cap;
    uint64_t first, last; /* sequences of its batches; 0: none */
};

void record_release(struct record *r);
/* Forgets the batches; keeps some memory. */
void record_clear(struct record *r);

void record_begin(struct record *r, uint64_t sequence);
/* A put of the row's value, or its deletion. Sets ROW_IN_RECORD if it points to the row from now on. */
void record_row(struct record *r, struct row *row);
void record_splice(struct record *r, struct bytes key, size_t offset, size_t removed, struct bytes inserted);
/* Before anything else of the batch. */
void record_drop(struct record *r, const struct store_range *range);
/* Ends the batch, which has operations. */
void record_end(struct record *r);

/* The bytes, in parts that live until the record is changed. Returns how many parts. */
size_t record_parts(struct record *r, const struct iovec **parts);
static inline size_t record_size(const struct record *r)
{
    return r->len + r->value_bytes;
}

#endif
