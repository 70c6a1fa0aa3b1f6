/* When a trigger's script is asked, in virtual time. */
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/imbalance.h"
#include "control/trigger_decision.h"

#define LOADED_VERSION  "1111111111111111"
#define BUILTIN_VERSION "2222222222222222"

/* One trigger, its memory, and runs; times begin late enough to look back. */
struct world {
    struct cluster_state *s;
    struct cluster_trigger trigger[2];
    struct trigger_memory memory[2];
    struct trigger_facts facts;
    struct cluster_run runs[60];
};

static void add_trigger(struct world *w, const char *name, enum cluster_event event)
{
    struct cluster_trigger *t = &w->trigger[w->s->trigger_count];
    *t = (struct cluster_trigger){.event = event};
    snprintf(t->name, sizeof t->name, "%s", name);
    snprintf(t->script, sizeof t->script, "mend");
    struct trigger_memory *m = &w->memory[w->s->trigger_count++];
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->version[TRIGGER_LOADED], sizeof m->version[0], LOADED_VERSION);
}

static void begin(struct world *w, enum cluster_event event)
{
    *w = (struct world){.s = cluster_state_new()};
    w->s->triggers = w->trigger;
    w->s->runs = w->runs;
    w->facts = (struct trigger_facts){
        .now_ms = 1000000, .wall_ms = 1700000000000, .free_since_ms = 0, .ups = 1, .holds = {true, false, true, true}};
    add_trigger(w, "a", event);
}

static void end(struct world *w)
{
    w->s->triggers = NULL;
    w->s->runs = NULL;
    w->s->trigger_count = w->s->run_count = 0;
    cluster_state_free(w->s);
}

static void pass(struct world *w, uint64_t ms)
{
    w->facts.now_ms += ms;
    w->facts.wall_ms += (int64_t)ms;
}

static struct trigger_decision decide(const struct world *w)
{
    struct trigger_decision d;
    trigger_decide(w->s, &w->trigger[0], &w->memory[0], &w->facts, &d);
    return d;
}

static void expect(const struct world *w, enum trigger_verdict verdict, uint64_t wait_ms)
{
    struct trigger_decision d = decide(w);
    assert_int_equal(d.verdict, verdict);
    if (verdict != TRIGGER_ASK) assert_int_equal(d.wait_ms, wait_ms);
}

static struct cluster_run *run_begins(struct world *w, const char *version)
{
    struct cluster_run *r = &w->runs[w->s->run_count++];
    *r = (struct cluster_run){.id = w->s->run_count, .started_ms = w->facts.wall_ms};
    snprintf(r->trigger, sizeof r->trigger, "%s", w->trigger[0].name);
    snprintf(r->script, sizeof r->script, "%s", w->trigger[0].script);
    snprintf(r->version, sizeof r->version, "%s", version);
    w->trigger[0].last_run = r->id;
    w->trigger[0].fired_ms = w->facts.wall_ms;
    return r;
}

static void run_ends(struct world *w, struct cluster_run *r, enum cluster_run_status status, const char *error)
{
    r->status = status;
    r->ended_ms = w->facts.wall_ms;
    w->facts.free_since_ms = w->facts.now_ms;
    snprintf(r->error, sizeof r->error, "%s", error);
}

static void answers(struct world *w, bool only_waits)
{
    trigger_memory_answered(&w->memory[0], &w->trigger[0], decide(w).text, w->facts.ups, only_waits, w->facts.now_ms);
}

static void errs(struct world *w, const char *error)
{
    trigger_memory_failed(&w->memory[0], decide(w).text, error, w->facts.now_ms);
}

static void test_it_is_asked_while_its_condition_holds_every_two_seconds(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    for (int i = 0; i < 3; i++) {
        expect(&w, TRIGGER_ASK, 0);
        answers(&w, i == 1);
        expect(&w, TRIGGER_RESTS, 2000);
        pass(&w, 1999);
        expect(&w, TRIGGER_RESTS, 1);
        pass(&w, 1);
    }
    w.facts.holds[CLUSTER_EVENT_NODE_DOWN] = false;
    expect(&w, TRIGGER_IDLE, 0);
    end(&w);
}

