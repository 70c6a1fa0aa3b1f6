/* Who may vote: every state of up to 5 voters and 7 members of MetaRaft, each up or down, against rules written down a
 * second time; and that the way from 1 to 3 to 5 voters and back is open wherever a majority is up.
 *
 * Which of two equal nodes is meant makes no difference, so a state is five numbers. */
#include <stdlib.h>

#include "fixture.h"

#define SPARES 5 /* members without a role that are up, and one more that is down */

/* How many nodes there are of each kind; of a kind they are numbered side by side, in this order. */
enum kind { UP_VOTER, DOWN_VOTER, UP_LEARNER, DOWN_LEARNER, UP_SPARE, DOWN_SPARE, KINDS };

struct mix {
    unsigned of[KINDS];
};

static unsigned voters_in(struct mix m)
{
    return m.of[UP_VOTER] + m.of[DOWN_VOTER];
}

static unsigned members_in(struct mix m)
{
    return voters_in(m) + m.of[UP_LEARNER] + m.of[DOWN_LEARNER];
}

static bool has_majority(struct mix m)
{
    return 2 * m.of[UP_VOTER] > voters_in(m);
}

/* The number of the first node of a kind. */
static unsigned first_of(struct mix m, enum kind kind)
{
    unsigned node = 1;
    for (enum kind k = 0; k < kind; k++) node += m.of[k];
    return node;
}

/* Made by hand, as there are thousands: to apply a command for each node would take its time. */
static struct cluster_state *state_of(struct mix m)
{
    struct cluster_state *s = cluster_of(1);
    const unsigned nodes = first_of(m, KINDS) - 1;
    s->nodes = realloc(s->nodes, nodes * sizeof *s->nodes);
    for (; s->node_count < nodes; s->node_count++)
        s->nodes[s->node_count] = (struct cluster_node){.info = node_info(s->node_count + 1, "a"), .up = true};
    for (uint32_t i = 0; i < members_in(m); i++) {
        s->nodes[i].role = i < voters_in(m) ? CLUSTER_ROLE_VOTER : CLUSTER_ROLE_LEARNER;
        if (i > 0) s->nodes[i].raft_id = s->next_raft_id++;
    }
    for (enum kind k = DOWN_VOTER; k < KINDS; k += 2)
        for (unsigned i = 0; i < m.of[k]; i++) s->nodes[first_of(m, k) - 1 + i].up = false;
    struct error e;
    if (cluster_state_check(s, &e) != 0) fail_msg("%s", e.text);
    return s;
}

static struct mix mix_of(const struct cluster_state *s)
{
    static const enum kind kinds[] = {
        [CLUSTER_ROLE_NONE] = UP_SPARE, [CLUSTER_ROLE_LEARNER] = UP_LEARNER, [CLUSTER_ROLE_VOTER] = UP_VOTER};
    struct mix m = {0};
    for (uint32_t i = 0; i < s->node_count; i++) m.of[kinds[s->nodes[i].role] + (s->nodes[i].up ? 0 : 1)]++;
    return m;
}

/* ---- the rules, written down a second time ---- */

enum answer { ACCEPTED, NOTHING_TO_DO, REFUSED };

static enum answer rule_says(struct mix m, enum kind kind, enum cluster_role role)
{
    static const enum cluster_role roles[] = {CLUSTER_ROLE_VOTER, CLUSTER_ROLE_LEARNER, CLUSTER_ROLE_NONE};
    const enum cluster_role now = roles[kind / 2];
    const bool up = kind % 2 == 0;
    struct mix after = m;
    if (now == role) return NOTHING_TO_DO;
    if (now == CLUSTER_ROLE_NONE) /* first a learner, and only if it can catch up */
        return role == CLUSTER_ROLE_LEARNER && up && members_in(m) < 7 ? ACCEPTED : REFUSED;
    if (now == CLUSTER_ROLE_LEARNER && role == CLUSTER_ROLE_NONE) return ACCEPTED; /* nobody waits for it */
    if (now == CLUSTER_ROLE_LEARNER) {
        after.of[UP_VOTER]++;
        return up && voters_in(m) < 5 && has_majority(after) ? ACCEPTED : REFUSED;
    }
    after.of[kind]--; /* a vote is never taken together with the log */
    return role == CLUSTER_ROLE_LEARNER && voters_in(after) > 0 && has_majority(after) ? ACCEPTED : REFUSED;
}

/* ---- every state ---- */

static void for_each_mix(void (*look)(struct mix m))
{
    for (unsigned voters = 1; voters <= CLUSTER_VOTERS_MAX; voters++)
        for (unsigned up = 0; up <= voters; up++)
            for (unsigned learners = 0; voters + learners <= CLUSTER_RAFT_MAX; learners++)
                for (unsigned learners_up = 0; learners_up <= learners; learners_up++)
                    look((struct mix){{up, voters - up, learners_up, learners - learners_up, SPARES, 1}});
}

