/* Keyspace notifications: messages of pub/sub that tell what happens to keys. A command on data says what it did, by Redis's name for it, after it
 * has done it and before or after its reply alike:
 *
 *     command_notify(c, NOTIFY_LIST, "lpush", c->argv[1]);
 *
 * That costs a look at one word when nobody has asked for the class (CONFIG notify-keyspace-events). Of expired keys and new ones the keyspace
 * tells itself. */
#ifndef AIKV_COMMAND_NOTIFY_H
#define AIKV_COMMAND_NOTIFY_H

#include "command/call.h"

/* Letters as in the setting. KEYSPACE and KEYEVENT say in which form, the others about what. */
enum {
    NOTIFY_KEYSPACE = 1 << 0, /* K: to __keyspace@<db>__:<key>, the event */
    NOTIFY_KEYEVENT = 1 << 1, /* E: to __keyevent@<db>__:<event>, the key */
    NOTIFY_GENERIC = 1 << 2,  /* g: of any type: del, expire, rename_from */
    NOTIFY_STRING = 1 << 3,   /* $ */
    NOTIFY_LIST = 1 << 4,     /* l */
    NOTIFY_SET = 1 << 5,      /* s */
    NOTIFY_HASH = 1 << 6,     /* h */
    NOTIFY_ZSET = 1 << 7,     /* z */
    NOTIFY_EXPIRED = 1 << 8,  /* x */
    NOTIFY_EVICTED = 1 << 9,  /* e */
    NOTIFY_STREAM = 1 << 10,  /* t */
    NOTIFY_MODULE = 1 << 11,  /* d: there are no modules */
    NOTIFY_NEW = 1 << 12,     /* n */
    NOTIFY_KEY_MISS = 1 << 13 /* m */
};

/* Tells of an event of one class about a key of the connection's database. */
void command_notify(struct command_call *c, unsigned class, const char *event, struct bytes key);
/* The same about a key of any database, from outside of commands too. */
void command_notify_in(struct command_engine *e, unsigned database, unsigned class, const char *event, struct bytes key);

/* Tells of what the keyspace has told of. */
void command_notify_change(struct command_engine *e, unsigned database, struct bytes key, enum keyspace_change change);

#endif
