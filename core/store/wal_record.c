#include "store/wal_record.h"

#include <endian.h>

#include "base/crc.h"

static const char magic[8] = {'a', 'i', 'k', 'v', ' ', 'l', 'o', 'g'};

static void put32(uint8_t *out, uint32_t v)
{
    v = htole32(v);
    memcpy(out, &v, sizeof v);
}

static void put64(uint8_t *out, uint64_t v)
{
    v = htole64(v);
    memcpy(out, &v, sizeof v);
}

static uint32_t get32(const uint8_t *in)
{
    uint32_t v;
    memcpy(&v, in, sizeof v);
    return le32toh(v);
}

static uint64_t get64(const uint8_t *in)
{
    uint64_t v;
    memcpy(&v, in, sizeof v);
    return le64toh(v);
}

static void put_position(uint8_t *out, struct store_position p)
{
    put64(out, p.epoch);
    put64(out + 8, p.sequence);
}

static struct store_position get_position(const uint8_t *in)
{
    return (struct store_position){get64(in), get64(in + 8)};
}

/* Of all but itself. */
static uint32_t segment_header_crc(const uint8_t in[WAL_HEADER])
{
    return crc32c(crc32c(0, in, 12), in + 16, WAL_HEADER - 16);
}

void wal_segment_header_write(uint8_t out[WAL_BEGIN], const struct wal_segment_header *h)
{
    memset(out, 0, WAL_BEGIN);
    memcpy(out, magic, sizeof magic);
    put32(out + 8, WAL_FORMAT);
    put64(out + 16, h->number);
    put64(out + 24, h->salt);
    put64(out + 32, h->start);
    put_position(out + 40, h->base);
    put32(out + 12, segment_header_crc(out));
    memcpy(out + WAL_HEADER, out, WAL_HEADER);
}

static enum wal_header_state read_copy(const uint8_t *in, uint64_t number, struct wal_segment_header *out,
                                       uint32_t *format)
{
    static const uint8_t zeroes[WAL_HEADER];
    if (memcmp(in, zeroes, WAL_HEADER) == 0) return WAL_UNUSED;
    if (memcmp(in, magic, sizeof magic) != 0) return WAL_DAMAGED;
    if (get32(in + 12) != segment_header_crc(in)) return WAL_DAMAGED;
    *format = get32(in + 8);
    if (*format != WAL_FORMAT) return WAL_OTHER_FORMAT;
    *out = (struct wal_segment_header){get64(in + 16), get64(in + 24), get64(in + 32), get_position(in + 40)};
    /* Numbers only rise, so a higher one in the file than in its name was not our doing. */
    if (out->number > number) return WAL_DAMAGED;
    return out->number == number ? WAL_BEGUN : WAL_UNUSED;
}

enum wal_header_state wal_segment_header_read(const uint8_t in[WAL_BEGIN], uint64_t number,
                                              struct wal_segment_header *out, uint32_t *format)
{
    enum wal_header_state first = read_copy(in, number, out, format);
    if (first == WAL_BEGUN || first == WAL_OTHER_FORMAT) return first;
    enum wal_header_state second = read_copy(in + WAL_HEADER, number, out, format);
    if (second == WAL_BEGUN || second == WAL_OTHER_FORMAT) return second;
    return first == WAL_DAMAGED && second == WAL_DAMAGED ? WAL_DAMAGED : WAL_UNUSED;
}

uint32_t wal_seed(const struct wal_segment_header *h)
{
    uint8_t raw[16];
    put64(raw, h->number);
    put64(raw + 8, h->salt);
    return crc32c(0, raw, sizeof raw);
}

void wal_record_header_write(uint8_t out[WAL_HEADER], const struct wal_record_header *h, uint32_t seed)
{
    put32(out + 4, h->body_crc);
    put64(out + 8, h->len);
    put_position(out + 16, h->first);
    put64(out + 32, h->last);
    put_position(out + 40, h->before);
    put64(out + 56, h->synced);
    put32(out, crc32c(seed, out + 4, WAL_HEADER - 4));
}

bool wal_record_header_read(struct bytes segment, size_t at, uint32_t seed, struct wal_record_header *out)
{
    if (at > segment.len || segment.len - at < WAL_HEADER) return false;
    const uint8_t *in = segment.data + at;
    uint64_t len = get64(in + 8);
    /* Cheap first: this is asked of every eighth byte of a segment's tail. */
    if (len == 0 || len > segment.len - at - WAL_HEADER || wal_record_size(len) > segment.len - at) return false;
    if (get32(in) != crc32c(seed, in + 4, WAL_HEADER - 4)) return false;
    *out = (struct wal_record_header){
        .body_crc = get32(in + 4),
        .len = len,
        .first = get_position(in + 16),
        .last = get64(in + 32),
        .before = get_position(in + 40),
        .synced = get64(in + 56),
    };
    return true;
}

bool wal_record_is_whole(struct bytes segment, size_t at, uint32_t seed, const struct wal_record_header *h)
{
    return crc32c(seed, segment.data + at + WAL_HEADER, h->len) == h->body_crc;
}

bool wal_record_follows(const struct wal_record_header *h, struct store_position last)
{
    if (store_position_compare(h->before, last) != 0 || h->last < h->first.sequence) return false;
    return h->first.epoch >= last.epoch && h->first.sequence == last.sequence + 1;
}
