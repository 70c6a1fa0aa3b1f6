/* CLUSTER METARAFT, MEET, ADDSLOTS…, REPLICATE…, on the leader and on others. */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>

/* compatibility.md: "With the deployment this project comes from". */
static void test_the_deployments_command_sequence_works_as_written(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 6);
    nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 2 #1", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 3 #2", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT PROMOTE 1 2 3", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT PROMOTE 2 3", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT MEMBERS",
                 "*3\r\n*2\r\n:1\r\n$5\r\nvoter\r\n*2\r\n:2\r\n$5\r\nvoter\r\n*2\r\n:3\r\n$5\r\nvoter\r\n");
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7004", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7005 @4", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7006 #5p", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 0 5460", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 5461 10922 @1", "+OK\r\n");
    nodes_expect(t, 2, "CLUSTER ADDSLOTSRANGE 10923 16383", "+OK\r\n");
    nodes_expect(t, 3, "CLUSTER REPLICATE @0", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER ADDREPLICATION @4 @1", "+OK\r\n");
    nodes_expect(t, 5, "CLUSTER ADDREPLICATION @5 @2", "+OK\r\n");
    nodes_expect_soon(t, 5, "CLUSTER METARAFT STATUS", "leader");
    for (int i = 0; i < 6; i++) {
        while (nodes_replicas(t, i) < 3) uv_run(&t->loop, UV_RUN_ONCE);
        assert_int_equal(nodes_slots(t, i), CLUSTER_SLOTS);
        assert_int_equal(nodes_shards(t, i), 3);
        assert_int_equal(nodes_voters(t, i), 3);
    }
    nodes_free(t);
}

static void test_slots_are_given_as_redis_gives_them(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER ADDSLOTS 5 7 6", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER ADDSLOTS 1 5", "-ERR Slot 5 is already busy\r\n");
    nodes_expect(t, 1, "CLUSTER ADDSLOTS 16384", "-ERR Invalid or out of range slot\r\n");
    nodes_expect(t, 1, "CLUSTER ADDSLOTS -1", "-ERR Invalid or out of range slot\r\n");
    nodes_expect(t, 0, "CLUSTER ADDSLOTS 9 9", "-ERR Slot 9 specified multiple times\r\n");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 5 3", "-ERR start slot number 5 is greater than end slot number 3\r\n");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 10 20 15 16", "-ERR Slot 15 specified multiple times\r\n");
    nodes_expect_part(t, 0, "CLUSTER ADDSLOTSRANGE 10 20 30", "-ERR wrong number of arguments");
    nodes_expect(t, 0, "CLUSTER ADDSLOTSRANGE 10 20 30 40 @1", "+OK\r\n");
    assert_int_equal(nodes_shards(t, 0), 1);
    nodes_expect_part(t, 1, "CLUSTER ADDSLOTS", "-ERR wrong number of arguments for 'cluster|addslots' command");
    nodes_free(t);
}

static void test_replicas_are_made_as_redis_makes_them(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 3);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_expect_part(t, 1, "CLUSTER REPLICATE @2", "-ERR Unknown node");
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7003", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER REPLICATE @1", "-ERR Can't replicate myself\r\n");
    nodes_expect(t, 1, "CLUSTER REPLICATE @0", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER REPLICATE @0", "+OK\r\n");
    nodes_expect(t, 2, "CLUSTER REPLICATE @1", "-ERR I can only replicate a master, not a replica.\r\n");
    nodes_free(t);
}

static void test_errors_name_what_is_wrong(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_expect_part(t, 0, "CLUSTER METARAFT PROMOT 2",
                      "-ERR unknown subcommand 'PROMOT'. Did you mean PROMOTE? Try CLUSTER METARAFT HELP.");
    nodes_expect_part(t, 0, "CLUSTER METARAFT", "-ERR wrong number of arguments for 'cluster|METARAFT' command");
    nodes_expect_part(t, 0, "CLUSTER METARAFT ADDLEARNER 2",
                      "-ERR wrong number of arguments for 'cluster|metaraft|addlearner' command");
    nodes_expect_part(t, 0, "CLUSTER METARAFT ADDLEARNER two #1", "-ERR an alias is a number");
    nodes_expect_part(t, 0, "CLUSTER METARAFT ADDLEARNER 2 nowhere", "-ERR");
    nodes_expect_part(t, 0, "CLUSTER METARAFT ADDLEARNER 1 #1", "with the alias 2");
    nodes_expect_part(t, 0, "CLUSTER METARAFT PROMOTE 7", "7");
    nodes_expect_part(t, 0, "CLUSTER MEET 127.0.0.1 0", "Invalid base port");
    nodes_expect_part(t, 0, "CLUSTER MEET 127.0.0.1 7002 1234567890123456789012345678901234567890", "Unknown node");
    nodes_expect_part(t, 0, "CLUSTER METARAFT PROMOTE 2", "ADDLEARNER comes first");
    nodes_free(t);
}

static void test_a_learner_gets_the_alias_that_is_given(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    t->node[1].info.alias = 0;
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER METARAFT ADDLEARNER 9 #1", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER METARAFT ADDLEARNER 9 #1", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER METARAFT MEMBERS", "*2\r\n*2\r\n:1\r\n$5\r\nvoter\r\n*2\r\n:9\r\n$7\r\nlearner\r\n");
    nodes_expect_part(t, 1, "CLUSTER METARAFT ADDLEARNER 8 #1", "with the alias 9");
    nodes_free(t);
}

static void test_too_many_and_too_large_calls_are_answered(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 1);
    size_t size = 2 << 20;
    char *large = malloc(size + 1);
    memset(large, 'x', size);
    large[size] = 0;
    assert_non_null(strstr(nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD big", large), "-ERR the command is 2097"));
    large[300 << 10] = 0;
    assert_non_null(strstr(nodes_call_with(t, 0, "CLUSTER SCRIPT LOAD big", large),
                           "-ERR the script is 307200 bytes; up to 262144 are taken"));
    free(large);
    /* Nobody takes replies while the loop does not turn: after 256 the answer is no. */
    struct bytes argv[3] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("VIEW")};
    int taken = 0;
    while (taken < 5000 && control_call(t->node[0].control, 1u << 30, 3, argv, 2)) taken++;
    assert_true(taken >= 256);
    nodes_free(t);
}

int command_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_deployments_command_sequence_works_as_written),
        cmocka_unit_test(test_slots_are_given_as_redis_gives_them),
        cmocka_unit_test(test_replicas_are_made_as_redis_makes_them),
        cmocka_unit_test(test_errors_name_what_is_wrong),
        cmocka_unit_test(test_a_learner_gets_the_alias_that_is_given),
        cmocka_unit_test(test_too_many_and_too_large_calls_are_answered),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
