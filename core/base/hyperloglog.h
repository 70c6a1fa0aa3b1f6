/* HyperLogLog: how many different elements were seen, to within about 0.81 %, in 12 KiB at most.
 *
 * An element's hash chooses one of 16,384 registers, which keeps the longest run of zeros (plus one) that the rest of a hash began with (Flajolet,
 * Fusy, Gandouet, Meunier: HyperLogLog, 2007; 64-bit hashes: Heule, Nunkesser, Hall, 2013). The estimate from the registers is that of Ertl: New
 * cardinality estimation algorithms for HyperLogLog sketches, 2017, arXiv:1702.01284.
 *
 * The bytes are Redis's, and the same elements in the same order give the same bytes as there:
 *   "HYLL" · encoding(1) · 0(3) · cardinality as last counted (8, little endian; highest bit: it no longer holds) · registers
 *   dense   6 bits a register, from the lowest bit of the first byte on
 *   sparse  runs of equal registers: 00nnnnnn: n + 1 of 0; 01nnnnnn nnnnnnnn: the same, of more; 1vvvvvnn: n + 1 of v + 1
 *
 * Bytes may come from anywhere (SET): nothing here trusts them. Pure. */
#ifndef AIKV_BASE_HYPERLOGLOG_H
#define AIKV_BASE_HYPERLOGLOG_H

#include "base/bytes.h"

#define HLL_REGISTERS  16384
#define HLL_HEAD       16
#define HLL_CACHE_AT   8 /* 8 bytes */
#define HLL_DENSE_SIZE (HLL_HEAD + (size_t)HLL_REGISTERS * 6 / 8)
/* No sparse one is longer: two bytes for each register. */
#define HLL_SIZE_MAX   (HLL_HEAD + (size_t)HLL_REGISTERS * 2)

enum hll_encoding { HLL_DENSE, HLL_SPARSE };

/* Whether a value of `len` bytes that begins with `head` (HLL_HEAD bytes, or fewer if it is shorter) is one, as far as these tell. */
bool hll_is(struct bytes head, size_t len);

/* One being changed. */
struct hll {
    size_t len;
    size_t changed_from, changed_to; /* the bytes that may differ from those loaded if the length does not; the cardinality is not among them */
    uint8_t bytes[HLL_SIZE_MAX];
};

void hll_init(struct hll *h); /* without elements, sparse */
/* `value` is one, and not longer than HLL_SIZE_MAX. */
void hll_load(struct hll *h, struct bytes value);
static inline struct bytes hll_bytes(const struct hll *h)
{
    return bytes_of(h->bytes, h->len);
}
static inline enum hll_encoding hll_encoding_of(struct bytes value)
{
    return value.data[4] == HLL_DENSE ? HLL_DENSE : HLL_SPARSE;
}

/* What became of a change. DAMAGED: the runs do not make 16,384 registers; only as much of them is looked at as the change needs. */
enum hll_outcome { HLL_SAME, HLL_CHANGED, HLL_DAMAGED };
/* Counts an element in. */
enum hll_outcome hll_add(struct hll *h, struct bytes element);
/* Raises a register to `value` (1 to 63) if it is lower. A sparse one that grows too long, or cannot hold the value, becomes dense. */
enum hll_outcome hll_raise(struct hll *h, unsigned index, uint8_t value);
/* False: damaged; nothing was changed. */
bool hll_make_dense(struct hll *h);

/* Raises `registers` to those of `value`. False: damaged; some may have been raised. */
bool hll_merge(uint8_t registers[HLL_REGISTERS], struct bytes value);
/* How many different elements were counted in. False: damaged. */
bool hll_count(struct bytes value, uint64_t *out);
bool hll_count_registers(const uint8_t registers[HLL_REGISTERS], uint64_t *out);

/* The cardinality in the head; false: it no longer holds. */
bool hll_cached(struct bytes value, uint64_t *out);
void hll_cache_write(uint8_t out[8], uint64_t cardinality);
void hll_forget_cached(struct hll *h);

/* The runs of a sparse one from `*at` (HLL_HEAD at first) on: true, and *at moves on; false: the end, where *at is value.len, or damage. */
struct hll_run {
    unsigned len;
    uint8_t value;
    uint8_t size; /* bytes it takes: 1, or 2 for a long run of zeros */
};
bool hll_next_run(struct bytes value, size_t *at, struct hll_run *out);

#endif
