/* Dry runs: what a policy would do, on a copy of the cluster. */
#include "script/dry_run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resp/write.h"
#include "tests.h"
#include "world.h"

#define POLICY(plan) "return { name = 'p', doc = 'd', params = {}, plan = function(view, p) " plan " end }"
#define SCORED(plan, formula)                                                                                          \
    "return { name = 'p', doc = 'd', params = {}, plan = function(view, p) " plan " end,"                              \
    " score = function(view) return " formula " end }"

static void *copy(const void *from, size_t size)
{
    if (!from) return NULL;
    void *to = malloc(size + 1); /* of nothing too */
    assert_non_null(to);
    return memcpy(to, from, size);
}

/* Runs it dry on a copy of the world to its end. */
static struct script_dry_run *dry_run_of(struct test_world *w, const struct script_source *source, uint64_t time_ms)
{
    struct cluster_live live = w->live;
    live.nodes = copy(live.nodes, live.node_count * sizeof *live.nodes);
    live.candidates = copy(live.candidates, live.candidate_count * sizeof *live.candidates);
    live.load = copy(live.load, sizeof *live.load);
    struct script_dry_run *d = script_dry_run_new(source, NULL, 0, cluster_state_clone(w->state, false), &live,
                                                  time_ms);
    while (script_dry_run_advance(d, NULL))
        ;
    return d;
}

static struct script_dry_run *dry_run(struct test_world *w, const char *text)
{
    const struct script_source source = test_source(text);
    return dry_run_of(w, &source, 60000);
}

static const struct script_dry_result *expect(const struct script_dry_run *d, enum script_outcome outcome,
                                              const char *error)
{
    const struct script_dry_result *r = script_dry_run_result(d);
    if (r->outcome != outcome) fail_msg("%s: %s", script_outcome_name(r->outcome), r->error);
    assert_string_equal(r->error, error);
    return r;
}

static void expect_line(const struct script_dry_result *r, uint32_t round, uint32_t line, const char *text)
{
    assert_true(round < r->round_count && line < r->rounds[round].count);
    assert_string_equal(r->rounds[round].steps[line].line, text);
}

static void apply_to(struct test_world *w, struct cluster_command c)
{
    test_world_apply(w, &c);
}

static void make_shard(struct test_world *w, uint32_t alias, uint32_t number, uint16_t from, uint16_t to)
{
    struct cluster_command create = {.type = CLUSTER_CREATE_SHARD},
                           assign = {.type = CLUSTER_ASSIGN_SLOTS, .shard = number};
    memcpy(create.node, test_world_id(alias), sizeof create.node);
    assert_int_equal(test_world_apply(w, &create), number);
    assert_int_equal(cluster_ranges_add(&assign.slots, from, to, NULL), 0);
    apply_to(w, assign);
}

static void test_init_is_planned_to_its_end_and_the_cluster_stays_as_it_is(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 5);
    const struct script_builtin *init = script_builtin_find("init");
    const struct script_source source = {"init", "0011223344556677", bytes_of(init->text, init->len)};
    const uint64_t version = w->state->version;
    struct script_dry_run *d = dry_run_of(w, &source, 60000);
    const struct script_dry_result *r = expect(d, SCRIPT_DONE, "");
    assert_int_equal(r->round_count, 5);
    assert_int_equal(r->rounds[0].count, 5);
    expect_line(r, 0, 0, "1.1 planned admit 00020002 [2 node2]");
    expect_line(r, 3, 0, "4.1 planned assign_slots s1 0-5460 (5461 slots)");
    assert_true(r->score_before == CLUSTER_SLOTS && r->score_after == 0);
    assert_int_equal(r->slots_moved, 0);
    assert_int_equal(w->state->version, version);
    assert_int_equal(w->state->node_count, 1);
    script_dry_run_free(d);
    test_world_free(w);
}

static void test_a_refused_step_ends_it_and_drops_the_rest_of_its_round(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(2, 0);
    struct script_dry_run *d = dry_run(
        w, POLICY("return { { op = 'label', node = '2', labels = 'x', why = 'first' }, { op = 'promote', node = '2' },"
                  " { op = 'leave', node = '2', on = true } }"));
    const char *reason = "cannot promote node 2 (00020002): it is not a learner, so it has not the log yet";
    char text[300];
    snprintf(text, sizeof text, "1.2 promote 00020002 [2 node2]: %s", reason);
    const struct script_dry_result *r = expect(d, SCRIPT_REFUSED, text);
    assert_int_equal(r->round_count, 1);
    expect_line(r, 0, 0, "1.1 planned label 00020002 'x' [2 node2] (first)");
    snprintf(text, sizeof text, "1.2 refused promote 00020002 [2 node2]: %s", reason);
    expect_line(r, 0, 1, text);
    expect_line(r, 0, 2, "1.3 dropped leave 00020002 on [2 node2]");
    script_dry_run_free(d);
    test_world_free(w);
}

