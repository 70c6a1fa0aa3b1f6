/* The keyspace for who looks at a data directory: `aikv check`. */
#ifndef AIKV_KEYSPACE_INSPECT_H
#define AIKV_KEYSPACE_INSPECT_H

#include "keyspace/keyspace.h"

/* Opens the keyspace of a store that was opened read-only, with all the databases it has; nothing is written. Only this
 * header's functions, keyspace_size, keyspace_expiring and keyspace_close may be called. Errors: those of
 * keyspace_open. */
int keyspace_open_read_only(struct store *store, struct keyspace **out, struct error *e);
/* How many databases there are, 0 on. */
unsigned keyspace_databases(const struct keyspace *ks);

/* A row of the store for people, on one line: slot, database id and key of a key's row, object and number of a part of
 * a large value; `value` as an entry, with its type and expiry, unless it is NULL or none (of a key over 400 bytes its
 * hash is shown where there is no value). Bytes that are not printable are escaped as \xhh; what is longer than `cut`
 * bytes is cut and its length told. */
void keyspace_describe_row(struct bytes name, const struct bytes *value, size_t cut, struct buffer *out);
/* Bytes likewise, in quotes. */
void keyspace_describe_bytes(struct bytes b, size_t cut, struct buffer *out);

#endif
