/* Runs: what a policy was asked, which steps it gave, and how far they are. All of it is here so that a new leader goes
 * on where the old one stopped. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "bounds.h"
#include "record.h"
#include "rule.h"

/* ---- start ---- */

enum rule_verdict cluster_judge_run_start(const struct cluster_state *s, const struct cluster_command *c,
                                          struct cluster_result *out)
{
    const struct cluster_run *active = cluster_run_active(s);
    if (active)
        return RULE_REFUSE(out, ERROR_INVARIANT, "run %llu of %s is %s; there is one at a time", (unsigned long long)active->id,
                           active->script, active->paused ? "paused" : "running");
    if (c->text[0] && s->triggers_paused)
        return RULE_REFUSE(out, ERROR_STALE, "triggers are paused: %s starts no run", c->text);
    return RULE_CHANGE;
}

/* Forgets the oldest runs, so that one more fits; and the steps of the last one, which are shown until now. */
static void trim_history(struct cluster_state *s)
{
    if (s->run_count == 0) return;
    cluster_run_drop_steps(&s->runs[s->run_count - 1]);
    uint32_t keep = 0;
    for (size_t size = 0; keep < s->run_count && keep < CLUSTER_RUNS_MAX - 1; keep++) {
        size += cluster_run_size(&s->runs[s->run_count - 1 - keep]);
        if (size > CLUSTER_HISTORY_ENCODED_MAX) break;
    }
    const uint32_t drop = s->run_count - keep;
    for (uint32_t i = 0; i < drop; i++) cluster_run_release(&s->runs[i]);
    memmove(s->runs, s->runs + drop, keep * sizeof *s->runs);
    s->run_count = keep;
}

void cluster_change_run_start(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    trim_history(s);
    s->runs = cluster_alloc_resize(s->runs, s->run_count + 1u, sizeof *s->runs);
    struct cluster_run *r = &s->runs[s->run_count++];
    *r = (struct cluster_run){.id = s->next_run++,
                              .source = c->source,
                              .source_len = c->source_len,
                              .params = c->params,
                              .param_count = c->param_count,
                              .one_round = c->one_round,
                              .score_before = NAN,
                              .score_after = NAN,
                              .started_ms = c->wall_ms};
    memcpy(r->script, c->name, sizeof r->script);
    memcpy(r->version, c->version, sizeof r->version);
    memcpy(r->trigger, c->text, sizeof r->trigger);
    struct cluster_trigger *trigger = c->text[0] ? cluster_trigger_find(s, c->text) : NULL;
    if (trigger) {
        trigger->last_run = r->id;
        trigger->fired_ms = c->wall_ms;
    }
    c->source = NULL;
    c->params = NULL;
    c->source_len = c->param_count = 0;
    out->value = r->id;
}

/* ---- rounds ---- */

/* The run, while it runs. */
static struct cluster_run *find_running(const struct cluster_state *s, uint64_t id, struct cluster_result *out)
{
    struct cluster_run *r = cluster_run_find(s, id);
    const unsigned long long number = id;
    if (!r)
        error_set(&out->error, ERROR_NOT_FOUND, "no run %llu", number);
    else if (r->status != CLUSTER_RUN_RUNNING)
        error_set(&out->error, ERROR_STALE, "run %llu has ended", number);
    return r && r->status == CLUSTER_RUN_RUNNING ? r : NULL;
}

/* Whether the steps of the last round have come to their end. After a failed or stale one the pending ones are not
 * tried any more. */
