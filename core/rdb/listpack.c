#include "rdb/listpack.h"

#include <endian.h>

#include "base/codec.h"
#include "base/number.h"

#define HEAD  6
#define END   0xff
#define MANY  0xffffu
#define TAIL_MAX 5

/* Heads of elements; the lower bits of some belong to a length or an integer. */
enum {
    TEXT_6 = 0x80,  /* 10 */
    INT_13 = 0xc0,  /* 110 */
    TEXT_12 = 0xe0, /* 1110 */
    TEXT_32 = 0xf0,
    INT_16,
    INT_24,
    INT_32,
    INT_64,
};

/* How long the length at an element's end is; its bytes have seven bits each, the lowest last. */
static size_t tail_size(size_t len)
{
    return len <= 127 ? 1 : len < 16383 ? 2 : len < 2097151 ? 3 : len < 268435455 ? 4 : 5;
}

static void write_tail(uint8_t out[TAIL_MAX], size_t size, size_t len)
{
    for (size_t i = size; i-- > 0; len >>= 7) out[i] = (uint8_t)((len & 127) | (i ? 128 : 0));
}

/* ---- reading ---- */

bool listpack_open(struct listpack_reader *r, struct bytes listpack)
{
    struct reader head = reader_of(listpack);
    uint32_t size = read_u32(&head);
    *r = (struct listpack_reader){.said = read_u16(&head)};
    if (head.failed || size != listpack.len || size == HEAD || listpack.data[size - 1] != END) return false;
    r->rest = bytes_of(listpack.data + HEAD, size - HEAD - 1);
    return true;
}

static int64_t sign_extended(uint64_t value, unsigned bits)
{
    uint64_t sign = (uint64_t)1 << (bits - 1);
    return (int64_t)((value ^ sign) - sign);
}

static int64_t read_integer(struct reader *r, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) value |= (uint64_t)read_u8(r) << 8 * i;
    return sign_extended(value, 8 * bytes);
}

static void read_element(struct reader *r, struct listpack_element *out)
{
    uint8_t head = read_u8(r);
    *out = (struct listpack_element){.is_integer = true};
    if (head < TEXT_6) {
        out->integer = head;
    } else if (head < INT_13) {
        *out = (struct listpack_element){.text = read_raw(r, head & 63)};
    } else if (head < TEXT_12) {
        out->integer = sign_extended((uint64_t)(head & 31) << 8 | read_u8(r), 13);
    } else if (head < TEXT_32) {
        size_t len = (size_t)(head & 15) << 8;
        len |= read_u8(r);
        *out = (struct listpack_element){.text = read_raw(r, len)};
    } else {
        switch (head) {
        case TEXT_32: *out = (struct listpack_element){.text = read_raw(r, read_u32(r))}; break;
        case INT_16: out->integer = read_integer(r, 2); break;
        case INT_24: out->integer = read_integer(r, 3); break;
        case INT_32: out->integer = read_integer(r, 4); break;
        case INT_64: out->integer = read_integer(r, 8); break;
        default: r->failed = true;
        }
    }
}

bool listpack_next(struct listpack_reader *r, struct listpack_element *out)
{
    if (r->failed) return false;
    if (!r->rest.len) {
        r->failed = r->said != MANY && r->said != r->seen;
        return false;
    }
    struct reader in = reader_of(r->rest);
    uint8_t tail[TAIL_MAX];
    read_element(&in, out);
    size_t size = tail_size(in.at);
    write_tail(tail, size, in.at);
    struct bytes written = read_raw(&in, size);
    r->failed = in.failed || memcmp(written.data, tail, size) != 0;
    r->rest = bytes_of(r->rest.data + in.at, r->rest.len - in.at);
    r->seen++;
    return !r->failed;
}

/* ---- writing ---- */

void listpack_begin(struct listpack_writer *w, struct buffer *out)
{
    *w = (struct listpack_writer){.out = out, .at = out->len};
    buffer_append(out, "\0\0\0\0\0", HEAD);
}

static void end_element(struct listpack_writer *w, size_t len)
{
    uint8_t tail[TAIL_MAX];
    size_t size = tail_size(len);
    write_tail(tail, size, len);
    buffer_append(w->out, tail, size);
    w->count++;
}

void listpack_add_integer(struct listpack_writer *w, int64_t value)
{
    static const uint8_t heads[] = {[2] = INT_16, [3] = INT_24, [4] = INT_32, [8] = INT_64};
    uint64_t stored = htole64((uint64_t)value);
    size_t bytes = value >= INT16_MIN && value <= INT16_MAX ? 2 : value >= -(1 << 23) && value < 1 << 23 ? 3 : value >= INT32_MIN && value <= INT32_MAX ? 4 : 8;
    if (value >= 0 && value < 128) {
        write_u8(w->out, (uint8_t)value);
        end_element(w, 1);
    } else if (value >= -4096 && value < 4096) {
        write_u8(w->out, (uint8_t)(INT_13 | ((uint64_t)value >> 8 & 31)));
        write_u8(w->out, (uint8_t)value);
        end_element(w, 2);
    } else {
        write_u8(w->out, heads[bytes]);
        buffer_append(w->out, &stored, bytes);
        end_element(w, 1 + bytes);
    }
}

void listpack_add(struct listpack_writer *w, struct bytes text)
{
    int64_t value;
    size_t head = 1;
    if (number_parse_integer(text, &value)) {
        listpack_add_integer(w, value);
        return;
    }
    if (text.len < 64) {
        write_u8(w->out, (uint8_t)(TEXT_6 | text.len));
    } else if (text.len < 4096) {
        write_u8(w->out, (uint8_t)(TEXT_12 | text.len >> 8));
        write_u8(w->out, (uint8_t)text.len);
        head = 2;
    } else {
        write_u8(w->out, TEXT_32);
        write_u32(w->out, (uint32_t)text.len);
        head = 5;
    }
    buffer_append(w->out, text.data, text.len);
    end_element(w, head + text.len);
}

void listpack_end(struct listpack_writer *w)
{
    write_u8(w->out, END);
    if (w->out->failed) return;
    uint32_t size = htole32((uint32_t)listpack_size(w));
    uint16_t count = htole16((uint16_t)(w->count < MANY ? w->count : MANY));
    memcpy(w->out->data + w->at, &size, sizeof size);
    memcpy(w->out->data + w->at + sizeof size, &count, sizeof count);
}
