/* CLUSTER SCRIPT RUN, STATUS: beginning runs, and looking at them. What carries them on is runner.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "control/control_thread.h"
#include "control/script_source.h"

#define WAIT_MAX_MS 600000

/* ---- what a run looks like ---- */

static void write_steps(struct control *c, struct resp_writer *w, uint64_t run)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < step_log_count(&c->steps); i++) count += step_log_at(&c->steps, i)->run == run;
    resp_array(w, count);
    struct buffer line;
    buffer_init(&line, 4096);
    for (uint32_t i = 0; i < step_log_count(&c->steps); i++) {
        const struct step_log_line *l = step_log_at(&c->steps, i);
        if (l->run != run) continue;
        buffer_clear(&line);
        step_log_text(l, l->node[0] ? control_info_of(c, l->node) : NULL, &line);
        resp_bulk(w, buffer_bytes(&line));
    }
    buffer_release(&line);
}

static void reply_run(struct control *c, struct call *call, const struct cluster_run *run)
{
    bool active = run->status == CLUSTER_RUN_RUNNING;
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_map(&w, 11);
    resp_bulk_text(&w, "run");
    resp_integer(&w, (int64_t)run->id);
    resp_bulk_text(&w, "script");
    resp_bulk_text(&w, run->script);
    resp_bulk_text(&w, "version");
    resp_bulk_text(&w, run->version);
    resp_bulk_text(&w, "status");
    resp_bulk_text(&w, cluster_run_status_name(run->status));
    resp_bulk_text(&w, "error");
    resp_bulk_text(&w, run->error);
    resp_bulk_text(&w, "round");
    resp_integer(&w, run->round);
    resp_bulk_text(&w, "steps_done");
    resp_integer(&w, run->steps_done);
    resp_bulk_text(&w, "started_ms");
    resp_integer(&w, run->started_ms);
    resp_bulk_text(&w, "ended_ms");
    resp_integer(&w, run->ended_ms);
    resp_bulk_text(&w, "waiting_for");
    resp_bulk_text(&w, active ? c->runner.waiting_for : "");
    resp_bulk_text(&w, "steps");
    write_steps(c, &w, run->id);
    control_call_reply(c, call, &b);
}

void control_script_status(struct control *c, struct call *call)
{
    const struct cluster_state *s = meta_state(c->meta);
    const struct cluster_run *run = s->run_count ? &s->runs[s->run_count - 1] : NULL;
    int64_t id = 0;
    if (call->argc == 4)
        run = number_parse_integer(call->argv[3], &id) && id > 0 ? cluster_run_find(s, (uint64_t)id) : NULL;
    if (run) {
        reply_run(c, call, run);
    } else if (call->argc == 4) {
        struct bytes text = call->argv[3];
        control_call_error(c, call, ERROR_NOT_FOUND, "no run '%.*s': the newest %d are kept",
                           (int)(text.len > 32 ? 32 : text.len), (const char *)text.data, CLUSTER_RUNS_MAX);
    } else {
        struct buffer b;
        struct resp_writer w = control_call_writer(call, &b);
        resp_null(&w);
        control_call_reply(c, call, &b);
    }
}

/* ---- RUN [WAIT ms] name [param value]… ---- */

struct run_request {
    int64_t wait_ms; /* 0: no WAIT */
    int name_at;     /* in argv; parameters follow */
};

static bool parse_run(int argc, const struct bytes *argv, struct run_request *out)
{
    *out = (struct run_request){.name_at = 3};
    if (argc < 6 || !bytes_is(argv[3], "WAIT")) return true;
    out->name_at = 5;
    return number_parse_integer(argv[4], &out->wait_ms) && out->wait_ms >= 1 && out->wait_ms <= WAIT_MAX_MS;
}

uint64_t control_script_wait_ms(int argc, const struct bytes *argv)
{
    struct run_request r;
    bool is_run = argc >= 6 && bytes_is(argv[1], "SCRIPT") && bytes_is(argv[2], "RUN");
    return is_run && parse_run(argc, argv, &r) ? (uint64_t)r.wait_ms : 0;
}

static void params_free(struct cluster_param *params, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) free(params[i].value);
    free(params);
}

