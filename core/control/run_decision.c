#include "control/run_decision.h"

#include <stdio.h>

void run_memory_round_begun(struct run_memory *m, const struct cluster_step *steps, uint32_t count)
{
    if (!cluster_steps_only_wait(steps, count)) m->rounds++;
}

void run_memory_waited(struct run_memory *m, const struct cluster_step *step)
{
    m->waited_ms += step->ms;
    snprintf(m->waiting_for, sizeof m->waiting_for, "%s", step->why[0] ? step->why : "no reason given");
}

static void finish(struct run_decision *out, enum cluster_run_status status)
{
    out->action = RUN_FINISH;
    out->status = status;
}

static const struct cluster_run_step *first_with(const struct cluster_run *run, enum cluster_step_status status)
{
    for (uint32_t i = 0; i < run->step_count; i++)
        if (run->steps[i].status == status) return &run->steps[i];
    return NULL;
}

static bool some_completed_too_often(const struct cluster_run *run)
{
    for (uint32_t i = 0; i < run->completion_count; i++)
        if (run->completions[i].count >= CLUSTER_EQUAL_STEPS_MAX) return true;
    return false;
}

static const struct cluster_step *circling(const struct cluster_run *run)
{
    if (!some_completed_too_often(run)) return NULL; /* as nearly always: no step is digested then */
    for (uint32_t i = 0; i < run->step_count; i++) {
        const struct cluster_run_step *s = &run->steps[i];
        if (s->status != CLUSTER_STEP_DONE || s->step.op == CLUSTER_OP_wait) continue;
        if (cluster_run_completed(run, &s->step) >= CLUSTER_EQUAL_STEPS_MAX) return &s->step;
    }
    return NULL;
}

/* How many rounds up to the present one failed without one between them that did not. */
static uint32_t failed_in_a_row(const struct cluster_run *run)
{
    uint32_t rounds = 0;
    for (uint32_t i = run->failed_count; i-- > 0;) {
        if (run->failed[i].round + rounds == run->round)
            rounds++;
        else if (run->failed[i].round + rounds < run->round)
            break;
    }
    return rounds;
}

static void fail_of_step(struct run_decision *out, const char *before, const struct cluster_step *step,
                         const char *error)
{
    char what[200];
    cluster_step_text(step, what, sizeof what);
    snprintf(out->error, sizeof out->error, "%s%s%s%.150s", before, what, error[0] ? ": " : "", error);
    finish(out, CLUSTER_RUN_FAILED);
}

static void decide_between_rounds(const struct cluster_run *run, const struct run_memory *memory,
                                  struct run_decision *out)
{
    const struct cluster_run_step *failed = first_with(run, CLUSTER_STEP_FAILED);
    const struct cluster_run_step *stopped = failed ? failed : first_with(run, CLUSTER_STEP_STALE);
    if (run->one_round && stopped) {
        fail_of_step(out, failed ? "" : "stale: ", &stopped->step, stopped->error);
    } else if (run->one_round && run->round > 0) {
        finish(out, CLUSTER_RUN_DONE);
    } else if (run->one_round) {
        snprintf(out->error, sizeof out->error,
                 "the leader changed before the steps were recorded: nothing was done, run it again");
        finish(out, CLUSTER_RUN_FAILED);
    } else if (failed && failed_in_a_row(run) >= RUN_FAILED_ROUNDS_MAX) {
        char before[64];
        snprintf(before, sizeof before, "%d rounds failed one after the other, the last at ", RUN_FAILED_ROUNDS_MAX);
        fail_of_step(out, before, &failed->step, failed->error);
    } else if (memory->waited_ms >= RUN_WAITED_MAX_MS) {
        snprintf(out->error, sizeof out->error, "waited %u minutes for: %s", RUN_WAITED_MAX_MS / 60000,
                 memory->waiting_for);
        finish(out, CLUSTER_RUN_FAILED);
    } else if (memory->rounds >= CLUSTER_ROUNDS_MAX) {
        snprintf(out->error, sizeof out->error, "not done after %d rounds", CLUSTER_ROUNDS_MAX);
        finish(out, CLUSTER_RUN_FAILED);
    } else {
        out->action = RUN_PLAN;
    }
}

/* ---- within a round ---- */

static bool is_open(const struct cluster_run_step *step)
{
    return step->status == CLUSTER_STEP_PENDING || step->status == CLUSTER_STEP_STARTED;
}

/* Whether a step must wait for one of the open ones before it. The nearest ones are the likeliest. */
static bool is_blocked(const struct cluster_state *s, const struct cluster_run *run, uint32_t index,
                       const uint32_t *open, uint32_t open_count)
{
    while (open_count > 0)
        if (cluster_steps_meet(s, &run->steps[open[--open_count]].step, &run->steps[index].step)) return true;
    return false;
}

static uint32_t started_count(const struct cluster_run *run)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->step_count; i++) count += run->steps[i].status == CLUSTER_STEP_STARTED;
    return count;
}

/* Fills the list of steps to begin. */
static void choose(const struct cluster_state *s, const struct cluster_run *run, uint32_t started,
                   struct run_decision *out)
{
    uint32_t open[RUN_OPEN_SEEN_MAX], open_count = 0;
    const uint32_t room = (uint32_t)s->settings[CLUSTER_SETTING_concurrency];
    for (uint32_t i = 0; i < run->step_count && open_count < RUN_OPEN_SEEN_MAX; i++) {
        if (!is_open(&run->steps[i])) continue;
        if (started + out->begin_count >= room || out->begin_count == RUN_BEGIN_MAX) return;
        if (run->steps[i].status == CLUSTER_STEP_PENDING && !is_blocked(s, run, i, open, open_count))
            out->begin[out->begin_count++] = i;
        open[open_count++] = i;
    }
}

void run_decide(const struct cluster_state *s, const struct cluster_run *run, const struct run_memory *memory,
                struct run_decision *out)
{
    *out = (struct run_decision){.action = RUN_STEPS};
    const struct cluster_step *circle = circling(run);
    const uint32_t started = started_count(run);
    const bool more = first_with(run, CLUSTER_STEP_PENDING) && !first_with(run, CLUSTER_STEP_FAILED) &&
                      !first_with(run, CLUSTER_STEP_STALE) && !circle;
    if (more && !run->paused)
        choose(s, run, started, out);
    else if (started == 0 && run->paused)
        out->action = RUN_REST;
    else if (started == 0 && circle)
        fail_of_step(out, "goes in circles: ", circle, "");
    else if (started == 0)
        decide_between_rounds(run, memory, out);
}
