/* What policies share: settings and triggers. */
#include <stdio.h>

#include "fixture.h"

static void test_settings_begin_with_their_defaults_and_have_names(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    for (enum cluster_setting i = 0; i < CLUSTER_SETTINGS; i++) {
        const struct cluster_setting_info *info = cluster_setting_info(i);
        assert_true(s->settings[i] == info->initial);
        assert_int_equal(cluster_setting_check(i, info->initial, NULL), 0);
        assert_int_equal(cluster_setting_find(bytes_text(info->name)), i);
    }
    assert_int_equal(cluster_setting_find(bytes_text("Voters")), CLUSTER_SETTINGS);
    assert_int_equal(cluster_setting_find(bytes_text("")), CLUSTER_SETTINGS);
    cluster_state_free(s);
}

static void test_a_setting_is_changed_once(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, set_setting(CLUSTER_SETTING_voters, 5));
    nothing(s, set_setting(CLUSTER_SETTING_voters, 5));
    assert_true(s->settings[CLUSTER_SETTING_voters] == 5);
    assert_true(s->settings[CLUSTER_SETTING_replicas] == 1);
    cluster_state_free(s);
}

static void test_each_setting_takes_its_least_and_its_most_and_nothing_beyond(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    for (enum cluster_setting i = 0; i < CLUSTER_SETTINGS; i++) {
        const struct cluster_setting_info *info = cluster_setting_info(i);
        char text[64];
        snprintf(text, sizeof text, "setting %s must be %lld to %lld", info->name, (long long)info->least, (long long)info->most);
        apply(s, set_setting(i, info->least));
        assert_true(s->settings[i] == info->least);
        change(s, set_setting(i, info->most));
        refused(s, set_setting(i, info->least - 1), ERROR_FORMAT, text);
        refused(s, set_setting(i, info->most + 1), ERROR_FORMAT, text);
        refused(s, set_setting(i, INT64_MIN), ERROR_FORMAT, text);
        refused(s, set_setting(i, INT64_MAX), ERROR_FORMAT, text);
    }
    cluster_state_free(s);
}

static void test_an_even_number_of_voters_cannot_be_wanted(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    refused(s, set_setting(CLUSTER_SETTING_voters, 2), ERROR_FORMAT, "setting voters must be 1 to 5, an odd number, not 2");
    refused(s, set_setting(CLUSTER_SETTINGS, 2), ERROR_FORMAT, "set_setting");
    cluster_state_free(s);
}

static void test_a_new_cluster_replaces_dead_voters_by_itself(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    assert_int_equal(s->trigger_count, 1);
    const struct cluster_trigger *t = cluster_trigger_find(s, "membership");
    assert_string_equal(t->script, "membership");
    assert_int_equal(t->event, CLUSTER_EVENT_NODE_DOWN);
    assert_int_equal(t->cooldown_s, 10);
    assert_int_equal(t->every_s, 0);
    change(s, trigger_delete("membership"));
    nothing(s, found(1)); /* does not bring it back */
    assert_int_equal(s->trigger_count, 0);
    cluster_state_free(s);
}

static void test_triggers_are_sorted_by_name(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    static const char *const names[] = {"night", "a", "z", "b"};
    for (size_t i = 0; i < 4; i++) change(s, trigger_set(names[i], "rebalance"));
    static const char *const sorted[] = {"a", "b", "membership", "night", "z"};
    for (uint32_t i = 0; i < s->trigger_count; i++) assert_string_equal(s->triggers[i].name, sorted[i]);
    change(s, trigger_delete("b"));
    change(s, trigger_delete("z"));
    assert_int_equal(s->trigger_count, 3);
    assert_string_equal(s->triggers[2].name, "night");
    assert_string_equal(s->triggers[2].params[0].value, "bytes");
    assert_null(cluster_trigger_find(s, "b"));
    cluster_state_free(s);
}

static void test_a_trigger_set_again_is_nothing_to_do_until_something_differs(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct cluster_command c;
    change(s, trigger_set("night", "rebalance"));
    nothing(s, trigger_set("night", "rebalance"));
#define DIFFERS(change_it)                                                                                             \
    (c = trigger_set("night", "rebalance"), change_it, change(s, c), change(s, trigger_set("night", "rebalance")))
    change(s, trigger_set("night", "other"));
    change(s, trigger_set("night", "rebalance"));
    DIFFERS(c.trigger.every_s++);
    DIFFERS(c.trigger.cooldown_s++);
    DIFFERS((c.trigger.event = CLUSTER_EVENT_IMBALANCE, c.trigger.every_s = 0));
    DIFFERS(c.trigger.params[0].name[0] = 'x');
    DIFFERS(c.trigger.params[0].value[0] = 'x');
    assert_int_equal(s->trigger_count, 2);
    cluster_state_free(s);
}

static void test_a_run_of_a_trigger_is_noted_with_it_and_survives_its_replacement(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, trigger_set("night", "rebalance"));
    struct cluster_command c = run_start("rebalance");
    snprintf(c.text, sizeof c.text, "night");
    change(s, c);
    assert_string_equal(cluster_run_find(s, 1)->trigger, "night");
    struct cluster_command other = trigger_set("night", "other");
    other.trigger.last_run = 77; /* not the proposer's to say */
    other.trigger.fired_ms = 77;
    change(s, other);
    assert_int_equal(cluster_trigger_find(s, "night")->last_run, 1);
    assert_int_equal(cluster_trigger_find(s, "night")->fired_ms, 1007);
    assert_int_equal(cluster_trigger_find(s, "membership")->last_run, 0);
    change(s, trigger_delete("night"));
    change(s, trigger_set("night", "other"));
    assert_int_equal(cluster_trigger_find(s, "night")->last_run, 0); /* a new one */
    cluster_state_free(s);
}