static enum rule_verdict judge_last_round(const struct cluster_run *r, struct cluster_result *out)
{
    uint32_t count[CLUSTER_STEP_STATUSES] = {0};
    for (uint32_t i = 0; i < r->step_count; i++) count[r->steps[i].status]++;
    const unsigned long long id = r->id;
    if (count[CLUSTER_STEP_STARTED])
        return RULE_REFUSE(out, ERROR_INVARIANT, "run %llu: %u steps of round %u are started and have not ended", id,
                           count[CLUSTER_STEP_STARTED], r->round);
    if (count[CLUSTER_STEP_PENDING] && !count[CLUSTER_STEP_FAILED] && !count[CLUSTER_STEP_STALE])
        return RULE_REFUSE(out, ERROR_INVARIANT, "run %llu: %u steps of round %u are pending, and none failed", id,
                           count[CLUSTER_STEP_PENDING], r->round);
    return RULE_CHANGE;
}

static size_t steps_size(const struct cluster_command *c)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    for (uint32_t i = 0; i < c->step_count; i++) cluster_step_write(&b, &c->steps[i]);
    size_t size = cluster_record_take_size(&b);
    buffer_release(&b);
    return size;
}

enum rule_verdict cluster_judge_run_round(const struct cluster_state *s, const struct cluster_command *c,
                                          struct cluster_result *out)
{
    const struct cluster_run *r = find_running(s, c->run, out);
    if (!r) return RULE_REFUSED;
    const unsigned long long id = r->id;
    if (c->round != r->round + UINT64_C(1))
        return RULE_REFUSE(out, ERROR_STALE, "run %llu is in round %u; no round %u", id, r->round, c->round);
    if (r->one_round && r->round == 1) return RULE_REFUSE(out, ERROR_INVARIANT, "run %llu has one round only", id);
    size_t size = steps_size(c);
    if (size > CLUSTER_ROUND_ENCODED_MAX)
        return RULE_REFUSE(out, ERROR_LIMIT, "the steps of round %u have %zu bytes; at most %u", c->round, size,
                           CLUSTER_ROUND_ENCODED_MAX);
    return judge_last_round(r, out);
}

void cluster_change_run_round(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_run *r = find_running(s, c->run, out);
    cluster_run_drop_steps(r);
    if (r->round == 0) r->score_before = c->score;
    r->score_after = c->score;
    r->round = c->round;
    r->steps = cluster_alloc_array(c->step_count, sizeof *r->steps);
    r->step_count = c->step_count;
    for (uint32_t i = 0; i < c->step_count; i++) r->steps[i].step = c->steps[i];
    free(c->steps); /* what they point to is the run's now */
    c->steps = NULL;
    c->step_count = 0;
}

/* ---- steps ---- */

static bool may_become(enum cluster_step_status from, enum cluster_step_status to)
{
    static const bool allowed[CLUSTER_STEP_STATUSES][CLUSTER_STEP_STATUSES] = {
        [CLUSTER_STEP_PENDING] = {[CLUSTER_STEP_STARTED] = true, [CLUSTER_STEP_STALE] = true},
        [CLUSTER_STEP_STARTED] = {[CLUSTER_STEP_DONE] = true, [CLUSTER_STEP_FAILED] = true},
    };
    return allowed[from][to];
}

enum rule_verdict cluster_judge_run_step(const struct cluster_state *s, const struct cluster_command *c,
                                         struct cluster_result *out)
{
    const struct cluster_run *r = find_running(s, c->run, out);
    if (!r) return RULE_REFUSED;
    const unsigned long long id = r->id;
    if (c->round != r->round)
        return RULE_REFUSE(out, ERROR_STALE, "run %llu is in round %u, not %u", id, r->round, c->round);
    if (c->index >= r->step_count)
        return RULE_REFUSE(out, ERROR_NOT_FOUND, "round %u of run %llu has %u steps; no step %u", r->round, id,
                           r->step_count, c->index);
    const enum cluster_step_status now = r->steps[c->index].status;
    if (now == c->step_status) return RULE_NOTHING;
    if (r->paused && c->step_status == CLUSTER_STEP_STARTED)
        return RULE_REFUSE(out, ERROR_STALE, "run %llu is paused: no step begins", id);
    if (may_become(now, c->step_status)) return RULE_CHANGE;
    return RULE_REFUSE(out, ERROR_STALE, "step %u in round %u of run %llu is %s: it cannot become %s", c->index,
                       r->round, id, cluster_step_status_name(now), cluster_step_status_name(c->step_status));
}