static void test_pause_runs_and_scripts_that_are_gone_hold_it_up(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_CANDIDATE);
    w.memory[0].version[TRIGGER_LOADED][0] = 0;
    expect(&w, TRIGGER_NO_SCRIPT, 0);
    snprintf(w.memory[0].version[TRIGGER_BUILTIN], 17, BUILTIN_VERSION);
    expect(&w, TRIGGER_ASK, 0);
    assert_int_equal(decide(&w).text, TRIGGER_BUILTIN);
    run_begins(&w, "0");
    expect(&w, TRIGGER_RUNNING, 0);
    w.s->triggers_paused = true;
    expect(&w, TRIGGER_PAUSED, 0);
    end(&w);
}

static void test_the_cool_down_counts_from_the_beginning_of_its_run(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    w.trigger[0].cooldown_s = 10;
    struct cluster_run *r = run_begins(&w, LOADED_VERSION);
    pass(&w, 4000);
    run_ends(&w, r, CLUSTER_RUN_DONE, "");
    expect(&w, TRIGGER_COOLS, 6000);
    w.memory[0] = (struct trigger_memory){.version = {LOADED_VERSION}}; /* another leader */
    expect(&w, TRIGGER_COOLS, 6000);
    pass(&w, 6000);
    expect(&w, TRIGGER_ASK, 0);
    end(&w);
}

/* A leader whose clock was ahead must not stop a trigger for as long as it was. */
static void test_a_clock_that_was_wrong_holds_it_up_for_two_cool_downs_at_most(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    w.trigger[0].cooldown_s = 10;
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_DONE, "");
    w.facts.wall_ms -= 5000;
    expect(&w, TRIGGER_COOLS, 15000);
    w.facts.wall_ms -= 5001;
    expect(&w, TRIGGER_ASK, 0);
    end(&w);
}

static void test_a_schedule_comes_at_its_interval_from_asking_and_from_firing(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_SCHEDULE);
    w.trigger[0].every_s = 60;
    expect(&w, TRIGGER_ASK, 0);
    answers(&w, false);
    expect(&w, TRIGGER_IDLE, 60000);
    pass(&w, 60000);
    expect(&w, TRIGGER_ASK, 0);
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_DONE, "");
    w.memory[0] = (struct trigger_memory){.version = {LOADED_VERSION}}; /* another leader knows when it fired */
    expect(&w, TRIGGER_IDLE, 60000);
    end(&w);
}

static void test_node_up_is_asked_once_for_those_that_came_up(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_UP);
    expect(&w, TRIGGER_ASK, 0); /* at the beginning of a reign */
    answers(&w, true);          /* it waits for something: not done with it */
    pass(&w, 2000);
    expect(&w, TRIGGER_ASK, 0);
    answers(&w, false);
    pass(&w, 60000);
    expect(&w, TRIGGER_IDLE, 0);
    w.facts.ups++;
    expect(&w, TRIGGER_ASK, 0);
    answers(&w, false);
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_FAILED, "no");
    pass(&w, 2000);
    expect(&w, TRIGGER_ASK, 0); /* what it was to do was not done */
    end(&w);
}

static void test_errors_of_a_script_make_the_pauses_grow_to_five_minutes(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    const uint64_t pauses[] = {2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000};
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        expect(&w, TRIGGER_ASK, 0);
        errs(&w, "mend@1: nil");
        expect(&w, TRIGGER_FAILS, pauses[i]);
        pass(&w, pauses[i]);
    }
    char problem[512];
    trigger_problem(w.s, &w.trigger[0], &w.memory[0], problem, sizeof problem);
    assert_string_equal(problem, "mend@1: nil");
    memcpy(w.memory[0].version[TRIGGER_LOADED], "3333333333333333", 17); /* loaded anew */
    trigger_problem(w.s, &w.trigger[0], &w.memory[0], problem, sizeof problem);
    assert_string_equal(problem, "");
    errs(&w, "mend@3: nil");
    expect(&w, TRIGGER_FAILS, 2000);
    pass(&w, 2000);
    answers(&w, false);
    trigger_problem(w.s, &w.trigger[0], &w.memory[0], problem, sizeof problem);
    assert_string_equal(problem, "");
    end(&w);
}

