#include "fixture.h"

static void test_a_shard_has_its_primary_in_sync(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(3);
    assert_int_equal(change(s, create_shard(2)), 1);
    const struct cluster_shard *shard = cluster_shard_find(s, 1);
    const struct cluster_node *n = cluster_node_find(s, node_id(2));
    assert_string_equal(shard->primary, n->info.id);
    assert_int_equal(shard->epoch, 1);
    assert_int_equal(shard->reign, 1);
    assert_int_equal(n->shard, 1);
    assert_true(n->in_sync);
    assert_true(cluster_node_is_primary(s, n));
    assert_int_equal(nothing(s, create_shard(2)), 1);
    assert_int_equal(change(s, create_shard(3)), 2);
    cluster_state_free(s);
}

static void test_a_primary_must_be_a_member_that_is_up_and_free(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(3);
    refused(s, create_shard(9), ERROR_NOT_FOUND, "is not a member");
    change(s, set_reachable(2, false));
    refused(s, create_shard(2), ERROR_INVARIANT, "node 2 (00000002) is down");
    change(s, create_shard(1));
    change(s, replicate(3, 1));
    refused(s, create_shard(3), ERROR_INVARIANT, "node 3 (00000003) is in shard s1");
    cluster_state_free(s);
}

static void test_a_slot_has_one_owner(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    change(s, create_shard(1));
    change(s, create_shard(2));
    change(s, assign_slots(1, 10, 17));
    refused(s, assign_slots(2, 17, 30), ERROR_INVARIANT, "slot 17 is owned by shard s1");
    refused(s, assign_slots(3, 40, 50), ERROR_NOT_FOUND, "no shard s3");
    nothing(s, assign_slots(1, 12, 15));
    change(s, assign_slots(1, 15, 20)); /* the rest of what is partly there */
    change(s, assign_slots(2, 21, 30));
    struct cluster_ranges slots;
    assert_int_equal(cluster_shard_slots(s, 1, &slots), 0);
    assert_int_equal(slots.count, 1);
    assert_int_equal(slots.list[0].from, 10);
    assert_int_equal(slots.list[0].to, 20);
    cluster_ranges_release(&slots);
    cluster_state_free(s);
}

static void test_every_change_of_a_shard_raises_its_epoch_and_not_its_reign(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(3);
    change(s, create_shard(1));
    change(s, assign_slots(1, 0, 1));
    nothing(s, assign_slots(1, 0, 1));
    change(s, replicate(2, 1));
    nothing(s, replicate(2, 1));
    assert_int_equal(cluster_shard_find(s, 1)->epoch, 3);
    assert_int_equal(cluster_shard_find(s, 1)->reign, 1);
    cluster_state_free(s);
}

static void test_a_new_replica_is_not_in_sync(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    change(s, create_shard(1));
    change(s, replicate(2, 1));
    const struct cluster_node *n = cluster_node_find(s, node_id(2));
    assert_int_equal(n->shard, 1);
    assert_false(n->in_sync);
    assert_false(cluster_node_is_primary(s, n));
    cluster_state_free(s);
}

static void test_a_node_is_in_one_shard(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    refused(s, replicate(4, 2), ERROR_INVARIANT, "node 4 (00000004) is in shard s1");
    refused(s, replicate(1, 2), ERROR_INVARIANT, "node 1 (00000001) is the primary of shard s1");
    nothing(s, replicate(1, 1));
    nothing(s, replicate(4, 1));
    cluster_state_free(s);
}

static void test_a_replica_needs_both_ends_up(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(3);
    change(s, create_shard(1));
    change(s, set_reachable(2, false));
    refused(s, replicate(2, 1), ERROR_INVARIANT, "node 2 (00000002) is down");
    change(s, set_reachable(1, false));
    refused(s, replicate(3, 1), ERROR_INVARIANT, "node 1 (00000001), the primary of shard s1, is down");
    refused(s, replicate(3, 2), ERROR_NOT_FOUND, "no shard s2");
    refused(s, replicate(9, 1), ERROR_NOT_FOUND, "is not a member");
    cluster_state_free(s);
}

static void test_a_number_of_a_shard_is_never_used_again(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    s->next_shard = UINT32_MAX - 1;
    assert_int_equal(change(s, create_shard(1)), UINT32_MAX - 1);
    refused(s, create_shard(2), ERROR_LIMIT, "all numbers for shards have been used");
    cluster_state_free(s);
}

