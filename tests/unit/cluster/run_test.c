#include <math.h>
#include <stdlib.h>

#include "fixture.h"

#define STARTED CLUSTER_STEP_STARTED
#define DONE    CLUSTER_STEP_DONE
#define FAILED  CLUSTER_STEP_FAILED

/* A step from pending to its end. */
static void finish(struct cluster_state *s, uint64_t run, uint32_t round, uint32_t index,
                   enum cluster_step_status status)
{
    change(s, run_step(run, round, index, STARTED, ""));
    change(s, run_step(run, round, index, status, status == FAILED ? "it did not work" : ""));
}

static void test_one_run_at_a_time(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    assert_null(cluster_run_active(s));
    assert_int_equal(change(s, run_start("init")), 1);
    assert_int_equal(cluster_run_active(s)->id, 1);
    refused(s, run_start("other"), ERROR_INVARIANT, "run 1 of init is running");
    change(s, run_end(1, CLUSTER_RUN_DONE, ""));
    assert_null(cluster_run_active(s));
    assert_int_equal(change(s, run_start("other")), 2);
    cluster_state_free(s);
}

static void test_a_run_keeps_what_it_was_started_with(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    const struct cluster_run *r = cluster_run_find(s, 1);
    assert_string_equal(r->script, "init");
    assert_string_equal(r->version, "0000000000000007");
    assert_string_equal(r->source, "return {}");
    assert_int_equal(r->param_count, 1);
    assert_string_equal(r->params[0].name, "voters");
    assert_string_equal(r->params[0].value, "3");
    assert_int_equal(r->round, 0);
    assert_int_equal(r->started_ms, 1007);
    cluster_state_free(s);
}

static void test_steps_go_from_pending_to_started_to_their_end_and_nowhere_else(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 2, step_node(CLUSTER_OP_admit, 2), step_wait(5)));
    refused(s, run_step(1, 1, 0, DONE, ""), ERROR_STALE,
            "step 0 in round 1 of run 1 is pending: it cannot become done");
    refused(s, run_step(1, 1, 0, FAILED, "x"), ERROR_STALE, "cannot become failed");
    nothing(s, run_step(1, 1, 0, CLUSTER_STEP_PENDING, ""));
    change(s, run_step(1, 1, 0, STARTED, ""));
    nothing(s, run_step(1, 1, 0, STARTED, "")); /* by a new leader */
    change(s, run_step(1, 1, 0, DONE, ""));
    nothing(s, run_step(1, 1, 0, DONE, ""));
    refused(s, run_step(1, 1, 0, FAILED, "x"), ERROR_STALE, "is done: it cannot become failed");
    refused(s, run_step(1, 1, 0, STARTED, ""), ERROR_STALE, "cannot become started");
    refused(s, run_step(1, 1, 2, STARTED, ""), ERROR_NOT_FOUND, "has 2 steps; no step 2");
    refused(s, run_step(1, 2, 0, STARTED, ""), ERROR_STALE, "run 1 is in round 1, not 2");
    refused(s, run_step(2, 1, 0, STARTED, ""), ERROR_NOT_FOUND, "no run 2");
    assert_int_equal(cluster_run_find(s, 1)->steps_done, 1);
    cluster_state_free(s);
}

static void test_a_round_begins_when_the_last_one_is_over(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    refused(s, run_round(1, 2, 0), ERROR_STALE, "run 1 is in round 0; no round 2");
    change(s, run_round(1, 1, 2, step_wait(1), step_wait(2)));
    refused(s, run_round(1, 2, 0), ERROR_INVARIANT, "2 steps of round 1 are pending");
    finish(s, 1, 1, 0, DONE);
    change(s, run_step(1, 1, 1, STARTED, ""));
    refused(s, run_round(1, 2, 0), ERROR_INVARIANT, "1 steps of round 1 are started and have not ended");
    refused(s, run_round(1, 1, 0), ERROR_STALE, "no round 1");
    change(s, run_step(1, 1, 1, DONE, ""));
    change(s, run_round(1, 2, 1, step_wait(3)));
    assert_int_equal(cluster_run_find(s, 1)->round, 2);
    assert_int_equal(cluster_run_find(s, 1)->steps[0].step.ms, 3);
    cluster_state_free(s);
}

static void test_after_a_failed_step_pending_ones_are_dropped_but_started_ones_are_waited_for(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 3, step_wait(1), step_wait(2), step_wait(3)));
    finish(s, 1, 1, 1, FAILED);
    change(s, run_step(1, 1, 0, STARTED, ""));
    refused(s, run_round(1, 2, 0), ERROR_INVARIANT, "are started");
    change(s, run_step(1, 1, 0, DONE, ""));
    change(s, run_round(1, 2, 0));
    cluster_state_free(s);
}

