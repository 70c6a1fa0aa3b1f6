/* CLUSTER SCRIPT CANCEL, PAUSE, RESUME: what operators do to a run. Carrying it out is the runner's matter. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/number.h"
#include "control/control_thread.h"

const struct cluster_run *control_script_find_run(struct control *c, struct call *call)
{
    const struct cluster_state *s = meta_state(c->meta);
    const struct bytes text = call->argv[3];
    int64_t id = 0;
    const struct cluster_run *run = number_parse_integer(text, &id) && id > 0 ? cluster_run_find(s, (uint64_t)id)
                                                                              : NULL;
    const int len = (int)(text.len > 32 ? 32 : text.len);
    if (!run && s->run_count)
        control_call_error(c, call, ERROR_NOT_FOUND, "no run '%.*s': runs %" PRIu64 " to %" PRIu64 " are kept", len,
                           (const char *)text.data, s->runs[0].id, s->runs[s->run_count - 1].id);
    else if (!run)
        control_call_error(c, call, ERROR_NOT_FOUND, "no run '%.*s': none has been started", len,
                           (const char *)text.data);
    return run;
}

enum { STEER_BEGUN, STEER_PROPOSED };

static void refuse_ended(struct control *c, struct call *call, const struct cluster_run *run)
{
    control_call_error(c, call, ERROR_INVARIANT, "run %" PRIu64 " of %s has ended: %s", run->id, run->script,
                       cluster_run_status_name(run->status));
}

static void propose(struct control *c, struct call *call, const struct cluster_command *command)
{
    control_call_stage(c, call, STEER_PROPOSED);
    control_call_propose(c, call, command, control_call_proposed);
}

/* It may have ended by itself just before. */
void control_script_cancel(struct control *c, struct call *call)
{
    const struct cluster_run *run = control_script_find_run(c, call);
    if (!run) return;
    if (run->status == CLUSTER_RUN_CANCELLED) {
        control_call_ok(c, call);
    } else if (run->status != CLUSTER_RUN_RUNNING) {
        refuse_ended(c, call, run);
    } else {
        const struct cluster_command command = {.type = CLUSTER_RUN_END,
                                                .run = run->id,
                                                .run_status = CLUSTER_RUN_CANCELLED,
                                                .score = run->score_after,
                                                .wall_ms = clock_wall_ms()};
        propose(c, call, &command);
    }
}

static void set_paused(struct control *c, struct call *call, bool on)
{
    if (call->stage == STEER_PROPOSED) {
        control_call_ok(c, call);
        return;
    }
    const struct cluster_run *run = control_script_find_run(c, call);
    if (!run) return;
    if (run->status != CLUSTER_RUN_RUNNING) {
        refuse_ended(c, call, run);
        return;
    }
    const struct cluster_command command = {.type = CLUSTER_RUN_PAUSE, .run = run->id, .on = on};
    propose(c, call, &command);
}

void control_script_pause(struct control *c, struct call *call)
{
    set_paused(c, call, true);
}

void control_script_resume(struct control *c, struct call *call)
{
    set_paused(c, call, false);
}
