/* The runner: carries the run of a cluster script on, on the leader. It looks at the run as MetaRaft has it
 * (run_decision.h says what is next), does that, and looks again when something shows. All it does is idempotent, so
 * steps that the last leader began are simply carried out again. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control_thread.h"

/* Nodes have so long to announce themselves to a new leader before it plans without them. */
#define TAKEN_OVER_MS 2000

/* Forgets the steps of the last round, and whatever is proposed for them still. */
static void follow_round(struct runner *r, const struct cluster_run *run)
{
    free(r->steps);
    r->step_count = run ? run->step_count : 0;
    r->steps = control_allocate(r->step_count * sizeof *r->steps);
    r->round_run = run ? run->id : 0;
    r->round = run ? run->round : 0;
    r->beginning = 0;
    r->first_ticket += CLUSTER_STEPS_MAX;
}

void control_runner_begin(struct control *c)
{
    struct runner *r = &c->runner;
    const struct cluster_run *run = cluster_run_active(meta_state(c->meta));
    r->memory = (struct run_memory){0};
    r->planning = false;
    r->waiting_for[0] = 0;
    r->not_before_ms = r->plan_after_ms = 0;
    follow_round(r, run);
    seen_shards_take(&r->seen, meta_state(c->meta));
    if (!run) return;
    r->plan_after_ms = control_now_ms(c) + TAKEN_OVER_MS;
    log_info("takes a run over", "run=%" PRIu64 " script=%s round=%u", run->id, run->script, run->round);
}

bool control_runner_offer(struct control *c, struct script_steps *steps, const struct cluster_state *s)
{
    struct runner *r = &c->runner;
    if (r->eval_starting || r->eval_run) return false;
    r->eval_steps = *steps;
    *steps = (struct script_steps){0};
    seen_shards_take(&r->eval_seen, s);
    r->eval_starting = true;
    return true;
}

void control_runner_eval_started(struct control *c, uint64_t run)
{
    struct runner *r = &c->runner;
    r->eval_starting = false;
    r->eval_run = run;
    if (!run) script_steps_release(&r->eval_steps);
}

void control_runner_release(struct control *c)
{
    struct runner *r = &c->runner;
    script_steps_release(&r->eval_steps);
    seen_shards_release(&r->eval_seen);
    seen_shards_release(&r->seen);
    free(r->steps);
    r->steps = NULL;
}

/* ---- proposing ---- */

const struct cluster_run *control_runner_active(struct control *c, uint64_t id)
{
    const struct cluster_run *run = c->leads && !c->stopping ? cluster_run_active(meta_state(c->meta)) : NULL;
    return run && run->id == id ? run : NULL;
}

/* It was not taken, or the run has gone on meanwhile: look again, not at once. */
static void record_refused(struct control *c, const struct error *e)
{
    c->runner.not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    if (c->leads) log_warn("a run's record was refused", "error=%s", log_quote(e->text));
}

static void proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)number, (void)node;
    c->runner.proposing = false;
    if (result->error.code) record_refused(c, &result->error);
}

static void propose(struct control *c, const struct cluster_command *command)
{
    struct runner *r = &c->runner;
    r->proposing = control_propose(c, command, proposed, 0, "", NULL) == 0;
    if (!r->proposing) r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
}

static void finish(struct control *c, const struct cluster_run *run, enum cluster_run_status status, const char *error,
                   double score)
{
    struct cluster_command command = {
        .type = CLUSTER_RUN_END, .run = run->id, .run_status = status, .score = score, .wall_ms = clock_wall_ms()};
    snprintf(command.text, sizeof command.text, "%s", error);
    propose(c, &command);
}

static void fail(struct control *c, const struct cluster_run *run, const char *error)
{
    finish(c, run, CLUSTER_RUN_FAILED, error, NAN);
}

uint64_t control_runner_ticket(const struct control *c, uint32_t index)
{
    return c->runner.first_ticket + index;
}

struct step_under_way *control_runner_step(struct control *c, uint64_t ticket)
{
    struct runner *r = &c->runner;
    const struct cluster_run *run = control_runner_active(c, r->round_run);
    const bool is_of_round = ticket >= r->first_ticket && ticket - r->first_ticket < r->step_count;
    return is_of_round && run && run->round == r->round ? &r->steps[ticket - r->first_ticket] : NULL;
}

static void count_waiting(struct control *c, const struct cluster_run_step *step)
{
    if (step->status == CLUSTER_STEP_DONE && step->step.op == CLUSTER_OP_wait)
        run_memory_waited(&c->runner.memory, &step->step);
}

