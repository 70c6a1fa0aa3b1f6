/* Commands that the control thread carries out. */
#include "fixture.h"

static void reply(struct node *n, uint64_t token, const char *text)
{
    command_engine_control_reply(n->engine, token, bytes_text(text));
}

static void test_the_client_waits_for_control_and_goes_on(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    client_send(c, "PING\r\nCLUSTER meet 10.0.0.2 6379\r\nPING again\r\n");
    assert_string_equal(client_receive(n, c), "+PONG");
    assert_true(client_is_silent(n, c));
    assert_int_equal(n->control.calls, 1);
    assert_string_equal(n->control.line, "CLUSTER meet 10.0.0.2 6379");
    assert_int_equal(n->control.protocol, 2);
    says(n, other, "PING", "+PONG"); /* nobody else waits */
    assert_contains(ask(n, other, "CLIENT LIST"), " flags=b ");
    reply(n, n->control.token, "+OK\r\n");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), "$5\r\nagain");
    client_close(c);
    client_close(other);
}

static void test_a_reply_for_a_client_that_went_away_is_dropped(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "CLUSTER SCRIPT RUN init\r\n");
    assert_true(client_is_silent(n, c));
    client_close(c);
    node_turn(n);
    reply(n, n->control.token, "+OK\r\n");
    c = client_connect(n, "127.0.0.1");
    says(n, c, "PING", "+PONG");
    client_close(c);
}

static void test_a_reply_comes_once(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "CLUSTER METARAFT STATUS\r\n");
    assert_true(client_is_silent(n, c));
    reply(n, n->control.token, "-CLUSTERDOWN nobody leads\r\n");
    assert_string_equal(client_receive(n, c), "-CLUSTERDOWN nobody leads");
    reply(n, n->control.token, "+OK\r\n");
    assert_true(client_is_silent(n, c));
    assert_contains(ask(n, c, "INFO errorstats"), "errorstat_CLUSTERDOWN:count=1\r\n");
    client_close(c);
}

static void test_a_full_queue_is_told(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    n->control.refuses = true;
    assert_contains(ask(n, c, "CLUSTER ADDSLOTS 1 2 3"), "-ERR too many administrative commands are waiting");
    says(n, c, "PING", "+PONG");
    client_close(c);
}

static void test_all_that_changes_the_cluster_goes_to_control(void **state)
{
    struct node *n = *state;
    static const char *const requests[] = {
        "CLUSTER MEET 127.0.0.1 6380",  "CLUSTER ADDSLOTS 1 2",
        "CLUSTER ADDSLOTSRANGE 0 5460", "CLUSTER REPLICATE 1",
        "CLUSTER ADDREPLICATION 4 1",   "CLUSTER METARAFT MEMBERS",
        "CLUSTER SCRIPT EVAL steps -x", "cluster metaraft addlearner 2 aikv2:50052",
    };
    int c = client_connect(n, "127.0.0.1");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char line[100];
        snprintf(line, sizeof line, "%s\r\n", requests[i]);
        client_send(c, line);
        while (n->control.calls <= i) node_turn(n);
        assert_string_equal(n->control.line, requests[i]);
        reply(n, n->control.token, "+OK\r\n");
        assert_string_equal(client_receive(n, c), "+OK");
    }
    says(n, c, "CLUSTER METARAFT", "-ERR wrong number of arguments for 'cluster|metaraft' command");
    client_close(c);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup_cluster, node_teardown)

int run_control_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_the_client_waits_for_control_and_goes_on),
        WITH_NODE(test_a_reply_for_a_client_that_went_away_is_dropped),
        WITH_NODE(test_a_reply_comes_once),
        WITH_NODE(test_a_full_queue_is_told),
        WITH_NODE(test_all_that_changes_the_cluster_goes_to_control),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
