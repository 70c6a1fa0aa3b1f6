#include "base/hyperloglog.h"

#include <assert.h>
#include <endian.h>
#include <math.h>

#define INDEX_BITS 14
#define HASH_BITS  (64 - INDEX_BITS) /* what is left of the hash */
#define HASH_SEED  0xadc83b19u
#define STALE      0x80 /* in the last byte of the cardinality */

_Static_assert(HLL_REGISTERS == 1 << INDEX_BITS, "a register for each index");

/* ---- hash ---- */

static uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* MurmurHash64A (Appleby). */
static uint64_t hash_of(struct bytes b)
{
    const uint64_t m = 0xc6a4a7935bd1e995u;
    uint64_t h = HASH_SEED ^ b.len * m;
    size_t at = 0;
    for (; b.len - at >= 8; at += 8) {
        uint64_t k = word_at(b.data + at) * m;
        k = (k ^ k >> 47) * m;
        h = (h ^ k) * m;
    }
    if (at < b.len) {
        for (size_t i = b.len; i > at; i--) h ^= (uint64_t)b.data[i - 1] << (i - 1 - at) * 8;
        h *= m;
    }
    h = (h ^ h >> 47) * m;
    return h ^ h >> 47;
}

/* ---- head ---- */

bool hll_is(struct bytes head, size_t len)
{
    if (head.len < HLL_HEAD || memcmp(head.data, "HYLL", 4) != 0) return false;
    return head.data[4] == HLL_SPARSE || (head.data[4] == HLL_DENSE && len == HLL_DENSE_SIZE);
}

void hll_load(struct hll *h, struct bytes value)
{
    assert(value.len >= HLL_HEAD && value.len <= sizeof h->bytes);
    memcpy(h->bytes, value.data, value.len);
    h->len = h->changed_from = value.len;
    h->changed_to = 0;
}

static void note_change(struct hll *h, size_t from, size_t to)
{
    if (from < h->changed_from) h->changed_from = from;
    if (to > h->changed_to) h->changed_to = to;
}

bool hll_cached(struct bytes value, uint64_t *out)
{
    *out = word_at(value.data + HLL_CACHE_AT);
    return !(value.data[HLL_HEAD - 1] & STALE);
}

void hll_cache_write(uint8_t out[8], uint64_t cardinality)
{
    uint64_t word = htole64(cardinality);
    memcpy(out, &word, sizeof word);
}

void hll_forget_cached(struct hll *h)
{
    h->bytes[HLL_HEAD - 1] |= STALE;
}

/* ---- dense ---- */

static uint8_t dense_get(const uint8_t *registers, unsigned index)
{
    unsigned at = index * 6 / 8, shift = index * 6 % 8, bits = registers[at] >> shift;
    if (shift > 2) bits |= (unsigned)registers[at + 1] << (8 - shift);
    return bits & 63;
}

static void dense_put(uint8_t *registers, unsigned index, uint8_t value)
{
    unsigned at = index * 6 / 8, shift = index * 6 % 8;
    registers[at] = (uint8_t)((registers[at] & ~(63u << shift)) | (unsigned)value << shift);
    if (shift <= 2) return;
    registers[at + 1] = (uint8_t)((registers[at + 1] & ~(63u >> (8 - shift))) | (unsigned)value >> (8 - shift));
}

static enum hll_outcome raise_dense(struct hll *h, unsigned index, uint8_t value)
{
    uint8_t *registers = h->bytes + HLL_HEAD;
    if (dense_get(registers, index) >= value) return HLL_SAME;
    dense_put(registers, index, value);
    size_t at = HLL_HEAD + index * 6 / 8;
    note_change(h, at, at + 1 + (index * 6 % 8 > 2));
    hll_forget_cached(h);
    return HLL_CHANGED;
}

bool hll_make_dense(struct hll *h)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    if (hll_encoding_of(hll_bytes(h)) == HLL_DENSE) return true;
    if (!hll_merge(registers, hll_bytes(h))) return false;
    h->len = HLL_DENSE_SIZE;
    h->bytes[4] = HLL_DENSE;
    note_change(h, 0, h->len);
    for (unsigned i = 0; i < HLL_REGISTERS; i++) dense_put(h->bytes + HLL_HEAD, i, registers[i]);
    return true;
}

