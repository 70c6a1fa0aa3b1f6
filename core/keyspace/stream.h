/* Streams: entries in the order of their ids, which only rise; each is some fields with values. How they are held shows nowhere.
 *
 * A small stream's payload is its entries, packed; a larger one's is the root of a counted tree by id. The head follows either. An entry is an element: key, the
 * id (16 bytes, big endian); value, its fields and values as packed elements. A stream that has become empty keeps its key. One with consumer groups
 * (stream_groups.h) is large, and begins with the root of their tree.
 *
 * A handle is opened on what keyspace_find gave for a key of the current database, a stream or no key (an empty one, then). Several may be open for
 * reading, one of them for changes, which keyspace_stream_close() writes. Positions count from 0 in order. */
#ifndef AIKV_KEYSPACE_STREAM_H
#define AIKV_KEYSPACE_STREAM_H

#include "keyspace/counted_tree.h"
#include "keyspace/draft.h"

#define KEYSPACE_STREAM_SMALL     1024                /* bytes of the entries of a small one */
#define KEYSPACE_STREAM_ENTRY_MAX ((size_t)64 << 20) /* bytes of an entry's packed fields */

struct stream_id {
    uint64_t ms, seq;
};
#define STREAM_ID_MAX ((struct stream_id){UINT64_MAX, UINT64_MAX})
static inline int stream_id_compare(struct stream_id a, struct stream_id b)
{
    if (a.ms != b.ms) return a.ms < b.ms ? -1 : 1;
    return a.seq < b.seq ? -1 : a.seq > b.seq;
}
/* The one after, or before. False: there is none, it is as it was. */
bool stream_id_next(struct stream_id *id);
bool stream_id_previous(struct stream_id *id);

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
    bool large;      /* as it is now */
    uint64_t count;
    struct stream_head head;
    struct draft draft;
    struct bytes packed; /* small: the entries, in the row or in the draft */
    struct counted_tree tree;
    bool has_groups, groups_changed; /* stream_groups.h */
    struct counted_tree groups;
};

struct stream_entry {
    struct stream_id id;
    struct bytes fields; /* packed elements: field, value */
};

void keyspace_stream_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *e, struct keyspace_stream *out);
void keyspace_stream_close(struct keyspace_stream *s);

/* The position of the first entry whose id is not below `id`; the count if there is none. Whether its id is `id`: `equal`, or NULL. */
uint64_t keyspace_stream_rank(struct keyspace_stream *s, struct stream_id id, bool *equal);

/* Entries from a position on, or back from it. Nothing is changed meanwhile; what is given lies in rows. */
struct keyspace_stream_walk {
    struct counted_tree_walk tree; /* large; of a small one, position and backwards */
    struct bytes rest;             /* small, forwards */
    struct packed_places places;   /* small, backwards */
};
void keyspace_stream_walk(struct keyspace_stream *s, uint64_t position, bool backwards, struct keyspace_stream_walk *w);
bool keyspace_stream_next(struct keyspace_stream *s, struct keyspace_stream_walk *w, struct stream_entry *out);

/* Adds an entry, whose id is above the last; its fields do not lie in rows and have KEYSPACE_STREAM_ENTRY_MAX bytes at most. */
void keyspace_stream_append(struct keyspace_stream *s, const struct stream_entry *entry);
/* Takes `count` entries out from a position on. */
void keyspace_stream_remove(struct keyspace_stream *s, uint64_t position, uint64_t count);
/* Another head, whose last id is not below any entry's. */
void keyspace_stream_set_head(struct keyspace_stream *s, const struct stream_head *head);

/* There is a tree for groups from now on; it has elements before the handle is closed. For stream_groups.c. */
void keyspace_stream_need_groups(struct keyspace_stream *s);

/* What must hold of a stream's entry. Errors: FORMAT. */
int keyspace_stream_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e);

#endif
