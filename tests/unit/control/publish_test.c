/* Messages of pub/sub between members. */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>

static bool heard_last(struct test_nodes *t, int i)
{
    return strcmp(t->node[i].heard, "x: last") == 0;
}

static bool publish(struct test_nodes *t, int i, const char *channel, const char *text)
{
    return control_publish(t->node[i].control, bytes_text(channel), bytes_text(text));
}

/* Until node `i` hears node `from`: links are made one after the other. */
static void await_link(struct test_nodes *t, int from, int i)
{
    char text[32];
    unsigned before = t->node[i].published;
    for (int tries = 0; t->node[i].published == before; tries++) {
        assert_true(tries < 3000);
        snprintf(text, sizeof text, "try %d", tries);
        assert_true(publish(t, from, "link", text));
        for (int turns = 0; turns < 3; turns++) uv_run(&t->loop, UV_RUN_ONCE);
    }
}

/* Nodes 0 to 2 are members, node 3 a candidate. */
static struct test_nodes *three_and_one(void)
{
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 4);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7003", "+OK\r\n");
    for (int i = 0; i < 3; i++) nodes_wait(t, i, nodes_is_member, "is a member");
    for (int from = 0; from < 3; from++)
        for (int i = 0; i < 3; i++)
            if (i != from) await_link(t, from, i);
    return t;
}

static void test_members_hear_each_other_and_strangers_nothing(void **state)
{
    (void)state;
    struct test_nodes *t = three_and_one();
    for (int from = 0; from < 3; from++) {
        for (int i = 0; i < 4; i++) t->node[i].heard[0] = 0;
        assert_true(publish(t, from, "x", "last"));
        for (int i = 0; i < 3; i++)
            if (i != from) nodes_wait(t, i, heard_last, "hears of it");
        assert_string_equal(t->node[from].heard, "");
    }
    assert_int_equal(t->node[3].published, 0);
    nodes_free(t);
}

static void test_messages_come_in_order_and_none_is_lost_while_there_is_room(void **state)
{
    (void)state;
    struct test_nodes *t = three_and_one();
    uint64_t lost[3];
    unsigned before = t->node[1].published;
    for (int i = 0; i < 3; i++) lost[i] = control_messages_lost(t->node[i].control);
    unsigned sent = 0;
    while (sent < 20000 && publish(t, 0, "x", "text")) sent++;
    while (!publish(t, 0, "x", "last")) uv_run(&t->loop, UV_RUN_ONCE); /* as soon as some have gone */
    nodes_wait(t, 1, heard_last, "hears the last one");
    nodes_wait(t, 2, heard_last, "hears the last one");
    assert_true(sent > 1000);
    assert_true(t->node[1].published - before >= sent + 1);
    for (int i = 0; i < 3; i++) assert_true(control_messages_lost(t->node[i].control) == lost[i]);
    nodes_free(t);
}

static void test_large_messages_go_and_too_many_are_refused(void **state)
{
    (void)state;
    struct test_nodes *t = three_and_one();
    size_t len = CONTROL_PUBLISH_MAX - 1;
    char *large = malloc(len);
    unsigned before = t->node[2].published;
    assert_non_null(large);
    memset(large, 'l', len);
    assert_true(control_publish(t->node[0].control, bytes_text("x"), bytes_of(large, len)));
    while (t->node[2].published == before) uv_run(&t->loop, UV_RUN_ONCE);
    assert_string_equal(t->node[2].heard, "x: llllllllllllllllllll");
    int taken = 0;
    while (taken < 100000 && control_publish(t->node[0].control, bytes_text("x"), bytes_of(large, len))) taken++;
    assert_true(taken < 100000); /* memory is bounded */
    free(large);
    while (!publish(t, 0, "x", "last")) uv_run(&t->loop, UV_RUN_ONCE);
    nodes_expect_soon(t, 2, "CLUSTER METARAFT MEMBERS", "voter"); /* links are up, calls go */
    nodes_free(t);
}

int publish_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_hear_each_other_and_strangers_nothing),
        cmocka_unit_test(test_messages_come_in_order_and_none_is_lost_while_there_is_room),
        cmocka_unit_test(test_large_messages_go_and_too_many_are_refused),
    };
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
