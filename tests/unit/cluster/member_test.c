#include <stdio.h>

#include "fixture.h"

static void test_founding_makes_one_voter_with_raft_id_1(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_state_new();
    assert_int_equal(cluster_state_check(s, NULL), 0);
    refused(s, admit(2), ERROR_INVARIANT, "admit: no cluster has been founded");
    change(s, found(1));
    assert_string_equal(s->id, CLUSTER_ID);
    assert_int_equal(s->version, 1);
    const struct cluster_node *n = cluster_node_find(s, node_id(1));
    assert_int_equal(n->role, CLUSTER_ROLE_VOTER);
    assert_int_equal(n->raft_id, 1);
    assert_true(n->up);
    nothing(s, found(1));
    refused(s, found(2), ERROR_EXISTS, "has been founded already");
    cluster_state_free(s);
}

static void test_a_command_that_says_nothing_is_accepted_at_any_time(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_state_new();
    nothing(s, (struct cluster_command){.type = CLUSTER_NOTHING});
    cluster_state_free(s);
}

static void test_members_are_sorted_by_id_and_up_at_first(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    static const unsigned order[] = {7, 3, 9, 2};
    for (size_t i = 0; i < 4; i++) change(s, admit(order[i]));
    static const unsigned sorted[] = {1, 2, 3, 7, 9};
    for (uint32_t i = 0; i < s->node_count; i++) {
        assert_string_equal(s->nodes[i].info.id, node_id(sorted[i]));
        assert_true(s->nodes[i].up);
        assert_int_equal(s->nodes[i].role, i == 0 ? CLUSTER_ROLE_VOTER : CLUSTER_ROLE_NONE);
    }
    cluster_state_free(s);
}

static void test_admitting_again_changes_nothing(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    nothing(s, admit(2));
    struct cluster_command c = admit(2);
    c.info.bus_port++;
    refused(s, c, ERROR_EXISTS, "node 2 (00000002) is a member already");
    cluster_state_free(s);
}

static void test_an_alias_belongs_to_one_node(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    struct cluster_command c = admit(3);
    c.info.alias = 2;
    char text[80];
    snprintf(text, sizeof text, "alias 2 is taken by node %s", node_id(2));
    refused(s, c, ERROR_EXISTS, text);
    change(s, admit(3));
    c = update_node(node_info(3, "a"));
    c.info.alias = 1;
    refused(s, c, ERROR_EXISTS, "alias 1 is taken by node");
    for (unsigned n = 4; n <= 5; n++) { /* any number of nodes may have none */
        c = admit(n);
        c.info.alias = 0;
        change(s, c);
    }
    cluster_state_free(s);
}

static void test_an_update_is_never_of_an_older_incarnation(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    struct cluster_node_info info = node_info(2, "b");
    info.incarnation = 5;
    change(s, update_node(info));
    assert_string_equal(cluster_node_find(s, node_id(2))->info.zone, "b");
    nothing(s, update_node(info));
    info.incarnation = 4;
    refused(s, update_node(info), ERROR_STALE, "its incarnation is 5, not 4");
    refused(s, update_node(node_info(9, "a")), ERROR_NOT_FOUND, node_id(9));
    cluster_state_free(s);
}

static void test_any_field_that_differs_is_an_update(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    struct cluster_node_info info = node_info(2, "a");
#define UPDATES(change_it) (nothing(s, update_node(info)), change_it, change(s, update_node(info)))
    UPDATES(info.alias = 7);
    UPDATES(info.name[0] = 'x');
    UPDATES(info.version[0] = '1');
    UPDATES(info.bus_host[0] = 'x');
    UPDATES(info.bus_port++);
    UPDATES(info.zone[0] = 'x');
    UPDATES(info.labels[0] = 'x');
    UPDATES(info.incarnation++);
    UPDATES(info.endpoints[0].host[0] = 'x');
    UPDATES(info.endpoints[0].port++);
    UPDATES(info.endpoints[info.endpoint_count++] = info.endpoints[0]);
    UPDATES(snprintf(info.endpoints[0].match, sizeof info.endpoints[0].match, "gateway"));
    cluster_state_free(s);
}

static void test_a_role_is_won_step_by_step(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(3);
    refused(s, set_role(2, CLUSTER_ROLE_VOTER), ERROR_INVARIANT,
            "cannot promote node 2 (00000002): it is not a learner");
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    nothing(s, set_role(2, CLUSTER_ROLE_LEARNER));
    assert_int_equal(cluster_node_find(s, node_id(2))->raft_id, 2);
    change(s, set_role(2, CLUSTER_ROLE_VOTER));
    assert_int_equal(cluster_node_find(s, node_id(2))->raft_id, 2);
    assert_int_equal(s->next_raft_id, 3);
    assert_int_equal(cluster_voters(s), 2);
    refused(s, set_role(9, CLUSTER_ROLE_LEARNER), ERROR_NOT_FOUND, node_id(9));
    cluster_state_free(s);
}

