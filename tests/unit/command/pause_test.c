#include "fixture.h"

#include <unistd.h>

static void test_what_is_paused_runs_when_the_pause_ends(void **state)
{
    struct node *n = *state;
    int admin = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    says(n, admin, "CLIENT PAUSE 100000 WRITE", "+OK");
    client_send(c, "GET k\r\nSET k v\r\nGET k\r\n");
    assert_string_equal(client_receive(n, c), "$-1");
    assert_true(client_is_silent(n, c));
    says(n, admin, "GET k", "$-1");
    says(n, admin, "CLIENT UNPAUSE", "+OK");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), "$1\r\nv");
    client_close(admin);
    client_close(c);
}

static void test_a_pause_holds_what_came_with_it_in_one_write(void **state)
{
    struct node *n = *state;
    int admin = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    client_send(c, "CLIENT PAUSE 100000 WRITE\r\nSET k v\r\n");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_true(client_is_silent(n, c));
    says(n, admin, "CLIENT UNPAUSE", "+OK");
    assert_string_equal(client_receive(n, c), "+OK");
    client_close(admin);
    client_close(c);
}

/* As Redis, whose replicas would be told. */
static void test_a_pause_of_writes_holds_messages_too(void **state)
{
    struct node *n = *state;
    int admin = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1"), transaction = client_connect(n, "127.0.0.1");
    says(n, transaction, "MULTI", "+OK");
    says(n, transaction, "PUBLISH channel message", "+QUEUED");
    says(n, admin, "CLIENT PAUSE 100000 WRITE", "+OK");
    client_send(c, "PUBLISH channel message\r\nPFCOUNT k\r\n");
    client_send(transaction, "EXEC\r\n");
    assert_true(client_is_silent(n, c));
    assert_true(client_is_silent(n, transaction));
    says(n, admin, "CLIENT UNPAUSE", "+OK");
    assert_string_equal(client_receive(n, c), ":0");
    assert_string_equal(client_receive(n, c), ":0");
    assert_string_equal(client_receive(n, transaction), "*1\r\n:0");
    client_close(admin);
    client_close(c);
    client_close(transaction);
}

static void test_a_pause_of_all_ends_by_itself(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "CLIENT PAUSE 100000 WRITE", "+OK");
    says(n, c, "CLIENT UNPAUSE", "+OK");
    says(n, c, "CLIENT PAUSE 50", "+OK");
    client_send(c, "CLIENT UNPAUSE\r\n");
    assert_true(client_is_silent(n, c));
    usleep(50000);
    command_engine_tick(n->engine);
    assert_string_equal(client_receive(n, c), "+OK");
    client_close(c);
}

static void test_a_pause_gets_no_shorter(void **state)
{
    struct node *n = *state;
    int admin = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    says(n, admin, "CLIENT PAUSE 9223372036854775807 WRITE", "+OK");
    says(n, admin, "CLIENT PAUSE 1 WRITE", "+OK");
    usleep(2000);
    client_send(c, "SET k v\r\n");
    command_engine_tick(n->engine);
    assert_true(client_is_silent(n, c));
    client_close(c); /* while it is paused */
    node_turn(n);
    says(n, admin, "CLIENT UNPAUSE", "+OK");
    says(n, admin, "PING", "+PONG");
    client_close(admin);
}

static void test_who_is_paused_is_blocked(void **state)
{
    struct node *n = *state;
    int admin = client_connect(n, "127.0.0.1"), stays = client_connect(n, "127.0.0.1"), killed = client_connect(n, "127.0.0.1");
    says(n, admin, "CLIENT PAUSE 100000 WRITE", "+OK");
    client_send(stays, "SET k v\r\n");
    client_send(killed, "SET k w\r\n");
    assert_true(client_is_silent(n, stays));
    assert_true(client_is_silent(n, killed));
    assert_contains(ask(n, admin, "INFO clients"), "\r\nblocked_clients:2\r\n");
    says(n, admin, "CLIENT KILL ID 3", ":1");
    assert_string_equal(client_receive(n, killed), "");
    assert_contains(ask(n, admin, "INFO clients"), "\r\nblocked_clients:1\r\n");
    says(n, admin, "CLIENT UNPAUSE", "+OK");
    assert_string_equal(client_receive(n, stays), "+OK");
    assert_contains(ask(n, admin, "INFO clients"), "\r\nblocked_clients:0\r\n");
    client_close(admin);
    client_close(stays);
    client_close(killed);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_pause_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_what_is_paused_runs_when_the_pause_ends),
        WITH_NODE(test_a_pause_holds_what_came_with_it_in_one_write),
        WITH_NODE(test_a_pause_of_writes_holds_messages_too),
        WITH_NODE(test_a_pause_of_all_ends_by_itself),
        WITH_NODE(test_a_pause_gets_no_shorter),
        WITH_NODE(test_who_is_paused_is_blocked),
    };
    return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
