/* Voters and members that come and go. */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>

/* Nodes 0 to `count` - 1 are members, the first `voters` of them vote; only the test changes that: the trigger of every
 * cluster would give votes that are missing while a node is down. */
static struct test_nodes *cluster_of(int count, int voters)
{
    struct test_nodes *t = nodes_new();
    char words[64];
    nodes_start_cluster(t, count);
    nodes_expect(t, 0, "CLUSTER SCRIPT TRIGGER PAUSE", "+OK\r\n");
    for (int i = 1; i < count; i++) {
        if (i < voters)
            snprintf(words, sizeof words, "CLUSTER METARAFT ADDLEARNER %d #%d", i + 1, i);
        else
            snprintf(words, sizeof words, "CLUSTER MEET 127.0.0.1 %d", 7001 + i);
        nodes_expect(t, 0, words, "+OK\r\n");
    }
    for (int i = 1; i < voters; i++) {
        snprintf(words, sizeof words, "CLUSTER METARAFT PROMOTE %d", i + 1);
        nodes_expect(t, 0, words, "+OK\r\n");
    }
    for (int i = 0; i < count; i++) nodes_wait(t, i, nodes_is_member, "is a member");
    return t;
}

static int64_t status_number(struct test_nodes *t, int i, const char *field)
{
    const char *reply = nodes_call(t, i, "CLUSTER METARAFT STATUS"), *at = strstr(reply, field);
    assert_non_null(at);
    return strtoll(strchr(strstr(at, "\r\n"), ':') + 1, NULL, 10);
}

static bool is_removed(struct test_nodes *t, int i)
{
    const struct cluster_routing *r = t->node[i].routing;
    return r && !r->self && r->state->id[0];
}

static bool is_candidate(struct test_nodes *t, int i)
{
    const struct cluster_routing *r = t->node[i].routing;
    return r && !r->self && !r->state->id[0];
}

static void expect_members(struct test_nodes *t, int i, const char *roles)
{
    char reply[300];
    size_t len = (size_t)snprintf(reply, sizeof reply, "*%zu\r\n", strlen(roles));
    for (size_t k = 0; roles[k]; k++)
        len += (size_t)snprintf(reply + len, sizeof reply - len, "*2\r\n:%zu\r\n$%d\r\n%s\r\n", k + 1, roles[k] == 'v' ? 5 : 7,
                                roles[k] == 'v' ? "voter" : "learner");
    nodes_expect(t, i, "CLUSTER METARAFT MEMBERS", reply);
}

