/* aikv script plan: a dry run, by a node or offline, and how it looks. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool/offline.h"
#include "tool/print.h"
#include "tool/verb.h"

static int64_t count_steps(const json_t *plan)
{
    const json_t *rounds = json_object_get(plan, "rounds");
    int64_t steps = call_integer(plan, "steps_left_out");
    for (size_t i = 0; i < json_array_size(rounds); i++) steps += (int64_t)json_array_size(json_array_get(rounds, i));
    return steps;
}

static void print_steps(const json_t *plan)
{
    const json_t *rounds = json_object_get(plan, "rounds");
    struct buffer line;
    buffer_init(&line, 1 << 20);
    for (size_t i = 0; i < json_array_size(rounds); i++)
        for (size_t n = 0; n < json_array_size(json_array_get(rounds, i)); n++) {
            print_cell(&line, "", json_array_get(json_array_get(rounds, i), n));
            buffer_append_text(&line, "\n");
            print_out(&line);
        }
    buffer_release(&line);
}

/* What the summary does not tell: fields of a newer node too. */
static void print_others(const json_t *plan)
{
    static const char *const told[] = {"script",       "version",     "outcome",    "rounds",
                                       "score_before", "score_after", "slots_moved"};
    const char *key;
    json_t *value, *others = json_object();
    json_object_foreach((json_t *)plan, key, value)
    {
        bool empty = json_is_null(value) || (json_is_integer(value) && json_integer_value(value) == 0) ||
                     (json_is_string(value) && json_string_length(value) == 0);
        for (size_t i = 0; i < sizeof told / sizeof *told; i++) empty |= strcmp(key, told[i]) == 0;
        if (!empty) json_object_set(others, key, value);
    }
    print_map(others);
    json_decref(others);
}

static void print_plan(const json_t *plan)
{
    const json_t *before = json_object_get(plan, "score_before"), *after = json_object_get(plan, "score_after");
    print_steps(plan);
    printf("plan of %s@%s: %s; steps %" PRId64 ", rounds %zu", call_text(plan, "script"), call_text(plan, "version"),
           call_text(plan, "outcome"), count_steps(plan), json_array_size(json_object_get(plan, "rounds")));
    if (call_integer(plan, "slots_moved")) printf(", slots moved %" PRId64, call_integer(plan, "slots_moved"));
    if (json_is_number(before) && json_is_number(after))
        printf("; score %.10g -> %.10g", json_number_value(before), json_number_value(after));
    putchar('\n');
    print_others(plan);
}

static int exit_code_of_plan(const json_t *plan)
{
    const char *outcome = call_text(plan, "outcome");
    return strcmp(outcome, "done") == 0 || strcmp(outcome, "waits") == 0 ? TOOL_DONE : TOOL_FAILED;
}

int tool_script_plan(struct tool_call *call)
{
    const char *argv[4 + 2 * VERB_WORDS_MAX] = {"CLUSTER", "SCRIPT", "PLAN", call->words[0]};
    int argc = 4, code = call_params(call, 1, argv, &argc);
    json_t *plan = NULL;
    if (!code) code = call->view ? offline_plan(call, argv + 3, argc - 3, &plan) : call_node(call, argv, argc, &plan);
    if (code) return code;
    code = exit_code_of_plan(plan);
    if (!call->json)
        print_plan(plan);
    else if (call_print_json(plan))
        code = TOOL_FAILED;
    json_decref(plan);
    return code;
}
