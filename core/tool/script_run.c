/* aikv script run, watch, status, history, cancel, pause, resume. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/number.h"
#include "tool/connection.h"
#include "tool/print.h"
#include "tool/progress.h"
#include "tool/script_run.h"
#include "tool/verb.h"

#define LOOK_EVERY_MS 200
#define PATIENCE_MS   30000 /* without a status: a new leader is there sooner */

/* ---- following a run ---- */

struct follow {
    const struct tool_call *call;
    char run[NUMBER_TEXT_MAX]; /* "": the newest */
    struct progress progress;
    uint64_t answered_ms; /* monotonic: when a status came last */
};

/* The number of the run is known once there was a status: a newer run does not take its place. */
static void pin(struct follow *f, const json_t *status)
{
    f->answered_ms = clock_monotonic_ms();
    if (!*f->run) snprintf(f->run, sizeof f->run, "%" PRId64, call_integer(status, "run"));
}

/* One look. Returns TOOL_DONE with the status (JSON null: there was no run); else the exit code with `e`. */
static int look(struct follow *f, json_t **status, struct error *e)
{
    struct connection *node = f->call->node;
    struct bytes reply,
        argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("STATUS"), bytes_text(f->run)};
    int code = node->fd < 0 ? connection_open(node, f->call, e) : TOOL_DONE;
    if (!code) code = connection_call(node, argv, *f->run ? 4 : 3, &reply, e);
    if (code) return code;
    *status = connection_value(reply);
    if (json_is_object(*status)) pin(f, *status);
    if (*status) return TOOL_DONE;
    error_set(e, ERROR_UNREACHABLE, "the node's reply makes no sense");
    return TOOL_UNREACHABLE;
}

/* A node that went away may come back, and a cluster without a leader gets one. */
static bool may_pass(const struct follow *f, int code, const struct error *e)
{
    bool lost = code == TOOL_UNREACHABLE || code == TOOL_TIMEOUT || strncmp(e->text, "CLUSTERDOWN", 11) == 0;
    return lost && clock_monotonic_ms() - f->answered_ms < PATIENCE_MS;
}

static bool is_over(const struct follow *f)
{
    return clock_monotonic_ms() >= f->call->node->deadline_ms;
}

static void pause_between_looks(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_MS * 1000000L}, NULL);
}

/* Until the run has ended, there is none, or the time is over: then TOOL_TIMEOUT with its last status. */
static int follow(struct follow *f, json_t **status, struct error *e)
{
    *status = NULL;
    for (;;) {
        json_t *found = NULL;
        int code = look(f, &found, e);
        if (!code) {
            json_decref(*status);
            *status = found;
            if (!json_is_object(found)) return TOOL_DONE;
            progress_show(&f->progress, found);
            if (strcmp(call_text(found, "status"), "running") != 0) return TOOL_DONE;
        } else if (!may_pass(f, code, e)) {
            return code;
        }
        if (is_over(f)) {
            error_set(e, ERROR_TIMEOUT, "run%s%s had no outcome in time; 'aikv script watch' looks again",
                      *f->run ? " " : "", f->run);
            return TOOL_TIMEOUT;
        }
        pause_between_looks();
    }
}

static int exit_code_of_run(const json_t *status)
{
    return strcmp(call_text(status, "status"), "done") == 0 ? TOOL_DONE : TOOL_FAILED;
}

static int no_run(const struct tool_call *call)
{
    if (call->json) return call_print_json(json_null());
    printf("there was no run\n");
    return TOOL_DONE;
}

static int watch(struct tool_call *call, const char *run)
{
    struct follow f = {.call = call, .answered_ms = clock_monotonic_ms()};
    struct error e;
    json_t *status;
    snprintf(f.run, sizeof f.run, "%s", run);
    progress_begin(&f.progress, call->json);
    int code = follow(&f, &status, &e);
    progress_end(&f.progress, json_is_object(status) ? status : NULL);
    if (code)
        code = call_complain(call, code, &e);
    else if (json_is_null(status))
        code = no_run(call);
    else {
        code = exit_code_of_run(status);
        if (call->json && call_print_json(status)) code = TOOL_FAILED;
    }
    json_decref(status);
    return code;
}

int tool_script_watch(struct tool_call *call)
{
    return watch(call, call->count ? call->words[0] : "");
}

int script_run_begin(struct tool_call *call, const char *const *argv, int argc)
{
    json_t *run = NULL;
    int code = call_node(call, argv, argc, &run);
    if (code) return code;
    char number[NUMBER_TEXT_MAX];
    number_format_integer(number, json_integer_value(run));
    if (!call->detach)
        code = watch(call, number);
    else if (call->json)
        code = call_print_json(run);
    else
        printf("%s\n", number);
    json_decref(run);
    return code;
}

int tool_script_run(struct tool_call *call)
{
    const char *argv[4 + 2 * VERB_WORDS_MAX] = {"CLUSTER", "SCRIPT", "RUN", call->words[0]};
    int argc = 4, code = call_params(call, 1, argv, &argc);
    return code ? code : script_run_begin(call, argv, argc);
}

/* ---- one look at runs ---- */

int tool_script_status(struct tool_call *call)
{
    const char *argv[] = {"CLUSTER", "SCRIPT", "STATUS", call->count ? call->words[0] : NULL};
    json_t *status;
    int code = call_node(call, argv, 3 + call->count, &status);
    if (code) return code;
    if (json_is_null(status))
        code = no_run(call);
    else if (call->json)
        code = call_print_json(status);
    else
        print_value(status, NULL);
    json_decref(status);
    return code;
}

int tool_script_history(struct tool_call *call)
{
    static const char *const last[] = {"error", "why", NULL};
    const char *argv[] = {"CLUSTER", "SCRIPT", "HISTORY", call->count ? call->words[0] : NULL};
    return call_show(call, argv, 3 + call->count, last);
}

/* ---- what changes a run ---- */

static int change_run(struct tool_call *call, const char *verb)
{
    const char *argv[] = {"CLUSTER", "SCRIPT", verb, call->words[0]};
    return call_show(call, argv, 4, NULL);
}

int tool_script_cancel(struct tool_call *call)
{
    return change_run(call, "CANCEL");
}

int tool_script_pause(struct tool_call *call)
{
    return change_run(call, "PAUSE");
}

int tool_script_resume(struct tool_call *call)
{
    return change_run(call, "RESUME");
}
