#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "command/engine.h"

/* ECHOs would fill this side's buffers: the value of a SET comes back to monitors only. */
static void set(struct node *n, int client, size_t len)
{
    char head[64];
    char *value = malloc(len + 3);
    memset(value, 'v', len);
    memcpy(value + len, "\r\n", 3);
    snprintf(head, sizeof head, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%zu\r\n", len);
    client_send(client, head);
    for (size_t sent = 0; sent < len + 2;) {
        ssize_t part = send(client, value + sent, len + 2 - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (part > 0) sent += (size_t)part;
        uv_run(&n->loop, UV_RUN_NOWAIT);
    }
    free(value);
    assert_string_equal(client_receive(n, client), "+OK");
}

static void test_a_monitor_that_does_not_read_is_closed(void **state)
{
    struct node *n = *state;
    int monitor = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    says(n, monitor, "MONITOR", "+OK");
    assert_int_equal(n->engine->monitors.count, 1);
    int rounds = 0;
    while (n->engine->monitors.count > 0 && rounds < 200) {
        set(n, c, 1000000);
        rounds++;
    }
    assert_int_equal(n->engine->monitors.count, 0);
    assert_true(rounds > 32);
    says(n, c, "PING", "+PONG");
    client_close(monitor);
    client_close(c);
}

static void test_a_long_line_is_cut(void **state)
{
    struct node *n = *state;
    int monitor = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    says(n, monitor, "MONITOR", "+OK");
    set(n, c, 2000000);
    static char line[MONITOR_LINE_MAX + 16];
    size_t len = 0;
    while (len == 0 || line[len - 1] != '\n') {
        ssize_t part = recv(monitor, line + len, sizeof line - len, MSG_DONTWAIT);
        if (part > 0) len += (size_t)part;
        uv_run(&n->loop, UV_RUN_NOWAIT);
        assert_true(len < sizeof line);
    }
    assert_true(len > MONITOR_LINE_MAX - 8192);
    assert_memory_equal(line + len - 6, "v...\r\n", 6);
    client_close(monitor);
    client_close(c);
}

static void test_a_monitor_that_leaves_is_forgotten(void **state)
{
    struct node *n = *state;
    int monitor = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    says(n, monitor, "MONITOR", "+OK");
    says(n, other, "MONITOR", "+OK");
    client_close(monitor);
    node_turn(n);
    assert_int_equal(n->engine->monitors.count, 1);
    says(n, other, "RESET", "+RESET");
    assert_int_equal(n->engine->monitors.count, 0);
    client_close(other);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_monitor_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_a_monitor_that_does_not_read_is_closed),
        WITH_NODE(test_a_long_line_is_cut),
        WITH_NODE(test_a_monitor_that_leaves_is_forgotten),
    };
    return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
