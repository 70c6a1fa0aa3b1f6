#include "command/latency.h"

#include "base/clock.h"
#include "command/call.h"
#include "command/engine.h"

#define NAME(name, text) text,
static const char *const names[] = {LATENCY_EVENTS_LIST(NAME)};
#undef NAME

const char *command_latency_name(enum latency_event event)
{
    return names[event];
}

const struct latency_sample *command_latency_sample(const struct latency_series *s, uint32_t i)
{
    return &s->samples[(s->next + LATENCY_SAMPLES - s->count + i) % LATENCY_SAMPLES];
}

/* Of one second the longest is kept. */
void command_latency_add(struct command_latency *l, enum latency_event event, int64_t now_s, uint64_t took_us)
{
    struct latency_series *s = &l->events[event];
    uint32_t ms = took_us / 1000 < UINT32_MAX ? (uint32_t)(took_us / 1000) : UINT32_MAX;
    if (ms > s->max_ms) s->max_ms = ms;
    struct latency_sample *last = &s->samples[(s->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES];
    if (s->count > 0 && last->at_s == now_s) {
        if (ms > last->ms) last->ms = ms;
        return;
    }
    s->samples[s->next] = (struct latency_sample){.at_s = now_s, .ms = ms};
    s->next = (s->next + 1) % LATENCY_SAMPLES;
    if (s->count < LATENCY_SAMPLES) s->count++;
}

/* The series that argument `i` names, if it has samples; else NULL. */
static struct latency_series *series_named(struct command_call *c, int i, enum latency_event *event)
{
    for (int e = 0; e < LATENCY_EVENTS; e++) {
        struct latency_series *s = &c->engine->latency.events[e];
        if (!bytes_equal(c->argv[i], bytes_text(names[e])) || s->count == 0) continue;
        *event = (enum latency_event)e;
        return s;
    }
    return NULL;
}

static void command_latency_latest(struct command_call *c)
{
    const struct latency_series *events = c->engine->latency.events;
    size_t n = 0;
    for (int e = 0; e < LATENCY_EVENTS; e++) n += events[e].count > 0;
    resp_array(c->reply, n);
    for (int e = 0; e < LATENCY_EVENTS; e++) {
        if (events[e].count == 0) continue;
        const struct latency_sample *last = command_latency_sample(&events[e], events[e].count - 1);
        resp_array(c->reply, 4);
        resp_bulk_text(c->reply, names[e]);
        resp_integer(c->reply, last->at_s);
        resp_integer(c->reply, last->ms);
        resp_integer(c->reply, events[e].max_ms);
    }
}

static void command_latency_history(struct command_call *c)
{
    enum latency_event event;
    const struct latency_series *s = series_named(c, 2, &event);
    uint32_t n = s ? s->count : 0;
    resp_array(c->reply, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct latency_sample *sample = command_latency_sample(s, i);
        resp_array(c->reply, 2);
        resp_integer(c->reply, sample->at_s);
        resp_integer(c->reply, sample->ms);
    }
}

static void command_latency_reset(struct command_call *c)
{
    struct latency_series *events = c->engine->latency.events;
    enum latency_event event;
    int64_t n = 0;
    for (int i = 2; i < c->argc; i++) {
        struct latency_series *s = series_named(c, i, &event);
        if (!s) continue;
        *s = (struct latency_series){0};
        n++;
    }
    for (int e = 0; c->argc == 2 && e < LATENCY_EVENTS; e++) {
        n += events[e].count > 0;
        events[e] = (struct latency_series){0};
    }
    resp_integer(c->reply, n);
}

static void command_latency_graph(struct command_call *c)
{
    enum latency_event event;
    const struct latency_series *s = series_named(c, 2, &event);
    if (!s) {
        resp_error(c->reply, ERROR_NOT_FOUND, "No samples available for event '%s'", command_text(c, 2));
        return;
    }
    command_latency_draw(s, event, c->now_ms / 1000, &c->engine->scratch);
    resp_verbatim(c->reply, buffer_bytes(&c->engine->scratch));
}

#define FLAGS (ADMIN | NOSCRIPT | LOADING | STALE)
#define TIPS  "nondeterministic_output request_policy:all_nodes response_policy:special"

static const struct command_row subcommands[] = {
    {"LATEST", 2, FLAGS, NO_KEYS, 0, command_latency_latest,
     "Of each kind of event: when it last took long, how long, and the longest ever, in milliseconds.",
     .since = "2.8.13", .complexity = "O(1)", .tips = TIPS},
    {"HISTORY", 3, FLAGS, NO_KEYS, 0, command_latency_history,
     "When a kind of event took long, and how long.",
     .syntax = "event", .since = "2.8.13", .complexity = "O(1)", .tips = TIPS},
    {"RESET", -2, FLAGS, NO_KEYS, 0, command_latency_reset,
     "Forgets what took long, of some kinds of event or of all. Returns of how many.",
     .syntax = "[event...]", .since = "2.8.13", .complexity = "O(1)",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"GRAPH", 3, FLAGS, NO_KEYS, 0, command_latency_graph,
     "Draws the history of a kind of event.",
     .syntax = "event", .since = "2.8.13", .complexity = "O(1)", .tips = TIPS},
    {"DOCTOR", 2, FLAGS, NO_KEYS, 0, command_latency_doctor,
     "Tells of what took long, and what to do about it.",
     .since = "2.8.13", .complexity = "O(1)", .tips = TIPS},
    {"HISTOGRAM", -2, FLAGS, NO_KEYS, 0, command_latency_histogram,
     "How often commands were called, and took up to how many microseconds: of some, or of all that were called.",
     .syntax = "[command...]", .since = "7.0.0",
     .complexity = "O(N) where N is the number of commands with latency information being retrieved.", .tips = TIPS},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "2.8.13", .complexity = "O(1)"},
    {0},
};

const struct command_row command_latency_rows[] = {
    {"LATENCY", -2, 0, NO_KEYS, 0, NULL,
     "What took long, by kind of event; how long commands take.",
     .since = "2.8.13", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
