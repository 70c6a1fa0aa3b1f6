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
    bool keyed; /* the key comes first, in the same array */
};
static inline struct command_scored_reply command_scored_reply(const struct command_call *c, bool scores)
{
    return (struct command_scored_reply){.scores = scores, .pairs = scores && c->reply->protocol >= 3};
}
void command_reply_scored_head(struct command_call *c, struct command_scored_reply how, uint64_t count);
void command_reply_scored(struct command_call *c, struct command_scored_reply how, const struct keyspace_scored *s);

/* The first (or last) `count` or fewer members: replied, then taken out, and the set closed. */
void command_zset_pop(struct command_call *c, struct keyspace_zset *z, struct bytes key, bool last, uint64_t count, struct command_scored_reply how);

/* The arguments of ZMPOP and BZMPOP. */
struct command_zset_mpop {
    const struct bytes *keys;
    size_t key_count;
    bool last;
    int64_t count;
};
/* From the number of keys on, at argument `at`. False: the error was replied. */
bool command_zset_parse_mpop(struct command_call *c, int at, struct command_zset_mpop *out);
/* Pops from the first key that has members. False: none has, nothing was replied. */
bool command_zset_mpop(struct command_call *c, const struct command_zset_mpop *m);

/* keyspace_scored_compare, for qsort. */
int command_compare_scored(const void *a, const void *b);
/* Whether a member is not too long; if it is, the error was replied. */
bool command_scored_member_fits(struct command_call *c, struct bytes member);

/* A copy in the arena. */
struct keyspace_scored command_copy_scored(struct command_call *c, const struct keyspace_scored *s);

/* Closes a sorted set that members were taken out of, and tells of it by the event (NULL: there were none), and of its end if that was all. */
void command_zset_close_removed(struct command_call *c, struct keyspace_zset *z, struct bytes key, const char *event);
/* keyspace_zset_store, and tells of it by the event, or of a key that was deleted for nothing to store. */
void command_zset_store(struct command_call *c, struct bytes key, const struct keyspace_scored *members, size_t count, const char *event);

#endif
