/* CLUSTER SCRIPT TRIGGER: what starts runs by itself, on nodes in one process. */
#include "nodes.h"

#include <stdio.h>

#include "base/clock.h"

/* Marks members that are down, once each. */
static const char
    *const mend = "return { name = 'mend', doc = 'd', params = { mark = { 'string', default = 'lost', doc = 'd' } },\n"
                  "  plan = function(view, p)\n"
                  "    local steps = {}\n"
                  "    for _, n in ipairs(view.nodes) do\n"
                  "      if not n.up and n.labels ~= p.mark then steps[#steps + 1] = { op = 'label', node = n.id, "
                  "labels = p.mark } end\n"
                  "    end\n"
                  "    return steps\n"
                  "  end }\n";

/* A leader and a member; no trigger but those the test sets. */
static struct test_nodes *begin(void)
{
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_knows_leader, "knows the leader");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER DELETE membership", "+OK\r\n");
    return t;
}

static void load(struct test_nodes *t, const char *name, const char *source)
{
    char words[64];
    snprintf(words, sizeof words, "CLUSTER SCRIPT LOAD %s", name);
    const char *reply = nodes_call_with(t, 0, words, source);
    if (strncmp(reply, "$16\r\n", 5) != 0) fail_msg("%s", reply);
}

static void expect_down(struct test_nodes *t, int asked, int down)
{
    char words[160];
    snprintf(words, sizeof words, "CLUSTER SCRIPT EVAL return(tostring(view.node['%s'].up)) 0", t->node[down].info.id);
    nodes_expect_soon(t, asked, words, "false");
}

static void pass(struct test_nodes *t, uint64_t ms)
{
    for (uint64_t began = clock_monotonic_ms(); clock_monotonic_ms() - began < ms;) uv_run(&t->loop, UV_RUN_ONCE);
}

static void test_a_dead_node_starts_the_triggers_script(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "mend", mend);
    nodes_expect(t, 1, "CLUSTER SCRIPT TRIGGER SET help mend ON node_down PARAMS mark gone", "+OK\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT TRIGGER LIST", "no member is down");
    nodes_stop(t, 1);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 done label");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\ndone\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "last_run\r\n:1\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "cool-down ends in");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET help mend ON node_down COOLDOWN 0", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 2", "\r\ndone\r\n");       /* the mark is another one now */
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "asked again in"); /* it holds still, with nothing to do */
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 3", "no run '3'");
    nodes_free(t);
}

static void test_paused_triggers_start_nothing_until_they_are_resumed(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "mend", mend);
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET help mend ON node_down", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT TRIGGER PAUSE", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT TRIGGER PAUSE", "+OK\r\n");
    nodes_stop(t, 1);
    expect_down(t, 0, 1);
    pass(t, 500);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "$-1\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "triggers are paused");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER RESUME", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 done label");
    nodes_free(t);
}

static void test_a_new_leader_keeps_the_cool_down(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 4);
    const char *status = nodes_call(t, 0, "CLUSTER SCRIPT RUN WAIT 30000 init shards 4 replicas 0 voters 3");
    if (!strstr(status, "\r\ndone\r\n")) fail_msg("%s", status);
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER DELETE membership", "+OK\r\n");
    load(t, "mend", mend);
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET help mend ON node_down COOLDOWN 3600", "+OK\r\n");
    nodes_stop(t, 3);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 done label");
    nodes_stop(t, 0);
    expect_down(t, 1, 0);
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT TRIGGER LIST", "cool-down ends in 35");
    pass(t, 2500);
    nodes_expect_part(t, 1, "CLUSTER SCRIPT STATUS 3", "no run '3'");
    nodes_expect(t, 1, "CLUSTER SCRIPT TRIGGER SET help mend ON node_down COOLDOWN 0", "+OK\r\n");
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT STATUS 3", "1.1 done label"); /* it would have */
    nodes_free(t);
}

#define PARAMS_OF_INIT                                                                                                 \
    "params = { shards = { 'integer', doc = 'd' }, replicas = { 'integer', doc = 'd' }, voters = { 'integer', doc = "  \
    "'d' } },\n"

static void expect_the_built_in_init_acts(struct test_nodes *t, const char *status)
{
    nodes_expect(t, 0,
                 "CLUSTER SCRIPT TRIGGER SET help init ON node_down COOLDOWN 3600 PARAMS shards 1 replicas 0 voters 1",
                 "+OK\r\n");
    nodes_stop(t, 1);
    nodes_expect_soon(t, 0, status, "done create_shard");
    nodes_expect_soon(t, 0, status, "\r\ndone\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", ":3: the view has no field 'nope'");
}

