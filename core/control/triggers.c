/* Triggers: what starts cluster scripts by themselves, on the leader. trigger_decision.h says which one's script is to
 * be asked; the policy thread asks it, one at a time; when it answers with steps a run is started in the trigger's
 * name, which the runner carries out (and plans by itself, with what is there then). An answer without steps is
 * recorded nowhere. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control_thread.h"
#include "control/imbalance.h"
#include "control/script_source.h"

#define LOOK_MS      50   /* between two looks */
#define IMBALANCE_MS 1000 /* between two sums over all slots */
/* Nodes have so long to announce themselves to a new leader. */
#define SETTLE_MS 2000

/* ---- the memory ---- */

static void forget_all(struct triggers *t)
{
    free(t->memory);
    t->memory = NULL;
    t->count = 0;
}

void control_triggers_begin(struct control *c)
{
    struct triggers *t = &c->triggers;
    forget_all(t);
    *t = (struct triggers){.question.number = t->question.number,
                           .ups = 1,
                           .free_since_ms = control_now_ms(c),
                           .look_ms = control_now_ms(c) + SETTLE_MS};
}

void control_triggers_release(struct control *c)
{
    forget_all(&c->triggers);
}

static struct trigger_memory *remembered(const struct triggers *t, const char *name)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (strcmp(t->memory[i].name, name) == 0) return &t->memory[i];
    return NULL;
}

static void find_texts(const struct cluster_state *s, const struct cluster_trigger *t, struct trigger_memory *m)
{
    const struct cluster_script *loaded = cluster_script_find(s, t->script, NULL);
    snprintf(m->version[TRIGGER_LOADED], sizeof m->version[0], "%s", loaded ? loaded->version : "");
    if (m->version[TRIGGER_BUILTIN][0]) return; /* it does not change, and costs a hash of the text */
    const struct script_builtin *builtin = script_builtin_find(t->script);
    if (builtin) script_source_version(bytes_of(builtin->text, builtin->len), m->version[TRIGGER_BUILTIN]);
}

/* One memory for each trigger of the state, in their order. */
static void sync_memory(struct control *c)
{
    struct triggers *t = &c->triggers;
    const struct cluster_state *s = meta_state(c->meta);
    struct trigger_memory *list = control_allocate(s->trigger_count * sizeof *list);
    for (uint32_t i = 0; i < s->trigger_count; i++) {
        const struct trigger_memory *old = remembered(t, s->triggers[i].name);
        if (old) list[i] = *old;
        memcpy(list[i].name, s->triggers[i].name, sizeof list[i].name);
        find_texts(s, &s->triggers[i], &list[i]);
        trigger_memory_look(&list[i], s, &s->triggers[i], control_now_ms(c));
    }
    forget_all(t);
    t->memory = list;
    t->count = s->trigger_count;
}

/* A trigger that was set anew begins anew. */
static void forget(struct control *c, const char *name)
{
    struct triggers *t = &c->triggers;
    struct trigger_memory *m = remembered(t, name);
    if (m) *m = (struct trigger_memory){0};
    if (strcmp(t->question.trigger, name) == 0) t->question.open = false;
}

void control_triggers_applied(struct control *c, struct bytes command)
{
    struct cluster_command m;
    struct error e;
    if (!c->leads || cluster_command_decode(command, &m, &e) != 0) return;
    if ((m.type == CLUSTER_SET_REACHABLE && m.up) || m.type == CLUSTER_ADMIT) c->triggers.ups++;
    if (m.type == CLUSTER_TRIGGER_SET) forget(c, m.trigger.name);
    if (m.type == CLUSTER_RUN_START && !m.text[0]) c->triggers.refused = false;
    cluster_command_release(&m);
}

void control_triggers_stay_back(struct control *c)
{
    c->triggers.refused = true;
}

/* ---- what the leader sees ---- */

static bool any_down(const struct cluster_state *s)
{
    for (uint32_t i = 0; i < s->node_count; i++)
        if (!s->nodes[i].up) return true;
    return false;
}

static bool any_of_event(const struct cluster_state *s, enum cluster_event event)
{
    for (uint32_t i = 0; i < s->trigger_count; i++)
        if (s->triggers[i].event == event) return true;
    return false;
}

