/* A draft: a small payload that is being changed. It remembers how much of the old one is still the same in front and behind, so that all changes
 * of a command come to the row in one splice. One at a time: its bytes are the keyspace's. */
#ifndef AIKV_KEYSPACE_DRAFT_H
#define AIKV_KEYSPACE_DRAFT_H

#include "keyspace/entry.h"

#define DRAFT_MAX ((size_t)1 << 20) /* bytes; small values are far below */

struct draft {
    struct keyspace *ks;
    bool begun;
    size_t was; /* the length of the old payload */
    size_t front, back;
};

/* A copy of `payload`. */
void draft_begin(struct draft *d, struct keyspace *ks, struct bytes payload);
/* In place of `removed` bytes at `at` come `len` others, which the caller fills in. What draft_bytes gave has ended. */
uint8_t *draft_open(struct draft *d, size_t at, size_t removed, size_t len);
/* As it is now. */
struct bytes draft_bytes(const struct draft *d);
/* Brings the payload of the key at ks->place, whose entry `en` was, to what the draft is. */
void draft_splice(struct draft *d, const struct entry *en);

#endif
