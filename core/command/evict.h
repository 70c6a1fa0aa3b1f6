/* Eviction: with a maxmemory-policy other than noeviction, keys are deleted while there is more data than maxmemory, before each command that comes
 * then. That is given a bounded time; what is left is deleted between turns of the loop. */
#ifndef AIKV_COMMAND_EVICT_H
#define AIKV_COMMAND_EVICT_H

#include <stdbool.h>
#include <stdint.h>

struct command_engine;

struct command_evictions {
    bool refusing; /* there was no key that may go: commands that need room are refused */
    bool more;     /* the time was up while keys were found */
    /* How long there has been too much, in us of monotonic time. */
    uint64_t exceeded_since_us; /* 0: there is not */
    uint64_t exceeded_us;       /* in all, before that; since the start or CONFIG RESETSTAT */
};

/* How long there has been too much, in us: now, 0 if there is not; and in all. */
void command_evictions_exceeded(const struct command_engine *e, uint64_t *now_us, uint64_t *total_us);
/* CONFIG RESETSTAT. */
void command_evictions_reset(struct command_engine *e);

/* Deletes keys until the data fits, for a bounded time. Call between commands, where it does not fit. */
void command_evict(struct command_engine *e);
/* Goes on with what was left, at the end of each turn, and sees to it that there is a next one. */
void command_evict_more(struct command_engine *e);

#endif
