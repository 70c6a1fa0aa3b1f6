/* What commands on sorted sets share. */
#ifndef AIKV_COMMAND_ZSET_H
#define AIKV_COMMAND_ZSET_H

#include "command/call.h"
#include "keyspace/zset.h"

/* Opens the sorted set of a key; none is an empty one. False: wrong type, the error was replied. */
bool command_open_zset(struct command_call *c, struct bytes key, struct keyspace_zset *out);

/* How members are replied. */
struct command_scored_reply {
    bool scores;
    bool pairs; /* each member and its score as an array of their own */
};
static inline struct command_scored_reply command_scored_reply(const struct command_call *c, bool scores)
{
    return (struct command_scored_reply){scores, scores && c->reply->protocol >= 3};
}
void command_reply_scored_head(struct command_call *c, struct command_scored_reply how, uint64_t count);
void command_reply_scored(struct command_call *c, struct command_scored_reply how, const struct keyspace_scored *s);

/* A copy in the arena. */
struct keyspace_scored command_copy_scored(struct command_call *c, const struct keyspace_scored *s);

#endif
