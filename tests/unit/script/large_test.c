/* Built-in policies on a cluster of 1,000 nodes and 16,384 slots: they plan within the sandbox's instructions and memory. How long it took is
 * printed, not asserted: the machine may be busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/random.h"
#include "tests.h"
#include "world.h"

enum { NODES = 1000 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Has a built-in policy plan, with its score, and returns the steps. */
static struct script_steps plan(const struct test_world *w, const char *name, const char *param, const char *value)
{
    const struct script_builtin *b = script_builtin_find(name);
    struct script_source source = {.name = name, .version = "", .text = bytes_of(b->text, b->len)};
    struct cluster_param params[] = {{.value = (char *)value}};
    if (param) snprintf(params[0].name, sizeof params[0].name, "%s", param);
    struct script_limits limits = script_limits_default;
    limits.time_ms = 60000;
    struct script_steps steps;
    struct error e;
    double score, before = now_ms();
    if (script_plan(&source, params, param != NULL, &w->world, &limits, &steps, &score, &e)) fail_msg("%s", e.text);
    print_message("%s %s: %u steps in %.0f ms\n", name, value ? value : "", steps.count, now_ms() - before);
    return steps;
}

static void expect_steps(const struct test_world *w, const char *name, const char *param, const char *value, uint32_t least)
{
    struct script_steps steps = plan(w, name, param, value);
    assert_true(steps.count >= least);
    script_steps_release(&steps);
}

/* `shards` shards with slots, one after the other in turn: ranges of one slot. The nodes after them have none. */
static struct test_world *world(uint32_t shards)
{
    struct test_world *w = test_world_new(NODES, 0);
    for (uint32_t i = 0; i < shards; i++) {
        struct cluster_command create = {.type = CLUSTER_CREATE_SHARD};
        memcpy(create.node, test_world_id(i + 1), sizeof create.node);
        test_world_apply(w, &create);
        struct cluster_command assign = {.type = CLUSTER_ASSIGN_SLOTS, .shard = i + 1};
        struct error e;
        for (unsigned slot = i; slot < CLUSTER_SLOTS; slot += shards)
            assert_int_equal(cluster_ranges_add(&assign.slots, slot, slot, &e), 0);
        test_world_apply(w, &assign);
    }
    return w;
}

static void create_the_last_shards(struct test_world *w, uint32_t from)
{
    for (uint32_t alias = from; alias <= NODES; alias++) {
        struct cluster_command create = {.type = CLUSTER_CREATE_SHARD};
        memcpy(create.node, test_world_id(alias), sizeof create.node);
        test_world_apply(w, &create);
    }
}

static void set_load(struct test_world *w)
{
    uint64_t seed = 7;
    w->live.load = calloc(1, sizeof *w->live.load);
    assert_non_null(w->live.load);
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        w->live.load->bytes[slot] = 1000 + random_next(&seed) % 1000;
        w->live.load->milliops[slot] = random_next(&seed) % 50 ? random_next(&seed) % 5 : 5000;
    }
}

static void test_rebalance_fills_a_thousandth_shard(void **state)
{
    (void)state;
    struct test_world *w = world(NODES - 1);
    create_the_last_shards(w, NODES);
    set_load(w);
    expect_steps(w, "rebalance", "by", "slots", 15);
    expect_steps(w, "rebalance", "by", "bytes", 10);
    expect_steps(w, "rebalance", "by", "ops", 100);
    test_world_free(w);
}

static void test_rebalance_fills_all_shards_from_one(void **state)
{
    (void)state;
    struct test_world *w = world(1);
    create_the_last_shards(w, 2);
    set_load(w);
    expect_steps(w, "rebalance", "by", "slots", NODES - 1);
    expect_steps(w, "rebalance", "by", "bytes", NODES - 1);
    expect_steps(w, "rebalance", "by", "ops", NODES - 1);
    test_world_free(w);
}

static void set_role(struct test_world *w, uint32_t alias, enum cluster_role role)
{
    struct cluster_command c = {.type = CLUSTER_SET_ROLE, .role = role};
    memcpy(c.node, test_world_id(alias), sizeof c.node);
    test_world_apply(w, &c);
}

static void test_membership_replaces_voters_among_a_thousand_nodes(void **state)
{
    (void)state;
    struct test_world *w = world(NODES);
    for (uint32_t alias = 2; alias <= 3; alias++) {
        set_role(w, alias, CLUSTER_ROLE_LEARNER);
        set_role(w, alias, CLUSTER_ROLE_VOTER);
    }
    struct cluster_command down = {.type = CLUSTER_SET_REACHABLE};
    memcpy(down.node, test_world_id(3), sizeof down.node);
    test_world_apply(w, &down);
    for (uint32_t i = 0; i < w->live.node_count; i++)
        if (!w->state->nodes[i].up) w->live.nodes[i].silent_ms = 60000;
    expect_steps(w, "membership", NULL, NULL, 4);
    test_world_free(w);
}

static void test_replicas_places_five_hundred_copies(void **state)
{
    (void)state;
    struct test_world *w = world(NODES / 2);
    expect_steps(w, "replicas", NULL, NULL, NODES / 2);
    expect_steps(w, "add_node", "node", "1000", 1);
    expect_steps(w, "remove_node", "node", "1", 1);
    test_world_free(w);
}

static void test_remove_node_empties_a_shard_of_a_thousand(void **state)
{
    (void)state;
    struct test_world *w = world(1);
    create_the_last_shards(w, 2);
    set_role(w, 2, CLUSTER_ROLE_LEARNER);
    set_role(w, 2, CLUSTER_ROLE_VOTER);
    set_role(w, 1, CLUSTER_ROLE_LEARNER);
    set_role(w, 1, CLUSTER_ROLE_NONE);
    struct cluster_command leave = {.type = CLUSTER_SET_LEAVING, .on = true};
    memcpy(leave.node, test_world_id(1), sizeof leave.node);
    test_world_apply(w, &leave);
    expect_steps(w, "remove_node", "node", "1", NODES - 1);
    test_world_free(w);
}

int test_script_large(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rebalance_fills_a_thousandth_shard),
        cmocka_unit_test(test_rebalance_fills_all_shards_from_one),
        cmocka_unit_test(test_membership_replaces_voters_among_a_thousand_nodes),
        cmocka_unit_test(test_replicas_places_five_hundred_copies),
        cmocka_unit_test(test_remove_node_empties_a_shard_of_a_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
