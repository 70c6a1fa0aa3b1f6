/* CLUSTER SCRIPT LOAD, LIST, GET, VIEW, HELP: scripts, and what they see. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/control_thread.h"
#include "control/script_source.h"

void control_script_copy(struct cluster_command *command, struct bytes text)
{
    command->source = control_allocate(text.len + 1);
    command->source_len = text.len;
    if (text.len) memcpy(command->source, text.data, text.len);
}

/* ---- LOAD name source ---- */

enum { LOAD_BEGUN, LOAD_CHECKED, LOAD_KEPT };

static void load_check(struct control *c, struct call *call)
{
    struct bytes name = call->argv[3], text = call->argv[4];
    if (!script_source_name_valid(name)) {
        control_call_error(c, call, ERROR_SYNTAX, "a script's name is 1 to %d of a-z, 0-9, _ and -", CLUSTER_NAME_MAX);
        return;
    }
    if (text.len > CLUSTER_SCRIPT_MAX) {
        control_call_error(c, call, ERROR_LIMIT, "the script is %zu bytes; up to %u are taken", text.len,
                           CLUSTER_SCRIPT_MAX);
        return;
    }
    char name_text[CLUSTER_NAME_MAX + 1], version[17];
    snprintf(name_text, sizeof name_text, "%.*s", (int)name.len, (const char *)name.data);
    script_source_version(text, version);
    struct policy_job *job = policy_job_new(POLICY_CHECK);
    policy_job_set_source(job, name_text, version, text);
    control_call_stage(c, call, LOAD_CHECKED);
    control_call_submit(c, call, job);
}

static void load_keep(struct control *c, struct call *call)
{
    struct bytes name = call->argv[3], text = call->argv[4];
    struct cluster_command command = {.type = CLUSTER_LOAD_SCRIPT, .wall_ms = clock_wall_ms()};
    snprintf(command.name, sizeof command.name, "%.*s", (int)name.len, (const char *)name.data);
    script_source_version(text, command.version);
    control_script_copy(&command, text);
    control_call_stage(c, call, LOAD_KEPT);
    control_call_propose(c, call, &command, control_call_proposed);
    cluster_command_release(&command);
}

void control_script_load(struct control *c, struct call *call)
{
    if (call->stage == LOAD_BEGUN) {
        load_check(c, call);
    } else if (call->stage == LOAD_CHECKED) {
        load_keep(c, call);
    } else {
        char version[17];
        struct buffer b;
        struct resp_writer w = control_call_writer(call, &b);
        script_source_version(call->argv[4], version);
        resp_bulk_text(&w, version);
        control_call_reply(c, call, &b);
    }
}

/* ---- LIST [name], GET name [version] ---- */

static uint32_t count_versions(const struct cluster_state *s, const struct script_found *f)
{
    uint32_t count = f->builtin || f->shadows;
    for (uint32_t i = 0; i < s->script_count; i++) count += strcmp(s->scripts[i].name, f->name) == 0;
    return count;
}

static void write_found(struct resp_writer *w, const struct cluster_state *s, const struct script_found *f)
{
    char doc[257];
    script_source_doc(f->text, doc, sizeof doc);
    resp_map(w, 7);
    resp_bulk_text(w, "name");
    resp_bulk_text(w, f->name);
    resp_bulk_text(w, "version");
    resp_bulk_text(w, f->version);
    resp_bulk_text(w, "versions");
    resp_integer(w, count_versions(s, f));
    resp_bulk_text(w, "builtin");
    resp_bool(w, f->builtin);
    resp_bulk_text(w, "shadows");
    resp_bool(w, f->shadows);
    resp_bulk_text(w, "loaded_ms");
    resp_integer(w, f->loaded_ms);
    resp_bulk_text(w, "doc");
    resp_bulk_text(w, doc);
}

void control_script_list(struct control *c, struct call *call)
{
    if (call->argc == 4) {
        control_script_versions(c, call);
        return;
    }
    const struct cluster_state *s = meta_state(c->meta);
    size_t count;
    struct script_found *list = script_source_list(s, &count);
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_array(&w, count);
    for (size_t i = 0; i < count; i++) write_found(&w, s, &list[i]);
    free(list);
    control_call_reply(c, call, &b);
}

void control_script_get(struct control *c, struct call *call)
{
    struct script_found found;
    struct error e;
    struct bytes version = call->argc == 5 ? call->argv[4] : (struct bytes){0};
    if (script_source_find(meta_state(c->meta), call->argv[3], version, &found, &e) != 0) {
        control_call_error_of(c, call, &e);
        return;
    }
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_bulk(&w, found.text);
    control_call_reply(c, call, &b);
}

