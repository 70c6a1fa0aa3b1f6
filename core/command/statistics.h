/* What INFO tells of commands run. Counting is on the path of every command: additions only. */
#ifndef AIKV_COMMAND_STATISTICS_H
#define AIKV_COMMAND_STATISTICS_H

#include "base/buffer.h"
#include "command/table.h"

struct command_counters {
    uint64_t calls, usec, rejected, failed;
};

#define COMMAND_ERROR_KINDS_MAX 64 /* prefixes told apart; the rest are counted in the total only */
#define COMMAND_RATE_SAMPLES    16

struct command_counts {
    uint64_t commands, hits, misses, errors, rejected_requests;
    struct command_counters *each; /* by entry number; owned */
    size_t each_count;
    struct {
        char prefix[32];
        uint64_t count;
    } kinds[COMMAND_ERROR_KINDS_MAX];
    size_t kind_count;
    uint64_t rate[COMMAND_RATE_SAMPLES], sampled_commands, sampled_us; /* commands a second, newest samples */
    size_t rate_next;
};

void command_counts_init(struct command_counts *c, size_t entries);
void command_counts_release(struct command_counts *c);
/* CONFIG RESETSTAT. */
void command_counts_reset(struct command_counts *c);
/* Counts an error reply that begins with `line` ("-ERR …"). */
void command_counts_error(struct command_counts *c, struct bytes line);
/* Takes a sample of the rate, ten times a second. */
void command_counts_sample(struct command_counts *c, uint64_t now_us);
uint64_t command_counts_per_second(const struct command_counts *c);

#endif