static bool sees_imbalance(struct control *c)
{
    struct triggers *t = &c->triggers;
    if (!any_of_event(meta_state(c->meta), CLUSTER_EVENT_IMBALANCE)) return false;
    if (control_now_ms(c) < t->imbalance_until_ms) return t->imbalance;
    struct cluster_live live;
    control_reign_live(c, &live);
    t->imbalance = imbalance_holds(meta_state(c->meta), &live);
    t->imbalance_until_ms = control_now_ms(c) + IMBALANCE_MS;
    cluster_live_release(&live);
    return t->imbalance;
}

void control_triggers_look(struct control *c, struct trigger_facts *out)
{
    struct triggers *t = &c->triggers;
    const struct cluster_state *s = meta_state(c->meta);
    sync_memory(c);
    if (cluster_run_active(s)) t->free_since_ms = control_now_ms(c);
    t->refused = t->refused && control_now_ms(c) < t->free_since_ms + TRIGGER_YIELD_MS;
    candidates_expire(&c->candidates, s, control_now_ms(c));
    *out = (struct trigger_facts){.now_ms = control_now_ms(c),
                                  .wall_ms = clock_wall_ms(),
                                  .free_since_ms = t->free_since_ms,
                                  .refused = t->refused,
                                  .ups = t->ups};
    out->holds[CLUSTER_EVENT_NODE_DOWN] = any_down(s);
    out->holds[CLUSTER_EVENT_CANDIDATE] = c->candidates.count > 0;
    out->holds[CLUSTER_EVENT_IMBALANCE] = sees_imbalance(c);
}

/* ---- firing ---- */

/* What the question is about; NULL: the trigger is gone, or was set anew, or this leader leads no more. */
static struct cluster_trigger *asked_trigger(struct control *c, uint64_t number, struct trigger_memory **memory)
{
    struct trigger_question *q = &c->triggers.question;
    if (!q->open || q->number != number || !c->leads || c->stopping) return NULL;
    *memory = remembered(&c->triggers, q->trigger);
    return *memory ? cluster_trigger_find(meta_state(c->meta), q->trigger) : NULL;
}

static void close_question(struct control *c)
{
    c->triggers.question.open = false;
    c->triggers.look_ms = 0; /* what comes next comes at once */
    control_touch(c);
}

static void fired(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)node;
    struct trigger_question *q = &c->triggers.question;
    struct trigger_memory *m;
    const struct cluster_trigger *trigger = asked_trigger(c, number, &m);
    if (!trigger) return;
    if (result->error.code == 0)
        trigger_memory_answered(m, trigger, q->text, q->ups, false, control_now_ms(c));
    else
        m->rests_until_ms = control_now_ms(c) + TRIGGER_AGAIN_MS; /* somebody else's run was first */
    close_question(c);
}

/* The question stays open until the run has begun. */
static void fire(struct control *c, const struct cluster_trigger *t, struct trigger_memory *m, struct policy_job *job)
{
    struct cluster_command command = {.type = CLUSTER_RUN_START,
                                      .source = job->text,
                                      .source_len = job->text_len,
                                      .params = t->params,
                                      .param_count = t->param_count,
                                      .wall_ms = clock_wall_ms()};
    memcpy(command.name, job->name, sizeof command.name);
    memcpy(command.version, job->version, sizeof command.version);
    snprintf(command.text, sizeof command.text, "%s", t->name);
    if (control_propose(c, &command, fired, job->call, "", NULL) == 0) return;
    m->rests_until_ms = control_now_ms(c) + TRIGGER_AGAIN_MS;
    close_question(c);
}

/* An error that is the same again is not told again. */
static void complain(struct control *c, const struct cluster_trigger *t, struct trigger_memory *m,
                     const struct policy_job *job)
{
    const enum trigger_text text = c->triggers.question.text;
    const bool falls_back = text == TRIGGER_LOADED && m->version[TRIGGER_BUILTIN][0];
    if (strcmp(m->complaint[text].error, job->error.text) != 0)
        log_warn(
            falls_back ? "a trigger's script fails: the built-in one is asked instead" : "a trigger's script fails",
            "trigger=%s script=%s version=%s error=%s", t->name, job->name, job->version, log_quote(job->error.text));
    trigger_memory_failed(m, text, job->error.text, control_now_ms(c));
}