static void test_the_built_in_script_acts_when_the_loaded_one_errs(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "init",
         "return { name = 'init', doc = 'd', " PARAMS_OF_INIT "plan = function(view)\n return view.nope.nope end }");
    expect_the_built_in_init_acts(t, "CLUSTER SCRIPT STATUS 1");
    load(t, "init", "return { name = 'init', doc = 'd', " PARAMS_OF_INIT "plan = function() return {} end }");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "problem\r\n$0\r\n"); /* loaded anew */
    nodes_free(t);
}

static void test_the_built_in_script_acts_when_the_loaded_ones_run_fails(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "init",
         "return { name = 'init', doc = 'd', " PARAMS_OF_INIT "plan = function(view) if view.run.round > 0 then\n"
         "  return view.nope.nope end return { { op = 'label', node = view.nodes[1].id, labels = 'x' } } end }");
    expect_the_built_in_init_acts(t, "CLUSTER SCRIPT STATUS 2");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\nfailed\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "run 1 failed: init@");
    nodes_free(t);
}

static void test_a_script_that_never_ends_is_a_problem_and_no_run(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "mend", "return { name = 'mend', doc = 'd', params = {}, plan = function() while true do end end }");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET help mend EVERY 1", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "limit");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "$-1\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "failed; tried again in 4 s"); /* the pauses grow */
    load(t, "mend",
         "return { name = 'mend', doc = 'd', params = {}, plan = function(view)\n"
         "  return view.run.round == 0 and { { op = 'label', node = '1', labels = 'x' } } or {} end }");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\ndone\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 2", "\r\ndone\r\n"); /* it is a schedule */
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "problem\r\n$0\r\n");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER DELETE help", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "*0\r\n");
    nodes_free(t);
}

static void test_steps_that_only_wait_start_no_run(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "mend",
         "return { name = 'mend', doc = 'd', params = {},\n"
         "  plan = function() return { { op = 'wait', ms = 5, why = 'more' } } end }");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET help mend ON node_up COOLDOWN 0", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "asked again in");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "$-1\r\n");
    nodes_free(t);
}

static void test_a_candidate_is_admitted_by_a_trigger(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "greet",
         "local V, P = require 'aikv.view', require 'aikv.plan'\n"
         "return { name = 'greet', doc = 'd', params = {},\n"
         "  plan = function(view) return P.each(V.where(view.nodes, { state = 'candidate' }), 'admit') end }");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET hello greet ON candidate COOLDOWN 0", "+OK\r\n");
    nodes_start(t, 2, false);
    nodes_wait(t, 2, nodes_is_member, "is a member");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 done admit");
    nodes_free(t);
}

static void test_a_member_that_came_up_is_answered_once(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "greet",
         "return { name = 'greet', doc = 'd', params = {}, plan = function(view)\n"
         "  for _, n in ipairs(view.nodes) do if not n.up then return {} end end\n"
         "  return view.run.round == 0 and { { op = 'label', node = '1', labels = 'x' } } or {} end }");
    nodes_stop(t, 1);
    expect_down(t, 0, 1);
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET hello greet ON node_up COOLDOWN 0", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "no member has come up since it was asked");
    nodes_start(t, 1, false);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\ndone\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "no member has come up since it was asked");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 2", "no run '2'");
    nodes_free(t);
}

static void test_a_shard_with_too_many_slots_is_an_imbalance(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "even",
         "return { name = 'even', doc = 'd', params = {}, plan = function(view)\n"
         "  return view.run.round == 0 and { { op = 'label', node = '1', labels = 'x' } } or {} end }");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 0 99", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER ADDSLOTSRANGE 100 199", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET even even ON imbalance", "+OK\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "no shard is above the tolerance");
    nodes_expect(t, 1, "CLUSTER ADDSLOTSRANGE 200 299", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 done label");
    nodes_free(t);
}

/* Its trigger would have run after run without a pause. */
static void test_an_operator_whose_run_was_refused_goes_first(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "busy",
         "return { name = 'busy', doc = 'd', params = {}, plan = function(view) return view.run.round == 0\n"
         "  and { { op = 'label', node = '1', labels = 'x' }, { op = 'wait', ms = 300 } } or {} end }");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET help busy EVERY 1", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT RUN busy", "is running; there is one at a time");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "an operator whose run was refused goes first");
    const char *status = nodes_call(t, 0, "CLUSTER SCRIPT RUN WAIT 20000 busy");
    if (!strstr(status, "\r\ndone\r\n")) fail_msg("%s", status);
    nodes_free(t);
}

