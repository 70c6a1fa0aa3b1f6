/* Commands whose rows are on disk: they wait, in order, and nobody else does. */
#include <stdio.h>

#include "command/engine.h"
#include "fixture.h"
#include "store/cold.h"

static void wait_for_reads(struct node *n, unsigned waiting)
{
    while (node_waiting_reads(n) != waiting) node_turn(n);
}

static void test_a_cold_command_waits_and_others_go_on(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    node_hold_reads("k:1");
    client_send(c, "GET k:1\r\n");
    assert_true(client_is_silent(n, c));
    assert_int_equal(node_waiting_reads(n), 1);
    says(n, other, "PING", "+PONG");
    assert_contains(ask(n, other, "CLIENT LIST"), " flags=b ");
    says(n, other, "SET new v", "+OK");
    says(n, other, "GET new", "$1\r\nv");
    says(n, other, "GET k:2", "$1\r\n2");
    says(n, other, "MGET k:3 new none", "*3\r\n$1\r\n3\r\n$1\r\nv\r\n$-1");
    node_hold_reads(NULL);
    assert_string_equal(client_receive(n, c), "$1\r\n1");
    assert_int_equal(node_waiting_reads(n), 0);
    client_close(c);
    client_close(other);
}

static void test_replies_stay_in_order(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    node_hold_reads("k:1");
    client_send(c, "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$3\r\nk:0\r\n*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n*2\r\n$4\r\nINCR\r\n$3\r\nk:2\r\n"
                   "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$3\r\nk:2\r\n");
    client_send(c, "ECHO last\r\n");
    assert_string_equal(client_receive(n, c), "+PONG");
    assert_true(client_is_silent(n, c));
    node_hold_reads(NULL);
    static const char *const replies[] = {"$1\r\n0", "$1\r\n1", ":3", "+PONG", "$1\r\n3", "$4\r\nlast"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) assert_string_equal(client_receive(n, c), replies[i]);
    client_close(c);
}

static void test_rows_of_a_pipeline_are_read_together(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    node_hold_reads("");
    client_send(c, "*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n*3\r\n$4\r\nMGET\r\n$3\r\nk:2\r\n$3\r\nk:3\r\n*2\r\n$3\r\nDEL\r\n$3\r\nk:4\r\n");
    wait_for_reads(n, 4);
    node_hold_reads(NULL);
    assert_string_equal(client_receive(n, c), "$1\r\n1");
    assert_string_equal(client_receive(n, c), "*2\r\n$1\r\n2\r\n$1\r\n3");
    assert_string_equal(client_receive(n, c), ":1");
    struct store_statistics s;
    store_statistics(n->store, &s);
    assert_int_equal(s.cold_reads, 4);
    client_close(c);
}

static void test_what_others_did_meanwhile_is_seen(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    node_hold_reads("k:9");
    client_send(c, "MGET k:1 k:2 k:3 k:9\r\n");
    wait_for_reads(n, 4); /* told of when all are there */
    says(n, other, "SET k:1 new", "+OK");
    says(n, other, "DEL k:2", ":1");
    store_checkpoint_soon(n->store); /* and then they leave memory */
    node_turn(n);
    node_hold_reads(NULL);
    assert_string_equal(client_receive(n, c), "*4\r\n$3\r\nnew\r\n$-1\r\n$1\r\n3\r\n$1\r\n9");
    client_close(c);
    client_close(other);
}

static void test_each_database_has_its_own_rows(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
                   "*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n");
    static const char *const replies[] = {"$1\r\n1", "+OK", "$-1", "+OK", "$1\r\n1"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) assert_string_equal(client_receive(n, c), replies[i]);
    struct store_statistics s;
    store_statistics(n->store, &s);
    assert_int_equal(s.cold_reads, 3); /* none in the wrong database */
    client_close(c);
}

