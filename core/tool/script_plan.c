/* aikv script plan: a dry run, by a node or offline, and how it looks. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tool/file.h"
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
    static const char *const told[] = {"script",       "version",     "outcome",     "rounds",
                                       "score_before", "score_after", "slots_moved", "shards"};
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

/* "5461 -> 4096", or the one number that stays. */
static void change_cell(struct table *t, const json_t *shard, const char *field)
{
    double before = json_number_value(json_object_get(json_object_get(shard, "before"), field)),
           after = json_number_value(json_object_get(json_object_get(shard, "after"), field));
    if (fabs(before - after) < 0.0005)
        table_cell(t, "%.10g", before);
    else
        table_cell(t, "%.10g -> %.10g", before, after);
}

/* What becomes of the shards whose slots change. */
static void print_shards(const json_t *plan)
{
    static const char *const columns[] = {"shard", "slots", "keys", "bytes", "ops"};
    const json_t *shards = json_object_get(plan, "shards");
    struct table t;
    if (json_array_size(shards) == 0) return;
    table_begin(&t, 5, columns);
    for (size_t i = 0; i < json_array_size(shards); i++) {
        const json_t *shard = json_array_get(shards, i);
        table_value(&t, "shard", json_object_get(shard, "shard"));
        for (int field = 1; field < 5; field++) change_cell(&t, shard, columns[field]);
    }
    table_end(&t);
}

static void print_plan(const json_t *plan)
{
    const json_t *before = json_object_get(plan, "score_before"), *after = json_object_get(plan, "score_after");
    print_steps(plan);
    print_shards(plan);
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

/* By a node: of a policy that it has. */
static int ask_for_plan(const struct tool_call *call, const char *const *words, int count, json_t **plan)
{
    const char *argv[4 + 2 * VERB_WORDS_MAX] = {"CLUSTER", "SCRIPT", "PLAN"};
    int argc = 3;
    if (call->json) argv[argc++] = "DATA";
    for (int i = 0; i < count; i++) argv[argc++] = words[i];
    return call_node(call, argv, argc, plan);
}

int tool_script_plan(struct tool_call *call)
{
    const char *words[1 + 2 * VERB_WORDS_MAX] = {call->words[0]};
    int count = 1, code = call_params(call, 1, words, &count);
    json_t *plan = NULL;
    if (code) return code;
    code = call->view || file_is_named(words[0]) ? offline_plan(call, words, count, &plan)
                                                 : ask_for_plan(call, words, count, &plan);
    if (code) return code;
    code = exit_code_of_plan(plan);
    if (!call->json)
        print_plan(plan);
    else if (call_print_json(plan))
        code = TOOL_FAILED;
    json_decref(plan);
    return code;
}
