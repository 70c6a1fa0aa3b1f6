#include "base/codec.h"

struct bytes read_raw(struct reader *r, size_t len)
{
    if (r->failed || len > reader_left(r)) {
        r->failed = true;
        return (struct bytes){0};
    }
    struct bytes out = {r->data + r->at, len};
    r->at += len;
    return out;
}

static uint64_t read_little_endian(struct reader *r, size_t len)
{
    struct bytes raw = read_raw(r, len);
    uint64_t v = 0;
    for (size_t i = raw.len; i > 0; i--) v = v << 8 | raw.data[i - 1];
    return v;
}

uint8_t read_u8(struct reader *r)
{
    return (uint8_t)read_little_endian(r, 1);
}

uint16_t read_u16(struct reader *r)
{
    return (uint16_t)read_little_endian(r, 2);
}

uint32_t read_u32(struct reader *r)
{
    return (uint32_t)read_little_endian(r, 4);
}

uint64_t read_u64(struct reader *r)
{
    return read_little_endian(r, 8);
}

struct bytes read_bytes(struct reader *r, size_t max)
{
    uint32_t len = read_u32(r);
    if (len > max) r->failed = true;
    return read_raw(r, len);
}

void read_text(struct reader *r, char *out, size_t size)
{
    struct bytes text = read_bytes(r, size - 1);
    if (text.len && memchr(text.data, 0, text.len)) r->failed = true;
    if (r->failed) text.len = 0;
    if (text.len) memcpy(out, text.data, text.len);
    out[text.len] = 0;
}

uint32_t read_count(struct reader *r, uint32_t max, size_t min_size)
{
    uint32_t n = read_u32(r);
    if (n > max || (min_size && n > reader_left(r) / min_size)) r->failed = true;
    return r->failed ? 0 : n;
}

uint64_t read_varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = read_u8(r), bits = byte & 127;
        if (r->failed || bits << shift >> shift != bits || (byte == 0 && shift)) break;
        v |= bits << shift;
        if (byte < 128) return v;
    }
    r->failed = true;
    return 0;
}

static void write_little_endian(struct buffer *b, uint64_t v, size_t len)
{
    uint8_t raw[8];
    for (size_t i = 0; i < len; i++, v >>= 8) raw[i] = (uint8_t)v;
    buffer_append(b, raw, len);
}

void write_u8(struct buffer *b, uint8_t v)
{
    write_little_endian(b, v, 1);
}

void write_u16(struct buffer *b, uint16_t v)
{
    write_little_endian(b, v, 2);
}

void write_u32(struct buffer *b, uint32_t v)
{
    write_little_endian(b, v, 4);
}

void write_u64(struct buffer *b, uint64_t v)
{
    write_little_endian(b, v, 8);
}

void write_varint(struct buffer *b, uint64_t v)
{
    for (; v > 127; v >>= 7) write_u8(b, (uint8_t)(v | 128));
    write_u8(b, (uint8_t)v);
}

void write_bytes(struct buffer *b, struct bytes v)
{
    if (v.len > UINT32_MAX) {
        b->failed = true;
        return;
    }
    write_u32(b, (uint32_t)v.len);
    buffer_append(b, v.data, v.len);
}

void write_text(struct buffer *b, const char *text)
{
    write_bytes(b, bytes_text(text));
}
