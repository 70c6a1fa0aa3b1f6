/* A member that lies, against honest ones: it is refused, and nothing changes. What it sends is well formed;
 * wire_test.c has the rest. */
#include "liar.h"
#include "snapshot.h"
#include "tests.h"

/* ---- terms and senders ---- */

static void test_a_term_out_of_reach_is_refused(void **state)
{
    struct group *g = *state;
    settle(g);
    struct raft_message m = vote_message(&g->seats[2], 0);
    m.request_vote.term = UINT64_MAX;
    must_refuse(g, &g->seats[2], 3, &m, ERROR_FORMAT);
    m = vote_message(&g->seats[2], 1000001);
    must_refuse(g, &g->seats[2], 3, &m, ERROR_FORMAT);
    must_refuse(g, &g->seats[1], 3, &m, ERROR_FORMAT);
    m = (struct raft_message){.type = RAFT_APPEND_ENTRIES_RESULT,
                              .append_entries_result = {.version = 1, .term = 5000000}};
    must_refuse(g, &g->seats[1], 3, &m, ERROR_FORMAT);
}

static void test_strangers_are_refused(void **state)
{
    struct group *g = *state;
    settle(g);
    struct raft_message m = vote_message(&g->seats[2], 1);
    must_refuse(g, &g->seats[2], 0, &m, ERROR_FORMAT);
    must_refuse(g, &g->seats[2], 2, &m, ERROR_FORMAT); /* itself */
    must_refuse(g, &g->seats[2], 5000, &m, ERROR_FORMAT);
    must_refuse(g, &g->seats[1], 4, &m, ERROR_FORMAT); /* a leader knows them all */
    m = (struct raft_message){.type = RAFT_TIMEOUT_NOW, .timeout_now = {.version = 1, .term = 1}};
    must_refuse(g, &g->seats[2], 4, &m, ERROR_FORMAT);
}

static void test_who_was_removed_is_not_heard(void **state)
{
    struct group *g = *state;
    settle(g);
    for (uint64_t id = 1; id <= 3; id++)
        cluster_node_by_raft_id(g->seats[id].member->state, 3)->role = CLUSTER_ROLE_NONE;
    struct picture before;
    do {
        group_run(g, 1);
    } while (meta_members(g->seats[2].member, NULL, 0) != 2);
    group_until(g, group_leads, 1);
    before = picture_of(&g->seats[2]);
    struct raft_message m = vote_message(&g->seats[2], 1);
    must_refuse(g, &g->seats[2], 3, &m, 0); /* dropped: it may not know yet */
    must_refuse(g, &g->seats[1], 3, &m, 0);
    assert_int_equal(picture_of(&g->seats[2]).term, before.term);
}

static void test_a_member_that_lags_hears_a_leader_it_does_not_know(void **state)
{
    struct group *g = *state;
    group_grow(g, 2);
    struct cluster_command commands[] = {group_admit_command(3), group_role_command(3, CLUSTER_ROLE_LEARNER),
                                         group_role_command(3, CLUSTER_ROLE_VOTER)};
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    group_open(g, 3, false);
    group_until(g, group_voters_are, 3);
    uint64_t lagging = group_leader(g)->id == 1 ? 2 : 1;
    group_close(g, lagging);
    struct cluster_command more[] = {group_admit_command(4), group_role_command(4, CLUSTER_ROLE_LEARNER),
                                     group_role_command(4, CLUSTER_ROLE_VOTER)};
    group_open(g, 4, false);
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &more[i]).error.code, 0);
    group_until(g, group_voters_are, 4);
    struct error e;
    while (group_leader(g) == NULL || group_leader(g)->id != 4) {
        if (group_leader(g)) meta_transfer(group_leader(g)->member, 4, &e);
        group_run(g, 20);
    }
    group_open(g, lagging, lagging == 1); /* led by 4, of whom it has never heard */
    group_until(g, group_agrees, 0);
}

/* ---- leaders and entries ---- */

static void test_a_second_leader_in_a_term_is_refused(void **state)
{
    struct group *g = *state;
    settle(g);
    struct raft_entry entry = {.term = meta_term(g->seats[2].member), .type = RAFT_COMMAND, .buf = {liar_bytes, 8}};
    uint64_t last = raft_last_index(&g->seats[2].member->raft);
    struct raft_message m = entries_message(&g->seats[2], last, &entry, 1);
    must_refuse(g, &g->seats[2], 3, &m, ERROR_FORMAT);
    must_refuse(g, &g->seats[1], 3, &m, ERROR_FORMAT); /* who leads himself */
    group_mark_many(g, 100, 5);
    group_until(g, group_agrees, 0);
}

static void test_committed_entries_cannot_be_replaced(void **state)
{
    struct group *g = *state;
    settle(g);
    struct seat *victim = &g->seats[2];
    uint64_t term = meta_term(victim->member) + 1, last = raft_last_index(&victim->member->raft);
    struct raft_entry entry = {.term = term, .type = RAFT_COMMAND, .buf = {liar_bytes, 8}};
    struct raft_message m = entries_message(victim, last - 5, &entry, 1);
    m.append_entries.term = term;
    must_refuse(g, victim, 3, &m, ERROR_FORMAT);
    m = entries_message(victim, last - 5, NULL, 0);
    m.append_entries.prev_log_term = m.append_entries.term = term;
    must_refuse(g, victim, 3, &m, ERROR_FORMAT);
}

static void test_a_commit_index_never_goes_back(void **state)
{
    struct group *g = *state;
    settle(g);
    struct raft_message m = entries_message(&g->seats[2], 3, NULL,
                                            0); /* from the leader: an old heartbeat, with a newer commit index */
    uint64_t commit = picture_of(&g->seats[2]).commit;
    assert_int_equal(lie(&g->seats[2], 1, &m), 0);
    assert_int_equal(picture_of(&g->seats[2]).commit, commit);
}

