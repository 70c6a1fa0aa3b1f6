/* What the files of commands on streams share. */
#ifndef AIKV_COMMAND_STREAM_H
#define AIKV_COMMAND_STREAM_H

#include "command/call.h"
#include "keyspace/stream.h"

/* Opens the stream of a key; none is an empty one. False: wrong type, the error was replied. */
bool command_open_stream(struct command_call *c, struct bytes key, struct keyspace_stream *out);
/* Replies with an error; false, for those who return it. */
static inline bool command_stream_refuse(struct command_call *c, const char *text)
{
    resp_error(c->reply, ERROR_SYNTAX, "%s", text);
    return false;
}
static inline bool command_stream_refuse_id(struct command_call *c)
{
    return command_stream_refuse(c, "Invalid stream ID specified as stream command argument");
}

/* Argument `i` as an id ("ms" alone is ms-0), or as an end of a range (stream_id.h); false: the error was replied. */
bool command_stream_id(struct command_call *c, int i, struct stream_id *out);
bool command_stream_end(struct command_call *c, int i, bool is_end, struct stream_id *out);

void command_stream_reply_id(struct command_call *c, struct stream_id id);
/* An entry's id, and its fields and values. */
void command_stream_reply_entry(struct command_call *c, const struct stream_entry *entry);
/* `count` entries, which there are, from a position on, or back from it. */
void command_stream_reply(struct command_call *c, struct keyspace_stream *s, uint64_t position, bool backwards, uint64_t count);

/* ---- trimming ---- */

struct command_stream_trim {
    enum { TRIM_NONE, TRIM_LENGTH, TRIM_ID } by;
    bool about, limit_given, no_stream;
    int64_t length, limit; /* 0: no limit */
    uint64_t step;         /* entries go so many at a time, or all; 0: any number */
    struct stream_id id;
};
/* Options from argument 2 on; `*at` is the first that is none, for XADD (`adds`), which has NOMKSTREAM too. False: the error was replied. */
bool command_stream_parse_trim(struct command_call *c, bool adds, struct command_stream_trim *out, int *at);
/* Whether the options go together; after what follows them was read. False: the error was replied. */
bool command_stream_check_trim(struct command_call *c, bool adds, struct command_stream_trim *t);
/* Returns how many entries went. */
uint64_t command_stream_trim(struct keyspace_stream *s, const struct command_stream_trim *t);

#define STREAM_TRIM_SYNTAX "(strategy: MAXLEN | MINID) [operator: equal== | approximately=~] threshold [LIMIT count]"

#endif
