/* Randomness: from the system, for identities and nonces; from a seed, for tests. */
#ifndef AIKV_BASE_RANDOM_H
#define AIKV_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `out` from the system's generator; aborts if there is none. */
void random_bytes(void *out, size_t len);
/* `digits` (even) lower-case hex digits and a NUL from the system's generator. */
void random_hex(char *out, size_t digits);

/* SplitMix64 (Steele, Lea, Flood 2014): the next number of the sequence that `*state` seeds. */
uint64_t random_next(uint64_t *state);
/* A number from 0 to below - 1. */
uint64_t random_below(uint64_t *state, uint64_t below);

#endif