static void test_a_run_may_outlive_its_trigger(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    struct cluster_command c = run_start("rebalance");
    snprintf(c.text, sizeof c.text, "gone");
    change(s, c);
    assert_string_equal(cluster_run_find(s, 1)->trigger, "gone");
    cluster_state_free(s);
}

static void test_paused_triggers_start_nothing_but_operators_may(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    change(s, triggers_pause(true));
    nothing(s, triggers_pause(true));
    struct cluster_command c = run_start("membership");
    snprintf(c.text, sizeof c.text, "membership");
    refused(s, c, ERROR_STALE, "triggers are paused: membership starts no run");
    change(s, run_start("membership"));
    change(s, run_end(1, CLUSTER_RUN_DONE, ""));
    change(s, triggers_pause(false));
    c = run_start("membership");
    snprintf(c.text, sizeof c.text, "membership");
    assert_int_equal(change(s, c), 2);
    cluster_state_free(s);
}

static void test_a_trigger_that_is_not_there_cannot_be_deleted(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    refused(s, trigger_delete("night"), ERROR_NOT_FOUND, "no trigger 'night'");
    cluster_state_free(s);
}

static void test_a_sixty_fifth_trigger_is_refused(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    char name[16];
    for (int i = 1; i < CLUSTER_TRIGGERS_MAX; i++) {
        snprintf(name, sizeof name, "t%d", i);
        change(s, trigger_set(name, "rebalance"));
    }
    refused(s, trigger_set("one-more", "rebalance"), ERROR_LIMIT, "there are 64 triggers already");
    change(s, trigger_set("t7", "other")); /* replaced, not added */
    cluster_state_free(s);
}

/* A trigger like that of trigger_set() with one thing wrong. */
#define MALFORMED(expected, change_it)                                                                                 \
    do {                                                                                                               \
        struct cluster_command c = trigger_set("night", "rebalance");                                                  \
        change_it;                                                                                                     \
        refused(s, c, ERROR_FORMAT, expected);                                                                         \
    } while (0)

static void test_a_malformed_trigger_is_refused_by_what_is_wrong(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    MALFORMED("the names of a trigger and its script", c.trigger.name[0] = ' ');
    MALFORMED("the names of a trigger and its script", c.trigger.script[0] = 0);
    MALFORMED("trigger night must come every 1 to 31622400 s, not 0", c.trigger.every_s = 0);
    MALFORMED("trigger night must come every 1 to 31622400 s, not 31622401", c.trigger.every_s = CLUSTER_EVERY_MAX_S + 1);
    MALFORMED("trigger night comes on node_up: not every 600 s too", c.trigger.event = CLUSTER_EVENT_NODE_UP);
    MALFORMED("a cool-down of 31622401 s; at most 31622400", c.trigger.cooldown_s = CLUSTER_COOLDOWN_MAX_S + 1);
    MALFORMED("trigger night has a malformed parameter", c.trigger.params[0].name[1] = '\n');
    MALFORMED("trigger_set", c.trigger.event = CLUSTER_EVENTS);
    cluster_state_free(s);
}

static void test_events_have_names(void **state)
{
    (void)state;
    for (enum cluster_event event = 0; event < CLUSTER_EVENTS; event++)
        assert_int_equal(cluster_event_find(bytes_text(cluster_event_name(event))), event);
    assert_int_equal(cluster_event_find(bytes_text("NODE_DOWN")), CLUSTER_EVENT_NODE_DOWN);
    assert_int_equal(cluster_event_find(bytes_text("node")), CLUSTER_EVENTS);
    assert_int_equal(cluster_event_find(bytes_text("")), CLUSTER_EVENTS);
}

int run_policy_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_begin_with_their_defaults_and_have_names),
        cmocka_unit_test(test_a_setting_is_changed_once),
        cmocka_unit_test(test_each_setting_takes_its_least_and_its_most_and_nothing_beyond),
        cmocka_unit_test(test_an_even_number_of_voters_cannot_be_wanted),
        cmocka_unit_test(test_a_new_cluster_replaces_dead_voters_by_itself),
        cmocka_unit_test(test_triggers_are_sorted_by_name),
        cmocka_unit_test(test_a_trigger_set_again_is_nothing_to_do_until_something_differs),
        cmocka_unit_test(test_a_run_of_a_trigger_is_noted_with_it_and_survives_its_replacement),
        cmocka_unit_test(test_a_run_may_outlive_its_trigger),
        cmocka_unit_test(test_paused_triggers_start_nothing_but_operators_may),
        cmocka_unit_test(test_a_trigger_that_is_not_there_cannot_be_deleted),
        cmocka_unit_test(test_a_sixty_fifth_trigger_is_refused),
        cmocka_unit_test(test_a_malformed_trigger_is_refused_by_what_is_wrong),
        cmocka_unit_test(test_events_have_names),
    };
    return cmocka_run_group_tests_name("cluster policies", tests, NULL, NULL);
}
