#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests.h"
#include "world.h"

#define POLICY(params, plan)                                                                                           \
    "return { name = 'p', doc = 'A policy.', params = {" params "}, plan = function(view, p) " plan " end }"

static void expect_refused(const char *text, const char *error)
{
    struct error e = {0};
    struct script_source source = test_source(text);
    assert_int_equal(script_check(&source, NULL, NULL, 0, &e), ERROR_SCRIPT);
    assert_string_equal(e.text, error);
}

static void test_a_policy_is_checked_and_gives_its_doc(void **state)
{
    (void)state;
    char doc[100];
    struct error e;
    struct script_source source = test_source(POLICY("", "return {}"));
    assert_int_equal(script_check(&source, NULL, doc, sizeof doc, &e), 0);
    assert_string_equal(doc, "A policy.");
}

static void test_what_is_not_a_policy_is_refused_with_its_line(void **state)
{
    (void)state;
#define AT "test@0011223344556677:"
    expect_refused("return {\n  plan = function( }", AT "2: <name> or '...' expected near '}'");
    expect_refused("\nreturn nil + 1", AT "2: attempt to perform arithmetic on a nil value");
    expect_refused("return 7", AT " a script must return a policy, a table with a function plan, not a number value");
    expect_refused("return { name = 'p', doc = 'd', params = {} }", AT " a policy needs a field 'plan', a function");
    expect_refused("return { name = 'p', doc = 7, params = {}, plan = pairs }",
                   AT " the policy's field 'doc' must be a string, not a number");
    expect_refused("return { name = 'p', doc = '', params = {}, plan = pairs, score = 1 }",
                   AT " the policy's field 'score' must be a function, not a number");
    expect_refused("return { name = 'p', doc = '', params = {}, plan = pairs, scor = 1 }",
                   AT " a policy has no field 'scor'; the nearest is 'score'");
    expect_refused("\033Lua", AT " attempt to load a binary chunk (mode is 't')");
}

static void test_declarations_of_params_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *declaration, *wrong;
    } cases[] = {
        {"n = 3", "must be a table such as { \"integer\", default = 3, doc = \"…\" }"},
        {"n = {'int', doc = ''}",
         "has no type: the first value must be one of integer, number, boolean, string, node, enum"},
        {"n = {'integer'}", "has no doc"},
        {"n = {'integer', doc = '', low = 1}", "has no 'low': there are default, min, max and doc"},
        {"n = {'string', doc = '', min = 1}", "has a min, which is for numbers"},
        {"n = {'integer', doc = '', min = '1'}", "min is not a number"},
        {"n = {'integer', doc = '', max = 5, default = 6}", "has the default 6, which is not a whole number up to 5"},
        {"n = {'enum', doc = ''}", "is an enum without values"},
        {"n = {'integer', 1, 3, doc = ''}", "has several values, which is for enum, not integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300], error[300];
        snprintf(text, sizeof text, POLICY("%s", ""), cases[i].declaration);
        snprintf(error, sizeof error, AT " parameter 'n' %s", cases[i].wrong);
        expect_refused(text, error);
    }
}

/* Runs a plan that returns its parameters as the text of an error. */
static const char *params_of(const char *text, const char *name, const char *value)
{
    static struct error e;
    struct test_world *w = test_world_new(1, 1);
    struct script_source source = test_source(text);
    struct cluster_param param = {.value = (char *)value};
    struct script_steps steps;
    snprintf(param.name, sizeof param.name, "%s", name);
    e.text[0] = 0;
    script_plan(&source, &param, *name ? 1 : 0, &w->world, NULL, &steps, NULL, &e);
    script_steps_release(&steps);
    test_world_free(w);
    const char *after = strstr(e.text, ": ");
    return after ? after + 2 : e.text;
}

