#include "command/watch.h"

#include <stdlib.h>

#include "base/random.h"
#include "command/engine.h"

void watches_init(struct watches *w, unsigned databases)
{
    *w = (struct watches){.keys = calloc(databases, sizeof *w->keys)};
    if (!w->keys) abort();
    random_bytes(w->seed, sizeof w->seed);
    for (unsigned db = 0; db < databases; db++) names_init(&w->keys[db], w->seed);
}

void watches_release(struct watches *w)
{
    free(w->keys);
}

/* ---- beginning and ending ---- */

static struct watched_key *need_key(struct watches *w, unsigned database, struct bytes name)
{
    struct watched_key *key = (struct watched_key *)names_find(&w->keys[database], name);
    if (key) return key;
    key = malloc(sizeof *key + name.len);
    if (!key) abort();
    *key = (struct watched_key){.entry.name = bytes_of(key->name, name.len), .database = database};
    if (name.len) memcpy(key->name, name.data, name.len);
    TAILQ_INIT(&key->watches);
    names_add(&w->keys[database], &key->entry);
    return key;
}

/* What a watch is taken to cost: all of its key's entry, though others may share that. */
static size_t memory_of(const struct watched_key *key)
{
    return sizeof(struct watch) + sizeof *key + key->entry.name.len;
}

void watch_add(struct command_engine *e, struct command_session *s, struct bytes key, bool present)
{
    struct watcher *mine = &s->watcher;
    struct watched_key *watched = need_key(&e->watches, s->database, key);
    if (names_find(&mine->by_key, bytes_of(&watched, sizeof watched))) return;
    if (!mine->by_key.count) {
        names_init(&mine->by_key, e->watches.seed);
        TAILQ_INIT(&mine->list);
    }
    struct watch *w = malloc(sizeof *w);
    if (!w) abort();
    *w = (struct watch){.key = watched, .session = s, .present = present};
    w->entry.name = bytes_of(&w->key, sizeof w->key);
    names_add(&mine->by_key, &w->entry);
    TAILQ_INSERT_TAIL(&mine->list, w, in_session);
    TAILQ_INSERT_TAIL(&watched->watches, w, in_key);
    e->watches.count++;
    command_session_keep(s, memory_of(w->key));
}

static void end_watch(struct command_engine *e, struct watch *w)
{
    struct watcher *mine = &w->session->watcher;
    struct watched_key *key = w->key;
    command_session_let_go(w->session, memory_of(key));
    names_remove(&mine->by_key, &w->entry);
    TAILQ_REMOVE(&mine->list, w, in_session);
    TAILQ_REMOVE(&key->watches, w, in_key);
    e->watches.count--;
    free(w);
    if (!TAILQ_EMPTY(&key->watches)) return;
    names_remove(&e->watches.keys[key->database], &key->entry);
    free(key);
}

void watch_end(struct command_engine *e, struct command_session *s)
{
    while (s->watcher.by_key.count) end_watch(e, TAILQ_FIRST(&s->watcher.list));
    s->watcher.dirty = false;
}

/* ---- changes ---- */

void watch_touch(struct command_engine *e, unsigned database, struct bytes key)
{
    if (!e->watches.count) return;
    struct watched_key *found = (struct watched_key *)names_find(&e->watches.keys[database], key);
    struct watch *w;
    if (!found) return;
    TAILQ_FOREACH(w, &found->watches, in_key) w->session->watcher.dirty = true;
}

void watch_flush(struct command_engine *e, unsigned database)
{
    const struct names *keys = &e->watches.keys[database];
    for (struct names_entry *at = names_next(keys, NULL); at; at = names_next(keys, at)) {
        struct watch *w;
        TAILQ_FOREACH(w, &((struct watched_key *)at)->watches, in_key) w->session->watcher.dirty |= w->present;
    }
}

static bool is_there(struct command_engine *e, unsigned database, struct bytes key, int64_t now_ms)
{
    keyspace_begin(e->keyspace, database, now_ms);
    keyspace_only_look(e->keyspace, true);
    bool there = keyspace_find(e->keyspace, key).type != KEYSPACE_NONE;
    keyspace_end(e->keyspace);
    return there;
}

/* Keys that were not there, and are not in the database that comes, have not changed. */
static void replace(struct command_engine *e, unsigned database, unsigned by, int64_t now_ms)
{
    const struct names *keys = &e->watches.keys[database];
    for (struct names_entry *at = names_next(keys, NULL); at; at = names_next(keys, at)) {
        bool comes = is_there(e, by, at->name, now_ms);
        struct watch *w;
        TAILQ_FOREACH(w, &((struct watched_key *)at)->watches, in_key) w->session->watcher.dirty |= w->present || comes;
    }
}

void watch_swap(struct command_engine *e, unsigned a, unsigned b, int64_t now_ms)
{
    if (a == b) return;
    replace(e, a, b, now_ms);
    replace(e, b, a, now_ms);
}

void watch_check(struct command_engine *e, struct command_session *s, int64_t now_ms)
{
    struct watch *w;
    if (!s->watcher.by_key.count) return;
    TAILQ_FOREACH(w, &s->watcher.list, in_session)
    {
        if (s->watcher.dirty) return;
        s->watcher.dirty = is_there(e, w->key->database, w->key->entry.name, now_ms) != w->present;
    }
}
