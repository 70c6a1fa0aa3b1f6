/* CLUSTER SCRIPT: loading, running, looking. */
#include "nodes.h"

#include <stdio.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
