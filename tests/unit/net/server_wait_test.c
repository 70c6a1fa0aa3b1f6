/* Clients that wait: suspended by a command, or all of them while the server is paused. */
#include "server_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_a_suspended_client_runs_nothing_until_resumed(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\nWAIT\r\nECHO a\r\n");
    client_say(f, fd, "ECHO b\r\n");
    client_expect(f, fd, "+PONG\r\n");
    client_expect_silence(f, fd);
    assert_int_equal(f->commands, 2);
    assert_int_equal(fixture_statistics(f).suspended, 1);
    fixture_answer(f, "+done\r\n");
    client_expect(f, fd, "+done\r\n$1\r\na\r\n$1\r\nb\r\n");
    assert_int_equal(fixture_statistics(f).suspended, 0);
    close(fd);
}

static void check_arguments_live(struct fixture *f, const char *request)
{
    int fd = client_connect(f), other = client_connect(f);
    client_say(f, fd, request);
    fixture_run(f);
    for (int i = 0; i < 3; i++) {
        client_say(f, fd, "ECHO overwritten-overwritten-overwritten\r\n");
        client_say(f, other, "*2\r\n$4\r\nECHO\r\n$11\r\noverwritten\r\n*2\r\n$4\r\nECHO\r\n$11\r\noverwritten\r\n");
    }
    assert_int_equal(f->waiting.argc, 2);
    assert_true(bytes_is(f->waiting.argv[0], "WAIT"));
    assert_true(bytes_is(f->waiting.argv[1], "argument"));
    fixture_answer(f, "+done\r\n");
    client_expect(f, fd, strstr(request, "FORGET") ? "+OK\r\n+done\r\n" : "+done\r\n");
    close(fd);
    close(other);
}

static void test_arguments_of_a_suspended_request_stay(void **state)
{
    check_arguments_live(*state, "*2\r\n$4\r\nWAIT\r\n$8\r\nargument\r\n");
    check_arguments_live(*state, "*2\r\n$4\r\nWAIT\r\n$8\r\nargument\r\nPING\r\n");
    check_arguments_live(*state, "WAIT argument\r\n");
    check_arguments_live(*state, "*1\r\n$6\r\nFORGET\r\n*2\r\n$4\r\nWAIT\r\n$8\r\nargument\r\n*1\r\n$4\r\nPING\r\n");
}

static void test_arguments_that_came_in_pieces_stay(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "*2\r\n$4\r\nWA");
    fixture_run(f);
    client_say(f, fd, "IT\r\n$8\r\nargument\r\nECHO a\r\nECHO");
    client_say(f, fd, " b\r\n");
    fixture_run(f);
    assert_true(bytes_is(f->waiting.argv[1], "argument"));
    fixture_answer(f, "+done\r\n");
    client_expect(f, fd, "+done\r\n$1\r\na\r\n$1\r\nb\r\n");
    close(fd);
}

static void test_a_suspended_client_is_read_from_only_so_far(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "WAIT\r\n");
    static char flood[1 << 20];
    for (size_t i = 0; i < sizeof flood; i += 8) memcpy(flood + i, "ECHO aa\n", 8);
    size_t sent = 0;
    for (int idle = 0; idle < 5;) {
        ssize_t n = send(fd, flood, sizeof flood - sizeof flood % 8, MSG_DONTWAIT);
        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0) sent += (size_t)n;
        idle = n > 0 ? 0 : idle + 1;
        fixture_run(f);
    }
    assert_true(fixture_statistics(f).bytes_in < 256 << 10);
    assert_true(fixture_statistics(f).query_memory < 512 << 10);
    fixture_answer(f, "+done\r\n");
    client_expect(f, fd, "+done\r\n");
    for (size_t i = 0; i < sent / 8 && i < 50000; i++) client_expect(f, fd, "$2\r\naa\r\n");
    close(fd);
}

#define ARRAY1(word) "*1\r\n$4\r\n" word "\r\n"

static void test_a_request_that_may_not_run_yet_keeps_what_follows(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f), other = client_connect(f);
    client_say(f, fd, ARRAY1("PING") ARRAY1("PING") ARRAY1("COLD") ARRAY1("PING") ARRAY1("COLD") "ECHO a\r\n");
    client_expect(f, fd, "+PONG\r\n+PONG\r\n");
    client_expect_silence(f, fd);
    assert_int_equal(f->commands, 2);
    assert_int_equal(fixture_statistics(f).suspended, 1);
    client_say(f, other, ARRAY1("PING"));
    client_expect(f, other, "+PONG\r\n"); /* nobody else waits */
    fixture_warm(f);
    client_expect(f, fd, "+COLD\r\n+PONG\r\n");
    client_expect_silence(f, fd);
    fixture_warm(f);
    client_expect(f, fd, "+COLD\r\n$1\r\na\r\n");
    assert_int_equal(fixture_statistics(f).suspended, 0);
    close(fd);
    close(other);
}

