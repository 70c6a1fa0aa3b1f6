#include "command/evict.h"

#include "base/clock.h"
#include "command/engine.h"

#define CHECK_TIME_EVERY 16 /* keys */

static bool is_too_much(const struct command_engine *e)
{
    return e->tuning.data_max && keyspace_data_bytes(e->keyspace) > e->tuning.data_max;
}

/* Whether keys may be deleted now. */
static bool may_evict(const struct command_engine *e)
{
    return e->writable && !e->pause.until_ms && !store_pressure(e->store);
}

/* One key; how long it took is noted if that is watched. */
static enum keyspace_evicted evict_one(struct command_engine *e, int64_t now_ms)
{
    if (!e->tuning.latency_ms) return keyspace_evict(e->keyspace, now_ms);
    uint64_t began_us = clock_monotonic_us();
    enum keyspace_evicted outcome = keyspace_evict(e->keyspace, now_ms);
    uint64_t took_us = clock_monotonic_us() - began_us;
    if (took_us >= e->tuning.latency_ms * 1000) command_latency_add(&e->latency, LATENCY_EVICTION, now_ms / 1000, took_us);
    return outcome;
}

/* Where the time is up, or keys that may go were not found in a while, the rest is left for later. */
static void evict(struct command_engine *e)
{
    uint64_t began_us = clock_monotonic_us();
    int64_t now_ms = ((int64_t)began_us + e->wall_offset_us) / 1000;
    uint64_t evicted = keyspace_evicted_total(e->keyspace);
    enum keyspace_evicted outcome = KEYSPACE_MADE_ROOM;
    for (unsigned n = 1; is_too_much(e) && outcome != KEYSPACE_NONE_MAY_GO; n++) {
        outcome = evict_one(e, now_ms);
        bool look = outcome == KEYSPACE_NOT_FOUND || n % CHECK_TIME_EVERY == 0;
        if (look && (clock_monotonic_us() - began_us > e->tuning.eviction_us || store_pressure(e->store))) break;
    }
    e->evictions.refusing = outcome == KEYSPACE_NONE_MAY_GO;
    e->evictions.more = is_too_much(e) && keyspace_evicted_total(e->keyspace) > evicted;
}

/* Begins or ends the time in which there is too much. */
static void note_exceeded(struct command_engine *e)
{
    struct command_evictions *ev = &e->evictions;
    bool too_much = is_too_much(e);
    if (too_much == (ev->exceeded_since_us != 0)) return;
    uint64_t now_us = clock_monotonic_us();
    if (!too_much) ev->exceeded_us += now_us - ev->exceeded_since_us;
    ev->exceeded_since_us = too_much ? now_us : 0;
}

void command_evict(struct command_engine *e)
{
    e->evictions.refusing = e->evictions.more = false;
    if (may_evict(e)) command_engine_watched(e, LATENCY_EVICTION_CYCLE, evict);
    note_exceeded(e);
}

void command_evict_more(struct command_engine *e)
{
    e->evictions.more = false;
    if (is_too_much(e))
        command_evict(e);
    else if (e->evictions.exceeded_since_us)
        note_exceeded(e);
    if (e->evictions.more) e->host->wake(e->host->user);
}

void command_evictions_exceeded(const struct command_engine *e, uint64_t *now_us, uint64_t *total_us)
{
    const struct command_evictions *ev = &e->evictions;
    *now_us = ev->exceeded_since_us ? clock_monotonic_us() - ev->exceeded_since_us : 0;
    *total_us = ev->exceeded_us + *now_us;
}

void command_evictions_reset(struct command_engine *e)
{
    e->evictions.exceeded_since_us = e->evictions.exceeded_us = 0;
}
