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

static void test_a_demotion_leaves_a_majority_that_is_reachable(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    change(s, set_reachable(3, false));
    refused(s, set_role(2, CLUSTER_ROLE_LEARNER), ERROR_INVARIANT,
            "cannot demote node 2 (00000002): only 1 of 2 voters would be reachable, no majority");
    change(s, set_role(3, CLUSTER_ROLE_LEARNER)); /* the dead one */
    change(s, set_role(3, CLUSTER_ROLE_NONE));
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    refused(s, set_role(1, CLUSTER_ROLE_LEARNER), ERROR_INVARIANT, "is the last voter");
    refused(s, set_role(1, CLUSTER_ROLE_NONE), ERROR_INVARIANT, "votes: demote it first");
    cluster_state_free(s);
}

static void test_an_eighth_member_of_metaraft_is_refused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(8);
    for (unsigned n = 2; n <= 7; n++) change(s, set_role(n, CLUSTER_ROLE_LEARNER));
    refused(s, set_role(8, CLUSTER_ROLE_LEARNER), ERROR_INVARIANT,
            "node 8 (00000008) cannot become a learner: MetaRaft has 7 members already");
    change(s, set_role(7, CLUSTER_ROLE_NONE));
    change(s, set_role(8, CLUSTER_ROLE_LEARNER));
    cluster_state_free(s);
}

static void test_who_had_a_role_keeps_its_raft_id_for_the_next(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    change(s, set_role(2, CLUSTER_ROLE_NONE));
    change(s, set_role(2, CLUSTER_ROLE_LEARNER)); /* its disk, with term and vote, is the one it had */
    assert_int_equal(cluster_node_find(s, node_id(2))->raft_id, 2);
    assert_int_equal(s->next_raft_id, 3);
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

static void test_only_who_is_part_of_nothing_can_be_removed(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    refused(s, remove_node(1), ERROR_INVARIANT,
            "node 1 (00000001) is the primary of shard s1: move its slots and drop the shard first");
    refused(s, remove_node(4), ERROR_INVARIANT, "node 4 (00000004) is a replica in shard s1: detach it first");
    change(s, detach(4));
    change(s, set_reachable(4, false));
    change(s, remove_node(4)); /* down or up */
    assert_null(cluster_node_find(s, node_id(4)));
    assert_int_equal(s->node_count, 5);
    nothing(s, remove_node(4));
    nothing(s, remove_node(77));
    change(s, admit(7));
    change(s, remove_node(7)); /* the last one of the list */
    cluster_state_free(s);
}

static void test_a_voter_is_demoted_before_it_is_removed_and_a_learner_may_go(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    refused(s, remove_node(1), ERROR_INVARIANT, "node 1 (00000001) votes: demote it first");
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    change(s, set_role(2, CLUSTER_ROLE_VOTER));
    refused(s, remove_node(2), ERROR_INVARIANT, "votes: demote it first");
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    change(s, remove_node(2));
    cluster_state_free(s);
}

static void test_who_comes_back_gets_another_raft_id_and_its_alias_is_free_again(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    assert_int_equal(cluster_node_find(s, node_id(2))->raft_id, 2);
    change(s, remove_node(2));
    struct cluster_command wiped = admit(3);
    wiped.info.alias = 2;
    change(s, wiped);
    change(s, set_role(3, CLUSTER_ROLE_LEARNER));
    assert_int_equal(cluster_node_find(s, node_id(3))->raft_id, 3);
    struct cluster_command again = admit(2);
    again.info.alias = 0;
    change(s, again);
    change(s, set_role(2, CLUSTER_ROLE_LEARNER));
    assert_int_equal(cluster_node_find(s, node_id(2))->raft_id, 4);
    assert_null(cluster_node_by_raft_id(s, 2));
    cluster_state_free(s);
}

static void test_leaving_is_noted_and_taken_back(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    nothing(s, set_leaving(2, false));
    change(s, set_leaving(2, true));
    nothing(s, set_leaving(2, true));
    assert_true(cluster_node_find(s, node_id(2))->leaving);
    assert_false(cluster_node_find(s, node_id(1))->leaving);
    struct cluster_node_info restarted = node_info(2, "a");
    restarted.incarnation = 2;
    change(s, update_node(restarted));
    assert_true(cluster_node_find(s, node_id(2))->leaving); /* a restart is no reason to stay */
    change(s, set_leaving(2, false));
    refused(s, set_leaving(9, true), ERROR_NOT_FOUND, "is not a member");
    cluster_state_free(s);
}

static void test_labels_of_an_operator_stand_before_the_node_s_own(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    struct cluster_node_info own = node_info(2, "a");
    snprintf(own.labels, sizeof own.labels, "rack 7");
    change(s, update_node(own));
    const struct cluster_node *n = cluster_node_find(s, node_id(2));
    assert_string_equal(cluster_node_labels(n), "rack 7");
    change(s, set_labels(2, "rack 8, disk=nvme"));
    nothing(s, set_labels(2, "rack 8, disk=nvme"));
    assert_string_equal(cluster_node_labels(n), "rack 8, disk=nvme");
    snprintf(own.labels, sizeof own.labels, "rack 9");
    change(s, update_node(own));
    assert_string_equal(cluster_node_labels(n), "rack 8, disk=nvme");
    change(s, set_labels(2, ""));
    assert_string_equal(cluster_node_labels(n), "rack 9");
    refused(s, set_labels(9, "x"), ERROR_NOT_FOUND, "is not a member");
    refused(s, set_labels(2, "a\tb"), ERROR_FORMAT, "set_labels: text holds a control character");
    cluster_state_free(s);
}

static void test_labels_are_bounded(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    char text[CLUSTER_LABELS_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    text[CLUSTER_LABELS_MAX + 1] = 0;
    refused(s, set_labels(1, text), ERROR_FORMAT, "set_labels");
    text[CLUSTER_LABELS_MAX] = 0;
    change(s, set_labels(1, text));
    assert_string_equal(cluster_node_labels(&s->nodes[0]), text);
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
        cmocka_unit_test(test_a_demotion_leaves_a_majority_that_is_reachable),
        cmocka_unit_test(test_an_eighth_member_of_metaraft_is_refused),
        cmocka_unit_test(test_who_had_a_role_keeps_its_raft_id_for_the_next),
        cmocka_unit_test(test_a_node_that_is_down_gets_no_role),
        cmocka_unit_test(test_a_sixth_voter_is_refused),
        cmocka_unit_test(test_a_promotion_leaves_a_majority_that_is_reachable),
        cmocka_unit_test(test_reachability_is_noted_and_never_refused),
        cmocka_unit_test(test_only_who_is_part_of_nothing_can_be_removed),
        cmocka_unit_test(test_a_voter_is_demoted_before_it_is_removed_and_a_learner_may_go),
        cmocka_unit_test(test_who_comes_back_gets_another_raft_id_and_its_alias_is_free_again),
        cmocka_unit_test(test_leaving_is_noted_and_taken_back),
        cmocka_unit_test(test_labels_of_an_operator_stand_before_the_node_s_own),
        cmocka_unit_test(test_labels_are_bounded),
    };
    return cmocka_run_group_tests_name("cluster members", tests, NULL, NULL);
}