/* The runs are in the metadata: a new leader does not begin to try at once. */
static void test_runs_that_fail_make_the_pauses_grow_whoever_leads(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    snprintf(w.memory[0].version[TRIGGER_BUILTIN], 17, BUILTIN_VERSION);
    for (uint64_t pause = 2000; pause <= 8000; pause *= 2) {
        expect(&w, TRIGGER_ASK, 0);
        assert_int_equal(decide(&w).text, TRIGGER_LOADED); /* steps that failed are no error of the script */
        run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_FAILED, "5 rounds failed one after the other");
        memset(&w.memory[0].asked_ms, 0, sizeof w.memory[0].asked_ms);
        expect(&w, TRIGGER_FAILS, pause);
        pass(&w, pause);
    }
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_CANCELLED, "");
    expect(&w, TRIGGER_FAILS, 16000);
    char problem[512];
    trigger_problem(w.s, &w.trigger[0], &w.memory[0], problem, sizeof problem);
    assert_string_equal(problem, "run 4 was cancelled");
    pass(&w, 16000);
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_DONE, "");
    expect(&w, TRIGGER_ASK, 0);
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_FAILED, "no such place");
    expect(&w, TRIGGER_FAILS, 2000);
    struct cluster_param place = {.name = "place", .value = (char *)"here"};
    w.trigger[0].params = &place; /* set anew */
    w.trigger[0].param_count = 1;
    expect(&w, TRIGGER_ASK, 0);
    end(&w);
}

static void test_the_built_in_script_is_asked_at_once_when_the_loaded_one_errs(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    snprintf(w.memory[0].version[TRIGGER_BUILTIN], 17, BUILTIN_VERSION);
    errs(&w, "mend@1: nil");
    expect(&w, TRIGGER_ASK, 0);
    assert_int_equal(decide(&w).text, TRIGGER_BUILTIN);
    answers(&w, false);
    expect(&w, TRIGGER_RESTS, 2000);
    char problem[512];
    trigger_problem(w.s, &w.trigger[0], &w.memory[0], problem, sizeof problem);
    assert_string_equal(problem, "mend@1: nil");
    pass(&w, 2000);
    assert_int_equal(decide(&w).text, TRIGGER_LOADED); /* its pause is over */
    errs(&w, "mend@1: nil");
    assert_int_equal(decide(&w).text, TRIGGER_BUILTIN);
    errs(&w, "mend@2: nil");
    expect(&w, TRIGGER_FAILS, 2000); /* both err */
    end(&w);
}

static void test_the_built_in_script_stands_in_for_a_run_that_ended_with_an_error_of_the_script(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_SCHEDULE);
    w.trigger[0].every_s = 3600;
    w.trigger[0].cooldown_s = 3600;
    snprintf(w.memory[0].version[TRIGGER_BUILTIN], 17, BUILTIN_VERSION);
    struct cluster_run *r = run_begins(&w, LOADED_VERSION);
    answers(&w, false);
    trigger_memory_look(&w.memory[0], w.s, &w.trigger[0], w.facts.now_ms);
    run_ends(&w, r, CLUSTER_RUN_FAILED, "mend@" LOADED_VERSION ":3: nil");
    trigger_memory_look(&w.memory[0], w.s, &w.trigger[0], w.facts.now_ms);
    expect(&w, TRIGGER_ASK, 0); /* neither its hour nor its cool-down holds it up */
    assert_int_equal(decide(&w).text, TRIGGER_BUILTIN);
    answers(&w, false); /* nothing to do: once is enough */
    pass(&w, 60000);
    expect(&w, TRIGGER_COOLS, 3540000);
    end(&w);
}

static void test_its_own_run_is_followed_by_two_seconds_of_rest(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    struct cluster_run *r = run_begins(&w, LOADED_VERSION);
    answers(&w, false);
    trigger_memory_look(&w.memory[0], w.s, &w.trigger[0], w.facts.now_ms);
    pass(&w, 60000);
    run_ends(&w, r, CLUSTER_RUN_DONE, "");
    trigger_memory_look(&w.memory[0], w.s, &w.trigger[0], w.facts.now_ms);
    expect(&w, TRIGGER_RESTS, 2000);
    end(&w);
}

static void test_an_operator_who_was_refused_goes_first(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_DONE, "");
    w.facts.refused = true;
    expect(&w, TRIGGER_YIELDS, 5000);
    pass(&w, 5000);
    expect(&w, TRIGGER_ASK, 0);
    end(&w);
}

static uint32_t pick(const struct world *w)
{
    enum trigger_text text;
    return trigger_pick(w->s, w->memory, &w->facts, &text);
}

