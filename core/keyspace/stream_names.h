/* Lists of names of fields that many entries of a stream have in common: each is kept once, in the key's row, and entries tell its number. Pure.
 *
 * The table is an element for each number: value, the names, packed as in an entry (stream_entry.h); key, that of the last entry in the stream's tree that tells
 * the number, empty if none does. Without names the number is free. A stream loses its oldest entries first, mostly: so a list that is no
 * longer in use comes to light by that key, and nothing is counted. */
#ifndef AIKV_KEYSPACE_STREAM_NAMES_H
#define AIKV_KEYSPACE_STREAM_NAMES_H

#include "keyspace/stream_entry.h"

#define STREAM_NAMES_LISTS 16
#define STREAM_NAMES_MAX   1024 /* bytes of a table, with keys of any length */

/* The list with a number. False: there is none. */
bool stream_names_get(struct bytes table, unsigned number, struct bytes *names);

/* A table that is looked at, or changed; it points to where it was read from, and to what was put in. */
struct stream_names {
    unsigned count;
    struct element lists[STREAM_NAMES_LISTS];
};
/* False: damaged. */
bool stream_names_read(struct bytes table, struct stream_names *out);
/* The number of a list, or -1. */
int stream_names_find(const struct stream_names *n, struct bytes names);
/* Gives a list a number; -1: there is no room. */
int stream_names_add(struct stream_names *n, struct bytes names);
/* Writes the table to `out`, and returns its bytes there. */
struct bytes stream_names_write(uint8_t out[STREAM_NAMES_MAX], const struct stream_names *n);

#endif
