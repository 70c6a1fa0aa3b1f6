#include "control/trigger_decision.h"

#include <stdio.h>

/* ---- how a text fared ---- */

static bool is_of_trigger(const struct cluster_run *r, const struct cluster_trigger *t, const char *version)
{
    bool is = strcmp(r->trigger, t->name) == 0 && strcmp(r->script, t->script) == 0 &&
              strcmp(r->version, version) == 0 && r->param_count == t->param_count;
    for (uint32_t i = 0; is && i < t->param_count; i++)
        is = strcmp(r->params[i].name, t->params[i].name) == 0 && strcmp(r->params[i].value, t->params[i].value) == 0;
    return is;
}

/* The runs of a trigger's text that did not end well, the newest first, up to one that did. Those with other parameters
 * tell nothing of it as it is now. */
struct failures {
    uint32_t count;
    const struct cluster_run *last;
};

static struct failures failures_of(const struct cluster_state *s, const struct cluster_trigger *t, const char *version)
{
    struct failures f = {0};
    for (uint32_t i = s->run_count; i-- > 0;) {
        const struct cluster_run *r = &s->runs[i];
        if (r->status == CLUSTER_RUN_RUNNING || !is_of_trigger(r, t, version)) continue;
        if (r->status == CLUSTER_RUN_DONE) break;
        f.count++;
        if (!f.last) f.last = r;
    }
    return f;
}

/* Errors of a script begin with its name and version (script/policy.h), those of steps and bounds do not. */
static bool is_script_error(const struct cluster_run *r)
{
    char prefix[CLUSTER_NAME_MAX + 20];
    int len = snprintf(prefix, sizeof prefix, "%s@%s:", r->script, r->version);
    return r->status == CLUSTER_RUN_FAILED && strncmp(r->error, prefix, (size_t)len) == 0;
}

static const struct trigger_complaint *complaint_of(const struct trigger_memory *m, enum trigger_text text)
{
    const struct trigger_complaint *c = &m->complaint[text];
    return c->errors && strcmp(c->version, m->version[text]) == 0 ? c : NULL;
}

void trigger_memory_failed(struct trigger_memory *m, enum trigger_text text, const char *error, uint64_t now_ms)
{
    struct trigger_complaint *c = &m->complaint[text];
    if (strcmp(c->version, m->version[text]) != 0) c->errors = 0;
    memcpy(c->version, m->version[text], sizeof c->version);
    c->errors++;
    c->at_ms = now_ms;
    snprintf(c->error, sizeof c->error, "%s", error);
}

void trigger_memory_answered(struct trigger_memory *m, const struct cluster_trigger *t, enum trigger_text text,
                             uint64_t ups, bool only_waits, uint64_t now_ms)
{
    m->complaint[text] = (struct trigger_complaint){0};
    m->asked_ms = now_ms;
    m->rests_until_ms = now_ms + TRIGGER_AGAIN_MS;
    if (only_waits) return;
    m->ups_seen = ups;
    if (text == TRIGGER_BUILTIN) m->stood_in = t->last_run;
}

static bool last_run_failed(const struct cluster_state *s, const struct cluster_trigger *t)
{
    const struct cluster_run *r = t->last_run ? cluster_run_find(s, t->last_run) : NULL;
    return r && r->status == CLUSTER_RUN_FAILED;
}

void trigger_memory_look(struct trigger_memory *m, const struct cluster_state *s, const struct cluster_trigger *t,
                         uint64_t now_ms)
{
    const struct cluster_run *active = cluster_run_active(s);
    const bool runs = active && active->id == t->last_run;
    if (m->running && !runs) m->rests_until_ms = last_run_failed(s, t) ? 0 : now_ms + TRIGGER_AGAIN_MS;
    m->running = runs ? active->id : 0;
}

/* ---- time ---- */

static uint64_t pause_ms(uint32_t failures)
{
    uint64_t pause = TRIGGER_PAUSE_MIN_MS;
    while (--failures && pause < TRIGGER_PAUSE_MAX_MS) pause *= 2;
    return pause < TRIGGER_PAUSE_MAX_MS ? pause : TRIGGER_PAUSE_MAX_MS;
}

