/* CLUSTER SCRIPT TRIGGER SET, LIST, DELETE, PAUSE, RESUME. What makes triggers fire is triggers.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "base/number.h"
#include "control/control_thread.h"
#include "control/script_source.h"

#define COOLDOWN_S 10 /* of an event, where none is given: long enough for a run to show what it did */

/* As much of a word as an error repeats. */
static int shown(struct bytes word)
{
    return (int)(word.len > 64 ? 64 : word.len);
}

/* ---- SET id script ON event | EVERY s [COOLDOWN s] [PARAMS param value…] ---- */

enum { SET_BEGUN, SET_CHECKED, SET_DONE };
enum { SET_ID = 4, SET_SCRIPT, SET_WHEN, SET_EVENT, SET_OPTIONS };

static bool parse_seconds(const char *word, struct bytes text, uint32_t least, uint32_t most, uint32_t *out,
                          struct error *e)
{
    int64_t seconds;
    if (!number_parse_integer(text, &seconds) || seconds < least || seconds > most) {
        error_set(e, ERROR_SYNTAX, "%s takes %u to %u seconds, not '%.*s'", word, least, most, shown(text),
                  (const char *)text.data);
        return false;
    }
    *out = (uint32_t)seconds;
    return true;
}

static bool parse_event(struct bytes name, struct cluster_trigger *out, struct error *e)
{
    out->event = cluster_event_find(name);
    out->cooldown_s = COOLDOWN_S;
    if (out->event == CLUSTER_EVENT_SCHEDULE) {
        error_set(e, ERROR_SYNTAX, "a schedule is given as EVERY <seconds>, without ON");
        return false;
    }
    if (out->event < CLUSTER_EVENTS) return true;
    char list[128] = "";
    struct nearest n;
    nearest_begin(&n, name);
    for (enum cluster_event i = 0; i < CLUSTER_EVENTS; i++) {
        if (i == CLUSTER_EVENT_SCHEDULE) continue;
        nearest_offer(&n, cluster_event_name(i));
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", cluster_event_name(i));
    }
    error_set(e, ERROR_NOT_FOUND, "no event '%.*s'%s%s%s: there are %s", shown(name), (const char *)name.data,
              n.best ? "; did you mean '" : "", n.best ? n.best : "", n.best ? "'?" : "", list);
    return false;
}

static bool parse_when(const struct call *call, struct cluster_trigger *out, struct error *e)
{
    struct bytes word = call->argv[SET_WHEN], value = call->argv[SET_EVENT];
    if (bytes_is(word, "ON")) return parse_event(value, out, e);
    if (bytes_is(word, "EVERY")) {
        out->event = CLUSTER_EVENT_SCHEDULE;
        return parse_seconds("EVERY", value, 1, CLUSTER_EVERY_MAX_S, &out->every_s, e);
    }
    error_set(e, ERROR_SYNTAX, "ON <event> or EVERY <seconds> is expected after the script, not '%.*s'", shown(word),
              (const char *)word.data);
    return false;
}

/* What may follow: COOLDOWN, then PARAMS to the end. */
static bool parse_options(const struct call *call, struct cluster_trigger *out, struct error *e)
{
    int at = SET_OPTIONS;
    if (at + 1 < call->argc && bytes_is(call->argv[at], "COOLDOWN")) {
        if (!parse_seconds("COOLDOWN", call->argv[at + 1], 0, CLUSTER_COOLDOWN_MAX_S, &out->cooldown_s, e))
            return false;
        at += 2;
    }
    if (at < call->argc && bytes_is(call->argv[at], "PARAMS")) {
        out->params = control_script_params(call, at + 1, &out->param_count, e);
        return out->params != NULL;
    }
    if (at == call->argc) return true;
    error_set(e, ERROR_SYNTAX, "COOLDOWN <seconds> or PARAMS <param> <value>... is expected, not '%.*s'",
              shown(call->argv[at]), (const char *)call->argv[at].data);
    return false;
}

/* Release the params of `out` in any case. */
static bool parse_set(struct control *c, const struct call *call, struct cluster_trigger *out,
                      struct script_found *script, struct error *e)
{
    *out = (struct cluster_trigger){0};
    if (call->argc < SET_OPTIONS) {
        error_set(e, ERROR_SYNTAX,
                  "TRIGGER SET takes <id> <script> ON <event> | EVERY <seconds> "
                  "[COOLDOWN <seconds>] [PARAMS <param> <value>...]");
        return false;
    }
    struct bytes id = call->argv[SET_ID];
    if (!script_source_name_valid(id)) {
        error_set(e, ERROR_SYNTAX, "a trigger's id is 1 to %d of a-z, 0-9, _ and -", CLUSTER_NAME_MAX);
        return false;
    }
    if (script_source_find(meta_state(c->meta), call->argv[SET_SCRIPT], (struct bytes){0}, script, e) != 0)
        return false;
    memcpy(out->name, id.data, id.len);
    snprintf(out->script, sizeof out->script, "%s", script->name);
    return parse_when(call, out, e) && parse_options(call, out, e);
}

