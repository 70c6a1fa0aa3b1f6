/* Writing payloads. */
#include <endian.h>

#include "base/crc.h"
#include "rdb/rdb.h"
#include "rdb/rdb_format.h"

void rdb_write_type(struct buffer *out, enum rdb_type type)
{
    write_u8(out, (uint8_t)type);
}

void rdb_write_len(struct buffer *out, uint64_t len)
{
    uint32_t len32 = htobe32((uint32_t)len);
    uint64_t len64 = htobe64(len);
    if (len < 1 << 6) {
        write_u8(out, (uint8_t)len);
    } else if (len < 1 << 14) {
        write_u8(out, (uint8_t)(LEN_14 | len >> 8));
        write_u8(out, (uint8_t)len);
    } else if (len <= UINT32_MAX) {
        write_u8(out, LEN_32);
        buffer_append(out, &len32, sizeof len32);
    } else {
        write_u8(out, LEN_64);
        buffer_append(out, &len64, sizeof len64);
    }
}

void rdb_write_raw(struct buffer *out, struct bytes raw)
{
    rdb_write_len(out, raw.len);
    buffer_append(out, raw.data, raw.len);
}

void rdb_write_string(struct buffer *out, struct bytes text)
{
    int64_t value;
    if (!number_parse_integer(text, &value) || value < INT32_MIN || value > INT32_MAX) {
        rdb_write_raw(out, text);
    } else if (value >= INT8_MIN && value <= INT8_MAX) {
        write_u8(out, STRING_INT_8);
        write_u8(out, (uint8_t)value);
    } else if (value >= INT16_MIN && value <= INT16_MAX) {
        write_u8(out, STRING_INT_16);
        write_u16(out, (uint16_t)value);
    } else {
        write_u8(out, STRING_INT_32);
        write_u32(out, (uint32_t)value);
    }
}

void rdb_write_double(struct buffer *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    write_u64(out, bits);
}

void rdb_write_integers(struct buffer *out, const int64_t *integers, size_t count)
{
    int64_t lowest = integers[0], highest = integers[count - 1];
    size_t size = lowest < INT32_MIN || highest > INT32_MAX ? 8 : lowest < INT16_MIN || highest > INT16_MAX ? 4 : 2;
    rdb_write_len(out, INTEGERS_HEAD + size * count);
    write_u32(out, (uint32_t)size);
    write_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        uint64_t stored = htole64((uint64_t)integers[i]);
        buffer_append(out, &stored, size);
    }
}

void rdb_write_end(struct buffer *out)
{
    write_u16(out, RDB_VERSION);
    if (!out->failed) write_u64(out, crc64(0, out->data, out->len));
}