static void test_the_one_that_fired_longest_ago_goes_first(void **state)
{
    (void)state;
    struct world w;
    begin(&w, CLUSTER_EVENT_NODE_DOWN);
    add_trigger(&w, "b", CLUSTER_EVENT_CANDIDATE);
    assert_int_equal(pick(&w), 0);
    answers(&w, false);
    assert_int_equal(pick(&w), 1);
    pass(&w, 2000);
    assert_int_equal(pick(&w), 1); /* never asked yet */
    run_ends(&w, run_begins(&w, LOADED_VERSION), CLUSTER_RUN_DONE, "");
    assert_int_equal(pick(&w), 1);
    w.trigger[1].fired_ms = w.trigger[0].fired_ms + 1;
    assert_int_equal(pick(&w), 0);
    w.s->triggers_paused = true;
    assert_int_equal(pick(&w), 2);
    end(&w);
}

static struct cluster_load some_load; /* too large for a stack */

/* Slots 0, 6000 and 12000 are of three shards. */
static void expect_load_counts(const struct cluster_state *s, uint64_t *by_slot, uint64_t least)
{
    struct cluster_live live = {.load = &some_load};
    by_slot[0] = least * 3 - 3; /* less than `least` in the mean */
    assert_false(imbalance_holds(s, &live));
    by_slot[0] = least * 3;
    assert_true(imbalance_holds(s, &live));
    by_slot[6000] = by_slot[12000] = by_slot[0] - by_slot[0] / 100;
    assert_false(imbalance_holds(s, &live));
    by_slot[1] = by_slot[0] / 10;
    assert_true(imbalance_holds(s, &live));
    by_slot[1] = 0;
}

static void test_a_shard_above_the_tolerance_is_an_imbalance(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_state_new();
    struct cluster_shard shards[3] = {{.number = 1}, {.number = 4}, {.number = 9}};
    struct cluster_live live = {0};
    s->shards = shards;
    s->shard_count = 3;
    assert_false(imbalance_holds(s, &live)); /* no slots at all */
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) s->owner[slot] = shards[slot * 3 / CLUSTER_SLOTS].number;
    assert_false(imbalance_holds(s, &live)); /* 5462, 5461 and 5461 */
    expect_load_counts(s, some_load.keys, IMBALANCE_KEYS_MIN);
    expect_load_counts(s, some_load.bytes, IMBALANCE_BYTES_MIN);
    expect_load_counts(s, some_load.milliops, IMBALANCE_MILLIOPS_MIN);
    for (unsigned slot = 0; slot < 274; slot++) s->owner[slot] = 9;
    assert_false(imbalance_holds(s, &live));
    s->owner[274] = 9;
    assert_true(imbalance_holds(s, &live)); /* 5736: 5 % above the mean of 5462 are 5735 */
    s->settings[CLUSTER_SETTING_tolerance] = 6;
    assert_false(imbalance_holds(s, &live));
    s->shards = NULL;
    s->shard_count = 0;
    cluster_state_free(s);
}

int trigger_decision_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_asked_while_its_condition_holds_every_two_seconds),
        cmocka_unit_test(test_pause_runs_and_scripts_that_are_gone_hold_it_up),
        cmocka_unit_test(test_the_cool_down_counts_from_the_beginning_of_its_run),
        cmocka_unit_test(test_a_clock_that_was_wrong_holds_it_up_for_two_cool_downs_at_most),
        cmocka_unit_test(test_a_schedule_comes_at_its_interval_from_asking_and_from_firing),
        cmocka_unit_test(test_node_up_is_asked_once_for_those_that_came_up),
        cmocka_unit_test(test_errors_of_a_script_make_the_pauses_grow_to_five_minutes),
        cmocka_unit_test(test_runs_that_fail_make_the_pauses_grow_whoever_leads),
        cmocka_unit_test(test_the_built_in_script_is_asked_at_once_when_the_loaded_one_errs),
        cmocka_unit_test(test_the_built_in_script_stands_in_for_a_run_that_ended_with_an_error_of_the_script),
        cmocka_unit_test(test_its_own_run_is_followed_by_two_seconds_of_rest),
        cmocka_unit_test(test_an_operator_who_was_refused_goes_first),
        cmocka_unit_test(test_the_one_that_fired_longest_ago_goes_first),
        cmocka_unit_test(test_a_shard_above_the_tolerance_is_an_imbalance),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
