#include "base/codec.h"

#include <endian.h>

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

uint8_t read_u8(struct reader *r)
{
    struct bytes raw = read_raw(r, 1);
    return raw.len ? raw.data[0] : 0;
}

uint16_t read_u16(struct reader *r)
{
    uint16_t v = 0;
    struct bytes raw = read_raw(r, sizeof v);
    if (raw.len) memcpy(&v, raw.data, sizeof v);
    return le16toh(v);
}

uint32_t read_u32(struct reader *r)
{
    uint32_t v = 0;
    struct bytes raw = read_raw(r, sizeof v);
    if (raw.len) memcpy(&v, raw.data, sizeof v);
    return le32toh(v);
}

uint64_t read_u64(struct reader *r)
{
    uint64_t v = 0;
    struct bytes raw = read_raw(r, sizeof v);
    if (raw.len) memcpy(&v, raw.data, sizeof v);
    return le64toh(v);
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

void write_u8(struct buffer *b, uint8_t v)
{
    buffer_append(b, &v, sizeof v);
}

void write_u16(struct buffer *b, uint16_t v)
{
    v = htole16(v);
    buffer_append(b, &v, sizeof v);
}

void write_u32(struct buffer *b, uint32_t v)
{
    v = htole32(v);
    buffer_append(b, &v, sizeof v);
}

void write_u64(struct buffer *b, uint64_t v)
{
    v = htole64(v);
    buffer_append(b, &v, sizeof v);
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
