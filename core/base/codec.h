/* Reading and writing little-endian records: bus frames, metadata commands, snapshots.
 *
 * A reader never passes the end and never allocates: the first short or oversized read sets `failed`, every later one
 * returns zero or empty, and the caller looks once at the end. Writers append to a buffer, whose `failed` does the same. */
#ifndef AIKV_BASE_CODEC_H
#define AIKV_BASE_CODEC_H

#include "base/buffer.h"

struct reader {
    const uint8_t *data;
    size_t len, at;
    bool failed;
};

static inline struct reader reader_of(struct bytes b)
{
    return (struct reader){.data = b.data, .len = b.len};
}

uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
/* 1 to 10 bytes, seven bits each, the lowest first. One that is longer than it need be, or over 64 bits, fails: each number has one form. */
uint64_t read_varint(struct reader *r);
/* `len` bytes, which live as long as what the reader reads. */
struct bytes read_raw(struct reader *r, size_t len);
/* A 32-bit length and that many bytes; longer than `max` fails. */
struct bytes read_bytes(struct reader *r, size_t max);
/* The same as a NUL-terminated text in `out` of `size` bytes; text of `size` bytes or more, or with a NUL in it, fails. */
void read_text(struct reader *r, char *out, size_t size);
/* A 32-bit count of records of at least `min_size` bytes each; more than `max`, or than fit in what is left, fails (0). */
uint32_t read_count(struct reader *r, uint32_t max, size_t min_size);
static inline size_t reader_left(const struct reader *r)
{
    return r->len - r->at;
}
/* Whether everything was read, and nothing failed. */
static inline bool reader_done(const struct reader *r)
{
    return !r->failed && r->at == r->len;
}

void write_u8(struct buffer *b, uint8_t v);
void write_u16(struct buffer *b, uint16_t v);
void write_u32(struct buffer *b, uint32_t v);
void write_u64(struct buffer *b, uint64_t v);
void write_varint(struct buffer *b, uint64_t v);
#define CODEC_VARINT_MAX 10
void write_bytes(struct buffer *b, struct bytes v);
void write_text(struct buffer *b, const char *text);

#endif
