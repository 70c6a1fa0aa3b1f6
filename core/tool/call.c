#include "tool/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/connection.h"
#include "tool/print.h"

int call_print_json(const json_t *value)
{
    bool whole = json_dumpf(value, stdout, JSON_INDENT(1) | JSON_ENCODE_ANY) == 0 && putchar('\n') != EOF &&
                 fflush(stdout) == 0;
    return whole ? TOOL_DONE : TOOL_FAILED;
}

int call_complain(const struct tool_call *call, int exit_code, const struct error *e)
{
    fprintf(stderr, "aikv: %s\n", e->text);
    if (!call->json) return exit_code;
    json_t *document = json_object(), *text = json_string(e->text);
    json_object_set_new(document, "error", text ? text : json_string("an error that is not UTF-8: see standard error"));
    call_print_json(document);
    json_decref(document);
    return exit_code;
}

int call_node(const struct tool_call *call, const char *const *argv, int argc, json_t **out)
{
    struct bytes *words = calloc((size_t)argc, sizeof *words), reply;
    struct error e;
    if (!words) return error_set(&e, ERROR_OOM, "no memory for the command"), call_complain(call, TOOL_FAILED, &e);
    for (int i = 0; i < argc; i++) words[i] = bytes_text(argv[i]);
    int code = connection_call(call->node, words, argc, &reply, &e);
    free(words);
    *out = code ? NULL : connection_value(reply);
    if (*out) return TOOL_DONE;
    if (!code) {
        code = TOOL_UNREACHABLE;
        error_set(&e, ERROR_UNREACHABLE,
                  "the node's reply makes no sense: it is nested too deep, or a map has keys that are no text");
    }
    return call_complain(call, code, &e);
}

int call_show(const struct tool_call *call, const char *const *argv, int argc, const char *const *last)
{
    json_t *value;
    int code = call_node(call, argv, argc, &value);
    if (code) return code;
    if (call->json)
        code = call_print_json(value);
    else
        print_value(value, last);
    json_decref(value);
    return code;
}

bool call_is_param(const char *word)
{
    const char *equals = strchr(word, '=');
    return equals && equals > word;
}

int call_params(const struct tool_call *call, int from, const char **argv, int *argc)
{
    for (int i = from; i < call->count; i++) {
        struct error e;
        if (!call_is_param(call->words[i])) {
            error_set(&e, ERROR_CONFIG, "'%.100s' is no parameter: they are given as PARAM=VALUE", call->words[i]);
            return call_complain(call, TOOL_USAGE, &e);
        }
        char *equals = strchr(call->words[i], '=');
        *equals = 0;
        argv[(*argc)++] = call->words[i];
        argv[(*argc)++] = equals + 1;
    }
    return TOOL_DONE;
}

const char *call_text(const json_t *map, const char *name)
{
    const char *text = json_string_value(json_object_get(map, name));
    return text ? text : "";
}

int64_t call_integer(const json_t *map, const char *name)
{
    return json_integer_value(json_object_get(map, name));
}
