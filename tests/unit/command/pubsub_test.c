/* Subscribers: what they are sent, when, and how much of it may wait. What commands reply is in tests/compat/pubsub.txt and notify.txt. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

#define X "\r\n"

static void set_limits(struct node *n, size_t soft, size_t hard, uint64_t soft_ms)
{
    struct net_limits limits = *net_server_limits(n->server);
    limits.subscriber = (struct net_output_limit){.hard = hard, .soft = soft, .soft_ms = soft_ms};
    net_server_set_limits(n->server, &limits);
}

static void publish_large(struct node *n, int client, size_t size)
{
    char *text = malloc(size + 100);
    int head = snprintf(text, 100, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nx\r\n$%zu\r\n", size);
    memset(text + head, 'm', size);
    strcpy(text + (size_t)head + size, X);
    client_send(client, text);
    free(text);
    assert_string_equal(client_receive(n, client), ":1");
}

static void test_a_notification_waits_until_what_it_tells_of_is_durable(void **state)
{
    struct node *n = *state;
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    command_engine_set_notify(n->engine, "E$");
    assert_contains(ask(n, s, "PSUBSCRIBE __key*"), "psubscribe");
    says(n, c, "PING", "+PONG");
    node_turn(n);
    n->gates_held = true;
    client_send(c, "SET k v\r\n");
    assert_true(client_is_silent(n, s));
    node_release(n);
    assert_string_equal(client_receive(n, s), "*4" X "$8" X "pmessage" X "$6" X "__key*" X "$18" X "__keyevent@0__:set" X "$1" X "k");
    assert_string_equal(client_receive(n, c), "+OK");
    client_close(s);
    client_close(c);
}

static void test_a_message_waits_for_what_was_written_before_it(void **state)
{
    struct node *n = *state;
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    assert_contains(ask(n, s, "SUBSCRIBE x"), "subscribe");
    says(n, c, "PING", "+PONG");
    node_turn(n);
    n->gates_held = true;
    client_send(c, "SET k v\r\nPUBLISH x written\r\n");
    assert_true(client_is_silent(n, s));
    node_release(n);
    assert_string_equal(client_receive(n, s), "*3" X "$7" X "message" X "$1" X "x" X "$7" X "written");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), ":1");
    says(n, c, "PUBLISH x later", ":1"); /* nothing to wait for */
    assert_contains(client_receive(n, s), "later");
    client_close(s);
    client_close(c);
}

static void test_who_goes_leaves_no_subscription(void **state)
{
    struct node *n = *state;
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    assert_contains(ask(n, s, "SUBSCRIBE x"), "subscribe");
    assert_contains(ask(n, s, "PSUBSCRIBE *"), "psubscribe");
    assert_contains(ask(n, s, "SSUBSCRIBE x"), "ssubscribe");
    assert_contains(ask(n, c, "CLIENT LIST"), "flags=P db=0 sub=1 psub=1 ssub=1 ");
    assert_contains(ask(n, c, "INFO stats"), "pubsub_channels:1\r\npubsub_patterns:1\r\npubsubshard_channels:1\r\n");
    says(n, c, "PUBLISH x m", ":2");
    client_close(s);
    node_await_clients(n, 1);
    says(n, c, "PUBLISH x m", ":0");
    says(n, c, "SPUBLISH x m", ":0");
    assert_contains(ask(n, c, "INFO stats"), "pubsub_channels:0\r\npubsub_patterns:0\r\npubsubshard_channels:0\r\n");
    client_close(c);
}

static void test_a_subscriber_that_does_not_read_is_closed_at_the_hard_limit(void **state)
{
    struct node *n = *state;
    set_limits(n, 1 << 20, 8 << 20, 60000);
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    assert_contains(ask(n, s, "SUBSCRIBE x"), "subscribe");
    says(n, c, "PING", "+PONG");
    struct net_statistics now = {.clients = 2};
    for (int i = 0; i < 1000 && now.clients == 2; i++) {
        publish_large(n, c, 60000);
        net_server_statistics(n->server, &now);
        assert_true(now.output_memory < 20 << 20);
    }
    assert_int_equal(now.clients, 1);
    says(n, c, "PUBLISH x m", ":0");
    client_close(s);
    client_close(c);
}

static void test_a_subscriber_that_lags_is_closed_after_a_time(void **state)
{
    struct node *n = *state;
    set_limits(n, 1000, 64 << 20, 0);
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    assert_contains(ask(n, s, "SUBSCRIBE x"), "subscribe");
    for (int i = 0; i < 150; i++) publish_large(n, c, 60000); /* more than the kernel takes */
    node_await_clients(n, 1);
    client_close(s);
    client_close(c);
}