static void test_roles_are_taken_away_one_after_the_other(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    refused(s, set_role(1, CLUSTER_ROLE_LEARNER), ERROR_INVARIANT, "node 1 (00000001) is the last voter");
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    change(s, set_role(2, CLUSTER_ROLE_VOTER));
    refused(s, set_role(2, CLUSTER_ROLE_NONE), ERROR_INVARIANT, "node 2 (00000002) votes: demote it first");
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    change(s, set_role(2, CLUSTER_ROLE_NONE));
    nothing(s, set_role(2, CLUSTER_ROLE_NONE));
    cluster_state_free(s);
}

static void test_a_node_that_is_down_gets_no_role(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    change(s, set_reachable(2, false));
    refused(s, set_role(2, CLUSTER_ROLE_LEARNER), ERROR_INVARIANT, "is down");
    change(s, set_reachable(2, true));
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    change(s, set_reachable(2, false));
    refused(s, set_role(2, CLUSTER_ROLE_VOTER), ERROR_INVARIANT,
            "cannot promote node 2 (00000002): it is down, and 1 of 2 voters would be");
    cluster_state_free(s);
}

static void test_a_sixth_voter_is_refused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(6);
    for (unsigned n = 2; n <= 6; n++) change(s, set_role(n, CLUSTER_ROLE_LEARNER));
    for (unsigned n = 2; n <= 5; n++) change(s, set_role(n, CLUSTER_ROLE_VOTER));
    refused(s, set_role(6, CLUSTER_ROLE_VOTER), ERROR_INVARIANT,
            "cannot promote node 6 (00000006): there are 5 voters already");
    cluster_state_free(s);
}

/* Whether a cluster of `voters`, of which `down` are down, accepts one more that is up. */
static bool accepts_a_voter(unsigned voters, unsigned down)
{
    struct cluster_state *s = cluster_of(voters + 1);
    for (unsigned n = 2; n <= voters + 1; n++) change(s, set_role(n, CLUSTER_ROLE_LEARNER));
    for (unsigned n = 2; n <= voters; n++) change(s, set_role(n, CLUSTER_ROLE_VOTER));
    for (unsigned n = 1; n <= down; n++) change(s, set_reachable(n, false));
    struct cluster_result r = apply(s, set_role(voters + 1, CLUSTER_ROLE_VOTER));
    if (!r.changed) assert_int_equal(r.error.code, ERROR_INVARIANT);
    cluster_state_free(s);
    return r.changed;
}

static void test_a_promotion_leaves_a_majority_that_is_reachable(void **state)
{
    (void)state;
    for (unsigned voters = 1; voters < CLUSTER_VOTERS_MAX; voters++)
        for (unsigned down = 0; down <= voters; down++)
            assert_int_equal(accepts_a_voter(voters, down), 2 * (voters + 1 - down) > voters + 1);
}

static void test_reachability_is_noted_and_never_refused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    nothing(s, set_reachable(4, true));
    for (unsigned n = 1; n <= 6; n++) change(s, set_reachable(n, false)); /* it says what is, not what should be */
    change(s, set_reachable(4, true));
    refused(s, set_reachable(9, true), ERROR_NOT_FOUND, "is not a member");
    cluster_state_free(s);
}

int run_member_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_founding_makes_one_voter_with_raft_id_1),
        cmocka_unit_test(test_a_command_that_says_nothing_is_accepted_at_any_time),
        cmocka_unit_test(test_members_are_sorted_by_id_and_up_at_first),
        cmocka_unit_test(test_admitting_again_changes_nothing),
        cmocka_unit_test(test_an_alias_belongs_to_one_node),
        cmocka_unit_test(test_an_update_is_never_of_an_older_incarnation),
        cmocka_unit_test(test_any_field_that_differs_is_an_update),
        cmocka_unit_test(test_a_role_is_won_step_by_step),
        cmocka_unit_test(test_roles_are_taken_away_one_after_the_other),
        cmocka_unit_test(test_a_node_that_is_down_gets_no_role),
        cmocka_unit_test(test_a_sixth_voter_is_refused),
        cmocka_unit_test(test_a_promotion_leaves_a_majority_that_is_reachable),
        cmocka_unit_test(test_reachability_is_noted_and_never_refused),
    };
    return cmocka_run_group_tests_name("cluster members", tests, NULL, NULL);
}
