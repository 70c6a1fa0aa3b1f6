#include "tool/offline.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "control/script_source.h"
#include "resp/reply.h"
#include "resp/write.h"
#include "script/dry_run.h"
#include "script/saved_view.h"
#include "tool/connection.h"
#include "tool/file.h"
#include "tool/verb.h"

#define PLAN_MAX (24u << 20) /* as much as a node replies */

/* ---- policies ---- */

static int find_builtin(const char *name, struct offline_policy *out, struct error *e)
{
    const struct script_builtin *builtin = script_builtin_find(name);
    if (!builtin) {
        struct nearest n;
        nearest_begin(&n, bytes_text(name));
        for (size_t i = 0; script_builtin_at(i); i++) nearest_offer(&n, script_builtin_at(i)->name);
        return error_set(
            e, ERROR_NOT_FOUND,
            "no policy is built in under the name '%.64s'%s%s%s: without a node there are those, and files, "
            "named as './%.64s.lua'",
            name, n.best ? "; did you mean '" : "", n.best ? n.best : "", n.best ? "'?" : "", name);
    }
    snprintf(out->name, sizeof out->name, "%s", builtin->name);
    buffer_init(&out->text, FILE_POLICY_MAX);
    buffer_append(&out->text, builtin->text, builtin->len);
    return 0;
}

int offline_policy_find(const char *word, struct offline_policy *out, struct error *e)
{
    *out = (struct offline_policy){0};
    int code = file_is_named(word) ? file_read(word, FILE_POLICY_MAX, &out->text, e) : find_builtin(word, out, e);
    if (code) return code;
    if (!*out->name) file_policy_name(word, out->name, sizeof out->name);
    script_source_version(buffer_bytes(&out->text), out->version);
    return 0;
}

void offline_policy_release(struct offline_policy *p)
{
    buffer_release(&p->text);
}

struct script_source offline_policy_source(const struct offline_policy *p)
{
    return (struct script_source){.name = p->name, .version = p->version, .text = buffer_bytes(&p->text)};
}

int offline_describe(const struct offline_policy *p, json_t **out, struct error *e)
{
    struct script_source source = offline_policy_source(p);
    struct buffer text;
    buffer_init(&text, FILE_POLICY_MAX * 8); /* the source, each byte escaped */
    int code = script_describe(&source, NULL, &text, e);
    *out = code ? NULL : json_loadb((const char *)text.data, text.len, 0, NULL);
    if (!code && !*out) code = error_set(e, ERROR_OOM, "no memory for the description of '%s'", p->name);
    buffer_release(&text);
    return code;
}

/* ---- a dry run ---- */

int offline_dry_run(const struct offline_policy *p, const struct cluster_param *params, uint32_t count, bool data,
                    struct cluster_state *state, struct cluster_live *live, json_t **plan, struct error *e)
{
    struct script_source source = offline_policy_source(p);
    struct script_dry_run *run = script_dry_run_new(&source, params, count, state, live, SCRIPT_DRY_RUN_MS);
    struct buffer reply;
    buffer_init(&reply, PLAN_MAX);
    struct resp_writer w = {&reply, 3};
    while (script_dry_run_advance(run, NULL)) {}
    script_dry_run_write(script_dry_run_result(run), data, "", &w);
    *plan = reply.failed ? NULL : connection_value(buffer_bytes(&reply));
    buffer_release(&reply);
    script_dry_run_free(run);
    return *plan ? 0 : error_set(e, ERROR_OOM, "no memory for the plan");
}

/* ---- plan FILE, plan NAME --view VIEW ---- */

/* The view of the node that is asked, as its JSON. */
static int ask_view(const struct tool_call *call, struct buffer *json, struct error *e)
{
    struct bytes reply, argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("VIEW")};
    struct resp_part part;
    size_t at = 0;
    int code = connection_call(call->node, argv, 3, &reply, e);
    if (code) return code;
    if (resp_part_read(reply, &at, &part, NULL) != RESP_READY)
        return error_set(e, ERROR_UNREACHABLE, "the node's reply makes no sense"), TOOL_UNREACHABLE;
    buffer_init(json, FILE_VIEW_MAX);
    buffer_append(json, part.text.data, part.text.len);
    return TOOL_DONE;
}

/* The call's saved view, or the one of its node. Returns the exit code. */
static int read_view(const struct tool_call *call, struct cluster_state **state, struct cluster_live *live,
                     struct error *e)
{
    struct buffer json;
    int code = call->view ? (file_read(call->view, FILE_VIEW_MAX, &json, e) ? TOOL_USAGE : TOOL_DONE)
                          : ask_view(call, &json, e);
    if (code) return code;
    if (script_saved_view_read(buffer_bytes(&json), state, live, e)) {
        code = call->view ? TOOL_USAGE : TOOL_FAILED;
        error_prefix(e, "'%.100s': ", call->view ? call->view : "the node's view");
    }
    buffer_release(&json);
    return code;
}

int offline_params(const char *const *words, int count, struct cluster_param *params, struct error *e)
{
    if (count / 2 > CLUSTER_PARAMS_MAX)
        return error_set(e, ERROR_LIMIT, "%d parameters; up to %d are taken", count / 2, CLUSTER_PARAMS_MAX);
    for (int i = 0; i < count / 2; i++) {
        if (strlen(words[2 * i]) > CLUSTER_NAME_MAX || strlen(words[2 * i + 1]) > 1024)
            return error_set(e, ERROR_LIMIT, "a parameter has a name of up to %d bytes and a value of up to 1024",
                             CLUSTER_NAME_MAX);
        snprintf(params[i].name, sizeof params[i].name, "%s", words[2 * i]);
        params[i].value = (char *)words[2 * i + 1];
    }
    return 0;
}

int offline_plan(const struct tool_call *call, const char *const *words, int count, json_t **plan)
{
    struct offline_policy policy;
    struct cluster_param params[CLUSTER_PARAMS_MAX];
    struct cluster_state *state;
    struct cluster_live live;
    struct error e;
    if (offline_params(words + 1, count - 1, params, &e) || offline_policy_find(words[0], &policy, &e))
        return call_complain(call, TOOL_USAGE, &e);
    int code = read_view(call, &state, &live, &e);
    if (!code && offline_dry_run(&policy, params, (uint32_t)(count - 1) / 2, call->json, state, &live, plan, &e))
        code = TOOL_FAILED;
    offline_policy_release(&policy);
    return code ? call_complain(call, code, &e) : TOOL_DONE;
}
