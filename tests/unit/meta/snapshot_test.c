/* Snapshots: taken, read again, sent to who is too far behind for the log. */
#include "meta/member.h"
#include "snapshot.h"
#include "tests.h"

void snapshot_often(struct group *g)
{
    for (uint64_t id = 1; id <= SEATS; id++) {
        if (!g->seats[id].member) continue;
        raft_set_snapshot_threshold(&g->seats[id].member->raft, 16);
        raft_set_snapshot_trailing(&g->seats[id].member->raft, 4);
        raft_set_install_snapshot_timeout(&g->seats[id].member->raft, 200);
    }
}

void forget(struct group *g, uint64_t *next, uint64_t index)
{
    do {
        group_mark_many(g, *next, 20);
        *next += 20;
    } while (group_leader(g)->member->raft.trail.offset < index);
}

static void test_a_member_far_behind_gets_a_snapshot(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    snapshot_often(g);
    uint64_t behind = group_leader(g)->id % 3 + 1, next = 10;
    uint64_t last = raft_last_index(&g->seats[behind].member->raft);
    group_close(g, behind);
    forget(g, &next, last + 10);
    group_open(g, behind, false);
    snapshot_often(g);
    group_until(g, group_agrees, 0);
    assert_true(g->seats[behind].replaced > 0);
    group_close(g, behind); /* and has it on disk */
    group_open(g, behind, false);
    group_mark_many(g, next, 40);
    group_until(g, group_agrees, 0);
}

static void test_a_newcomer_begins_with_a_snapshot_and_becomes_a_voter(void **state)
{
    struct group *g = *state;
    uint64_t next = 2;
    group_open(g, 1, true);
    snapshot_often(g);
    forget(g, &next, 10);
    group_close(g, 1);
    group_open(g, 1, true); /* its own snapshot is read */
    snapshot_often(g);
    forget(g, &next, 20);
    struct cluster_command commands[] = {group_admit_command(2), group_role_command(2, CLUSTER_ROLE_LEARNER),
                                         group_role_command(2, CLUSTER_ROLE_VOTER)};
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    group_open(g, 2, false);
    group_until(g, group_voters_are, 2);
    group_until(g, group_agrees, 0);
    assert_true(g->seats[2].replaced > 0);
}

/* libraft's read of its own snapshot fails once. */
static int (*real_snapshot_get)(struct raft_io *io, struct raft_io_snapshot_get *req, raft_io_snapshot_get_cb cb);
static raft_io_snapshot_get_cb failing_cb;
static unsigned failures_left;

static void fail_snapshot_get(struct raft_io_snapshot_get *req, struct raft_snapshot *snapshot, int status)
{
    if (status == 0 && failures_left > 0) {
        failures_left--;
        raft_configuration_close(&snapshot->configuration);
        raft_free(snapshot->bufs[0].base);
        raft_free(snapshot->bufs);
        memset(snapshot, 0xaa, sizeof *snapshot);
        status = RAFT_IOERR;
    }
    failing_cb(req, snapshot, status);
}

static int snapshot_get_stub(struct raft_io *io, struct raft_io_snapshot_get *req, raft_io_snapshot_get_cb cb)
{
    failing_cb = cb;
    return real_snapshot_get(io, req, fail_snapshot_get);
}

static void test_a_snapshot_that_cannot_be_read_is_sent_later(void **state)
{
    struct group *g = *state;
    uint64_t next = 2;
    group_open(g, 1, true);
    snapshot_often(g);
    forget(g, &next, 10);
    real_snapshot_get = g->seats[1].member->net.disk.snapshot_get;
    g->seats[1].member->net.disk.snapshot_get = snapshot_get_stub;
    failures_left = 2;
    struct cluster_command commands[] = {group_admit_command(2), group_role_command(2, CLUSTER_ROLE_LEARNER)};
    for (size_t i = 0; i < 2; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    group_open(g, 2, false);
    group_until(g, group_agrees, 0);
    assert_int_equal(failures_left, 0);
}

int meta_snapshot_tests(void)
{
#define SNAPSHOT_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(test_a_member_far_behind_gets_a_snapshot),
        SNAPSHOT_TEST(test_a_newcomer_begins_with_a_snapshot_and_becomes_a_voter),
        SNAPSHOT_TEST(test_a_snapshot_that_cannot_be_read_is_sent_later),
    };
    return cmocka_run_group_tests_name("meta: snapshots", tests, NULL, NULL);
}
