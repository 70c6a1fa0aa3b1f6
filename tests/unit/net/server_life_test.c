/* Opening and closing, of clients and of the server. */
#include "server_fixture.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void first_client(void *user, struct net_client *c)
{
    struct net_client **first = user;
    if (!*first) *first = c;
}

static void test_a_client_can_be_asked_about(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    struct net_client *c = NULL;
    net_server_each(f->server, first_client, &c);
    assert_non_null(c);
    assert_ptr_equal(net_server_find(f->server, net_client_id(c)), c);
    assert_string_equal(net_client_host(c), "127.0.0.1");
    assert_true(strncmp(net_client_address(c), "127.0.0.1:", 10) == 0);
    char local[32];
    snprintf(local, sizeof local, "127.0.0.1:%u", f->port);
    assert_string_equal(net_client_local_address(c), local);
    assert_true(net_client_is_loopback(c));
    int on = 0;
    socklen_t len = sizeof on;
    assert_int_equal(getsockopt(net_client_fd(c), IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_int_equal(on, 1);
    assert_int_equal(getsockopt(net_client_fd(c), IPPROTO_TCP, TCP_KEEPIDLE, &on, &len), 0);
    assert_int_equal(on, 300);
    assert_int_equal(getsockopt(net_client_fd(c), SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
    assert_int_equal(on, 1);
    close(fd);
}

static void test_ids_rise_and_find_many_clients(void **state)
{
    struct fixture *f = *state;
    int fds[200];
    for (int i = 0; i < 200; i++) fds[i] = client_connect(f);
    for (uint64_t id = 1; id <= 200; id++) assert_int_equal(net_client_id(net_server_find(f->server, id)), id);
    for (int i = 0; i < 200; i += 2) close(fds[i]);
    fixture_run(f);
    for (uint64_t id = 1; id <= 200; id++) assert_int_equal(net_server_find(f->server, id) != NULL, id % 2 == 0);
    assert_null(net_server_find(f->server, 201));
    for (int i = 1; i < 200; i += 2) close(fds[i]);
}

static void test_a_client_may_be_closed_in_its_own_command(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\nVANISH\r\nPING\r\n");
    client_expect_end(f, fd);
    assert_int_equal(f->commands, 2);
    assert_int_equal(f->closed, 1);
}

static void test_a_client_may_be_closed_by_another_one(void **state)
{
    struct fixture *f = *state;
    int a = client_connect(f), b = client_connect(f), c = client_connect(f);
    client_say(f, a, "GATE 5\r\nWAIT\r\n");
    client_say(f, c, "*2\r\n$4\r\nECHO\r\n$100\r\nunfini");
    client_say(f, b, "KILL 1\r\nKILL 3\r\nPING\r\n");
    client_expect(f, b, "+OK\r\n+OK\r\n+PONG\r\n");
    client_expect_end(f, a);
    client_expect_end(f, c);
    close(b);
}

static void test_quit_answers_then_closes(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\nQUIT\r\nPING\r\n");
    client_expect(f, fd, "+PONG\r\n+OK\r\n");
    client_expect_end(f, fd);
    assert_int_equal(f->commands, 2);
}

struct closer {
    struct net_server *server;
    size_t visited;
};

/* Closes itself and its two successors. */
static void close_three(void *user, struct net_client *c)
{
    struct closer *closer = user;
    closer->visited++;
    uint64_t id = net_client_id(c);
    for (uint64_t i = id; i < id + 3; i++) {
        struct net_client *other = net_server_find(closer->server, i);
        if (other) net_client_close(other);
    }
}

static void test_a_visit_may_close_any_client(void **state)
{
    struct fixture *f = *state;
    int fds[9];
    for (int i = 0; i < 9; i++) fds[i] = client_connect(f);
    struct closer closer = {.server = f->server};
    net_server_each(f->server, close_three, &closer);
    assert_int_equal(closer.visited, 3);
    assert_int_equal(f->closed, 9);
    for (int i = 0; i < 9; i++) client_expect_end(f, fds[i]);
}

static void test_a_port_in_use_is_said_so(void **state)
{
    struct fixture *f = *state;
    struct error e;
    uint16_t port;
    assert_int_equal(net_server_listen(f->server, "127.0.0.1", f->port, &port, &e), ERROR_LOCKED);
    assert_non_null(strstr(e.text, "address in use"));
    assert_int_equal(net_server_listen(f->server, "no such host.invalid", 0, &port, &e), ERROR_CONFIG);
    assert_int_equal(net_server_listen(f->server, "192.0.2.1", 0, &port, &e), ERROR_CONFIG);
    assert_int_equal(net_server_listen(f->server, "127.0.0.2", 0, &port, &e), 0);
    assert_true(port != 0);
}

static void test_a_name_may_be_listened_on(void **state)
{
    struct fixture *f = *state;
    struct error e;
    assert_int_equal(net_server_listen(f->server, "localhost", 0, &f->port, &e), 0);
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\n");
    client_expect(f, fd, "+PONG\r\n");
    close(fd);
}

static void test_a_closing_server_sends_what_is_released_and_no_more(void **state)
{
    struct fixture *f = *state;
    int a = client_connect(f), b = client_connect(f), c = client_connect(f);
    client_say(f, a, "GATE 1\r\nGATE 2\r\n");
    client_say(f, b, "WAIT\r\n");
    client_say(f, c, "ECHO x\r\n");
    fixture_run(f);
    net_server_release(f->server, 1);
    net_server_close(f->server);
    f->server = NULL;
    client_expect(f, a, ":1\r\n");
    client_expect_end(f, a);
    client_expect_end(f, b);
    client_expect(f, c, "$1\r\nx\r\n");
    client_expect_end(f, c);
    fixture_run(f);
    assert_int_equal(uv_loop_alive(&f->loop), 0);
}

static void test_a_closing_server_does_not_wait_for_ever(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "BIG 20000000\r\n");
    fixture_run(f);
    net_server_close(f->server);
    f->server = NULL;
    uv_run(&f->loop, UV_RUN_DEFAULT); /* though nobody reads */
    assert_int_equal(f->closed, 1);
    close(fd);
}

static void test_a_command_may_close_the_server(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f), other = client_connect(f);
    client_say(f, fd, "PING\r\nSHUTDOWN\r\nPING\r\n");
    client_expect(f, fd, "+PONG\r\n+OK\r\n");
    client_expect_end(f, fd);
    client_expect_end(f, other);
    assert_int_equal(f->commands, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int server_life_tests(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_client_can_be_asked_about),
        TEST(test_ids_rise_and_find_many_clients),
        TEST(test_a_client_may_be_closed_in_its_own_command),
        TEST(test_a_client_may_be_closed_by_another_one),
        TEST(test_quit_answers_then_closes),
        TEST(test_a_visit_may_close_any_client),
        TEST(test_a_port_in_use_is_said_so),
        TEST(test_a_name_may_be_listened_on),
        TEST(test_a_closing_server_sends_what_is_released_and_no_more),
        TEST(test_a_closing_server_does_not_wait_for_ever),
        TEST(test_a_command_may_close_the_server),
    };
    return cmocka_run_group_tests_name("server_life", tests, NULL, NULL);
}