static void test_a_round_that_only_waits_ends_it_and_another_wait_does_not(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    struct script_dry_run *d = dry_run(
        w, POLICY("if view.run.round == 0 then return { { op = 'wait', ms = 60000 },"
                  " { op = 'set', key = 'tolerance', value = 7 } } end"
                  " return { { op = 'wait', ms = 1000, why = 'tolerance is ' .. view.settings.tolerance } }"));
    const struct script_dry_result *r = expect(d, SCRIPT_WAITS, "");
    assert_string_equal(r->why, "tolerance is 7");
    assert_int_equal(r->round_count, 2);
    expect_line(r, 0, 0, "1.1 waits wait 60000 ms");
    expect_line(r, 0, 1, "1.2 planned set tolerance 7");
    expect_line(r, 1, 0, "2.1 waits wait 1000 ms (tolerance is 7)");
    script_dry_run_free(d);
    test_world_free(w);
}

static void test_circles_end_it_at_the_third_equal_step(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    struct script_dry_run *d = dry_run(w,
                                       POLICY("return { { op = 'leave', node = '1', on = view.run.round % 2 == 0 } }"));
    const struct script_dry_result *r = expect(d, SCRIPT_CIRCLES, "goes in circles: leave 00010001 on [1 node1]");
    assert_int_equal(r->round_count, 5);
    script_dry_run_free(d);
    test_world_free(w);
}

static void test_a_hundred_rounds_end_it(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    struct script_dry_run *d = dry_run(
        w, POLICY("return { { op = 'set', key = 'patience', value = 1000 + view.run.round } }"));
    const struct script_dry_result *r = expect(d, SCRIPT_ERROR, "not done after 100 rounds");
    assert_int_equal(r->round_count, CLUSTER_ROUNDS_MAX);
    expect_line(r, 99, 0, "100.1 planned set patience 1099");
    script_dry_run_free(d);
    test_world_free(w);
}

/* Their load goes with them. */
static void test_moved_slots_are_counted_and_the_score_shows_them(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(2, 0);
    make_shard(w, 1, 1, 0, 999);
    make_shard(w, 2, 2, 1000, 1009);
    w->live.load = calloc(1, sizeof *w->live.load);
    assert_non_null(w->live.load);
    for (unsigned slot = 0; slot < 1010; slot++) w->live.load->keys[slot] = 2;
    struct script_dry_run *d = dry_run(
        w, SCORED("if view.run.slots_moved == 0 then"
                  " return { { op = 'move_slots', from = 's1', to = 's2', slots = { { 0, 499 } } } } end return {}",
                  "view.shards[1].keys - view.shards[2].keys"));
    const struct script_dry_result *r = expect(d, SCRIPT_DONE, "");
    expect_line(r, 0, 0, "1.1 planned move_slots s1 to s2 0-499 (500 slots)");
    assert_int_equal(r->slots_moved, 500);
    assert_true(r->moves_slots);
    assert_true(r->score_before == 1980 && r->score_after == -20);
    script_dry_run_free(d);
    test_world_free(w);
}

/* The first round stays to be looked at, and a policy without a score has none. */
static void test_an_error_of_the_policy_ends_it_with_the_line(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    struct script_dry_run *d = dry_run(w, POLICY("\nif view.run.round == 1 then error('no more') end\n"
                                                 "return { { op = 'set', key = 'replicas', value = 2 } }"));
    const struct script_dry_result *r = expect(d, SCRIPT_ERROR, "test@0011223344556677:2: no more");
    assert_int_equal(r->round_count, 1);
    assert_true(isnan(r->score_before) && isnan(r->score_after));
    script_dry_run_free(d);
    test_world_free(w);
}

static void test_the_leader_moves_and_who_votes_no_more_leads_no_more(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(4, 0);
    struct script_dry_run *d = dry_run(
        w,
        POLICY(
            "local round = view.run.round\n"
            "if round == 0 then return { { op = 'add_learner', node = '2' }, { op = 'add_learner', node = '3' },"
            " { op = 'promote', node = '2' }, { op = 'promote', node = '3' } } end\n"
            "if round == 1 then return { { op = 'transfer_leader', node = '3', why = view.node[view.leader].alias } } "
            "end\n"
            "if round == 2 then return { { op = 'demote', node = '3', why = view.node[view.leader].alias } } end\n"
            "if round == 3 then return { { op = 'remove_node', node = '4', why = view.node[view.leader].alias } } end\n"
            "error(#view.nodes)"));
    const struct script_dry_result *r = expect(d, SCRIPT_ERROR, "test@0011223344556677:6: 3");
    expect_line(r, 1, 0, "2.1 planned transfer_leader 00030003 [3 node3] (1)");
    expect_line(r, 2, 0, "3.1 planned demote 00030003 [3 node3] (3)");
    expect_line(r, 3, 0, "4.1 planned remove_node 00040004 [4 node4] (1)");
    script_dry_run_free(d);
    test_world_free(w);
}

