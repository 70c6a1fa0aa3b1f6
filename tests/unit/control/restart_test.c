/* What survives: restarts, leaders that go in the middle of a run. */
#include "nodes.h"

#include <stdio.h>
#include <unistd.h>

static void test_a_restarted_member_knows_its_slots_before_it_finds_the_leader(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_expect(t, 1, "CLUSTER ADDSLOTSRANGE 0 99", "+OK\r\n");
    while (!nodes_is_member(t, 1) || nodes_slots(t, 1) != 100) uv_run(&t->loop, UV_RUN_ONCE);
    nodes_stop(t, 1);
    nodes_stop(t, 0);
    nodes_start(t, 1, false);
    nodes_wait(t, 1, nodes_is_member, "is a member");
    assert_int_equal(nodes_slots(t, 1), 100);
    assert_false(t->node[1].routing->leader_known);
    nodes_start(t, 0, true);
    nodes_wait(t, 1, nodes_knows_leader, "finds the leader");
    nodes_expect_part(t, 1, "CLUSTER METARAFT STATUS", "leader");
    nodes_free(t);
}

static void test_a_damaged_metadata_file_is_left_alone_and_pushed_anew(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_stop(t, 1);
    char path[96];
    snprintf(path, sizeof path, "%s/metadata", t->node[1].dir);
    assert_int_equal(truncate(path, 100), 0);
    nodes_start(t, 1, false);
    nodes_wait(t, 1, nodes_is_member, "is pushed the metadata");
    nodes_expect_part(t, 1, "CLUSTER METARAFT MEMBERS", ":1\r\n");
    nodes_free(t);
}

static void test_a_silent_member_is_down_until_it_answers(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_stop(t, 1);
    char words[160];
    snprintf(words, sizeof words, "CLUSTER SCRIPT EVAL return(tostring(view.node['%s'].up)) 0", t->node[1].info.id);
    nodes_expect_soon(t, 0, words, "false");
    nodes_start(t, 1, false);
    nodes_expect_soon(t, 0, words, "true");
    nodes_free(t);
}

/* The only voter is stopped in the middle of a round and between two, and started again: the same cluster in the end.
 */
static void test_a_run_goes_on_after_the_only_voter_restarted(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 3);
    const char *init = "CLUSTER SCRIPT RUN init voters 1 replicas 0";
    nodes_expect(t, 0, init, ":1\r\n");
    const char *const seen[] = {"1.1 done", "2.1 "};
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS", seen[i]);
        nodes_stop(t, 0);
        nodes_start(t, 0, true);
        nodes_wait(t, 0, nodes_knows_leader, "leads again");
    }
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\ndone\r\n");
    while (nodes_slots(t, 2) != CLUSTER_SLOTS) uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(nodes_shards(t, 2), 3);
    nodes_free(t);
}

static int leader_of(struct test_nodes *t, int asked)
{
    nodes_wait(t, asked, nodes_knows_leader, "knows a leader");
    for (int i = 0; i < NODES_MAX; i++)
        if (strcmp(t->node[i].info.id, t->node[asked].routing->leader) == 0) return i;
    return -1;
}

static void test_a_run_goes_on_under_another_leader(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 6);
    nodes_expect_part(t, 0, "CLUSTER SCRIPT RUN WAIT 30000 init shards 1 replicas 5", "\r\ndone\r\n");
    nodes_call_with(t, 5, "CLUSTER SCRIPT LOAD my",
                    "return { name = 'my', doc = 'd', params = {}, plan = function(view)\n"
                    "  if view.run.round < 3 then return { { op = 'wait', ms = 2000 + view.run.round, why = 'a' } } end "
                    "return {} end }");
    nodes_expect(t, 5, "CLUSTER SCRIPT RUN my", ":2\r\n");
    nodes_expect_soon(t, 5, "CLUSTER SCRIPT STATUS 2", "2.1 started");
    int leader = leader_of(t, 5);
    assert_in_range(leader, 0, 2);
    nodes_stop(t, leader);
    nodes_expect_soon(t, 5, "CLUSTER SCRIPT STATUS 2", "\r\ndone\r\n");
    assert_int_not_equal(leader_of(t, 5), leader);
    nodes_start(t, leader, true);
    nodes_wait(t, leader, nodes_knows_leader, "knows a leader");
    nodes_expect_part(t, leader, "CLUSTER METARAFT MEMBERS", "*3\r\n");
    nodes_free(t);
}

/* Made durable, then the process ended before it founded. */
static void test_an_interrupted_founding_is_finished(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    memset(t->node[0].identity.cluster_id, 'a', CLUSTER_ID_LEN);
    t->node[0].identity.raft_id = 1;
    nodes_start(t, 0, true);
    nodes_wait(t, 0, nodes_knows_leader, "leads");
    assert_string_equal(t->node[0].routing->state->id, t->node[0].identity.cluster_id);
    nodes_free(t);
}

int restart_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_restarted_member_knows_its_slots_before_it_finds_the_leader),
        cmocka_unit_test(test_a_damaged_metadata_file_is_left_alone_and_pushed_anew),
        cmocka_unit_test(test_a_silent_member_is_down_until_it_answers),
        cmocka_unit_test(test_a_run_goes_on_after_the_only_voter_restarted),
        cmocka_unit_test(test_a_run_goes_on_under_another_leader),
        cmocka_unit_test(test_an_interrupted_founding_is_finished),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
