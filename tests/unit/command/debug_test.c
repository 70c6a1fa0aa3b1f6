#include "fixture.h"

static void test_debug_is_for_nobody_unless_told(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    assert_contains(ask(n, c, "DEBUG HELP"), "-ERR DEBUG command not allowed.");
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1, .debug = COMMAND_DEBUG_LOCAL});
    assert_contains(ask(n, c, "DEBUG HELP"), "*25\r\n");
    says(n, c, "DEBUG SLEEP 3601", "-ERR DEBUG SLEEP takes seconds from 0 to 3600");
    says(n, c, "DEBUG SLEEP nan", "-ERR DEBUG SLEEP takes seconds from 0 to 3600");
    says(n, c, "DEBUG SLEEP inf", "-ERR DEBUG SLEEP takes seconds from 0 to 3600");
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1, .debug = COMMAND_DEBUG_NO});
    assert_contains(ask(n, c, "DEBUG SLEEP 0"), "-ERR DEBUG command not allowed.");
    says(n, c, "MULTI", "+OK");
    assert_contains(ask(n, c, "DEBUG SLEEP 0"), "-ERR DEBUG command not allowed."); /* not kept for EXEC */
    says(n, c, "EXEC", "-EXECABORT Transaction discarded because of previous errors.");
    client_close(c);
}

static void test_expired_keys_stay_while_told_so(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1, .debug = COMMAND_DEBUG_YES});
    says(n, c, "DEBUG SET-ACTIVE-EXPIRE 0", "+OK");
    says(n, c, "SET k v EX 100", "+OK");
    says(n, c, "DEBUG SET-ACTIVE-EXPIRE 2", "-ERR value is out of range, value must between 0 and 1");
    says(n, c, "PSETEX short 1 v", "+OK");
    node_turn(n);
    command_engine_sweep(n->engine);
    says(n, c, "DBSIZE", ":2");
    says(n, c, "DEBUG SET-ACTIVE-EXPIRE 1", "+OK");
    command_engine_sweep(n->engine);
    says(n, c, "DBSIZE", ":1");
    client_close(c);
}

static void test_what_is_told_of_a_value_waits_for_it_to_be_durable(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), reader = client_connect(n, "127.0.0.1");
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1, .debug = COMMAND_DEBUG_YES});
    says(n, reader, "PING", "+PONG");
    node_turn(n);
    n->gates_held = true;
    client_send(c, "SET k v\r\n");
    client_send(reader, "DEBUG OBJECT k\r\n"); /* runs in the same turn, after it */
    assert_true(client_is_silent(n, reader));
    node_release(n);
    assert_contains(client_receive(n, reader), "+Value refcount:1");
    client_close(c);
    client_close(reader);
}

static void test_reload_has_all_rows_read_from_disk_anew(void **state)
{
    struct node *n = *state;
    struct store_statistics st;
    int c = client_connect(n, "127.0.0.1");
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1, .debug = COMMAND_DEBUG_YES});
    says(n, c, "DEBUG POPULATE 2500 key 100", "+OK");
    says(n, c, "RPUSH list a b c", ":3");
    says(n, c, "DEBUG RELOAD", "+OK");
    store_statistics(n->store, &st);
    assert_int_equal(st.cached_rows, 0);
    assert_int_equal(st.dirty_rows, 0);
    says(n, c, "DBSIZE", ":2501");
    says(n, c, "STRLEN key:2499", ":100");
    says(n, c, "LINDEX list 1", "$1\r\nb");
    says(n, c, "MULTI", "+OK");
    says(n, c, "DEBUG RELOAD", "+QUEUED");
    says(n, c, "EXEC", "*1\r\n-ERR DEBUG RELOAD waits for a checkpoint and is not allowed inside a transaction");
    client_close(c);
}

static void test_populate_is_bounded(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1, .debug = COMMAND_DEBUG_YES});
    says(n, c, "DEBUG POPULATE 9223372036854775807", "-ERR DEBUG POPULATE makes at most 1024 MiB");
    says(n, c, "DEBUG POPULATE 3 key 536870912", "-ERR DEBUG POPULATE makes at most 1024 MiB");
    says(n, c, "DEBUG POPULATE 1 key 536870913", "-ERR value is out of range, must be positive");
    says(n, c, "DBSIZE", ":0");
    client_close(c);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_debug_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_debug_is_for_nobody_unless_told),
        WITH_NODE(test_expired_keys_stay_while_told_so),
        WITH_NODE(test_what_is_told_of_a_value_waits_for_it_to_be_durable),
        WITH_NODE(test_reload_has_all_rows_read_from_disk_anew),
        WITH_NODE(test_populate_is_bounded),
    };
    return cmocka_run_group_tests_name("debug", tests, NULL, NULL);
}
