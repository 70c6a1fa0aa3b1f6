/* aikv script eval; and aikv cluster settings, which asks and changes by the same command. */
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "cluster/step.h"
#include "tool/file.h"
#include "tool/print.h"
#include "tool/script_run.h"
#include "tool/verb.h"

/* EVAL [RUN] source numargs arg…, from what was typed: SOURCE, or a file with it, and its arguments. */
static int eval(struct tool_call *call, bool runs, const char *source, int from)
{
    const char *argv[6 + VERB_WORDS_MAX] = {"CLUSTER", "SCRIPT", "EVAL"};
    char count[NUMBER_TEXT_MAX];
    int argc = 3;
    if (runs) argv[argc++] = "RUN";
    argv[argc++] = source;
    number_format_integer(count, call->count - from);
    argv[argc++] = count;
    for (int i = from; i < call->count; i++) argv[argc++] = call->words[i];
    return runs ? script_run_begin(call, argv, argc) : call_show(call, argv, argc, NULL);
}

/* Lua has blanks, and may well hold a '/'. */
static bool is_file(const char *word)
{
    size_t len = strlen(word);
    return strcmp(word, "-") == 0 || (len > 4 && strcmp(word + len - 4, ".lua") == 0 && !strpbrk(word, " \t\n"));
}

int tool_script_eval(struct tool_call *call)
{
    const bool runs = call->count > 1 && strcmp(call->words[0], "run") == 0;
    const char *word = call->words[runs];
    struct buffer text;
    struct error e;
    if (!is_file(word)) return eval(call, runs, word, runs + 1);
    if (file_read(word, FILE_POLICY_MAX, &text, &e)) return call_complain(call, TOOL_USAGE, &e);
    buffer_append(&text, "", 1);
    int code;
    if (strlen((const char *)text.data) + 1 == text.len) {
        code = eval(call, runs, (const char *)text.data, runs + 1);
    } else {
        error_set(&e, ERROR_SYNTAX, "'%.200s' holds a zero byte: it is no Lua text", word);
        code = call_complain(call, TOOL_USAGE, &e);
    }
    buffer_release(&text);
    return code;
}

/* ---- settings ---- */

static void print_settings(const json_t *settings)
{
    static const char *const columns[] = {"setting", "value", "usual", "meaning"};
    const char *key;
    json_t *value;
    struct table t;
    table_begin(&t, 4, columns);
    json_object_foreach((json_t *)settings, key, value)
    {
        enum cluster_setting known = cluster_setting_find(bytes_text(key)); /* a newer node may have others */
        const struct cluster_setting_info *info = known < CLUSTER_SETTINGS ? cluster_setting_info(known) : NULL;
        table_cell(&t, "%.64s", key);
        table_value(&t, key, value);
        info ? table_cell(&t, "%" PRId64, info->initial) : table_cell(&t, "-");
        table_cell(&t, "%s", info ? info->doc : "-");
    }
    table_end(&t);
}

static int show_settings(struct tool_call *call)
{
    const char *argv[] = {"CLUSTER", "SCRIPT", "VIEW"};
    json_t *text = NULL;
    int code = call_node(call, argv, 3, &text);
    if (code) return code;
    json_t *view = json_string_value(text) ? json_loads(json_string_value(text), 0, NULL) : NULL,
           *settings = json_object_get(view, "settings");
    struct error e;
    if (!json_is_object(settings)) {
        error_set(&e, ERROR_UNREACHABLE, "the node's view has no settings");
        code = call_complain(call, TOOL_UNREACHABLE, &e);
    } else if (call->json) {
        code = call_print_json(settings);
    } else {
        print_settings(settings);
    }
    json_decref(view);
    json_decref(text);
    return code;
}

/* Changes are steps as those of any policy. */
int tool_cluster_settings(struct tool_call *call)
{
    static const char source[] = "local steps = {}\n"
                                 "for i = 1, #ARGV, 2 do\n"
                                 "  steps[#steps + 1] = { op = 'set', key = ARGV[i], value = "
                                 "math.tointeger(tonumber(ARGV[i + 1])) or ARGV[i + 1] }\n"
                                 "end\n"
                                 "return steps";
    const char *argv[6 + 2 * VERB_WORDS_MAX] = {"CLUSTER", "SCRIPT", "EVAL", "RUN", source};
    char count[NUMBER_TEXT_MAX];
    int argc = 6;
    if (call->count == 0) return show_settings(call);
    int code = call_params(call, 0, argv, &argc);
    number_format_integer(count, argc - 6);
    argv[5] = count;
    return code ? code : script_run_begin(call, argv, argc);
}
