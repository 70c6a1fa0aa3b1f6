#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
    unsigned char *p = out;
    while (len) {
        ssize_t n = getrandom(p, len > 256 ? 256 : len, 0);
        if (n <= 0) {
            perror("getrandom");
            abort();
        }
        p += n;
        len -= (size_t)n;
    }
}

void random_hex(char *out, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < digits; i += 2) {
        unsigned char byte;
        random_bytes(&byte, 1);
        out[i] = hex[byte >> 4];
        out[i + 1] = hex[byte & 15];
    }
    out[digits] = 0;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t below)
{
    return random_next(state) % below;
}
