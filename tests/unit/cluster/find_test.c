#include <stdio.h>

#include "fixture.h"

static void names(const struct cluster_state *s, const char *text, unsigned node)
{
    struct error e = {0};
    const struct cluster_node *n = cluster_node_named(s, bytes_text(text), &e);
    if (!n) fail_msg("%s", e.text);
    assert_string_equal(n->info.id, node_id(node));
}

static void names_nobody(const struct cluster_state *s, const char *text, enum error_code code, const char *why)
{
    struct error e = {0};
    assert_null(cluster_node_named(s, bytes_text(text), &e));
    assert_int_equal(e.code, code);
    if (!strstr(e.text, why)) fail_msg("'%s' does not hold '%s'", e.text, why);
}

static void test_a_node_is_named_by_id_prefix_alias_or_name(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(3);
    names(s, node_id(2), 2);
    names(s, "00000003", 3);
    names(s, "3", 3);
    names(s, "host3", 3);
    names_nobody(s, "000000", ERROR_GENERIC, "'000000' is ambiguous: it names node 000000010000 and node 000000020000");
    names_nobody(s, "00003", ERROR_NOT_FOUND, "no node '00003'");
    names_nobody(s, "4", ERROR_NOT_FOUND, "no node '4'");
    names_nobody(s, "0", ERROR_NOT_FOUND, "no node '0'");
    names_nobody(s, "", ERROR_NOT_FOUND, "no node ''");
    names_nobody(s, "HOST3", ERROR_NOT_FOUND, "no node");
    assert_null(cluster_node_named(s, bytes_of(NULL, 0), NULL));
    cluster_state_free(s);
}

static void test_an_alias_goes_before_a_name_and_a_name_before_a_prefix(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    struct cluster_node_info i = node_info(2, "a");
    snprintf(i.name, sizeof i.name, "1");
    change(s, update_node(i));
    names(s, "1", 1);
    snprintf(i.name, sizeof i.name, "00000001");
    change(s, update_node(i));
    names(s, "00000001", 2);
    cluster_state_free(s);
}

static void test_a_name_that_two_nodes_have_is_ambiguous(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    struct cluster_node_info i = node_info(2, "a");
    snprintf(i.name, sizeof i.name, "host1");
    change(s, update_node(i));
    names_nobody(s, "host1", ERROR_GENERIC, "ambiguous");
    cluster_state_free(s);
}

static void test_a_node_is_found_by_raft_id(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    assert_string_equal(cluster_node_by_raft_id(s, 3)->info.id, node_id(3));
    assert_null(cluster_node_by_raft_id(s, 4));
    assert_null(cluster_node_by_raft_id(s, 0)); /* what nodes without one have */
    cluster_state_free(s);
}

static void test_the_slots_of_nobody_are_shard_0(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct cluster_ranges r;
    change(s, create_shard(1));
    change(s, assign_slots(1, 100, 200));
    assert_int_equal(cluster_shard_slots(s, 0, &r), 0);
    assert_int_equal(r.count, 2);
    assert_int_equal(cluster_ranges_slots(&r), CLUSTER_SLOTS - 101);
    assert_int_equal(r.list[1].from, 201);
    cluster_ranges_release(&r);
    cluster_state_free(s);
}

static void test_a_shard_has_40_hex_digits(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    char hex[CLUSTER_ID_LEN + 1];
    cluster_shard_hex(s, 0x1f, hex);
    assert_string_equal(hex, "c0ffee000000000000000000000000000000001f");
    cluster_state_free(s);
}

static void test_an_unfounded_state_has_nothing_to_find(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_state_new();
    assert_null(cluster_node_find(s, node_id(1)));
    assert_null(cluster_shard_find(s, 1));
    assert_null(cluster_run_find(s, 1));
    assert_null(cluster_run_active(s));
    assert_int_equal(cluster_voters(s), 0);
    cluster_state_free(s);
}

int run_find_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_node_is_named_by_id_prefix_alias_or_name),
        cmocka_unit_test(test_an_alias_goes_before_a_name_and_a_name_before_a_prefix),
        cmocka_unit_test(test_a_name_that_two_nodes_have_is_ambiguous),
        cmocka_unit_test(test_a_node_is_found_by_raft_id),
        cmocka_unit_test(test_the_slots_of_nobody_are_shard_0),
        cmocka_unit_test(test_a_shard_has_40_hex_digits),
        cmocka_unit_test(test_an_unfounded_state_has_nothing_to_find),
    };
    return cmocka_run_group_tests_name("cluster look-ups", tests, NULL, NULL);
}
