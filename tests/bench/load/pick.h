/* Which of `n` numbers comes next: uniform, Zipf or one after the other. Seeded, so that both servers get the same. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum load_pick_kind { LOAD_PICK_UNIFORM, LOAD_PICK_ZIPF, LOAD_PICK_SERIAL };

struct load_pick {
    enum load_pick_kind kind;
    uint64_t n, serial, random;
    double exponent, integral_first, integral_last, accept; /* Zipf */
};

/* `n` is at least 1; `exponent` of Zipf is over 0. The same seed gives the same numbers. */
void load_pick_init(struct load_pick *p, enum load_pick_kind kind, uint64_t n, double exponent, uint64_t seed);

/* Below n. Zipf: 0 is the most frequent, k comes (k + 1)^exponent times less often. Serial: 0, 1 … n - 1, 0 … */
uint64_t load_pick_next(struct load_pick *p);

/* 64 random bits. */
uint64_t load_pick_bits(struct load_pick *p);
