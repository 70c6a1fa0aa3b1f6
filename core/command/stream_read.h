/* What XREAD and XREADGROUP share. */
#ifndef AIKV_COMMAND_STREAM_READ_H
#define AIKV_COMMAND_STREAM_READ_H

#include "command/stream.h"

struct stream_read {
    const struct bytes *keys;
    size_t count; /* of keys */
    int ids_at;   /* the argument with the first one's id */
    int64_t most; /* entries of each; 0: all */
    bool blocks;
    int64_t timeout_ms;
    int group_at; /* XREADGROUP: the group's argument, its consumer's follows */
    bool no_ack;
    struct stream_id *ids; /* entries above these are asked for */
};

/* The options and which arguments are keys; `ids` is for the caller. False: the error was replied. */
bool command_stream_parse_read(struct command_call *c, bool by_group, struct stream_read *out);
/* The same once more, for one that has waited. */
void command_stream_parse_waited(struct command_call *c, bool by_group, struct stream_read *out);

/* How many entries lie above an id, and where they begin. */
uint64_t command_stream_above(struct keyspace_stream *s, struct stream_id id, uint64_t *first);
/* The reply's beginning: so many streams, of each its key and what was read. */
void command_stream_reply_read(struct command_call *c, size_t streams);
void command_stream_reply_key(struct command_call *c, struct bytes key);

#endif
