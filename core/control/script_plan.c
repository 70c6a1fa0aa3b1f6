/* CLUSTER SCRIPT PLAN name [param value]…: what a run would do. */
#include <inttypes.h>
#include <stdio.h>

#include "control/control_thread.h"
#include "control/script_source.h"

enum { PLAN_BEGUN, PLAN_CHECKED, PLAN_MADE };

/* ---- the reply ---- */

static void write_rounds(struct resp_writer *w, const struct script_dry_result *r)
{
    resp_bulk_text(w, "rounds");
    resp_array(w, r->round_count);
    for (uint32_t i = 0; i < r->round_count; i++) {
        resp_array(w, r->rounds[i].count);
        for (uint32_t k = 0; k < r->rounds[i].count; k++) resp_bulk_text(w, r->rounds[i].lines[k]);
    }
}

/* What the plan does not show. */
static void write_note(struct control *c, struct resp_writer *w, const struct script_dry_result *r)
{
    const struct cluster_run *run = cluster_run_active(meta_state(c->meta));
    char running[160] = "";
    if (run)
        snprintf(running, sizeof running, "%srun %" PRIu64 " of %s is running and may change what is planned here",
                 r->moves_slots ? "; " : "", run->id, run->script);
    resp_bulk_text(w, "note");
    resp_bulk_printf(w, "%s%s",
                     r->moves_slots ? SCRIPT_MOVES_NOTE : "", running);
}

static void reply_plan(struct control *c, struct call *call)
{
    const struct script_dry_result *r = script_dry_run_result(call->result->dry_run);
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_map(&w, 10);
    resp_bulk_text(&w, "script");
    resp_bulk_text(&w, r->script);
    resp_bulk_text(&w, "version");
    resp_bulk_text(&w, r->version);
    resp_bulk_text(&w, "outcome");
    resp_bulk_text(&w, script_outcome_name(r->outcome));
    resp_bulk_text(&w, "error");
    resp_bulk_text(&w, r->error);
    write_rounds(&w, r);
    resp_bulk_text(&w, "steps_left_out");
    resp_integer(&w, r->lines_left_out);
    control_script_write_score(&w, "score_before", r->score_before);
    control_script_write_score(&w, "score_after", r->score_after);
    resp_bulk_text(&w, "slots_moved");
    resp_integer(&w, r->slots_moved);
    write_note(c, &w, r);
    control_call_reply(c, call, &b);
}

/* ---- the way there ---- */

/* Runs are left out of the copy, so that it has room for this one. */
static void begin_dry_run(struct control *c, struct call *call, const struct script_found *found,
                          const struct cluster_param *params, uint32_t count)
{
    const struct script_source source = {found->name, found->version, found->text};
    struct cluster_live live;
    control_reign_live(c, &live);
    struct policy_job *job = policy_job_new(POLICY_DRY_RUN);
    job->dry_run = script_dry_run_new(&source, params, count, cluster_state_clone(meta_state(c->meta), false), &live,
                                      SCRIPT_DRY_RUN_MS);
    control_call_stage(c, call, PLAN_MADE);
    control_call_submit(c, call, job);
}

void control_script_plan(struct control *c, struct call *call)
{
    struct script_found found;
    struct error e;
    uint32_t count = 0;
    if (call->stage == PLAN_MADE) {
        reply_plan(c, call);
        return;
    }
    struct cluster_param *params = NULL;
    if (script_source_find(meta_state(c->meta), call->argv[3], (struct bytes){0}, &found, &e) == 0)
        params = control_script_params(call, 4, &count, &e);
    if (!params) {
        control_call_error_of(c, call, &e);
        return;
    }
    if (call->stage == PLAN_BEGUN) {
        control_call_stage(c, call, PLAN_CHECKED);
        control_script_params_check(c, call, &found, params, count);
    } else {
        begin_dry_run(c, call, &found, params, count);
    }
    control_script_params_free(params, count);
}
