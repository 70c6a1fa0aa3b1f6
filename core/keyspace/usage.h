/* How lately a key was used, or how often: 32 bits that its row carries while it is in memory. Pure.
 *
 * By what is kept (struct usage_rules):
 *   lately      what the clock showed, in seconds, when it was used last
 *   how often   the same in minutes (24 bits, when it was counted last) and a counter (8 bits) as Redis's: it rises with a chance that falls the higher
 *               it is (Morris 1978), up to 255, and falls by one for each `decay_min` minutes
 * 0 is a key of which nothing is known: not used since the node's start. Numbers kept by one rule mean nothing by the other; they become right
 * as keys are used. */
#ifndef AIKV_KEYSPACE_USAGE_H
#define AIKV_KEYSPACE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#define USAGE_BEGINNING_S     (1u << 25) /* what the clock shows when the node starts: RESTORE tells of uses a year before, twice what Redis can keep */
#define USAGE_FREQUENCY_FIRST 5                   /* of a new key: so that it is not the first to go */
#define USAGE_FREQUENCY_MAX   255

struct usage_rules {
    bool counts; /* how often; else how lately */
    uint32_t log_factor, decay_min; /* decay_min 0: the counter never falls */
};

/* `now_s` is what the clock shows: USAGE_BEGINNING_S and the seconds since the start. */

/* Of a key that is used for the first time. */
uint32_t usage_first(const struct usage_rules *r, uint32_t now_s);
/* Of one that is used once more; `random` is any number. */
uint32_t usage_again(const struct usage_rules *r, uint32_t usage, uint32_t now_s, uint64_t random);
/* Of one that was last used so long ago, as far as the clock goes back; or, where that is counted, is used so often. */
uint32_t usage_told(const struct usage_rules *r, uint32_t now_s, uint64_t idle_s, unsigned frequency);
/* Seconds since the last use. Where it is counted how often, of no meaning. */
uint32_t usage_idle_s(uint32_t usage, uint32_t now_s);
/* How often, 0 to USAGE_FREQUENCY_MAX, as it is by now. Only where that is counted. */
unsigned usage_frequency(const struct usage_rules *r, uint32_t usage, uint32_t now_s);

#endif
