/* Keys and values of the tree of a stream's groups (stream_groups.h). Within stream_*.c. */
#ifndef AIKV_KEYSPACE_STREAM_GROUP_KEY_H
#define AIKV_KEYSPACE_STREAM_GROUP_KEY_H

#include <assert.h>

#include "keyspace/stream_groups.h"

enum group_kind { GROUP_MARK, GROUP_CONSUMER, GROUP_OWN, GROUP_PENDING, GROUP_KINDS };

#define GROUP_KEY_MAX   (2 * STREAM_NUMBER_MAX + 1 + STREAM_KEY_MAX) /* bytes, of one without a name */
#define GROUP_VALUE_MAX (4 * CODEC_VARINT_MAX)

/* A key being made; not to be copied. */
struct group_key {
    struct bytes bytes; /* what it is so far: the beginning of room */
    uint8_t room[GROUP_KEY_MAX + KEYSPACE_STREAM_NAME_MAX];
};
/* `group` 0: of the groups' names, `kind` does not count. */
void group_key_begin(struct group_key *k, uint64_t group, enum group_kind kind);
void group_key_add_number(struct group_key *k, uint64_t number);
void group_key_add_id(struct group_key *k, struct stream_id id);
void group_key_add_name(struct group_key *k, struct bytes name); /* of KEYSPACE_STREAM_NAME_MAX bytes at most */

/* Takes group and kind off the front of a key that is not of `group` 0; false: it is damaged. */
bool group_key_take_kind(struct bytes *key, uint64_t *group, enum group_kind *kind);
/* The id that a key of GROUP_PENDING or GROUP_OWN ends with; false: it is damaged, or has none. */
bool group_key_read_id(struct bytes key, struct stream_id *out);

/* What values say; false: damaged. */
bool group_read(struct bytes value, struct stream_group *out);
bool group_read_consumer(struct bytes value, struct stream_consumer *out);
bool group_read_pending(struct bytes value, struct stream_pending *out); /* all but the id */
/* A value being made, in `room`. */
struct bytes group_write(uint8_t room[GROUP_VALUE_MAX], const struct stream_group *g);
struct bytes group_write_consumer(uint8_t room[GROUP_VALUE_MAX], const struct stream_consumer *consumer);
struct bytes group_write_pending(uint8_t room[GROUP_VALUE_MAX], const struct stream_pending *p);

/* The rank of the first key that does not come before one. */
uint64_t group_rank(struct keyspace_stream *s, const struct group_key *k, bool *equal);
/* The element with this key; false: there is none. */
bool group_find(struct keyspace_stream *s, const struct group_key *k, struct element *out);
/* The rank of the first of a kind in a group. */
uint64_t group_rank_of(struct keyspace_stream *s, uint64_t group, enum group_kind kind);
/* That of what begins with a consumer's number: its name, then what is pending of it. */
uint64_t group_rank_of_own(struct keyspace_stream *s, uint64_t group, uint64_t consumer);
/* The element at a position where one is. */
struct element group_at(struct keyspace_stream *s, uint64_t position);
/* The next of a walk; false: its end. */
bool group_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct element *out);
/* Puts an element, in place of the one with its key if there is one. */
void group_put(struct keyspace_stream *s, const struct group_key *k, struct bytes value);
void group_remove(struct keyspace_stream *s, const struct group_key *k); /* which is there */
void group_remove_range(struct keyspace_stream *s, uint64_t from, uint64_t end);

/* What only this version writes. */
static inline void group_must(bool holds)
{
    assert(holds);
    (void)holds;
}

#endif
