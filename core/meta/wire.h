/* libraft's messages as bytes, and back. Pure.
 *
 *   format(1) · type(1) · version(1) · flags(1) · term(8) · fields of the type, little endian
 *
 * libraft's own encoding is not used: it carries lengths that its decoder believes, and the library's checks of what is
 * inside are assertions, which the packaged build leaves out. So everything libraft takes for granted about a message
 * alone is checked here; what depends on this member's own log and term is checked in receive.c. */
#ifndef AIKV_META_WIRE_H
#define AIKV_META_WIRE_H

#include <raft.h>

#include "base/codec.h"
#include "base/error.h"

#define META_WIRE_FORMAT       1
#define META_WIRE_MESSAGE_MAX  (40u << 20) /* the bus's bound for a RAFT frame */
#define META_WIRE_PART_MAX     (1u << 20)  /* entries of one AppendEntries beyond this go into a further one */
#define META_WIRE_ENTRIES_MAX  8192        /* libraft is told to have no more in flight */
#define META_WIRE_ENTRY_MAX    (4u << 20)  /* bytes of one entry; fits libraft's segment of 8 MiB */
#define META_WIRE_SNAPSHOT_MAX (32u << 20)
#define META_WIRE_SERVERS_MAX  64 /* members of a configuration */
#define META_WIRE_INDEX_MAX    (UINT64_C(1) << 56)
#define META_WIRE_TERM_MAX     (UINT64_C(1) << 48)

/* Room for a raft id as text, which is the address libraft knows a member by. */
#define META_WIRE_ADDRESS_SIZE 24
void meta_wire_address(uint64_t raft_id, char out[META_WIRE_ADDRESS_SIZE]);

typedef void (*meta_wire_emit)(void *user, struct bytes message);

/* Encodes `message` in `scratch` (cleared each time) and hands the bytes to `emit`. An AppendEntries may become
 * several: parts are cut at META_WIRE_PART_MAX, and before each RAFT_CHANGE. A follower of 0.22.1 takes a change that
 * is not the first new entry for one at another index, never learns that it is committed, and would keep the
 * configuration before it in its next snapshot. Returns whether all was handed over; false: a limit above is exceeded.
 */
bool meta_wire_write(const struct raft_message *message, struct buffer *scratch, meta_wire_emit emit, void *user);

/* Decodes a message from `from`. Memory is allocated as libraft's own decoder does, so that libraft can take it over:
 * all entries in one batch, the entries' array, a snapshot's configuration and data, each from raft_malloc.
 * `server_address` is left NULL. Errors: FORMAT, naming what is wrong; nothing is to be released then. */
int meta_wire_read(struct bytes in, uint64_t from, struct raft_message *out, struct error *e);
/* For a message that libraft does not get. */
void meta_wire_release(struct raft_message *message);

#endif