static void test_voters_go_from_one_to_five_and_back_to_one(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(5, 5);
    expect_members(t, 4, "vvvvv");
    nodes_expect(t, 1, "CLUSTER METARAFT DEMOTE 5", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER METARAFT DEMOTE 5", "+OK\r\n");
    expect_members(t, 4, "vvvvl");
    nodes_expect(t, 4, "CLUSTER METARAFT REMOVE 5", "+OK\r\n");
    nodes_expect(t, 4, "CLUSTER METARAFT REMOVE 5", "+OK\r\n");
    expect_members(t, 4, "vvvv");
    nodes_expect(t, 2, "CLUSTER METARAFT REMOVE 4", "+OK\r\n"); /* its vote goes first */
    expect_members(t, 4, "vvv");
    nodes_expect(t, 3, "CLUSTER METARAFT TRANSFER 3", "+OK\r\n");
    nodes_expect(t, 2, "CLUSTER METARAFT TRANSFER 3", "+OK\r\n");
    nodes_expect(t, 4, "CLUSTER METARAFT REMOVE 3", "+OK\r\n"); /* the leader itself */
    expect_members(t, 4, "vv");
    nodes_expect(t, 3, "CLUSTER METARAFT TRANSFER 2", "+OK\r\n");
    nodes_expect(t, 3, "CLUSTER METARAFT REMOVE 2", "+OK\r\n");
    expect_members(t, 4, "v");
    nodes_expect_part(t, 2, "CLUSTER METARAFT DEMOTE 1", "is the last voter");
    nodes_expect_part(t, 2, "CLUSTER METARAFT REMOVE 1", "is the last voter");
    nodes_expect_part(t, 2, "CLUSTER METARAFT TRANSFER 2", "does not vote: it cannot lead");
    nodes_expect(t, 2, "CLUSTER METARAFT DEMOTE 9", "-ERR no node '9'\r\n");
    for (int i = 1; i < 5; i++) nodes_expect_soon(t, i, "CLUSTER METARAFT STATUS", "\r\nmember\r\n");
    nodes_free(t);
}

static void test_a_member_that_left_metaraft_comes_back_under_its_raft_id(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(3, 3);
    uint64_t raft_id = t->node[2].identity.raft_id;
    for (int i = 0; i < 3; i++) {
        nodes_expect(t, 0, "CLUSTER METARAFT REMOVE 3", "+OK\r\n");
        nodes_expect_soon(t, 2, "CLUSTER METARAFT STATUS", "\r\nmember\r\n");
        while (!t->node[2].identity.left) uv_run(&t->loop, UV_RUN_ONCE);
        if (i == 1) { /* and does not take part by itself after a restart */
            nodes_stop(t, 2);
            nodes_start(t, 2, false);
            nodes_wait(t, 2, nodes_knows_leader, "knows the leader");
        }
        nodes_expect_part(t, 2, "CLUSTER METARAFT STATUS", "commit_index\r\n:0\r\n");
        nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 3 #2", "+OK\r\n");
        nodes_expect(t, 0, "CLUSTER METARAFT PROMOTE 3", "+OK\r\n");
    }
    assert_int_equal(t->node[2].identity.raft_id, raft_id);
    assert_false(t->node[2].identity.left);
    nodes_stop(t, 1); /* its vote counts */
    nodes_expect_part(t, 2, "CLUSTER SCRIPT EVAL return(#view.voters) 0", ":3\r\n");
    nodes_free(t);
}

static void test_who_is_forgotten_learns_it_and_serves_nothing_until_reset(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(3, 1);
    nodes_expect_part(t, 2, "CLUSTER RESET", "-ERR this node is a member of cluster ");
    nodes_expect(t, 1, "CLUSTER FORGET @2", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER FORGET @2", "+OK\r\n"); /* as redis-cli says it to every node */
    nodes_expect(t, 0, "CLUSTER FORGET 3", "+OK\r\n");
    nodes_wait(t, 2, is_removed, "is removed");
    nodes_expect_part(t, 2, "CLUSTER SCRIPT LIST", "-CLUSTERDOWN this node was removed from its cluster");
    nodes_expect_part(t, 2, "CLUSTER METARAFT STATUS", "\r\nremoved\r\n");
    nodes_stop(t, 2);
    nodes_start(t, 2, false);
    nodes_wait(t, 2, is_removed, "is still removed");
    nodes_expect_part(t, 0, "CLUSTER SCRIPT EVAL return(#view.nodes) 0", ":2\r\n"); /* not even a candidate */
    nodes_expect(t, 2, "CLUSTER RESET MAYBE", "-ERR syntax error\r\n");
    nodes_expect(t, 2, "CLUSTER RESET SOFT", "+OK\r\n");
    nodes_wait(t, 2, is_candidate, "is a candidate");
    assert_string_equal(t->node[2].identity.cluster_id, "");
    assert_string_equal(t->node[2].identity.node_id, t->node[2].info.id);
    nodes_expect(t, 1, "CLUSTER METARAFT ADDLEARNER 3 #2", "+OK\r\n");
    nodes_wait(t, 2, nodes_is_member, "is a member again");
    nodes_free(t);
}

static void test_a_hard_reset_makes_another_node_of_it(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(2, 2);
    nodes_expect_part(t, 0, "CLUSTER FORGET 2", "votes: demote it first");
    nodes_expect(t, 0, "CLUSTER METARAFT REMOVE 2", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER FORGET 2", "+OK\r\n");
    nodes_wait(t, 1, is_removed, "is removed");
    nodes_expect(t, 1, "CLUSTER RESET HARD", "+OK\r\n");
    nodes_wait(t, 1, is_candidate, "is a candidate");
    const char *fresh = t->node[1].identity.node_id;
    assert_string_not_equal(fresh, t->node[1].info.id);
    assert_string_equal(t->node[1].routing->my_id, fresh);
    assert_int_equal(t->node[1].identity.raft_id, 0);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT VIEW", fresh);
    for (int i = 0; i < 50; i++) { /* a candidate may become another one; that is known when the reply comes */
        nodes_expect(t, 1, "CLUSTER RESET HARD", "+OK\r\n");
        assert_string_equal(t->node[1].routing->my_id, fresh);
    }
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT VIEW", fresh);
    nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 2 #1", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT PROMOTE 2", "+OK\r\n");
    assert_int_equal(t->node[1].identity.raft_id, 3); /* 2 is never given out again */
    nodes_stop(t, 1);
    nodes_start(t, 1, false);
    nodes_wait(t, 1, nodes_is_member, "is a member");
    nodes_free(t);
}

static bool third_is_learner(struct test_nodes *t, int i)
{
    const struct cluster_node *n = cluster_node_find(t->node[i].routing->state, t->node[2].info.id);
    return n && n->role == CLUSTER_ROLE_LEARNER;
}

static bool fourth_is_voter(struct test_nodes *t, int i)
{
    const struct cluster_node *n = cluster_node_find(t->node[i].routing->state, t->node[3].info.id);
    return n && n->role == CLUSTER_ROLE_VOTER;
}

/* libraft is busy with a newcomer that does not answer. A node whose role is gone leaves libraft at once, so that has to
 * wait until its vote is gone there as well. */
static void test_a_node_leaves_metaraft_only_when_its_vote_is_gone(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(4, 3);
    nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 4 #3", "+OK\r\n");
    nodes_stop(t, 3);
    nodes_call_begin(t, 0, "CLUSTER METARAFT PROMOTE 4", NULL);
    nodes_wait(t, 2, fourth_is_voter, "knows that node 4 is wanted as a voter");
    nodes_call_begin(t, 1, "CLUSTER METARAFT DEMOTE 3", NULL);
    nodes_wait(t, 2, third_is_learner, "is wanted as a learner");
    nodes_expect(t, 2, "CLUSTER SCRIPT EVAL RUN return{{op='remove_learner',node='3'},{op='remove_node',node='3'}} 0", ":1\r\n");
    nodes_expect_soon(t, 2, "CLUSTER SCRIPT STATUS 1", "its vote has not been taken yet");
    assert_false(t->node[2].identity.left);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\ndone\r\n");
    nodes_wait(t, 2, is_removed, "is removed");
    while (!t->node[2].identity.left) uv_run(&t->loop, UV_RUN_ONCE);
    nodes_free(t);
}

/* It was down all the while, so it thinks it votes. */
static void test_a_voter_removed_while_it_was_down_disturbs_nobody(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(4, 3);
    char words[160];
    snprintf(words, sizeof words, "CLUSTER SCRIPT EVAL return(tostring(view.node['%s'].up)) 0", t->node[2].info.id);
    nodes_stop(t, 2);
    nodes_expect_soon(t, 0, words, "false");
    nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 4 #3", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT DEMOTE 3", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT PROMOTE 4", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER FORGET 3", "+OK\r\n");
    int64_t term = status_number(t, 0, "term");
    assert_false(t->node[2].identity.left);
    nodes_start(t, 2, false);
    nodes_wait(t, 2, is_removed, "learns that it was removed");
    while (!t->node[2].identity.left) uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(status_number(t, 0, "term"), term);
    nodes_free(t);
}

/* The leader and the node that was removed do not know each other: another member says it. */
static void test_any_member_can_tell_that_a_node_was_removed(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(3, 2);
    nodes_stop(t, 2);
    t->join_count = 0;
    nodes_start(t, 3, false);
    nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 4 #3", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT PROMOTE 4", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT TRANSFER 4", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER FORGET 3", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER METARAFT REMOVE 1", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER FORGET 1", "+OK\r\n");
    nodes_start(t, 2, false); /* knows nodes 1 and 2 */
    nodes_wait(t, 2, is_removed, "is removed");
    nodes_free(t);
}

static void test_forget_refuses_as_redis_does(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(3, 1);
    nodes_expect(t, 0, "CLUSTER FORGET 77", "-ERR Unknown node 77\r\n");
    nodes_expect(t, 1, "CLUSTER FORGET @1", "-ERR I tried hard but I can't forget myself...\r\n");
    nodes_expect(t, 1, "CLUSTER ADDSLOTS 1", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER ADDREPLICATION @2 @1", "+OK\r\n");
    nodes_expect(t, 2, "CLUSTER FORGET @1", "-ERR Can't forget my master!\r\n");
    nodes_expect_part(t, 0, "CLUSTER FORGET @1", "is the primary of shard s1: move its slots and drop the shard first");
    nodes_expect_part(t, 0, "CLUSTER FORGET @2", "is a replica in shard s1: detach it first");
    assert_int_equal(t->node[0].routing->state->node_count, 3);
    nodes_free(t);
}

static void test_an_alias_that_is_taken_says_what_to_do(void **state)
{
    (void)state;
    struct test_nodes *t = cluster_of(2, 1);
    t->node[2].info.alias = 2;
    nodes_start(t, 2, false);
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT VIEW", t->node[2].info.id);
    nodes_expect_part(t, 0, "CLUSTER METARAFT ADDLEARNER 2 #2", "take that out first (CLUSTER FORGET)");
    nodes_stop(t, 1);
    nodes_expect(t, 0, "CLUSTER FORGET 2", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER METARAFT ADDLEARNER 2 #2", "+OK\r\n");
    nodes_free(t);
}

int membership_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_voters_go_from_one_to_five_and_back_to_one),
        cmocka_unit_test(test_a_member_that_left_metaraft_comes_back_under_its_raft_id),
        cmocka_unit_test(test_who_is_forgotten_learns_it_and_serves_nothing_until_reset),
        cmocka_unit_test(test_a_hard_reset_makes_another_node_of_it),
        cmocka_unit_test(test_a_node_leaves_metaraft_only_when_its_vote_is_gone),
        cmocka_unit_test(test_a_voter_removed_while_it_was_down_disturbs_nobody),
        cmocka_unit_test(test_any_member_can_tell_that_a_node_was_removed),
        cmocka_unit_test(test_forget_refuses_as_redis_does),
        cmocka_unit_test(test_an_alias_that_is_taken_says_what_to_do),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
