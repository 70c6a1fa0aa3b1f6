/* "Did you mean": the known name nearest to a mistyped one. */
#ifndef AIKV_BASE_NEAREST_H
#define AIKV_BASE_NEAREST_H

#include "base/bytes.h"

#define NEAREST_LEN_MAX 64

struct nearest {
    struct bytes typed;
    const char *best; /* NULL: none is near enough */
    size_t distance;
};

/* Begins a search; names near enough differ in at most a third of the typed letters; in two of four or more (letters that
 * changed places), and one of less. */
void nearest_begin(struct nearest *n, struct bytes typed);
/* Offers a known name (which must outlive the search). The edit distance is Levenshtein's, letters compared without case. */
void nearest_offer(struct nearest *n, const char *name);

#endif