static void recorded(struct control *c, const struct cluster_result *result, uint64_t ticket, const char *node)
{
    (void)node;
    struct runner *r = &c->runner;
    struct step_under_way *u = control_runner_step(c, ticket);
    if (!u) return;
    r->beginning -= u->beginning;
    u->proposing = u->beginning = false;
    if (result->error.code)
        record_refused(c, &result->error);
    else
        count_waiting(c, &control_runner_active(c, r->round_run)->steps[u - r->steps]);
}

void control_runner_record(struct control *c, const struct cluster_run *run, uint32_t index,
                           enum cluster_step_status status, const char *error)
{
    struct runner *r = &c->runner;
    struct cluster_command command = {
        .type = CLUSTER_RUN_STEP, .run = run->id, .round = run->round, .index = index, .step_status = status};
    /* As much as the record holds: struct cluster_run_step. */
    snprintf(command.text, sizeof((struct cluster_run_step *)0)->error, "%s", error);
    struct step_under_way *u = &r->steps[index];
    u->proposing = control_propose(c, &command, recorded, control_runner_ticket(c, index), "", NULL) == 0;
    u->beginning = u->proposing && (status == CLUSTER_STEP_STARTED || status == CLUSTER_STEP_STALE);
    r->beginning += u->beginning;
    if (!u->proposing) r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
}

/* Steps that cannot be recorded, as they are too many bytes, would be no fewer when planned again. */
static void round_refused(struct control *c, const struct cluster_run *run, const struct error *e)
{
    if (e->code == ERROR_NOT_LEADER || e->code == ERROR_STALE)
        c->runner.not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    else
        fail(c, run, e->text);
}

static void round_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)node;
    c->runner.proposing = false;
    const struct cluster_run *run = control_runner_active(c, number);
    if (run && result->error.code) round_refused(c, run, &result->error);
}

/* The steps were made from what was `seen`. */
static void begin_round(struct control *c, const struct cluster_run *run, const struct script_steps *steps,
                        const struct seen_shards *seen, double score)
{
    struct cluster_command command = {
        .type = CLUSTER_RUN_ROUND, .run = run->id, .round = run->round + 1, .score = score};
    seen_shards_copy(&c->runner.seen, seen);
    command.steps = steps->list;
    command.step_count = steps->count;
    run_memory_round_begun(&c->runner.memory, steps->list, steps->count);
    struct error e;
    int code = control_propose(c, &command, round_proposed, run->id, "", &e); /* encodes the steps */
    c->runner.proposing = code == 0;
    if (code) round_refused(c, run, &e);
}

/* ---- planning ---- */

/* Whether a step touches a shard that has changed since the steps were made; `why` says which. */
static bool some_stale(struct control *c, const struct seen_shards *seen, const struct script_steps *steps, char *why,
                       size_t size)
{
    for (uint32_t i = 0; i < steps->count; i++)
        if (seen_shards_stale(seen, meta_state(c->meta), &steps->list[i], why, size)) return true;
    return false;
}

static void begin_planned_round(struct control *c, const struct cluster_run *run, struct policy_job *job)
{
    struct seen_shards seen = {0};
    char why[160];
    seen_shards_take(&seen, job->state);
    if (some_stale(c, &seen, &job->steps, why, sizeof why))
        log_info("a plan is stale and made anew", "run=%" PRIu64 " why=%s", run->id, log_quote(why));
    else
        begin_round(c, run, &job->steps, &seen, job->score);
    seen_shards_release(&seen);
}

static void planned(void *user, struct policy_job *job)
{
    struct control *c = user;
    c->runner.planning = false;
    control_touch(c);
    const struct cluster_run *run = control_runner_active(c, job->run);
    /* A plan that another leader's round has overtaken is out of date; so is that of a run that was paused meanwhile. */
    if (!run || run->round != job->round || run->paused || c->runner.proposing) return;
    if (job->error.code)
        fail(c, run, job->error.text);
    else if (job->steps.count == 0)
        finish(c, run, CLUSTER_RUN_DONE, job->steps.why, job->score);
    else
        begin_planned_round(c, run, job);
}

static void plan(struct control *c, const struct cluster_run *run)
{
    if (control_now_ms(c) < c->runner.plan_after_ms) {
        snprintf(c->runner.waiting_for, sizeof c->runner.waiting_for,
                 "nodes that announce themselves to the new leader");
        return;
    }
    struct policy_job *job = policy_job_new(POLICY_PLAN);
    policy_job_set_source(job, run->script, run->version, bytes_of(run->source, run->source_len));
    policy_job_set_params(job, run->params, run->param_count);
    job->state = cluster_state_clone(meta_state(c->meta), true);
    control_reign_live(c, &job->live);
    job->run = run->id;
    job->round = run->round;
    job->done = planned;
    c->runner.planning = policy_thread_submit(c->policy, job);
    if (c->runner.planning) return;
    policy_job_free(job);
    c->runner.not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
}

