#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

static void test_a_write_is_answered_once_it_is_durable(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    n->gates_held = true;
    client_send(c, "SET k v\r\n");
    assert_true(client_is_silent(n, c));
    node_release(n);
    assert_string_equal(client_receive(n, c), "+OK");
    client_close(c);
}

static void test_a_read_of_what_is_not_durable_waits_too(void **state)
{
    struct node *n = *state;
    int writer = client_connect(n, "127.0.0.1"), reader = client_connect(n, "127.0.0.1");
    says(n, reader, "PING", "+PONG");
    node_turn(n);
    n->gates_held = true;
    client_send(writer, "SET k v\r\n");
    client_send(reader, "GET k\r\n"); /* runs in the same turn, after it */
    assert_true(client_is_silent(n, writer));
    node_release(n);
    assert_string_equal(client_receive(n, reader), "$1\r\nv");
    assert_string_equal(client_receive(n, writer), "+OK");
    says(n, reader, "GET k", "$1\r\nv"); /* durable now: no gate to wait for */
    client_close(writer);
    client_close(reader);
}

static void test_replies_of_a_pipeline_come_in_order(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "SET k 1\r\nPING\r\nINCR k\r\nNOTHING\r\nGET k\r\n");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), "+PONG");
    assert_string_equal(client_receive(n, c), ":2");
    assert_contains(client_receive(n, c), "-ERR unknown command");
    assert_string_equal(client_receive(n, c), "$1\r\n2");
    client_close(c);
}

static void test_faults_are_told_in_redis_order(void **state)
{
    struct node *n = *state;
    strcpy(n->password, "secret");
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "NOTHING x", "-ERR unknown command 'NOTHING', with args beginning with: 'x' ");
    says(n, c, "CLIENT nothing", "-ERR unknown subcommand 'nothing'. Try CLIENT HELP.");
    says(n, c, "GET", "-ERR wrong number of arguments for 'get' command");
    says(n, c, "GET k", "-NOAUTH Authentication required.");
    says(n, c, "AUTH secret", "+OK");
    says(n, c, "GET k", "$-1");
    client_close(c);
}

static void test_errors_and_calls_are_counted(void **state)
{
    struct node *n = *state;
    struct command_statistics s;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "SET k x", "+OK");
    says(n, c, "GET k", "$1\r\nx");
    says(n, c, "GET missing", "$-1");
    assert_contains(ask(n, c, "INCR k"), "-ERR value");
    assert_contains(ask(n, c, "GET"), "-ERR wrong");
    assert_contains(ask(n, c, "HELLO 9"), "-NOPROTO");
    command_engine_statistics(n->engine, &s);
    assert_int_equal(s.commands, 5);
    assert_int_equal(s.keyspace_hits, 1);
    assert_int_equal(s.keyspace_misses, 1);
    assert_int_equal(s.errors, 3);
    const char *info = ask(n, c, "INFO commandstats errorstats");
    assert_contains(info, "cmdstat_get:calls=2,");
    assert_contains(info, "rejected_calls=1,failed_calls=0\r\n");
    assert_contains(info, "cmdstat_incr:calls=1,");
    assert_contains(info, "errorstat_ERR:count=2\r\n");
    assert_contains(info, "errorstat_NOPROTO:count=1\r\n");
    says(n, c, "CONFIG RESETSTAT", "+OK");
    command_engine_statistics(n->engine, &s);
    assert_int_equal(s.errors, 0);
    client_close(c);
}

static void test_info_asks_the_host_for_what_it_does_not_know(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "INFO server keyspace", "$46\r\n# Server\r\nredis_version:7.0.15\r\n\r\n# Keyspace\r\n");
    client_close(c);
}

static void test_expired_keys_are_swept(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "SET k v PX 20", "+OK");
    says(n, c, "DBSIZE", ":1");
    for (int i = 0; i < 100 && keyspace_size(n->keyspace, 0); i++) {
        node_turn(n);
        command_engine_sweep(n->engine);
    }
    says(n, c, "DBSIZE", ":0");
    client_close(c);
}

static void test_scan_filters_and_goes_through_all(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    for (int i = 0; i < 30; i++) {
        char set[32];
        snprintf(set, sizeof set, "SET key:%d v", i);
        says(n, c, set, "+OK");
    }
    int calls = 0, keys = 0;
    char request[64] = "SCAN 0 COUNT 7 MATCH key:1*";
    while (request[0] && calls++ < 100) {
        const char *reply = ask(n, c, request), *cursor = strchr(reply + 4, '\n') + 1; /* *2 $n cursor *m … */
        for (const char *k = reply; (k = strstr(k, "key:1")); k++) keys++;
        assert_null(strstr(reply, "key:2"));
        unsigned long long next = strtoull(cursor, NULL, 10);
        if (next) {
            snprintf(request, sizeof request, "SCAN %llu COUNT 7 MATCH key:1*", next);
        } else {
            request[0] = 0;
        }
    }
    assert_true(keys >= 11); /* 1, 10 to 19 */
    assert_true(calls > 1);
    client_close(c);
}

static void test_shutdown_is_passed_to_the_host_without_a_reply(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "SHUTDOWN NOSAVE\r\n");
    assert_true(client_is_silent(n, c));
    assert_true(n->shut_down);
    client_close(c);
}

/* Otherwise a sync would keep the loop from clients that need not wait for it. */
static void test_the_loop_syncs_itself_once_all_wait_for_syncs(void **state)
{
    struct node *n = *state;
    struct store_statistics s;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "PING", "+PONG");
    do { /* a tenth of a second at least; longer on a slow disk */
        says(n, c, "SET k v", "+OK");
        store_statistics(n->store, &s);
    } while (!s.syncs_inline);
    client_close(c);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_dispatch_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_a_write_is_answered_once_it_is_durable),
        WITH_NODE(test_a_read_of_what_is_not_durable_waits_too),
        WITH_NODE(test_replies_of_a_pipeline_come_in_order),
        WITH_NODE(test_faults_are_told_in_redis_order),
        WITH_NODE(test_errors_and_calls_are_counted),
        WITH_NODE(test_info_asks_the_host_for_what_it_does_not_know),
        WITH_NODE(test_expired_keys_are_swept),
        WITH_NODE(test_scan_filters_and_goes_through_all),
        WITH_NODE(test_shutdown_is_passed_to_the_host_without_a_reply),
        WITH_NODE(test_the_loop_syncs_itself_once_all_wait_for_syncs),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
