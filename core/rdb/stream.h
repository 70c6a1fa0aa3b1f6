/* The value of RDB_STREAM: entries by listpacks of some, the head, consumer groups. It is read in this order: entries until there are none, the head, for each
 * group what is pending, then its consumers with the ids of theirs. Pure.
 *
 *   listpacks(count) · each: id(16) · listpack ·· length · ids: last, first, highest deleted · entries ever ·· groups(count)
 *   a listpack: entries, deleted ones, names(count), names, 0 · each entry: flags, its id above the listpack's(2), [fields(count)], fields, its size in elements
 *   a group: name · last id · entries read ·· pending(count) · each: id(16) · when(8) · deliveries ·· consumers(count)
 *   a consumer: name · when seen(8) ·· pending(count) · ids(16) */
#ifndef AIKV_RDB_STREAM_H
#define AIKV_RDB_STREAM_H

#include "rdb/rdb.h"

struct rdb_id {
    uint64_t ms, seq;
};

/* ---- reading; what is damaged sets the reader's `failed`, and all that follows is 0 or false ---- */

struct rdb_stream_reader {
    struct rdb_reader *r; /* open, of type RDB_STREAM */
    struct rdb_id base, before; /* of the listpack; the last entry's */
    int64_t live, deleted;     /* entries of it that are to come */
    uint64_t name_count;
    struct listpack_reader names; /* the listpack's, from the first on, ... */
    struct listpack_reader next;  /* ... and those that are left, of an entry that has them */
    bool same;
    uint64_t fields; /* of the entry, that were not read */
};
void rdb_stream_open(struct rdb_stream_reader *s, struct rdb_reader *r);
/* The next entry that was not deleted: its id, which rises, and how many fields it has. False: there is none. */
bool rdb_stream_next(struct rdb_stream_reader *s, struct rdb_id *id, uint64_t *fields);
/* Its next field: to be called once for each. */
bool rdb_stream_field(struct rdb_stream_reader *s, struct rdb_element *out);

struct rdb_stream_head {
    uint64_t length, added, groups;
    struct rdb_id last, first, max_deleted;
};
void rdb_stream_head(struct rdb_stream_reader *s, struct rdb_stream_head *out);

struct rdb_stream_group {
    struct bytes name; /* until the next string is read */
    struct rdb_id last;
    uint64_t read, pending; /* read: UINT64_MAX if that is not known */
    char digits[NUMBER_TEXT_MAX];
};
struct rdb_stream_pending {
    struct rdb_id id;
    int64_t delivered_ms;
    uint64_t deliveries;
};
struct rdb_stream_consumer {
    struct bytes name; /* likewise */
    int64_t seen_ms;
    uint64_t pending;
    char digits[NUMBER_TEXT_MAX];
};
bool rdb_stream_group(struct rdb_stream_reader *s, struct rdb_stream_group *out);
bool rdb_stream_pending(struct rdb_stream_reader *s, struct rdb_stream_pending *out);
uint64_t rdb_stream_consumers(struct rdb_stream_reader *s); /* how many follow */
bool rdb_stream_consumer(struct rdb_stream_reader *s, struct rdb_stream_consumer *out);
bool rdb_stream_id(struct rdb_stream_reader *s, struct rdb_id *out);

/* ---- writing ---- */

enum { RDB_STREAM_SAME_NAMES = 2 }; /* of an entry's flags: its names are the listpack's */

/* An id as 16 bytes that keep the order. */
void rdb_write_id_bytes(struct buffer *out, struct rdb_id id);
/* An id as two lengths. */
void rdb_write_id(struct buffer *out, struct rdb_id id);

#endif
