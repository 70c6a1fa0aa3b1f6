/* The bytes of the log, format 1: no I/O here. All numbers are little-endian, everything begins at a multiple of 8.
 *
 *   segment header (64, twice): magic 8 · format 4 · CRC 4 · number 8 · salt 8 · start 8 · base 16 · zero 8
 *   record header (64): CRC of the rest of the header 4 · CRC of the batches 4 · length 8 · epoch 8 · first 8 · last 8 ·
 *       position before 16 · synced 8
 *
 * After a record's header come the batches, zeroes up to a multiple of 8, and 8 zero bytes that the next record
 * overwrites.
 *
 * Both CRCs of a record begin from a seed made of the segment's number and salt: nothing that was in the file before,
 * and nothing that a client could have put into a value, passes for a record.
 *
 * The second copy of the segment's header tells a damaged header (the copy is good, and is used) from one that a crash
 * left half-written (the copy is not there).
 *
 * `start` is how many bytes of log came before the segment, so start + offset names a byte for good: a log offset.
 * `synced` is the log offset up to which all was known to be on disk when the record was written. It tells damage from
 * a crash: what a crash tears was never synced. */
#ifndef AIKV_STORE_WAL_RECORD_H
#define AIKV_STORE_WAL_RECORD_H

#include "store/store.h"

#define WAL_FORMAT 1
#define WAL_HEADER ((size_t)64)  /* of a record */
#define WAL_BEGIN  ((size_t)128) /* of a segment: where its records begin */
#define WAL_MARK   ((size_t)8)   /* the zeroes after a record */

struct wal_segment_header {
    uint64_t number, salt, start;
    struct store_position base; /* before its first record */
};

struct wal_record_header {
    uint32_t body_crc;
    uint64_t len; /* of the batches; never 0 */
    struct store_position first;
    uint64_t last;
    struct store_position before; /* of the record before it */
    uint64_t synced;
};

enum wal_header_state {
    WAL_UNUSED,       /* zeroes, what an older segment left, or the beginning of a header over these */
    WAL_BEGUN,        /* this segment's own */
    WAL_DAMAGED,      /* neither */
    WAL_OTHER_FORMAT, /* the format is in *format */
};

void wal_segment_header_write(uint8_t out[WAL_BEGIN], const struct wal_segment_header *h);
enum wal_header_state wal_segment_header_read(const uint8_t in[WAL_BEGIN], uint64_t number,
                                              struct wal_segment_header *out, uint32_t *format);
uint32_t wal_seed(const struct wal_segment_header *h);

void wal_record_header_write(uint8_t out[WAL_HEADER], const struct wal_record_header *h, uint32_t seed);
/* Whether an intact header of a record that fits begins at `at`. */
bool wal_record_header_read(struct bytes segment, size_t at, uint32_t seed, struct wal_record_header *out);
/* Whether the batches after that header are intact too. */
bool wal_record_is_whole(struct bytes segment, size_t at, uint32_t seed, const struct wal_record_header *h);
/* Whether it may come right after `last`. */
bool wal_record_follows(const struct wal_record_header *h, struct store_position last);

/* What a record takes: header, batches, padding; not the mark. */
static inline size_t wal_record_size(size_t len)
{
    return WAL_HEADER + ((len + 7) & ~(size_t)7);
}

#endif
