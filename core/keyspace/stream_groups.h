/* Consumer groups of a stream: how far each has read, its consumers, and what was delivered to them and not acknowledged yet: what is pending.
 *
 * All groups of a stream are in one counted tree beside that of its entries, so that a stream has two objects however many groups it has. Groups and
 * consumers have numbers, from 1 on, which are used again once they are free. Keys of the tree, and values:
 *
 *   0 · group's name             varint(number) · varint(last id's ms) · varint(sequence) · varint(entries read + 1)
 *   group · 0                    nothing: the number is in use
 *   group · 1 · consumer's name  varint(number) · varint(when it was seen, ms)
 *   group · 2 · consumer         the consumer's name
 *   group · 2 · consumer · id    nothing: pending, of this consumer
 *   group · 3 · id               varint(consumer) · varint(when it was delivered, ms) · varint(how often)
 *
 * Group and consumer stand for their numbers; these and ids are written as in keys of entries (stream_entry.h), ids with 0 as the base. Counts are differences
 * of ranks; a group goes as a range. Handles are those of stream.h, and keyspace_stream_close() writes what is changed here too. Names that are given lie in
 * rows, until anything is written; those that are put do not. */
#ifndef AIKV_KEYSPACE_STREAM_GROUPS_H
#define AIKV_KEYSPACE_STREAM_GROUPS_H

#include "keyspace/stream.h"

#define KEYSPACE_STREAM_NAME_MAX 4096 /* bytes of the name of a group, or of a consumer: it is part of a key; longer ones are not there */

struct stream_group {
    uint64_t number;
    struct stream_id last; /* what comes after was not delivered yet */
    int64_t read;          /* entries of the stream up to `last`, from the first ever; STREAM_READ_UNKNOWN */
};
#define STREAM_READ_UNKNOWN (-1)

struct stream_consumer {
    uint64_t number;
    int64_t seen_ms;
};

struct stream_pending {
    struct stream_id id; /* the entry may have been deleted */
    uint64_t consumer;
    int64_t delivered_ms;
    uint64_t deliveries;
};

/* ---- groups; in the order of their names ---- */

bool keyspace_group_find(struct keyspace_stream *s, struct bytes name, struct stream_group *out);
uint64_t keyspace_group_count(struct keyspace_stream *s);
/* One that is not there yet, with `last` and `read`; gives it a number. Makes the stream, if there is none, and lets its entries have rows of their own. */
void keyspace_group_create(struct keyspace_stream *s, struct bytes name, struct stream_group *g);
/* Writes `last` and `read` of one that is there. */
void keyspace_group_put(struct keyspace_stream *s, struct bytes name, const struct stream_group *g);
/* With its consumers and all that is pending. */
void keyspace_group_destroy(struct keyspace_stream *s, struct bytes name, const struct stream_group *g);

/* ---- consumers of a group; in the order of their names ---- */

bool keyspace_consumer_find(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, struct stream_consumer *out);
uint64_t keyspace_consumer_count(struct keyspace_stream *s, const struct stream_group *g);
/* One that is not there yet, with `seen_ms`; gives it a number. */
void keyspace_consumer_create(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, struct stream_consumer *consumer);
/* Writes `seen_ms` of one that is there. */
void keyspace_consumer_put(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, const struct stream_consumer *consumer);
/* With all that is pending of it. */
void keyspace_consumer_delete(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, const struct stream_consumer *consumer);
/* The name of one that is there. */
struct bytes keyspace_consumer_name(struct keyspace_stream *s, const struct stream_group *g, uint64_t number);

/* ---- what is pending; in the order of ids ---- */

bool keyspace_pending_find(struct keyspace_stream *s, const struct stream_group *g, struct stream_id id, struct stream_pending *out);
uint64_t keyspace_pending_count(struct keyspace_stream *s, const struct stream_group *g);
uint64_t keyspace_pending_count_of(struct keyspace_stream *s, const struct stream_group *g, uint64_t consumer);
/* Entries with these ids, which rise, were delivered to a consumer for the first time; those that were pending already are so anew, and its. */
void keyspace_pending_deliver(struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *as, const struct stream_id *ids, size_t count);
/* One that is pending, or is to be. */
void keyspace_pending_put(struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *p);
/* One that is pending is not any more. */
void keyspace_pending_remove(struct keyspace_stream *s, const struct stream_group *g, const struct stream_pending *p);

/* ---- one after the other; nothing is written meanwhile ---- */

struct keyspace_group_walk {
    struct counted_tree_walk tree;
    uint64_t end;    /* the position behind the last */
    uint64_t number; /* of the group */
    bool of_one;     /* consumer */
};
void keyspace_group_walk(struct keyspace_stream *s, struct keyspace_group_walk *w);
bool keyspace_group_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct bytes *name, struct stream_group *out);
void keyspace_consumer_walk(struct keyspace_stream *s, const struct stream_group *g, struct keyspace_group_walk *w);
bool keyspace_consumer_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct bytes *name, struct stream_consumer *out);
/* What is pending from an id on; of one consumer alone, or of all (NULL). */
void keyspace_pending_walk(struct keyspace_stream *s, const struct stream_group *g, const uint64_t *consumer, struct stream_id from, struct keyspace_group_walk *w);
bool keyspace_pending_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct stream_pending *out);

/* What must hold of the tree. Errors: FORMAT. */
int keyspace_groups_check(struct keyspace *ks, const struct counted_tree *t, struct error *e);

#endif
