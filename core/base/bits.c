#include "base/bits.h"

static uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* ---- counting ---- */

#define EVERY_2ND_BIT    0x5555555555555555u
#define TWO_OF_FOUR_BITS 0x3333333333333333u
#define HALF_BYTES       0x0f0f0f0f0f0f0f0fu
#define EVERY_2ND_BYTE   0x00ff00ff00ff00ffu

/* The set bits of each half byte: up to 4 in each. */
static uint64_t half_byte_counts(uint64_t word)
{
    word -= word >> 1 & EVERY_2ND_BIT;
    return (word & TWO_OF_FOUR_BITS) + (word >> 2 & TWO_OF_FOUR_BITS);
}

static uint64_t byte_counts(uint64_t half_bytes)
{
    return (half_bytes & HALF_BYTES) + (half_bytes >> 4 & HALF_BYTES);
}

static uint64_t sum_of_bytes(uint64_t bytes)
{
    uint64_t pairs = (bytes & EVERY_2ND_BYTE) + (bytes >> 8 & EVERY_2ND_BYTE);
    return pairs * 0x0001000100010001u >> 48;
}

/* Counts in all bytes of a word at once, so that they need be added up only now and then: three words fill a half byte (up to 12), ten times
 * these a byte (up to 240). The processor's instruction would be faster, but not each that this runs on has it. */
#define ROUND_BYTES ((size_t)3 * 8)
#define ROUNDS      10

static uint64_t count_rounds(const uint8_t *p, size_t rounds)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < rounds; i++, p += ROUND_BYTES) {
        uint64_t three = half_byte_counts(word_at(p)) + half_byte_counts(word_at(p + 8)) + half_byte_counts(word_at(p + 16));
        bytes += byte_counts(three);
    }
    return sum_of_bytes(bytes);
}

uint64_t bits_count(struct bytes b)
{
    uint64_t count = 0;
    while (b.len >= ROUND_BYTES) {
        size_t rounds = b.len / ROUND_BYTES < ROUNDS ? b.len / ROUND_BYTES : ROUNDS;
        count += count_rounds(b.data, rounds);
        b = bytes_of(b.data + rounds * ROUND_BYTES, b.len - rounds * ROUND_BYTES);
    }
    for (size_t i = 0; i < b.len; i++) count += (uint64_t)__builtin_popcount(b.data[i]);
    return count;
}

/* ---- finding ---- */

uint64_t bits_find(struct bytes b, uint64_t from, bool set)
{
    uint64_t skipped = set ? 0 : UINT64_MAX;
    size_t at = from / 8;
    if (at >= b.len) return b.len * 8;
    uint8_t first = (uint8_t)((b.data[at] ^ skipped) & 0xffu >> from % 8); /* the bits that are looked for, as ones */
    if (!first) {
        for (at++; b.len - at >= 8 && word_at(b.data + at) == skipped; at += 8) continue;
        while (at < b.len && b.data[at] == (uint8_t)skipped) at++;
        if (at == b.len) return b.len * 8;
        first = (uint8_t)(b.data[at] ^ skipped);
    }
    return at * 8 + (uint64_t)__builtin_clz(first) - (sizeof(unsigned) * 8 - 8);
}

/* ---- integers ---- */

/* The byte that holds bit `at`, and which of its bits belong to an integer that goes from there for `width` bits: `count` of them, above `below`. */
struct part {
    unsigned count, below;
};

static struct part part_of(uint64_t at, unsigned width)
{
    unsigned room = 8 - (unsigned)(at % 8), count = width < room ? width : room;
    return (struct part){count, room - count};
}

uint64_t bits_get(const uint8_t *p, uint64_t at, unsigned width)
{
    uint64_t value = 0;
    while (width) {
        struct part part = part_of(at, width);
        value = value << part.count | ((unsigned)p[at / 8] >> part.below & ((1u << part.count) - 1));
        at += part.count;
        width -= part.count;
    }
    return value;
}

void bits_put(uint8_t *p, uint64_t at, unsigned width, uint64_t value)
{
    while (width) {
        struct part part = part_of(at, width);
        width -= part.count;
        unsigned mask = ((1u << part.count) - 1) << part.below;
        p[at / 8] = (uint8_t)((p[at / 8] & ~mask) | ((unsigned)(value >> width) << part.below & mask));
        at += part.count;
    }
}