static void test_a_detached_replica_is_in_no_shard_and_free_for_another(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    const struct cluster_node *n = cluster_node_find(s, node_id(4));
    const uint64_t epoch = cluster_shard_find(s, 1)->epoch;
    cluster_node_find(s, node_id(4))->in_sync = true;
    change(s, set_reachable(4, false));
    change(s, detach(4)); /* down or up */
    nothing(s, detach(4));
    assert_int_equal(n->shard, 0);
    assert_false(n->in_sync);
    assert_int_equal(cluster_shard_find(s, 1)->epoch, epoch + 1);
    assert_int_equal(cluster_shard_find(s, 1)->reign, 1);
    change(s, set_reachable(4, true));
    change(s, replicate(4, 2));
    refused(s, detach(1), ERROR_INVARIANT, "node 1 (00000001) is the primary of shard s1");
    refused(s, detach(9), ERROR_NOT_FOUND, "is not a member");
    cluster_state_free(s);
}

static void test_a_shard_without_slots_can_be_dropped_and_frees_its_nodes(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    refused(s, drop_shard(2), ERROR_INVARIANT, "shard s2 owns 5462 slots");
    change(s, move_slots(2, 3, 5461, 10922));
    change(s, set_reachable(2, false));
    change(s, drop_shard(2));
    nothing(s, drop_shard(2)); /* it was there once */
    refused(s, drop_shard(4), ERROR_NOT_FOUND, "no shard s4");
    refused(s, drop_shard(0), ERROR_NOT_FOUND, "no shard s0");
    assert_null(cluster_shard_find(s, 2));
    assert_non_null(cluster_shard_find(s, 3));
    for (unsigned n = 2; n <= 5; n += 3) {
        assert_int_equal(cluster_node_find(s, node_id(n))->shard, 0);
        assert_false(cluster_node_find(s, node_id(n))->in_sync);
    }
    assert_int_equal(cluster_node_find(s, node_id(6))->shard, 3);
    assert_int_equal(change(s, create_shard(5)), 4); /* a number is never used again */
    cluster_state_free(s);
}

static void test_moved_slots_have_their_new_owner_and_both_epochs_rise(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    const uint64_t from = cluster_shard_find(s, 1)->epoch, to = cluster_shard_find(s, 2)->epoch;
    change(s, move_slots(1, 2, 100, 200));
    nothing(s, move_slots(1, 2, 100, 200));
    change(s, move_slots(1, 2, 200, 201)); /* the rest of what is partly there */
    assert_int_equal(s->owner[99], 1);
    assert_int_equal(s->owner[100], 2);
    assert_int_equal(s->owner[201], 2);
    assert_int_equal(s->owner[202], 1);
    assert_int_equal(cluster_shard_find(s, 1)->epoch, from + 2);
    assert_int_equal(cluster_shard_find(s, 2)->epoch, to + 2);
    assert_int_equal(cluster_shard_find(s, 1)->reign, 1);
    cluster_state_free(s);
}

static void test_slots_move_between_two_shards_that_are_there_and_from_their_owner(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    refused(s, move_slots(1, 2, 5460, 10923), ERROR_INVARIANT, "slot 10923 is owned by shard s3");
    refused(s, move_slots(1, 9, 0, 1), ERROR_NOT_FOUND, "no shard s9");
    refused(s, move_slots(9, 1, 0, 1), ERROR_NOT_FOUND, "no shard s9");
    refused(s, move_slots(1, 1, 0, 1), ERROR_FORMAT, "move_slots: from s1 to s1");
    s->owner[7] = 0;
    refused(s, move_slots(1, 2, 0, 10), ERROR_INVARIANT, "slot 7 is owned by no shard");
    nothing(s, (struct cluster_command){.type = CLUSTER_MOVE_SLOTS, .shard = 1, .to = 2});
    cluster_state_free(s);
}

int run_shard_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_shard_has_its_primary_in_sync),
        cmocka_unit_test(test_a_primary_must_be_a_member_that_is_up_and_free),
        cmocka_unit_test(test_a_slot_has_one_owner),
        cmocka_unit_test(test_every_change_of_a_shard_raises_its_epoch_and_not_its_reign),
        cmocka_unit_test(test_a_new_replica_is_not_in_sync),
        cmocka_unit_test(test_a_node_is_in_one_shard),
        cmocka_unit_test(test_a_replica_needs_both_ends_up),
        cmocka_unit_test(test_a_number_of_a_shard_is_never_used_again),
        cmocka_unit_test(test_a_detached_replica_is_in_no_shard_and_free_for_another),
        cmocka_unit_test(test_a_shard_without_slots_can_be_dropped_and_frees_its_nodes),
        cmocka_unit_test(test_moved_slots_have_their_new_owner_and_both_epochs_rise),
        cmocka_unit_test(test_slots_move_between_two_shards_that_are_there_and_from_their_owner),
    };
    return cmocka_run_group_tests_name("cluster shards", tests, NULL, NULL);
}