static void test_subscriptions_count_as_requests_do(void **state)
{
    struct node *n = *state;
    struct net_limits limits = *net_server_limits(n->server);
    struct net_statistics before, after;
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    says(n, s, "PING", "+PONG");
    says(n, c, "PING", "+PONG");
    net_server_statistics(n->server, &before);
    for (int i = 0; i < 100; i++) {
        char request[64];
        snprintf(request, sizeof request, "SUBSCRIBE channel:%d", i);
        assert_contains(ask(n, s, request), "subscribe");
    }
    net_server_statistics(n->server, &after);
    assert_true(after.query_memory > before.query_memory + 100 * 50);
    assert_contains(ask(n, s, "UNSUBSCRIBE channel:7"), "unsubscribe");
    limits.query_memory_max = before.query_memory + 5000;
    net_server_set_limits(n->server, &limits);
    says(n, c, "PING", "+PONG");
    node_await_clients(n, 1);
    net_server_statistics(n->server, &after);
    assert_true(after.query_memory <= limits.query_memory_max);
    client_close(s);
    client_close(c);
}

static void test_expired_keys_are_told_of_by_the_sweeper(void **state)
{
    struct node *n = *state;
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    command_engine_set_notify(n->engine, "Kx");
    assert_contains(ask(n, s, "SUBSCRIBE __keyspace@3__:k"), "subscribe");
    says(n, c, "SELECT 3", "+OK");
    says(n, c, "SET k v PX 1", "+OK");
    usleep(5000);
    command_engine_sweep(n->engine);
    assert_contains(client_receive(n, s), "$7" X "expired");
    client_close(s);
    client_close(c);
}

static void test_messages_go_to_other_nodes_and_come_from_them(void **state)
{
    struct node *n = *state;
    command_engine_set_routing(n->engine, routing_of_six(1));
    int s = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    assert_contains(ask(n, s, "PSUBSCRIBE *"), "psubscribe");
    command_engine_set_notify(n->engine, "KA");
    says(n, c, "SET b v", "+OK"); /* what is told of keys stays on the node */
    assert_contains(client_receive(n, s), "__keyspace@0__:b");
    assert_int_equal(n->forwarded.count, 0);
    says(n, c, "PUBLISH x hello", ":1");
    assert_contains(client_receive(n, s), "hello");
    assert_int_equal(n->forwarded.count, 1);
    assert_string_equal(n->forwarded.last, "x: hello");
    says(n, c, "PUBLISH x 01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
         "-ERR channel and message may have 100 bytes together in a cluster");
    says(n, c, "SPUBLISH b hello", ":0");
    assert_contains(ask(n, c, "SPUBLISH a hello"), "-MOVED 15495 ");
    command_engine_published(n->engine, bytes_text("far"), bytes_text("message"));
    assert_contains(client_receive(n, s), "far" X "$7" X "message");
    assert_int_equal(n->forwarded.count, 1); /* it is not sent on */
    client_close(s);
    client_close(c);
}

static void test_other_nodes_hear_no_earlier_than_our_own_clients(void **state)
{
    struct node *n = *state;
    command_engine_set_routing(n->engine, routing_of_six(1));
    int c = client_connect(n, "127.0.0.1");
    n->gates_held = true;
    client_send(c, "SET b v\r\nPUBLISH x written\r\n");
    node_turn(n);
    assert_int_equal(n->forwarded.count, 0);
    n->forwarded.refuses = true;
    node_release(n);
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), ":0");
    assert_int_equal(n->forwarded.count, 0);
    n->forwarded.refuses = false;
    command_engine_tick(n->engine); /* tried again */
    assert_int_equal(n->forwarded.count, 1);
    assert_string_equal(n->forwarded.last, "x: written");
    client_close(c);
}

static void test_letters_are_shown_in_redis_order(void **state)
{
    (void)state;
    char out[COMMAND_NOTIFY_TEXT_MAX];
    assert_true(command_notify_canonical("", out));
    assert_string_equal(out, "");
    assert_true(command_notify_canonical("mEnKdtexzhsl$g", out));
    assert_string_equal(out, "AnKEm");
    assert_true(command_notify_canonical("mEnKdtexzhsl$", out));
    assert_string_equal(out, "$lshzxetdnKEm");
    assert_true(command_notify_canonical("KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK", out));
    assert_string_equal(out, "K");
    assert_false(command_notify_canonical("KEa", out));
}

#define WITH_NODE(test)    cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)
#define WITH_CLUSTER(test) cmocka_unit_test_setup_teardown(test, node_setup_cluster, node_teardown)

int run_pubsub_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_a_notification_waits_until_what_it_tells_of_is_durable),
        WITH_NODE(test_a_message_waits_for_what_was_written_before_it),
        WITH_NODE(test_who_goes_leaves_no_subscription),
        WITH_NODE(test_a_subscriber_that_does_not_read_is_closed_at_the_hard_limit),
        WITH_NODE(test_a_subscriber_that_lags_is_closed_after_a_time),
        WITH_NODE(test_subscriptions_count_as_requests_do),
        WITH_NODE(test_expired_keys_are_told_of_by_the_sweeper),
        WITH_CLUSTER(test_messages_go_to_other_nodes_and_come_from_them),
        WITH_CLUSTER(test_other_nodes_hear_no_earlier_than_our_own_clients),
        cmocka_unit_test(test_letters_are_shown_in_redis_order),
    };
    return cmocka_run_group_tests_name("pubsub", tests, NULL, NULL);
}
