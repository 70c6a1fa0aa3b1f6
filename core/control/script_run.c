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
    const struct step_log_line *lines[STEP_LOG_MAX];
    const uint32_t count = step_log_of_run(&c->steps, run, lines);
    resp_array(w, count);
    struct buffer line;
    buffer_init(&line, 4096);
    for (uint32_t i = 0; i < count; i++) {
        const struct step_log_line *l = lines[i];
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
    resp_map(&w, 17);
    resp_bulk_text(&w, "run");
    resp_integer(&w, (int64_t)run->id);
    resp_bulk_text(&w, "script");
    resp_bulk_text(&w, run->script);
    resp_bulk_text(&w, "version");
    resp_bulk_text(&w, run->version);
    resp_bulk_text(&w, "trigger");
    resp_bulk_text(&w, run->trigger);
    resp_bulk_text(&w, "status");
    resp_bulk_text(&w, cluster_run_status_name(run->status));
    resp_bulk_text(&w, "paused");
    resp_bool(&w, run->paused);
    control_script_write_reason(&w, run);
    resp_bulk_text(&w, "round");
    resp_integer(&w, run->round);
    resp_bulk_text(&w, "steps_done");
    resp_integer(&w, run->steps_done);
    resp_bulk_text(&w, "slots_moved");
    resp_integer(&w, run->slots_moved);
    control_script_write_score(&w, "score_before", run->score_before);
    control_script_write_score(&w, "score_after", run->score_after);
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
    if (call->argc == 4) {
        const struct cluster_run *run = control_script_find_run(c, call);
        if (run) reply_run(c, call, run);
    } else if (s->run_count) {
        reply_run(c, call, &s->runs[s->run_count - 1]);
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

enum { RUN_BEGUN, RUN_CHECKED, RUN_STARTED, RUN_WAITED_FOR };

static void run_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    if (result->error.code == ERROR_INVARIANT) control_triggers_stay_back(c);
    control_call_proposed(c, result, number, node);
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
    control_call_propose(c, call, &command, run_proposed);
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
    struct cluster_param *params = control_script_params(call, r->name_at + 1, &count, &e);
    if (!params) {
        control_call_error_of(c, call, &e);
        return;
    }
    if (call->stage == RUN_BEGUN) {
        control_call_stage(c, call, RUN_CHECKED);
        control_script_params_check(c, call, &found, params, count);
    } else {
        run_start(c, call, &found, params, count);
    }
    control_script_params_free(params, count);
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
