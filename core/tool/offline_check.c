/* aikv script check: whether files are policies, and plan without an error on a small cluster. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/script_source.h"
#include "tool/offline.h"
#include "tool/print.h"
#include "tool/verb.h"

struct check {
    const struct cluster_param *typed;
    uint32_t typed_count;
    bool known[CLUSTER_PARAMS_MAX]; /* of the typed: some file has it */
    json_t *rows;                   /* a map a file: file, script, version, outcome, steps, params, error */
    bool failed;
};

/* `params` are those that the plan was made with, by name; taken. */
static void add_row(struct check *c, const char *file, const struct offline_policy *p, const char *outcome,
                    size_t steps, json_t *params, const char *error)
{
    json_t *row = json_object();
    json_object_set_new(row, "file", json_string(file));
    json_object_set_new(row, "script", json_string(p->name));
    json_object_set_new(row, "version", json_string(p->version));
    json_object_set_new(row, "outcome", json_string(outcome));
    json_object_set_new(row, "steps", json_integer((json_int_t)steps));
    json_object_set_new(row, "params", params);
    json_object_set_new(row, "error", json_string(error));
    json_array_append_new(c->rows, row);
}

static void fail(struct check *c, const char *file, const struct offline_policy *p, const struct error *e)
{
    add_row(c, file, p, "error", 0, json_object(), e->text);
    c->failed = true;
}

/* What was typed for the parameter, else, if it is required, an example; NULL: its default. */
static const char *value_of(struct check *c, const json_t *param)
{
    for (uint32_t i = 0; i < c->typed_count; i++) {
        if (strcmp(c->typed[i].name, call_text(param, "name")) != 0) continue;
        c->known[i] = true;
        return c->typed[i].value;
    }
    return json_object_get(param, "default") ? NULL : call_text(param, "example");
}

/* The parameters for a policy that is described so, in `out`, whose values live as long as `described`; their number.
 */
static int choose(struct check *c, const json_t *described, struct cluster_param *out, uint32_t *count, struct error *e)
{
    const json_t *params = json_object_get(described, "params");
    *count = 0;
    for (size_t i = 0; i < json_array_size(params); i++) {
        const json_t *param = json_array_get(params, i);
        const char *value = value_of(c, param);
        if (!value) continue;
        if (*count == CLUSTER_PARAMS_MAX || strlen(call_text(param, "name")) > CLUSTER_NAME_MAX)
            return error_set(e, ERROR_LIMIT, "a run takes up to %d parameters, with names of up to %d bytes",
                             CLUSTER_PARAMS_MAX, CLUSTER_NAME_MAX);
        snprintf(out[*count].name, sizeof out[*count].name, "%s", call_text(param, "name"));
        out[(*count)++].value = (char *)value;
    }
    return 0;
}

/* A plan may well end in a wait or a refusal: the sample is not the cluster that the policy is for. Its own errors, and
 * circles, are its fault. */
static void check_plan(struct check *c, const char *file, const struct offline_policy *p, const json_t *described)
{
    struct cluster_param params[CLUSTER_PARAMS_MAX];
    struct cluster_state *state;
    struct cluster_live live;
    struct error e;
    uint32_t count;
    json_t *plan;
    if (choose(c, described, params, &count, &e) || offline_sample(&state, &live, &e) ||
        offline_dry_run(p, params, count, false, state, &live, &plan, &e)) {
        fail(c, file, p, &e);
        return;
    }
    json_t *rounds = json_object_get(plan, "rounds"), *chosen = json_object();
    const char *outcome = call_text(plan, "outcome");
    size_t steps = 0;
    for (size_t i = 0; i < json_array_size(rounds); i++) steps += json_array_size(json_array_get(rounds, i));
    for (uint32_t i = 0; i < count; i++) json_object_set_new(chosen, params[i].name, json_string(params[i].value));
    add_row(c, file, p, outcome, steps, chosen, call_text(plan, "error"));
    c->failed |= strcmp(outcome, "error") == 0 || strcmp(outcome, "circles") == 0;
    json_decref(plan);
}

