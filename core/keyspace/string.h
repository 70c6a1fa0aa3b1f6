/* Strings: up to 512 MiB of bytes, by position. How they are held (in the key's row, or in rows of their own when they are large) shows
 * nowhere: no call here touches more of a string than it is about.
 *
 * `e` is what keyspace_find gave for a key of the current database, a string or no key (an empty string, then). It lives until that key is
 * changed. */
#ifndef AIKV_KEYSPACE_STRING_H
#define AIKV_KEYSPACE_STRING_H

#include "base/arena.h"
#include "keyspace/keyspace.h"

size_t keyspace_string_len(const struct keyspace_entry *e);
/* Copies `len` bytes from `at` on to `out`. at + len is at most the length. */
void keyspace_string_read(struct keyspace *ks, const struct keyspace_entry *e, size_t at, size_t len, uint8_t *out);
/* The bytes from `at` on (below the length) as they lie, at least one and as many as lie together, until the key is changed. Without `data`: so many
 * zeros that lie nowhere. */
struct bytes keyspace_string_piece(struct keyspace *ks, const struct keyspace_entry *e, size_t at);
/* All of it in one piece: where it lies, or put together in the arena. Both end with the next change. */
struct bytes keyspace_string_whole(struct keyspace *ks, const struct keyspace_entry *e, struct arena *arena);

/* Stores a string, whatever was there. */
void keyspace_string_put(struct keyspace *ks, struct bytes key, struct bytes value, int64_t expires_ms);
/* The same with `len` bytes that `fill` gives: all of them, in order, in parts of up to 64 KiB. It may read the keyspace, and finds there what was
 * before; it must not change it. Parts of zeros take no room in a large string. */
typedef void keyspace_string_fill(void *user, size_t at, uint8_t *out, size_t len);
void keyspace_string_make(struct keyspace *ks, struct bytes key, size_t len, keyspace_string_fill *fill, void *user, int64_t expires_ms);
/* Writes over the string from `offset` on: it grows as needed, with zeros between its end and `offset`, and keeps its expiry. No key: one is made,
 * without expiry. Returns the length. The work is that of the bytes written, not of the string. `with` is not in a row of the store's. */
size_t keyspace_string_write(struct keyspace *ks, struct bytes key, size_t offset, struct bytes with);

#endif