static void test_params_are_typed_and_errors_say_what_is_expected(void **state)
{
    (void)state;
    static const char shown[] = POLICY(
        "shards = {'integer', default = 3, min = 1, max = 9, doc = 'd'}, ratio = {'number', default = 0.5, doc = 'd'},"
        "dry = {'boolean', default = false, doc = 'd'}, by = {'enum', 'slots', 7, default = 'slots', doc = 'd'},"
        "on = {'node', default = '1', doc = 'd'}",
        "local t = {} for k, v in pairs(p) do t[#t + 1] = k .. '=' .. tostring(v) end error(table.concat(t, ' '), 0)");
    assert_string_equal(params_of(shown, "", ""), "by=slots dry=false on=1 ratio=0.5 shards=3");
    assert_string_equal(params_of(shown, "shards", "9"), "by=slots dry=false on=1 ratio=0.5 shards=9");
    assert_string_equal(params_of(shown, "dry", "yes"), "by=slots dry=true on=1 ratio=0.5 shards=3");
    assert_string_equal(params_of(shown, "by", "7"), "by=7 dry=false on=1 ratio=0.5 shards=3");
    assert_non_null(strstr(params_of(shown, "on", "node2"), "on=0002000200000000"));
    assert_string_equal(params_of(shown, "shards", "10"),
                        "parameter 'shards' must be a whole number from 1 to 9, not '10'");
    assert_string_equal(params_of(shown, "shards", "3.0"),
                        "parameter 'shards' must be a whole number from 1 to 9, not '3.0'");
    assert_string_equal(params_of(shown, "dry", "perhaps"), "parameter 'dry' must be yes or no, not 'perhaps'");
    assert_string_equal(params_of(shown, "by", "bytes"), "parameter 'by' must be one of slots, 7, not 'bytes'");
    assert_string_equal(params_of(shown, "on", "9"), "parameter 'on' must be the alias, name or id of one node, not '9'");
    assert_string_equal(params_of(shown, "shard", "3"), "no parameter 'shard'; the nearest is 'shards'");
    assert_string_equal(params_of(shown, "colour", "3"), "no parameter 'colour'; there are by, dry, on, ratio, shards");
    assert_string_equal(params_of(POLICY("n = {'integer', doc = 'how many'}", "return {}"), "", ""),
                        "parameter 'n' is required: how many");
}

static void test_a_plan_gives_steps_and_a_score(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 1);
    struct script_source source = test_source(
        "return { name = 'p', doc = '', params = {}, plan = function(view) return"
        " {{ op = 'admit', node = view.nodes[2].id, why = 'new' }, { op = 'wait', ms = 5 }} end,"
        " score = function(view) return #view.nodes / 4 end }");
    struct script_steps steps;
    struct error e;
    double score;
    assert_int_equal(script_plan(&source, NULL, 0, &w->world, NULL, &steps, &score, &e), 0);
    assert_int_equal(steps.count, 2);
    assert_int_equal(steps.list[0].op, CLUSTER_OP_admit);
    assert_string_equal(steps.list[0].node, test_world_id(2));
    assert_string_equal(steps.list[0].why, "new");
    assert_int_equal(steps.list[1].ms, 5);
    assert_true(score == 0.5);
    script_steps_release(&steps);
    source = test_source(POLICY("", "return {}"));
    assert_int_equal(script_plan(&source, NULL, 0, &w->world, NULL, &steps, &score, &e), 0);
    assert_int_equal(steps.count, 0);
    assert_true(isnan(score));
    script_steps_release(&steps);
    test_world_free(w);
}

static void test_an_error_in_a_module_names_the_line_of_the_script(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 1);
    struct script_source source = test_source(
        "local V = require 'aikv.view'\nreturn { name = 'p', doc = '', params = {},\nplan = function(view)\n"
        "V.sum({ {} }, 'keys') return {} end }");
    struct script_steps steps;
    struct error e;
    assert_int_equal(script_plan(&source, NULL, 0, &w->world, NULL, &steps, NULL, &e), ERROR_SCRIPT);
    if (strncmp(e.text, AT "4: aikv.view:", strlen(AT) + 13) != 0 ||
        !strstr(e.text, "attempt to perform arithmetic on a nil value"))
        fail_msg("%s", e.text);
    test_world_free(w);
}

static void test_long_names_keep_their_version_and_errors_without_version_have_none(void **state)
{
    (void)state;
    struct error e;
    struct script_source source = test_source("x(");
    source.name = "a234567890b234567890c234567890d234567890e234567890f234567890g234";
    assert_int_equal(script_check(&source, NULL, NULL, 0, &e), ERROR_SCRIPT);
    assert_non_null(strstr(e.text, "@0011223344556677:1: unexpected symbol near <eof>"));
    source.name = "init";
    source.version = "";
    assert_int_equal(script_check(&source, NULL, NULL, 0, &e), ERROR_SCRIPT);
    assert_string_equal(e.text, "init:1: unexpected symbol near <eof>");
}