static void test_a_client_that_waits_may_be_killed_or_go(void **state)
{
    struct node *n = *state;
    int killed = client_connect(n, "127.0.0.1"), gone = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    says(n, killed, "CLIENT ID", ":1");
    node_hold_reads("");
    client_send(killed, "INCR k:1\r\n");
    client_send(gone, "GET k:2\r\n");
    wait_for_reads(n, 2);
    says(n, other, "CLIENT KILL ID 1", ":1");
    assert_string_equal(client_receive(n, killed), "");
    client_close(gone);
    node_turn(n);
    node_hold_reads(NULL);
    wait_for_reads(n, 0);
    says(n, other, "GET k:1", "$1\r\n1"); /* it had not begun */
    client_close(killed);
    client_close(other);
}

static void test_when_too_many_wait_rows_are_read_at_once(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    node_hold_reads("");
    struct bytes key = bytes_text("k");
    for (unsigned i = 0; i < COLD_KEYS_MAX; i++) assert_true(store_warm(n->store, &key, 1, 12345));
    says(n, c, "GET k:1", "$1\r\n1");
    node_hold_reads(NULL);
    wait_for_reads(n, 0);
    client_close(c);
}

static void test_waiting_is_not_counted_twice(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "GET k:1", "$1\r\n1");
    says(n, c, "GET none", "$-1");
    says(n, c, "INCR k:2", ":3");
    assert_contains(ask(n, c, "GET"), "-ERR wrong number");
    const char *stats = ask(n, c, "INFO commandstats");
    assert_contains(stats, "cmdstat_get:calls=2,");
    assert_contains(stats, "cmdstat_incr:calls=1,");
    assert_contains(stats, "rejected_calls=1,failed_calls=0");
    assert_contains(ask(n, c, "INFO stats"), "keyspace_hits:1\r\nkeyspace_misses:1\r\n");
    client_close(c);
}

static void test_who_waits_for_rows_is_not_in_a_blocking_command(void **state)
{
    struct node *n = *state;
    int cold = client_connect(n, "127.0.0.1"), blocked = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    client_send(blocked, "BLPOP none 0\r\n");
    while (!n->engine->blocked.count) node_turn(n);
    node_hold_reads("");
    client_send(cold, "GET k:1\r\n");
    wait_for_reads(n, 1);
    const char *clients = ask(n, other, "INFO clients");
    assert_contains(clients, "\r\nblocked_clients:1\r\n");
    assert_contains(clients, "\r\nclients_in_timeout_table:0\r\n");
    assert_contains(clients, "\r\naikv_waiting_clients:2\r\n");
    node_hold_reads(NULL);
    assert_string_equal(client_receive(n, cold), "$1\r\n1");
    client_close(cold);
    client_close(blocked);
    client_close(other);
}

static void test_nobody_reads_for_who_has_not_said_the_password(void **state)
{
    struct node *n = *state;
    snprintf(n->password, sizeof n->password, "secret");
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n");
    assert_contains(client_receive(n, c), "-NOAUTH");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), "$1\r\n1");
    client_close(c);
}

/* The teardown ends the node while reads are held back. */
static void test_a_node_may_end_while_clients_wait(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    node_hold_reads("");
    client_send(c, "SET k:1 v\r\n");
    wait_for_reads(n, 1);
    client_close(c);
}

#define WITH_COLD_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup_cold, node_teardown)

int run_cold_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COLD_NODE(test_a_cold_command_waits_and_others_go_on),
        WITH_COLD_NODE(test_replies_stay_in_order),
        WITH_COLD_NODE(test_rows_of_a_pipeline_are_read_together),
        WITH_COLD_NODE(test_what_others_did_meanwhile_is_seen),
        WITH_COLD_NODE(test_each_database_has_its_own_rows),
        WITH_COLD_NODE(test_a_client_that_waits_may_be_killed_or_go),
        WITH_COLD_NODE(test_when_too_many_wait_rows_are_read_at_once),
        WITH_COLD_NODE(test_waiting_is_not_counted_twice),
        WITH_COLD_NODE(test_who_waits_for_rows_is_not_in_a_blocking_command),
        WITH_COLD_NODE(test_nobody_reads_for_who_has_not_said_the_password),
        WITH_COLD_NODE(test_a_node_may_end_while_clients_wait),
    };
    return cmocka_run_group_tests_name("cold", tests, NULL, NULL);
}