static void test_a_stale_step_never_begins_and_its_round_is_planned_anew_without_a_failure(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 3, step_wait(1), step_wait(2), step_wait(3)));
    change(s, run_step(1, 1, 0, STARTED, ""));
    refused(s, run_step(1, 1, 0, CLUSTER_STEP_STALE, "x"), ERROR_STALE, "is started: it cannot become stale");
    change(s, run_step(1, 1, 1, CLUSTER_STEP_STALE, "shard s1 has changed"));
    nothing(s, run_step(1, 1, 1, CLUSTER_STEP_STALE, "again"));
    refused(s, run_step(1, 1, 1, STARTED, ""), ERROR_STALE, "is stale: it cannot become started");
    const struct cluster_run *r = cluster_run_find(s, 1);
    assert_string_equal(r->steps[1].error, "shard s1 has changed");
    assert_int_equal(r->failed_count, 0);
    refused(s, run_round(1, 2, 0), ERROR_INVARIANT, "are started");
    change(s, run_step(1, 1, 0, DONE, ""));
    change(s, run_round(1, 2, 0));
    cluster_state_free(s);
}

static void test_no_step_begins_while_the_run_is_paused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct cluster_command pause = {.type = CLUSTER_RUN_PAUSE, .run = 1, .on = true};
    change(s, run_start("init"));
    change(s, run_round(1, 1, 2, step_wait(1), step_wait(2)));
    change(s, run_step(1, 1, 0, STARTED, ""));
    change(s, pause);
    refused(s, run_step(1, 1, 1, STARTED, ""), ERROR_STALE, "run 1 is paused: no step begins");
    nothing(s, run_step(1, 1, 0, STARTED, "")); /* by a new leader */
    change(s, run_step(1, 1, 0, DONE, ""));
    pause.on = false;
    change(s, pause);
    change(s, run_step(1, 1, 1, STARTED, ""));
    cluster_state_free(s);
}

static void test_a_one_off_has_one_round(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct cluster_command c = run_start("eval");
    c.one_round = true;
    c.version[0] = 0;
    change(s, c);
    change(s, run_round(1, 1, 0));
    refused(s, run_round(1, 2, 0), ERROR_INVARIANT, "run 1 has one round only");
    cluster_state_free(s);
}

static void test_failures_are_remembered_without_their_slots(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 1, step_slots(4, 0, 16383)));
    finish(s, 1, 1, 0, FAILED);
    const struct cluster_run *r = cluster_run_find(s, 1);
    assert_int_equal(r->failed_count, 1);
    assert_int_equal(r->failed[0].round, 1);
    assert_int_equal(r->failed[0].step.op, CLUSTER_OP_assign_slots);
    assert_int_equal(r->failed[0].step.shard, 4);
    assert_int_equal(r->failed[0].step.slots.count, 0);
    assert_string_equal(r->failed[0].error, "it did not work");
    assert_string_equal(r->steps[0].error, "it did not work");
    assert_int_equal(r->steps[0].step.slots.count, 1);
    assert_int_equal(r->steps_done, 0);
    cluster_state_free(s);
}

static void test_the_last_hundred_failures_are_kept(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    for (uint32_t round = 1; round <= 103; round++) {
        change(s, run_round(1, round, 1, step_wait(round)));
        finish(s, 1, round, 0, FAILED);
    }
    const struct cluster_run *r = cluster_run_find(s, 1);
    assert_int_equal(r->failed_count, 100);
    assert_int_equal(r->failed[0].round, 4);
    assert_int_equal(r->failed[99].round, 103);
    cluster_state_free(s);
}

static void test_a_long_error_is_cut(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 1, step_wait(1)));
    change(s, run_step(1, 1, 0, STARTED, ""));
    char text[385];
    memset(text, 'x', 384);
    text[384] = 0;
    change(s, run_step(1, 1, 0, FAILED, text));
    assert_int_equal(strlen(cluster_run_find(s, 1)->steps[0].error), 256);
    cluster_state_free(s);
}

static void test_completions_of_equal_steps_are_counted_but_not_waits(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    for (uint32_t round = 1; round <= 3; round++) {
        change(s, run_round(1, round, 3, step_slots(1, 0, round > 2), step_wait(1), step_node(CLUSTER_OP_admit, 2)));
        for (uint32_t i = 0; i < 3; i++) finish(s, 1, round, i, DONE);
    }
    const struct cluster_run *r = cluster_run_find(s, 1);
    assert_int_equal(r->steps_done, 9);
    assert_int_equal(r->completion_count, 3);
    assert_int_equal(r->completions[0].count, 2);
    assert_int_equal(r->completions[1].count, 3);
    assert_int_equal(r->completions[2].count, 1);
    struct cluster_step same = step_node(CLUSTER_OP_admit, 2);
    assert_int_equal(r->completions[1].digest, cluster_step_digest(&same));
    cluster_state_free(s);
}

