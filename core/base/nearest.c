#include "base/nearest.h"

#include <ctype.h>

void nearest_begin(struct nearest *n, struct bytes typed)
{
    size_t allowed = typed.len < 4 ? 1 : typed.len < 9 ? 2 : typed.len / 3;
    *n = (struct nearest){.typed = typed, .distance = allowed + 1};
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

void nearest_offer(struct nearest *n, const char *name)
{
    size_t len = strlen(name);
    if (len > NEAREST_LEN_MAX || n->typed.len > NEAREST_LEN_MAX) return;
    size_t row[NEAREST_LEN_MAX + 1];
    for (size_t j = 0; j <= len; j++) row[j] = j;
    for (size_t i = 1; i <= n->typed.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t above = row[j];
            bool same = tolower(n->typed.data[i - 1]) == tolower((unsigned char)name[j - 1]);
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + !same);
            diagonal = above;
        }
    }
    if (row[len] < n->distance) {
        n->distance = row[len];
        n->best = name;
    }
}