/* Of an answer without steps, or that only waits. */
static void note_why(struct trigger_memory *m, const struct script_steps *steps)
{
    const char *why = steps->why[0] || !steps->count ? steps->why : steps->list[0].why;
    snprintf(m->why, sizeof m->why, "%s", why);
}

static void answered(void *user, struct policy_job *job)
{
    struct control *c = user;
    struct trigger_question *q = &c->triggers.question;
    struct trigger_memory *m;
    const struct cluster_trigger *trigger = asked_trigger(c, job->call, &m);
    if (!trigger) return;
    const struct cluster_state *s = meta_state(c->meta);
    if (s->triggers_paused || cluster_run_active(s) || strcmp(m->version[q->text], job->version) != 0) {
        close_question(c); /* overtaken: it is asked again when its time comes */
        return;
    }
    if (job->error.code == 0 && !cluster_steps_only_wait(job->steps.list, job->steps.count)) {
        fire(c, trigger, m, job);
        return;
    }
    m->why[0] = 0;
    if (job->error.code) {
        complain(c, trigger, m, job);
    } else {
        note_why(m, &job->steps);
        trigger_memory_answered(m, trigger, q->text, q->ups, job->steps.count > 0, control_now_ms(c));
    }
    close_question(c);
}

/* ---- asking ---- */

static void tell_of_stand_in(struct control *c, const struct cluster_trigger *t, struct trigger_memory *m)
{
    const struct cluster_run *run = cluster_run_find(meta_state(c->meta), t->last_run);
    if (!run || m->told == run->id || strcmp(run->version, m->version[TRIGGER_LOADED]) != 0) return;
    m->told = run->id;
    log_warn("a trigger's run failed: the built-in script is asked instead",
             "trigger=%s script=%s version=%s run=%" PRIu64 " error=%s", t->name, run->script, run->version, run->id,
             log_quote(run->error));
}

static void set_text(struct control *c, const struct cluster_trigger *t, const struct trigger_memory *m,
                     enum trigger_text text, struct policy_job *job)
{
    const struct cluster_script *loaded = cluster_script_find(meta_state(c->meta), t->script, NULL);
    const struct script_builtin *builtin = script_builtin_find(t->script);
    struct bytes source = text == TRIGGER_LOADED ? bytes_of(loaded->source, loaded->source_len)
                                                 : bytes_of(builtin->text, builtin->len);
    policy_job_set_source(job, t->script, m->version[text], source);
}

static void ask(struct control *c, const struct cluster_trigger *t, struct trigger_memory *m, enum trigger_text text)
{
    struct trigger_question *q = &c->triggers.question;
    if (text == TRIGGER_BUILTIN && m->version[TRIGGER_LOADED][0]) tell_of_stand_in(c, t, m);
    *q = (struct trigger_question){.number = q->number + 1, .open = true, .text = text, .ups = c->triggers.ups};
    memcpy(q->trigger, t->name, sizeof q->trigger);
    struct policy_job *job = policy_job_new(POLICY_PLAN);
    set_text(c, t, m, text, job);
    policy_job_set_params(job, t->params, t->param_count);
    job->state = cluster_state_clone(meta_state(c->meta), false);
    control_reign_live(c, &job->live);
    job->call = q->number;
    job->done = answered;
    if (policy_thread_submit(c->policy, job)) return;
    policy_job_free(job);
    q->open = false;
    m->rests_until_ms = control_now_ms(c) + TRIGGER_AGAIN_MS;
}

void control_triggers_advance(struct control *c)
{
    struct triggers *t = &c->triggers;
    if (!c->leads || t->question.open || control_now_ms(c) < t->look_ms) return;
    t->look_ms = control_now_ms(c) + LOOK_MS;
    struct trigger_facts facts;
    control_triggers_look(c, &facts);
    enum trigger_text text;
    uint32_t due = trigger_pick(meta_state(c->meta), t->memory, &facts, &text);
    if (due < t->count) ask(c, &meta_state(c->meta)->triggers[due], &t->memory[due], text);
}
