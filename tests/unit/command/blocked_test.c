/* Clients that wait for keys: in order, each once, none after it has gone; what they are told waits for the disk like any other reply. */
#include <stdio.h>
#include <unistd.h>

#include "command/engine.h"
#include "fixture.h"

#define WAITERS 8

static void wait_for_blocked(struct node *n, size_t count)
{
    while (n->engine->blocked.count != count) node_turn(n);
}

static int client_waiting(struct node *n, const char *request)
{
    size_t before = n->engine->blocked.count;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, request);
    wait_for_blocked(n, before + 1);
    return c;
}

static void test_who_came_first_is_served_first(void **state)
{
    struct node *n = *state;
    int clients[WAITERS], other = client_connect(n, "127.0.0.1");
    char reply[64];
    for (int i = 0; i < WAITERS; i++) clients[i] = client_waiting(n, i % 2 ? "BLPOP none q 0\r\n" : "BLPOP q 0\r\n");
    says(n, other, "RPUSH q 0 1 2", ":3");
    says(n, other, "RPUSH q 3", ":1");
    says(n, other, "RPUSH q 4 5 6 7 8 9", ":6");
    for (int i = 0; i < WAITERS; i++) {
        snprintf(reply, sizeof reply, "*2\r\n$1\r\nq\r\n$1\r\n%d", i);
        assert_string_equal(client_receive(n, clients[i]), reply);
        client_close(clients[i]);
    }
    says(n, other, "LLEN q", ":2");
    assert_int_equal(n->engine->blocked.count, 0);
    client_close(other);
}

static void test_what_was_popped_waits_for_the_disk(void **state)
{
    struct node *n = *state;
    int c = client_waiting(n, "BLMOVE s d LEFT RIGHT 0\r\n"), other = client_connect(n, "127.0.0.1");
    n->gates_held = true;
    client_send(other, "RPUSH s v\r\n");
    wait_for_blocked(n, 0);
    assert_true(client_is_silent(n, c));
    assert_true(client_is_silent(n, other));
    node_release(n);
    assert_string_equal(client_receive(n, c), "$1\r\nv");
    assert_string_equal(client_receive(n, other), ":1");
    client_close(c);
    client_close(other);
}

static void test_a_client_that_goes_away_takes_nothing(void **state)
{
    struct node *n = *state;
    int gone = client_waiting(n, "BLPOP a b q 0\r\n"), c = client_waiting(n, "BLPOP q 0\r\n"), other = client_connect(n, "127.0.0.1");
    client_close(gone);
    wait_for_blocked(n, 1);
    says(n, other, "RPUSH q v", ":1");
    assert_string_equal(client_receive(n, c), "*2\r\n$1\r\nq\r\n$1\r\nv");
    says(n, other, "RPUSH q w", ":1");
    says(n, other, "LLEN q", ":1");
    client_close(c);
    client_close(other);
}

static void test_a_time_that_passes_is_told_and_frees_the_client(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    client_send(c, "BLPOP q 0.02\r\nPING\r\n");
    wait_for_blocked(n, 1);
    while (n->engine->blocked.count) {
        command_engine_tick(n->engine);
        node_turn(n);
    }
    assert_string_equal(client_receive(n, c), "*-1");
    assert_string_equal(client_receive(n, c), "+PONG");
    says(n, other, "RPUSH q v", ":1");
    says(n, other, "LLEN q", ":1");
    client_close(c);
    client_close(other);
}

static void test_unblocking_answers_as_asked(void **state)
{
    struct node *n = *state;
    int c = client_waiting(n, "BLPOP q 0\r\n");
    struct command_session *s = net_client_session(net_server_find(n->server, 1));
    assert_non_null(s->blocked);
    assert_true(command_unblock(n->engine, s, false));
    assert_false(command_unblock(n->engine, s, false));
    assert_string_equal(client_receive(n, c), "*-1");
    client_send(c, "BLPOP q 0\r\n");
    wait_for_blocked(n, 1);
    assert_true(command_unblock(n->engine, s, true));
    assert_string_equal(client_receive(n, c), "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
    says(n, c, "PING", "+PONG");
    client_close(c);
}

static void test_a_wait_for_replicas_ends_with_none(void **state)
{
    struct node *n = *state;
    int c = client_waiting(n, "WAIT 1 0\r\n"), timed = client_waiting(n, "WAIT 2 1\r\n");
    assert_int_equal(n->engine->blocked.timed, 1);
    usleep(2000);
    command_engine_tick(n->engine);
    assert_string_equal(client_receive(n, timed), ":0");
    assert_int_equal(n->engine->blocked.timed, 0);
    assert_true(client_is_silent(n, c));
    struct command_session *s = net_client_session(net_server_find(n->server, 1));
    assert_true(command_unblock(n->engine, s, false));
    assert_string_equal(client_receive(n, c), ":0");
    client_send(c, "WAIT 1 0\r\n");
    wait_for_blocked(n, 1);
    assert_true(command_unblock(n->engine, s, true));
    assert_string_equal(client_receive(n, c), "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
    client_close(c);
    client_close(timed);
}

static void test_keys_that_nobody_waits_for_any_more_are_forgotten(void **state)
{
    struct node *n = *state;
    int c = client_waiting(n, "BLPOP a b c a a 0\r\n"), other = client_connect(n, "127.0.0.1");
    assert_int_equal(n->engine->blocked.keys[0].count, 3);
    says(n, other, "RPUSH b v", ":1");
    assert_string_equal(client_receive(n, c), "*2\r\n$1\r\nb\r\n$1\r\nv");
    assert_int_equal(n->engine->blocked.keys[0].count, 0);
    client_close(c);
    client_close(other);
}

/* Node 1 has the slot of "b" (3300) until nobody has any. */
static void test_a_slot_that_is_served_elsewhere_ends_the_wait(void **state)
{
    struct node *n = *state;
    command_engine_set_routing(n->engine, routing_of_six(1));
    int c = client_waiting(n, "BLPOP b 0\r\n");
    command_engine_set_routing(n->engine, routing_of_six(1));
    assert_int_equal(n->engine->blocked.count, 1);
    command_engine_set_routing(n->engine, routing_of_six(2));
    assert_int_equal(n->engine->blocked.count, 0);
    assert_contains(client_receive(n, c), "-MOVED 3300 ");
    client_close(c);
}

int run_blocked_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_came_first_is_served_first, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_popped_waits_for_the_disk, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_goes_away_takes_nothing, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_a_time_that_passes_is_told_and_frees_the_client, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_unblocking_answers_as_asked, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_a_wait_for_replicas_ends_with_none, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_keys_that_nobody_waits_for_any_more_are_forgotten, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_a_slot_that_is_served_elsewhere_ends_the_wait, node_setup_cluster, node_teardown),
    };
    return cmocka_run_group_tests_name("blocked clients", tests, NULL, NULL);
}