static void check_answer(struct mix m, enum kind kind, enum cluster_role role)
{
    struct cluster_state *s = state_of(m);
    struct cluster_result r = apply(s, set_role(first_of(m, kind), role));
    const enum answer answer = r.changed ? ACCEPTED : r.error.code ? REFUSED : NOTHING_TO_DO;
    if (answer != rule_says(m, kind, role))
        fail_msg("%u of %u voters and %u of %u learners are up; kind %d to role %d: %s", m.of[UP_VOTER], voters_in(m),
                 m.of[UP_LEARNER], members_in(m) - voters_in(m), kind, role, r.changed ? "accepted" : r.error.text);
    if (answer == REFUSED) assert_int_equal(r.error.code, ERROR_INVARIANT);
    if (r.changed && voters_in(mix_of(s)) != voters_in(m)) assert_true(has_majority(mix_of(s)));
    cluster_state_free(s);
}

static void check_answers(struct mix m)
{
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (enum cluster_role role = 0; m.of[kind] && role <= CLUSTER_ROLE_VOTER; role++) check_answer(m, kind, role);
}

static void test_each_change_of_a_role_is_accepted_or_refused_as_the_rules_say(void **state)
{
    (void)state;
    for_each_mix(check_answers);
}

/* ---- no other command touches a vote ---- */

static void check_others(struct mix m)
{
    for (unsigned node = 1; node < first_of(m, KINDS); node++) {
        struct cluster_state *s = state_of(m);
        const bool votes = node <= voters_in(m), up = s->nodes[node - 1].up;
        assert_int_equal(apply(s, create_shard(node)).changed, up);
        apply(s, detach(node));
        apply(s, remove_node(node));
        apply(s, drop_shard(1));
        apply(s, set_leaving(node, true));
        apply(s, update_node(node_info(node, "elsewhere")));
        assert_int_equal(apply(s, remove_node(node)).error.code, votes ? ERROR_INVARIANT : 0);
        assert_int_equal(cluster_node_find(s, node_id(node)) != NULL, votes);
        assert_int_equal(mix_of(s).of[UP_VOTER], m.of[UP_VOTER]);
        assert_int_equal(mix_of(s).of[DOWN_VOTER], m.of[DOWN_VOTER]);
        cluster_state_free(s);
    }
}

static void test_no_other_command_takes_or_gives_a_vote(void **state)
{
    (void)state;
    for_each_mix(check_others);
}

/* ---- the ways between them ---- */

#define PLACES (6 * 6 * 8 * 8)
#define CHOICES (KINDS * (CLUSTER_ROLE_VOTER + 1))

static struct way {
    bool exists;
    unsigned voters_up, voters_down;
    unsigned next[CHOICES], count; /* where accepted commands lead to; spares are as many as before */
} ways[PLACES];

static unsigned place_of(struct mix m)
{
    return ((m.of[UP_VOTER] * 6 + m.of[DOWN_VOTER]) * 8 + m.of[UP_LEARNER]) * 8 + m.of[DOWN_LEARNER];
}

static void find_ways(struct mix m)
{
    struct way *w = &ways[place_of(m)];
    *w = (struct way){.exists = true, .voters_up = m.of[UP_VOTER], .voters_down = m.of[DOWN_VOTER]};
    for (unsigned choice = 0; choice < CHOICES; choice++) {
        const enum kind kind = choice % KINDS;
        if (m.of[kind] == 0) continue;
        struct cluster_state *s = state_of(m);
        if (apply(s, set_role(first_of(m, kind), (enum cluster_role)(choice / KINDS))).changed)
            w->next[w->count++] = place_of(mix_of(s));
        cluster_state_free(s);
    }
}

/* Whether accepted commands lead from a place to one with just `voters` voters, all up. */
static bool leads_to(unsigned from, unsigned voters)
{
    static unsigned queue[PLACES];
    bool seen[PLACES] = {[0] = false};
    unsigned count = 0;
    queue[count++] = from;
    seen[from] = true;
    for (unsigned at = 0; at < count; at++) {
        const struct way *w = &ways[queue[at]];
        assert_true(w->exists && 2 * w->voters_up > w->voters_up + w->voters_down);
        if (w->voters_up == voters && w->voters_down == 0) return true;
        for (unsigned i = 0; i < w->count; i++)
            if (!seen[w->next[i]]) queue[count++] = w->next[i], seen[w->next[i]] = true;
    }
    return false;
}

static void check_reachable(struct mix m)
{
    for (unsigned voters = 1; has_majority(m) && voters <= CLUSTER_VOTERS_MAX; voters += 2)
        if (!leads_to(place_of(m), voters))
            fail_msg("%u of %u voters, %u of %u learners up: no way to %u voters", m.of[UP_VOTER], voters_in(m),
                     m.of[UP_LEARNER], members_in(m) - voters_in(m), voters);
}

static void test_one_three_and_five_voters_are_reached_wherever_a_majority_is_up(void **state)
{
    (void)state;
    for_each_mix(find_ways);
    for_each_mix(check_reachable);
}

int run_role_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_change_of_a_role_is_accepted_or_refused_as_the_rules_say),
        cmocka_unit_test(test_no_other_command_takes_or_gives_a_vote),
        cmocka_unit_test(test_one_three_and_five_voters_are_reached_wherever_a_majority_is_up),
    };
    return cmocka_run_group_tests_name("cluster roles", tests, NULL, NULL);
}
