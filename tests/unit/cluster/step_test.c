#include <stdio.h>

#include "rich.h"

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
    for (enum cluster_op op = 0; op < CLUSTER_OPS; op++) {
        struct cluster_step step = rich_step(op), back;
        struct buffer b;
        buffer_init(&b, 1 << 20);
        cluster_step_write(&b, &step);
        struct reader in = reader_of(buffer_bytes(&b));
        assert_int_equal(cluster_step_read(&in, &back, NULL), 0);
        assert_true(reader_done(&in));
        assert_int_equal(cluster_step_digest(&back), cluster_step_digest(&step));
        assert_string_equal(back.why, "it was asked for");
        for (size_t len = 0; len < b.len; len++) {
            in = reader_of(bytes_of(b.data, len));
            struct cluster_step cut;
            assert_int_equal(cluster_step_read(&in, &cut, NULL), ERROR_FORMAT);
            assert_null(cut.slots.list);
        }
        cluster_step_release(&back);
        cluster_step_release(&step);
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

/* The rich step with another value in that field. */
static struct cluster_step with_other(enum cluster_op op, enum cluster_field field)
{
    struct cluster_step s = rich_step(op);
    switch (field) {
    case CLUSTER_FIELD_NODE: memcpy(s.node, node_id(5), sizeof s.node); break;
    case CLUSTER_FIELD_SHARD:
    case CLUSTER_FIELD_FROM: s.shard++; break;
    case CLUSTER_FIELD_SLOTS: s.slots.list[0].to--; break;
    case CLUSTER_FIELD_MS: s.ms--; break;
    case CLUSTER_FIELD_TO: s.to--; break;
    case CLUSTER_FIELD_KEY: s.key = CLUSTER_SETTING_voters; break;
    case CLUSTER_FIELD_VALUE: s.value++; break;
    case CLUSTER_FIELD_ON: s.on = false; break;
    case CLUSTER_FIELD_LABELS: s.labels[0] = 0; break;
    }
    return s;
}

static void test_a_digest_tells_every_field_of_every_op(void **state)
{
    (void)state;
    for (enum cluster_op op = 0; op < CLUSTER_OPS; op++) {
        for (unsigned field = 1; field <= CLUSTER_FIELD_LABELS; field <<= 1) {
            if (!(cluster_op_info(op)->fields & field)) continue;
            struct cluster_step a = rich_step(op), b = with_other(op, (enum cluster_field)field);
            if (cluster_step_digest(&a) == cluster_step_digest(&b)) fail_msg("%s, field %u", cluster_op_info(op)->name, field);
            cluster_step_release(&a);
            cluster_step_release(&b);
        }
    }
}

static void test_a_malformed_step_is_refused_by_name(void **state)
{
    (void)state;
    read_refuses((struct cluster_step){.op = CLUSTER_OP_promote}, "step promote: node");
    read_refuses(step_slots(0, 1, 2), "step assign_slots: shard is 0");
    read_refuses(step_wait(60001), "60001 ms; at most 60000");
    read_refuses((struct cluster_step){.op = CLUSTER_OP_drop_shard}, "step drop_shard: shard is 0");
    struct cluster_step s = rich_step(CLUSTER_OP_move_slots);
    s.to = s.shard;
    read_refuses(s, "step move_slots: from s2 to s2");
    s = rich_step(CLUSTER_OP_move_slots);
    s.to = 0;
    read_refuses(s, "step move_slots: from s2 to s0");
    s = rich_step(CLUSTER_OP_move_slots);
    s.shard = 0;
    read_refuses(s, "step move_slots: shard is 0");
    s = rich_step(CLUSTER_OP_set);
    s.value = 999;
    read_refuses(s, "step set: setting patience must be 1000 to 86400000, not 999");
    s.key = CLUSTER_SETTINGS;
    read_refuses(s, "step set is cut short, or something in it is out of range");
    s = rich_step(CLUSTER_OP_label);
    s.labels[0] = '\n';
    read_refuses(s, "step label: labels holds a control character");
    s = step_wait(1);
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
    reads(rich_step(CLUSTER_OP_drop_shard), "drop_shard s2");
    reads(rich_step(CLUSTER_OP_move_slots), "move_slots s2 to s3 0-16383 (16384 slots)");
    reads(rich_step(CLUSTER_OP_set), "set patience 45000");
    reads(rich_step(CLUSTER_OP_leave), "leave 00000004 on");
    reads(with_other(CLUSTER_OP_leave, CLUSTER_FIELD_ON), "leave 00000004 off");
    reads(rich_step(CLUSTER_OP_label), "label 00000004 'rack 8, disk=nvme'");
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

static void test_every_step_back_becomes_its_command_and_then_nothing(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    struct cluster_step move = step_slots(2, 5461, 10922), set = rich_step(CLUSTER_OP_set);
    for (int again = 0; again < 2; again++) {
        struct cluster_step moved = {0}, leave = step_node(CLUSTER_OP_leave, 5), label = step_node(CLUSTER_OP_label, 5);
        assert_int_equal(cluster_step_copy(&moved, &move), 0);
        moved.op = CLUSTER_OP_move_slots;
        moved.to = 1;
        leave.on = true;
        snprintf(label.labels, sizeof label.labels, "rack 8");
        becomes(s, moved, again ? CLUSTER_NOTHING : CLUSTER_MOVE_SLOTS);
        becomes(s, leave, again ? CLUSTER_NOTHING : CLUSTER_SET_LEAVING);
        becomes(s, label, again ? CLUSTER_NOTHING : CLUSTER_SET_LABELS);
        becomes(s, set, again ? CLUSTER_NOTHING : CLUSTER_SET_SETTING);
        becomes(s, step_node(CLUSTER_OP_demote, 2), again ? CLUSTER_NOTHING : CLUSTER_SET_ROLE);
        becomes(s, step_node(CLUSTER_OP_transfer_leader, 1), CLUSTER_NOTHING); /* libraft's matter */
    }
    assert_string_equal(cluster_node_find(s, node_id(5))->labels, "rack 8");
    assert_true(s->settings[CLUSTER_SETTING_patience] == 45000);
    for (int again = 0; again < 2; again++) {
        becomes(s, step_node(CLUSTER_OP_remove_learner, 2), again ? CLUSTER_NOTHING : CLUSTER_SET_ROLE);
        becomes(s, step_node(CLUSTER_OP_demote, 2), CLUSTER_NOTHING); /* who has no role has no vote */
        becomes(s, step_node(CLUSTER_OP_detach, 5), again ? CLUSTER_NOTHING : CLUSTER_DETACH);
        becomes(s, (struct cluster_step){.op = CLUSTER_OP_drop_shard, .shard = 2}, again ? CLUSTER_NOTHING : CLUSTER_DROP_SHARD);
    }
    for (int again = 0; again < 2; again++)
        becomes(s, step_node(CLUSTER_OP_remove_node, 5), again ? CLUSTER_NOTHING : CLUSTER_REMOVE_NODE);
    becomes(s, step_node(CLUSTER_OP_demote, 5), CLUSTER_NOTHING); /* nor has who is no member */
    becomes(s, step_node(CLUSTER_OP_remove_learner, 5), CLUSTER_NOTHING);
    cluster_ranges_release(&move.slots);
    cluster_state_free(s);
}

static void test_a_step_back_is_refused_with_the_reason_that_apply_would_give(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of_six();
    change(s, set_reachable(3, false));
    step_refused(s, step_node(CLUSTER_OP_demote, 2), ERROR_INVARIANT, "only 1 of 2 voters would be reachable");
    step_refused(s, step_node(CLUSTER_OP_remove_learner, 2), ERROR_INVARIANT, "votes: demote it first");
    step_refused(s, step_node(CLUSTER_OP_transfer_leader, 3), ERROR_INVARIANT, "node 3 (00000003) is down: it cannot lead");
    step_refused(s, step_node(CLUSTER_OP_transfer_leader, 4), ERROR_INVARIANT, "node 4 (00000004) does not vote: it cannot lead");
    step_refused(s, step_node(CLUSTER_OP_transfer_leader, 77), ERROR_NOT_FOUND, "is not a member");
    step_refused(s, step_node(CLUSTER_OP_remove_node, 4), ERROR_INVARIANT, "is a replica in shard s1: detach it first");
    step_refused(s, step_node(CLUSTER_OP_detach, 1), ERROR_INVARIANT, "is the primary of shard s1");
    step_refused(s, (struct cluster_step){.op = CLUSTER_OP_drop_shard, .shard = 1}, ERROR_INVARIANT, "shard s1 owns 5461 slots");
    step_refused(s, rich_step(CLUSTER_OP_move_slots), ERROR_INVARIANT, "slot 0 is owned by shard s1");
    step_refused(s, step_node(CLUSTER_OP_leave, 77), ERROR_NOT_FOUND, "is not a member");
    step_refused(s, step_node(CLUSTER_OP_label, 77), ERROR_NOT_FOUND, "is not a member");
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
        cmocka_unit_test(test_a_digest_tells_every_field_of_every_op),
        cmocka_unit_test(test_a_malformed_step_is_refused_by_name),
        cmocka_unit_test(test_equal_steps_have_equal_digests_whatever_the_reason),
        cmocka_unit_test(test_steps_read_well),
        cmocka_unit_test(test_every_step_of_an_init_becomes_its_command_and_then_nothing),
        cmocka_unit_test(test_every_step_back_becomes_its_command_and_then_nothing),
        cmocka_unit_test(test_a_step_back_is_refused_with_the_reason_that_apply_would_give),
        cmocka_unit_test(test_a_step_is_refused_with_the_reason_that_apply_would_give),
        cmocka_unit_test(test_admitting_a_member_that_announced_other_particulars_is_nothing_to_do),
        cmocka_unit_test(test_an_empty_list_of_slots_is_nothing_to_do),
    };
    return cmocka_run_group_tests_name("cluster steps", tests, NULL, NULL);
}