static void count_completion(struct cluster_run *r, const struct cluster_step *step)
{
    r->steps_done++;
    if (step->op == CLUSTER_OP_move_slots) r->slots_moved += (uint32_t)cluster_ranges_slots(&step->slots);
    if (step->op == CLUSTER_OP_wait) return; /* waiting again is no circle */
    const uint64_t digest = cluster_step_digest(step);
    for (uint32_t i = 0; i < r->completion_count; i++) {
        if (r->completions[i].digest != digest) continue;
        r->completions[i].count++;
        return;
    }
    if (r->completion_count == CLUSTER_COMPLETIONS_MAX) {
        r->completion_count--;
        memmove(r->completions, r->completions + 1, r->completion_count * sizeof *r->completions);
    }
    r->completions = cluster_alloc_resize(r->completions, r->completion_count + 1u, sizeof *r->completions);
    r->completions[r->completion_count++] = (struct cluster_completion){digest, 1};
}

/* Without the step's slots: the view does not show them, and a hundred long lists would not fit. */
static void remember_failure(struct cluster_run *r, const struct cluster_run_step *step)
{
    if (r->failed_count == CLUSTER_FAILURES_MAX) {
        r->failed_count--;
        memmove(r->failed, r->failed + 1, r->failed_count * sizeof *r->failed);
    }
    r->failed = cluster_alloc_resize(r->failed, r->failed_count + 1u, sizeof *r->failed);
    struct cluster_failure *f = &r->failed[r->failed_count++];
    *f = (struct cluster_failure){.round = r->round, .step = step->step};
    f->step.slots = (struct cluster_ranges){0};
    memcpy(f->error, step->error, sizeof f->error);
}

void cluster_change_run_step(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_run *r = find_running(s, c->run, out);
    struct cluster_run_step *step = &r->steps[c->index];
    step->status = c->step_status;
    if (step->status == CLUSTER_STEP_DONE) count_completion(r, &step->step);
    if (step->status >= CLUSTER_STEP_FAILED)
        snprintf(step->error, sizeof step->error, "%.*s", (int)sizeof step->error - 1, c->text);
    if (step->status == CLUSTER_STEP_FAILED) remember_failure(r, step);
}

/* ---- pause ---- */

enum rule_verdict cluster_judge_run_pause(const struct cluster_state *s, const struct cluster_command *c,
                                          struct cluster_result *out)
{
    const struct cluster_run *r = find_running(s, c->run, out);
    if (!r) return RULE_REFUSED;
    return r->paused == c->on ? RULE_NOTHING : RULE_CHANGE;
}

void cluster_change_run_pause(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    find_running(s, c->run, out)->paused = c->on;
}

/* ---- end ---- */

enum rule_verdict cluster_judge_run_end(const struct cluster_state *s, const struct cluster_command *c,
                                        struct cluster_result *out)
{
    const struct cluster_run *r = cluster_run_find(s, c->run);
    if (!r) return RULE_REFUSE(out, ERROR_NOT_FOUND, "no run %llu", (unsigned long long)c->run);
    return r->status == CLUSTER_RUN_RUNNING ? RULE_CHANGE : RULE_NOTHING;
}

/* The last round's steps stay to be looked at; what only planning needs goes. */
void cluster_change_run_end(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_run *r = find_running(s, c->run, out);
    r->status = c->run_status;
    r->paused = false;
    r->ended_ms = c->wall_ms;
    if (r->round == 0) r->score_before = c->score;
    if (!isnan(c->score)) r->score_after = c->score;
    memcpy(r->error, c->text, sizeof r->error);
    free(r->source);
    free(r->completions);
    r->source = NULL;
    r->completions = NULL;
    r->source_len = r->completion_count = 0;
}
