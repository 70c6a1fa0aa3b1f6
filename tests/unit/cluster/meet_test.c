/* Which steps of a round must keep their order. What must hold of the answer: steps that are accepted one after the other
 * are accepted in any order that keeps the order of those that meet, with the same state in the end. */
#include <stdlib.h>

#include "base/random.h"
#include "fixture.h"

#define ROUNDS    4000
#define STEPS     6
#define CANDIDATE 9

static struct cluster_step step_shard(enum cluster_op op, uint32_t shard)
{
    return (struct cluster_step){.op = op, .shard = shard};
}

static struct cluster_step step_set(enum cluster_setting key, int64_t value)
{
    return (struct cluster_step){.op = CLUSTER_OP_set, .key = key, .value = value};
}

static struct cluster_step step_move(uint32_t from, uint32_t to, unsigned first, unsigned last)
{
    struct cluster_step s = step_slots(from, first, last);
    s.op = CLUSTER_OP_move_slots;
    s.to = to;
    return s;
}

static bool meet(const struct cluster_state *s, struct cluster_step a, struct cluster_step b)
{
    const bool yes = cluster_steps_meet(s, &a, &b);
    assert_int_equal(cluster_steps_meet(s, &b, &a), yes);
    cluster_step_release(&a);
    cluster_step_release(&b);
    return yes;
}

/* Nodes 1 to 3 are the primaries of s1 to s3, nodes 4 to 6 their replicas, 7 and 8 in no shard. */
static struct cluster_state *cluster_of_eight(void)
{
    struct cluster_state *s = cluster_of_six();
    change(s, admit(7));
    change(s, admit(8));
    return s;
}

static void test_steps_meet_where_they_touch_the_same_node_shard_votes_or_settings(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_eight();
    assert_true(meet(s, step_node(CLUSTER_OP_detach, 4), step_replicate(4, 2)));
    assert_true(meet(s, step_node(CLUSTER_OP_admit, 9), step_node(CLUSTER_OP_label, 9)));
    assert_true(meet(s, step_slots(1, 0, 5), step_replicate(7, 1)));
    assert_true(meet(s, step_move(1, 2, 0, 5), step_move(2, 3, 0, 5)));
    assert_true(meet(s, step_move(1, 2, 0, 5), step_move(3, 1, 16000, 16001)));
    assert_true(meet(s, step_node(CLUSTER_OP_add_learner, 7), step_node(CLUSTER_OP_demote, 3)));
    assert_true(meet(s, step_node(CLUSTER_OP_transfer_leader, 2), step_node(CLUSTER_OP_demote, 1)));
    assert_true(meet(s, step_set(CLUSTER_SETTING_voters, 5), step_set(CLUSTER_SETTING_replicas, 2)));
    cluster_state_free(s);
}

static void test_a_node_brings_its_shard_into_a_step(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_eight();
    assert_true(meet(s, step_node(CLUSTER_OP_detach, 4), step_slots(1, 0, 5)));
    assert_true(meet(s, step_shard(CLUSTER_OP_drop_shard, 1), step_node(CLUSTER_OP_create_shard, 4)));
    assert_true(meet(s, step_shard(CLUSTER_OP_drop_shard, 1), step_node(CLUSTER_OP_remove_node, 4)));
    assert_false(meet(s, step_shard(CLUSTER_OP_drop_shard, 1), step_node(CLUSTER_OP_remove_node, 5)));
    cluster_state_free(s);
}

static void test_a_shard_to_be_made_is_met_by_all_that_name_it_and_by_others_to_be_made(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_eight();
    assert_true(meet(s, step_node(CLUSTER_OP_create_shard, 7), step_slots(4, 0, 5)));
    assert_true(meet(s, step_node(CLUSTER_OP_create_shard, 7), step_replicate(8, 5)));
    assert_true(meet(s, step_node(CLUSTER_OP_create_shard, 7), step_move(1, 4, 0, 5)));
    assert_true(meet(s, step_node(CLUSTER_OP_create_shard, 7), step_node(CLUSTER_OP_create_shard, 8)));
    assert_false(meet(s, step_node(CLUSTER_OP_create_shard, 7), step_slots(3, 0, 5)));
    cluster_state_free(s);
}

