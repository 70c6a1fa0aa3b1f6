/* How large a state may become, and that what must always go on still does. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cluster/bounds.h"
#include "cluster/record.h"
#include "fixture.h"

/* As apply(), without the invariants after each: they are linear in the state. */
static struct cluster_result apply_unchecked(struct cluster_state *s, struct cluster_command c)
{
    struct cluster_result r;
    struct buffer b = encoded_command(&c);
    cluster_apply(s, buffer_bytes(&b), &r);
    buffer_release(&b);
    cluster_command_release(&c);
    return r;
}

static void fill(char *text, size_t size)
{
    memset(text, 'x', size - 1);
    text[size - 1] = 0;
}

static struct cluster_command large_script(unsigned number)
{
    char name[16];
    snprintf(name, sizeof name, "s%u", number);
    struct cluster_command c = load_script(name, 1, "");
    free(c.source);
    c.source_len = CLUSTER_SCRIPT_MAX;
    c.source = malloc(c.source_len + 1);
    fill(c.source, c.source_len + 1);
    return c;
}

static struct cluster_command large_admit(unsigned number)
{
    struct cluster_command c = admit(number);
    fill(c.info.name, sizeof c.info.name);
    fill(c.info.labels, sizeof c.info.labels);
    fill(c.info.zone, sizeof c.info.zone);
    fill(c.info.bus_host, sizeof c.info.bus_host);
    c.info.endpoint_count = CLUSTER_ENDPOINTS_MAX;
    for (int i = 0; i < CLUSTER_ENDPOINTS_MAX; i++) {
        c.info.endpoints[i] = c.info.endpoints[0];
        fill(c.info.endpoints[i].host, sizeof c.info.endpoints[i].host);
    }
    return c;
}

/* Members up to number `last`, at once: to apply a command for each would take its time. */
static void add_nodes(struct cluster_state *s, unsigned last, struct cluster_command (*admission)(unsigned))
{
    s->nodes = realloc(s->nodes, last * sizeof *s->nodes);
    while (s->node_count < last) {
        struct cluster_node n = {.info = admission(s->node_count + 1).info, .up = true};
        s->nodes[s->node_count++] = n;
    }
}

static struct cluster_param *params_of(uint32_t count, size_t value_len)
{
    struct cluster_param *params = calloc(count, sizeof *params);
    for (uint32_t i = 0; i < count; i++) {
        fill(params[i].name, sizeof params[i].name);
        params[i].value = malloc(value_len + 1);
        fill(params[i].value, value_len + 1);
    }
    return params;
}

static struct cluster_command large_run(void)
{
    struct cluster_command c = large_script(0);
    c.type = CLUSTER_RUN_START;
    c.param_count = CLUSTER_PARAMS_MAX;
    c.params = params_of(c.param_count, 1024);
    return c;
}

static struct cluster_command large_trigger(unsigned number)
{
    char name[16];
    snprintf(name, sizeof name, "t%u", number);
    struct cluster_command c = trigger_set(name, "rebalance");
    cluster_params_release(c.trigger.params, c.trigger.param_count);
    c.trigger.param_count = CLUSTER_PARAMS_MAX;
    c.trigger.params = params_of(CLUSTER_PARAMS_MAX, 1024);
    return c;
}

/* A thousand steps with the longest reasons, with every second slot among them. */
static struct cluster_command large_round(uint64_t run, uint32_t round)
{
    struct cluster_command c = run_round(run, round, 0);
    free(c.steps);
    c.step_count = CLUSTER_STEPS_MAX;
    c.steps = calloc(c.step_count, sizeof *c.steps);
    for (uint32_t i = 0; i < c.step_count; i++) {
        c.steps[i].op = CLUSTER_OP_assign_slots;
        c.steps[i].shard = 1;
        fill(c.steps[i].why, sizeof c.steps[i].why);
        for (unsigned slot = i * 16; slot < i * 16 + 16; slot += 2)
            cluster_ranges_add(&c.steps[i].slots, slot, slot, NULL);
    }
    return c;
}

