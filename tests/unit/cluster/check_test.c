/* Every invariant, broken by hand: the check must find it. (What apply refuses is tested with the rules.) */
#include <stdio.h>
#include <stdlib.h>

#include "rich.h"

#define FINDS(expected, change_it)                                                                                     \
    do {                                                                                                               \
        struct cluster_state *s = rich_state();                                                                        \
        struct error e = {0};                                                                                          \
        assert_int_equal(cluster_state_check(s, &e), 0);                                                               \
        change_it;                                                                                                     \
        assert_int_equal(cluster_state_check(s, &e), ERROR_INVARIANT);                                                 \
        if (!strstr(e.text, expected)) fail_msg("'%s' does not hold '%s'", e.text, expected);                          \
        refuses_to_decode(s);                                                                                          \
        cluster_state_free(s);                                                                                         \
    } while (0)

static void refuses_to_decode(const struct cluster_state *s)
{
    struct cluster_state *back;
    struct buffer b = encoded(s);
    assert_int_equal(cluster_state_decode(buffer_bytes(&b), &back, NULL), ERROR_FORMAT);
    buffer_release(&b);
}

static void test_what_is_wrong_with_nodes_is_found(void **state)
{
    (void)state;
    FINDS("out of order", s->nodes[1].info.id[0] = 'f');
    FINDS("out of order", memcpy(s->nodes[2].info.id, s->nodes[3].info.id, 41));
    FINDS("id must be", s->nodes[1].info.id[0] = 'F');
    FINDS("two nodes have alias 5", s->nodes[0].info.alias = 5);
    FINDS("two nodes have raft id 2", s->nodes[0].raft_id = 2);
    FINDS("has a role and no raft id", s->nodes[3].raft_id = 0);
    FINDS("raft id that was not given out", s->nodes[3].raft_id = s->next_raft_id);
    FINDS("there is no voter", for (int i = 0; i < 3; i++) s->nodes[i].role = CLUSTER_ROLE_LEARNER);
    FINDS("is in shard s9, which is not there", s->nodes[4].shard = 9);
    FINDS("in sync without a shard", (s->nodes[5].shard = 0, s->nodes[5].in_sync = true));
    FINDS("has an unknown role", s->nodes[5].role = (enum cluster_role)7);
    FINDS("zone", s->nodes[5].info.zone[0] = ' ');
    FINDS("node 6 (00000006) has malformed labels", s->nodes[5].labels[0] = '\n');
    FINDS("there are more than 5 voters", for (uint32_t i = 0; i < 6; i++) {
        s->nodes[i].role = CLUSTER_ROLE_VOTER;
        s->nodes[i].raft_id = i + 1;
        s->next_raft_id = 7;
    });
}

static void test_an_eighth_member_of_metaraft_is_found(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(8);
    struct error e;
    for (unsigned n = 2; n <= 7; n++) change(s, set_role(n, CLUSTER_ROLE_LEARNER));
    s->nodes[7].role = CLUSTER_ROLE_LEARNER;
    s->nodes[7].raft_id = s->next_raft_id++;
    assert_int_equal(cluster_state_check(s, &e), ERROR_INVARIANT);
    assert_non_null(strstr(e.text, "there are more than 7 voters and learners"));
    cluster_state_free(s);
}

static void test_what_is_wrong_with_shards_and_slots_is_found(void **state)
{
    (void)state;
    FINDS("the primary of shard s2 is not there", s->shards[1].primary[0] = 'f');
    FINDS("the primary of shard s2 is not in it", memcpy(s->shards[1].primary, s->shards[0].primary, 41));
    FINDS("the primary of shard s1 is not in sync", s->nodes[0].in_sync = false);
    FINDS("shard s3 has epoch or reign 0", s->shards[2].epoch = 0);
    FINDS("shard s3 has epoch or reign 0", s->shards[2].reign = 0);
    FINDS("number that was not given out", s->next_shard = 3);
    FINDS("slot 77 is owned by shard s4, which is not there", s->owner[77] = 4);
}

static void test_a_shard_that_is_there_twice_is_found(void **state)
{
    (void)state;
    struct cluster_state *s = rich_state();
    struct error e;
    s->shards = realloc(s->shards, 4 * sizeof *s->shards);
    s->shards[3] = s->shards[2];
    s->shard_count = 4;
    assert_int_equal(cluster_state_check(s, &e), ERROR_INVARIANT);
    assert_non_null(strstr(e.text, "shard s3 is out of order"));
    cluster_state_free(s);
}

static void test_what_is_wrong_with_scripts_is_found(void **state)
{
    (void)state;
    FINDS("script init has 2 current versions", s->scripts[0].current = true);
    FINDS("script init has 0 current versions", s->scripts[1].current = false);
    FINDS("script init has version 0000000000000002 twice", memcpy(s->scripts[0].version, s->scripts[1].version, 17));
    FINDS("script a is out of order", snprintf(s->scripts[2].name, 2, "a"));
    FINDS("malformed version", s->scripts[2].version[0] = 'g');
    FINDS("malformed name", s->scripts[2].name[0] = 0);
    FINDS("has 0 bytes", s->scripts[2].source_len = 0);
}

static void test_too_many_versions_of_a_script_are_found(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct error e;
    for (unsigned v = 1; v <= 10; v++) change(s, load_script("a", v, "text"));
    change(s, load_script("b", 11, "text"));
    s->scripts[10].name[0] = 'a';
    s->scripts[10].current = false;
    assert_int_equal(cluster_state_check(s, &e), ERROR_INVARIANT);
    assert_non_null(strstr(e.text, "script a has too many versions"));
    cluster_state_free(s);
}

