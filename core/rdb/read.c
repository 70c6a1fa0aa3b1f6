/* Reading payloads, which may come from anybody. */
#include <endian.h>
#include <math.h>
#include <stdlib.h>

#include "base/crc.h"
#include "rdb/lzf.h"
#include "rdb/rdb.h"
#include "rdb/rdb_format.h"

bool rdb_is_whole(struct bytes payload)
{
    if (payload.len < TRAILER) return false;
    size_t covered = payload.len - sizeof(uint64_t);
    struct reader trailer = reader_of(bytes_of(payload.data + payload.len - TRAILER, TRAILER));
    uint16_t version = read_u16(&trailer);
    return version <= RDB_VERSION && read_u64(&trailer) == crc64(0, payload.data, covered);
}

/* ---- lengths and strings ---- */

static uint64_t read_rest_of_len(struct rdb_reader *r, uint8_t first)
{
    uint32_t len32 = 0;
    uint64_t len64 = 0;
    if (first < LEN_14) return first;
    if (first < LEN_32) return (uint64_t)(first & 63) << 8 | read_u8(&r->in);
    if (first == LEN_32) {
        struct bytes raw = read_raw(&r->in, sizeof len32);
        if (raw.len) memcpy(&len32, raw.data, sizeof len32);
        return be32toh(len32);
    }
    if (first != LEN_64) r->in.failed = true;
    struct bytes raw = read_raw(&r->in, sizeof len64);
    if (raw.len) memcpy(&len64, raw.data, sizeof len64);
    return be64toh(len64);
}

uint64_t rdb_read_len(struct rdb_reader *r)
{
    return read_rest_of_len(r, read_u8(&r->in));
}

static struct bytes read_packed(struct rdb_reader *r, uint8_t **room)
{
    uint64_t packed_len = rdb_read_len(r), len = rdb_read_len(r);
    struct bytes packed = read_raw(&r->in, packed_len);
    free(*room);
    *room = NULL;
    if (r->in.failed || len > r->unpacked_left || !(*room = malloc(len + 1)) || !lzf_unpack(packed, *room, len)) {
        r->in.failed = true;
        return (struct bytes){0};
    }
    r->unpacked_left -= len;
    return bytes_of(*room, len);
}

struct bytes rdb_read_string(struct rdb_reader *r, char digits[NUMBER_TEXT_MAX], uint8_t **room)
{
    uint8_t first = read_u8(&r->in);
    switch (first) {
    case STRING_INT_8: return bytes_of(digits, number_format_integer(digits, (int8_t)read_u8(&r->in)));
    case STRING_INT_16: return bytes_of(digits, number_format_integer(digits, (int16_t)read_u16(&r->in)));
    case STRING_INT_32: return bytes_of(digits, number_format_integer(digits, (int32_t)read_u32(&r->in)));
    case STRING_PACKED: return read_packed(r, room);
    default: return read_raw(&r->in, read_rest_of_len(r, first));
    }
}

/* ---- what collections are held in ---- */

static bool open_listpack(struct rdb_reader *r, struct bytes listpack)
{
    return !r->in.failed && listpack_open(&r->packed, listpack);
}

static bool open_integers(struct rdb_reader *r, struct bytes integers)
{
    struct reader in = reader_of(integers);
    uint32_t size = read_u32(&in), count = read_u32(&in);
    r->integer_size = size;
    r->integers = in;
    return !r->in.failed && !in.failed && (size == 2 || size == 4 || size == 8) && reader_left(&in) == (size_t)size * count;
}

static struct bytes next_packed(struct rdb_reader *r, char digits[NUMBER_TEXT_MAX])
{
    struct listpack_element el;
    if (!listpack_next(&r->packed, &el)) {
        r->failed = true;
        return (struct bytes){0};
    }
    return el.is_integer ? bytes_of(digits, number_format_integer(digits, el.integer)) : el.text;
}

/* A list's next part: a listpack, or a value that is too large for one. */
static bool next_part(struct rdb_reader *r, struct rdb_element *out, bool *is_value)
{
    r->left--;
    uint64_t how = rdb_read_len(r);
    struct bytes part = rdb_read_string(r, out->digits[0], &r->unpacked[2]);
    *is_value = how == RDB_LIST_PLAIN;
    out->text = part;
    if (*is_value) return !r->in.failed;
    r->failed = how != RDB_LIST_PACKED || !open_listpack(r, part);
    return !r->failed;
}

