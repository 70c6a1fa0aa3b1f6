/* The key's row of a stream. Private to the stream's files.
 *
 * Its payload: the groups' root, if there are any, and the entries', of a larger one · names (stream_names.h) · tail, the newest entries · head: base of ids, ms(8) · bytes of names(2) · entries
 * of the tail(2) · highest deleted id, ms(8) and sequence(8) · entries added(8) · last id(16). So adding an entry is one splice, of the entry and the head
 * behind it. */
#ifndef AIKV_KEYSPACE_STREAM_ROW_H
#define AIKV_KEYSPACE_STREAM_ROW_H

#include "keyspace/keyspace_state.h"
#include "keyspace/stream.h"
#include "keyspace/stream_names.h"

#define STREAM_HEAD_SIZE 52

/* Reads what s->en has into the handle. False: damaged. Names and tail are looked at by those who walk them. */
bool stream_row_read(struct keyspace_stream *s, uint32_t database_id);

#endif
