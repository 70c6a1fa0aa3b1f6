#include "fixture.h"

static void tune(struct node *n, int64_t slowlog_us, size_t max)
{
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = slowlog_us, .slowlog_max = max});
}

static void test_nothing_is_noted_unless_told(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "SLOWLOG LEN", ":0");
    tune(n, -1, 10);
    says(n, c, "SLOWLOG LEN", ":0");
    says(n, c, "SLOWLOG LEN", ":0");
    tune(n, 0, 10);
    says(n, c, "SLOWLOG LEN", ":0");
    says(n, c, "SLOWLOG LEN", ":1");
    client_close(c);
}

static void test_a_lower_bound_drops_the_oldest(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    tune(n, 0, 10);
    says(n, c, "ECHO a", "$1\r\na");
    says(n, c, "ECHO b", "$1\r\nb");
    tune(n, -1, 1);
    const char *log = ask(n, c, "SLOWLOG GET -1");
    assert_memory_equal(log, "*1\r\n*6\r\n:1\r\n", 12);
    assert_contains(log, "*2\r\n$4\r\nECHO\r\n$1\r\nb\r\n$");
    client_close(c);
}

static void test_a_command_that_waits_is_not_slow(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    tune(n, 0, 10);
    says(n, c, "SAVE", "+OK");
    says(n, c, "SLOWLOG LEN", ":0");
    client_close(c);
}

static void test_a_command_that_was_served_after_a_wait_is_noted(void **state)
{
    struct node *n = *state;
    int waits = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    tune(n, 0, 10);
    client_send(waits, "BLPOP list 0\r\n");
    assert_true(client_is_silent(n, waits));
    says(n, other, "RPUSH list a", ":1");
    assert_string_equal(client_receive(n, waits), "*2\r\n$4\r\nlist\r\n$1\r\na");
    assert_contains(ask(n, other, "SLOWLOG GET 1"), "*3\r\n$5\r\nBLPOP\r\n$4\r\nlist\r\n$1\r\n0\r\n");
    client_close(waits);
    client_close(other);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_slowlog_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_nothing_is_noted_unless_told),
        WITH_NODE(test_a_lower_bound_drops_the_oldest),
        WITH_NODE(test_a_command_that_waits_is_not_slow),
        WITH_NODE(test_a_command_that_was_served_after_a_wait_is_noted),
    };
    return cmocka_run_group_tests_name("slowlog", tests, NULL, NULL);
}
