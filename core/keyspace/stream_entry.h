/* Entries of streams, their ids, and the elements (element.h) that they are kept as. Pure.
 *
 * An element's key is the id: its ms above the stream's base, then its sequence, each as a number whose bytes keep its order: the first byte begins with a one for
 * each byte that follows; behind these and a zero come the number's bits, the highest first. The value, unmarked: varint(length) · names · values; marked: the
 * number of a list of names (stream_names.h), which takes a byte · values. Names are varint(length) · bytes each, and so are values, but for the last one:
 * that is what is left. */
#ifndef AIKV_KEYSPACE_STREAM_ENTRY_H
#define AIKV_KEYSPACE_STREAM_ENTRY_H

#include "keyspace/element.h"

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

/* A number in bytes that keep its order, as keys have them. Returns the end of what it writes, STREAM_NUMBER_MAX bytes at most. */
#define STREAM_NUMBER_MAX 9
uint8_t *stream_number_write(uint8_t *out, uint64_t number);
/* Takes one off the front. False: there is none, or not as it is written. */
bool stream_number_read(struct bytes *key, uint64_t *out);

#define STREAM_KEY_MAX (2 * STREAM_NUMBER_MAX)
/* The id's key, in `out`; its ms are not below the base. */
struct bytes stream_key_write(uint8_t out[STREAM_KEY_MAX], uint64_t base_ms, struct stream_id id);
/* False: it is no key, or not as stream_key_write() writes it. */
bool stream_key_read(struct bytes key, uint64_t base_ms, struct stream_id *out);

struct stream_entry {
    struct stream_id id;
    struct bytes names, values; /* for stream_entry_next() */
};
/* Takes the first of some names off. False: there is none, or it is damaged (told apart by packed->len). */
bool stream_name_next(struct bytes *packed, struct bytes *out);
/* How many fields the entry has. */
size_t stream_entry_count(const struct stream_entry *entry);
/* Takes the first field off. False: there is none, or it is damaged (told apart by entry->names.len). */
bool stream_entry_next(struct stream_entry *entry, struct bytes *name, struct bytes *value);

/* What an element says. `lists`: the stream's packed table. False: it is damaged, or its list is not there; fields are not looked at. */
bool stream_entry_read(const struct element *el, uint64_t base_ms, struct bytes lists, struct stream_entry *out);

/* ---- making one ---- */

struct stream_fields {
    uint8_t *names; /* values follow; before them is room for either head */
    size_t names_len, values_len;
};
/* Bytes that `count` fields need when packed, each a name and its value behind it. */
size_t stream_fields_room(const struct bytes *fields, size_t count);
/* Packs them, at least one, in `room`. */
struct stream_fields stream_fields_pack(uint8_t *room, const struct bytes *fields, size_t count);
/* The value of an element, in the same room; one of the two. `list`: the number of the list that has these names; below 0: none. */
struct bytes stream_fields_value(const struct stream_fields *f, int list);

#endif
