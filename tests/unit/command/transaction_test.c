/* Transactions: one batch, one gate, what they hold in memory, and what the cluster says to them. What EXEC replies is in
 * tests/compat/transaction.txt. */
#include <stdio.h>

#include "command/engine.h"
#include "fixture.h"

#define X      "\r\n"
#define QUEUED "+QUEUED"

static struct store_statistics statistics(struct node *n)
{
    struct store_statistics s;
    store_statistics(n->store, &s);
    return s;
}

static uint64_t query_memory(struct node *n)
{
    struct net_statistics s;
    net_server_statistics(n->server, &s);
    return s.query_memory;
}

static void test_exec_is_one_batch(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET a 1", QUEUED);
    says(n, c, "INCR a", QUEUED);
    says(n, c, "SELECT 1", QUEUED);
    says(n, c, "MSET x 1 y 2", QUEUED);
    struct store_statistics before = statistics(n);
    says(n, c, "EXEC", "*4" X "+OK" X ":2" X "+OK" X "+OK");
    struct store_statistics after = statistics(n);
    assert_int_equal(after.batches, before.batches + 1);
    assert_int_equal(after.last.sequence, before.last.sequence + 1);
    client_close(c);
}

static void test_a_flush_within_exec_leaves_what_comes_after_it(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "SET old 1", "+OK");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET before 1", QUEUED);
    says(n, c, "FLUSHALL", QUEUED);
    says(n, c, "EXISTS old before", QUEUED);
    says(n, c, "SET after 1", QUEUED);
    says(n, c, "EXEC", "*4" X "+OK" X "+OK" X ":0" X "+OK");
    says(n, c, "KEYS *", "*1" X "$5" X "after");
    client_close(c);
}

static void test_the_reply_waits_for_all_of_it(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), reader = client_connect(n, "127.0.0.1");
    says(n, c, "MULTI", "+OK");
    says(n, c, "GET k", QUEUED);
    says(n, c, "SET k v", QUEUED);
    says(n, reader, "MULTI", "+OK");
    says(n, reader, "GET k", QUEUED);
    node_turn(n);
    n->gates_held = true;
    client_send(c, "EXEC\r\n");
    client_send(reader, "EXEC\r\n");
    assert_true(client_is_silent(n, c));
    assert_true(client_is_silent(n, reader)); /* it has seen what is not durable */
    node_release(n);
    assert_string_equal(client_receive(n, c), "*2" X "$-1" X "+OK");
    assert_string_equal(client_receive(n, reader), "*1" X "$1" X "v");
    client_close(c);
    client_close(reader);
}

static void test_what_is_queued_counts_as_requests_do(void **state)
{
    struct node *n = *state;
    struct net_limits limits = *net_server_limits(n->server);
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    says(n, c, "PING", "+PONG");
    says(n, other, "PING", "+PONG");
    uint64_t before = query_memory(n);
    says(n, c, "MULTI", "+OK");
    for (int i = 0; i < 100; i++) says(n, c, "SET some:key some:value", QUEUED);
    assert_true(query_memory(n) > before + 100 * 20);
    says(n, c, "DISCARD", "+OK");
    assert_true(query_memory(n) < before + 100); /* the parser may keep some */
    says(n, c, "WATCH a:key another:key", "+OK");
    assert_true(query_memory(n) > before + 2 * 100);
    says(n, c, "UNWATCH", "+OK");
    assert_true(query_memory(n) < before + 100); /* the parser may keep some */
    limits.query_memory_max = before + 10000;
    net_server_set_limits(n->server, &limits);
    says(n, c, "MULTI", "+OK");
    for (int i = 0; i < 1000 && *ask(n, c, "SET some:key some:value"); i++) {}
    node_await_clients(n, 1);
    assert_true(query_memory(n) <= limits.query_memory_max);
    says(n, other, "GET some:key", "$-1");
    client_close(c);
    client_close(other);
}

static void test_who_goes_leaves_nothing(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1"), reset = client_connect(n, "127.0.0.1");
    says(n, c, "WATCH a b c", "+OK");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET a 1", QUEUED);
    says(n, reset, "WATCH a z", "+OK");
    assert_int_equal(n->engine->watches.count, 5);
    client_close(c);
    node_await_clients(n, 2);
    says(n, reset, "RESET", "+RESET");
    assert_int_equal(n->engine->watches.count, 0);
    assert_int_equal(n->engine->watches.keys[0].count, 0);
    says(n, other, "GET a", "$-1");
    client_close(reset);
    client_close(other);
}