static void test_the_newest_4096_completions_are_counted(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 2, step_node(CLUSTER_OP_admit, 2), step_node(CLUSTER_OP_admit, 3)));
    struct cluster_run *r = cluster_run_find(s, 1);
    r->completions = realloc(r->completions, 4096 * sizeof *r->completions);
    for (r->completion_count = 0; r->completion_count < 4096; r->completion_count++)
        r->completions[r->completion_count] = (struct cluster_completion){r->completion_count, 1};
    finish(s, 1, 1, 0, DONE);
    struct cluster_step step = step_node(CLUSTER_OP_admit, 2);
    assert_int_equal(r->completion_count, 4096);
    assert_int_equal(r->completions[0].digest, 1);
    assert_int_equal(r->completions[4095].digest, cluster_step_digest(&step));
    cluster_state_free(s);
}

static void test_statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(cluster_run_status_name(CLUSTER_RUN_FAILED), "failed");
    assert_string_equal(cluster_step_status_name(CLUSTER_STEP_STARTED), "started");
    assert_string_equal(cluster_role_name(CLUSTER_ROLE_VOTER), "voter");
}

static void test_an_ended_run_keeps_what_is_shown_and_drops_what_planning_needs(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 2, step_node(CLUSTER_OP_admit, 2), step_wait(1)));
    finish(s, 1, 1, 0, DONE);
    change(s, run_end(1, CLUSTER_RUN_FAILED, "goes in circles"));
    nothing(s, run_end(1, CLUSTER_RUN_DONE, ""));
    refused(s, run_round(1, 2, 0), ERROR_STALE, "run 1 has ended");
    refused(s, run_step(1, 1, 1, STARTED, ""), ERROR_STALE, "run 1 has ended");
    refused(s, run_end(2, CLUSTER_RUN_DONE, ""), ERROR_NOT_FOUND, "no run 2");
    const struct cluster_run *r = cluster_run_find(s, 1);
    assert_int_equal(r->status, CLUSTER_RUN_FAILED);
    assert_string_equal(r->error, "goes in circles");
    assert_int_equal(r->ended_ms, 9000);
    assert_int_equal(r->step_count, 2);
    assert_int_equal(r->param_count, 1);
    assert_null(r->source);
    assert_int_equal(r->completion_count, 0);
    change(s, run_start("init"));
    assert_int_equal(cluster_run_find(s, 1)->step_count, 0); /* steps are shown until the next run */
    assert_int_equal(cluster_run_find(s, 1)->steps_done, 1);
    cluster_state_free(s);
}

static void test_the_newest_fifty_runs_are_kept(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    for (uint64_t run = 1; run <= 60; run++) {
        assert_int_equal(change(s, run_start("init")), run);
        change(s, run_end(run, CLUSTER_RUN_DONE, ""));
    }
    assert_int_equal(s->run_count, CLUSTER_RUNS_MAX);
    assert_int_equal(s->runs[0].id, 11);
    assert_null(cluster_run_find(s, 10));
    cluster_state_free(s);
}

static void test_in_a_paused_run_no_step_begins_but_those_begun_end(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, run_round(1, 1, 2, step_wait(1), step_wait(2)));
    change(s, run_step(1, 1, 0, STARTED, ""));
    change(s, run_pause(1, true));
    nothing(s, run_pause(1, true));
    refused(s, run_start("other"), ERROR_INVARIANT, "run 1 of init is paused; there is one at a time");
    refused(s, run_step(1, 1, 1, STARTED, ""), ERROR_STALE, "run 1 is paused: no step begins");
    nothing(s, run_step(1, 1, 0, STARTED, ""));
    change(s, run_step(1, 1, 0, DONE, ""));
    change(s, run_pause(1, false));
    nothing(s, run_pause(1, false));
    finish(s, 1, 1, 1, DONE);
    cluster_state_free(s);
}

