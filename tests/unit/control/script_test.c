/* CLUSTER SCRIPT: loading, running, looking. */
#include "nodes.h"

#include <stdio.h>

#include "control/policy_thread.h"

static void expect_whole_cluster(struct test_nodes *t, int i)
{
    while (nodes_replicas(t, i) < 3) uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(nodes_voters(t, i), 3);
    assert_int_equal(nodes_shards(t, i), 3);
    assert_int_equal(nodes_slots(t, i), CLUSTER_SLOTS);
    assert_int_equal(nodes_replicas(t, i), 3);
}

static void test_init_makes_a_cluster_of_six_candidates(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 6);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "$-1\r\n");
    const char *status = nodes_call(t, 0, "CLUSTER SCRIPT RUN WAIT 30000 init");
    if (!strstr(status, "\r\ndone\r\n")) fail_msg("%s", status);
    for (int i = 0; i < 6; i++) expect_whole_cluster(t, i);
    nodes_expect_part(t, 4, "CLUSTER SCRIPT STATUS 1", "1.1 done admit");
    nodes_expect_part(t, 4, "CLUSTER SCRIPT STATUS 1", "[2 node2]");
    nodes_expect(t, 5, "CLUSTER SCRIPT RUN init", ":2\r\n"); /* nothing left to do */
    nodes_expect_soon(t, 5, "CLUSTER SCRIPT STATUS 2", "\r\ndone\r\n");
    nodes_free(t);
}

static const char *const my_script =
    "-- Waits a little.\n"
    "return { name = 'my', doc = 'd', params = { ms = { 'integer', default = 1, doc = 'how long' } },\n"
    "  plan = function(view, p)\n"
    "    if view.run.round == 0 then return { { op = 'wait', ms = p.ms, why = 'testing' } } end\n"
    "    return {}\n"
    "  end }\n";

static void test_a_script_is_loaded_listed_and_run_on_any_node(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_knows_leader, "knows the leader");
    const char *version = nodes_call_with(t, 1, "CLUSTER SCRIPT LOAD my", my_script);
    if (strncmp(version, "$16\r\n", 5) != 0) fail_msg("%s", version);
    nodes_expect_part(t, 1, "CLUSTER SCRIPT LIST", "Waits a little.");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT GET my", "why = 'testing'");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT GET my 0000000000000000", "has no version");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN WAIT 20000 my ms 5", "1.1 done wait");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN mi", "did you mean 'my'?");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN my", ":2\r\n");
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT STATUS 2", "\r\ndone\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN my mss 5", "mss");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN my ms", "name and value");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN my ms five", "ms");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT STATUS 99", "no run '99'");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT LOAD Bad x", "a script's name is");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT LOAD bad x", "-ERR bad@");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT HELP", "LOAD <name> <source>");
    nodes_free(t);
}

static void test_a_run_that_is_running_keeps_others_out(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD my", my_script);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 10 my ms 60000", "\r\nrunning\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", "testing");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN my", "-ERR run 1 of my is running");
    nodes_free(t);
}

static void test_a_loaded_script_shadows_the_built_in_one(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD init", my_script);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT GET init", "why = 'testing'");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 20000 init", "1.1 done wait");
    nodes_free(t);
}

static void test_eval_answers_and_runs_steps(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    assert_string_equal(nodes_call_with(t, 0, "CLUSTER SCRIPT EVAL", "return #view.nodes"), ":2\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT EVAL return(ARGV[1]) 1 five", "$4\r\nfive\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT EVAL return(ARGV[1]) 2 five", "2 arguments were announced and 1 follow");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT EVAL return(ARGV[1]) x", "is not a number");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT EVAL error('x') 0", "-ERR eval@");
    nodes_expect(t, 1, "CLUSTER SCRIPT EVAL RUN return{{op='create_shard',node=ARGV[1]}} 1 2", ":1\r\n");
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT STATUS 1", "1.1 done create_shard");
    assert_int_equal(nodes_shards(t, 0), 1);
    nodes_expect(t, 1, "CLUSTER SCRIPT EVAL RUN return{} 0", ":2\r\n");
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT STATUS 2", "\r\ndone\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT EVAL RUN return{{op='fly'}} 0", "fly");
    nodes_free(t);
}

