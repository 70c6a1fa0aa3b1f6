#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script/saved_view.h"
#include "tests.h"
#include "world.h"

struct saved {
    struct cluster_state *state;
    struct cluster_live live;
};

static struct saved read_view(struct bytes json)
{
    struct saved s;
    struct error e;
    if (script_saved_view_read(json, &s.state, &s.live, &e)) fail_msg("%s", e.text);
    assert_int_equal(cluster_state_check(s.state, &e), 0);
    return s;
}

static void release(struct saved *s)
{
    cluster_state_free(s->state);
    cluster_live_release(&s->live);
}

static struct buffer view_of(const struct script_world *world)
{
    struct buffer json;
    struct error e;
    buffer_init(&json, 4 << 20);
    if (script_view_json(world, &json, &e)) fail_msg("%s", e.text);
    return json;
}

/* s1 with some slots on node 1, node 2 its replica, node 3 down and leaving, with labels of an operator. */
static void shape(struct test_world *w)
{
    struct error e;
    struct cluster_command shard = {.type = CLUSTER_CREATE_SHARD}, replica = {.type = CLUSTER_REPLICATE, .shard = 1},
                           down = {.type = CLUSTER_SET_REACHABLE}, slots = {.type = CLUSTER_ASSIGN_SLOTS, .shard = 1};
    memcpy(shard.node, test_world_id(1), sizeof shard.node);
    test_world_apply(w, &shard);
    assert_int_equal(cluster_ranges_add(&slots.slots, 0, 99, &e), 0);
    assert_int_equal(cluster_ranges_add(&slots.slots, 200, 16383, &e), 0);
    test_world_apply(w, &slots);
    memcpy(replica.node, test_world_id(2), sizeof replica.node);
    test_world_apply(w, &replica);
    memcpy(down.node, test_world_id(3), sizeof down.node);
    test_world_apply(w, &down);
    test_world_look(w);
}

static void test_a_view_that_was_saved_and_read_is_the_same(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(3, 2);
    shape(w);
    w->live.nodes[0].load.keys = 77;
    w->live.nodes[1].load.memory_limit_bytes = 1 << 20;
    w->live.load = calloc(1, sizeof *w->live.load);
    w->live.load->keys[0] = w->live.load->bytes[16383] = 1000;
    w->live.load->milliops[98] = 1000;
    w->live.load->milliops[99] = 1234;
    w->live.nodes[2].silent_ms = 12345;
    w->state->settings[CLUSTER_SETTING_voters] = 5;
    struct buffer before = view_of(&w->world);
    struct saved s = read_view(buffer_bytes(&before));
    struct script_world again = {.state = s.state, .live = &s.live};
    struct buffer after = view_of(&again);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    buffer_release(&before);
    buffer_release(&after);
    release(&s);
    test_world_free(w);
}

#define ID_1 "\"id\":\"0000000000000000000000000000000000000001\""
#define ID_2 "\"id\":\"0000000000000000000000000000000000000002\""

static void test_fields_that_are_missing_are_what_is_ordinary_and_unknown_ones_are_ignored(void **state)
{
    (void)state;
    struct saved s = read_view(bytes_text("{\"nodes\":[{" ID_2 ",\"zone\":\"b\",\"colour\":[1,{}]},{" ID_1
                                          ",\"voter\":true}],\"moons\":3,"
                                          "\"settings\":{\"patience\":5000,\"moons\":null}}"));
    assert_int_equal(s.state->node_count, 2);
    assert_string_equal(s.state->nodes[1].info.zone, "b");
    assert_true(s.state->nodes[1].up);
    assert_int_equal(s.state->nodes[0].role, CLUSTER_ROLE_VOTER);
    assert_int_equal(s.state->settings[CLUSTER_SETTING_patience], 5000);
    assert_int_equal(s.state->settings[CLUSTER_SETTING_voters], 3);
    release(&s);
    s = read_view(bytes_text("{}"));
    assert_int_equal(s.state->node_count, 0);
    release(&s);
}

static void refuse(const char *json, const char *expected)
{
    struct saved s;
    struct error e;
    int code = script_saved_view_read(bytes_text(json), &s.state, &s.live, &e);
    if (!code) fail_msg("accepted: %s", json);
    assert_int_equal(code, ERROR_FORMAT);
    if (!strstr(e.text, expected)) fail_msg("'%s' does not tell of '%s'", e.text, expected);
    assert_null(s.state);
}

