/* How large a state may become, and that what must always go on still does. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster/bounds.h"
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

static struct cluster_command large_run(void)
{
    struct cluster_command c = large_script(0), p = run_start("x");
    cluster_command_release(&p);
    c.type = CLUSTER_RUN_START;
    c.param_count = CLUSTER_PARAMS_MAX;
    c.params = calloc(c.param_count, sizeof *c.params);
    for (uint32_t i = 0; i < c.param_count; i++) {
        fill(c.params[i].name, sizeof c.params[i].name);
        c.params[i].value = malloc(1025);
        fill(c.params[i].value, 1025);
    }
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

static void test_a_thousand_nodes_and_single_slots_survive_a_round_trip(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1), *back;
    add_nodes(s, 1000, admit);
    for (unsigned n = 1; n <= 500; n++) assert_true(apply_unchecked(s, create_shard(n)).changed);
    for (uint32_t shard = 1; shard <= 500; shard++) {
        struct cluster_command c = {.type = CLUSTER_ASSIGN_SLOTS, .shard = shard};
        for (unsigned slot = shard - 1; slot < CLUSTER_SLOTS; slot += 500)
            cluster_ranges_add(&c.slots, slot, slot, NULL);
        assert_true(apply_unchecked(s, c).changed);
    }
    struct error e;
    struct buffer b = encoded(s);
    if (cluster_state_decode(buffer_bytes(&b), &back, &e) != 0) fail_msg("%s", e.text);
    assert_same_state(s, back);
    buffer_release(&b);
    cluster_state_free(back);
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
        cmocka_unit_test(test_a_thousand_nodes_and_single_slots_survive_a_round_trip),
        cmocka_unit_test(test_there_are_at_most_4096_nodes),
    };
    return cmocka_run_group_tests_name("cluster sizes", tests, NULL, NULL);
}
