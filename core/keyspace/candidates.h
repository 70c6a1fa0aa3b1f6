/* Keys that may be evicted next: of all that were offered, those with the highest ranks. A small pool, as Redis's, makes up for looking at few keys at a
 * time. */
#ifndef AIKV_KEYSPACE_CANDIDATES_H
#define AIKV_KEYSPACE_CANDIDATES_H

#include "keyspace/rowkey.h"

#define CANDIDATES_MAX 16

struct candidates { /* all zeros is empty */
    size_t count;
    uint64_t rank[CANDIDATES_MAX];
    struct {
        uint16_t len;
        uint8_t bytes[ROWKEY_MAX];
    } name[CANDIDATES_MAX]; /* of its row */
};

/* Copies the name. */
void candidates_offer(struct candidates *c, uint64_t rank, struct bytes name);
/* Takes out the one with the highest rank; returns its name, in `out`. There is one. */
struct bytes candidates_take(struct candidates *c, uint8_t out[ROWKEY_MAX]);

#endif
