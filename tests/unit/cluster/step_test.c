#include <stdio.h>

#include "fixture.h"

/* The command of a step; releases the step. */
static int command_of(const struct cluster_state *s, struct cluster_step step, struct cluster_command *out,
                      struct error *e)
{
    const struct cluster_node_info candidates[] = {node_info(8, "b"), node_info(9, "c")};
    int code = cluster_step_command(s, candidates, 2, &step, out, e);
    cluster_step_release(&step);
    return code;
}

static void becomes(struct cluster_state *s, struct cluster_step step, enum cluster_command_type type)
{
    struct cluster_command c;
    struct error e;
    if (command_of(s, step, &c, &e) != 0) fail_msg("refused: %s", e.text);
    assert_int_equal(c.type, type);
    if (type == CLUSTER_NOTHING)
        cluster_command_release(&c);
    else
        change(s, c);
}

static void step_refused(const struct cluster_state *s, struct cluster_step step, enum error_code code,
                         const char *text)
{
    struct cluster_command c;
    struct error e = {0};
    assert_int_equal(command_of(s, step, &c, &e), code);
    assert_int_equal(e.code, code);
    if (!strstr(e.text, text)) fail_msg("'%s' does not hold '%s'", e.text, text);
    assert_int_equal(c.type, CLUSTER_NOTHING);
}

static void test_ops_are_found_by_their_lua_names(void **state)
{
    (void)state;
    for (enum cluster_op op = 0; op < CLUSTER_OPS; op++)
        assert_int_equal(cluster_op_find(bytes_text(cluster_op_info(op)->name)), op);
    assert_int_equal(cluster_op_find(bytes_text("Admit")), CLUSTER_OPS);
    assert_int_equal(cluster_op_find(bytes_text("")), CLUSTER_OPS);
}

static void test_a_step_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct cluster_step steps[] = {step_node(CLUSTER_OP_promote, 4), step_slots(3, 7, 900), step_replicate(5, 2),
                                   step_wait(60000)};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct cluster_step back;
        struct buffer b;
        buffer_init(&b, 1 << 20);
        cluster_step_write(&b, &steps[i]);
        struct reader in = reader_of(buffer_bytes(&b));
        assert_int_equal(cluster_step_read(&in, &back, NULL), 0);
        assert_true(reader_done(&in));
        assert_int_equal(cluster_step_digest(&back), cluster_step_digest(&steps[i]));
        assert_string_equal(back.why, steps[i].why);
        for (size_t len = 0; len < b.len; len++) {
            in = reader_of(bytes_of(b.data, len));
            struct cluster_step cut;
            assert_int_equal(cluster_step_read(&in, &cut, NULL), ERROR_FORMAT);
            assert_null(cut.slots.list);
        }
        cluster_step_release(&back);
        cluster_step_release(&steps[i]);
        buffer_release(&b);
    }
}

static void read_refuses(struct cluster_step step, const char *text)
{
    struct error e = {0};
    struct cluster_step back;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    cluster_step_write(&b, &step);
    struct reader in = reader_of(buffer_bytes(&b));
    assert_int_equal(cluster_step_read(&in, &back, &e), ERROR_FORMAT);
    if (!strstr(e.text, text)) fail_msg("'%s' does not hold '%s'", e.text, text);
    buffer_release(&b);
    cluster_step_release(&step);
}

static void test_a_malformed_step_is_refused_by_name(void **state)
{
    (void)state;
    read_refuses((struct cluster_step){.op = CLUSTER_OP_promote}, "step promote: node");
    read_refuses(step_slots(0, 1, 2), "step assign_slots: shard is 0");
    read_refuses(step_wait(60001), "60001 ms; at most 60000");
    struct cluster_step s = step_wait(1);
    snprintf(s.why, sizeof s.why, "one\ntwo");
    read_refuses(s, "step wait: why");
    struct reader in = reader_of(bytes_text("\xff"));
    assert_int_equal(cluster_step_read(&in, &s, NULL), ERROR_FORMAT);
}

static void test_equal_steps_have_equal_digests_whatever_the_reason(void **state)
{
    (void)state;
    struct cluster_step a = step_replicate(2, 1), b = a, c = step_replicate(2, 2), d = step_replicate(3, 1);
    snprintf(b.why, sizeof b.why, "another reason");
    b.ms = 17; /* a field that replicate does not have */
    assert_true(cluster_step_digest(&a) == cluster_step_digest(&b));
    assert_true(cluster_step_digest(&a) != cluster_step_digest(&c));
    assert_true(cluster_step_digest(&a) != cluster_step_digest(&d));
    a.op = CLUSTER_OP_create_shard;
    assert_true(cluster_step_digest(&a) != cluster_step_digest(&b));
}

static void reads(struct cluster_step s, const char *text)
{
    char out[200];
    cluster_step_text(&s, out, sizeof out);
    assert_string_equal(out, text);
    memset(out, '#', sizeof out);
    cluster_step_text(&s, out, 10); /* cut, but terminated and within bounds */
    assert_non_null(memchr(out, 0, 10));
    for (size_t i = 10; i < sizeof out; i++) assert_int_equal(out[i], '#');
    cluster_step_release(&s);
}

