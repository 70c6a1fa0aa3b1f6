/* Limits: what a client can do to the node, and no more. */
#include "net/server_state.h"
#include "server_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void small_output(struct net_limits *limits)
{
    limits->output_pause = 100000;
    limits->normal.hard = 1000000;
}

static void test_a_client_that_never_reads_stays_bounded(void **state)
{
    struct fixture *f = *state;
    fixture_set_limits(f, small_output);
    int fd = client_connect(f);
    for (int i = 0; i < 2000; i++) assert_int_equal(send(fd, "BIG 50000\r\n", 11, 0), 11);
    for (int i = 0; i < 50; i++) fixture_run(f); /* until the kernel takes no more */
    struct net_statistics s = fixture_statistics(f);
    assert_true(s.commands < 2000);
    assert_true(s.output_memory < 1000000);
    assert_true(uv_backend_timeout(&f->loop) != 0);
    static char big[50000];
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 2000; i++) {
        client_expect(f, fd, "$50000\r\n");
        client_expect_bytes(f, fd, big, sizeof big);
        client_expect(f, fd, "\r\n");
    }
    assert_int_equal(f->commands, 2000);
    close(fd);
}

static void test_replies_past_the_hard_limit_close_the_client(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f), huge = client_connect(f);
    fixture_set_limits(f, small_output);
    client_say(f, fd, "BIG 1000000\r\n");
    client_expect_end(f, fd);
    client_say(f, huge, "BIG 3000000\r\n"); /* more than its buffer takes */
    client_expect_end(f, huge);
    assert_int_equal(f->closed, 2);
    assert_int_equal(f->rejections, 2);
}

static void two_clients(struct net_limits *limits)
{
    limits->clients_max = 2;
}

static void test_one_client_too_many_is_told_so(void **state)
{
    struct fixture *f = *state;
    fixture_set_limits(f, two_clients);
    int a = client_connect(f), b = client_connect(f), c = client_connect(f);
    client_expect(f, c, "-ERR max number of clients reached\r\n");
    client_expect_end(f, c);
    assert_int_equal(fixture_statistics(f).refused, 1);
    assert_int_equal(f->opened, 2);
    close(a);
    fixture_run(f);
    c = client_connect(f);
    client_say(f, c, "PING\r\n");
    client_expect(f, c, "+PONG\r\n");
    close(b);
    close(c);
}

static void small_query_memory(struct net_limits *limits)
{
    limits->query_memory_max = 3000000;
}

static void test_too_much_unfinished_closes_the_largest(void **state)
{
    struct fixture *f = *state;
    fixture_set_limits(f, small_query_memory);
    int small = client_connect(f), large = client_connect(f), last = client_connect(f);
    static char part[1200000];
    memset(part, 'x', sizeof part);
    int sent_of[] = {small, large, last};
    size_t lengths[] = {100000, sizeof part, 400000};
    for (int i = 0; i < 3; i++) {
        client_say(f, sent_of[i], "*2\r\n$4\r\nECHO\r\n$100000000\r\n");
        client_send(f, sent_of[i], part, lengths[i]);
    }
    fixture_run(f);
    assert_int_equal(f->closed, 0);
    client_send(f, last, part, 600000);
    for (int i = 0; i < 20 && f->closed == 0; i++) client_send(f, small, part, 50000);
    client_expect_end(f, large);
    fixture_run(f);
    assert_int_equal(f->closed, 1);
    assert_true(fixture_statistics(f).query_memory <= 3000000);
    close(small);
    close(last);
}

static void spare_largest(void *user, struct net_client *c)
{
    (void)user;
    size_t query, output;
    net_client_memory(c, &query, &output);
    net_client_spare(c, query > 1000000);
}

static void test_a_spared_client_is_kept_however_much_it_sends(void **state)
{
    struct fixture *f = *state;
    fixture_set_limits(f, small_query_memory);
    int spared = client_connect(f), other = client_connect(f);
    static char part[1200000];
    memset(part, 'x', sizeof part);
    int sent_of[] = {spared, other};
    size_t lengths[] = {sizeof part, 400000};
    for (int i = 0; i < 2; i++) {
        client_say(f, sent_of[i], "*2\r\n$4\r\nECHO\r\n$100000000\r\n");
        client_send(f, sent_of[i], part, lengths[i]);
    }
    fixture_run(f);
    net_server_each(f->server, spare_largest, NULL);
    for (int i = 0; i < 4; i++) client_send(f, spared, part, sizeof part);
    client_expect_end(f, other);
    fixture_run(f);
    assert_int_equal(f->closed, 1);
    close(spared);
}

static void short_idle(struct net_limits *limits)
{
    limits->idle_ms = 1;
}

static void test_an_idle_client_is_closed_but_not_one_that_waits(void **state)
{
    struct fixture *f = *state;
    int idle = client_connect(f), waiting = client_connect(f);
    client_say(f, waiting, "WAIT\r\n");
    fixture_run(f);
    fixture_set_limits(f, short_idle);
    client_expect_end(f, idle);
    client_expect_silence(f, waiting);
    fixture_answer(f, "+done\r\n");
    client_expect(f, waiting, "+done\r\n");
    close(waiting);
}

static void test_a_quiet_client_holds_next_to_no_memory(void **state)
{
    struct fixture *f = *state;
    int fds[100];
    for (int i = 0; i < 100; i++) {
        fds[i] = client_connect(f);
        client_say(f, fds[i], "ECHO 0123456789\r\n");
        client_expect(f, fds[i], "$10\r\n0123456789\r\n");
    }
    struct net_statistics s = fixture_statistics(f);
    assert_true(s.query_memory < 100 * 512);
    assert_true(s.output_memory < 100 * 512);
    for (int i = 0; i < 100; i++) close(fds[i]);
    fixture_run(f);
    s = fixture_statistics(f);
    assert_int_equal(s.clients, 0);
    assert_int_equal(s.query_memory, 0);
    assert_int_equal(s.output_memory, 0);
}

/* The lowest limit that leaves what is open, and nothing more. */
static void forbid_descriptors(struct rlimit *before)
{
    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    int next = dup(0);
    close(next);
    struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = before->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void test_running_out_of_descriptors_pauses_accepting(void **state)
{
    struct fixture *f = *state;
    int served = client_connect(f);
    struct rlimit before;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    forbid_descriptors(&before);
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    assert_int_equal(getpeername(served, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, len), 0);
    fixture_run(f);
    assert_int_equal(f->opened, 1);
    assert_false(uv_is_active((uv_handle_t *)&f->server->listeners->poll)); /* or the loop would spin */
    assert_true(uv_backend_timeout(&f->loop) > 0);
    client_say(f, served, "PING\r\n");
    client_expect(f, served, "+PONG\r\n");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    client_say(f, fd, "PING\r\n");
    client_expect(f, fd, "+PONG\r\n");
    close(fd);
    close(served);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int server_limit_tests(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_client_that_never_reads_stays_bounded),
        TEST(test_replies_past_the_hard_limit_close_the_client),
        TEST(test_one_client_too_many_is_told_so),
        TEST(test_a_spared_client_is_kept_however_much_it_sends),
        TEST(test_too_much_unfinished_closes_the_largest),
        TEST(test_an_idle_client_is_closed_but_not_one_that_waits),
        TEST(test_a_quiet_client_holds_next_to_no_memory),
        TEST(test_running_out_of_descriptors_pauses_accepting),
    };
    return cmocka_run_group_tests_name("server_limits", tests, NULL, NULL);
}
