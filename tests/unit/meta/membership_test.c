/* Who is a member, and who votes: as the state wants it, one change after the other. */
#include "base/random.h"
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

static void want(struct group *g, uint64_t id, enum cluster_role role)
{
    struct cluster_command c = group_role_command(id, role);
    struct cluster_result result = group_apply(g, &c);
    if (result.error.code) fail_msg("role %d of %d: %s", (int)role, (int)id, result.error.text);
}

static bool has_no_vote(struct group *g, uint64_t id)
{
    struct seat *leader = group_leader(g);
    return leader && !meta_may_vote(leader->member, id);
}

static bool leader_has_voters(struct group *g, uint64_t count)
{
    struct meta_member members[SEATS];
    struct seat *leader = group_leader(g);
    size_t n = leader ? meta_members(leader->member, members, SEATS) : 0, voters = 0;
    for (size_t i = 0; i < n; i++) voters += members[i].role == CLUSTER_ROLE_VOTER;
    return voters == count;
}

/* Down to no part at all, each role when the one before is gone, as control does it. */
static void dismiss(struct group *g, uint64_t id)
{
    want(g, id, CLUSTER_ROLE_LEARNER);
    group_until(g, has_no_vote, id);
    want(g, id, CLUSTER_ROLE_NONE);
}

static void test_a_voter_that_is_not_wanted_goes_even_if_it_leads(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_until(g, group_agrees, 0);
    want(g, 1, CLUSTER_ROLE_LEARNER);
    group_until(g, group_voters_are, 2);
    assert_true(group_leads_elsewhere(g, 1));
    want(g, 1, CLUSTER_ROLE_NONE);
    group_until(g, members_are, 2);
    group_mark_many(g, 10, 5);
    uint64_t leader = group_leader(g)->id;
    dismiss(g, leader);
    assert_true(group_leads_elsewhere(g, leader));
    group_until(g, members_are, 1);
    group_mark_many(g, 20, 5);
    struct cluster_command last = group_role_command(group_leader(g)->id, CLUSTER_ROLE_LEARNER);
    assert_int_equal(group_apply(g, &last).error.code, ERROR_INVARIANT);
}

/* What it has of the metadata says that the leader has no part in MetaRaft: that was so when it was cut off. */
static void test_who_was_away_follows_a_leader_that_had_left_before(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    dismiss(g, 2);
    group_until(g, members_are, 2);
    while (cluster_node_by_raft_id(g->seats[3].member->state, 2)->role != CLUSTER_ROLE_NONE) group_run(g, 1);
    want(g, 3, CLUSTER_ROLE_LEARNER);
    group_until(g, has_no_vote, 3);
    g->seats[3].cut = true;
    want(g, 2, CLUSTER_ROLE_LEARNER);
    want(g, 2, CLUSTER_ROLE_VOTER);
    group_until(g, leader_has_voters, 2);
    dismiss(g, 1);
    group_until(g, members_are, 2);
    assert_true(group_leads(g, 2));
    g->seats[3].cut = false;
    want(g, 3, CLUSTER_ROLE_VOTER);
    group_until(g, leader_has_voters, 2);
    group_mark_many(g, 10, 5);
}

/* Pre-vote: it asks before it raises its term, and is told no. */
static void test_a_voter_that_was_cut_off_raises_no_term(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_until(g, group_agrees, 0);
    uint64_t leader = group_leader(g)->id, away = leader == 3 ? 2 : 3;
    uint64_t term = meta_term(g->seats[leader].member);
    g->seats[away].cut = true;
    uint64_t until = uv_now(&g->loop) + 10 * g->election_ms;
    while (uv_now(&g->loop) < until) group_run(g, 1);
    group_mark_many(g, 10, 5);
    assert_int_equal(meta_term(g->seats[away].member), term);
    g->seats[away].cut = false;
    group_until(g, group_agrees, 0);
    assert_int_equal(meta_term(g->seats[leader].member), term);
    assert_true(group_leads(g, leader));
}

/* Any voter may be the one that leads, be closed and opened again, while the group grows to five and shrinks to one. */
static void test_the_group_grows_and_shrinks_under_loss(void **state)
{
    struct group *g = *state;
    group_grow(g, 5);
    g->loss_percent = 5;
    g->delay_max_ms = 5;
    for (unsigned left = 5; left > 1; left--) {
        uint64_t gone = 1 + random_below(&g->random, 5);
        while (!g->seats[gone].member) gone = gone % 5 + 1;
        dismiss(g, gone);
        group_until(g, members_are, left - 1);
        group_mark_many(g, 100 - 10 * left, 5);
        group_close(g, gone);
    }
    g->loss_percent = 0;
    group_until(g, group_is_quiet, 0);
}

int meta_membership_tests(void)
{
#define MEMBERSHIP_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        MEMBERSHIP_TEST(test_a_dead_newcomer_is_named_and_holds_nobody_up),
        MEMBERSHIP_TEST(test_who_heard_of_changes_late_can_make_the_next_one),
        MEMBERSHIP_TEST(test_a_voter_that_is_not_wanted_goes_even_if_it_leads),
        MEMBERSHIP_TEST(test_who_was_away_follows_a_leader_that_had_left_before),
        MEMBERSHIP_TEST(test_a_voter_that_was_cut_off_raises_no_term),
        MEMBERSHIP_TEST(test_the_group_grows_and_shrinks_under_loss),
    };
    return cmocka_run_group_tests_name("meta: membership", tests, NULL, NULL);
}