/* ---- sparse ---- */

#define RUN_LONG      0x40 /* of zeros, the length in 14 bits */
#define RUN_VALUE     0x80
#define ZEROS_MAX     64   /* in one byte */
#define LONG_MAX_LEN  16384
#define VALUE_MAX     32
#define VALUE_LEN_MAX 4
#define SPARSE_MAX    3000 /* longer ones do not grow: Redis's hll-sparse-max-bytes, as it is by default */

bool hll_next_run(struct bytes value, size_t *at, struct hll_run *out)
{
    if (*at >= value.len) return false;
    uint8_t first = value.data[*at];
    if (first & RUN_VALUE) {
        *out = (struct hll_run){(first & 3u) + 1, (uint8_t)((first >> 2 & 31) + 1), 1};
    } else if (!(first & RUN_LONG)) {
        *out = (struct hll_run){first + 1u, 0, 1};
    } else if (*at + 1 < value.len) {
        *out = (struct hll_run){((first & 63u) << 8 | value.data[*at + 1]) + 1, 0, 2};
    } else {
        return false;
    }
    *at += out->size;
    return true;
}

/* Returns how many bytes it wrote: none for no registers. */
static size_t write_run(uint8_t *out, unsigned len, uint8_t value)
{
    if (len == 0) return 0;
    if (value) {
        *out = (uint8_t)(RUN_VALUE | (value - 1u) << 2 | (len - 1));
        return 1;
    }
    if (len <= ZEROS_MAX) {
        *out = (uint8_t)(len - 1);
        return 1;
    }
    out[0] = (uint8_t)(RUN_LONG | (len - 1) >> 8);
    out[1] = (uint8_t)(len - 1);
    return 2;
}

void hll_init(struct hll *h)
{
    memset(h->bytes, 0, HLL_HEAD);
    memcpy(h->bytes, "HYLL", 4);
    h->bytes[4] = HLL_SPARSE;
    h->len = HLL_HEAD + write_run(h->bytes + HLL_HEAD, LONG_MAX_LEN, 0);
    h->changed_from = 0;
    h->changed_to = h->len;
}

static enum hll_outcome raise_as_dense(struct hll *h, unsigned index, uint8_t value)
{
    return hll_make_dense(h) ? raise_dense(h, index, value) : HLL_DAMAGED;
}

/* Puts `len` bytes in place of `removed` at `at`. */
static void replace(struct hll *h, size_t at, size_t removed, const uint8_t *with, size_t len)
{
    assert(h->len - removed + len <= sizeof h->bytes);
    memmove(h->bytes + at + len, h->bytes + at + removed, h->len - at - removed);
    memcpy(h->bytes + at, with, len);
    h->len = h->len - removed + len;
    note_change(h, at, removed == len ? at + len : h->len);
    if (h->changed_to > h->len) h->changed_to = h->len; /* it was longer meanwhile */
}

/* Makes one of neighbours of the same value, among the five runs from `at` on: those that a change can have made alike. */
static void join_runs(struct hll *h, size_t at)
{
    struct hll_run run, next;
    for (int looked_at = 0; looked_at < 5; looked_at++) {
        size_t behind = at, end;
        if (!hll_next_run(hll_bytes(h), &behind, &run)) return;
        end = behind;
        bool alike = run.value && hll_next_run(hll_bytes(h), &end, &next) && next.value == run.value;
        if (alike && run.len + next.len <= VALUE_LEN_MAX) {
            uint8_t joined;
            replace(h, at, 2, &joined, write_run(&joined, run.len + next.len, run.value));
        } else {
            at = behind;
        }
    }
}

static enum hll_outcome raise_sparse(struct hll *h, unsigned index, uint8_t value)
{
    if (value > VALUE_MAX) return raise_as_dense(h, index, value);
    size_t before = HLL_HEAD, at = HLL_HEAD, behind = HLL_HEAD;
    unsigned first = 0; /* register of the run at `at` */
    struct hll_run run;
    for (;;) {
        if (!hll_next_run(hll_bytes(h), &behind, &run)) return HLL_DAMAGED;
        if (index < first + run.len) break;
        before = at;
        at = behind;
        first += run.len;
    }
    if (run.value >= value) return HLL_SAME;
    uint8_t runs[5]; /* what comes before the register in its run, the register, what comes behind it */
    size_t len = write_run(runs, index - first, run.value);
    len += write_run(runs + len, 1, value);
    len += write_run(runs + len, first + run.len - 1 - index, run.value);
    if (len > run.size && h->len + len - run.size > SPARSE_MAX) return raise_as_dense(h, index, value);
    replace(h, at, run.size, runs, len);
    join_runs(h, before);
    hll_forget_cached(h);
    return HLL_CHANGED;
}