static void set_keep(struct control *c, struct call *call, const struct cluster_trigger *trigger)
{
    struct cluster_command command = {.type = CLUSTER_TRIGGER_SET, .trigger = *trigger};
    control_call_stage(c, call, SET_DONE);
    control_call_propose(c, call, &command, control_call_proposed);
}

static void trigger_set(struct control *c, struct call *call)
{
    struct cluster_trigger trigger;
    struct script_found script;
    struct error e;
    if (call->stage == SET_DONE) {
        control_call_ok(c, call);
        return;
    }
    if (!parse_set(c, call, &trigger, &script, &e)) {
        control_call_error_of(c, call, &e);
    } else if (call->stage == SET_BEGUN) {
        control_call_stage(c, call, SET_CHECKED);
        control_script_params_check(c, call, &script, trigger.params, trigger.param_count);
    } else {
        set_keep(c, call, &trigger);
    }
    control_script_params_free(trigger.params, trigger.param_count);
}

/* ---- LIST ---- */

static const char *const idle_texts[CLUSTER_EVENTS] = {
    [CLUSTER_EVENT_NODE_DOWN] = "no member is down",
    [CLUSTER_EVENT_NODE_UP] = "no member has come up since it was asked",
    [CLUSTER_EVENT_CANDIDATE] = "no node has announced itself",
    [CLUSTER_EVENT_IMBALANCE] = "no shard is above the tolerance",
};

static void due_in(const char *what, uint64_t ms, char *out, size_t size)
{
    snprintf(out, size, "%s in %" PRIu64 " s", what, (ms + 999) / 1000);
}

/* Why it is not asked now, or "now"; and what the script waits for, or why it had no steps, as far as it said. */
static void due_text(const struct control *c, const struct cluster_trigger *t, const struct trigger_memory *m,
                     const struct trigger_decision *d, char *out, size_t size)
{
    const struct cluster_run *run = cluster_run_active(meta_state(c->meta));
    const char *why = "";
    switch (d->verdict) {
    case TRIGGER_ASK: snprintf(out, size, "now"); break;
    case TRIGGER_PAUSED: snprintf(out, size, "triggers are paused"); break;
    case TRIGGER_RUNNING:
        snprintf(out, size, "run %" PRIu64 " is running", run ? run->id : 0);
        why = c->runner.waiting_for;
        break;
    case TRIGGER_YIELDS: due_in("an operator whose run was refused goes first; due", d->wait_ms, out, size); break;
    case TRIGGER_NO_SCRIPT: snprintf(out, size, "its script is not there"); break;
    case TRIGGER_COOLS: due_in("cool-down ends", d->wait_ms, out, size); break;
    case TRIGGER_FAILS: due_in("failed; tried again", d->wait_ms, out, size); break;
    case TRIGGER_RESTS:
        due_in("asked again", d->wait_ms, out, size);
        why = m->why;
        break;
    case TRIGGER_IDLE:
        if (t->event != CLUSTER_EVENT_SCHEDULE) {
            snprintf(out, size, "%s", idle_texts[t->event]);
            break;
        }
        due_in("comes", d->wait_ms, out, size);
        why = m->why;
        break;
    }
    if (*why) snprintf(out + strlen(out), size - strlen(out), ": %s", why);
}

static void write_params(struct resp_writer *w, const struct cluster_trigger *t)
{
    resp_map(w, t->param_count);
    for (uint32_t i = 0; i < t->param_count; i++) {
        resp_bulk_text(w, t->params[i].name);
        resp_bulk_text(w, t->params[i].value);
    }
}

static void write_trigger(const struct control *c, const struct cluster_trigger *t, const struct trigger_memory *m,
                          const struct trigger_facts *f, struct resp_writer *w)
{
    const struct cluster_state *s = meta_state(c->meta);
    char problem[512], due[512];
    struct trigger_decision d;
    trigger_decide(s, t, m, f, &d);
    trigger_problem(s, t, m, problem, sizeof problem);
    due_text(c, t, m, &d, due, sizeof due);
    resp_map(w, 10);
    resp_bulk_text(w, "id");
    resp_bulk_text(w, t->name);
    resp_bulk_text(w, "script");
    resp_bulk_text(w, t->script);
    resp_bulk_text(w, "event");
    resp_bulk_text(w, cluster_event_name(t->event));
    resp_bulk_text(w, "every_s");
    resp_integer(w, t->every_s);
    resp_bulk_text(w, "cooldown_s");
    resp_integer(w, t->cooldown_s);
    resp_bulk_text(w, "params");
    write_params(w, t);
    resp_bulk_text(w, "last_run");
    resp_integer(w, (int64_t)t->last_run);
    resp_bulk_text(w, "fired_ms");
    resp_integer(w, t->fired_ms);
    resp_bulk_text(w, "problem");
    resp_bulk_text(w, problem);
    resp_bulk_text(w, "due");
    resp_bulk_text(w, due);
}

