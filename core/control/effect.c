/* Carrying a step out: its command is proposed, then the effect must show before the step counts as done. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/control_thread.h"

#define ADMIT_MS 15000
#define ROLE_MS  30000

static void effect_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)node;
    struct runner *r = &c->runner;
    r->proposing = false;
    const struct cluster_run *run = control_runner_active(c, number);
    if (!run || r->step_run != number) return;
    int code = result->error.code;
    if (code == ERROR_NOT_LEADER || code == ERROR_STALE)
        r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    else if (code)
        control_runner_record(c, run, r->step_index, CLUSTER_STEP_FAILED, result->error.text);
    else
        r->step_proposed = true;
}

/* A candidate may have announced itself to the last leader only: it does so every second. */
static bool may_come_yet(const struct control *c, const struct cluster_step *step, int code)
{
    return step->op == CLUSTER_OP_admit && code == ERROR_NOT_FOUND &&
           control_now_ms(c) - c->leads_since_ms < CANDIDATES_TTL_MS;
}

static void begin_effect(struct control *c, const struct cluster_run *run, uint32_t index)
{
    struct runner *r = &c->runner;
    const struct cluster_step *step = &run->steps[index].step;
    struct cluster_node_info *infos = candidates_infos(&c->candidates);
    struct cluster_command command = {0};
    struct error e;
    int code = cluster_step_command(meta_state(c->meta), infos, c->candidates.count, step, &command, &e);
    free(infos);
    if (code && !may_come_yet(c, step, code)) control_runner_record(c, run, index, CLUSTER_STEP_FAILED, e.text);
    if (code) return;
    r->step_proposed = command.type == CLUSTER_NOTHING;
    if (!r->step_proposed) {
        r->proposing = control_propose(c, &command, effect_proposed, run->id, "", NULL) == 0;
        if (!r->proposing) r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    }
    cluster_command_release(&command);
}

/* Whether the effect shows; else `wait` says what is missing, and `limit_ms` for how long that may be. */
static bool effect_shows(struct control *c, const struct cluster_step *step, char *wait, size_t size,
                         uint64_t *limit_ms)
{
    const struct cluster_node *n = step->node[0] ? cluster_node_find(meta_state(c->meta), step->node) : NULL;
    const char *problem = meta_change_problem(c->meta);
    *limit_ms = ROLE_MS;
    switch (step->op) {
    case CLUSTER_OP_admit:
        *limit_ms = ADMIT_MS;
        snprintf(wait, size, "the new member has not acknowledged the metadata");
        return control_reign_has_metadata(c, step->node);
    case CLUSTER_OP_add_learner:
        snprintf(wait, size, "not yet in MetaRaft's configuration%s%s", problem[0] ? ": " : "", problem);
        return n && control_reign_role(c, n) != CLUSTER_ROLE_NONE;
    case CLUSTER_OP_promote:
        snprintf(wait, size, "does not vote yet%s%s", problem[0] ? ": " : "", problem);
        return n && control_reign_role(c, n) == CLUSTER_ROLE_VOTER;
    case CLUSTER_OP_demote:
        snprintf(wait, size, "votes still%s%s", problem[0] ? ": " : "", problem);
        return !n || control_reign_role(c, n) != CLUSTER_ROLE_VOTER;
    case CLUSTER_OP_remove_learner:
        snprintf(wait, size, "in MetaRaft's configuration still%s%s", problem[0] ? ": " : "", problem);
        return !n || control_reign_role(c, n) == CLUSTER_ROLE_NONE;
    case CLUSTER_OP_wait:
        *limit_ms = UINT64_MAX;
        snprintf(wait, size, "%s", step->why[0] ? step->why : "a step that waits");
        return control_now_ms(c) - c->runner.step_since_ms >= step->ms;
    default: return true;
    }
}

/* A step that this leader has not seen before: it began just now, or under the last leader. */
static void begin_step(struct control *c, const struct cluster_run *run, uint32_t index)
{
    struct runner *r = &c->runner;
    char what[320];
    control_step_text(c, &run->steps[index].step, what, sizeof what);
    log_info("a step begins", "run=%" PRIu64 " step=%u.%u what=%s", run->id, run->round, index + 1, log_quote(what));
    r->step_run = run->id;
    r->step_round = run->round;
    r->step_index = index;
    r->step_proposed = false;
    r->step_since_ms = control_now_ms(c);
}

void control_effect_advance(struct control *c, const struct cluster_run *run, uint32_t index)
{
    struct runner *r = &c->runner;
    if (r->step_run != run->id || r->step_round != run->round || r->step_index != index) begin_step(c, run, index);
    if (!r->step_proposed) begin_effect(c, run, index);
    if (!r->step_proposed || r->step_run != run->id) return;
    uint64_t limit_ms;
    char wait[sizeof r->waiting_for];
    if (effect_shows(c, &run->steps[index].step, wait, sizeof wait, &limit_ms)) {
        control_runner_record(c, run, index, CLUSTER_STEP_DONE, "");
    } else if (control_now_ms(c) - r->step_since_ms >= limit_ms) {
        char error[300];
        snprintf(error, sizeof error, "after %" PRIu64 " s: %s", limit_ms / 1000, wait);
        control_runner_record(c, run, index, CLUSTER_STEP_FAILED, error);
    } else {
        memcpy(r->waiting_for, wait, sizeof wait);
    }
}
