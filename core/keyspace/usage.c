#include "keyspace/usage.h"

#define COUNTER_BITS 8

static uint32_t counted(uint32_t now_s, unsigned counter)
{
    return now_s / 60 << COUNTER_BITS | counter;
}

uint32_t usage_first(const struct usage_rules *r, uint32_t now_s)
{
    return r->counts ? counted(now_s, USAGE_FREQUENCY_FIRST) : now_s;
}

/* The chance is one in (counter - FIRST) * log_factor + 1. */
static bool rises(const struct usage_rules *r, unsigned counter, uint64_t random)
{
    uint64_t base = counter > USAGE_FREQUENCY_FIRST ? counter - USAGE_FREQUENCY_FIRST : 0;
    return counter < USAGE_FREQUENCY_MAX && random % (base * r->log_factor + 1) == 0;
}

uint32_t usage_again(const struct usage_rules *r, uint32_t usage, uint32_t now_s, uint64_t random)
{
    if (!r->counts) return now_s;
    unsigned counter = usage_frequency(r, usage, now_s);
    return counted(now_s, counter + rises(r, counter, random));
}

uint32_t usage_told(const struct usage_rules *r, uint32_t now_s, uint64_t idle_s, unsigned frequency)
{
    if (r->counts) return counted(now_s, frequency);
    return idle_s < now_s ? now_s - (uint32_t)idle_s : 1;
}

static uint32_t since(uint32_t then, uint32_t now)
{
    return now > then ? now - then : 0;
}

uint32_t usage_idle_s(uint32_t usage, uint32_t now_s)
{
    bool unknown = usage == 0 || (usage > now_s && usage - now_s > USAGE_BEGINNING_S); /* no clock is set back so far: it was kept by the other rule */
    return since(unknown ? USAGE_BEGINNING_S : usage, now_s);
}

unsigned usage_frequency(const struct usage_rules *r, uint32_t usage, uint32_t now_s)
{
    uint32_t counter = usage & USAGE_FREQUENCY_MAX, periods = 0;
    if (r->decay_min) periods = since(usage >> COUNTER_BITS, now_s / 60) / r->decay_min;
    return periods > counter ? 0 : counter - periods;
}
