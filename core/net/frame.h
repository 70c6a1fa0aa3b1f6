/* Frames of the bus, and all their types. Pure: bytes in, bytes out.
 *
 *   header (16): magic "AiKV" · version(1) · type(1) · flags(2, 0) · payload length(4) · CRC-32C of the 12 bytes before(4), little endian
 *   payload
 *   trailer (24): sequence(8) · the first 16 bytes of HMAC-SHA-256(key of this direction, header · payload · sequence)
 * Sequences begin at 0 in each direction of a connection and rise by one: nothing can be injected, dropped or replayed unseen. */
#ifndef AIKV_NET_FRAME_H
#define AIKV_NET_FRAME_H

#include "base/buffer.h"
#include "base/error.h"

#define FRAME_VERSION      1
#define FRAME_HEADER_SIZE  16
#define FRAME_TRAILER_SIZE 24
#define FRAME_KEY_SIZE     32

/* FRAME_TYPE(name, number, largest payload). Payload layouts: control/message.h, meta/wire.h. Numbers are never used again. */
#define FRAME_TYPES(FRAME_TYPE)                                                                                               \
    FRAME_TYPE(ANNOUNCE, 1, 8192)              /* who I am; both sides send it first */                                       \
    FRAME_TYPE(PULSE, 2, 1024)                 /* leader to everyone: I lead, this is the metadata version */                 \
    FRAME_TYPE(PULSE_ACK, 3, 8192)             /* node to leader: what I have, how I am */                                    \
    FRAME_TYPE(METADATA_SNAPSHOT, 4, 32 << 20) /* leader to node: the whole state */                                          \
    FRAME_TYPE(METADATA_DELTA, 5, 4 << 20)     /* leader to node: the commands after a version */                             \
    FRAME_TYPE(CALL, 6, 1 << 20)               /* an administrative command for the leader */                                 \
    FRAME_TYPE(CALL_REPLY, 7, 32 << 20)                                                                                       \
    FRAME_TYPE(CANDIDATE, 8, 8192)             /* a member passes a candidate's announcement to the leader */                 \
    FRAME_TYPE(RAFT, 9, 40 << 20)              /* a message of libraft's */                                                   \
    FRAME_TYPE(LOAD, 10, 256 << 10)            /* node to leader: how it is, and the slots it serves */                       \
    FRAME_TYPE(LOAD_ACK, 11, 1024)             /* leader to node: it has that */                                              \
    FRAME_TYPE(PUBLISH, 12, 4 << 20)           /* member to every other: a message of pub/sub */

enum frame_type {
#define FRAME_TYPE(name, number, max) FRAME_##name = number,
    FRAME_TYPES(FRAME_TYPE)
#undef FRAME_TYPE
};

/* "ANNOUNCE"; NULL for a number that is no type. */
const char *frame_type_name(unsigned type);
/* The largest payload, 0 for a number that is no type. */
size_t frame_payload_max(unsigned type);

/* Appends a whole frame. `key` is the direction's, `sequence` its next number (the caller counts). Payload over the type's maximum: LIMIT. */
int frame_write(struct buffer *out, const uint8_t key[FRAME_KEY_SIZE], uint64_t sequence, enum frame_type type, struct bytes payload,
                struct error *e);

struct frame {
    enum frame_type type;
    struct bytes payload; /* into the input */
    size_t size;          /* bytes of the input it took */
};
enum frame_status { FRAME_MORE, FRAME_READY, FRAME_BAD };
/* Looks for the frame with this sequence at the beginning of `input`. The header is judged as soon as it is there, so that nothing is
 * kept for a frame that will be refused. FRAME_BAD: `e` says why; close the connection. */
enum frame_status frame_read(struct bytes input, const uint8_t key[FRAME_KEY_SIZE], uint64_t sequence, struct frame *out,
                             struct error *e);

#endif
