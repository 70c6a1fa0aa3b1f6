/* What the files of commands on streams share. */
#ifndef AIKV_COMMAND_STREAM_H
#define AIKV_COMMAND_STREAM_H

#include "command/call.h"
#include "keyspace/stream.h"

/* Argument `i` as an id; false: the error was replied. */
bool command_stream_id(struct command_call *c, int i, struct stream_id *out);
/* Replies with `count` entries, which there are, from a position on, or back from it. */
void command_stream_reply(struct command_call *c, struct keyspace_stream *s, uint64_t position, bool backwards, uint64_t count);

#endif
