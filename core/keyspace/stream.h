/* Streams: entries in the order of their ids, which only rise; each is some fields with values (stream_entry.h). How they are held shows nowhere.
 *
 * The newest entries, the tail, are in the key's row, so that adding one changes that row alone, mostly. When they have grown too many they all go into a counted
 * tree by id, which a larger stream has for those before its tail. A stream that has become empty keeps its key. One with
 * consumer groups (stream_groups.h) has both trees.
 *
 * A handle is opened on what keyspace_find gave for a key of the current database, a stream or no key (an empty one, then). Several may be open for
 * reading, one of them for changes, which keyspace_stream_close() writes. Positions count from 0 in order. */
#ifndef AIKV_KEYSPACE_STREAM_H
#define AIKV_KEYSPACE_STREAM_H

#include "keyspace/counted_tree.h"
#include "keyspace/draft.h"
#include "keyspace/stream_entry.h"

#define KEYSPACE_STREAM_TAIL_MAX  1024               /* bytes */
#define KEYSPACE_STREAM_ENTRY_MAX ((size_t)64 << 20) /* bytes that stream_fields_room() tells of an entry */

/* What is known of a stream beside its entries. */
struct stream_head {
    struct stream_id last;        /* no entry's id is above, the next one's is */
    struct stream_id max_deleted; /* the highest that was deleted by its id; 0-0: none was */
    uint64_t added;               /* entries that ever were */
};

struct keyspace_stream {
    struct keyspace *ks;
    struct bytes key;
    bool exists, changed;
    struct entry en; /* as it was found */
    bool large;      /* as it is now: it has a tree */
    uint64_t count;
    struct stream_head head;
    uint64_t base_ms; /* ids are kept as what they are above it */
    struct draft draft;
    size_t roots;                      /* bytes of the payload before the names */
    struct bytes payload, names, tail; /* in the row or in the draft */
    uint16_t tail_count;
    struct counted_tree tree;
    bool tree_changed;               /* its root is not what the row says */
    bool has_groups, groups_changed; /* stream_groups.h */
    struct counted_tree groups;
};

void keyspace_stream_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *e, struct keyspace_stream *out);
void keyspace_stream_close(struct keyspace_stream *s);

/* The position of the first entry whose id is not below `id`; the count if there is none. Whether its id is `id`: `equal`, or NULL. */
uint64_t keyspace_stream_rank(struct keyspace_stream *s, struct stream_id id, bool *equal);

/* Entries from a position on, or back from it. Nothing is changed meanwhile; what is given lies in rows. */
struct keyspace_stream_walk {
    uint64_t position;
    bool backwards;
    struct counted_tree_walk tree;
    struct bytes rest;           /* of the tail, forwards */
    struct packed_places places; /* of the tail, backwards */
};
void keyspace_stream_walk(struct keyspace_stream *s, uint64_t position, bool backwards, struct keyspace_stream_walk *w);
bool keyspace_stream_next(struct keyspace_stream *s, struct keyspace_stream_walk *w, struct stream_entry *out);

/* Adds an entry, whose id is above the last, with `count` fields, at least one, each a name and its value behind it. They do not lie in rows; `room` has
 * stream_fields_room() bytes, KEYSPACE_STREAM_ENTRY_MAX at most. */
void keyspace_stream_append(struct keyspace_stream *s, struct stream_id id, const struct bytes *fields, size_t count, uint8_t *room);
/* Takes `count` entries out from a position on. */
void keyspace_stream_remove(struct keyspace_stream *s, uint64_t position, uint64_t count);
/* Another head, whose last id is not below any entry's. */
void keyspace_stream_set_head(struct keyspace_stream *s, const struct stream_head *head);

/* There is a tree for groups from now on; it has elements before the handle is closed. For stream_groups.c. */
void keyspace_stream_need_groups(struct keyspace_stream *s);

/* What must hold of a stream's entry. Errors: FORMAT. */
int keyspace_stream_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e);

#endif