static void test_every_builtin_policy_passes_its_check(void **state)
{
    (void)state;
    const struct script_builtin *b;
    size_t count = 0;
    for (; (b = script_builtin_at(count)); count++) {
        struct error e = {0};
        struct script_source source = {.name = b->name, .version = "", .text = bytes_of(b->text, b->len)};
        if (script_check(&source, NULL, NULL, 0, &e)) fail_msg("%s", e.text);
        assert_true(strlen(b->doc) > 20);
        assert_ptr_equal(script_builtin_find(b->name), b);
    }
    assert_true(count >= 1);
    assert_non_null(script_builtin_find("init"));
    assert_null(script_builtin_find("no-such"));
}

static void expect_init_steps(const struct test_world *w, const char *shards, uint32_t count, enum cluster_op op)
{
    const struct script_builtin *init = script_builtin_find("init");
    struct script_source source = {.name = "init", .version = "", .text = bytes_of(init->text, init->len)};
    struct cluster_param params[] = {{.name = "shards", .value = (char *)shards}};
    struct script_steps steps;
    struct error e;
    if (script_plan(&source, params, 1, &w->world, NULL, &steps, NULL, &e)) fail_msg("%s", e.text);
    assert_int_equal(steps.count, count);
    assert_int_equal(steps.list[0].op, op);
    script_steps_release(&steps);
}

static void add(struct test_world *w, enum cluster_command_type type, uint32_t alias, uint32_t shard)
{
    struct cluster_command c = {.type = type, .shard = shard, .role = CLUSTER_ROLE_LEARNER};
    memcpy(c.node, test_world_id(alias), sizeof c.node);
    test_world_apply(w, &c);
}

static void test_init_plans_for_a_thousand_nodes_within_its_limits(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 999);
    expect_init_steps(w, "500", 999, CLUSTER_OP_admit);
    test_world_free(w);
    w = test_world_new(600, 0);
    expect_init_steps(w, "300", 4, CLUSTER_OP_add_learner);
    for (uint32_t alias = 2; alias <= 3; alias++) add(w, CLUSTER_SET_ROLE, alias, 0);
    expect_init_steps(w, "300", 2, CLUSTER_OP_promote);
    for (uint32_t alias = 2; alias <= 3; alias++) {
        struct cluster_command c = {.type = CLUSTER_SET_ROLE, .role = CLUSTER_ROLE_VOTER};
        memcpy(c.node, test_world_id(alias), sizeof c.node);
        test_world_apply(w, &c);
    }
    expect_init_steps(w, "300", 300, CLUSTER_OP_create_shard);
    for (uint32_t alias = 1; alias <= 300; alias++) add(w, CLUSTER_CREATE_SHARD, alias, 0);
    expect_init_steps(w, "300", 300, CLUSTER_OP_assign_slots);
    struct cluster_command slots = {.type = CLUSTER_ASSIGN_SLOTS, .shard = 1};
    struct error e;
    assert_int_equal(cluster_ranges_add(&slots.slots, 0, 16383, &e), 0);
    test_world_apply(w, &slots);
    expect_init_steps(w, "300", 300, CLUSTER_OP_replicate);
    test_world_free(w);
}

int test_script_policy(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_policy_is_checked_and_gives_its_doc),
        cmocka_unit_test(test_what_is_not_a_policy_is_refused_with_its_line),
        cmocka_unit_test(test_declarations_of_params_are_checked),
        cmocka_unit_test(test_params_are_typed_and_errors_say_what_is_expected),
        cmocka_unit_test(test_a_plan_gives_steps_and_a_score),
        cmocka_unit_test(test_an_error_in_a_module_names_the_line_of_the_script),
        cmocka_unit_test(test_long_names_keep_their_version_and_errors_without_version_have_none),
        cmocka_unit_test(test_every_builtin_policy_passes_its_check),
        cmocka_unit_test(test_init_plans_for_a_thousand_nodes_within_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