static uint64_t left_ms(uint64_t until_ms, uint64_t now_ms)
{
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

/* The same from a moment of wall time. When that lies so far ahead that only another clock can have told it, it counts
 * as long ago: no trigger may stand still for a year because a leader's clock was wrong. */
static uint64_t wall_left_ms(int64_t since_ms, uint64_t span_ms, int64_t wall_ms)
{
    int64_t left = since_ms + (int64_t)span_ms - wall_ms;
    return left > 0 && (uint64_t)left <= 2 * span_ms ? (uint64_t)left : 0;
}

static uint64_t more(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- which text ---- */

static uint64_t text_wait_ms(const struct cluster_state *s, const struct cluster_trigger *t,
                             const struct trigger_memory *m, enum trigger_text text, const struct trigger_facts *f)
{
    const struct trigger_complaint *c = complaint_of(m, text);
    struct failures failed = failures_of(s, t, m->version[text]);
    uint64_t wait = c ? left_ms(c->at_ms + pause_ms(c->errors), f->now_ms) : 0;
    if (failed.count) wait = more(wait, wall_left_ms(failed.last->ended_ms, pause_ms(failed.count), f->wall_ms));
    return wait;
}

/* Whether the built-in text stands in for the loaded one, as long as that one waits: it made errors. Steps that fail
 * are no error of the script; the built-in one would have no better luck. */
static bool stands_in(const struct cluster_state *s, const struct cluster_trigger *t, const struct trigger_memory *m)
{
    if (!m->version[TRIGGER_LOADED][0] || !m->version[TRIGGER_BUILTIN][0]) return false;
    struct failures failed = failures_of(s, t, m->version[TRIGGER_LOADED]);
    return complaint_of(m, TRIGGER_LOADED) || (failed.count && is_script_error(failed.last));
}

static bool choose_text(const struct cluster_state *s, const struct cluster_trigger *t, const struct trigger_memory *m,
                        const struct trigger_facts *f, struct trigger_decision *out)
{
    out->text = m->version[TRIGGER_LOADED][0] ? TRIGGER_LOADED : TRIGGER_BUILTIN;
    if (!m->version[out->text][0]) return false;
    out->wait_ms = text_wait_ms(s, t, m, out->text, f);
    if (out->text == TRIGGER_BUILTIN || !out->wait_ms || !stands_in(s, t, m)) return true;
    out->text = TRIGGER_BUILTIN;
    out->wait_ms = text_wait_ms(s, t, m, TRIGGER_BUILTIN, f);
    return true;
}

/* The loaded text's run ended with an error of the script, and the built-in one has not stood in for it yet: it does at
 * once. */
static bool owes_a_run(const struct cluster_state *s, const struct cluster_trigger *t, const struct trigger_memory *m)
{
    struct failures failed = failures_of(s, t, m->version[TRIGGER_LOADED]);
    return failed.count && failed.last->id == t->last_run && m->stood_in != t->last_run && is_script_error(failed.last);
}

/* ---- whether its time has come ---- */

static uint64_t schedule_wait_ms(const struct cluster_trigger *t, const struct trigger_memory *m,
                                 const struct trigger_facts *f)
{
    const uint64_t every_ms = t->every_s * UINT64_C(1000);
    uint64_t wait = m->asked_ms ? left_ms(m->asked_ms + every_ms, f->now_ms) : 0;
    return t->last_run ? more(wait, wall_left_ms(t->fired_ms, every_ms, f->wall_ms)) : wait;
}

static bool condition_holds(const struct cluster_state *s, const struct cluster_trigger *t,
                            const struct trigger_memory *m, const struct trigger_facts *f)
{
    if (t->event == CLUSTER_EVENT_SCHEDULE) return schedule_wait_ms(t, m, f) == 0;
    if (t->event == CLUSTER_EVENT_NODE_UP) return f->ups != m->ups_seen || last_run_failed(s, t);
    return f->holds[t->event];
}

static uint64_t yield_ms(const struct trigger_facts *f)
{
    return f->refused ? left_ms(f->free_since_ms + TRIGGER_YIELD_MS, f->now_ms) : 0;
}

static void stay(struct trigger_decision *out, enum trigger_verdict verdict, uint64_t wait_ms)
{
    out->verdict = verdict;
    out->wait_ms = wait_ms;
}

/* What only this trigger waits for. */
static void decide_by_itself(const struct cluster_state *s, const struct cluster_trigger *t,
                             const struct trigger_memory *m, const struct trigger_facts *f,
                             struct trigger_decision *out)
{
    const bool owes = out->text == TRIGGER_BUILTIN && owes_a_run(s, t, m);
    const bool is_level = t->event != CLUSTER_EVENT_SCHEDULE && t->event != CLUSTER_EVENT_NODE_UP;
    const uint64_t cools = t->last_run ? wall_left_ms(t->fired_ms, t->cooldown_s * UINT64_C(1000), f->wall_ms) : 0;
    const uint64_t rests = left_ms(m->rests_until_ms, f->now_ms);
    if (cools && !owes)
        stay(out, TRIGGER_COOLS, cools);
    else if (!condition_holds(s, t, m, f) && (is_level || !owes))
        stay(out, TRIGGER_IDLE, t->event == CLUSTER_EVENT_SCHEDULE ? schedule_wait_ms(t, m, f) : 0);
    else if (out->wait_ms)
        out->verdict = TRIGGER_FAILS;
    else if (rests)
        stay(out, TRIGGER_RESTS, rests);
    else
        out->verdict = TRIGGER_ASK;
}

void trigger_decide(const struct cluster_state *s, const struct cluster_trigger *t, const struct trigger_memory *m,
                    const struct trigger_facts *f, struct trigger_decision *out)
{
    *out = (struct trigger_decision){0};
    if (s->triggers_paused)
        out->verdict = TRIGGER_PAUSED;
    else if (cluster_run_active(s))
        out->verdict = TRIGGER_RUNNING;
    else if (yield_ms(f))
        stay(out, TRIGGER_YIELDS, yield_ms(f));
    else if (!choose_text(s, t, m, f, out))
        out->verdict = TRIGGER_NO_SCRIPT;
    else
        decide_by_itself(s, t, m, f, out);
}

/* ---- which one ---- */

static bool goes_before(const struct cluster_trigger *a, const struct trigger_memory *ma,
                        const struct cluster_trigger *b, const struct trigger_memory *mb)
{
    if (a->fired_ms != b->fired_ms) return a->fired_ms < b->fired_ms;
    return ma->asked_ms < mb->asked_ms;
}

uint32_t trigger_pick(const struct cluster_state *s, const struct trigger_memory *memory, const struct trigger_facts *f,
                      enum trigger_text *text)
{
    uint32_t best = s->trigger_count;
    for (uint32_t i = 0; i < s->trigger_count; i++) {
        const struct cluster_trigger *t = &s->triggers[i];
        struct trigger_decision d;
        trigger_decide(s, t, &memory[i], f, &d);
        if (d.verdict != TRIGGER_ASK) continue;
        if (best < s->trigger_count && !goes_before(t, &memory[i], &s->triggers[best], &memory[best])) continue;
        best = i;
        *text = d.text;
    }
    return best;
}

/* ---- for people ---- */

static void problem_of_text(const struct cluster_state *s, const struct cluster_trigger *t,
                            const struct trigger_memory *m, enum trigger_text text, char *out, size_t size)
{
    const struct trigger_complaint *c = complaint_of(m, text);
    struct failures failed = failures_of(s, t, m->version[text]);
    if (c)
        snprintf(out, size, "%s", c->error);
    else if (failed.count && failed.last->status == CLUSTER_RUN_CANCELLED)
        snprintf(out, size, "run %llu was cancelled", (unsigned long long)failed.last->id);
    else if (failed.count)
        snprintf(out, size, "run %llu failed: %s", (unsigned long long)failed.last->id, failed.last->error);
}

void trigger_problem(const struct cluster_state *s, const struct cluster_trigger *t, const struct trigger_memory *m,
                     char *out, size_t size)
{
    out[0] = 0;
    if (m->version[TRIGGER_LOADED][0]) problem_of_text(s, t, m, TRIGGER_LOADED, out, size);
    if (!out[0] && m->version[TRIGGER_BUILTIN][0]) problem_of_text(s, t, m, TRIGGER_BUILTIN, out, size);
    if (!m->version[TRIGGER_LOADED][0] && !m->version[TRIGGER_BUILTIN][0])
        snprintf(out, size, "there is no script '%s'", t->script);
}
