/* Ids of streams as requests and replies write them. Pure. */
#ifndef AIKV_COMMAND_STREAM_ID_H
#define AIKV_COMMAND_STREAM_ID_H

#include "base/number.h"
#include "keyspace/stream.h"

/* "ms-seq", or "ms" alone, which gets `missing_seq`; with `any_seq`, "ms-*" too, which sets it, and the sequence to 0. False: it is none. */
bool command_stream_id_parse(struct bytes text, uint64_t missing_seq, struct stream_id *out, bool *any_seq);

/* An end of a range: "-", "+", an id, or "(" and an id, which is left out. */
enum command_stream_end {
    STREAM_END_READ,
    STREAM_END_INVALID, /* it is none of these */
    STREAM_END_BEYOND,  /* no id is left on that side of the one left out */
};
enum command_stream_end command_stream_end_parse(struct bytes text, bool is_end, struct stream_id *out);

/* Writes "ms-seq" and a NUL; returns the length without the NUL. */
#define COMMAND_STREAM_ID_MAX (2 * NUMBER_TEXT_MAX)
size_t command_stream_id_format(char out[COMMAND_STREAM_ID_MAX], struct stream_id id);

#endif