/* ---- changing ---- */

enum hll_outcome hll_raise(struct hll *h, unsigned index, uint8_t value)
{
    assert(index < HLL_REGISTERS && value >= 1 && value <= 63);
    return hll_encoding_of(hll_bytes(h)) == HLL_DENSE ? raise_dense(h, index, value) : raise_sparse(h, index, value);
}

enum hll_outcome hll_add(struct hll *h, struct bytes element)
{
    uint64_t hash = hash_of(element), rest = hash >> INDEX_BITS | (uint64_t)1 << HASH_BITS;
    return hll_raise(h, hash & (HLL_REGISTERS - 1), (uint8_t)(__builtin_ctzll(rest) + 1));
}

bool hll_merge(uint8_t registers[HLL_REGISTERS], struct bytes value)
{
    if (hll_encoding_of(value) == HLL_DENSE) {
        for (unsigned i = 0; i < HLL_REGISTERS; i++) {
            uint8_t its = dense_get(value.data + HLL_HEAD, i);
            if (its > registers[i]) registers[i] = its;
        }
        return true;
    }
    size_t at = HLL_HEAD;
    unsigned index = 0;
    struct hll_run run;
    while (hll_next_run(value, &at, &run)) {
        if (run.len > HLL_REGISTERS - index) return false;
        for (unsigned end = index + run.len; index < end; index++)
            if (run.value > registers[index]) registers[index] = run.value;
    }
    return at == value.len && index == HLL_REGISTERS;
}

/* ---- counting ---- */

/* How many registers have each value. */
struct histogram {
    unsigned registers[64];
};

static double sigma(double x)
{
    double y = 1, z = x, before;
    if (x == 1) return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, before;
    if (x == 0 || x == 1) return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

/* False: there are values that no hash gives, and nothing else to go by. */
static bool estimate(const struct histogram *h, uint64_t *out)
{
    const double alpha = 0.721347520444481703680, m = HLL_REGISTERS;
    double z = m * tau((m - h->registers[HASH_BITS + 1]) / m);
    for (int i = HASH_BITS; i >= 1; i--) z = (z + h->registers[i]) * 0.5;
    z += m * sigma(h->registers[0] / m);
    double cardinality = round(alpha * m * m / z);
    *out = cardinality < 0x1p63 ? (uint64_t)cardinality : 0;
    return cardinality < 0x1p63;
}

static void count_dense(const uint8_t *registers, struct histogram *out)
{
    for (unsigned i = 0; i < HLL_REGISTERS; i += 4, registers += 3) {
        unsigned four = registers[0] | (unsigned)registers[1] << 8 | (unsigned)registers[2] << 16;
        out->registers[four & 63]++;
        out->registers[four >> 6 & 63]++;
        out->registers[four >> 12 & 63]++;
        out->registers[four >> 18]++;
    }
}

static bool count_sparse(struct bytes value, struct histogram *out)
{
    size_t at = HLL_HEAD, registers = 0;
    struct hll_run run;
    while (hll_next_run(value, &at, &run)) {
        out->registers[run.value] += run.len;
        registers += run.len;
    }
    return at == value.len && registers == HLL_REGISTERS;
}

bool hll_count(struct bytes value, uint64_t *out)
{
    struct histogram h = {0};
    if (hll_encoding_of(value) == HLL_DENSE) {
        count_dense(value.data + HLL_HEAD, &h);
    } else if (!count_sparse(value, &h)) {
        return false;
    }
    return estimate(&h, out);
}

bool hll_count_registers(const uint8_t registers[HLL_REGISTERS], uint64_t *out)
{
    struct histogram h = {0};
    for (unsigned i = 0; i < HLL_REGISTERS; i++) h.registers[registers[i] & 63]++;
    return estimate(&h, out);
}
