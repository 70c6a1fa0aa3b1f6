#include "net/frame.h"

#include "base/codec.h"
#include "base/crc.h"
#include "net/crypto.h"

#define MAGIC         "AiKV"
#define CRC_AT        12 /* the header's bytes before its CRC */
#define SEQUENCE_SIZE 8
#define MAC_SIZE      (FRAME_TRAILER_SIZE - SEQUENCE_SIZE)

_Static_assert(FRAME_KEY_SIZE == CRYPTO_MAC_SIZE, "frames are keyed with what HKDF gives");

const char *frame_type_name(unsigned type)
{
    switch (type) {
#define FRAME_TYPE(name, number, max)                                                                                  \
    case number: return #name;
        FRAME_TYPES(FRAME_TYPE)
#undef FRAME_TYPE
    default: return NULL;
    }
}

size_t frame_payload_max(unsigned type)
{
    switch (type) {
#define FRAME_TYPE(name, number, max)                                                                                  \
    case number: return max;
        FRAME_TYPES(FRAME_TYPE)
#undef FRAME_TYPE
    default: return 0;
    }
}

int frame_write(struct buffer *out, const uint8_t key[FRAME_KEY_SIZE], uint64_t sequence, enum frame_type type,
                struct bytes payload, struct error *e)
{
    if (payload.len > frame_payload_max(type)) {
        const char *name = frame_type_name(type);
        return error_set(e, ERROR_LIMIT, "a frame %s of %zu bytes is over the %zu allowed", name ? name : "of no type",
                         payload.len, frame_payload_max(type));
    }
    /* All room at once: a frame is appended whole or not at all. */
    if (!buffer_reserve(out, FRAME_HEADER_SIZE + payload.len + FRAME_TRAILER_SIZE))
        return error_set(e, ERROR_OOM, "no room for a frame of %zu bytes", payload.len);
    size_t start = out->len;
    buffer_append(out, MAGIC, 4);
    write_u8(out, FRAME_VERSION);
    write_u8(out, (uint8_t)type);
    write_u16(out, 0);
    write_u32(out, (uint32_t)payload.len);
    write_u32(out, crc32c(0, out->data + start, CRC_AT));
    buffer_append(out, payload.data, payload.len);
    write_u64(out, sequence);
    uint8_t mac[CRYPTO_MAC_SIZE];
    struct bytes covered = {out->data + start, out->len - start};
    crypto_mac(key, &covered, 1, mac);
    buffer_append(out, mac, MAC_SIZE);
    return 0;
}

struct header {
    unsigned type;
    size_t len;
};

/* Judges a header by itself. What is refused here has cost 16 bytes. */
static int read_header(struct bytes input, struct header *out, struct error *e)
{
    struct reader r = reader_of(bytes_of(input.data, FRAME_HEADER_SIZE));
    read_raw(&r, 4);
    unsigned version = read_u8(&r);
    out->type = read_u8(&r);
    unsigned flags = read_u16(&r);
    out->len = read_u32(&r);
    if (read_u32(&r) != crc32c(0, input.data, CRC_AT)) return error_set(e, ERROR_FORMAT, "a frame's header is damaged");
    if (version != FRAME_VERSION)
        return error_set(e, ERROR_FORMAT, "a frame of version %u, this node speaks %d", version, FRAME_VERSION);
    const char *name = frame_type_name(out->type);
    if (!name) return error_set(e, ERROR_FORMAT, "a frame of unknown type %u (from a newer version?)", out->type);
    if (flags != 0) return error_set(e, ERROR_FORMAT, "a frame %s with unknown flags 0x%x", name, flags);
    if (out->len > frame_payload_max(out->type))
        return error_set(e, ERROR_LIMIT, "a frame %s of %zu bytes is over the %zu allowed", name, out->len,
                         frame_payload_max(out->type));
    return 0;
}

enum frame_status frame_read(struct bytes input, const uint8_t key[FRAME_KEY_SIZE], uint64_t sequence,
                             struct frame *out, struct error *e)
{
    size_t seen = input.len < 4 ? input.len : 4;
    if (seen && memcmp(input.data, MAGIC, seen) != 0) {
        error_set(e, ERROR_FORMAT, "no frame where one should begin");
        return FRAME_BAD;
    }
    if (input.len < FRAME_HEADER_SIZE) return FRAME_MORE;
    struct header header;
    if (read_header(input, &header, e) != 0) return FRAME_BAD;
    size_t covered = FRAME_HEADER_SIZE + header.len + SEQUENCE_SIZE;
    if (input.len < covered + MAC_SIZE) return FRAME_MORE;

    uint8_t mac[CRYPTO_MAC_SIZE];
    struct bytes part = bytes_of(input.data, covered);
    crypto_mac(key, &part, 1, mac);
    if (!crypto_equal(mac, input.data + covered, MAC_SIZE)) {
        error_set(e, ERROR_FORMAT, "a frame %s is not genuine (wrong MAC)", frame_type_name(header.type));
        return FRAME_BAD;
    }
    struct reader r = reader_of(bytes_of(input.data + covered - SEQUENCE_SIZE, SEQUENCE_SIZE));
    uint64_t found = read_u64(&r);
    if (found != sequence) {
        error_set(e, ERROR_FORMAT, "a frame %s with sequence %llu where %llu is due (replayed or lost)",
                  frame_type_name(header.type), (unsigned long long)found, (unsigned long long)sequence);
        return FRAME_BAD;
    }
    *out = (struct frame){(enum frame_type)header.type, bytes_of(input.data + FRAME_HEADER_SIZE, header.len),
                          covered + MAC_SIZE};
    return FRAME_READY;
}
