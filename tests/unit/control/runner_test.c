/* Carrying runs out: steps at once, steps that are stale, every op that has an effect, scores. */
#include "nodes.h"

#include <stdio.h>

/* Waits for the end of the run that node `i` replied the number of; its status is the node's reply then. */
static void wait_for_end(struct test_nodes *t, int i, const char *what)
{
    char words[64];
    const char *run = t->node[i].reply;
    if (run[0] != ':') fail_msg("%s: %s", what, run);
    snprintf(words, sizeof words, "CLUSTER SCRIPT STATUS %.*s", (int)strcspn(run + 1, "\r"), run + 1);
    nodes_expect_soon(t, i, words, "$8\r\nended_ms\r\n:1"); /* 0 while it runs */
}

static void run_steps(struct test_nodes *t, int i, const char *steps)
{
    char source[1024];
    snprintf(source, sizeof source, "return { %s }", steps);
    nodes_call_with(t, i, "CLUSTER SCRIPT EVAL RUN", source);
    wait_for_end(t, i, steps);
}

static void expect_status(struct test_nodes *t, int i, const char *part)
{
    if (!strstr(t->node[i].reply, part)) fail_msg("no '%s' in: %s", part, t->node[i].reply);
}

static void expect_done(struct test_nodes *t, int i, const char *steps)
{
    run_steps(t, i, steps);
    expect_status(t, i, "\r\ndone\r\n");
}

static void test_every_step_shows_its_effect(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 3);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 30000 init shards 1 replicas 2", "\r\ndone\r\n");
    expect_done(t, 0, "{ op = 'demote', node = '3' }");
    nodes_expect_part(t, 0, "CLUSTER METARAFT MEMBERS", "learner");
    expect_done(t, 0, "{ op = 'remove_learner', node = '3' }, { op = 'leave', node = '3', on = true }");
    nodes_expect_part(t, 0, "CLUSTER METARAFT MEMBERS", "*2\r\n");
    assert_string_equal(nodes_call_with(t, 0, "CLUSTER SCRIPT EVAL", "return view.nodes[1].state and 1"), ":1\r\n");
    expect_done(t, 0, "{ op = 'detach', node = '3' }, { op = 'create_shard', node = '3' }");
    while (nodes_shards(t, 0) != 2) uv_run(&t->loop, UV_RUN_ONCE);
    run_steps(t, 0, "{ op = 'move_slots', from = 's1', to = 's2', slots = { { 5, 9 } } }");
    expect_status(t, 0, "move_slots s1 to s2 5-9 (5 slots): slots cannot move in this version: their keys would stay behind in s1");
    expect_done(t, 0, "{ op = 'drop_shard', shard = 's2' }, { op = 'remove_node', node = '3' }");
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT VIEW", "\"nodes\"");
    assert_string_equal(nodes_call_with(t, 0, "CLUSTER SCRIPT EVAL", "local n = 0 for _, x in ipairs(view.nodes) do "
                                                                     "if x.state ~= 'candidate' then n = n + 1 end end return n"),
                        ":2\r\n");
    run_steps(t, 0, "{ op = 'drop_shard', shard = 's1' }");
    expect_status(t, 0, "drop_shard s1: shard s1 owns 16384 slots");
    nodes_free(t);
}

static int leader_of(struct test_nodes *t, int asked)
{
    nodes_wait(t, asked, nodes_knows_leader, "knows a leader");
    for (int i = 0; i < NODES_MAX; i++)
        if (strcmp(t->node[i].info.id, t->node[asked].routing->leader) == 0) return i;
    return -1;
}

/* The leader hands over, and the next one records it and goes on; also when it is the one that loses its vote. One in 14
 * times it failed while a deposed leader could push with the term of the next one. */
static void test_a_run_goes_on_where_the_leader_it_made_leads(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 4);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 30000 init shards 1 replicas 3", "\r\ndone\r\n");
    expect_done(t, 3,
                "{ op = 'transfer_leader', node = '1' }, { op = 'transfer_leader', node = '2' }, { op = 'label', node = "
                "'1', labels = 'x' }");
    while (leader_of(t, 3) != 1) uv_run(&t->loop, UV_RUN_ONCE);
    run_steps(t, 3, "{ op = 'transfer_leader', node = '4' }");
    expect_status(t, 3, "does not vote: it cannot lead");
    expect_done(t, 3, "{ op = 'demote', node = '2' }");
    while (leader_of(t, 3) == 1) uv_run(&t->loop, UV_RUN_ONCE);
    nodes_expect_part(t, 3, "CLUSTER METARAFT MEMBERS", "learner");
    nodes_free(t);
}

static const char *const slow_script =
    "return { name = 'slow', doc = 'd', params = {}, plan = function(view)\n"
    "  if #view.unassigned == 0 then return {} end\n"
    "  local steps = { { op = 'assign_slots', shard = 's1', slots = view.unassigned } }\n"
    "  if view.run.round == 0 then table.insert(steps, 1, { op = 'wait', ms = 1500, why = 'slow' }) end\n"
    "  return steps end,\n"
    "  score = function(view) return #view.unassigned * 0.5 end }";

/* An operator assigns slots while the run waits. The step that is stale then is no failure: the next round has it anew,
 * with what is left. */
