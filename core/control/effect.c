/* Carrying a step out: its command is proposed, then the effect must show before the step counts as done. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/control_thread.h"

#define ADMIT_MS     15000
#define ROLE_MS      30000
#define HAND_OVER_MS 10000
/* While MetaRaft hands over, which it tries for 200 ms, it takes no proposal: so it is not asked all the time. */
#define HAND_OVER_AGAIN_MS 2000

static void effect_proposed(struct control *c, const struct cluster_result *result, uint64_t ticket, const char *node)
{
    (void)node;
    struct runner *r = &c->runner;
    struct step_under_way *u = control_runner_step(c, ticket);
    if (!u) return;
    const int code = result->error.code;
    u->proposing = false;
    u->applied = code == 0;
    if (result->changed) seen_shards_changed(&r->seen, meta_state(c->meta), u->shards);
    if (code == ERROR_STALE) seen_shards_release(&r->seen); /* its outcome is unknown, and so what the shards are by it */
    if (code == ERROR_NOT_LEADER || code == ERROR_STALE)
        r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    else if (code)
        control_runner_record(c, control_runner_active(c, r->round_run), (uint32_t)(u - r->steps), CLUSTER_STEP_FAILED,
                              result->error.text);
}

/* A candidate may have announced itself to the last leader only: it does so every second. */
static bool may_come_yet(const struct control *c, const struct cluster_step *step, int code)
{
    return step->op == CLUSTER_OP_admit && code == ERROR_NOT_FOUND &&
           control_now_ms(c) - c->leads_since_ms < CANDIDATES_TTL_MS;
}

/* The command of a step, as cluster_step_command; here also what can be planned and not done. */
static int make_command(struct control *c, const struct cluster_step *step, struct cluster_command *out,
                        struct error *e)
{
    struct cluster_node_info *infos = candidates_infos(&c->candidates);
    int code = cluster_step_command(meta_state(c->meta), infos, c->candidates.count, step, out, e);
    free(infos);
    if (code || out->type != CLUSTER_MOVE_SLOTS) return code;
    cluster_command_release(out);
    return error_set(e, ERROR_GENERIC, "slots cannot move in this version: their keys would stay behind in s%u",
                     step->shard);
}

/* What the run waits for is what the first of its steps that wait waits for. */
static void say_waiting(struct control *c, const struct cluster_step *step, const char *wait)
{
    struct runner *r = &c->runner;
    char what[320];
    if (r->waiting++ > 0) return;
    control_step_text(c, step, what, sizeof what);
    snprintf(r->waiting_for, sizeof r->waiting_for, "%s: %s", what, wait);
}

/* A node that is told that it has no part any more goes at once, and must be missed by nobody. */
static void wait_for_vote(struct control *c, const struct cluster_run *run, uint32_t index)
{
    const char *problem = meta_change_problem(c->meta);
    char wait[220];
    snprintf(wait, sizeof wait, "its vote has not been taken yet%s%s", problem[0] ? ": " : "", problem);
    if (control_now_ms(c) - c->runner.steps[index].since_ms >= ROLE_MS)
        control_runner_record(c, run, index, CLUSTER_STEP_FAILED, wait);
    else
        say_waiting(c, &run->steps[index].step, wait);
}

static void begin_effect(struct control *c, const struct cluster_run *run, uint32_t index)
{
    struct runner *r = &c->runner;
    struct step_under_way *u = &r->steps[index];
    const struct cluster_step *step = &run->steps[index].step;
    if (control_dismissal_early(c, step)) {
        wait_for_vote(c, run, index);
        return;
    }
    struct cluster_command command = {0};
    struct error e;
    int code = make_command(c, step, &command, &e);
    if (code && !may_come_yet(c, step, code)) control_runner_record(c, run, index, CLUSTER_STEP_FAILED, e.text);
    if (code) return;
    u->applied = command.type == CLUSTER_NOTHING;
    if (!u->applied) {
        seen_shards_of_step(meta_state(c->meta), step, u->shards);
        u->proposing =
            control_propose(c, &command, effect_proposed, control_runner_ticket(c, index), "", NULL) == 0;
        if (!u->proposing) r->not_before_ms = control_now_ms(c) + RUNNER_AGAIN_MS;
    }
    cluster_command_release(&command);
}