static void test_what_is_wrong_with_runs_is_found(void **state)
{
    (void)state;
    FINDS("run 2 has a number that was not given out", s->next_run = 2);
    FINDS("is out of order", s->runs[0].id = 2);
    FINDS("unknown status", s->runs[0].status = (enum cluster_run_status)9);
    FINDS("run 1 has ended and still counts completions",
          (s->runs[0].completions = calloc(1, sizeof *s->runs[0].completions), s->runs[0].completion_count = 1));
    FINDS("run 1 runs beside a newer one", s->runs[0].status = CLUSTER_RUN_RUNNING);
    FINDS("run 3 has a source of", (s->runs[2].status = CLUSTER_RUN_DONE, s->runs[2].paused = false));
    FINDS("run 3 has a source of 0 bytes", s->runs[2].source_len = 0);
    FINDS("run 2 has ended and is paused", s->runs[1].paused = true);
    FINDS("run 3 has a malformed trigger", s->runs[2].trigger[0] = ' ');
    FINDS("malformed script name", s->runs[0].script[0] = '\n');
    FINDS("malformed script version", s->runs[0].version[2] = 'x');
    FINDS("has steps it should not have", s->runs[2].round = 0);
    FINDS("more than its one round", s->runs[2].one_round = true);
    FINDS("malformed error at step 0", s->runs[2].steps[0].error[0] = 'x');
    FINDS("malformed parameter", s->runs[2].params[0].name[0] = ' ');
    FINDS("malformed failure", s->runs[2].failed[0].round = 3);
    FINDS("run 1 has a malformed error", s->runs[0].error[0] = '\r');
}

static void test_what_is_wrong_with_triggers_and_settings_is_found(void **state)
{
    (void)state;
    FINDS("trigger a is out of order", snprintf(s->triggers[1].name, 2, "a"));
    FINDS("trigger membership is out of order", memcpy(s->triggers[1].name, "membership", 11));
    FINDS("the names of a trigger and its script", s->triggers[1].name[0] = '\n');
    FINDS("trigger nightly must come every 1 to", s->triggers[1].every_s = 0);
    FINDS("trigger nightly had a run that was not started", s->triggers[1].last_run = s->next_run);
    FINDS("setting voters must be 1 to 5, an odd number, not 4", s->settings[CLUSTER_SETTING_voters] = 4);
    FINDS("setting concurrency must be", s->settings[CLUSTER_SETTING_concurrency] = 65);
}

static void test_a_sixty_fifth_trigger_is_found(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct error e;
    s->triggers = realloc(s->triggers, 65 * sizeof *s->triggers);
    for (uint32_t i = 1; i < 65; i++) {
        s->triggers[i] = s->triggers[0];
        snprintf(s->triggers[i].name, sizeof s->triggers[i].name, "t%02u", i);
    }
    s->trigger_count = 64;
    assert_int_equal(cluster_state_check(s, &e), 0);
    s->trigger_count = 65;
    assert_int_equal(cluster_state_check(s, &e), ERROR_INVARIANT);
    assert_non_null(strstr(e.text, "65 triggers"));
    cluster_state_free(s);
}

static void test_before_a_cluster_is_founded_there_is_nothing_in_it(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_state_new();
    struct error e;
    s->triggers_paused = true;
    assert_int_equal(cluster_state_check(s, &e), ERROR_INVARIANT);
    assert_non_null(strstr(e.text, "is not empty"));
    s->triggers_paused = false;
    assert_int_equal(cluster_state_check(s, &e), 0);
    s->settings[CLUSTER_SETTING_replicas] = 9; /* would be those of the cluster */
    assert_int_equal(cluster_state_check(s, &e), ERROR_INVARIANT);
    assert_non_null(strstr(e.text, "setting replicas must be 0 to 8, not 9"));
    refuses_to_decode(s);
    cluster_state_free(s);
}

static void test_what_is_wrong_with_the_whole_is_found(void **state)
{
    (void)state;
    FINDS("cluster id", s->id[0] = 'C');
    FINDS("without cluster id is not empty", s->id[0] = 0);
    FINDS("metadata version 0", s->version = 0);
    struct cluster_state *s = cluster_state_new();
    s->owner[16383] = 1;
    assert_int_equal(cluster_state_check(s, NULL), ERROR_INVARIANT);
    cluster_state_free(s);
}

int run_check_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_wrong_with_nodes_is_found),
        cmocka_unit_test(test_an_eighth_member_of_metaraft_is_found),
        cmocka_unit_test(test_what_is_wrong_with_shards_and_slots_is_found),
        cmocka_unit_test(test_a_shard_that_is_there_twice_is_found),
        cmocka_unit_test(test_what_is_wrong_with_scripts_is_found),
        cmocka_unit_test(test_too_many_versions_of_a_script_are_found),
        cmocka_unit_test(test_what_is_wrong_with_runs_is_found),
        cmocka_unit_test(test_what_is_wrong_with_triggers_and_settings_is_found),
        cmocka_unit_test(test_a_sixty_fifth_trigger_is_found),
        cmocka_unit_test(test_before_a_cluster_is_founded_there_is_nothing_in_it),
        cmocka_unit_test(test_what_is_wrong_with_the_whole_is_found),
    };
    return cmocka_run_group_tests_name("cluster invariants", tests, NULL, NULL);
}
