/* What a run does next. */
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/run_decision.h"

/* A metadata state with three shards, each with a replica, and two nodes in none: "1" to "8". */
static struct cluster_state *shards(void)
{
    struct cluster_state *s = cluster_state_new();
    s->node_count = 8;
    s->next_shard = 4;
    s->nodes = calloc(s->node_count, sizeof *s->nodes);
    for (uint32_t i = 0; i < s->node_count; i++) {
        snprintf(s->nodes[i].info.id, sizeof s->nodes[i].info.id, "%u", i + 1);
        s->nodes[i].shard = i < 6 ? i % 3 + 1 : 0;
    }
    return s;
}

static struct cluster_run_step step(enum cluster_op op, enum cluster_step_status status)
{
    return (struct cluster_run_step){.step = {.op = op, .node = "aa", .ms = 60000}, .status = status, .error = "no"};
}

static struct cluster_run_step pending(enum cluster_op op, const char *node, uint32_t shard)
{
    struct cluster_run_step s = {.step = {.op = op, .shard = shard}};
    snprintf(s.step.node, sizeof s.step.node, "%s", node);
    return s;
}

static struct run_decision decide_in(const struct cluster_state *s, const struct cluster_run *run,
                                     const struct run_memory *memory)
{
    struct run_decision d;
    run_decide(s, run, memory, &d);
    return d;
}

static struct run_decision decide(const struct cluster_run *run, const struct run_memory *memory)
{
    struct cluster_state *s = shards();
    struct run_decision d = decide_in(s, run, memory);
    cluster_state_free(s);
    return d;
}

/* That the run goes on with its steps and begins these: "0 2". */
static void expect_begins(const struct cluster_state *s, const struct cluster_run *run, const char *indexes)
{
    char got[400] = "";
    struct run_decision d = decide_in(s, run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_STEPS);
    for (uint32_t i = 0; i < d.begin_count; i++) {
        size_t len = strlen(got);
        snprintf(got + len, sizeof got - len, "%s%u", i ? " " : "", d.begin[i]);
    }
    assert_string_equal(got, indexes);
}

static void test_a_run_without_steps_is_planned(void **state)
{
    (void)state;
    struct cluster_run run = {.id = 1};
    assert_int_equal(decide(&run, &(struct run_memory){0}).action, RUN_PLAN);
}

static void test_steps_of_one_node_are_carried_out_one_after_the_other(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step steps[] = {step(CLUSTER_OP_admit, CLUSTER_STEP_DONE),
                                       step(CLUSTER_OP_promote, CLUSTER_STEP_PENDING),
                                       step(CLUSTER_OP_demote, CLUSTER_STEP_PENDING)};
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 3};
    expect_begins(s, &run, "1");
    steps[1].status = CLUSTER_STEP_STARTED;
    expect_begins(s, &run, "");
    steps[1].status = CLUSTER_STEP_DONE;
    expect_begins(s, &run, "2");
    steps[2].status = CLUSTER_STEP_DONE;
    assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).action, RUN_PLAN);
    cluster_state_free(s);
}

static void test_steps_that_touch_nothing_in_common_are_begun_at_once(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step steps[] = {
        pending(CLUSTER_OP_detach, "4", 0),    /* of shard 1 */
        pending(CLUSTER_OP_replicate, "7", 1), /* shard 1 as well */
        pending(CLUSTER_OP_replicate, "8", 2),
        pending(CLUSTER_OP_detach, "6", 0),  /* of shard 3 */
        pending(CLUSTER_OP_promote, "1", 0), /* nothing of shards, but of voters */
        pending(CLUSTER_OP_demote, "2", 0),  /* voters too */
        pending(CLUSTER_OP_set, "", 0),
    };
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 7};
    expect_begins(s, &run, "0 2 3 4 6");
    for (int i = 0; i < 7; i++) steps[i].status = CLUSTER_STEP_STARTED;
    steps[1].status = steps[5].status = CLUSTER_STEP_PENDING;
    expect_begins(s, &run, "");
    steps[4].status = CLUSTER_STEP_DONE;
    expect_begins(s, &run, "5");
    cluster_state_free(s);
}

static void test_a_step_waits_for_one_before_it_that_has_not_begun_either(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step steps[] = {pending(CLUSTER_OP_label, "1", 0), pending(CLUSTER_OP_leave, "1", 0),
                                       pending(CLUSTER_OP_label, "1", 0), pending(CLUSTER_OP_label, "2", 0)};
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 4};
    steps[0].status = CLUSTER_STEP_STARTED;
    expect_begins(s, &run, "3");
    steps[0].status = CLUSTER_STEP_DONE;
    expect_begins(s, &run, "1 3");
    cluster_state_free(s);
}

static void test_a_wait_is_alone(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step steps[] = {pending(CLUSTER_OP_label, "1", 0), pending(CLUSTER_OP_wait, "", 0),
                                       pending(CLUSTER_OP_label, "2", 0)};
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 3};
    expect_begins(s, &run, "0");
    steps[0].status = CLUSTER_STEP_DONE;
    expect_begins(s, &run, "1");
    steps[1].status = CLUSTER_STEP_STARTED;
    expect_begins(s, &run, "");
    steps[1].status = CLUSTER_STEP_DONE;
    expect_begins(s, &run, "2");
    cluster_state_free(s);
}