/* Whether this node is the one to lead; else asks MetaRaft to hand over, now and then. */
static bool hand_over(struct control *c, const struct cluster_node *n, struct step_under_way *u, char *wait,
                      size_t size)
{
    struct error e;
    snprintf(wait, size, "does not lead yet");
    if (!n || strcmp(n->info.id, c->self.id) == 0) return n != NULL;
    if (control_now_ms(c) < u->again_ms) return false;
    u->again_ms = control_now_ms(c) + HAND_OVER_AGAIN_MS;
    if (meta_transfer(c->meta, n->raft_id, &e) != 0)
        log_warn("MetaRaft is not handed over", "to=%s error=%s", n->info.id, log_quote(e.text));
    return false;
}

/* Whether the effect shows; else `wait` says what is missing, and `limit_ms` for how long that may be. */
static bool effect_shows(struct control *c, const struct cluster_step *step, struct step_under_way *u, char *wait,
                         size_t size, uint64_t *limit_ms)
{
    const struct cluster_node *n = step->node[0] ? cluster_node_find(meta_state(c->meta), step->node) : NULL;
    const char *problem = meta_change_problem(c->meta);
    *limit_ms = ROLE_MS;
    switch (step->op) {
    case CLUSTER_OP_admit:
        *limit_ms = ADMIT_MS;
        if (!control_reign_has_metadata(c, step->node))
            snprintf(wait, size, "the new member has not acknowledged the metadata");
        else
            snprintf(wait, size, "the new member counts as down");
        return n && n->up && control_reign_has_metadata(c, step->node);
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
    case CLUSTER_OP_transfer_leader:
        *limit_ms = HAND_OVER_MS;
        return hand_over(c, n, u, wait, size);
    case CLUSTER_OP_wait:
        *limit_ms = UINT64_MAX;
        snprintf(wait, size, "%s", step->why[0] ? step->why : "a step that waits");
        return control_now_ms(c) - u->since_ms >= step->ms;
    default: return true;
    }
}

/* A step that this leader has not seen started before: it began just now, or under the last leader. */
static void begin_step(struct control *c, const struct cluster_run *run, uint32_t index)
{
    char what[320];
    control_step_text(c, &run->steps[index].step, what, sizeof what);
    log_info("a step begins", "run=%" PRIu64 " step=%u.%u what=%s", run->id, run->round, index + 1, log_quote(what));
    c->runner.steps[index].begun = true;
    c->runner.steps[index].since_ms = control_now_ms(c);
}

/* Its command was applied. */
static void look_for_effect(struct control *c, const struct cluster_run *run, uint32_t index)
{
    const struct cluster_step *step = &run->steps[index].step;
    struct step_under_way *u = &c->runner.steps[index];
    uint64_t limit_ms;
    char wait[220], error[300];
    if (effect_shows(c, step, u, wait, sizeof wait, &limit_ms)) {
        control_runner_record(c, run, index, CLUSTER_STEP_DONE, "");
    } else if (control_now_ms(c) - u->since_ms >= limit_ms) {
        snprintf(error, sizeof error, "after %" PRIu64 " s: %s", limit_ms / 1000, wait);
        control_runner_record(c, run, index, CLUSTER_STEP_FAILED, error);
    } else {
        say_waiting(c, step, wait);
    }
}

void control_effect_advance(struct control *c, const struct cluster_run *run, uint32_t index)
{
    struct step_under_way *u = &c->runner.steps[index];
    if (!u->begun) begin_step(c, run, index);
    if (!u->applied && !u->proposing) begin_effect(c, run, index);
    if (u->applied && !u->proposing) look_for_effect(c, run, index);
}
