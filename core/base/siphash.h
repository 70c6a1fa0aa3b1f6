/* A fast 64-bit hash with a secret key, for tables and orders that outsiders must not be able to aim at. */
#ifndef AIKV_BASE_SIPHASH_H
#define AIKV_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 of `data`; the same on every machine. */
uint64_t siphash(const uint64_t key[2], const void *data, size_t len);

#endif
