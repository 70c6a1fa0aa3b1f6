/* CLUSTER SCRIPT PLAN [DATA] name [param value]…: what a run would do. */
#include <inttypes.h>
#include <stdio.h>

#include "control/control_thread.h"
#include "control/script_source.h"

enum { PLAN_BEGUN, PLAN_CHECKED, PLAN_MADE };

/* No script has a name in capitals. */
static bool wants_data(const struct call *call)
{
    return call->argc > 4 && bytes_equal(call->argv[3], bytes_text("DATA"));
}

static void reply_plan(struct control *c, struct call *call)
{
    const struct cluster_run *run = cluster_run_active(meta_state(c->meta));
    char note[160] = "";
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    if (run)
        snprintf(note, sizeof note, "run %" PRIu64 " of %s is running and may change what is planned here", run->id,
                 run->script);
    script_dry_run_write(script_dry_run_result(call->result->dry_run), wants_data(call), note, &w);
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
    const int at = wants_data(call) ? 4 : 3;
    if (script_source_find(meta_state(c->meta), call->argv[at], (struct bytes){0}, &found, &e) == 0)
        params = control_script_params(call, at + 1, &count, &e);
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