/* The name under which the file will be loaded. */
static int check_name(const struct offline_policy *p, const char *name, struct error *e)
{
    if (script_source_name_valid(bytes_text(name))) return 0;
    return error_set(e, ERROR_SYNTAX, "%s@%s: a policy's name is 1 to %d of a-z, 0-9, _ and -, not '%.80s'", p->name,
                     p->version, CLUSTER_NAME_MAX, name);
}

/* An error is that the file cannot be read; what is wrong with it is told in its row. */
static int check_file(struct check *c, const char *file, struct error *e)
{
    struct offline_policy p;
    struct error wrong;
    json_t *described = NULL;
    if (offline_policy_find(file, &p, e)) return e->code;
    int code = offline_describe(&p, &described, &wrong);
    if (!code) code = check_name(&p, call_text(described, "name"), &wrong);
    if (code) {
        fail(c, file, &p, &wrong);
    } else {
        snprintf(p.name, sizeof p.name, "%s", call_text(described, "name"));
        check_plan(c, file, &p, described);
    }
    json_decref(described);
    offline_policy_release(&p);
    return 0;
}

static int is_policy_file(const struct dirent *entry)
{
    static const char spec[] = "_spec.lua";
    size_t len = strlen(entry->d_name);
    bool lua = len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
    return lua && !(len >= sizeof spec - 1 && strcmp(entry->d_name + len - (sizeof spec - 1), spec) == 0);
}

/* A file, or all files of a folder that are no tests. */
static int check_path(struct check *c, const char *path, struct error *e)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_policy_file, alphasort), code = 0;
    if (count < 0) return check_file(c, path, e); /* no folder */
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (!code) code = check_file(c, file, e);
        free(entries[i]);
    }
    free(entries);
    return code;
}

/* A parameter that no file has was mistyped. */
static int check_typed(const struct check *c, struct error *e)
{
    for (uint32_t i = 0; i < c->typed_count; i++)
        if (!c->known[i]) return error_set(e, ERROR_CONFIG, "no policy here has a parameter '%s'", c->typed[i].name);
    return 0;
}

static int check_all(struct tool_call *call, int files, struct check *c)
{
    static const char *const last[] = {"params", "error", NULL};
    struct error e;
    for (int i = 0; i < files; i++)
        if (check_path(c, call->words[i], &e)) return call_complain(call, TOOL_USAGE, &e);
    if (json_array_size(c->rows) == 0) {
        error_set(&e, ERROR_NOT_FOUND, "there is no policy (a file *.lua that is no *_spec.lua) in '%.200s'",
                  call->words[0]);
        return call_complain(call, TOOL_USAGE, &e);
    }
    if (!c->failed && check_typed(c, &e)) return call_complain(call, TOOL_USAGE, &e);
    if (call->json) return call_print_json(c->rows);
    print_rows(c->rows, last);
    return TOOL_DONE;
}

int tool_script_check(struct tool_call *call)
{
    const char *words[2 * VERB_WORDS_MAX];
    struct cluster_param params[CLUSTER_PARAMS_MAX];
    struct check c = {.typed = params};
    struct error e;
    int files = 0, count = 0;
    while (files < call->count && !call_is_param(call->words[files])) files++;
    int code = files ? call_params(call, files, words, &count) : TOOL_USAGE;
    if (!files) fprintf(stderr, "aikv: no file is named: usage: aikv script check FILE|FOLDER... [PARAM=VALUE]...\n");
    if (!code && offline_params(words, count, params, &e)) code = call_complain(call, TOOL_USAGE, &e);
    if (code) return code;
    c.typed_count = (uint32_t)count / 2;
    c.rows = json_array();
    code = check_all(call, files, &c);
    json_decref(c.rows);
    return code ? code : c.failed ? TOOL_FAILED : TOOL_DONE;
}