static void test_who_comes_waits_for_who_goes_as_the_alias_may_be_the_same(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_eight();
    assert_true(meet(s, step_node(CLUSTER_OP_remove_node, 7), step_node(CLUSTER_OP_admit, 9)));
    assert_false(meet(s, step_node(CLUSTER_OP_demote, 7), step_node(CLUSTER_OP_admit, 9)));
    cluster_state_free(s);
}

static void test_what_touches_nothing_in_common_may_be_done_at_once(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_eight();
    assert_false(meet(s, step_slots(1, 0, 5), step_slots(2, 10, 15)));
    assert_false(meet(s, step_replicate(7, 1), step_replicate(8, 2)));
    assert_false(meet(s, step_node(CLUSTER_OP_admit, 9), step_node(CLUSTER_OP_admit, 10)));
    assert_false(meet(s, step_node(CLUSTER_OP_detach, 4), step_node(CLUSTER_OP_promote, 5)));
    assert_false(meet(s, step_node(CLUSTER_OP_leave, 4), step_node(CLUSTER_OP_leave, 5)));
    assert_false(meet(s, step_node(CLUSTER_OP_label, 4), step_slots(1, 0, 5)));
    assert_false(meet(s, step_set(CLUSTER_SETTING_voters, 5), step_node(CLUSTER_OP_promote, 5)));
    for (enum cluster_op op = 0; op < CLUSTER_OPS; op++) /* a wait is for all before it */
        assert_true(meet(s, step_wait(1), (struct cluster_step){.op = op, .key = CLUSTER_SETTING_voters}));
    cluster_state_free(s);
}

/* ---- at random ---- */

static struct cluster_step random_step(uint64_t *seed, const struct cluster_state *s)
{
    const unsigned node = 1 + (unsigned)random_below(seed, CANDIDATE);
    const uint32_t shard = 1 + (uint32_t)random_below(seed, s->next_shard + 1u), to = 1 + shard % s->next_shard;
    const unsigned slot = (unsigned)random_below(seed, 40);
    const enum cluster_op op = (enum cluster_op)random_below(seed, CLUSTER_OPS);
    struct cluster_step step = step_node(op, node);
    switch (op) {
    case CLUSTER_OP_assign_slots: return step_slots(shard, slot, slot + (unsigned)random_below(seed, 3));
    case CLUSTER_OP_move_slots: return step_move(shard, to == shard ? to + 1 : to, slot, slot + (unsigned)random_below(seed, 3));
    case CLUSTER_OP_replicate: return step_replicate(node, shard);
    case CLUSTER_OP_drop_shard: return step_shard(op, shard);
    case CLUSTER_OP_wait: return step_wait(slot);
    case CLUSTER_OP_set: return step_set(CLUSTER_SETTING_replicas, slot % 9);
    case CLUSTER_OP_leave: step.on = slot % 2; return step;
    case CLUSTER_OP_label: step.labels[0] = (char)('a' + slot % 3); return step;
    default: return step;
    }
}

/* Carries a step out as a runner does; whether it was accepted. The candidate can only come after node 8 has gone. */
static bool carry_out(struct cluster_state *s, const struct cluster_step *step, struct error *e)
{
    struct cluster_node_info candidate = node_info(CANDIDATE, "c");
    candidate.alias = 8;
    struct cluster_command c;
    if (cluster_step_command(s, &candidate, 1, step, &c, e) != 0) return false;
    if (c.type != CLUSTER_NOTHING) change(s, c);
    return true;
}