static void test_what_is_wrong_is_named_and_changes_nothing(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "mend", mend);
    static const char *const wrong[][2] = {
        {"SET", "TRIGGER SET takes <id> <script> ON <event>"},
        {"SET x mend ON", "TRIGGER SET takes <id> <script> ON <event>"},
        {"SET X mend ON node_down", "a trigger's id is 1 to 64 of a-z"},
        {"SET x mand ON node_down", "no script 'mand'; did you mean 'mend'?"},
        {"SET x mend ON node_dwn", "no event 'node_dwn'; did you mean 'node_down'?: there are node_down, node_up"},
        {"SET x mend ON schedule", "a schedule is given as EVERY <seconds>"},
        {"SET x mend WHEN node_down", "ON <event> or EVERY <seconds> is expected after the script, not 'WHEN'"},
        {"SET x mend EVERY 0", "EVERY takes 1 to 31622400 seconds, not '0'"},
        {"SET x mend EVERY 1h", "EVERY takes 1 to 31622400 seconds, not '1h'"},
        {"SET x mend EVERY 9 COOLDOWN -1", "COOLDOWN takes 0 to 31622400 seconds, not '-1'"},
        {"SET x mend EVERY 9 COOLDOWN", "COOLDOWN <seconds> or PARAMS <param> <value>... is expected, not 'COOLDOWN'"},
        {"SET x mend EVERY 9 PARAMS mark", "parameters are given as name and value"},
        {"SET x mend EVERY 9 PARAMS marc x", "no parameter 'marc'; the nearest is 'mark'"},
        {"DELETE x", "no trigger 'x'; CLUSTER SCRIPT TRIGGER LIST shows"},
        {"DELETE", "wrong number of arguments"},
        {"PAUSE now", "PAUSE and RESUME are for all triggers and take no id; DELETE <id> ends one"},
        {"DELET x", "unknown subcommand 'DELET' of TRIGGER. Did you mean DELETE?"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char words[160];
        snprintf(words, sizeof words, "CLUSTER SCRIPT TRIGGER %s", wrong[i][0]);
        nodes_expect_part(t, 1, words, wrong[i][1]);
    }
    nodes_expect(t, 1, "CLUSTER SCRIPT TRIGGER LIST", "*0\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT TRIGGER SET nightly mend EVERY 86400 COOLDOWN 5 PARAMS mark x", "+OK\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT TRIGGER DELETE nightlee", "no trigger 'nightlee'; did you mean 'nightly'?");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT TRIGGER LIST", "every_s\r\n:86400\r\n$10\r\ncooldown_s\r\n:5\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT TRIGGER LIST", "params\r\n*2\r\n$4\r\nmark\r\n$1\r\nx\r\n");
    nodes_free(t);
}

static void test_due_says_what_the_script_waits_for_or_why_it_had_no_steps(void **state)
{
    (void)state;
    struct test_nodes *t = begin();
    load(t, "idle", "return { name = 'idle', doc = 'd', params = {}, plan = function() return {}, 'all is even' end }");
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER SET idle idle EVERY 1", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", " s: all is even");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT DELETE idle", "trigger 'idle' asks script 'idle': CLUSTER SCRIPT TRIGGER DELETE");
    load(t, "idle",
         "return { name = 'idle', doc = 'd', params = {}, plan = function()\n"
         "return { { op = 'wait', ms = 5, why = 'for better days' } } end }");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT TRIGGER LIST", " s: for better days");
    nodes_expect(t, 1, "CLUSTER SCRIPT TRIGGER DELETE idle", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT DELETE idle", "+OK\r\n");
    nodes_free(t);
}

static void test_a_cluster_begins_with_a_trigger_for_membership(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST",
                      "$10\r\nmembership\r\n$6\r\nscript\r\n$10\r\nmembership\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT TRIGGER LIST", "node_down");
    nodes_free(t);
}

int trigger_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dead_node_starts_the_triggers_script),
        cmocka_unit_test(test_paused_triggers_start_nothing_until_they_are_resumed),
        cmocka_unit_test(test_a_new_leader_keeps_the_cool_down),
        cmocka_unit_test(test_the_built_in_script_acts_when_the_loaded_one_errs),
        cmocka_unit_test(test_the_built_in_script_acts_when_the_loaded_ones_run_fails),
        cmocka_unit_test(test_a_script_that_never_ends_is_a_problem_and_no_run),
        cmocka_unit_test(test_steps_that_only_wait_start_no_run),
        cmocka_unit_test(test_a_candidate_is_admitted_by_a_trigger),
        cmocka_unit_test(test_a_member_that_came_up_is_answered_once),
        cmocka_unit_test(test_a_shard_with_too_many_slots_is_an_imbalance),
        cmocka_unit_test(test_an_operator_whose_run_was_refused_goes_first),
        cmocka_unit_test(test_what_is_wrong_is_named_and_changes_nothing),
        cmocka_unit_test(test_due_says_what_the_script_waits_for_or_why_it_had_no_steps),
        cmocka_unit_test(test_a_cluster_begins_with_a_trigger_for_membership),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
