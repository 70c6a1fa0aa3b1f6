/* Founding, announcing, being admitted. */
#include "nodes.h"

static void test_a_bootstrap_node_alone_founds_a_cluster(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start(t, 0, true);
    nodes_wait(t, 0, nodes_knows_leader, "leads");
    nodes_wait(t, 0, nodes_is_member, "is a member");
    assert_int_equal(t->node[0].identity.raft_id, 1);
    assert_int_equal(strlen(t->node[0].identity.cluster_id), CLUSTER_ID_LEN);
    nodes_expect(t, 0, "CLUSTER METARAFT MEMBERS", "*1\r\n*2\r\n:1\r\n$5\r\nvoter\r\n");
    nodes_free(t);
}

static void test_a_node_without_a_cluster_stays_a_candidate(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    assert_false(nodes_is_member(t, 1));
    assert_string_equal(t->node[1].identity.cluster_id, "");
    nodes_expect_part(t, 1, "CLUSTER METARAFT STATUS", "candidate");
    nodes_expect_part(t, 1, "CLUSTER SCRIPT LIST", "-CLUSTERDOWN this node is not part of a cluster");
    nodes_free(t);
}

static void test_a_founder_asks_the_join_addresses_first(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start(t, 1, false);
    nodes_start(t, 2, false);
    nodes_join(t, 1);
    nodes_join(t, 2);
    nodes_start(t, 0, true);
    nodes_wait(t, 0, nodes_knows_leader, "leads");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT VIEW", t->node[2].info.id);
    nodes_free(t);
}

static void test_a_bootstrap_node_founds_nothing_where_a_cluster_is(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start(t, 0, true);
    nodes_wait(t, 0, nodes_knows_leader, "leads");
    nodes_join(t, 0);
    nodes_start(t, 1, true);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT VIEW", t->node[1].info.id);
    assert_string_equal(t->node[1].identity.cluster_id, "");
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_is_member, "is a member");
    assert_string_equal(t->node[1].identity.cluster_id, t->node[0].identity.cluster_id);
    nodes_free(t);
}

static void test_a_candidate_is_found_through_any_member(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002 @1", "+OK\r\n");
    t->join_count = 0;
    nodes_join(t, 1); /* not the leader */
    nodes_start(t, 2, false);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT VIEW", t->node[2].info.id);
    nodes_free(t);
}

int join_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bootstrap_node_alone_founds_a_cluster),
        cmocka_unit_test(test_a_node_without_a_cluster_stays_a_candidate),
        cmocka_unit_test(test_a_founder_asks_the_join_addresses_first),
        cmocka_unit_test(test_a_bootstrap_node_founds_nothing_where_a_cluster_is),
        cmocka_unit_test(test_a_candidate_is_found_through_any_member),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
