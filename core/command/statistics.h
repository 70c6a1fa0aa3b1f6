/* What INFO tells of commands run. Counting is on the path of every command: additions only. */
#ifndef AIKV_COMMAND_STATISTICS_H
#define AIKV_COMMAND_STATISTICS_H

#include "base/buffer.h"
#include "base/histogram.h"
#include "command/table.h"
#include "net/server.h"

struct command_counters {
    uint64_t calls, usec, rejected, failed;
    struct histogram *latency; /* of its calls, made with the first; NULL: none yet */
};

#define COMMAND_ERROR_KINDS_MAX 64 /* prefixes told apart; the rest are counted in the total only */
#define COMMAND_RATE_SAMPLES    16

/* How much a number rises in a second, over the newest samples. */
struct command_rate {
    uint64_t per_second[COMMAND_RATE_SAMPLES], last, last_us;
    size_t next;
};

struct command_counts {
    uint64_t commands, hits, misses, errors, rejected_requests;
    struct command_counters *each; /* by entry number; owned */
    size_t each_count;
    struct {
        char prefix[32];
        uint64_t count;
    } kinds[COMMAND_ERROR_KINDS_MAX];
    size_t kind_count;
    struct command_rate commands_rate, bytes_in_rate, bytes_out_rate;
    struct net_statistics net_before; /* what the server had counted, */
    uint64_t expired_before, evicted_before; /* and the keyspace, when this began */
};

void command_counts_init(struct command_counts *c, size_t entries);
void command_counts_release(struct command_counts *c);
/* CONFIG RESETSTAT. What others count goes on, and is told less what it is now. */
void command_counts_reset(struct command_counts *c, const struct net_statistics *net, uint64_t expired, uint64_t evicted);
/* Notes how long a call took. */
void command_counts_latency(struct command_counters *c, uint64_t took_us);
/* Counts an error reply that begins with `line` ("-ERR …"). */
void command_counts_error(struct command_counts *c, struct bytes line);
/* Takes samples of the rates, ten times a second. */
void command_counts_sample(struct command_counts *c, const struct net_statistics *net, uint64_t now_us);
uint64_t command_rate_per_second(const struct command_rate *r);

#endif
