/* Members that are cut off, restart, or have a bad network: nothing is lost, nothing happens twice. */
#include "base/clock.h"
#include "base/random.h"
#include "flight.h"
#include "snapshot.h"
#include "tests.h"

static bool not_leading(struct group *g, uint64_t id)
{
    return !g->seats[id].leads;
}

static void test_proposals_of_a_leader_that_is_cut_off_end_and_happen_at_most_once(void **state)
{
    struct group *g = *state;
    static struct flight f;
    f = (struct flight){.first = 10};
    group_grow(g, 3);
    struct seat *old = group_leader(g);
    for (unsigned i = 0; i < 5; i++) assert_true(flight_add(&f, old->member));
    group_until(g, flight_over, (uintptr_t)&f);
    for (unsigned i = 0; i < 10; i++) assert_true(flight_add(&f, old->member));
    group_run(g, 1); /* some are on their way */
    old->cut = true;
    for (unsigned i = 0; i < 10; i++) assert_true(flight_add(&f, old->member));
    group_until(g, not_leading, old->id);
    group_until(g, flight_over, (uintptr_t)&f);
    for (unsigned i = 0; i < f.count; i++)
        assert_true(f.code[i] == 0 || f.code[i] == ERROR_STALE || f.code[i] == ERROR_NOT_LEADER);
    assert_int_equal(f.code[24], ERROR_STALE); /* nobody else had it */
    assert_false(flight_add(&f, old->member));
    group_until(g, group_leads_elsewhere, old->id);
    group_mark_many(g, 100, 10);
    old->cut = false;
    group_until(g, group_agrees, 0);
    for (uint64_t id = 1; id <= 3; id++) flight_check(&f, &g->seats[id]);
    struct cluster_command lost = group_mark_command(10 + 24);
    for (uint64_t id = 1; id <= 3; id++) assert_int_equal(group_applied(&g->seats[id], &lost), 0);
}

static void test_any_one_of_three_may_start_again(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    uint64_t next = 10;
    for (unsigned i = 0; i < 4; i++, next += 20) {
        group_until(g, group_has_leader, 0);
        uint64_t id = i % 2 ? group_leader(g)->id % 3 + 1 : group_leader(g)->id; /* the leader, then another */
        group_mark_many(g, next, 10);
        group_close(g, id);
        group_mark_many(g, next + 10, 10);
        group_open(g, id, id == 1);
        group_until(g, group_agrees, 0);
    }
    assert_int_equal(cluster_node_by_raft_id(meta_state(group_leader(g)->member), 1)->info.incarnation, next - 1);
}

static void test_all_may_start_again_at_once(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_mark_many(g, 10, 30);
    uint64_t version = meta_state(group_leader(g)->member)->version;
    for (uint64_t id = 1; id <= 3; id++) group_close(g, id);
    for (uint64_t id = 1; id <= 3; id++) group_open(g, id, id == 1);
    group_until(g, group_has_leader, 0);
    group_until(g, group_agrees, 0);
    assert_int_equal(meta_state(group_leader(g)->member)->version, version);
}

static void test_closing_answers_what_is_open(void **state)
{
    struct group *g = *state;
    static struct flight f;
    f = (struct flight){.first = 10};
    group_grow(g, 3);
    struct seat *leader = group_leader(g);
    for (unsigned i = 0; i < 30; i++) assert_true(flight_add(&f, leader->member));
    group_run(g, 1);
    for (unsigned i = 0; i < 30; i++) assert_true(flight_add(&f, leader->member));
    leader->closing = true;
    group_close(g, leader->id);
    assert_int_equal(f.answered, 60);
    assert_int_equal(f.code[59], ERROR_NOT_LEADER); /* it was never handed to libraft */
    group_until(g, group_has_leader, 0);
    flight_check(&f, group_leader(g));
}

/* ---- a bad network ---- */

static void check_bad_network(struct group *g, uint64_t rounds)
{
    static struct flight f;
    f = (struct flight){.first = 10};
    group_grow(g, 3);
    snapshot_often(g);
    g->loss_percent = 5;
    g->delay_max_ms = 15;
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t cut = random_below(&g->random, 4); /* 0: nobody */
        g->seats[cut].cut = cut > 0;
        uint64_t until = clock_monotonic_ms() + 200 + random_below(&g->random, 300);
        while (clock_monotonic_ms() < until) {
            for (uint64_t id = 1; id <= 3; id++) {
                if (random_below(&g->random, 5) == 0 && f.count < FLIGHT_MAX) flight_add(&f, g->seats[id].member);
            }
            group_run(g, 1);
        }
        g->seats[cut].cut = false;
        snapshot_often(g);
    }
    g->loss_percent = g->delay_max_ms = 0;
    group_until(g, flight_over, (uintptr_t)&f);
    group_until(g, group_agrees, 0);
    print_message("%u proposals, version %d\n", f.count, (int)meta_state(group_leader(g)->member)->version);
    for (uint64_t id = 1; id <= 3; id++) {
        if (g->seats[id].replaced == 0) flight_check(&f, &g->seats[id]); /* it has applied everything itself */
    }
}

static void test_loss_delay_and_partitions_change_nothing_but_time(void **state)
{
    check_bad_network(*state, 5);
}

int meta_failure_tests(void)
{
#define FAILURE_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        FAILURE_TEST(test_proposals_of_a_leader_that_is_cut_off_end_and_happen_at_most_once),
        FAILURE_TEST(test_any_one_of_three_may_start_again),
        FAILURE_TEST(test_all_may_start_again_at_once),
        FAILURE_TEST(test_closing_answers_what_is_open),
        FAILURE_TEST(test_loss_delay_and_partitions_change_nothing_but_time),
    };
    return cmocka_run_group_tests_name("meta: failures", tests, NULL, NULL);
}
