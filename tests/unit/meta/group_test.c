/* Founding, joining, proposing, restarting: nothing fails here. */
#include "group.h"

#include "tests.h"

static void test_founding_makes_a_group_of_one_that_leads(void **state)
{
    struct group *g = *state;
    group_open(g, 1, true);
    group_until(g, group_leads, 1);
    const struct cluster_state *s = meta_state(g->seats[1].member);
    assert_int_equal(s->version, 1);
    assert_string_equal(s->id, group_found_command().cluster_id);
    assert_int_equal(cluster_node_by_raft_id(s, 1)->role, CLUSTER_ROLE_VOTER);
    assert_int_equal(meta_leader(g->seats[1].member), 1);
}

static void test_a_founder_that_starts_again_keeps_its_state_and_founds_nothing(void **state)
{
    struct group *g = *state;
    group_open(g, 1, true);
    group_until(g, group_leads, 1);
    group_mark_many(g, 2, 10);
    uint64_t term = meta_term(g->seats[1].member);
    for (unsigned i = 0; i < 3; i++) {
        group_close(g, 1);
        group_open(g, 1, true);
        group_until(g, group_leads, 1);
    }
    const struct cluster_state *s = meta_state(g->seats[1].member);
    assert_int_equal(s->version, 11);
    assert_int_equal(cluster_node_by_raft_id(s, 1)->info.incarnation, 11);
    assert_true(meta_term(g->seats[1].member) >= term);
    struct cluster_command found = group_found_command();
    assert_int_equal(group_applied(&g->seats[1], &found), 1);
}

static void test_an_empty_member_waits(void **state)
{
    struct group *g = *state;
    group_open(g, 2, false);
    group_run(g, 300);
    assert_false(meta_leads(g->seats[2].member));
    assert_int_equal(meta_leader(g->seats[2].member), 0);
    assert_int_equal(meta_members(g->seats[2].member, NULL, 0), 0);
    assert_int_equal(g->sent, 0);
}

static bool is_learner(struct group *g, uint64_t id)
{
    struct meta_member members[SEATS];
    struct seat *leader = group_leader(g);
    size_t n = leader ? meta_members(leader->member, members, SEATS) : 0;
    return n == 2 && members[1].raft_id == id && members[1].role == CLUSTER_ROLE_LEARNER && group_agrees(g, 0);
}

static void test_a_learner_gets_the_log_and_no_vote(void **state)
{
    struct group *g = *state;
    group_open(g, 1, true);
    struct cluster_command admit = group_admit_command(2), role = group_role_command(2, CLUSTER_ROLE_LEARNER);
    group_mark_many(g, 2, 20);
    group_apply(g, &admit);
    group_apply(g, &role);
    group_open(g, 2, false);
    group_until(g, is_learner, 2);
    assert_int_equal(meta_leader(g->seats[2].member), 1);
    group_close(g, 2); /* nobody needs it */
    group_mark_many(g, 22, 5);
    group_open(g, 2, false);
    group_until(g, group_agrees, 0);
}

static void test_one_three_and_five_voters_agree_byte_by_byte(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_mark_many(g, 2, 100);
    group_until(g, group_agrees, 0);
    for (uint64_t id = 4; id <= 5; id++) {
        struct cluster_command commands[] = {group_admit_command(id), group_role_command(id, CLUSTER_ROLE_LEARNER),
                                             group_role_command(id, CLUSTER_ROLE_VOTER)};
        group_open(g, id, false);
        for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    }
    group_until(g, group_voters_are, 5);
    group_mark_many(g, 200, 100);
    group_until(g, group_agrees, 0);
}

static bool is_led_by(struct group *g, uint64_t id)
{
    return g->seats[id].leads && meta_leader(g->seats[1].member) == id;
}

static void test_leadership_is_handed_over_as_asked(void **state)
{
    struct group *g = *state;
    struct error e;
    g->election_ms = CALM_MS;
    group_grow(g, 3);
    assert_int_equal(meta_transfer(g->seats[1].member, 4, &e), ERROR_NOT_FOUND);
    assert_int_equal(meta_transfer(g->seats[2].member, 3, &e), ERROR_NOT_LEADER);
    group_until(g, group_agrees, 0);
    assert_int_equal(meta_transfer(g->seats[1].member, 3, &e), 0);
    group_until(g, is_led_by, 3);
    assert_false(g->seats[1].leads);
    group_mark_many(g, 2, 5);
    group_until(g, group_agrees, 0);
}

