/* Deletes what nobody asks for any more: keys and fields whose time has come, rows of large values whose keys are gone. A slice at a time, with
 * pauses in which commands run: so no command waits for more than a slice, and they lose no more than a share of the time. */
#include "base/clock.h"
#include "command/engine.h"

#define SLICE_US     1000
#define PAUSE_MS     3   /* while there is more: a quarter of the time */
#define HURRY_MS     1   /* while there has been more for longer than BEHIND_US: half of it */
#define REST_MS      100 /* while there is none */
#define BEHIND_US    1000000
#define SWEEP_KEYS   64 /* at a time */
#define RECLAIM_ROWS 64

/* Whether there was more when the slice ended. */
static bool sweep_keys(struct command_engine *e, uint64_t until_us)
{
    bool more = !e->expire_paused;
    int64_t now_ms = ((int64_t)clock_monotonic_us() + e->wall_offset_us) / 1000;
    while (more && clock_monotonic_us() < until_us && !store_busy(e->store))
        if (!keyspace_sweep(e->keyspace, SWEEP_KEYS, now_ms, &more)) break;
    return more;
}

static void slice(struct command_engine *e)
{
    uint64_t now_us = clock_monotonic_us(), until_us = now_us + SLICE_US;
    bool more = sweep_keys(e, until_us);
    while (keyspace_reclaim_waiting(e->keyspace) && clock_monotonic_us() < until_us && !store_busy(e->store))
        keyspace_reclaim(e->keyspace, RECLAIM_ROWS);
    if (!more && !keyspace_reclaim_waiting(e->keyspace))
        e->behind_since_us = 0;
    else if (!e->behind_since_us)
        e->behind_since_us = now_us;
}

uint64_t command_engine_sweep(struct command_engine *e)
{
    if (!e->writable || e->pause.until_ms || store_busy(e->store)) return REST_MS;
    e->last_client = 0;
    command_engine_watched(e, LATENCY_EXPIRE, slice);
    command_engine_flush(e);
    if (!e->behind_since_us) return REST_MS;
    return clock_monotonic_us() - e->behind_since_us > BEHIND_US ? HURRY_MS : PAUSE_MS;
}
