/* LATENCY: what took longer than latency-monitor-threshold, by kind of event. */
#ifndef AIKV_COMMAND_LATENCY_H
#define AIKV_COMMAND_LATENCY_H

#include "base/buffer.h"
#include "command/row.h"

/* The kinds, with Redis's names for them. */
#define LATENCY_EVENTS_LIST(X)                                                                                         \
    X(LATENCY_COMMAND, "command")           /* a command that is not FAST */                                           \
    X(LATENCY_FAST_COMMAND, "fast-command") /* one that is */                                                          \
    X(LATENCY_EXPIRE, "expire-cycle")       /* looking for keys that have expired, and freeing large values */         \
    X(LATENCY_EVICTION_CYCLE, "eviction-cycle") /* deleting keys to make room, before a command or between turns */  \
    X(LATENCY_EVICTION, "eviction-del")   /* ... one of them, with looking for it */                                     \
    X(LATENCY_LOG, "aof-write")             /* writing the log at the end of a turn, and a sync if it is done there */

#define LATENCY_VALUE(name, text) name,
enum latency_event { LATENCY_EVENTS_LIST(LATENCY_VALUE) LATENCY_EVENTS };
#undef LATENCY_VALUE

#define LATENCY_SAMPLES 160 /* kept of each kind; one a second at most */

struct latency_sample {
    int64_t at_s; /* wall time */
    uint32_t ms;
};

struct latency_series {
    struct latency_sample samples[LATENCY_SAMPLES]; /* a ring */
    uint32_t count, next;
    uint32_t max_ms; /* since the last RESET */
};

struct command_latency {
    struct latency_series events[LATENCY_EVENTS];
};

void command_latency_add(struct command_latency *l, enum latency_event event, int64_t now_s, uint64_t took_us);
const char *command_latency_name(enum latency_event event);
/* The samples of a series, oldest first: `i` below its count. */
const struct latency_sample *command_latency_sample(const struct latency_series *s, uint32_t i);

/* The subcommands that draw and talk: latency_graph.c, latency_doctor.c, latency_histogram.c. */
void command_latency_draw(const struct latency_series *s, enum latency_event event, int64_t now_s, struct buffer *out);
void command_latency_doctor(struct command_call *c);
void command_latency_histogram(struct command_call *c);

#endif
