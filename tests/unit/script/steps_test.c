#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests.h"
#include "world.h"

/* A world with shard s1 on node 1, members 1 and 2, candidate 3. */
static struct test_world *world(void)
{
    struct test_world *w = test_world_new(2, 1);
    struct cluster_command c = {.type = CLUSTER_CREATE_SHARD};
    memcpy(c.node, test_world_id(1), sizeof c.node);
    assert_int_equal(test_world_apply(w, &c), 1);
    return w;
}

static int read_steps(const char *list, struct script_steps *out, struct error *e)
{
    char text[1000];
    struct test_world *w = world();
    snprintf(text, sizeof text, "return %s", list);
    struct script_source source = test_source(text);
    int code = script_eval(&source, NULL, 0, &w->world, NULL, 2, NULL, out, e);
    test_world_free(w);
    return code;
}

static void expect_step(const char *list, const char *expected)
{
    struct script_steps steps;
    struct error e;
    char text[300];
    if (read_steps(list, &steps, &e)) fail_msg("%s: %s", list, e.text);
    assert_int_equal(steps.count, 1);
    cluster_step_text(&steps.list[0], text, sizeof text);
    if (!strstr(text, expected)) fail_msg("%s: %s, not %s", list, text, expected);
    script_steps_release(&steps);
}

static void test_each_op_is_read(void **state)
{
    (void)state;
    expect_step("{{ op = 'admit', node = '3' }}", "00030003");
    expect_step("{{ op = 'add_learner', node = '2' }}", "00020002");
    expect_step("{{ op = 'promote', node = 'node2' }}", "00020002");
    expect_step("{{ op = 'create_shard', node = view.nodes[2].id }}", "00020002");
    expect_step("{{ op = 'assign_slots', shard = 's1', slots = { { 0, 5 }, { 7, 7 } } }}", "s1 0-5,7");
    expect_step("{{ op = 'assign_slots', shard = 's1', slots = view.unassigned }}", "0-16383");
    expect_step("{{ op = 'assign_slots', shard = 's1', slots = { { 0.0, 5.0 } } }}", "0-5");
    expect_step("{{ op = 'replicate', node = '2', shard = view.shards[1].id }}", "s1");
    expect_step("{{ op = 'wait', ms = 60000, why = 'two more nodes' }}", "wait 60000 ms");
}

static void test_what_is_not_a_step_is_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *list, *error;
    } cases[] = {
        {"7", "a list of steps expected, not a number"},
        {"nil", "a list of steps expected, not a nil"},
        {"{ op = 'wait', ms = 1 }", "a list of steps expected: this table has holes, or keys that are not positions"},
        {"{ [1] = { op = 'wait', ms = 1 }, [3] = { op = 'wait', ms = 1 } }",
         "a list of steps expected: this table has holes"},
        {"{ 7 }", "step 1: a step is a table such as {op = \"wait\", ms = 1000}, not a number"},
        {"{ { node = '1' } }", "step 1: field 'op' is missing"},
        {"{ { op = 7 } }", "step 1: op must be a string, not a number"},
        {"{ { op = 'wait', ms = 1 }, { op = 'promot', node = '1' } }",
         "step 2: no op 'promot'; the nearest is 'promote'"},
        {"{ { op = 'explode' } }", "step 1: no op 'explode'"},
        {"{ { op = 'wait', ms = 1, wy = 'x' } }", "step 1 (wait): no field 'wy'; the nearest is 'why'"},
        {"{ { op = 'wait', ms = 1, node = '1' } }", "step 1 (wait): no field 'node'"},
        {"{ { op = 'wait', ms = 1, 2 } }", "step 1 (wait): fields are named, and one here is a number"},
        {"{ { op = 'replicate', shard = 's1' } }", "step 1 (replicate): field 'node' is missing"},
        {"{ { op = 'admit', node = 3 } }", "step 1 (admit): node must be an id, alias or name, not a number"},
        {"{ { op = 'admit', node = '77' } }", "step 1 (admit): there is no node '77'"},
        {"{ { op = 'replicate', node = '2', shard = 's2' } }",
         "step 1 (replicate): there is no shard 's2' (one made in this round"},
        {"{ { op = 'replicate', node = '2', shard = 1 } }",
         "shard must be the id of a shard, such as \"s1\", not a number"},
        {"{ { op = 'assign_slots', shard = 's1', slots = {} } }", "slots is empty"},
        {"{ { op = 'assign_slots', shard = 's1', slots = '0-5' } }", "slots must be a list of {from, to}"},
        {"{ { op = 'assign_slots', shard = 's1', slots = { 1, 2 } } }",
         "slots must be a list of {from, to}: entry 1 is not"},
        {"{ { op = 'assign_slots', shard = 's1', slots = { { 0 } } } }",
         "slots must be a list of {from, to}: entry 1 is not"},
        {"{ { op = 'assign_slots', shard = 's1', slots = { { 0, 16384 } } } }", "slots are 0 to 16383, not 16384"},
        {"{ { op = 'assign_slots', shard = 's1', slots = { { 0, '5' } } } }", "whole numbers"},
        {"{ { op = 'assign_slots', shard = 's1', slots = { { 9, 10 }, { 3, 4 } } } }", "slots: "},
        {"{ { op = 'wait', ms = 60001 } }", "ms must be 0 to 60000, not 60001"},
        {"{ { op = 'wait', ms = 1.5 } }", "ms must be a whole number"},
        {"{ { op = 'wait', ms = '100' } }", "ms must be a whole number, not a string"},
        {"{ { op = 'wait', ms = 1, why = ('x'):rep(161) } }", "why has 161 bytes, at most 160"},
        {"{ { op = 'wait', ms = 1, why = 'a\\nb' } }", "why must be one line of text"},
        {"(function() local t = {} for i = 1, 1001 do t[i] = { op = 'wait', ms = 1 } end return t end)()",
         "1001 steps: a round has at most 1000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct script_steps steps;
        struct error e = {0};
        if (read_steps(cases[i].list, &steps, &e) != ERROR_SCRIPT) fail_msg("%s was accepted", cases[i].list);
        if (!strstr(e.text, cases[i].error)) fail_msg("%s: '%s', not '%s'", cases[i].list, e.text, cases[i].error);
        if (strncmp(e.text, "test@0011223344556677: ", 23) != 0)
            fail_msg("%s: no script in '%s'", cases[i].list, e.text);
        assert_null(steps.list);
    }
}

int test_script_steps(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_op_is_read),
        cmocka_unit_test(test_what_is_not_a_step_is_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
