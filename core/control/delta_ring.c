#include "control/delta_ring.h"

#include <stdlib.h>

#include "base/codec.h"

static void drop_oldest(struct delta_ring *r)
{
    struct bytes *oldest = &r->commands[r->first % DELTA_RING_COMMANDS];
    r->bytes -= oldest->len;
    free((void *)oldest->data);
    *oldest = (struct bytes){0};
    if (r->first == r->last)
        r->first = r->last = 0;
    else
        r->first++;
}

void delta_ring_clear(struct delta_ring *r)
{
    while (r->last) drop_oldest(r);
}

void delta_ring_add(struct delta_ring *r, uint64_t version, struct bytes command)
{
    if (r->last && version != r->last + 1) delta_ring_clear(r);
    if (command.len > DELTA_RING_BYTES_MAX) {
        delta_ring_clear(r);
        return;
    }
    uint8_t *copy = malloc(command.len ? command.len : 1);
    if (!copy) abort();
    memcpy(copy, command.data, command.len);
    while (r->last && (r->last - r->first + 1 == DELTA_RING_COMMANDS || r->bytes + command.len > DELTA_RING_BYTES_MAX))
        drop_oldest(r);
    if (!r->last) r->first = version;
    r->last = version;
    r->commands[version % DELTA_RING_COMMANDS] = bytes_of(copy, command.len);
    r->bytes += command.len;
}

uint32_t delta_ring_since(const struct delta_ring *r, uint64_t from_version, struct buffer *out)
{
    if (!r->last || from_version + 1 < r->first || from_version >= r->last) return 0;
    for (uint64_t v = from_version + 1; v <= r->last; v++) write_bytes(out, r->commands[v % DELTA_RING_COMMANDS]);
    return (uint32_t)(r->last - from_version);
}