static void test_no_more_steps_are_under_way_than_the_setting_allows(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step steps[80];
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 80};
    for (uint32_t i = 0; i < 80; i++) {
        char node[12];
        snprintf(node, sizeof node, "n%u", i);
        steps[i] = pending(CLUSTER_OP_label, node, 0);
    }
    expect_begins(s, &run, "0 1 2 3 4 5 6 7"); /* the default */
    s->settings[CLUSTER_SETTING_concurrency] = 3;
    expect_begins(s, &run, "0 1 2");
    steps[0].status = steps[1].status = CLUSTER_STEP_STARTED;
    expect_begins(s, &run, "2");
    s->settings[CLUSTER_SETTING_concurrency] = 1;
    expect_begins(s, &run, "");
    s->settings[CLUSTER_SETTING_concurrency] = cluster_setting_info(CLUSTER_SETTING_concurrency)->most;
    assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).begin_count, RUN_BEGIN_MAX - 2);
    assert_int_equal(RUN_BEGIN_MAX, cluster_setting_info(CLUSTER_SETTING_concurrency)->most);
    cluster_state_free(s);
}

/* Each step waits for the one before it: only as many are looked at as are of use. */
static void test_a_long_round_in_a_chain_goes_on_step_by_step(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step *steps = calloc(CLUSTER_STEPS_MAX, sizeof *steps);
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = CLUSTER_STEPS_MAX};
    for (uint32_t i = 0; i < CLUSTER_STEPS_MAX; i++)
        steps[i].step = (struct cluster_step){.op = CLUSTER_OP_move_slots, .shard = i + 10, .to = i + 11};
    for (uint32_t i = 0; i < CLUSTER_STEPS_MAX; i++) {
        char index[12];
        snprintf(index, sizeof index, "%u", i);
        expect_begins(s, &run, index);
        steps[i].status = CLUSTER_STEP_DONE;
    }
    free(steps);
    cluster_state_free(s);
}

static void test_a_failed_step_ends_the_round(void **state)
{
    (void)state;
    struct cluster_run_step steps[] = {step(CLUSTER_OP_admit, CLUSTER_STEP_FAILED),
                                       step(CLUSTER_OP_promote, CLUSTER_STEP_PENDING)};
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 2};
    assert_int_equal(decide(&run, &(struct run_memory){0}).action, RUN_PLAN);
    run.one_round = true;
    struct run_decision d = decide(&run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_FINISH);
    assert_int_equal(d.status, CLUSTER_RUN_FAILED);
}

/* So does a stale one; both let those end that are under way, and no other begins. */
static void test_after_a_failed_or_stale_step_only_what_is_under_way_goes_on(void **state)
{
    (void)state;
    const enum cluster_step_status ends[] = {CLUSTER_STEP_FAILED, CLUSTER_STEP_STALE};
    for (size_t i = 0; i < 2; i++) {
        struct cluster_state *s = shards();
        struct cluster_run_step steps[] = {pending(CLUSTER_OP_label, "1", 0), pending(CLUSTER_OP_label, "2", 0),
                                           pending(CLUSTER_OP_label, "3", 0)};
        struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 3};
        steps[0].status = CLUSTER_STEP_STARTED;
        steps[1].status = ends[i];
        expect_begins(s, &run, "");
        steps[0].status = CLUSTER_STEP_DONE;
        assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).action, RUN_PLAN);
        cluster_state_free(s);
    }
}

static void test_nobody_can_plan_the_stale_steps_of_a_one_off_anew(void **state)
{
    (void)state;
    struct cluster_run_step steps[] = {step(CLUSTER_OP_admit, CLUSTER_STEP_STALE)};
    struct cluster_run run = {.id = 1, .round = 1, .one_round = true, .steps = steps, .step_count = 1};
    struct run_decision d = decide(&run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_FINISH);
    assert_string_equal(d.error, "stale: admit aa: no");
}

static void test_a_paused_run_lets_steps_end_and_begins_and_plans_nothing(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step steps[] = {pending(CLUSTER_OP_label, "1", 0), pending(CLUSTER_OP_label, "2", 0)};
    struct cluster_run run = {.id = 1, .paused = true};
    assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).action, RUN_REST);
    run = (struct cluster_run){.id = 1, .round = 1, .steps = steps, .step_count = 2, .paused = true};
    assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).action, RUN_REST);
    steps[0].status = CLUSTER_STEP_STARTED;
    expect_begins(s, &run, "");
    steps[0].status = CLUSTER_STEP_FAILED;
    assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).action, RUN_REST);
    run.one_round = true;
    assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).action, RUN_REST);
    run.paused = false;
    assert_int_equal(decide_in(s, &run, &(struct run_memory){0}).action, RUN_FINISH);
    cluster_state_free(s);
}

