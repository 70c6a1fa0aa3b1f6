/* CLUSTER SCRIPT EVAL [RUN] source numargs [arg]… */

#include "base/clock.h"
#include "base/number.h"
#include "control/control_thread.h"
#include "control/script_source.h"

struct eval_request {
    bool runs;
    struct bytes source;
    const struct bytes *args;
    uint32_t count;
};

static bool parse_eval(const struct call *call, struct eval_request *out, struct error *e)
{
    *out = (struct eval_request){.runs = call->argc >= 6 && bytes_is(call->argv[3], "RUN")};
    int at = out->runs ? 4 : 3, rest = call->argc - at - 2;
    int64_t count;
    out->source = call->argv[at];
    out->args = call->argv + at + 2;
    if (out->source.len > CLUSTER_SCRIPT_MAX) {
        error_set(e, ERROR_LIMIT, "the script is %zu bytes; up to %u are taken", out->source.len, CLUSTER_SCRIPT_MAX);
        return false;
    }
    if (!number_parse_integer(call->argv[at + 1], &count) || count < 0) {
        error_set(e, ERROR_SYNTAX, "the number of arguments is not a number from 0");
        return false;
    }
    if (count != rest) {
        error_set(e, ERROR_SYNTAX, "%lld arguments were announced and %d follow", (long long)count, rest);
        return false;
    }
    out->count = (uint32_t)count;
    return true;
}

enum { EVAL_BEGUN, EVAL_DONE, EVAL_STARTED };

static void eval_begin(struct control *c, struct call *call, const struct eval_request *r)
{
    char version[17];
    script_source_version(r->source, version);
    struct policy_job *job = policy_job_new(POLICY_EVAL);
    policy_job_set_source(job, "eval", version, r->source);
    policy_job_set_argv(job, r->args, r->count);
    job->state = cluster_state_clone(meta_state(c->meta), false);
    job->wants_steps = r->runs;
    control_reign_live(c, &job->live);
    control_call_stage(c, call, EVAL_DONE);
    control_call_submit(c, call, job);
}

static void eval_run_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    control_runner_eval_started(c, result->error.code ? 0 : result->value);
    if (result->error.code == ERROR_INVARIANT) control_triggers_stay_back(c);
    control_call_proposed(c, result, number, node);
}

static void eval_run(struct control *c, struct call *call, const struct eval_request *r)
{
    if (!control_runner_offer(c, &call->result->steps, call->result->state)) {
        control_call_error(c, call, ERROR_EXISTS, "another EVAL RUN is just being started");
        return;
    }
    struct cluster_command command = {
        .type = CLUSTER_RUN_START, .name = "eval", .one_round = true, .wall_ms = clock_wall_ms()};
    script_source_version(r->source, command.version);
    control_script_copy(&command, r->source);
    control_call_stage(c, call, EVAL_STARTED);
    if (!control_call_propose(c, call, &command, eval_run_proposed)) control_runner_eval_started(c, 0);
    cluster_command_release(&command);
}

void control_script_eval(struct control *c, struct call *call)
{
    struct eval_request r;
    struct error e;
    if (!parse_eval(call, &r, &e))
        control_call_error_of(c, call, &e);
    else if (call->stage == EVAL_BEGUN)
        eval_begin(c, call, &r);
    else if (call->stage == EVAL_STARTED)
        control_call_integer(c, call, call->value);
    else if (r.runs)
        eval_run(c, call, &r);
    else
        control_call_reply(c, call, &call->result->reply);
}
