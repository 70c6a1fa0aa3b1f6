/* Who is a member, and who votes: as the state wants it, one change after the other. */
#include "group.h"
#include "meta/member.h"
#include "tests.h"

static bool has_problem(struct group *g, uint64_t id)
{
    return strstr(meta_change_problem(g->seats[id].member), "does not answer") != NULL;
}

static bool members_are(struct group *g, uint64_t count)
{
    struct seat *leader = group_leader(g);
    return leader && meta_members(leader->member, NULL, 0) == count;
}

static void test_a_dead_newcomer_is_named_and_holds_nobody_up(void **state)
{
    struct group *g = *state;
    g->election_ms = CALM_MS;
    group_grow(g, 3);
    raft_set_max_catch_up_round_duration(&g->seats[1].member->raft, 200);
    struct cluster_command dead[] = {group_admit_command(4), group_role_command(4, CLUSTER_ROLE_LEARNER),
                                     group_role_command(4, CLUSTER_ROLE_VOTER)};
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &dead[i]).error.code, 0);
    group_until(g, has_problem, 1);
    struct cluster_command alive[] = {group_admit_command(5), group_role_command(5, CLUSTER_ROLE_LEARNER),
                                      group_role_command(5, CLUSTER_ROLE_VOTER)};
    group_open(g, 5, false);
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &alive[i]).error.code, 0);
    struct meta_member members[SEATS];
    do {
        group_run(g, 1);
        assert_int_equal(meta_members(g->seats[1].member, members, SEATS) <= 5, true);
    } while (meta_members(g->seats[1].member, members, SEATS) < 5 || members[4].role != CLUSTER_ROLE_VOTER);
    group_open(g, 4, false);
    group_until(g, group_voters_are, 5);
    group_until(g, group_agrees, 0);
}

static void test_who_heard_of_changes_late_can_make_the_next_one(void **state)
{
    struct group *g = *state;
    g->election_ms = CALM_MS;
    group_open(g, 1, true);
    struct cluster_command commands[] = {group_admit_command(2), group_role_command(2, CLUSTER_ROLE_LEARNER),
                                         group_role_command(2, CLUSTER_ROLE_VOTER), group_admit_command(3),
                                         group_role_command(3, CLUSTER_ROLE_LEARNER)};
    group_mark_many(g, 10, 5);
    for (size_t i = 0; i < 2; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    while (meta_members(g->seats[1].member, NULL, 0) < 2) group_run(g, 1);
    group_mark_many(g, 20, 5);
    group_open(g, 2, false); /* gets the changes in the midst of other entries */
    group_until(g, group_is_quiet, 0);
    const struct raft *first = &g->seats[1].member->raft, *second = &g->seats[2].member->raft;
    assert_int_equal(second->configuration_committed_index, first->configuration_committed_index);
    assert_int_equal(second->configuration_committed.n, 2); /* this is what its next snapshot holds */
    assert_int_equal(second->configuration_uncommitted_index, 0);
    assert_int_equal(group_apply(g, &commands[2]).error.code, 0);
    group_until(g, group_voters_are, 2);
    struct error e;
    assert_int_equal(meta_transfer(g->seats[1].member, 2, &e), 0);
    group_until(g, group_leads, 2);
    for (size_t i = 3; i < 5; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    group_open(g, 3, false);
    group_until(g, members_are, 3);
    group_until(g, group_agrees, 0);
}

/* The state machine does not take votes away yet; the roles are set from here, on all members alike. */
static void want_role(struct group *g, uint64_t id, enum cluster_role role)
{
    for (uint64_t at = 1; at <= SEATS; at++) {
        if (g->seats[at].member) cluster_node_by_raft_id(g->seats[at].member->state, id)->role = role;
    }
}

static void test_a_voter_that_is_not_wanted_goes_even_if_it_leads(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_until(g, group_agrees, 0);
    want_role(g, 1, CLUSTER_ROLE_LEARNER);
    group_until(g, group_voters_are, 2);
    assert_true(group_leads_elsewhere(g, 1));
    want_role(g, 1, CLUSTER_ROLE_NONE);
    group_until(g, members_are, 2);
    group_mark_many(g, 10, 5);
    uint64_t leader = group_leader(g)->id;
    want_role(g, leader, CLUSTER_ROLE_NONE);
    group_until(g, group_leads_elsewhere, leader);
    group_until(g, members_are, 1);
    group_mark_many(g, 20, 5);
    uint64_t last = group_leader(g)->id;
    want_role(g, last, CLUSTER_ROLE_NONE); /* the last voter stays, whatever the state says */
    group_mark_many(g, 30, 5);
    assert_true(group_leads(g, last));
}

int meta_membership_tests(void)
{
#define MEMBERSHIP_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        MEMBERSHIP_TEST(test_a_dead_newcomer_is_named_and_holds_nobody_up),
        MEMBERSHIP_TEST(test_who_heard_of_changes_late_can_make_the_next_one),
        MEMBERSHIP_TEST(test_a_voter_that_is_not_wanted_goes_even_if_it_leads),
    };
    return cmocka_run_group_tests_name("meta: membership", tests, NULL, NULL);
}