/* ---- VIEW ---- */

enum { VIEW_BEGUN, VIEW_MADE };

void control_script_view(struct control *c, struct call *call)
{
    if (call->stage == VIEW_MADE) {
        struct buffer b;
        struct resp_writer w = control_call_writer(call, &b);
        resp_bulk(&w, buffer_bytes(&call->result->reply));
        control_call_reply(c, call, &b);
        return;
    }
    struct policy_job *job = policy_job_new(POLICY_VIEW);
    job->state = cluster_state_clone(meta_state(c->meta), true);
    control_reign_live(c, &job->live);
    const struct cluster_run *run = cluster_run_active(job->state);
    job->run = run ? run->id : 0;
    control_call_stage(c, call, VIEW_MADE);
    control_call_submit(c, call, job);
}

/* ---- HELP ---- */

void control_script_help(struct control *c, struct call *call)
{
    static const char *const lines[] = {
        "CLUSTER SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "LOAD <name> <source>",
        "    Checks a policy and keeps it under this name; it shadows a built-in one. Returns its version.",
        "LIST [<name>]",
        "    The scripts that RUN takes: name, version, versions (how many), builtin, shadows (a built-in one), loaded_ms, "
        "doc.",
        "    Of one name the versions there are, newest first: version, current, builtin, loaded_ms, bytes, doc.",
        "GET <name> [<version>]",
        "    The source of a script.",
        "DELETE <name>",
        "    Forgets all versions of a loaded script; a built-in one of its name is back then.",
        "ROLLBACK <name> <version>",
        "    Makes a version that is kept the one that RUN takes.",
        "PLAN [DATA] <name> [<param> <value> ...]",
        "    What a run would do, without doing it: script, version, outcome (done, waits, refused, circles, error), error, "
        "why,",
        "    rounds (of each its steps: lines, with DATA maps of their fields), steps_left_out, score_before, score_after,",
        "    slots_moved, shards (before, after), note.",
        "RUN [WAIT <ms>] <name> [<param> <value> ...]",
        "    Starts a run. Returns its id at once; with WAIT what STATUS returns, when the run has ended or the time "
        "is over",
        "    (its status is then still \"running\").",
        "EVAL [RUN] <source> <numargs> [<arg> ...]",
        "    Runs a chunk with `view` and `ARGV` and returns its value; with RUN it must return steps, which are "
        "carried",
        "    out as a run of one round, and its id is returned.",
        "STATUS [<run>]",
        "    A run, by default the newest: run, script, version, trigger, status (running, done, failed, cancelled), "
        "paused,",
        "    error, why, round, steps_done, slots_moved, score_before, score_after, started_ms, ended_ms, waiting_for,",
        "    steps (lines: \"<round>.<step> <status> <what>\").",
        "    Null when there was none.",
        "HISTORY [<n>]",
        "    The newest n runs, 10 by default: run, script, version, trigger, status, error, why, rounds, steps_done, slots_moved,",
        "    score_before, score_after, started_ms, ended_ms.",
        "CANCEL <run>",
        "    Ends a run. What its steps have done stays.",
        "PAUSE <run>",
        "    No further step of the run begins until RESUME.",
        "RESUME <run>",
        "    Lets a paused run go on.",
        "VIEW",
        "    What policies see, as JSON.",
        "TRIGGER SET <id> <script> ON <event> | EVERY <s> [COOLDOWN <s>] [PARAMS <param> <value> ...]",
        "    Has the script asked while the event (node_down, node_up, candidate, imbalance) holds, or every so many "
        "seconds;",
        "    when it answers with steps a run starts. At most one each <s> of COOLDOWN (10 with ON, 0 with EVERY).",
        "TRIGGER LIST",
        "    The triggers: id, script, event, every_s, cooldown_s, params, last_run, fired_ms, problem, due.",
        "TRIGGER DELETE <id>",
        "    Removes a trigger.",
        "TRIGGER PAUSE",
        "    No trigger starts a run from now on. A run that runs goes on.",
        "TRIGGER RESUME",
        "    They do again.",
        "HELP",
        "    Print this help.",
    };
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_array(&w, sizeof lines / sizeof *lines);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) resp_simple(&w, lines[i]);
    control_call_reply(c, call, &b);
}
