/* CLUSTER SCRIPT HISTORY [n]: the newest runs, in short. */
#include <math.h>

#include "base/number.h"
#include "control/control_thread.h"

#define SHOWN 10 /* without n */

void control_script_write_score(struct resp_writer *w, const char *name, double score)
{
    resp_bulk_text(w, name);
    if (isnan(score))
        resp_null(w);
    else
        resp_double(w, score);
}

static void put_text(struct resp_writer *w, const char *name, const char *value)
{
    resp_bulk_text(w, name);
    resp_bulk_text(w, value);
}

static void put_number(struct resp_writer *w, const char *name, int64_t value)
{
    resp_bulk_text(w, name);
    resp_integer(w, value);
}

void control_script_write_reason(struct resp_writer *w, const struct cluster_run *run)
{
    const bool done = run->status == CLUSTER_RUN_DONE;
    put_text(w, "error", done ? "" : run->error);
    put_text(w, "why", done ? run->error : "");
}

static void write_run(struct resp_writer *w, const struct cluster_run *run)
{
    resp_map(w, 14);
    put_number(w, "run", (int64_t)run->id);
    put_text(w, "script", run->script);
    put_text(w, "version", run->version);
    put_text(w, "trigger", run->trigger);
    put_text(w, "status", cluster_run_status_name(run->status));
    control_script_write_reason(w, run);
    put_number(w, "rounds", run->round);
    put_number(w, "steps_done", run->steps_done);
    put_number(w, "slots_moved", run->slots_moved);
    control_script_write_score(w, "score_before", run->score_before);
    control_script_write_score(w, "score_after", run->score_after);
    put_number(w, "started_ms", run->started_ms);
    put_number(w, "ended_ms", run->ended_ms);
}

void control_script_history(struct control *c, struct call *call)
{
    const struct cluster_state *s = meta_state(c->meta);
    int64_t shown = SHOWN;
    if (call->argc == 4 && (!number_parse_integer(call->argv[3], &shown) || shown < 1)) {
        control_call_error(c, call, ERROR_SYNTAX, "HISTORY takes how many runs to show, from 1; %d are kept",
                           CLUSTER_RUNS_MAX);
        return;
    }
    if (shown > s->run_count) shown = s->run_count;
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_array(&w, (size_t)shown);
    for (int64_t i = 1; i <= shown; i++) write_run(&w, &s->runs[s->run_count - i]);
    control_call_reply(c, call, &b);
}