/* Who is no learner gets no vote: the step is refused each time, and the run gives up. */
static void test_a_run_whose_steps_keep_failing_ends(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD eager",
                    "return { name = 'eager', doc = 'd', params = {}, plan = function(view)\n"
                    "  return { { op = 'promote', node = '2' }, { op = 'wait', ms = 1 } } end }");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 20000 eager", "5 rounds failed one after the other");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "5.2 dropped wait");
    nodes_free(t);
}

static void test_a_run_that_goes_in_circles_ends(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD circle",
                    "return { name = 'circle', doc = 'd', params = {}, plan = function(view)\n"
                    "  return { { op = 'create_shard', node = view.nodes[1].id } } end }");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 20000 circle", "goes in circles: create_shard");
    nodes_free(t);
}

static void test_a_failing_policy_ends_its_run_with_the_line(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(
        t, 0, "CLUSTER SCRIPT LOAD bad",
        "return { name = 'bad', doc = 'd', params = {},\n plan = function(view)\n return view.nope.nope end }");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 20000 bad", ":3:");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS", "\r\nfailed\r\n");
    nodes_free(t);
}

static const char *const other_script =
    "-- Waits longer.\n"
    "return { name = 'my', doc = 'd', params = {}, plan = function() return { { op = 'wait', ms = 60000 } } end }\n";

/* The 16 digits of LOAD's reply. */
static void version_of(const char *reply, char out[17])
{
    if (strncmp(reply, "$16\r\n", 5) != 0) fail_msg("%s", reply);
    snprintf(out, 17, "%s", reply + 5);
}

static void expect_words(struct test_nodes *t, int i, const char *command, const char *word, const char *part)
{
    char words[200];
    snprintf(words, sizeof words, "%s %s", command, word);
    nodes_expect_part(t, i, words, part);
}

static void test_versions_are_listed_rolled_back_to_and_deleted(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    char first[17], second[17];
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_knows_leader, "knows the leader");
    version_of(nodes_call_with(t, 1, "CLUSTER SCRIPT LOAD init", my_script), first);
    version_of(nodes_call_with(t, 1, "CLUSTER SCRIPT LOAD init", other_script), second);
    nodes_expect_part(t, 1, "CLUSTER SCRIPT LIST init", "*3\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT LIST", "versions\r\n:3\r\n");
    expect_words(t, 1, "CLUSTER SCRIPT ROLLBACK init", first, "+OK");
    expect_words(t, 1, "CLUSTER SCRIPT ROLLBACK init", first, "+OK"); /* again: it is */
    first[8] = second[5] = 0;
    expect_words(t, 1, "CLUSTER SCRIPT ROLLBACK init", second, "has no version"); /* too short */
    expect_words(t, 1, "CLUSTER SCRIPT ROLLBACK init", first, "+OK");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT GET init", "Waits a little.");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT ROLLBACK init 0000000000000000", second); /* its first digits */
    nodes_expect_part(t, 1, "CLUSTER SCRIPT ROLLBACK init 0000000000000000", "has no version '0000000000000000'; there are");
    expect_words(t, 1, "CLUSTER SCRIPT ROLLBACK init", "00000000000000001", "has no version");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT ROLLBACK inti 0000000000000000", "did you mean 'init'?");
    nodes_expect(t, 1, "CLUSTER SCRIPT DELETE init", "+OK\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT LIST init", "*1\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT GET init", "Makes a cluster of the nodes");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT DELETE init", "is built in, and none was loaded instead");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT DELETE nit", "did you mean 'init'?");
    nodes_free(t);
}

