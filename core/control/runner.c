/* The runner: carries the run of a cluster script on, on the leader. It looks at the run as MetaRaft has it
 * (run_decision.h says what is next), does one thing, and looks again when that shows. All it does is idempotent, so a
 * step that the last leader began is simply carried out again. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control_thread.h"

/* Nodes have so long to announce themselves to a new leader before it plans without them. */
#define TAKEN_OVER_MS 2000

void control_runner_begin(struct control *c)
{
    struct runner *r = &c->runner;
    const struct cluster_run *run = cluster_run_active(meta_state(c->meta));
    r->memory = (struct run_memory){0};
    r->planning = false;
    r->step_run = 0;
    r->waiting_for[0] = 0;
    r->not_before_ms = r->plan_after_ms = 0;
    if (!run) return;
    r->plan_after_ms = control_now_ms(c) + TAKEN_OVER_MS;
    log_info("takes a run over", "run=%" PRIu64 " script=%s round=%u", run->id, run->script, run->round);
}

bool control_runner_offer(struct control *c, struct script_steps *steps)
{
    struct runner *r = &c->runner;
    if (r->eval_starting || r->eval_run) return false;
    r->eval_steps = *steps;
    *steps = (struct script_steps){0};
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
    script_steps_release(&c->runner.eval_steps);
}

/* ---- proposing ---- */

const struct cluster_run *control_runner_active(struct control *c, uint64_t id)
{
    const struct cluster_run *run = c->leads && !c->stopping ? cluster_run_active(meta_state(c->meta)) : NULL;
    return run && run->id == id ? run : NULL;
}

static void proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)number, (void)node;
    struct runner *r = &c->runner;
    r->proposing = false;
    if (!result->error.code) return;
    /* It was not taken, or the run has gone on meanwhile: look again, not at once. */
    r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    if (c->leads) log_warn("a run's record was refused", "error=%s", log_quote(result->error.text));
}

static void propose(struct control *c, const struct cluster_command *command)
{
    struct runner *r = &c->runner;
    r->proposing = control_propose(c, command, proposed, 0, "", NULL) == 0;
    if (!r->proposing) r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
}

static void finish(struct control *c, const struct cluster_run *run, enum cluster_run_status status, const char *error)
{
    struct cluster_command command = {
        .type = CLUSTER_RUN_END, .run = run->id, .run_status = status, .score = NAN, .wall_ms = clock_wall_ms()};
    snprintf(command.text, sizeof command.text, "%s", error);
    propose(c, &command);
}

void control_runner_record(struct control *c, const struct cluster_run *run, uint32_t index,
                           enum cluster_step_status status, const char *error)
{
    struct cluster_command command = {
        .type = CLUSTER_RUN_STEP, .run = run->id, .round = run->round, .index = index, .step_status = status};
    /* As much as the record holds: struct cluster_run_step. */
    snprintf(command.text, sizeof((struct cluster_run_step *)0)->error, "%s", error);
    if (status != CLUSTER_STEP_STARTED) {
        const struct cluster_step *step = &run->steps[index].step;
        c->runner.step_run = 0;
        if (status == CLUSTER_STEP_DONE && step->op == CLUSTER_OP_wait) run_memory_waited(&c->runner.memory, step);
    }
    propose(c, &command);
}

/* Steps that cannot be recorded, as they are too many bytes, would be no fewer when planned again. */
static void round_refused(struct control *c, const struct cluster_run *run, const struct error *e)
{
    if (e->code == ERROR_NOT_LEADER || e->code == ERROR_STALE)
        c->runner.not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    else
        finish(c, run, CLUSTER_RUN_FAILED, e->text);
}

static void round_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)node;
    c->runner.proposing = false;
    const struct cluster_run *run = control_runner_active(c, number);
    if (run && result->error.code) round_refused(c, run, &result->error);
}

static void begin_round(struct control *c, const struct cluster_run *run, struct script_steps *steps)
{
    struct cluster_command command = {
        .type = CLUSTER_RUN_ROUND, .run = run->id, .round = run->round + 1, .score = NAN};
    command.steps = steps->list;
    command.step_count = steps->count;
    run_memory_round_begun(&c->runner.memory, steps->list, steps->count);
    struct error e;
    int code = control_propose(c, &command, round_proposed, run->id, "", &e); /* encodes the steps */
    c->runner.proposing = code == 0;
    if (code) round_refused(c, run, &e);
}

/* ---- planning ---- */

static void planned(void *user, struct policy_job *job)
{
    struct control *c = user;
    c->runner.planning = false;
    const struct cluster_run *run = control_runner_active(c, job->run);
    /* A plan that another leader's round has overtaken is out of date. */
    if (!run || run->round != job->round || c->runner.proposing) return;
    if (job->error.code)
        finish(c, run, CLUSTER_RUN_FAILED, job->error.text);
    else if (job->steps.count == 0)
        finish(c, run, CLUSTER_RUN_DONE, "");
    else
        begin_round(c, run, &job->steps);
    control_touch(c);
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

/* The round of an EVAL RUN: its steps are here, or they were lost with the leader that had them. */
static bool begin_eval_round(struct control *c, const struct cluster_run *run)
{
    struct runner *r = &c->runner;
    if (!run->one_round || run->round > 0) return false;
    if (r->eval_starting) return true; /* its id is known in a moment */
    if (r->eval_run != run->id) return false;
    if (r->eval_steps.count == 0)
        finish(c, run, CLUSTER_RUN_DONE, "");
    else
        begin_round(c, run, &r->eval_steps);
    return true;
}

static void forget_eval(struct control *c, const struct cluster_run *active)
{
    struct runner *r = &c->runner;
    if (!r->eval_run || (active && active->id == r->eval_run && active->round == 0)) return;
    script_steps_release(&r->eval_steps);
    r->eval_run = 0;
}

void control_runner_advance(struct control *c)
{
    struct runner *r = &c->runner;
    const struct cluster_run *run = c->leads ? cluster_run_active(meta_state(c->meta)) : NULL;
    if (r->proposing) return;
    r->waiting_for[0] = 0;
    forget_eval(c, run);
    if (!run || r->planning || control_now_ms(c) < r->not_before_ms) return;
    if (r->memory.run != run->id) r->memory = (struct run_memory){.run = run->id};
    if (begin_eval_round(c, run)) return;
    struct run_decision decision;
    run_decide(run, &r->memory, &decision);
    switch (decision.action) {
    case RUN_PLAN: plan(c, run); break;
    case RUN_START: control_runner_record(c, run, decision.index, CLUSTER_STEP_STARTED, ""); break;
    case RUN_CARRY_OUT: control_effect_advance(c, run, decision.index); break;
    case RUN_FINISH: finish(c, run, decision.status, decision.error); break;
    }
}
