/* After J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012, with one round a word and three at
 * the end, as Python, Ruby and Rust use it for their tables. */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t rotate(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

static inline void mix(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotate(v[1], 13), v[1] ^= v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16), v[3] ^= v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21), v[3] ^= v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17), v[1] ^= v[2], v[2] = rotate(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
}

uint64_t siphash(const uint64_t key[2], const void *data, size_t len)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    const uint8_t *p = len ? data : "", *end = p + (len & ~(size_t)7);
    uint64_t word;
    for (; p != end; p += 8) {
        memcpy(&word, p, 8);
        absorb(v, le64toh(word));
    }
    word = (uint64_t)len << 56;
    for (size_t i = 0; i < (len & 7); i++) word |= (uint64_t)p[i] << (8 * i);
    absorb(v, word);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