static void test_a_full_state_refuses_scripts_then_nodes_but_runs_go_on(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct cluster_result r;
    for (unsigned i = 0; (r = apply_unchecked(s, large_script(i))).changed; i++) assert_true(i < 40);
    assert_int_equal(r.error.code, ERROR_LIMIT);
    assert_non_null(strstr(r.error.text, "no room for more scripts"));
    add_nodes(s, 650, large_admit);
    for (unsigned n = 651; (r = apply_unchecked(s, large_admit(n))).changed;) assert_true(++n < CLUSTER_NODES_MAX);
    assert_int_equal(r.error.code, ERROR_LIMIT);
    assert_non_null(strstr(r.error.text, "no room for more nodes"));

    for (uint64_t run = 1; run <= 12; run++) {
        r = apply_unchecked(s, large_run());
        if (!r.changed) fail_msg("%s", r.error.text);
        r = apply_unchecked(s, large_round(run, 1));
        if (!r.changed) fail_msg("%s", r.error.text);
        char text[257];
        fill(text, sizeof text);
        for (uint32_t i = 0; i < 200; i++) {
            assert_true(apply_unchecked(s, run_step(run, 1, i, CLUSTER_STEP_STARTED, "")).changed);
            assert_true(apply_unchecked(s, run_step(run, 1, i, CLUSTER_STEP_FAILED, text)).changed);
        }
        struct error e;
        if (cluster_state_check(s, &e) != 0) fail_msg("%s", e.text);
        assert_true(apply_unchecked(s, run_end(run, CLUSTER_RUN_DONE, "")).changed);
    }
    assert_true(s->run_count >= 5 && s->run_count < 12); /* what is shown of old ones gives way */
    assert_int_equal(s->runs[s->run_count - 1].id, 12);
    cluster_state_free(s);
}

static void test_a_round_too_large_for_the_log_is_refused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    struct cluster_command c = large_round(1, 1);
    struct cluster_ranges slots = {0};
    for (unsigned slot = 0; slot < 800; slot += 2) cluster_ranges_add(&slots, slot, slot, NULL);
    for (uint32_t i = 0; i < c.step_count; i++) {
        cluster_ranges_release(&c.steps[i].slots);
        cluster_ranges_copy(&c.steps[i].slots, &slots);
    }
    cluster_ranges_release(&slots);
    refused(s, c, ERROR_LIMIT, "the steps of round 1 have");
    change(s, large_round(1, 1));
    cluster_state_free(s);
}

/* ---- a thousand nodes ---- */

/* 500 shards, each with every 500th slot: 16,384 ranges of one. */
static void scatter_slots(struct cluster_state *s)
{
    for (unsigned n = 1; n <= 500; n++) assert_true(apply_unchecked(s, create_shard(n)).changed);
    for (uint32_t shard = 1; shard <= 500; shard++) {
        struct cluster_command c = {.type = CLUSTER_ASSIGN_SLOTS, .shard = shard};
        for (unsigned slot = shard - 1; slot < CLUSTER_SLOTS; slot += 500)
            cluster_ranges_add(&c.slots, slot, slot, NULL);
        assert_true(apply_unchecked(s, c).changed);
    }
}

/* As full as it gets: every node with labels of an operator, 64 triggers, scripts up to their room, a run with a round of a
 * thousand steps. */
