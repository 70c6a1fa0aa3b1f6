/* What the files of commands on consumer groups share. */
#ifndef AIKV_COMMAND_STREAM_GROUP_H
#define AIKV_COMMAND_STREAM_GROUP_H

#include "command/stream.h"
#include "keyspace/stream_groups.h"

/* Opens the stream of a key, and finds the group: `g->number` 0 if either is not there. False: wrong type, the error was replied. */
bool command_group_open(struct command_call *c, struct bytes key, struct bytes name, struct keyspace_stream *s, struct stream_group *g);
/* The same of arguments 1 and 2; what is not there is an error too. */
bool command_group_need(struct command_call *c, struct keyspace_stream *s, struct stream_group *g);
/* Whether a name is not too long for a group or consumer that is to be made; if it is, the error was replied. */
bool command_group_name_fits(struct command_call *c, struct bytes name);
/* The consumer of this name, made if it is not there, has been seen; returns its number. The name fits. */
uint64_t command_group_consumer(struct command_call *c, struct keyspace_stream *s, const struct stream_group *g, struct bytes name);

/* The entry of an id; false: it is not there (any more). */
bool command_stream_entry(struct keyspace_stream *s, struct stream_id id, struct stream_entry *out);

/* ---- how many entries were read, from the first ever; pure ---- */

/* What is known of a stream. */
struct stream_course {
    struct stream_head head;
    uint64_t count;
    struct stream_id first; /* of the first entry that is there; 0-0: none is */
};
struct stream_course command_stream_course(struct keyspace_stream *s);
/* The group reads on: the next entry for it is `id`. */
void stream_course_read(const struct stream_course *course, struct stream_group *g, struct stream_id id);
/* How many entries are to be read. False: where entries were deleted it cannot be told. */
bool stream_course_lag(const struct stream_course *course, const struct stream_group *g, int64_t *out);

#endif