static void test_an_inline_request_may_have_to_wait_too(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\nCOLD\r\nECHO 'a b'\r\n");
    client_expect(f, fd, "+PONG\r\n");
    client_expect_silence(f, fd);
    fixture_warm(f);
    client_expect(f, fd, "+COLD\r\n$3\r\na b\r\n");
    close(fd);
}

static void test_a_client_may_go_while_its_request_waits_to_run(void **state)
{
    struct fixture *f = *state;
    int gone = client_connect(f), ended = client_connect(f), killed = client_connect(f), killer = client_connect(f);
    client_say(f, gone, ARRAY1("COLD"));
    client_say(f, ended, ARRAY1("COLD"));
    client_say(f, killed, ARRAY1("COLD"));
    fixture_run(f);
    assert_int_equal(f->cold_count, 3);
    shutdown(ended, SHUT_WR);
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(gone, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(gone);
    char kill[64];
    snprintf(kill, sizeof kill, "KILL %llu\r\n", (unsigned long long)f->cold_clients[2]);
    client_say(f, killer, kill);
    client_expect(f, killer, "+OK\r\n");
    client_expect_end(f, killed);
    while (f->cold_count) fixture_warm(f);
    client_expect(f, ended, "+COLD\r\n"); /* what it sent is still answered */
    client_expect_end(f, ended);
    assert_int_equal(f->commands, 2);
    assert_int_equal(fixture_statistics(f).suspended, 0);
    close(ended);
    close(killed);
    close(killer);
}

static void test_a_closing_server_does_not_wait_for_a_request_that_waits(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, ARRAY1("PING") ARRAY1("COLD"));
    client_expect(f, fd, "+PONG\r\n");
    net_server_close(f->server);
    f->server = NULL;
    client_expect_end(f, fd);
    assert_int_equal(f->commands, 1);
    close(fd);
}

static void test_a_late_answer_may_be_gated(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\nWAIT\r\nECHO a\r\n");
    client_expect(f, fd, "+PONG\r\n");
    struct net_client *c = net_server_find(f->server, f->waiting_client);
    buffer_append_text(net_client_reply(c), "+done\r\n");
    net_client_gate(c, 3);
    net_client_resume(c);
    client_expect_silence(f, fd);
    net_server_release(f->server, 3);
    client_expect(f, fd, "+done\r\n$1\r\na\r\n");
    close(fd);
}

static void test_a_suspended_client_that_goes_away_is_closed(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "WAIT argument\r\nPING\r\n");
    fixture_run(f);
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    fixture_run(f);
    assert_int_equal(f->closed, 1);
    assert_null(net_server_find(f->server, f->waiting_client));
    assert_int_equal(fixture_statistics(f).suspended, 0);
}

static void test_clients_that_wait_do_not_keep_the_loop_busy(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "GATE 5\r\nWAIT\r\nPING\r\n");
    fixture_run(f);
    assert_true(uv_backend_timeout(&f->loop) != 0);
    close(fd);
}

static void test_nothing_is_read_or_run_while_paused(void **state)
{
    struct fixture *f = *state;
    int a = client_connect(f), b = client_connect(f), quiet = client_connect(f);
    client_say(f, a, "PAUSE\r\nECHO a\r\n");
    client_expect(f, a, "+OK\r\n");
    client_say(f, b, "ECHO b\r\n");
    client_expect_silence(f, a);
    client_expect_silence(f, b);
    assert_int_equal(f->commands, 1);
    assert_true(uv_backend_timeout(&f->loop) != 0);
    net_server_pause_reading(f->server, false);
    client_expect(f, a, "$1\r\na\r\n");
    client_expect(f, b, "$1\r\nb\r\n");
    client_say(f, quiet, "PING\r\n");
    client_expect(f, quiet, "+PONG\r\n");
    close(a);
    close(b);
    close(quiet);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int server_wait_tests(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_suspended_client_runs_nothing_until_resumed),
        TEST(test_arguments_of_a_suspended_request_stay),
        TEST(test_arguments_that_came_in_pieces_stay),
        TEST(test_a_suspended_client_is_read_from_only_so_far),
        TEST(test_a_request_that_may_not_run_yet_keeps_what_follows),
        TEST(test_an_inline_request_may_have_to_wait_too),
        TEST(test_a_client_may_go_while_its_request_waits_to_run),
        TEST(test_a_closing_server_does_not_wait_for_a_request_that_waits),
        TEST(test_a_late_answer_may_be_gated),
        TEST(test_a_suspended_client_that_goes_away_is_closed),
        TEST(test_clients_that_wait_do_not_keep_the_loop_busy),
        TEST(test_nothing_is_read_or_run_while_paused),
    };
    return cmocka_run_group_tests_name("server_waiting", tests, NULL, NULL);
}
