/* aikv script check: whether files are policies, and plan without an error on a small cluster. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/offline.h"
#include "tool/print.h"
#include "tool/verb.h"

struct check {
    const struct cluster_param *params;
    uint32_t param_count;
    json_t *rows; /* a map a file: file, script, version, outcome, steps, error */
    bool failed;
};

static void add_row(struct check *c, const char *file, const struct offline_policy *p, const char *outcome,
                    size_t steps, const char *error)
{
    json_t *row = json_object();
    json_object_set_new(row, "file", json_string(file));
    json_object_set_new(row, "script", json_string(p->name));
    json_object_set_new(row, "version", json_string(p->version));
    json_object_set_new(row, "outcome", json_string(outcome));
    json_object_set_new(row, "steps", json_integer((json_int_t)steps));
    json_object_set_new(row, "error", json_string(error));
    json_array_append_new(c->rows, row);
}

/* A plan may well end in a wait or a refusal: the sample is not the cluster that the policy is for. Its own errors, and
 * circles, are its fault. */
static void check_plan(struct check *c, const char *file, const struct offline_policy *p)
{
    struct cluster_state *state;
    struct cluster_live live;
    struct error e;
    if (offline_sample(&state, &live, &e)) {
        add_row(c, file, p, "error", 0, e.text);
        c->failed = true;
        return;
    }
    json_t *plan = offline_dry_run(p, c->params, c->param_count, state, &live),
           *rounds = json_object_get(plan, "rounds");
    const char *outcome = call_text(plan, "outcome");
    size_t steps = 0;
    for (size_t i = 0; i < json_array_size(rounds); i++) steps += json_array_size(json_array_get(rounds, i));
    add_row(c, file, p, outcome, steps, call_text(plan, "error"));
    c->failed |= strcmp(outcome, "error") == 0 || strcmp(outcome, "circles") == 0;
    json_decref(plan);
}

static void check_file(struct check *c, const char *file)
{
    struct offline_policy p;
    struct error e;
    char doc[2];
    int code = offline_policy_find(file, &p, &e);
    if (!code) {
        struct script_source source = offline_policy_source(&p);
        code = script_check(&source, &script_limits_default, doc, sizeof doc, &e);
    }
    if (code) {
        add_row(c, file, &p, "error", 0, e.text);
        c->failed = true;
    } else {
        check_plan(c, file, &p);
    }
    offline_policy_release(&p);
}

static int is_policy_file(const struct dirent *entry)
{
    static const char spec[] = "_spec.lua";
    size_t len = strlen(entry->d_name);
    bool lua = len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
    return lua && !(len >= sizeof spec - 1 && strcmp(entry->d_name + len - (sizeof spec - 1), spec) == 0);
}

/* A file, or all files of a folder that are no tests. */
static void check_path(struct check *c, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_policy_file, alphasort);
    if (count < 0) { /* no folder */
        check_file(c, path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        check_file(c, file);
        free(entries[i]);
    }
    free(entries);
}

int tool_script_check(struct tool_call *call)
{
    static const char *const last[] = {"error", NULL};
    const char *words[2 * VERB_WORDS_MAX];
    struct cluster_param params[CLUSTER_PARAMS_MAX];
    struct check c = {.params = params, .rows = json_array()};
    struct error e;
    int files = 0, count = 0;
    while (files < call->count && !call_is_param(call->words[files])) files++;
    int code = files ? call_params(call, files, words, &count) : TOOL_USAGE;
    if (!files) fprintf(stderr, "aikv: no file is named: usage: aikv script check FILE|FOLDER... [PARAM=VALUE]...\n");
    if (!code && offline_params(words, count, params, &e)) code = call_complain(call, TOOL_USAGE, &e);
    c.param_count = (uint32_t)count / 2;
    for (int i = 0; i < files && !code; i++) check_path(&c, call->words[i]);
    if (!code && json_array_size(c.rows) == 0) {
        error_set(&e, ERROR_NOT_FOUND, "there is no policy (a file *.lua that is no *_spec.lua) in '%.200s'",
                  call->words[0]);
        code = call_complain(call, TOOL_USAGE, &e);
    } else if (!code && call->json)
        code = call_print_json(c.rows);
    else if (!code)
        print_rows(c.rows, last);
    json_decref(c.rows);
    return code ? code : c.failed ? TOOL_FAILED : TOOL_DONE;
}
