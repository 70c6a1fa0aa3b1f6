/* What DUMP and RESTORE have in files of their own: streams. */
#ifndef AIKV_COMMAND_DUMP_H
#define AIKV_COMMAND_DUMP_H

#include "command/call.h"
#include "keyspace/stream.h"
#include "rdb/rdb.h"

void command_dump_stream(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out);

/* A copy in the arena. */
static inline struct bytes command_restore_copy(struct command_call *c, struct bytes b)
{
    uint8_t *data = arena_alloc(c->arena, b.len + 1);
    if (b.len) memcpy(data, b.data, b.len);
    return bytes_of(data, b.len);
}

enum command_verdict { PAYLOAD_SOUND, PAYLOAD_DAMAGED, PAYLOAD_TOO_LARGE };
/* Reads a stream's payload to its end, into a stream without entries, or, for NULL, to see whether it is sound. */
enum command_verdict command_restore_stream(struct command_call *c, struct rdb_reader *r, struct keyspace_stream *into);

#endif
