#include <stdio.h>
#include <stdlib.h>

#include "rich.h"

static void test_every_command_survives_a_round_trip(void **state)
{
    (void)state;
    for (enum cluster_command_type type = 0; type <= CLUSTER_TRIGGERS_PAUSE; type++) {
        struct cluster_command c = rich_command(type), back;
        struct error e;
        struct buffer b = encoded_command(&c);
        if (cluster_command_decode(buffer_bytes(&b), &back, &e) != 0) fail_msg("%s", e.text);
        struct buffer again = encoded_command(&back);
        assert_true(bytes_equal(buffer_bytes(&b), buffer_bytes(&again)));
        assert_int_equal(back.type, type);
        buffer_release(&b);
        buffer_release(&again);
        cluster_command_release(&c);
        cluster_command_release(&back);
    }
}

static void test_a_command_cut_at_any_byte_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct cluster_state *s = rich_state();
    const uint64_t version = s->version;
    for (enum cluster_command_type type = 0; type <= CLUSTER_TRIGGERS_PAUSE; type++) {
        struct cluster_command c = rich_command(type);
        struct buffer b = encoded_command(&c);
        for (size_t len = 0; len < b.len; len++) {
            struct cluster_result r;
            uint8_t *exact = malloc(len ? len : 1);
            memcpy(exact, b.data, len);
            cluster_apply(s, bytes_of(exact, len), &r);
            assert_int_equal(r.error.code, ERROR_FORMAT);
            assert_int_equal(s->version, version);
            free(exact);
        }
        buffer_append(&b, "", 1); /* bytes left over */
        struct cluster_result r;
        cluster_apply(s, buffer_bytes(&b), &r);
        assert_int_equal(r.error.code, ERROR_FORMAT);
        buffer_release(&b);
        cluster_command_release(&c);
    }
    cluster_state_free(s);
}

static void test_commands_have_names(void **state)
{
    (void)state;
    assert_string_equal(cluster_command_name(CLUSTER_NOTHING), "nothing");
    assert_string_equal(cluster_command_name(CLUSTER_ASSIGN_SLOTS), "assign_slots");
    assert_string_equal(cluster_command_name(CLUSTER_RUN_END), "run_end");
    assert_string_equal(cluster_command_name(CLUSTER_TRIGGERS_PAUSE), "triggers_pause");
    assert_string_equal(cluster_command_name((enum cluster_command_type)200), "unknown");
}

static void malformed(struct cluster_command c, const char *text)
{
    struct cluster_state *s = cluster_of(1);
    refused(s, c, ERROR_FORMAT, text);
    cluster_state_free(s);
}

static bool names_a_node(enum cluster_command_type type)
{
    struct cluster_command c = rich_command(type);
    const bool named = c.node[0];
    cluster_command_release(&c);
    return named;
}

static void test_a_malformed_field_is_refused_by_name(void **state)
{
    (void)state;
    struct cluster_command c = found(1);
    c.cluster_id[0] = 'X';
    malformed(c, "found: cluster id must be 40 lower-case hex digits");
    c = set_role(1, CLUSTER_ROLE_VOTER);
    c.node[39] = 0;
    malformed(c, "set_role: node must be 40");
    c = set_role(1, (enum cluster_role)3);
    malformed(c, "set_role: ");
    c = admit(2);
    snprintf(c.info.zone, sizeof c.info.zone, "a b");
    malformed(c, "admit: node info: zone");
    c = load_script("a b", 1, "x");
    malformed(c, "load_script: name");
    c = load_script("init", 1, "x");
    c.version[3] = 'Z';
    malformed(c, "load_script: version must be 16");
    c = load_script("init", 1, "");
    malformed(c, "load_script: the source is empty");
    c = run_start("init");
    c.params->name[0] = '\t';
    malformed(c, "run_start: a parameter's name");
    malformed(delete_script("a\nb"), "delete_script: name");
    malformed(delete_script(""), "delete_script: name");
    malformed(trigger_delete("a b"), "trigger_delete: name");
    c = set_current("init", 1);
    c.version[3] = 'Z';
    malformed(c, "set_current: version must be 16");
    c = run_start("init");
    snprintf(c.text, sizeof c.text, "a b");
    malformed(c, "run_start: the trigger's name");
    c = run_start("init");
    memset(c.text, 'x', CLUSTER_NAME_MAX + 1);
    malformed(c, "run_start: the trigger's name is too long");
    malformed(run_end(1, CLUSTER_RUN_RUNNING, ""), "run_end: a run ends done, failed or cancelled");
    malformed(run_end(1, CLUSTER_RUN_DONE, "a\nb"), "run_end: text holds a control character");
    for (unsigned type = CLUSTER_SET_ROLE; type <= CLUSTER_TRIGGERS_PAUSE; type++) {
        c = (struct cluster_command){.type = (enum cluster_command_type)type}; /* every field is empty */
        char text[64];
        snprintf(text, sizeof text, "%s: node must be 40", cluster_command_name(c.type));
        if (names_a_node(c.type)) malformed(c, text);
    }
    malformed(run_round(1, 1, 1, (struct cluster_step){.op = CLUSTER_OP_promote}), "run_round: step promote: node");
}

static void test_unknown_types_and_formats_are_refused_by_number(void **state)
{
    (void)state;
    struct cluster_command c;
    struct error e;
    assert_int_equal(cluster_command_decode(bytes_of("\2\33", 2), &c, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "type 27"));
    assert_int_equal(cluster_command_decode(bytes_of("\1\0", 2), &c, &e), ERROR_FORMAT);
    assert_string_equal(e.text, "metadata command in format 1; this version reads 2");
    assert_int_equal(cluster_command_decode(bytes_of("", 0), &c, NULL), ERROR_FORMAT);
}

static struct cluster_command script_of(size_t len)
{
    struct cluster_command c = load_script("big", 1, "");
    free(c.source);
    c.source = malloc(len + 1);
    memset(c.source, 'x', len);
    c.source[len] = 0;
    c.source_len = len;
    return c;
}

static void test_sizes_are_bounded(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1);
    refused(s, script_of(CLUSTER_SCRIPT_MAX + 1), ERROR_FORMAT, "load_script");
    change(s, script_of(CLUSTER_SCRIPT_MAX));
    struct cluster_command c = run_start("init");
    free(c.params->value);
    c.params->value = calloc(1, 1026);
    memset(c.params->value, 'v', 1025);
    refused(s, c, ERROR_FORMAT, "run_start");
    change(s, run_start("init"));
    c = run_round(1, 1, 0);
    free(c.steps);
    c.step_count = CLUSTER_STEPS_MAX + 1;
    c.steps = calloc(c.step_count, sizeof *c.steps);
    for (uint32_t i = 0; i < c.step_count; i++) c.steps[i] = step_wait(1);
    refused(s, c, ERROR_FORMAT, "run_round");
    cluster_state_free(s);
}

int run_command_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command_survives_a_round_trip),
        cmocka_unit_test(test_a_command_cut_at_any_byte_is_refused_and_changes_nothing),
        cmocka_unit_test(test_commands_have_names),
        cmocka_unit_test(test_a_malformed_field_is_refused_by_name),
        cmocka_unit_test(test_unknown_types_and_formats_are_refused_by_number),
        cmocka_unit_test(test_sizes_are_bounded),
    };
    return cmocka_run_group_tests_name("cluster commands", tests, NULL, NULL);
}