static void test_shards_are_compared_and_the_policy_says_why_it_is_done(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(3, 0);
    make_shard(w, 1, 1, 0, 99);
    make_shard(w, 2, 2, 200, 299);
    w->live.load = calloc(1, sizeof *w->live.load);
    assert_non_null(w->live.load);
    w->live.load->keys[7] = 5;
    w->live.load->milliops[7] = 1500;
    struct script_dry_run *d = dry_run(
        w, POLICY("if view.run.round > 0 then return {}, 'nothing is left to do' end return {"
                  "{ op = 'move_slots', from = 's1', to = 's2', slots = { { 0, 1 }, { 7, 7 } } },"
                  "{ op = 'create_shard', node = '3' } }"));
    const struct script_dry_result *r = expect(d, SCRIPT_DONE, "");
    assert_string_equal(r->why, "nothing is left to do");
    assert_int_equal(r->shard_count, 2); /* s3 is new, and has nothing */
    assert_int_equal(r->shards[0].number, 1);
    assert_int_equal(r->shards[0].before.slot_count, 100);
    assert_int_equal(r->shards[0].after.slot_count, 97);
    assert_int_equal(r->shards[0].before.keys, 5);
    assert_int_equal(r->shards[0].after.keys, 0);
    assert_int_equal(r->shards[1].after.milliops, 1500);
    struct buffer reply;
    buffer_init(&reply, 1 << 20);
    struct resp_writer writer = {&reply, 2};
    script_dry_run_write(r, true, "", &writer);
    buffer_append(&reply, "", 1);
    assert_non_null(strstr((char *)reply.data,
                           "$7\r\nbecomes\r\n$7\r\nplanned\r\n$2\r\nop\r\n$10\r\nmove_slots\r\n$4\r\nfrom\r\n$2\r\ns1\r\n"
                           "$2\r\nto\r\n$2\r\ns2\r\n$5\r\nslots\r\n*2\r\n*2\r\n:0\r\n:1\r\n*2\r\n:7\r\n:7\r\n"));
    buffer_release(&reply);
    script_dry_run_free(d);
    d = dry_run(w, POLICY("return {}, 7"));
    expect(d, SCRIPT_ERROR, "test@0011223344556677: the plan: why, its second value, must be a string, not a number");
    script_dry_run_free(d);
    test_world_free(w);
}

static void test_steps_are_kept_up_to_a_bound_and_the_others_counted(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    struct script_dry_run *d = dry_run(
        w, POLICY("local steps, round = {}, view.run.round\n"
                  "for i = 1, round < 3 and 999 or 0 do"
                  " steps[i] = { op = 'label', node = '1', labels = round .. '.' .. i } end return steps"));
    const struct script_dry_result *r = expect(d, SCRIPT_DONE, "");
    assert_int_equal(r->round_count, 3);
    assert_int_equal(r->steps, SCRIPT_DRY_RUN_STEPS_MAX);
    assert_int_equal(r->rounds[2].count, 2);
    assert_int_equal(r->steps_left_out, 3 * 999 - SCRIPT_DRY_RUN_STEPS_MAX);
    script_dry_run_free(d);
    test_world_free(w);
}

/* Each round is within the limits of a script; together they are not. */
static void test_its_time_ends_it(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    const struct script_source source = test_source(
        POLICY("for i = 1, 1000000 do end"
               " return { { op = 'set', key = 'patience', value = 1000 + view.run.round } }"));
    struct script_dry_run *d = dry_run_of(w, &source, 20);
    const struct script_dry_result *r = script_dry_run_result(d);
    assert_int_equal(r->outcome, SCRIPT_ERROR);
    assert_non_null(strstr(r->error, "planning takes more than 20 ms: ended in round "));
    assert_true(r->round_count < CLUSTER_ROUNDS_MAX);
    script_dry_run_free(d);
    test_world_free(w);
}

int test_script_dry_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_is_planned_to_its_end_and_the_cluster_stays_as_it_is),
        cmocka_unit_test(test_a_refused_step_ends_it_and_drops_the_rest_of_its_round),
        cmocka_unit_test(test_a_round_that_only_waits_ends_it_and_another_wait_does_not),
        cmocka_unit_test(test_circles_end_it_at_the_third_equal_step),
        cmocka_unit_test(test_a_hundred_rounds_end_it),
        cmocka_unit_test(test_moved_slots_are_counted_and_the_score_shows_them),
        cmocka_unit_test(test_an_error_of_the_policy_ends_it_with_the_line),
        cmocka_unit_test(test_the_leader_moves_and_who_votes_no_more_leads_no_more),
        cmocka_unit_test(test_shards_are_compared_and_the_policy_says_why_it_is_done),
        cmocka_unit_test(test_steps_are_kept_up_to_a_bound_and_the_others_counted),
        cmocka_unit_test(test_its_time_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