static void test_the_built_in_version_comes_back_with_delete_only(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    char builtin[17];
    nodes_start_cluster(t, 1);
    const char *list = strstr(nodes_call(t, 0, "CLUSTER SCRIPT LIST init"), "$16\r\n");
    assert_non_null(list);
    version_of(list, builtin);
    expect_words(t, 0, "CLUSTER SCRIPT ROLLBACK init", builtin, "+OK"); /* it is */
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD init", my_script);
    expect_words(t, 0, "CLUSTER SCRIPT ROLLBACK init", builtin, "CLUSTER SCRIPT DELETE init brings it back");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT GET init", "Waits a little.");
    nodes_free(t);
}

static void test_a_run_is_paused_resumed_and_cancelled(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_knows_leader, "knows the leader");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT CANCEL 1", "-ERR no run '1': none has been started");
    nodes_expect(t, 1, "CLUSTER SCRIPT HISTORY", "*0\r\n");
    nodes_call_with(t, 1, "CLUSTER SCRIPT LOAD my", my_script);
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN WAIT 20000 my", "\r\ndone\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT RUN my ms 60000", ":2\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT PAUSE 2", "+OK\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 2", "paused\r\n:1\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RUN my", "-ERR run 2 of my is paused; there is one at a time");
    nodes_expect(t, 1, "CLUSTER SCRIPT RESUME 2", "+OK\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 2", "paused\r\n:0\r\n");
    nodes_expect(t, 0, "CLUSTER SCRIPT PAUSE 2", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT CANCEL 2", "+OK\r\n"); /* also of one that is paused */
    nodes_expect(t, 1, "CLUSTER SCRIPT CANCEL 2", "+OK\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT STATUS 2", "\r\ncancelled\r\n$6\r\npaused\r\n:0\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT PAUSE 2", "-ERR run 2 of my has ended: cancelled");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT CANCEL 1", "-ERR run 1 of my has ended: done");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RESUME 3", "-ERR no run '3': runs 1 to 2 are kept");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT RESUME one", "no run 'one'");
    nodes_expect(t, 1, "CLUSTER SCRIPT RUN my", ":3\r\n"); /* it is out of the way */
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT STATUS 3", "\r\ndone\r\n");
    nodes_free(t);
}

static void test_history_shows_the_newest_runs_first(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD my", my_script);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 20000 my", "\r\ndone\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT EVAL RUN return{} 0", ":2\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT HISTORY 1", "*1\r\n*28\r\n$3\r\nrun\r\n:2\r\n$6\r\nscript\r\n$4\r\neval");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT HISTORY", "*2\r\n*28\r\n$3\r\nrun\r\n:2\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT HISTORY 99999", "rounds\r\n:1\r\n$10\r\nsteps_done\r\n:1\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT HISTORY", "score_before\r\n$-1\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT HISTORY 0", "-ERR HISTORY takes how many runs to show");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT HISTORY all", "-ERR HISTORY takes how many runs to show");
    nodes_free(t);
}

static void test_a_plan_shows_each_round_and_changes_nothing(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 6);
    const char *plan = nodes_call(t, 0, "CLUSTER SCRIPT PLAN init shards 2 replicas 2");
    static const char *const parts[] = {"\r\ninit\r\n", "outcome\r\n$4\r\ndone\r\n", "rounds\r\n*7\r\n",
                                        "1.1 planned set replicas 2", "2.1 planned admit", "[2 node2]",
                                        "5.2 planned assign_slots s2 8192-16383 (8192 slots)",
                                        "score_before\r\n$5\r\n16384\r\n$11\r\nscore_after\r\n$1\r\n0\r\n",
                                        "note\r\n$0\r\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(plan, parts[i])) fail_msg("no '%s' in %s", parts[i], plan);
    nodes_expect(t, 0, "CLUSTER SCRIPT EVAL return(#view.shards) 0", ":0\r\n");
    nodes_expect(t, 0, "CLUSTER SCRIPT HISTORY", "*0\r\n");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT PLAN init shard 2", "-ERR init@");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT PLAN init shard 2", "the nearest is 'shards'");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT PLAN inti", "did you mean 'init'?");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT PLAN init shards", "name and value");
    nodes_free(t);
}