static void test_many_watch_the_same_key(void **state)
{
    struct node *n = *state;
    int c[20], other = client_connect(n, "127.0.0.1");
    for (int i = 0; i < 20; i++) {
        c[i] = client_connect(n, "127.0.0.1");
        says(n, c[i], i % 2 ? "WATCH k own" : "WATCH x", "+OK");
        says(n, c[i], "MULTI", "+OK");
        says(n, c[i], "PING", QUEUED);
    }
    says(n, other, "INCR k", ":1");
    for (int i = 0; i < 20; i++) {
        says(n, c[i], "EXEC", i % 2 ? "*-1" : "*1" X "+PONG");
        client_close(c[i]);
    }
    client_close(other);
}

/* Nobody has looked for it, so that nothing was told. */
static void test_a_watched_key_has_expired_though_nobody_has_met_it(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "SET k v EX 1000", "+OK");
    says(n, c, "WATCH k", "+OK");
    says(n, c, "MULTI", "+OK");
    says(n, c, "PING", QUEUED);
    n->engine->wall_offset_us += 2000 * (int64_t)1000000;
    says(n, c, "EXEC", "*-1");
    client_close(c);
}

static void test_exec_is_refused_when_writes_are(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), reader = client_connect(n, "127.0.0.1");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET k v", QUEUED);
    says(n, reader, "MULTI", "+OK");
    says(n, reader, "GET k", QUEUED);
    n->gates_held = true; /* or the end of the turn would look at the store */
    node_turn(n);
    n->engine->writable = false;
    error_set(&n->engine->not_writable, ERROR_DISK, "the disk is full");
    says(n, c, "EXEC", "-EXECABORT Transaction discarded because of: MISCONF Commands that change data are refused: the disk is full");
    says(n, reader, "EXEC", "*1" X "$-1");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET k v", "-MISCONF Commands that change data are refused: the disk is full");
    says(n, c, "EXEC", "-EXECABORT Transaction discarded because of previous errors.");
    client_close(c);
    client_close(reader);
}

static void test_messages_to_oneself_come_after_the_reply(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    assert_contains(ask(n, c, "HELLO 3"), "proto");
    command_engine_set_notify(n->engine, "E$");
    assert_contains(ask(n, c, "SUBSCRIBE x __keyevent@0__:set"), "subscribe");
    assert_contains(client_receive(n, c), "subscribe");
    says(n, c, "MULTI", "+OK");
    says(n, c, "PUBLISH x m", QUEUED);
    says(n, c, "SET k v", QUEUED);
    says(n, c, "EXEC", "*2" X ":1" X "+OK");
    assert_string_equal(client_receive(n, c), ">3" X "$7" X "message" X "$1" X "x" X "$1" X "m");
    assert_string_equal(client_receive(n, c), ">3" X "$7" X "message" X "$18" X "__keyevent@0__:set" X "$1" X "k");
    says(n, c, "PING", "+PONG");
    client_close(c);
}

static void test_keys_of_exec_share_a_slot(void **state)
{
    struct node *n = *state;
    command_engine_set_routing(n->engine, routing_of_six(1));
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET b 1", QUEUED);
    says(n, c, "SET {b}2 1", QUEUED);
    says(n, c, "SELECT 1", QUEUED);
    says(n, c, "GET b", QUEUED);
    says(n, c, "EXEC", "*4" X "+OK" X "+OK" X "+OK" X "$-1");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET b 2", QUEUED);
    says(n, c, "SET f 2", QUEUED); /* served here too */
    says(n, c, "EXEC", "-CROSSSLOT Keys in request don't hash to the same slot");
    says(n, c, "EXEC", "-ERR EXEC without MULTI");
    says(n, c, "MULTI", "+OK");
    assert_contains(ask(n, c, "SET a 1"), "-MOVED 15495 ");
    says(n, c, "EXEC", "-EXECABORT Transaction discarded because of previous errors.");
    says(n, c, "GET f", "$-1");
    client_close(c);
}

