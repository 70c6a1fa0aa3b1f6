/* aikv script trigger: the words of CLUSTER SCRIPT TRIGGER, with parameters as everywhere in the tool. */
#include <string.h>

#include "tool/verb.h"

/* "PARAM=VALUE" from the first such word on: PARAMS, and names and values. */
int tool_script_trigger(struct tool_call *call)
{
    static const char *const last[] = {"params", "problem", "due", NULL};
    const char *argv[4 + 2 * VERB_WORDS_MAX] = {"CLUSTER", "SCRIPT", "TRIGGER"};
    int argc = 3, first = 0, code = TOOL_DONE;
    while (first < call->count && !call_is_param(call->words[first])) argv[argc++] = call->words[first++];
    if (first < call->count && strcasecmp(argv[argc - 1], "params") != 0) argv[argc++] = "PARAMS";
    code = call_params(call, first, argv, &argc);
    return code ? code : call_show(call, argv, argc, last);
}