static void count_answer(void *user, const struct cluster_result *result)
{
    unsigned *counts = user; /* taken, refused by the state machine, else */
    counts[result->error.code == 0 ? 0 : result->error.code == ERROR_EXISTS ? 1 : 2]++;
}

static bool has_counted(struct group *g, uint64_t pointer)
{
    (void)g;
    unsigned *counts = (unsigned *)(uintptr_t)pointer; /* and [3]: how many are awaited */
    return counts[0] + counts[1] + counts[2] == counts[3];
}

static void test_each_proposal_gets_its_own_result(void **state)
{
    struct group *g = *state;
    unsigned good[4] = {0, 0, 0, 50}, bad[4] = {0, 0, 0, 50};
    struct error e;
    group_open(g, 1, true);
    group_until(g, group_leads, 1);
    for (unsigned i = 0; i < 50; i++) {
        struct cluster_command mark = group_mark_command(i + 2), found = group_found_command();
        memset(found.cluster_id, 'd', CLUSTER_ID_LEN);
        assert_int_equal(meta_propose(g->seats[1].member, &mark, count_answer, good, &e), 0);
        assert_int_equal(meta_propose(g->seats[1].member, &found, count_answer, bad, &e), 0);
    }
    group_until(g, has_counted, (uintptr_t)good);
    group_until(g, has_counted, (uintptr_t)bad);
    assert_int_equal(good[0], 50);
    assert_int_equal(bad[1], 50);
}

static void test_the_queue_of_proposals_is_bounded(void **state)
{
    struct group *g = *state;
    unsigned counts[4] = {0};
    struct cluster_command mark = group_mark_command(2);
    struct error e;
    assert_true(group_has_leader(g, 0) == false);
    group_open(g, 1, true);
    assert_int_equal(meta_propose(g->seats[1].member, &mark, count_answer, counts, &e), ERROR_NOT_LEADER);
    group_until(g, group_leads, 1);
    for (unsigned i = 0; i < 256; i++) {
        mark = group_mark_command(i + 2);
        assert_int_equal(meta_propose(g->seats[1].member, &mark, count_answer, counts, &e), 0);
    }
    assert_int_equal(meta_propose(g->seats[1].member, &mark, count_answer, counts, &e), ERROR_LIMIT);
    counts[3] = 256;
    group_until(g, has_counted, (uintptr_t)counts);
    assert_int_equal(counts[0], 256);
}

static void test_large_commands_wait_their_turn(void **state)
{
    struct group *g = *state;
    unsigned counts[4] = {0, 0, 0, 15};
    struct error e;
    group_grow(g, 3);
    struct seat *leader = group_leader(g);
    static char source[CLUSTER_SCRIPT_MAX];
    memset(source, '-', sizeof source);
    for (unsigned i = 0; i < 15; i++) { /* 3.75 MiB: beyond what libraft is given at once */
        struct cluster_command c = {
            .type = CLUSTER_LOAD_SCRIPT, .name = "large", .source = source, .source_len = sizeof source};
        snprintf(c.version, sizeof c.version, "%016x", i);
        assert_int_equal(meta_propose(leader->member, &c, count_answer, counts, &e), 0);
    }
    struct cluster_command c = {
        .type = CLUSTER_LOAD_SCRIPT, .name = "large", .source = source, .source_len = sizeof source};
    memset(c.version, 'f', 16);
    assert_int_equal(meta_propose(leader->member, &c, count_answer, counts, &e), ERROR_LIMIT);
    group_until(g, has_counted, (uintptr_t)counts);
    assert_int_equal(counts[0], 15);
    group_until(g, group_agrees, 0);
}

int meta_group_tests(void)
{
#define GROUP_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        GROUP_TEST(test_founding_makes_a_group_of_one_that_leads),
        GROUP_TEST(test_a_founder_that_starts_again_keeps_its_state_and_founds_nothing),
        GROUP_TEST(test_an_empty_member_waits),
        GROUP_TEST(test_a_learner_gets_the_log_and_no_vote),
        GROUP_TEST(test_one_three_and_five_voters_agree_byte_by_byte),
        GROUP_TEST(test_leadership_is_handed_over_as_asked),
        GROUP_TEST(test_each_proposal_gets_its_own_result),
        GROUP_TEST(test_the_queue_of_proposals_is_bounded),
        GROUP_TEST(test_large_commands_wait_their_turn),
    };
    return cmocka_run_group_tests_name("meta: groups", tests, NULL, NULL);
}
