#include <stdio.h>
#include <stdlib.h>

#include "cluster/live.h"
#include "cluster/routing.h"
#include "rich.h"

static void test_routing_knows_the_primary_of_every_slot(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    struct cluster_node_info me = node_info(2, "");
    struct cluster_routing *r = cluster_routing_new(s, &me, node_id(1), 7);
    assert_int_equal(r->slots_assigned, CLUSTER_SLOTS);
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        unsigned shard = slot <= 5460 ? 1 : slot <= 10922 ? 2 : 3;
        assert_int_equal(r->slot_primary[slot], shard - 1);
        assert_int_equal(r->slot_mine[slot], shard == 2);
    }
    assert_string_equal(r->self->info.id, node_id(2));
    assert_ptr_equal(r->self, cluster_node_find(r->state, node_id(2)));
    assert_true(r->leader_known);
    assert_string_equal(r->leader, node_id(1));
    assert_int_equal(r->raft_term, 7);
    assert_int_equal(r->state->run_count, 0);
    cluster_state_free(s); /* it has its own */
    assert_string_equal(r->state->nodes[r->slot_primary[0]].info.id, node_id(1));
    cluster_routing_release(r);
}

static void test_a_replica_or_a_stranger_has_no_slots(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    for (unsigned me = 4; me <= 9; me += 5) {
        struct cluster_node_info info = node_info(me, "");
        struct cluster_routing *r = cluster_routing_new(s, &info, "", 0);
        assert_int_equal(r->self != NULL, me == 4);
        assert_false(r->leader_known);
        for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) assert_false(r->slot_mine[slot]);
        cluster_routing_release(r);
    }
    cluster_state_free(s);
}

static void test_routing_before_a_cluster_has_nobody(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_state_new();
    struct cluster_node_info me = node_info(1, "");
    struct cluster_routing *r = cluster_routing_new(s, &me, NULL, 0);
    assert_null(r->self);
    assert_string_equal(r->my_id, me.id);
    assert_int_equal(r->my_bus_port, me.bus_port);
    assert_int_equal(r->slots_assigned, 0);
    assert_int_equal(r->slot_primary[16383], -1);
    assert_ptr_equal(cluster_routing_retain(r), r);
    cluster_routing_release(r);
    assert_int_equal(r->slot_primary[0], -1); /* one reference is left */
    cluster_routing_release(r);
    cluster_routing_release(NULL);
    cluster_state_free(s);
}

static void test_live_nodes_are_found_by_id(void **state)
{
    (void)state;
    struct cluster_live l = {
        .nodes = calloc(3, sizeof *l.nodes), .node_count = 3, .candidates = calloc(1, sizeof *l.candidates)};
    for (unsigned i = 0; i < 3; i++) snprintf(l.nodes[i].id, sizeof l.nodes[i].id, "%s", node_id(2 * i + 1));
    assert_ptr_equal(cluster_live_find(&l, node_id(3)), &l.nodes[1]);
    assert_null(cluster_live_find(&l, node_id(2)));
    cluster_live_release(&l);
    assert_null(cluster_live_find(&l, node_id(3)));
}

int run_routing_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routing_knows_the_primary_of_every_slot),
        cmocka_unit_test(test_a_replica_or_a_stranger_has_no_slots),
        cmocka_unit_test(test_routing_before_a_cluster_has_nobody),
        cmocka_unit_test(test_live_nodes_are_found_by_id),
    };
    return cmocka_run_group_tests_name("cluster routing", tests, NULL, NULL);
}
