/* The newest commands that changed the metadata, for nodes that are only a little behind. Bounded in number and bytes;
 * pure. */
#ifndef AIKV_CONTROL_DELTA_RING_H
#define AIKV_CONTROL_DELTA_RING_H

#include "base/buffer.h"

#define DELTA_RING_COMMANDS  1024u
#define DELTA_RING_BYTES_MAX (1u << 20)

struct delta_ring {
    struct bytes commands[DELTA_RING_COMMANDS]; /* owned; slot of a version: version % DELTA_RING_COMMANDS */
    uint64_t first, last;                       /* versions that the oldest and the newest led to; last 0: empty */
    size_t bytes;
};

void delta_ring_clear(struct delta_ring *r);
/* `command` led to `version`. A gap to the version before empties the ring first. */
void delta_ring_add(struct delta_ring *r, uint64_t version, struct bytes command);
/* Appends the commands that lead from a version to the newest, each with its length. Returns how many; 0: not all of
 * them are here. */
uint32_t delta_ring_since(const struct delta_ring *r, uint64_t from_version, struct buffer *out);

#endif
