/* What a run does next. */
#include "tests.h"

#include <stdio.h>

#include "control/run_decision.h"

static struct cluster_run_step step(enum cluster_op op, enum cluster_step_status status)
{
    return (struct cluster_run_step){.step = {.op = op, .node = "aa", .ms = 60000}, .status = status, .error = "no"};
}

static struct run_decision decide(const struct cluster_run *run, const struct run_memory *memory)
{
    struct run_decision d;
    run_decide(run, memory, &d);
    return d;
}

static void test_a_run_without_steps_is_planned(void **state)
{
    (void)state;
    struct cluster_run run = {.id = 1};
    assert_int_equal(decide(&run, &(struct run_memory){0}).action, RUN_PLAN);
}

static void test_steps_are_started_and_carried_out_one_after_the_other(void **state)
{
    (void)state;
    struct cluster_run_step steps[] = {step(CLUSTER_OP_admit, CLUSTER_STEP_DONE),
                                       step(CLUSTER_OP_promote, CLUSTER_STEP_PENDING)};
    struct cluster_run run = {.id = 1, .round = 1, .steps = steps, .step_count = 2};
    struct run_decision d = decide(&run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_START);
    assert_int_equal(d.index, 1);
    steps[1].status = CLUSTER_STEP_STARTED;
    d = decide(&run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_CARRY_OUT);
    assert_int_equal(d.index, 1);
    steps[1].status = CLUSTER_STEP_DONE;
    assert_int_equal(decide(&run, &(struct run_memory){0}).action, RUN_PLAN);
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
    struct cluster_run_step steps[] = {step(CLUSTER_OP_admit, CLUSTER_STEP_DONE),
                                       step(CLUSTER_OP_promote, CLUSTER_STEP_PENDING)};
    struct cluster_completion done[] = {{cluster_step_digest(&steps[0].step), 2}};
    struct cluster_run run = {
        .id = 1, .round = 3, .steps = steps, .step_count = 2, .completions = done, .completion_count = 1};
    assert_int_equal(decide(&run, &(struct run_memory){0}).action, RUN_START);
    done[0].count = 3;
    struct run_decision d = decide(&run, &(struct run_memory){0});
    assert_int_equal(d.action, RUN_FINISH);
    assert_int_equal(strncmp(d.error, "goes in circles: admit", 22), 0);
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
        cmocka_unit_test(test_steps_are_started_and_carried_out_one_after_the_other),
        cmocka_unit_test(test_a_failed_step_ends_the_round),
        cmocka_unit_test(test_five_failed_rounds_in_a_row_end_the_run),
        cmocka_unit_test(test_the_third_completion_of_an_equal_step_is_a_circle),
        cmocka_unit_test(test_waiting_and_rounds_are_bounded),
        cmocka_unit_test(test_a_run_of_one_round_ends_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
