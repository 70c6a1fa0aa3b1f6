/* Proposals whose answers come at some time: marks, numbered on from `first`. */
#ifndef META_TEST_FLIGHT_H
#define META_TEST_FLIGHT_H

#include "group.h"

#define FLIGHT_MAX 4096
struct flight {
    uint64_t first; /* marks from here on */
    unsigned count, answered;
    int code[FLIGHT_MAX]; /* -1: open, or not taken at all */
    struct ticket {
        struct flight *flight;
        unsigned at;
    } tickets[FLIGHT_MAX];
};

/* Proposes the next mark; returns whether it was queued. */
bool flight_add(struct flight *f, struct meta *m);
/* A condition for group_until: all are answered. The argument is the flight's address. */
bool flight_over(struct group *g, uint64_t pointer);
/* What was answered 'done' is there, in a member that applied all itself; what was answered 'not taken' is not; and
 * nothing is there twice. */
void flight_check(const struct flight *f, const struct seat *s);

#endif