static struct cluster_state *full_state(void)
{
    char labels[CLUSTER_LABELS_MAX + 1];
    struct cluster_state *s = cluster_of(1);
    fill(labels, sizeof labels);
    add_nodes(s, 1000, admit);
    scatter_slots(s);
    for (unsigned n = 1; n <= 1000; n++) assert_true(apply_unchecked(s, set_labels(n, labels)).changed);
    for (unsigned i = 1; i < CLUSTER_TRIGGERS_MAX; i++) assert_true(apply_unchecked(s, large_trigger(i)).changed);
    unsigned scripts = 0;
    while (apply_unchecked(s, large_script(scripts)).changed) scripts++;
    assert_true(scripts > 5);
    assert_true(apply_unchecked(s, large_run()).changed);
    assert_true(apply_unchecked(s, large_round(1, 1)).changed);
    return s;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* For people; no test fails for its time. */
static void tell_time(const char *what, double since_ms)
{
    print_message("[ TIME     ] %s: %.2f ms\n", what, now_ms() - since_ms);
}

static void test_a_thousand_nodes_single_slots_and_full_scripts_fit_and_survive_a_round_trip(void **state)
{
    (void)state;
    struct cluster_state *s = full_state(), *back;
    struct error e;
    double since = now_ms();
    struct buffer b = encoded(s);
    tell_time("encode", since);
    print_message("[ SIZE     ] %zu bytes\n", b.len);
    assert_int_equal(b.len, cluster_state_size(s));
    assert_true(b.len > CLUSTER_ROOM_SCRIPTS && b.len <= CLUSTER_ENCODED_MAX);
    since = now_ms();
    if (cluster_state_decode(buffer_bytes(&b), &back, &e) != 0) fail_msg("%s", e.text);
    tell_time("decode", since);
    assert_same_state(s, back);
    buffer_release(&b);
    cluster_state_free(back);
    since = now_ms();
    back = cluster_state_clone(s, true);
    tell_time("clone", since);
    assert_same_state(s, back);
    cluster_state_free(back);
    since = now_ms();
    back = cluster_state_clone(s, false);
    tell_time("clone for routing", since);
    cluster_state_free(back);
    cluster_state_free(s);
}

static void test_a_full_state_still_takes_what_lets_the_cluster_go_on(void **state)
{
    (void)state;
    struct cluster_state *s = full_state();
    struct cluster_node_info moved = node_info(1000, "a");
    moved.incarnation++;
    snprintf(moved.bus_host, sizeof moved.bus_host, "10.9.9.9");
    struct cluster_command commands[] = {
        update_node(moved),       set_reachable(999, false),        run_step(1, 1, 0, CLUSTER_STEP_STARTED, ""),
        set_leaving(999, true),   set_role(2, CLUSTER_ROLE_LEARNER), set_role(2, CLUSTER_ROLE_VOTER),
        replicate(998, 1),        move_slots(1, 2, 0, 0),           set_setting(CLUSTER_SETTING_voters, 5),
        triggers_pause(true),     trigger_delete("t1"),             delete_script("s0")};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *name = cluster_command_name(commands[i].type);
        struct cluster_result r = apply_unchecked(s, commands[i]);
        if (!r.changed) fail_msg("%s: %s", name, r.error.text);
    }
    struct error e;
    const double since = now_ms();
    assert_true(apply_unchecked(s, admit(1001)).changed);
    tell_time("apply admit, which measures the whole", since);
    if (cluster_state_check(s, &e) != 0) fail_msg("%s", e.text);
    cluster_state_free(s);
}

/* Scripts leave room for nodes, nodes leave room for runs: but what is there may come back with other addresses. */
static void test_beyond_the_room_for_nodes_one_may_change_but_not_grow(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    add_nodes(s, 3700, large_admit);
    assert_true(cluster_state_size(s) > (size_t)CLUSTER_ROOM_NODES);
    struct cluster_command c = large_admit(7);
    c.type = CLUSTER_UPDATE_NODE;
    c.info.incarnation++;
    c.info.bus_host[3] = 'y';
    assert_true(apply_unchecked(s, c).changed);
    struct cluster_node_info longer = node_info(1, "a");
    snprintf(longer.labels, sizeof longer.labels, "rack 7");
    refused(s, update_node(longer), ERROR_LIMIT, "no room for more nodes");
    cluster_state_free(s);
}

static void test_there_are_at_most_4096_nodes(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    add_nodes(s, CLUSTER_NODES_MAX, admit);
    assert_int_equal(cluster_state_check(s, NULL), 0);
    refused(s, admit(5000), ERROR_LIMIT, "at most 4096 nodes");
    add_nodes(s, CLUSTER_NODES_MAX + 1, admit);
    assert_int_equal(cluster_state_check(s, NULL), ERROR_INVARIANT);
    cluster_state_free(s);
}

int run_size_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_state_refuses_scripts_then_nodes_but_runs_go_on),
        cmocka_unit_test(test_a_round_too_large_for_the_log_is_refused),
        cmocka_unit_test(test_a_thousand_nodes_single_slots_and_full_scripts_fit_and_survive_a_round_trip),
        cmocka_unit_test(test_a_full_state_still_takes_what_lets_the_cluster_go_on),
        cmocka_unit_test(test_beyond_the_room_for_nodes_one_may_change_but_not_grow),
        cmocka_unit_test(test_there_are_at_most_4096_nodes),
    };
    return cmocka_run_group_tests_name("cluster sizes", tests, NULL, NULL);
}