/* A cluster with free nodes and slots, on which most steps have something to do. */
static struct cluster_state *random_cluster(uint64_t *seed)
{
    struct cluster_state *s = cluster_of(8);
    for (int i = 0; i < 40; i++) {
        struct cluster_step step = random_step(seed, s);
        struct error e;
        if (step.op != CLUSTER_OP_remove_node) carry_out(s, &step, &e);
        cluster_step_release(&step);
    }
    return s;
}

/* Steps that are accepted in this order; `after` is the state they lead to. */
struct round {
    struct cluster_step steps[STEPS];
    unsigned count;
    struct cluster_state *before, *after;
};

static struct round random_round(uint64_t *seed, const struct cluster_state *s)
{
    struct round r = {.before = cluster_state_clone(s, true), .after = cluster_state_clone(s, true)};
    for (int tries = 0; tries < 30 && r.count < STEPS; tries++) {
        struct cluster_step step = random_step(seed, r.after);
        struct error e;
        if (carry_out(r.after, &step, &e))
            r.steps[r.count++] = step;
        else
            cluster_step_release(&step);
    }
    return r;
}

/* Whether step `i` may begin: no step before it that has not ended meets it. */
static bool may_begin(const struct round *r, const struct cluster_state *now, const bool done[STEPS], unsigned i)
{
    if (done[i]) return false;
    for (unsigned k = 0; k < i; k++)
        if (!done[k] && cluster_steps_meet(now, &r->steps[k], &r->steps[i])) return false;
    return true;
}

/* The steps in a random order that keeps the order of those that meet. Returns how often a step overtook another. */
static unsigned carry_out_shuffled(const struct round *r, uint64_t *seed)
{
    struct cluster_state *s = cluster_state_clone(r->before, true);
    bool done[STEPS] = {false};
    unsigned overtakings = 0;
    for (unsigned ended = 0, first = 0; ended < r->count; ended++) {
        unsigned i = (unsigned)random_below(seed, r->count);
        while (!may_begin(r, s, done, i)) i = (i + 1) % r->count;
        struct error e;
        char text[200];
        cluster_step_text(&r->steps[i], text, sizeof text);
        if (!carry_out(s, &r->steps[i], &e)) fail_msg("%s was accepted in order, and is refused before others: %s", text, e.text);
        done[i] = true;
        overtakings += i > first;
        while (first < r->count && done[first]) first++;
    }
    s->version = r->after->version;
    assert_same_state(s, r->after);
    cluster_state_free(s);
    return overtakings;
}

static void test_any_order_that_keeps_that_of_steps_that_meet_leads_to_the_same(void **state)
{
    (void)state;
    uint64_t seed = seed_of(__func__);
    unsigned overtakings = 0;
    struct cluster_state *s = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 40 == 0) {
            cluster_state_free(s);
            s = random_cluster(&seed);
        }
        struct round r = random_round(&seed, s);
        overtakings += carry_out_shuffled(&r, &seed);
        for (unsigned k = 0; k < r.count; k++) cluster_step_release(&r.steps[k]);
        cluster_state_free(r.before);
        cluster_state_free(r.after);
    }
    assert_true(overtakings > ROUNDS);
    cluster_state_free(s);
}

int run_meet_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_meet_where_they_touch_the_same_node_shard_votes_or_settings),
        cmocka_unit_test(test_a_node_brings_its_shard_into_a_step),
        cmocka_unit_test(test_a_shard_to_be_made_is_met_by_all_that_name_it_and_by_others_to_be_made),
        cmocka_unit_test(test_who_comes_waits_for_who_goes_as_the_alias_may_be_the_same),
        cmocka_unit_test(test_what_touches_nothing_in_common_may_be_done_at_once),
        cmocka_unit_test(test_any_order_that_keeps_that_of_steps_that_meet_leads_to_the_same),
    };
    return cmocka_run_group_tests_name("cluster steps that meet", tests, NULL, NULL);
}
