/* aikv script load, get, describe, list, delete, rollback, view: the policies that a cluster has. */
#include <stdio.h>
#include <string.h>

#include "control/script_source.h"
#include "resp/reply.h"
#include "tool/connection.h"
#include "tool/file.h"
#include "tool/offline.h"
#include "tool/print.h"
#include "tool/verb.h"

/* ---- load ---- */

static int show_version(const struct tool_call *call, const char *name, struct bytes reply)
{
    json_t *version = connection_value(reply), *document = json_pack("{s:s, s:O}", "script", name, "version", version);
    int code = TOOL_DONE;
    if (call->json)
        code = call_print_json(document);
    else
        print_value(version, NULL);
    json_decref(document);
    json_decref(version);
    return code;
}

/* Without a NAME the file's is taken: then the policy must be called so, lest a copy become another policy, or a file
 * with a new name an old one. What cannot be read here the node refuses, and says why. */
static int check_name(const char *file, const char *name, struct bytes source, struct error *e)
{
    struct offline_policy p = {.version = ""};
    json_t *described;
    snprintf(p.name, sizeof p.name, "%s", name);
    buffer_init(&p.text, FILE_POLICY_MAX);
    buffer_append(&p.text, source.data, source.len);
    int code = 0;
    if (offline_describe(&p, &described, e) == 0) {
        const char *own = call_text(described, "name");
        if (strcmp(own, name) != 0)
            code = error_set(e, ERROR_CONFIG,
                             "the policy in '%.100s' calls itself '%.64s': say which it is to be, 'aikv script load "
                             "%.100s %.64s' or '… %.64s'",
                             file, own, file, own, name);
        json_decref(described);
    }
    offline_policy_release(&p);
    return code;
}

int tool_script_load(struct tool_call *call)
{
    struct buffer source;
    struct error e;
    char name[256];
    if (call->count == 1 && strcmp(call->words[0], "-") == 0) {
        error_set(&e, ERROR_CONFIG, "a policy from standard input needs a name: aikv script load - NAME");
        return call_complain(call, TOOL_USAGE, &e);
    }
    file_policy_name(call->words[call->count - 1], name, sizeof name);
    if (file_read(call->words[0], FILE_POLICY_MAX, &source, &e)) return call_complain(call, TOOL_USAGE, &e);
    if (call->count == 1 && check_name(call->words[0], name, buffer_bytes(&source), &e)) {
        buffer_release(&source);
        return call_complain(call, TOOL_USAGE, &e);
    }
    struct bytes reply, argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("LOAD"), bytes_text(name),
                                  buffer_bytes(&source)};
    int code = connection_call(call->node, argv, 5, &reply, &e);
    code = code ? call_complain(call, code, &e) : show_version(call, name, reply);
    buffer_release(&source);
    return code;
}

/* ---- get ---- */

/* The source as it is, byte for byte. */
static int show_source(const struct tool_call *call, struct bytes reply)
{
    struct resp_part part;
    size_t at = 0;
    if (call->json) {
        json_t *text = connection_value(reply),
               *document = json_pack("{s:s, s:O}", "script", call->words[0], "source", text);
        int code = call_print_json(document);
        json_decref(document);
        json_decref(text);
        return code;
    }
    if (resp_part_read(reply, &at, &part, NULL) != RESP_READY) return TOOL_FAILED;
    fwrite(part.text.data, 1, part.text.len, stdout);
    return TOOL_DONE;
}

int tool_script_get(struct tool_call *call)
{
    struct bytes reply, argv[5] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("GET")};
    struct error e;
    for (int i = 0; i < call->count; i++) argv[3 + i] = bytes_text(call->words[i]);
    int code = connection_call(call->node, argv, 3 + call->count, &reply, &e);
    return code ? call_complain(call, code, &e) : show_source(call, reply);
}

/* ---- describe ---- */

/* The policy of a file, a built-in one where no node is asked, or the one that the node has. */
static int find_policy(const struct tool_call *call, struct offline_policy *out, struct error *e)
{
    const char *word = call->words[0];
    struct resp_part part;
    struct bytes reply, argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("GET"), bytes_text(word)};
    size_t at = 0;
    if (!call->node) return offline_policy_find(word, out, e) ? TOOL_USAGE : TOOL_DONE;
    int code = connection_call(call->node, argv, 4, &reply, e);
    if (code) return code;
    if (resp_part_read(reply, &at, &part, NULL) != RESP_READY)
        return error_set(e, ERROR_UNREACHABLE, "the node's reply makes no sense"), TOOL_UNREACHABLE;
    *out = (struct offline_policy){0};
    snprintf(out->name, sizeof out->name, "%s", word);
    buffer_init(&out->text, FILE_POLICY_MAX);
    buffer_append(&out->text, part.text.data, part.text.len);
    script_source_version(buffer_bytes(&out->text), out->version);
    return TOOL_DONE;
}

static void print_description(const json_t *described)
{
    static const char *const columns[] = {"param", "type", "default", "takes", "what it is"};
    const json_t *params = json_object_get(described, "params");
    struct table t;
    struct buffer line;
    buffer_init(&line, 1 << 20);
    print_clean(&line, call_text(described, "doc"), strlen(call_text(described, "doc")));
    buffer_append_text(&line, "\n");
    print_out(&line);
    buffer_release(&line);
    if (json_array_size(params) == 0) {
        printf("no parameters\n");
        return;
    }
    table_begin(&t, 5, columns);
    for (size_t i = 0; i < json_array_size(params); i++) {
        const json_t *param = json_array_get(params, i), *otherwise = json_object_get(param, "default");
        table_value(&t, "name", json_object_get(param, "name"));
        table_value(&t, "type", json_object_get(param, "type"));
        otherwise ? table_value(&t, "default", otherwise) : table_cell(&t, "required");
        table_value(&t, "takes", json_object_get(param, "takes"));
        table_value(&t, "doc", json_object_get(param, "doc"));
    }
    table_end(&t);
}

int tool_script_describe(struct tool_call *call)
{
    struct offline_policy policy;
    struct error e;
    json_t *described;
    int code = find_policy(call, &policy, &e);
    if (code) return call_complain(call, code, &e);
    code = offline_describe(&policy, &described, &e) ? TOOL_FAILED : TOOL_DONE;
    offline_policy_release(&policy);
    if (code) return call_complain(call, code, &e);
    if (call->json)
        code = call_print_json(described);
    else
        print_description(described);
    json_decref(described);
    return code;
}

/* ---- the others ---- */

int tool_script_list(struct tool_call *call)
{
    static const char *const last[] = {"doc", NULL};
    const char *argv[] = {"CLUSTER", "SCRIPT", "LIST", call->count ? call->words[0] : NULL};
    return call_show(call, argv, 3 + call->count, last);
}

int tool_script_delete(struct tool_call *call)
{
    const char *argv[] = {"CLUSTER", "SCRIPT", "DELETE", call->words[0]};
    return call_show(call, argv, 4, NULL);
}

int tool_script_rollback(struct tool_call *call)
{
    const char *argv[] = {"CLUSTER", "SCRIPT", "ROLLBACK", call->words[0], call->words[1]};
    return call_show(call, argv, 5, NULL);
}

int tool_script_view(struct tool_call *call)
{
    const char *argv[] = {"CLUSTER", "SCRIPT", "VIEW"};
    json_t *view;
    int code = call_node(call, argv, 3, &view);
    if (code) return code;
    printf("%s\n", json_string_value(view) ? json_string_value(view) : "");
    json_decref(view);
    return TOOL_DONE;
}
