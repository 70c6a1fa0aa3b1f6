/* LATENCY DOCTOR. */
#include "command/call.h"
#include "command/engine.h"
#include "command/latency.h"

struct diagnosis {
    uint32_t mean_ms, deviation_ms;
    double period_s; /* from one to the next, on average, up to now */
};

static struct diagnosis diagnose(const struct latency_series *s, int64_t now_s)
{
    uint64_t sum = 0, off = 0;
    for (uint32_t i = 0; i < s->count; i++) sum += command_latency_sample(s, i)->ms;
    uint64_t mean = sum / s->count;
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t ms = command_latency_sample(s, i)->ms;
        off += ms > mean ? ms - mean : mean - ms;
    }
    int64_t since_s = now_s - command_latency_sample(s, 0)->at_s;
    return (struct diagnosis){.mean_ms = (uint32_t)mean,
                              .deviation_ms = (uint32_t)(off / s->count),
                              .period_s = (double)since_s / s->count};
}

static void advise(const struct command_engine *e, struct buffer *out)
{
    const struct latency_series *events = e->latency.events;
    const struct command_tuning *t = &e->tuning;
    bool commands = events[LATENCY_COMMAND].count > 0 || events[LATENCY_FAST_COMMAND].count > 0;
    buffer_append_text(out, "\nWhat to do about it:\n\n");
    if (commands && (t->slowlog_us < 0 || (uint64_t)t->slowlog_us > t->latency_ms * 1000)) {
        buffer_printf(out, "- The slow log takes no note of some of these commands. Lower its threshold: 'CONFIG SET slowlog-log-slower-than %llu'.\n",
                      (unsigned long long)t->latency_ms * 1000);
    }
    if (commands) {
        buffer_append_text(out, "- See in the slow log which commands they were ('SLOWLOG GET'). What a command costs is in its documentation ('COMMAND DOCS'): "
                                "ask for less at a time, or split large values.\n");
    }
    if (events[LATENCY_EXPIRE].count > 0) {
        buffer_append_text(out, "- Many keys expire at once, or large values are being freed. Spread times of expiry, for instance by a random amount.\n");
    }
    if (events[LATENCY_EVICTION_CYCLE].count > 0 || events[LATENCY_EVICTION].count > 0) {
        buffer_append_text(out, "- Making room takes long: raise 'maxmemory', or lower 'maxmemory-eviction-tenacity', which bounds how long keys are deleted at a time.\n");
    }
    if (events[LATENCY_LOG].count > 0) {
        buffer_append_text(out, "- The disk is slow at taking the log ('INFO persistence'). See what else uses it; 'appendfsync everysec' does not have clients wait "
                                "for a sync.\n");
    }
}

void command_latency_doctor(struct command_call *c)
{
    const struct command_engine *e = c->engine;
    struct buffer *out = &c->engine->scratch;
    unsigned n = 0;
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        const struct latency_series *s = &e->latency.events[i];
        if (s->count == 0) continue;
        struct diagnosis d = diagnose(s, c->now_ms / 1000);
        if (n++ == 0) buffer_append_text(out, "Some things took longer than latency-monitor-threshold:\n\n");
        buffer_printf(out, "%u. %s: %u latency spikes (average %ums, mean deviation %ums, period %.2f sec). Worst all time event %ums.\n", n,
                      command_latency_name((enum latency_event)i), s->count, d.mean_ms, d.deviation_ms, d.period_s, s->max_ms);
    }
    if (n > 0) {
        advise(e, out);
    } else if (e->tuning.latency_ms == 0) {
        buffer_append_text(out, "Nothing is watched. 'CONFIG SET latency-monitor-threshold <milliseconds>' says from when on something has taken long.\n");
    } else {
        buffer_printf(out, "Nothing has taken %llu ms or longer.\n", (unsigned long long)e->tuning.latency_ms);
    }
    resp_verbatim(c->reply, buffer_bytes(out));
}