static void next_list(struct rdb_reader *r, struct rdb_element *out)
{
    bool is_value = false;
    while (!r->packed.rest.len && !is_value) {
        struct listpack_element none;
        if (listpack_next(&r->packed, &none) || r->packed.failed || !r->left || !next_part(r, out, &is_value)) {
            r->failed = true;
            return;
        }
    }
    if (!is_value) out->text = next_packed(r, out->digits[0]);
}

static void next_integer(struct rdb_reader *r, struct rdb_element *out)
{
    int64_t value = 0;
    switch (r->integer_size) {
    case 2: value = (int16_t)read_u16(&r->integers); break;
    case 4: value = (int32_t)read_u32(&r->integers); break;
    default: value = (int64_t)read_u64(&r->integers);
    }
    out->text = bytes_of(out->digits[0], number_format_integer(out->digits[0], value));
}

static void next_scored(struct rdb_reader *r, struct rdb_element *out)
{
    if (r->type == RDB_ZSET) {
        uint64_t bits = read_u64(&r->in);
        memcpy(&out->score, &bits, sizeof bits);
    } else {
        struct bytes text = next_packed(r, out->digits[1]);
        r->failed |= !number_parse_double(text, &out->score);
    }
    r->failed |= isnan(out->score);
}

/* ---- elements ---- */

bool rdb_open(struct rdb_reader *r, struct bytes payload)
{
    *r = (struct rdb_reader){.in = reader_of(bytes_of(payload.data, payload.len - TRAILER)), .unpacked_left = RDB_UNPACKED_MAX};
    char digits[NUMBER_TEXT_MAX];
    r->type = read_u8(&r->in);
    switch (r->type) {
    case RDB_STRING: r->left = 1; break;
    case RDB_SET:
    case RDB_HASH:
    case RDB_ZSET:
    case RDB_LIST:
    case RDB_STREAM: r->left = rdb_read_len(r); break;
    case RDB_SET_INTEGERS: r->failed = !open_integers(r, rdb_read_string(r, digits, &r->unpacked[2])); break;
    case RDB_HASH_LISTPACK:
    case RDB_ZSET_LISTPACK: r->failed = !open_listpack(r, rdb_read_string(r, digits, &r->unpacked[2])); break;
    default: r->failed = true;
    }
    r->failed |= r->in.failed;
    return !r->failed;
}

static bool is_at_end(const struct rdb_reader *r)
{
    return !r->left && !r->packed.rest.len && !reader_left(&r->integers);
}

bool rdb_next(struct rdb_reader *r, struct rdb_element *out)
{
    if (r->failed || is_at_end(r)) return false;
    switch (r->type) {
    case RDB_SET_INTEGERS: next_integer(r, out); break;
    case RDB_LIST: next_list(r, out); break;
    case RDB_HASH_LISTPACK:
    case RDB_ZSET_LISTPACK: out->text = next_packed(r, out->digits[0]); break;
    default:
        out->text = rdb_read_string(r, out->digits[0], &r->unpacked[0]);
        r->left--;
    }
    if (r->type == RDB_HASH) out->value = rdb_read_string(r, out->digits[1], &r->unpacked[1]);
    if (r->type == RDB_HASH_LISTPACK) out->value = next_packed(r, out->digits[1]);
    if (r->type == RDB_ZSET || r->type == RDB_ZSET_LISTPACK) next_scored(r, out);
    r->failed |= r->in.failed || r->packed.failed;
    return !r->failed;
}

bool rdb_is_sound(const struct rdb_reader *r)
{
    struct listpack_reader packed = r->packed;
    struct listpack_element none;
    return !r->failed && is_at_end(r) && reader_done(&r->in) && !listpack_next(&packed, &none) && !packed.failed;
}

void rdb_close(struct rdb_reader *r)
{
    for (size_t i = 0; i < sizeof r->unpacked / sizeof *r->unpacked; i++) free(r->unpacked[i]);
    *r = (struct rdb_reader){.failed = true};
}
