/* Zipf by rejection-inversion: exact, and nothing is computed for each of the n beforehand.
 * (Hörmann and Derflinger, Rejection-inversion to generate variates from monotone discrete distributions, 1996.) */
#include "pick.h"

#include <assert.h>
#include <math.h>

/* splitmix64 */
uint64_t load_pick_bits(struct load_pick *p)
{
    uint64_t z = p->random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double fraction(struct load_pick *p)
{
    return (double)(load_pick_bits(p) >> 11) * 0x1p-53;
}

/* x^-exponent, its integral from 1, and the inverse of that; all hold for an exponent of 1 too. */
static double weight(const struct load_pick *p, double x)
{
    return exp(-p->exponent * log(x));
}

static double integral(const struct load_pick *p, double x)
{
    double l = log(x), t = (1 - p->exponent) * l;
    return fabs(t) > 1e-8 ? expm1(t) / t * l : l * (1 + t / 2);
}

static double integral_inverse(const struct load_pick *p, double y)
{
    double t = fmax(y * (1 - p->exponent), -1);
    return exp(fabs(t) > 1e-8 ? log1p(t) / t * y : y * (1 - t / 2));
}

void load_pick_init(struct load_pick *p, enum load_pick_kind kind, uint64_t n, double exponent, uint64_t seed)
{
    assert(n > 0 && (kind != LOAD_PICK_ZIPF || exponent > 0));
    *p = (struct load_pick){.kind = kind, .n = n, .random = seed, .exponent = exponent};
    if (kind != LOAD_PICK_ZIPF) return;
    p->integral_first = integral(p, 1.5) - 1;
    p->integral_last = integral(p, (double)n + 0.5);
    p->accept = 2 - integral_inverse(p, integral(p, 2.5) - weight(p, 2));
}

static uint64_t zipf(struct load_pick *p)
{
    for (;;) {
        double y = p->integral_last + fraction(p) * (p->integral_first - p->integral_last);
        double x = integral_inverse(p, y);
        double k = fmin(fmax(floor(x + 0.5), 1), (double)p->n);
        if (k - x <= p->accept || y >= integral(p, k + 0.5) - weight(p, k)) return (uint64_t)k - 1;
    }
}

uint64_t load_pick_next(struct load_pick *p)
{
    switch (p->kind) {
    case LOAD_PICK_ZIPF: return zipf(p);
    case LOAD_PICK_SERIAL: return p->serial++ % p->n;
    case LOAD_PICK_UNIFORM: break;
    }
    return (uint64_t)((unsigned __int128)load_pick_bits(p) * p->n >> 64);
}