/* Name and value, in pairs, from argv[from]. Returns NULL with `e`. */
static struct cluster_param *parse_params(const struct call *call, int from, uint32_t *count, struct error *e)
{
    int words = call->argc - from;
    if (words % 2 == 1 || words / 2 > CLUSTER_PARAMS_MAX) {
        error_set(e, ERROR_SYNTAX, "parameters are given as name and value, at most %d of them", CLUSTER_PARAMS_MAX);
        return NULL;
    }
    struct cluster_param *params = control_allocate((size_t)words / 2 * sizeof *params);
    *count = 0;
    for (int i = from; i < call->argc; i += 2) {
        struct bytes name = call->argv[i], value = call->argv[i + 1];
        if (name.len > CLUSTER_NAME_MAX || value.len > 1024 || memchr(value.data, 0, value.len) ||
            memchr(name.data, 0, name.len)) {
            error_set(e, ERROR_SYNTAX,
                      "a parameter has a name of up to %d bytes and a value of up to 1024, without zeros",
                      CLUSTER_NAME_MAX);
            params_free(params, *count);
            return NULL;
        }
        struct cluster_param *p = &params[(*count)++];
        memcpy(p->name, name.data, name.len);
        p->value = control_allocate(value.len + 1);
        memcpy(p->value, value.data, value.len);
    }
    return params;
}

enum { RUN_BEGUN, RUN_CHECKED, RUN_STARTED, RUN_WAITED_FOR };

static void run_check(struct control *c, struct call *call, const struct script_found *found,
                      const struct cluster_param *params, uint32_t count)
{
    struct policy_job *job = policy_job_new(POLICY_PARAMS);
    policy_job_set_source(job, found->name, found->version, found->text);
    policy_job_set_params(job, params, count);
    job->state = cluster_state_clone(meta_state(c->meta), false);
    control_reign_live(c, &job->live);
    control_call_stage(c, call, RUN_CHECKED);
    control_call_submit(c, call, job);
}

static void run_start(struct control *c, struct call *call, const struct script_found *found,
                      struct cluster_param *params, uint32_t count)
{
    struct cluster_command command = {.type = CLUSTER_RUN_START, .wall_ms = clock_wall_ms()};
    snprintf(command.name, sizeof command.name, "%s", found->name);
    memcpy(command.version, found->version, sizeof command.version);
    control_script_copy(&command, found->text);
    command.params = params;
    command.param_count = count;
    control_call_stage(c, call, RUN_STARTED);
    control_call_propose(c, call, &command, control_call_proposed);
    free(command.source);
}

/* Both stages look the script up: between them only its parameters were checked, and what RUN_START pins is what is
 * there then. */
static void run_begin(struct control *c, struct call *call, const struct run_request *r)
{
    struct script_found found;
    struct error e;
    uint32_t count = 0;
    if (script_source_find(meta_state(c->meta), call->argv[r->name_at], (struct bytes){0}, &found, &e) != 0) {
        control_call_error_of(c, call, &e);
        return;
    }
    struct cluster_param *params = parse_params(call, r->name_at + 1, &count, &e);
    if (!params)
        control_call_error_of(c, call, &e);
    else if (call->stage == RUN_BEGUN)
        run_check(c, call, &found, params, count);
    else
        run_start(c, call, &found, params, count);
    if (params) params_free(params, count);
}

static void wait_for_run(struct control *c, struct call *call, int64_t wait_ms)
{
    const struct cluster_run *run = cluster_run_find(meta_state(c->meta), call->value);
    bool over = control_now_ms(c) - call->stage_since_ms >= (uint64_t)wait_ms;
    if (!run)
        control_call_error(c, call, ERROR_NOT_FOUND, "run %" PRIu64 " is forgotten already", call->value);
    else if (run->status != CLUSTER_RUN_RUNNING || over)
        reply_run(c, call, run);
}

void control_script_run(struct control *c, struct call *call)
{
    struct run_request r;
    if (!parse_run(call->argc, call->argv, &r)) {
        control_call_error(c, call, ERROR_SYNTAX, "WAIT takes 1 to %d ms", WAIT_MAX_MS);
        return;
    }
    if (call->stage == RUN_BEGUN || call->stage == RUN_CHECKED) {
        run_begin(c, call, &r);
        return;
    }
    if (!r.wait_ms) {
        control_call_integer(c, call, call->value);
        return;
    }
    if (call->stage == RUN_STARTED) control_call_stage(c, call, RUN_WAITED_FOR);
    wait_for_run(c, call, r.wait_ms);
}
