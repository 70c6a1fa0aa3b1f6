/* Bits of a sequence of bytes. The first is the highest bit of the first byte, as in Redis's bitmaps. Pure. */
#ifndef AIKV_BASE_BITS_H
#define AIKV_BASE_BITS_H

#include "base/bytes.h"

/* How many bits are set. */
uint64_t bits_count(struct bytes b);
/* The first bit from bit `from` on that is set (or, if not `set`, clear): its position, or b.len * 8 if there is none. */
uint64_t bits_find(struct bytes b, uint64_t from, bool set);

/* An unsigned integer of 1 to 64 bits, the highest first, that begins at bit `at`. */
uint64_t bits_get(const uint8_t *p, uint64_t at, unsigned width);
/* The lowest `width` bits of the value; those around them stay. */
void bits_put(uint8_t *p, uint64_t at, unsigned width, uint64_t value);

#endif