static void test_five_failed_rounds_in_a_row_end_the_run(void **state)
{
    (void)state;
    struct cluster_run_step steps[] = {step(CLUSTER_OP_admit, CLUSTER_STEP_FAILED)};
    struct cluster_failure failed[] = {{.round = 3}, {.round = 4}, {.round = 4}, {.round = 5}, {.round = 6}};
    struct cluster_run run = {
        .id = 1, .round = 6, .steps = steps, .step_count = 1, .failed = failed, .failed_count = 5};
    assert_int_equal(decide(&run, &(struct run_memory){0}).action, RUN_PLAN);
    failed[0].round = 2;
    failed[1].round = 3;
    struct run_decision d = decide(&run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_FINISH);
    assert_non_null(strstr(d.error, "5 rounds failed"));
    failed[2].round = 3; /* round 4 went well */
    assert_int_equal(decide(&run, &(struct run_memory){0}).action, RUN_PLAN);
}

static void test_the_third_completion_of_an_equal_step_is_a_circle(void **state)
{
    (void)state;
    struct cluster_state *s = shards();
    struct cluster_run_step steps[] = {pending(CLUSTER_OP_admit, "1", 0), pending(CLUSTER_OP_promote, "2", 0)};
    steps[0].status = CLUSTER_STEP_DONE;
    struct cluster_completion done[] = {{cluster_step_digest(&steps[0].step), 2}};
    struct cluster_run run = {
        .id = 1, .round = 3, .steps = steps, .step_count = 2, .completions = done, .completion_count = 1};
    expect_begins(s, &run, "1");
    done[0].count = 3;
    steps[1].status = CLUSTER_STEP_STARTED; /* what is under way ends first */
    expect_begins(s, &run, "");
    steps[1].status = CLUSTER_STEP_PENDING;
    struct run_decision d = decide_in(s, &run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_FINISH);
    assert_int_equal(strncmp(d.error, "goes in circles: admit", 22), 0);
    cluster_state_free(s);
}

static void test_waiting_and_rounds_are_bounded(void **state)
{
    (void)state;
    struct cluster_run run = {.id = 1, .round = 9};
    struct run_memory m = {0};
    struct cluster_step wait = {.op = CLUSTER_OP_wait, .ms = 60000, .why = "more nodes"},
                        other = {.op = CLUSTER_OP_admit};
    for (int i = 0; i < 9; i++) {
        run_memory_round_begun(&m, &wait, 1);
        run_memory_waited(&m, &wait);
    }
    assert_int_equal(m.rounds, 0);
    assert_int_equal(decide(&run, &m).action, RUN_PLAN);
    run_memory_waited(&m, &wait);
    assert_string_equal(decide(&run, &m).error, "waited 10 minutes for: more nodes");
    m = (struct run_memory){0};
    for (int i = 0; i < CLUSTER_ROUNDS_MAX; i++) {
        assert_int_equal(decide(&run, &m).action, RUN_PLAN);
        run_memory_round_begun(&m, &other, 1);
    }
    assert_string_equal(decide(&run, &m).error, "not done after 100 rounds");
}

static void test_a_run_of_one_round_ends_after_it(void **state)
{
    (void)state;
    struct cluster_run_step steps[] = {step(CLUSTER_OP_admit, CLUSTER_STEP_DONE)};
    struct cluster_run run = {.id = 1, .one_round = true, .round = 1, .steps = steps, .step_count = 1};
    struct run_decision d = decide(&run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_FINISH);
    assert_int_equal(d.status, CLUSTER_RUN_DONE);
    run = (struct cluster_run){.id = 1, .one_round = true};
    assert_int_equal(decide(&run, &(struct run_memory){0}).status, CLUSTER_RUN_FAILED);
}

int run_decision_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_without_steps_is_planned),
        cmocka_unit_test(test_steps_of_one_node_are_carried_out_one_after_the_other),
        cmocka_unit_test(test_steps_that_touch_nothing_in_common_are_begun_at_once),
        cmocka_unit_test(test_a_step_waits_for_one_before_it_that_has_not_begun_either),
        cmocka_unit_test(test_a_wait_is_alone),
        cmocka_unit_test(test_no_more_steps_are_under_way_than_the_setting_allows),
        cmocka_unit_test(test_a_long_round_in_a_chain_goes_on_step_by_step),
        cmocka_unit_test(test_a_failed_step_ends_the_round),
        cmocka_unit_test(test_after_a_failed_or_stale_step_only_what_is_under_way_goes_on),
        cmocka_unit_test(test_nobody_can_plan_the_stale_steps_of_a_one_off_anew),
        cmocka_unit_test(test_a_paused_run_lets_steps_end_and_begins_and_plans_nothing),
        cmocka_unit_test(test_five_failed_rounds_in_a_row_end_the_run),
        cmocka_unit_test(test_the_third_completion_of_an_equal_step_is_a_circle),
        cmocka_unit_test(test_waiting_and_rounds_are_bounded),
        cmocka_unit_test(test_a_run_of_one_round_ends_after_it),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