static void test_only_a_run_that_runs_can_be_paused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    refused(s, run_pause(1, true), ERROR_NOT_FOUND, "no run 1");
    change(s, run_start("init"));
    change(s, run_pause(1, true));
    change(s, run_end(1, CLUSTER_RUN_CANCELLED, "by an operator")); /* paused or not */
    assert_false(cluster_run_find(s, 1)->paused);
    assert_int_equal(cluster_run_find(s, 1)->status, CLUSTER_RUN_CANCELLED);
    assert_string_equal(cluster_run_status_name(CLUSTER_RUN_CANCELLED), "cancelled");
    refused(s, run_pause(1, false), ERROR_STALE, "run 1 has ended");
    cluster_state_free(s);
}

static struct cluster_command with_score(struct cluster_command c, double score)
{
    c.score = score;
    return c;
}

static void test_a_run_keeps_its_first_and_its_last_score(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    const struct cluster_run *r = cluster_run_find(s, 1);
    assert_true(isnan(r->score_before) && isnan(r->score_after));
    change(s, with_score(run_round(1, 1, 0), 10.5));
    change(s, with_score(run_round(1, 2, 0), 4));
    assert_true(r->score_before == 10.5 && r->score_after == 4);
    change(s, with_score(run_end(1, CLUSTER_RUN_DONE, ""), 0.25));
    assert_true(r->score_before == 10.5 && r->score_after == 0.25);
    cluster_state_free(s);
}

static void test_a_run_that_ends_without_a_plan_keeps_the_score_it_had(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("init"));
    change(s, with_score(run_round(1, 1, 0), 3));
    change(s, with_score(run_end(1, CLUSTER_RUN_FAILED, "cancelled"), NAN));
    assert_true(cluster_run_find(s, 1)->score_before == 3 && cluster_run_find(s, 1)->score_after == 3);
    change(s, run_start("init"));
    change(s, with_score(run_end(2, CLUSTER_RUN_DONE, ""), 2)); /* nothing to do: before is after */
    assert_true(cluster_run_find(s, 2)->score_before == 2 && cluster_run_find(s, 2)->score_after == 2);
    change(s, run_start("init"));
    change(s, with_score(run_end(3, CLUSTER_RUN_FAILED, "no plan"), NAN));
    assert_true(isnan(cluster_run_find(s, 3)->score_before) && isnan(cluster_run_find(s, 3)->score_after));
    cluster_state_free(s);
}

static void test_moved_slots_are_counted(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, run_start("rebalance"));
    struct cluster_step step = step_slots(1, 10, 19), failing = step_slots(1, 30, 39);
    step.op = failing.op = CLUSTER_OP_move_slots;
    step.to = failing.to = 2;
    change(s, run_round(1, 1, 3, step, step_slots(1, 0, 5), failing));
    finish(s, 1, 1, 0, DONE);
    finish(s, 1, 1, 1, DONE);
    finish(s, 1, 1, 2, FAILED);
    assert_int_equal(cluster_run_find(s, 1)->slots_moved, 10);
    cluster_state_free(s);
}

int run_run_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_run_at_a_time),
        cmocka_unit_test(test_a_run_keeps_what_it_was_started_with),
        cmocka_unit_test(test_steps_go_from_pending_to_started_to_their_end_and_nowhere_else),
        cmocka_unit_test(test_a_round_begins_when_the_last_one_is_over),
        cmocka_unit_test(test_after_a_failed_step_pending_ones_are_dropped_but_started_ones_are_waited_for),
        cmocka_unit_test(test_a_stale_step_never_begins_and_its_round_is_planned_anew_without_a_failure),
        cmocka_unit_test(test_no_step_begins_while_the_run_is_paused),
        cmocka_unit_test(test_a_one_off_has_one_round),
        cmocka_unit_test(test_failures_are_remembered_without_their_slots),
        cmocka_unit_test(test_the_last_hundred_failures_are_kept),
        cmocka_unit_test(test_a_long_error_is_cut),
        cmocka_unit_test(test_completions_of_equal_steps_are_counted_but_not_waits),
        cmocka_unit_test(test_the_newest_4096_completions_are_counted),
        cmocka_unit_test(test_statuses_have_names),
        cmocka_unit_test(test_an_ended_run_keeps_what_is_shown_and_drops_what_planning_needs),
        cmocka_unit_test(test_the_newest_fifty_runs_are_kept),
        cmocka_unit_test(test_in_a_paused_run_no_step_begins_but_those_begun_end),
        cmocka_unit_test(test_only_a_run_that_runs_can_be_paused),
        cmocka_unit_test(test_a_run_keeps_its_first_and_its_last_score),
        cmocka_unit_test(test_a_run_that_ends_without_a_plan_keeps_the_score_it_had),
        cmocka_unit_test(test_moved_slots_are_counted),
    };
    return cmocka_run_group_tests_name("cluster runs", tests, NULL, NULL);
}
