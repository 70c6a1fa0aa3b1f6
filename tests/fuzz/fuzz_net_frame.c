/* Frames as they come from a hostile network, and as they would come from somebody who has the key.
 *
 * Input: a byte, then either (even) the bytes of the connection, none of which may pass for a frame, or (odd) what
 * stands in a header behind the magic, up to its CRC, and a payload; CRC, sequence and MAC are put right, and what
 * frame_read must say is known. */
#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/crc.h"
#include "net/crypto.h"
#include "net/frame.h"

#define FIELDS_SIZE 8 /* version, type, flags, length */

static const uint8_t key[FRAME_KEY_SIZE] = "the key of this direction";

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

/* From memory of its exact size, so that a sanitizer sees one byte more. */
static enum frame_status read_exactly(struct bytes input, uint64_t sequence, struct frame *out)
{
    uint8_t *copy = malloc(input.len ? input.len : 1);
    if (input.len) memcpy(copy, input.data, input.len);
    struct error e = {0};
    enum frame_status status = frame_read(bytes_of(copy, input.len), key, sequence, out, &e);
    must((status == FRAME_BAD) == (e.text[0] != 0), "a frame is refused with a text, and only then");
    if (status == FRAME_READY) {
        must(out->size <= input.len, "a frame is within its input");
        must(out->payload.data >= copy && out->payload.data + out->payload.len <= copy + out->size,
             "so is its payload");
    }
    free(copy);
    return status;
}

static void seal(struct buffer *b, struct bytes fields, struct bytes payload, uint64_t sequence)
{
    buffer_append(b, "AiKV", 4);
    buffer_append(b, fields.data, fields.len);
    write_u32(b, crc32c(0, b->data, b->len));
    buffer_append(b, payload.data, payload.len);
    write_u64(b, sequence);
    struct bytes covered = buffer_bytes(b);
    uint8_t mac[CRYPTO_MAC_SIZE];
    crypto_mac(key, &covered, 1, mac);
    buffer_append(b, mac, FRAME_TRAILER_SIZE - 8);
}

/* The format, said a second time. */
static enum frame_status expected(struct bytes fields, size_t payload_len)
{
    struct reader r = reader_of(fields);
    unsigned version = read_u8(&r), type = read_u8(&r), flags = read_u16(&r);
    size_t len = read_u32(&r);
    if (version != FRAME_VERSION || flags || !frame_type_name(type) || len > frame_payload_max(type)) return FRAME_BAD;
    if (len > payload_len) return FRAME_MORE;
    return len == payload_len ? FRAME_READY : FRAME_BAD; /* a shorter length leaves the MAC at a wrong place */
}

static void check_sealed(struct bytes fields, struct bytes payload)
{
    uint64_t sequence = fields.data[0] + payload.len;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    seal(&b, fields, payload, sequence);
    if (b.failed) {
        buffer_release(&b);
        return;
    }
    struct frame f;
    enum frame_status status = read_exactly(buffer_bytes(&b), sequence, &f);
    must(status == expected(fields, payload.len), "a sealed frame is judged by the format");
    if (status == FRAME_READY) {
        must(f.size == b.len && f.payload.len == payload.len, "a frame is read whole");
        must(read_exactly(buffer_bytes(&b), sequence + 1, &f) == FRAME_BAD, "a frame is read once");
        must(read_exactly(bytes_of(b.data, b.len - 1), sequence, &f) == FRAME_MORE, "a torn frame waits");
        b.data[payload.len % b.len] ^= 1;
        must(read_exactly(buffer_bytes(&b), sequence, &f) != FRAME_READY, "a changed frame is not taken");
    }
    buffer_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + FIELDS_SIZE) return 0;
    struct bytes rest = {data + 1, size - 1};
    struct frame f;
    if (data[0] & 1)
        check_sealed(bytes_of(rest.data, FIELDS_SIZE), bytes_of(rest.data + FIELDS_SIZE, rest.len - FIELDS_SIZE));
    else
        must(read_exactly(rest, 0, &f) != FRAME_READY, "nobody without the key makes a frame");
    return 0;
}