static void test_steps_read_well(void **state)
{
    (void)state;
    reads(step_slots(1, 0, 5460), "assign_slots s1 0-5460 (5461 slots)");
    reads(step_slots(12, 7, 7), "assign_slots s12 7 (1 slot)");
    reads(step_node(CLUSTER_OP_add_learner, 4), "add_learner 00000004");
    reads(step_replicate(4, 2), "replicate 00000004 s2");
    reads(step_wait(500), "wait 500 ms");
    struct cluster_step s = step_slots(1, 0, 1);
    for (unsigned slot = 3; slot < 20; slot += 2) cluster_ranges_add(&s.slots, slot, slot, NULL);
    reads(s, "assign_slots s1 0-1,3,5,7... (11 slots)");
}

static void test_every_step_of_an_init_becomes_its_command_and_then_nothing(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    for (int again = 0; again < 2; again++) {
        becomes(s, step_node(CLUSTER_OP_admit, 8), again ? CLUSTER_NOTHING : CLUSTER_ADMIT);
        becomes(s, step_node(CLUSTER_OP_add_learner, 8), again ? CLUSTER_NOTHING : CLUSTER_SET_ROLE);
        becomes(s, step_node(CLUSTER_OP_promote, 8), again ? CLUSTER_NOTHING : CLUSTER_SET_ROLE);
        becomes(s, step_node(CLUSTER_OP_create_shard, 1), again ? CLUSTER_NOTHING : CLUSTER_CREATE_SHARD);
        becomes(s, step_slots(1, 0, 16383), again ? CLUSTER_NOTHING : CLUSTER_ASSIGN_SLOTS);
        becomes(s, step_replicate(2, 1), again ? CLUSTER_NOTHING : CLUSTER_REPLICATE);
        becomes(s, step_wait(10), CLUSTER_NOTHING);
    }
    becomes(s, step_node(CLUSTER_OP_add_learner, 1), CLUSTER_NOTHING); /* a voter has what a learner has */
    assert_int_equal(cluster_node_find(s, node_id(8))->role, CLUSTER_ROLE_VOTER);
    cluster_state_free(s);
}

static void test_a_step_is_refused_with_the_reason_that_apply_would_give(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    step_refused(s, step_node(CLUSTER_OP_admit, 77), ERROR_NOT_FOUND, "has not announced itself as a candidate");
    step_refused(s, step_node(CLUSTER_OP_add_learner, 9), ERROR_NOT_FOUND, "is not a member");
    step_refused(s, step_node(CLUSTER_OP_promote, 4), ERROR_INVARIANT, "it is not a learner");
    step_refused(s, step_node(CLUSTER_OP_create_shard, 4), ERROR_INVARIANT, "is in shard s1");
    step_refused(s, step_slots(1, 5460, 5461), ERROR_INVARIANT, "slot 5461 is owned by shard s2");
    step_refused(s, step_slots(9, 0, 1), ERROR_NOT_FOUND, "no shard s9");
    step_refused(s, step_replicate(4, 2), ERROR_INVARIANT, "is in shard s1");
    change(s, set_reachable(5, false));
    step_refused(s, step_node(CLUSTER_OP_add_learner, 5), ERROR_INVARIANT, "is down");
    cluster_state_free(s);
}

static void test_admitting_a_member_that_announced_other_particulars_is_nothing_to_do(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(2);
    struct cluster_command c = admit(8);
    c.info.incarnation = 7;
    change(s, c);
    becomes(s, step_node(CLUSTER_OP_admit, 8), CLUSTER_NOTHING);
    becomes(s, step_node(CLUSTER_OP_admit, 2), CLUSTER_NOTHING); /* no candidate at all */
    cluster_state_free(s);
}

static void test_an_empty_list_of_slots_is_nothing_to_do(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    becomes(s, (struct cluster_step){.op = CLUSTER_OP_assign_slots, .shard = 1}, CLUSTER_NOTHING);
    cluster_state_free(s);
}

int run_step_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_are_found_by_their_lua_names),
        cmocka_unit_test(test_a_step_is_read_as_it_was_written),
        cmocka_unit_test(test_a_malformed_step_is_refused_by_name),
        cmocka_unit_test(test_equal_steps_have_equal_digests_whatever_the_reason),
        cmocka_unit_test(test_steps_read_well),
        cmocka_unit_test(test_every_step_of_an_init_becomes_its_command_and_then_nothing),
        cmocka_unit_test(test_a_step_is_refused_with_the_reason_that_apply_would_give),
        cmocka_unit_test(test_admitting_a_member_that_announced_other_particulars_is_nothing_to_do),
        cmocka_unit_test(test_an_empty_list_of_slots_is_nothing_to_do),
    };
    return cmocka_run_group_tests_name("cluster steps", tests, NULL, NULL);
}
