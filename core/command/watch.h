/* WATCH: sessions that want to hear, when they say EXEC, whether keys have changed. A write costs a look-up by the key's name while anybody watches
 * anything in its database, and nothing else. */
#ifndef AIKV_COMMAND_WATCH_H
#define AIKV_COMMAND_WATCH_H

#include <sys/queue.h>

#include "base/names.h"

struct command_engine;
struct command_session;

TAILQ_HEAD(watch_list, watch);

/* A key that somebody watches. */
struct watched_key {
    struct names_entry entry; /* first: names_find gives it */
    unsigned database;
    struct watch_list watches;
    uint8_t name[];
};

/* One session's watch on one key. */
struct watch {
    struct names_entry entry; /* of its session's, named by the bytes of `key` */
    struct watched_key *key;
    struct command_session *session;
    bool present; /* whether there was such a key when the watch began */
    TAILQ_ENTRY(watch) in_key, in_session;
};

/* What a session watches. All zeros is one that watches nothing. */
struct watcher {
    struct names by_key;
    struct watch_list list; /* only while by_key has any */
    bool dirty;             /* one of the keys has changed */
};

/* Of an engine: the keys that are watched, for each database. */
struct watches {
    struct names *keys;
    size_t count; /* watches of all sessions */
    uint64_t seed[2];
};

void watches_init(struct watches *w, unsigned databases);
void watches_release(struct watches *w);

/* Watches a key of the session's database from now on. `present`: whether there is one. Nothing is done where it is watched already. */
void watch_add(struct command_engine *e, struct command_session *s, struct bytes key, bool present);
/* Ends all of a session's; it is not dirty any more. */
void watch_end(struct command_engine *e, struct command_session *s);
/* A key has changed. */
void watch_touch(struct command_engine *e, unsigned database, struct bytes key);
/* All keys of a database are going. */
void watch_flush(struct command_engine *e, unsigned database);
/* Two databases will change places. Within a command. */
void watch_swap(struct command_engine *e, unsigned a, unsigned b, int64_t now_ms);
/* Looks whether keys that the session watches have expired without having been told of; they make it dirty. Within a command. */
void watch_check(struct command_engine *e, struct command_session *s, int64_t now_ms);

#endif