static void test_what_is_malformed_is_named(void **state)
{
    (void)state;
    refuse("", "not JSON");
    refuse("{\"nodes\":", "line 1");
    refuse("{\"nodes\":[],\"nodes\":[]}", "duplicate");
    refuse("[]", "must be an object");
    refuse("{\"nodes\":{}}", "nodes must be a list");
    refuse("{\"nodes\":[7]}", "nodes[0]. must be an object");
    refuse("{\"nodes\":[{\"id\":\"x\"}]}", "nodes[0].");
    refuse("{\"nodes\":[{\"id\":7}]}", "nodes[0].id must be a text");
    refuse("{\"nodes\":[{" ID_1 ",\"alias\":\"0x2\"}]}", "nodes[0].alias");
    refuse("{\"nodes\":[{" ID_1 ",\"alias\":\"99999999999\"}]}", "nodes[0].alias");
    refuse("{\"nodes\":[{" ID_1 ",\"up\":1}]}", "nodes[0].up must be true or false");
    refuse("{\"nodes\":[{" ID_1 ",\"keys\":-1}]}", "nodes[0].keys");
    refuse("{\"nodes\":[{" ID_1 ",\"keys\":1.5}]}", "nodes[0].keys");
    refuse("{\"nodes\":[{" ID_1 ",\"state\":\"gone\"}]}", "nodes[0].state must be member, leaving or candidate");
    refuse("{\"nodes\":[{" ID_1 ",\"role\":\"king\"}]}", "nodes[0].role");
    refuse("{\"nodes\":[{" ID_1 ",\"shard\":\"1\"}]}", "nodes[0].shard must be as s1");
    refuse("{\"nodes\":[{" ID_1 ",\"zone\":\"a\\u0000b\"}]}", "not JSON");
    refuse("{\"nodes\":[{" ID_1 ",\"zone\":\"a b\"}]}", "nodes[0].");
    refuse("{\"nodes\":[{" ID_1 "},{" ID_1 "}]}", "twice");
    refuse("{\"settings\":[]}", "settings must be an object");
    refuse("{\"nodes\":[{" ID_1 ",\"voter\":true}],\"settings\":{\"voters\":4}}", "voters");
    refuse("{\"nodes\":[{" ID_1 ",\"voter\":true}],\"leader\":\"0000000000000000000000000000000000000009\"}",
           "leader is not among the nodes");
    refuse("{\"nodes\":[{" ID_1 ",\"voter\":true}],\"version\":-1}", "version");
    refuse("{\"nodes\":[{" ID_1 "}]}", "do not fit together");
}

#define FOUNDED                                                                                                        \
    "{\"nodes\":[{" ID_1 ",\"voter\":true,\"shard\":\"s1\",\"primary\":true}],\"shards\":[{\"id\":\"s1\",\"primary\":" \
                         "\"0000000000000000000000000000000000000001\","

static void test_slots_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refuse(FOUNDED "\"slots\":7}]}", "shards[0].slots must be a list of ranges");
    refuse(FOUNDED "\"slots\":[[1]]}]}", "shards[0].slots must be a list of ranges");
    refuse(FOUNDED "\"slots\":[[5,4]]}]}", "shards[0].slots must be a list of ranges");
    refuse(FOUNDED "\"slots\":[[0,16384]]}]}", "shards[0].slots must be a list of ranges");
    refuse(FOUNDED "\"slots\":[[-1,5]]}]}", "shards[0].slots must be a list of ranges");
    refuse(FOUNDED "\"slots\":[[0,10],[10,20]]}]}", "has a slot that another");
    refuse(FOUNDED "\"slots\":[]},{\"id\":\"s1\"}]}", "do not fit together");
    refuse(FOUNDED "\"slots\":[]},{\"id\":\"s4294967295\"}]}", "shards[1].id must be as s1");
    refuse(FOUNDED "\"slots\":[]},{\"id\":\"s2\"}]}", "do not fit together");
    struct saved s = read_view(bytes_text(FOUNDED "\"slots\":[[10,20],[0,5]]}]}"));
    assert_int_equal(s.state->owner[5], 1);
    assert_int_equal(s.state->owner[6], 0);
    release(&s);
}

static void test_load_by_slot_may_be_short_and_must_be_numbers(void **state)
{
    (void)state;
    struct saved s = read_view(bytes_text("{\"slots\":{\"keys\":[1,2,3]}}"));
    assert_int_equal(s.live.load->keys[2], 3);
    assert_int_equal(s.live.load->keys[3] + s.live.load->milliops[0], 0);
    release(&s);
    refuse("{\"slots\":[]}", "slots must be an object");
    refuse("{\"slots\":{\"keys\":{}}}", "slots.keys must be a list");
    refuse("{\"slots\":{\"ops\":[1,-1]}}", "slots.ops must be a number from 0");
    refuse("{\"slots\":{\"bytes\":[9007199254740993]}}", "slots.bytes must be a list of whole numbers");
}

int test_script_saved_view(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_view_that_was_saved_and_read_is_the_same),
        cmocka_unit_test(test_fields_that_are_missing_are_what_is_ordinary_and_unknown_ones_are_ignored),
        cmocka_unit_test(test_what_is_malformed_is_named),
        cmocka_unit_test(test_slots_that_make_no_sense_are_refused),
        cmocka_unit_test(test_load_by_slot_may_be_short_and_must_be_numbers),
    };
    return cmocka_run_group_tests_name("saved view", tests, NULL, NULL);
}
