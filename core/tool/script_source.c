/* aikv script load, get, list, delete, rollback, view: the policies that a cluster has. */
#include <stdio.h>
#include <string.h>

#include "resp/reply.h"
#include "tool/connection.h"
#include "tool/file.h"
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
