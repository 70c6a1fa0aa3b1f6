/* Load reports: what nodes say of their slots, what the leader keeps of it, and who may say it. */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>

#include "cluster/command.h"
#include "control/load_meter.h"
#include "control/load_table.h"

/* ---- the meter ---- */

struct meter {
    struct load_meter *m;
    bool owned[CLUSTER_SLOTS];
    struct control_slot_load now[CLUSTER_SLOTS];
    struct message_load_slot told[CLUSTER_SLOTS]; /* what a leader would know */
};

static struct meter *meter_new(void)
{
    struct meter *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->m = calloc(1, sizeof *t->m);
    assert_non_null(t->m);
    memset(t->owned, true, sizeof t->owned);
    return t;
}

static void meter_free(struct meter *t)
{
    free(t->m);
    free(t);
}

/* Returns how many slots the next report has. */
static uint32_t meter_report(struct meter *t)
{
    struct buffer b;
    buffer_init(&b, MESSAGE_LOAD_SLOTS_MAX);
    load_meter_put(t->m, 0, CLUSTER_SLOTS, t->now);
    uint32_t count = load_meter_report(t->m, t->owned, &b), read = 0;
    assert_false(b.failed);
    struct message_load_slot slot;
    struct message_load m = {.count = count, .slots = buffer_bytes(&b)};
    for (struct message_load_reader r = message_load_slots(&m); message_load_next(&r, &slot); read++) t->told[slot.slot] = slot;
    assert_int_equal(read, count);
    buffer_release(&b);
    return count;
}

static void test_a_report_has_what_has_changed(void **state)
{
    (void)state;
    struct meter *t = meter_new();
    assert_int_equal(meter_report(t), 0); /* a leader begins with zeros too */
    t->now[7] = (struct control_slot_load){.keys = 3, .bytes = 400};
    t->now[16383].bytes = 1;
    assert_int_equal(meter_report(t), 2);
    assert_int_equal(t->told[7].keys, 3);
    assert_int_equal(t->told[7].bytes, 400);
    assert_int_equal(t->told[16383].bytes, 1);
    assert_int_equal(meter_report(t), 0);
    t->now[7].keys = 4;
    assert_int_equal(meter_report(t), 1);
    load_meter_forget_sent(t->m);
    assert_int_equal(meter_report(t), CLUSTER_SLOTS);
    meter_free(t);
}

static void test_a_slot_that_comes_back_is_told_anew(void **state)
{
    (void)state;
    struct meter *t = meter_new();
    t->now[7].keys = 3;
    meter_report(t);
    t->owned[7] = false;
    t->now[7].keys = 4;
    assert_int_equal(meter_report(t), 0);
    t->now[7].keys = 3;
    t->owned[7] = true;
    assert_int_equal(meter_report(t), 1);
    meter_free(t);
}

static void test_a_report_that_is_full_is_followed_by_the_rest(void **state)
{
    (void)state;
    struct meter *t = meter_new();
    for (unsigned i = 0; i < CLUSTER_SLOTS; i++) t->now[i] = (struct control_slot_load){.keys = UINT64_MAX, .bytes = UINT64_MAX, .commands = 1u << 31};
    load_meter_put(t->m, 0, CLUSTER_SLOTS, t->now);
    load_meter_sample(t->m, 1);
    uint32_t first = meter_report(t), second = meter_report(t);
    assert_in_range(first, 1, CLUSTER_SLOTS - 1);
    assert_int_equal(first + second, CLUSTER_SLOTS);
    assert_int_equal(meter_report(t), 0);
    for (unsigned i = 0; i < CLUSTER_SLOTS; i++)
        assert_true(t->told[i].keys == CLUSTER_LOAD_MAX && t->told[i].bytes == CLUSTER_LOAD_MAX && t->told[i].milliops > 0);
    meter_free(t);
}