static void trigger_list(struct control *c, struct call *call)
{
    const struct cluster_state *s = meta_state(c->meta);
    struct trigger_facts facts;
    control_triggers_look(c, &facts);
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_array(&w, s->trigger_count);
    for (uint32_t i = 0; i < s->trigger_count; i++)
        write_trigger(c, &s->triggers[i], &c->triggers.memory[i], &facts, &w);
    control_call_reply(c, call, &b);
}

/* ---- DELETE id, PAUSE, RESUME ---- */

enum { CHANGE_BEGUN, CHANGE_DONE };

static bool name_trigger(const struct cluster_state *s, struct bytes id, char out[CLUSTER_NAME_MAX + 1],
                         struct error *e)
{
    struct nearest n;
    nearest_begin(&n, id);
    for (uint32_t i = 0; i < s->trigger_count; i++) {
        nearest_offer(&n, s->triggers[i].name);
        if (!bytes_equal(id, bytes_text(s->triggers[i].name))) continue;
        memcpy(out, s->triggers[i].name, sizeof s->triggers[i].name);
        return true;
    }
    error_set(e, ERROR_NOT_FOUND, "no trigger '%.*s'%s%s%s", shown(id), (const char *)id.data,
              n.best ? "; did you mean '" : "", n.best ? n.best : "; CLUSTER SCRIPT TRIGGER LIST shows those there are",
              n.best ? "'?" : "");
    return false;
}

static void trigger_delete(struct control *c, struct call *call)
{
    struct cluster_command command = {.type = CLUSTER_TRIGGER_DELETE};
    struct error e;
    if (call->stage == CHANGE_DONE) {
        control_call_ok(c, call);
    } else if (!name_trigger(meta_state(c->meta), call->argv[SET_ID], command.name, &e)) {
        control_call_error_of(c, call, &e);
    } else {
        control_call_stage(c, call, CHANGE_DONE);
        control_call_propose(c, call, &command, control_call_proposed);
    }
}

static void pause_all(struct control *c, struct call *call, bool on)
{
    struct cluster_command command = {.type = CLUSTER_TRIGGERS_PAUSE, .on = on};
    if (call->argc > 4) {
        control_call_error(c, call, ERROR_SYNTAX,
                           "PAUSE and RESUME are for all triggers and take no id; DELETE <id> ends one");
        return;
    }
    if (call->stage == CHANGE_DONE) {
        control_call_ok(c, call);
        return;
    }
    control_call_stage(c, call, CHANGE_DONE);
    control_call_propose(c, call, &command, control_call_proposed);
}

static void trigger_pause(struct control *c, struct call *call)
{
    pause_all(c, call, true);
}

static void trigger_resume(struct control *c, struct call *call)
{
    pause_all(c, call, false);
}

/* ---- which ---- */

static const struct trigger_subcommand {
    const char *name;
    int argc_min, argc_max; /* max 0: any */
    call_advance advance;
} subcommands[] = {
    {"SET", 4, 0, trigger_set},     {"LIST", 4, 4, trigger_list},     {"DELETE", 5, 5, trigger_delete},
    {"PAUSE", 4, 5, trigger_pause}, {"RESUME", 4, 5, trigger_resume},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

void control_script_trigger(struct control *c, struct call *call)
{
    struct bytes word = call->argv[3];
    struct nearest n;
    nearest_begin(&n, word);
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        const struct trigger_subcommand *row = &subcommands[i];
        nearest_offer(&n, row->name);
        if (!bytes_is(word, row->name)) continue;
        if (call->argc >= row->argc_min && (!row->argc_max || call->argc <= row->argc_max))
            row->advance(c, call);
        else
            control_call_error(c, call, ERROR_SYNTAX, "wrong number of arguments for 'cluster|script|trigger %s'",
                               row->name);
        return;
    }
    control_call_error(c, call, ERROR_SYNTAX, "unknown subcommand '%.*s' of TRIGGER.%s%s%s Try CLUSTER SCRIPT HELP.",
                       shown(word), (const char *)word.data, n.best ? " Did you mean " : "", n.best ? n.best : "",
                       n.best ? "?" : "");
}