static void test_a_step_whose_shard_has_changed_is_planned_anew(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    expect_done(t, 0, "{ op = 'create_shard', node = '1' }");
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD slow", slow_script);
    nodes_expect(t, 0, "CLUSTER SCRIPT RUN slow", ":2\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 started wait");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "wait 1500 ms: slow\r\n");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 0 9", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "\r\ndone\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "1.2 stale assign_slots s1 0-16383 (16384 slots): shard s1 has "
                                                     "changed since this was planned: its epoch is 2, not 1");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "2.1 done assign_slots s1 10-16383");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "$12\r\nscore_before\r\n$3\r\n0.5\r\n$11\r\nscore_after\r\n$1\r\n0\r\n");
    nodes_free(t);
}

static void test_nobody_plans_stale_steps_of_an_eval_anew(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    expect_done(t, 0, "{ op = 'create_shard', node = '1' }");
    nodes_call_with(t, 0, "CLUSTER SCRIPT EVAL RUN",
                    "return { { op = 'wait', ms = 1500 }, { op = 'assign_slots', shard = 's1', slots = { { 5, 5 } } } }");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 0 1", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "\r\nfailed\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "stale: assign_slots s1 5 (1 slot): shard s1 has changed");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "score_before\r\n$-1\r\n$11\r\nscore_after\r\n$-1\r\n");
    nodes_free(t);
}

static void test_what_a_round_itself_changes_makes_none_of_its_steps_stale(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    expect_done(t, 0, "{ op = 'create_shard', node = '1' }");
    expect_done(t, 0,
                "{ op = 'assign_slots', shard = 's1', slots = { { 6, 9 } } },\n"
                "{ op = 'assign_slots', shard = 's1', slots = { { 6, 9 } } }, -- is there already\n"
                "{ op = 'replicate', node = '2', shard = 's1' }, { op = 'detach', node = '2' },\n"
                "{ op = 'create_shard', node = '2' }, { op = 'assign_slots', shard = 's1', slots = { { 20, 29 } } }");
    while (nodes_slots(t, 1) != 14) uv_run(&t->loop, UV_RUN_ONCE);
    nodes_free(t);
}

static const char *const two_rounds =
    "return { name = 'two', doc = 'd', params = {}, plan = function(view)\n"
    "  if view.run.round == 0 then return { { op = 'wait', ms = 800 }, { op = 'wait', ms = 801 } } end\n"
    "  if view.run.round == 1 then return { { op = 'label', node = '1', labels = 'x' } } end\n"
    "  return {} end }";

/* What is under way ends and is recorded; no step begins then, and after the last of a round nothing is planned. */
static void test_a_paused_run_goes_on_when_it_is_resumed(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD two", two_rounds);
    nodes_expect(t, 0, "CLUSTER SCRIPT RUN two", ":1\r\n");
    for (int i = 1; i <= 2; i++) {
        char started[20], done[20];
        snprintf(started, sizeof started, "1.%d started", i);
        snprintf(done, sizeof done, "1.%d done", i);
        nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", started);
        nodes_expect(t, 0, "CLUSTER SCRIPT PAUSE 1", "+OK\r\n");
        nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", done);
        nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "RESUME: it is paused");
        nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", i == 1 ? "1.2 pending" : "$5\r\nround\r\n:1\r\n");
        nodes_expect(t, 0, "CLUSTER SCRIPT RESUME 1", "+OK\r\n");
    }
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "2.1 done label");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "\r\ndone\r\n");
    nodes_free(t);
}

/* Its only voter is restarted: it is paused still, and what was under way is carried out again. */
static void test_a_run_stays_paused_under_another_leader(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD two", two_rounds);
    nodes_expect(t, 0, "CLUSTER SCRIPT RUN two", ":1\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 started");
    nodes_expect(t, 0, "CLUSTER SCRIPT PAUSE 1", "+OK\r\n");
    nodes_stop(t, 0);
    nodes_start(t, 0, true);
    nodes_wait(t, 0, nodes_knows_leader, "leads again");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "RESUME: it is paused");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "1.1 done wait");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "1.2 pending wait");
    nodes_expect(t, 0, "CLUSTER SCRIPT RESUME 1", "+OK\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "\r\ndone\r\n");
    nodes_free(t);
}

static void test_a_cancelled_run_is_forgotten_and_the_next_one_begins(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT EVAL RUN", "return { { op = 'wait', ms = 60000, why = 'nothing' } }");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "1.1 started wait");
    nodes_expect(t, 0, "CLUSTER SCRIPT CANCEL 1", "+OK\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\ncancelled\r\n");
    expect_done(t, 0, "{ op = 'label', node = '1', labels = 'x' }, { op = 'wait', ms = 500 }");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 1", "1.1 started wait"); /* nothing more was recorded of it */
    nodes_free(t);
}

int runner_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_step_shows_its_effect),
        cmocka_unit_test(test_a_run_goes_on_where_the_leader_it_made_leads),
        cmocka_unit_test(test_a_step_whose_shard_has_changed_is_planned_anew),
        cmocka_unit_test(test_nobody_plans_stale_steps_of_an_eval_anew),
        cmocka_unit_test(test_what_a_round_itself_changes_makes_none_of_its_steps_stale),
        cmocka_unit_test(test_a_paused_run_goes_on_when_it_is_resumed),
        cmocka_unit_test(test_a_run_stays_paused_under_another_leader),
        cmocka_unit_test(test_a_cancelled_run_is_forgotten_and_the_next_one_begins),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
