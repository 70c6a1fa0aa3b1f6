/* The load itself: connections to 127.0.0.1 that send requests in pipelines and measure how long each waits for its
 * reply.
 *
 * Without a rate, a connection sends its next pipeline when all replies to the last have come (a closed loop, as
 * redis-benchmark). With one, requests fall due at fixed times whatever the server does; each is measured from when it
 * was due, so that a stall counts for all that had to wait in it. */
#pragma once

#include <stdint.h>

#include "histogram.h"
#include "request.h"

#define LOAD_CLIENTS_MAX  1000
#define LOAD_PIPELINE_MAX 1000
#define LOAD_REQUESTS_MAX 32  /* kinds of */
#define LOAD_PATIENCE_S   120 /* without any reply: the run has failed */

struct load_plan {
    uint16_t port;
    uint32_t clients, pipeline;
    uint64_t requests; /* ends after so many */
    double seconds;    /* or after so long; 0: no limit */
    double rate;       /* requests a second of all clients together; 0: closed loop */
    const struct load_request *kinds;
    uint32_t kind_count;
    struct load_pick pick;
};

struct load_result {
    uint64_t replies, errors, nulls;
    double seconds;                /* from the first request to the last reply */
    char error[128];               /* the first error reply, or what went wrong with the run */
    struct load_histogram latency; /* nanoseconds */
};

/* Returns whether the run came to its end; if not, `result->error` says why. Error replies are counted, they end
 * nothing. */
bool load_run(struct load_plan *plan, struct load_result *result);