/* ---- what is next ---- */

/* Nobody can make these steps anew. */
static void begin_offered_round(struct control *c, const struct cluster_run *run)
{
    struct runner *r = &c->runner;
    char why[160], error[256];
    if (r->eval_steps.count == 0) {
        finish(c, run, CLUSTER_RUN_DONE, "", NAN);
    } else if (some_stale(c, &r->eval_seen, &r->eval_steps, why, sizeof why)) {
        snprintf(error, sizeof error, "stale: %s; nothing was done, run it again", why);
        fail(c, run, error);
    } else {
        begin_round(c, run, &r->eval_steps, &r->eval_seen, NAN);
    }
}

/* The round of an EVAL RUN: its steps are here, or they were lost with the leader that had them. */
static bool begin_eval_round(struct control *c, const struct cluster_run *run)
{
    struct runner *r = &c->runner;
    if (!run->one_round || run->round > 0 || run->paused) return false;
    if (r->eval_starting) return true; /* its id is known in a moment */
    if (r->eval_run != run->id) return false;
    begin_offered_round(c, run);
    return true;
}

static void forget_eval(struct control *c, const struct cluster_run *active)
{
    struct runner *r = &c->runner;
    if (!r->eval_run || (active && active->id == r->eval_run && active->round == 0)) return;
    script_steps_release(&r->eval_steps);
    seen_shards_release(&r->eval_seen);
    r->eval_run = 0;
}

/* Records the beginning of steps; of one that is stale, that. */
static void begin_steps(struct control *c, const struct cluster_run *run, const struct run_decision *d)
{
    char why[160];
    bool stale = false;
    for (uint32_t i = 0; i < d->begin_count && !stale; i++) {
        const struct cluster_step *step = &run->steps[d->begin[i]].step;
        stale = seen_shards_stale(&c->runner.seen, meta_state(c->meta), step, why, sizeof why);
        control_runner_record(c, run, d->begin[i], stale ? CLUSTER_STEP_STALE : CLUSTER_STEP_STARTED, stale ? why : "");
    }
}

/* Whether what a step asked for may have been applied without its being told so: what the step touches is not in the state
 * any more then, nor in what was seen. */
static bool command_on_its_way(const struct control *c, const struct cluster_run *run)
{
    for (uint32_t i = 0; i < run->step_count; i++) {
        const struct step_under_way *u = &c->runner.steps[i];
        if (run->steps[i].status == CLUSTER_STEP_STARTED && u->begun && u->proposing && !u->applied) return true;
    }
    return false;
}

static void go_on(struct control *c, const struct cluster_run *run, const struct run_decision *d)
{
    struct runner *r = &c->runner;
    for (uint32_t i = 0; i < run->step_count; i++)
        if (run->steps[i].status == CLUSTER_STEP_STARTED) control_effect_advance(c, run, i);
    /* Until it is known which ones have begun, the decision would name them again. */
    if (r->beginning == 0 && !command_on_its_way(c, run)) begin_steps(c, run, d);
    const size_t len = strlen(r->waiting_for);
    if (r->waiting > 1)
        snprintf(r->waiting_for + len, sizeof r->waiting_for - len, " (and %u more step%s)", r->waiting - 1,
                 r->waiting == 2 ? "" : "s");
}

static void take_action(struct control *c, const struct cluster_run *run)
{
    struct run_decision decision;
    run_decide(meta_state(c->meta), run, &c->runner.memory, &decision);
    switch (decision.action) {
    case RUN_PLAN: plan(c, run); break;
    case RUN_STEPS: go_on(c, run, &decision); break;
    case RUN_REST: snprintf(c->runner.waiting_for, sizeof c->runner.waiting_for, "RESUME: it is paused"); break;
    case RUN_FINISH: finish(c, run, decision.status, decision.error, NAN); break;
    }
}

void control_runner_advance(struct control *c)
{
    struct runner *r = &c->runner;
    const struct cluster_run *run = c->leads ? cluster_run_active(meta_state(c->meta)) : NULL;
    if (r->proposing) return;
    r->waiting_for[0] = 0;
    r->waiting = 0;
    forget_eval(c, run);
    if (r->round_run != (run ? run->id : 0) || r->round != (run ? run->round : 0)) follow_round(r, run);
    if (!run || control_now_ms(c) < r->not_before_ms) return;
    if (r->planning) {
        snprintf(r->waiting_for, sizeof r->waiting_for, "its policy, which plans round %u", run->round + 1);
        return;
    }
    if (r->memory.run != run->id) r->memory = (struct run_memory){.run = run->id};
    if (!begin_eval_round(c, run)) take_action(c, run);
}