static void test_a_slot_may_have_gone_before_exec(void **state)
{
    struct node *n = *state;
    command_engine_set_routing(n->engine, routing_of_six(1));
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "WATCH b", "+OK");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SET b 1", QUEUED);
    command_engine_set_routing(n->engine, routing_of_six(2));
    assert_contains(ask(n, c, "EXEC"), "-MOVED 3300 ");
    assert_int_equal(n->engine->watches.count, 0);
    client_close(c);
}

static void test_what_waits_for_the_cluster_cannot_be_queued(void **state)
{
    struct node *n = *state;
    command_engine_set_routing(n->engine, routing_of_six(1));
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "MULTI", "+OK");
    says(n, c, "CLUSTER ADDSLOTS 1", "-ERR 'cluster|addslots' waits for the cluster and is not allowed inside a transaction");
    says(n, c, "EXEC", "-EXECABORT Transaction discarded because of previous errors.");
    assert_int_equal(n->control.calls, 0);
    says(n, c, "MULTI", "+OK");
    says(n, c, "CLUSTER KEYSLOT b", QUEUED);
    says(n, c, "CLUSTER COUNTKEYSINSLOT 3300", QUEUED);
    says(n, c, "SET b 1", QUEUED);
    says(n, c, "CLUSTER GETKEYSINSLOT 3300 10", QUEUED);
    says(n, c, "EXEC", "*4" X ":3300" X ":0" X "+OK" X "*1" X "$1" X "b");
    client_close(c);
}

static void test_exec_waits_for_the_rows_of_its_queue(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    node_hold_reads("k:4");
    client_send(c, "MULTI\r\nGET k:1\r\nINCR k:2\r\nMGET k:3 k:4\r\n");
    assert_string_equal(client_receive(n, c), "+OK");
    for (int i = 0; i < 3; i++) assert_string_equal(client_receive(n, c), QUEUED); /* queueing needs no rows */
    assert_int_equal(node_waiting_reads(n), 0);
    client_send(c, "EXEC\r\n");
    assert_true(client_is_silent(n, c));
    assert_int_equal(node_waiting_reads(n), 4); /* told of when all are there */
    says(n, other, "SET new v", "+OK");
    says(n, other, "SET k:1 meanwhile", "+OK");
    node_hold_reads(NULL);
    assert_string_equal(client_receive(n, c), "*3" X "$9" X "meanwhile" X ":3" X "*2" X "$1" X "3" X "$1" X "4");
    client_close(c);
    client_close(other);
}

static void test_a_watched_key_may_change_while_exec_waits(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    says(n, c, "WATCH k:1", "+OK");
    says(n, c, "MULTI", "+OK");
    says(n, c, "INCR k:2", QUEUED);
    node_hold_reads("k:2");
    client_send(c, "EXEC\r\n");
    assert_true(client_is_silent(n, c));
    says(n, other, "SET k:1 changed", "+OK");
    node_hold_reads(NULL);
    assert_string_equal(client_receive(n, c), "*-1");
    says(n, c, "GET k:2", "$1" X "2");
    client_close(c);
    client_close(other);
}

#define WITH_NODE(test)    cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)
#define WITH_CLUSTER(test) cmocka_unit_test_setup_teardown(test, node_setup_cluster, node_teardown)
#define WITH_COLD(test)    cmocka_unit_test_setup_teardown(test, node_setup_cold, node_teardown)

int run_transaction_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_exec_is_one_batch),
        WITH_NODE(test_a_flush_within_exec_leaves_what_comes_after_it),
        WITH_NODE(test_the_reply_waits_for_all_of_it),
        WITH_NODE(test_what_is_queued_counts_as_requests_do),
        WITH_NODE(test_who_goes_leaves_nothing),
        WITH_NODE(test_many_watch_the_same_key),
        WITH_NODE(test_a_watched_key_has_expired_though_nobody_has_met_it),
        WITH_NODE(test_exec_is_refused_when_writes_are),
        WITH_NODE(test_messages_to_oneself_come_after_the_reply),
        WITH_CLUSTER(test_keys_of_exec_share_a_slot),
        WITH_CLUSTER(test_a_slot_may_have_gone_before_exec),
        WITH_CLUSTER(test_what_waits_for_the_cluster_cannot_be_queued),
        WITH_COLD(test_exec_waits_for_the_rows_of_its_queue),
        WITH_COLD(test_a_watched_key_may_change_while_exec_waits),
    };
    return cmocka_run_group_tests_name("transactions", tests, NULL, NULL);
}