/* It begins from the cluster as it is, and says that this may not stay so. */
static void test_a_plan_is_made_beside_a_run_on_any_node(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_knows_leader, "knows the leader");
    nodes_call_with(t, 1, "CLUSTER SCRIPT LOAD my", my_script);
    nodes_call_with(t, 1, "CLUSTER SCRIPT LOAD mover",
                    "return { name = 'mover', doc = 'd', params = {}, plan = function(view)\n"
                    "  return { { op = 'move_slots', from = 's1', to = 's2', slots = { { 0, 9 } } } } end }");
    nodes_expect(t, 1, "CLUSTER SCRIPT EVAL RUN return{{op='create_shard',node='1'},{op='create_shard',node='2'}} 0", ":1\r\n");
    nodes_expect_soon(t, 1, "CLUSTER SCRIPT STATUS 1", "\r\ndone\r\n");
    nodes_expect(t, 1, "CLUSTER SCRIPT RUN my ms 60000", ":2\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT PLAN my ms 7", "outcome\r\n$5\r\nwaits\r\n$5\r\nerror\r\n$0\r\n\r\n$3\r\nwhy\r\n$7\r\ntesting");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT PLAN my ms 7", "run 2 of my is running and may change what is planned here");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT PLAN mover", "outcome\r\n$7\r\nrefused\r\n");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT PLAN mover",
                      "move_slots cannot be carried out in this version: RUN would fail; run 2 of my is running");
    nodes_free(t);
}

/* A hundred rounds, each of which takes its time. */
static const char *const slow_script =
    "return { name = 'slow', doc = 'd', params = {}, plan = function(view)\n"
    "  for i = 1, 4000000 do end\n"
    "  return { { op = 'set', key = 'patience', value = 1000 + view.run.round } } end }";

/* A plan of a hundred rounds, each of which takes its time: a run's plans go between them. */
static void test_a_long_plan_does_not_hold_up_a_run(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_knows_leader, "knows the leader");
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD my", my_script);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD slow", slow_script);
    nodes_call_begin(t, 1, "CLUSTER SCRIPT PLAN slow", NULL);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 20000 my", "\r\ndone\r\n");
    assert_null(t->node[1].reply); /* it is still being made */
    nodes_free(t);
}

/* Each keeps a copy of the state until it ends. */
static void test_only_so_many_plans_are_made_at_once(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD slow", slow_script);
    const struct bytes argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("PLAN"), bytes_text("slow")};
    for (int i = 0; i < POLICY_DRY_RUNS_MAX + 1; i++) /* whose replies nobody waits for */
        assert_true(control_call(t->node[0].control, 1000000 + (uint64_t)i, 4, argv, 2));
    nodes_expect_part(t, 0, "CLUSTER SCRIPT PLAN slow", "plans are waiting already: try again later");
    nodes_free(t);
}

int script_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_makes_a_cluster_of_six_candidates),
        cmocka_unit_test(test_a_script_is_loaded_listed_and_run_on_any_node),
        cmocka_unit_test(test_a_run_that_is_running_keeps_others_out),
        cmocka_unit_test(test_a_loaded_script_shadows_the_built_in_one),
        cmocka_unit_test(test_eval_answers_and_runs_steps),
        cmocka_unit_test(test_a_run_whose_steps_keep_failing_ends),
        cmocka_unit_test(test_a_run_that_goes_in_circles_ends),
        cmocka_unit_test(test_a_failing_policy_ends_its_run_with_the_line),
        cmocka_unit_test(test_versions_are_listed_rolled_back_to_and_deleted),
        cmocka_unit_test(test_the_built_in_version_comes_back_with_delete_only),
        cmocka_unit_test(test_a_run_is_paused_resumed_and_cancelled),
        cmocka_unit_test(test_history_shows_the_newest_runs_first),
        cmocka_unit_test(test_a_plan_shows_each_round_and_changes_nothing),
        cmocka_unit_test(test_a_plan_is_made_beside_a_run_on_any_node),
        cmocka_unit_test(test_a_long_plan_does_not_hold_up_a_run),
        cmocka_unit_test(test_only_so_many_plans_are_made_at_once),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