static void test_entries_that_a_snapshot_holds_are_not_appended_again(void **state)
{
    struct group *g = *state;
    g->election_ms = CALM_MS;
    group_grow(g, 3);
    snapshot_often(g);
    struct seat *victim = &g->seats[2];
    const struct raft *r = &victim->member->raft;
    for (uint64_t next = 10; r->trail.offset < 10; next += 20) {
        group_mark_many(g, next, 20);
        group_until(g, group_agrees, 0);
    }
    struct raft_entry old[5];
    for (unsigned i = 0; i < 5; i++)
        old[i] = (struct raft_entry){.term = 1, .type = RAFT_COMMAND, .buf = {liar_bytes, 8}};
    struct raft_message m = entries_message(victim, 0, old, 5); /* what the leader has sent in the beginning, again */
    struct picture before = picture_of(victim);
    assert_int_equal(lie(victim, meta_leader(victim->member), &m), 0);
    group_run(g, 50);
    assert_int_equal(picture_of(victim).last, before.last);
    group_mark_many(g, 5000, 10);
    group_until(g, group_agrees, 0);
}

static void test_a_rejection_of_what_was_never_sent_is_refused(void **state)
{
    struct group *g = *state;
    settle(g);
    struct raft_message m = {.type = RAFT_APPEND_ENTRIES_RESULT,
                             .append_entries_result = {.version = 1,
                                                       .term = meta_term(g->seats[1].member),
                                                       .rejected = UINT64_MAX,
                                                       .last_log_index = UINT64_MAX - 1}};
    must_refuse(g, &g->seats[1], 3, &m, ERROR_FORMAT);
}

/* ---- snapshots ---- */

static void test_snapshots_of_nonsense_and_of_other_clusters_are_refused(void **state)
{
    struct group *g = *state;
    settle(g);
    struct raft_server servers[1] = {{3, NULL, RAFT_VOTER}};
    struct raft_message m = {.type = RAFT_INSTALL_SNAPSHOT,
                             .install_snapshot = {.version = 1,
                                                  .term = meta_term(g->seats[2].member),
                                                  .last_index = 100000,
                                                  .last_term = 1,
                                                  .conf = {servers, 1},
                                                  .conf_index = 1,
                                                  .data = {liar_bytes, sizeof liar_bytes}}};
    must_refuse(g, &g->seats[2], 1, &m, ERROR_FORMAT);

    struct cluster_state *other = cluster_state_clone(meta_state(g->seats[1].member), true);
    memset(other->id, 'd', CLUSTER_ID_LEN);
    struct cluster_state *ours = g->seats[1].member->state;
    g->seats[1].member->state = other;
    struct raft_buffer *data;
    unsigned n;
    assert_int_equal(g->seats[1].member->fsm.snapshot(&g->seats[1].member->fsm, &data, &n), 0);
    g->seats[1].member->state = ours;
    m.install_snapshot.data = data[0];
    must_refuse(g, &g->seats[2], 1, &m, ERROR_FOREIGN);
    m.install_snapshot.last_index = 5; /* committed, in another term */
    m.install_snapshot.last_term = m.install_snapshot.term = meta_term(g->seats[2].member) + 7;
    must_refuse(g, &g->seats[2], 1, &m, ERROR_FORMAT);
    raft_free(data[0].base);
    raft_free(data);
    cluster_state_free(other);
}

static void test_a_snapshot_is_dropped_while_libraft_could_not_take_it(void **state)
{
    struct group *g = *state;
    settle(g);
    struct raft *r = &g->seats[2].member->raft;
    struct raft_server servers[1] = {{1, NULL, RAFT_VOTER}};
    struct raft_buffer *data;
    unsigned n;
    assert_int_equal(g->seats[1].member->fsm.snapshot(&g->seats[1].member->fsm, &data, &n), 0);
    struct raft_message m = {.type = RAFT_INSTALL_SNAPSHOT,
                             .install_snapshot = {.version = 1,
                                                  .term = r->current_term,
                                                  .last_index = raft_last_index(r) + 100,
                                                  .last_term = r->current_term,
                                                  .conf = {servers, 1},
                                                  .conf_index = 1,
                                                  .data = data[0]}};
    r->legacy.snapshot_taking = true;
    must_refuse(g, &g->seats[2], 1, &m, 0);
    assert_false(r->snapshot.installing);
    r->legacy.snapshot_taking = false;
    raft_free(data[0].base);
    raft_free(data);
}

int meta_hostile_tests(void)
{
#define HOSTILE_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST(test_a_term_out_of_reach_is_refused),
        HOSTILE_TEST(test_strangers_are_refused),
        HOSTILE_TEST(test_who_was_removed_is_not_heard),
        HOSTILE_TEST(test_a_member_that_lags_hears_a_leader_it_does_not_know),
        HOSTILE_TEST(test_a_second_leader_in_a_term_is_refused),
        HOSTILE_TEST(test_committed_entries_cannot_be_replaced),
        HOSTILE_TEST(test_a_commit_index_never_goes_back),
        HOSTILE_TEST(test_entries_that_a_snapshot_holds_are_not_appended_again),
        HOSTILE_TEST(test_a_rejection_of_what_was_never_sent_is_refused),
        HOSTILE_TEST(test_snapshots_of_nonsense_and_of_other_clusters_are_refused),
        HOSTILE_TEST(test_a_snapshot_is_dropped_while_libraft_could_not_take_it),
    };
    return cmocka_run_group_tests_name("meta: hostile members", tests, NULL, NULL);
}