static void test_operations_are_a_mean_that_follows(void **state)
{
    (void)state;
    struct meter *t = meter_new();
    uint64_t now_ms = 1000;
    load_meter_sample(t->m, now_ms);
    t->now[7].commands = UINT32_MAX - 5000; /* it wraps around on the way */
    load_meter_put(t->m, 0, CLUSTER_SLOTS, t->now);
    t->m->slot[7].commands = t->now[7].commands;
    for (int i = 0; i < 60; i++) {
        t->now[7].commands += 2000;
        load_meter_put(t->m, 0, CLUSTER_SLOTS, t->now);
        load_meter_sample(t->m, now_ms += 2000);
        if (i == 0) assert_in_range(t->m->milliops, 1, 500000);
    }
    meter_report(t);
    assert_in_range(t->told[7].milliops, 999000, 1000000);
    assert_int_equal(t->m->milliops, t->told[7].milliops);
    for (int i = 0; i < 100; i++) load_meter_sample(t->m, now_ms += 2000);
    assert_int_equal(meter_report(t), 1);
    assert_int_equal(t->told[7].milliops, 0);
    meter_free(t);
}

/* ---- the table ---- */

static const char *const node_ids[] = {"1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"};

static void apply(struct cluster_state *s, struct cluster_command *c)
{
    struct buffer b;
    struct cluster_result result;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_command_encode(c, &b);
    cluster_apply(s, buffer_bytes(&b), &result);
    if (result.error.code) fail_msg("%s", result.error.text);
    buffer_release(&b);
    cluster_command_release(c);
}

/* Two nodes; the first is the primary of s1 with slots 0 to 9, the second of s2 with 10 to 19. */
static struct cluster_state *two_shards(void)
{
    struct cluster_state *s = cluster_state_new();
    for (uint32_t i = 0; i < 2; i++) {
        struct cluster_command node = {.type = i ? CLUSTER_ADMIT : CLUSTER_FOUND};
        node.info = (struct cluster_node_info){.name = "n", .version = "0.1.0", .bus_host = "h", .bus_port = 1, .endpoint_count = 1};
        node.info.endpoints[0] = (struct cluster_endpoint){.match = "any", .host = "h", .port = 1};
        memcpy(node.info.id, node_ids[i], sizeof node.info.id);
        memcpy(node.cluster_id, node_ids[0], sizeof node.cluster_id);
        apply(s, &node);
        struct cluster_command shard = {.type = CLUSTER_CREATE_SHARD};
        memcpy(shard.node, node_ids[i], sizeof shard.node);
        apply(s, &shard);
        struct error e;
        struct cluster_command slots = {.type = CLUSTER_ASSIGN_SLOTS, .shard = i + 1};
        assert_int_equal(cluster_ranges_add(&slots.slots, 10 * i, 10 * i + 9, &e), 0);
        apply(s, &slots);
    }
    return s;
}

/* A report of the node about these two slots, with `keys` in each. */
static void take(struct load_table *t, const struct cluster_state *s, const char *node, unsigned a, unsigned b, uint64_t keys)
{
    struct buffer slots;
    unsigned after = 0;
    buffer_init(&slots, 100);
    message_load_slot_write(&slots, &after, &(struct message_load_slot){a, keys, 10 * keys, 1});
    message_load_slot_write(&slots, &after, &(struct message_load_slot){b, keys, 10 * keys, 1});
    load_table_take(t, s, node, &(struct message_load){.count = 2, .slots = buffer_bytes(&slots)});
    buffer_release(&slots);
}

static void test_a_node_tells_of_the_slots_that_it_serves_and_of_no_others(void **state)
{
    (void)state;
    struct cluster_state *s = two_shards();
    struct load_table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    take(t, s, node_ids[0], 3, 13, 5);
    assert_int_equal(t->load.keys[3], 5);
    assert_int_equal(t->load.bytes[3], 50);
    assert_int_equal(t->load.keys[13], 0);
    take(t, s, "3333333333333333333333333333333333333333", 3, 13, 7); /* no member */
    take(t, s, node_ids[1], 5000, 5001, 7);                           /* nobody's */
    assert_int_equal(t->load.keys[3], 5);
    assert_int_equal(t->load.keys[13] + t->load.keys[5000], 0);
    free(t);
    cluster_state_free(s);
}

