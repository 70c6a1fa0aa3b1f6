/* What commands will read of values that have rows of their own, said before they run: so that those of the rows that are on disk can be brought near
 * while others run. A need tells of it in the type's own terms; which rows that is, the value's key row and then the rows on the way there tell.
 *
 * Rows are named level by level: level 0 are the keys' rows, then what these lead to, of a tree one level after the other. What is above a level is near
 * by then, and read to find the next rows; of the level itself nothing is read but what is in memory. No more is kept from one level to the next than
 * which it was: whatever was changed meanwhile, what is named are rows of values as they are now. Nothing is changed here, and a need that does not
 * fit the value's type names nothing. Too much named costs a read, too little a wait: neither makes a reply wrong. */
#ifndef AIKV_KEYSPACE_NEED_H
#define AIKV_KEYSPACE_NEED_H

#include "base/arena.h"
#include "keyspace/keyspace.h"
#include "keyspace/stream_entry.h"

/* One end of a range in the order of a sorted set or a stream. */
struct keyspace_need_end {
    enum { NEED_OPEN, NEED_BY_SCORE, NEED_BY_NAME, NEED_BY_ID } by; /* OPEN: as far as there is anything */
    double score;
    struct bytes name; /* of members that all have one score */
    struct stream_id id;
    bool behind; /* the end is behind what is equal to it, not before */
};

struct keyspace_need {
    enum keyspace_need_kind {
        NEED_WHOLE,   /* all elements, all bytes */
        NEED_ROWS,    /* every row, if there are no more than `limit` */
        NEED_ELEMENT, /* a field or member, `name` */
        NEED_PLACE,   /* the same, and where it is in the order: of a field that expires, among those */
        NEED_MEMBER,  /* NEED_PLACE, and where it comes to be with `score`, which is added to what it has if `adds` */
        NEED_RANKS,   /* `from` to `to`, both included; negative ones are counted from the end, as in Redis */
        NEED_BETWEEN, /* what is between `min` and `max`: `limit` elements after `offset` others, from the upper end on if `backwards` */
        NEED_END,     /* where the next element is appended: of a list at the side, `backwards`: the right one; of a stream */
        NEED_BYTES,   /* of a string; as NEED_RANKS */
        NEED_SCAN     /* about `limit` elements from the cursor `offset` on */
    } kind;
    enum keyspace_need_change { NEED_READS, NEED_PUTS, NEED_REMOVES } change; /* what is done with it */
    struct bytes name;
    size_t size; /* bytes that come: of the value put beside `name`, or of what is appended ... */
    size_t count; /* ... in so many elements */
    double score;
    bool adds;
    int64_t from, to;
    struct keyspace_need_end min, max;
    uint64_t offset, limit;
    bool backwards;
};

#define KEYSPACE_AHEAD_ROWS      128u /* rows named at once are as many at first, a quarter of a megabyte, ... */
#define KEYSPACE_AHEAD_ROWS_MOST 1024u /* ... and up to so many; */
#define KEYSPACE_AHEAD_ROWS_FEW  32u /* so few while many wait already */
#define KEYSPACE_AHEAD_ITEMS     2048u /* keys and needs that are looked at together, so that a look takes a few milliseconds at most */

/* A key among all that is told: its number in that order, and, for whoever tells, where it comes from. */
struct keyspace_ahead_place {
    uint64_t told;
    size_t request;    /* whose key it is ... */
    unsigned key;      /* ... after so many others ... */
    unsigned database; /* ... and in which database */
};

/* How far looks have come. Zeros at first, but for the first request's database. */
struct keyspace_ahead_at {
    uint64_t first; /* the first key or need that is looked at, in the order in which they are told */
    unsigned level;
    uint64_t skip; /* rows of the level that have been named, or found in memory */
    struct keyspace_ahead_place from; /* where telling begins: what comes before is not looked at any more */
};

/* One look: at one level of some keys and needs. */
struct keyspace_ahead {
    struct keyspace *ks;
    struct arena *arena;
    struct keyspace_ahead_at at;
    uint64_t end;      /* what is told from here on is not looked at */
    size_t rows;       /* that are named at most */
    struct bytes *names; /* of rows that are cold, in the arena ... */
    size_t count;        /* ... so many */

    uint64_t told, seen; /* keys and needs; rows of the level */
    struct keyspace_ahead_place last; /* the last key with anything that is looked at, or the first one that is not */
    bool full;           /* there may be more rows of the level */
    bool deeper;         /* there are other rows behind some of the level's */
    bool more;           /* there are other keys or needs */

    /* The key at hand. */
    unsigned database;
    struct bytes key;
    bool opened, has_rows;
    struct keyspace_entry entry;
    uint64_t passed;                   /* its needs before the first that is looked at, until what they change is counted */
    uint64_t changed_count, put_bytes; /* elements that its needs so far have put or removed */
    uint32_t adjusted;                 /* buckets that are split or joined with these */
};

/* Whether reads from disk have had to wait lately. While they have not, no row is cold, and none of this is worth while. */
bool keyspace_reads_wait(const struct keyspace *ks);

/* Between commands; until the arena is reset or the store flushed. Looks at `items` keys and needs, and names up to `rows`. */
void keyspace_ahead_begin(struct keyspace_ahead *a, struct keyspace *ks, struct arena *arena, const struct keyspace_ahead_at *at, uint64_t items, size_t rows);
/* The key of the needs to come, if it has any: they are to be told at each level. `request` and `number` come back in the place of later looks. */
void keyspace_ahead_key(struct keyspace_ahead *a, size_t request, unsigned number, unsigned database, struct bytes key, bool has_needs);
void keyspace_ahead_need(struct keyspace_ahead *a, const struct keyspace_need *need);
/* Of the next `count` needs, passes those over that are not looked at: returns how many, which are not to be told. */
uint64_t keyspace_ahead_pass(struct keyspace_ahead *a, uint64_t count);
/* Whether what else could be told will not be looked at. */
static inline bool keyspace_ahead_is_done(const struct keyspace_ahead *a)
{
    return a->full || a->more;
}
/* Where the next look goes on, once the rows that were named are near. False: there is none. */
bool keyspace_ahead_next(const struct keyspace_ahead *a, struct keyspace_ahead_at *at);
/* About how many elements a key has whose row can be read: one with rows of its own; of others a number not below that. 0: none, or no such key. */
uint64_t keyspace_ahead_count(const struct keyspace_ahead *a, unsigned database, struct bytes key);
/* Has the rows that were named, at least one, brought near, as store_warm() says. */
bool keyspace_ahead_warm(const struct keyspace_ahead *a, uint64_t token);

#endif