static void test_a_slot_that_has_another_primary_is_forgotten(void **state)
{
    (void)state;
    struct cluster_state *s = two_shards();
    struct load_table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    take(t, s, node_ids[0], 3, 4, 5);
    take(t, s, node_ids[1], 13, 14, 6);
    struct error e;
    struct cluster_command move = {.type = CLUSTER_MOVE_SLOTS, .shard = 1, .to = 2};
    assert_int_equal(cluster_ranges_add(&move.slots, 4, 4, &e), 0);
    apply(s, &move);
    load_table_fit(t, s);
    assert_int_equal(t->load.keys[3], 5);
    assert_int_equal(t->load.keys[4] + t->load.bytes[4] + t->load.milliops[4], 0);
    assert_int_equal(t->load.keys[13], 6);
    take(t, s, node_ids[0], 3, 4, 8); /* has not heard of it yet */
    assert_int_equal(t->load.keys[3], 8);
    assert_int_equal(t->load.keys[4], 0);
    free(t);
    cluster_state_free(s);
}

/* ---- nodes ---- */

static void put_load(struct test_nodes *t, int i, unsigned slot, uint64_t keys)
{
    struct control_slot_load load = {.keys = keys, .bytes = 100 * keys};
    control_report_slots(t->node[i].control, slot, 1, &load);
}

static void expect_soon(struct test_nodes *t, int i, const char *script, const char *reply)
{
    for (int attempt = 0; strcmp(nodes_call_with(t, i, "CLUSTER SCRIPT EVAL", script), reply) != 0; attempt++) {
        if (attempt == 300) fail_msg("%s on node %d: %s", script, i, t->node[i].reply);
        for (int k = 0; k < 10; k++) uv_run(&t->loop, UV_RUN_ONCE);
    }
}

static void test_the_leader_hears_the_load_of_all_and_a_new_one_too(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 3);
    const char *status = nodes_call(t, 0, "CLUSTER SCRIPT RUN WAIT 30000 init replicas 0");
    if (!strstr(status, "\r\ndone\r\n")) fail_msg("%s", status);
    for (int i = 0; i < 3; i++) {
        nodes_wait(t, i, nodes_knows_leader, "knows the leader");
        struct control_load load = {.disk_bytes = 1000, .memory_bytes = 2000, .memory_limit_bytes = 3000};
        control_report_load(t->node[i].control, &load);
        for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot += 1000) put_load(t, i, slot, slot + 1); /* replicas have the keys as well */
    }
    static const char sums[] = "local sum = 0 for slot = 0, 16383 do sum = sum + view.slots.keys[slot] end\n"
                               "for _, s in ipairs(view.shards) do sum = sum + s.bytes end\n"
                               "return sum";
    expect_soon(t, 1, sums, ":13737717\r\n"); /* 136017 keys, a hundred bytes each */
    expect_soon(t, 0, "local good = 0 for _, n in ipairs(view.nodes) do if n.disk_bytes == 1000 and n.disk_limit_bytes > 1000 and\n"
                      "n.memory_bytes == 2000 and n.memory_limit_bytes == 3000 and n.uptime_ms > 0 then good = good + 1 end end return good",
                ":3\r\n");
    nodes_stop(t, 0); /* it led */
    nodes_start(t, 0, false);
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot += 1000) put_load(t, 0, slot, slot + 1);
    expect_soon(t, 2, sums, ":13737717\r\n");
    nodes_free(t);
}

int load_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_report_has_what_has_changed),
        cmocka_unit_test(test_a_slot_that_comes_back_is_told_anew),
        cmocka_unit_test(test_a_report_that_is_full_is_followed_by_the_rest),
        cmocka_unit_test(test_operations_are_a_mean_that_follows),
        cmocka_unit_test(test_a_node_tells_of_the_slots_that_it_serves_and_of_no_others),
        cmocka_unit_test(test_a_slot_that_has_another_primary_is_forgotten),
        cmocka_unit_test(test_the_leader_hears_the_load_of_all_and_a_new_one_too),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
