/* Requests: arrive in any pieces, run in order, in turns. */
#include "server_fixture.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_a_pipeline_in_one_write_is_answered_in_order(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    struct buffer requests, replies;
    buffer_init(&requests, 1 << 20);
    buffer_init(&replies, 1 << 20);
    for (int i = 10000; i < 20000; i++) {
        buffer_printf(&requests, "*2\r\n$4\r\nECHO\r\n$5\r\n%d\r\n", i);
        buffer_printf(&replies, "$5\r\n%d\r\n", i);
    }
    client_send(f, fd, requests.data, requests.len);
    client_expect_bytes(f, fd, replies.data, replies.len);
    assert_int_equal(fixture_statistics(f).commands, 10000);
    assert_int_equal(fixture_statistics(f).bytes_in, requests.len);
    assert_int_equal(fixture_statistics(f).bytes_out, replies.len);
    buffer_release(&requests);
    buffer_release(&replies);
    close(fd);
}

static void test_one_client_gets_only_so_much_of_a_turn(void **state)
{
    struct fixture *f = *state;
    int hog = client_connect(f), other = client_connect(f);
    struct buffer pings;
    buffer_init(&pings, 1 << 20);
    for (int i = 0; i < 5000; i++) buffer_append_text(&pings, "PING\r\n");
    assert_int_equal(send(hog, pings.data, pings.len, 0), pings.len);
    assert_int_equal(send(other, "ECHO a\r\n", 8, 0), 8);
    client_expect(f, other, "$1\r\na\r\n");
    for (int i = 0; i < 5000; i++) client_expect(f, hog, "+PONG\r\n");
    assert_true(f->commands_in_turn_max <= 1001);
    assert_true(f->turns >= 5);
    buffer_release(&pings);
    close(hog);
    close(other);
}

static void test_a_turn_ends_once_for_all_its_commands(void **state)
{
    struct fixture *f = *state;
    int a = client_connect(f), b = client_connect(f);
    assert_int_equal(send(a, "PING\r\nPING\r\n", 12, 0), 12);
    assert_int_equal(send(b, "PING\r\n", 6, 0), 6);
    fixture_run(f);
    assert_int_equal(f->commands, 3);
    assert_int_equal(f->turns, 1);
    close(a);
    close(b);
}

static void test_a_request_may_come_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    static const char request[] = "*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\nPING\r\n";
    for (size_t i = 0; i + 1 < sizeof request; i++) {
        assert_int_equal(send(fd, request + i, 1, 0), 1);
        fixture_run(f);
    }
    client_expect(f, fd, "$3\r\na\r\n\r\n+PONG\r\n");
    assert_int_equal(fixture_statistics(f).query_memory < 4096, 1);
    close(fd);
}

static void test_inline_requests_and_empty_ones(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "\r\n  \r\n*0\r\nping\necho \"a\\x41\"\r\n");
    client_expect(f, fd, "+PONG\r\n$2\r\naA\r\n");
    close(fd);
}

static void test_a_large_bulk_arrives_whole(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    size_t len = 5000000;
    struct buffer request;
    buffer_init(&request, 1 << 24);
    buffer_printf(&request, "PING\r\n*2\r\n$4\r\nECHO\r\n$%zu\r\n", len);
    size_t head = request.len;
    for (size_t i = 0; i < len; i += 8) buffer_printf(&request, "%08zu", i);
    buffer_append_text(&request, "\r\nPING\r\n");
    client_send(f, fd, request.data, request.len);
    client_expect(f, fd, "+PONG\r\n$5000000\r\n");
    client_expect_bytes(f, fd, request.data + head, len);
    client_expect(f, fd, "\r\n+PONG\r\n");
    fixture_run(f);
    assert_true(fixture_statistics(f).query_memory < 4096);
    buffer_release(&request);
    close(fd);
}

static void test_a_declared_length_costs_nothing(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "*1000000\r\n$536870912\r\nabc");
    fixture_run(f);
    assert_true(fixture_statistics(f).query_memory < 64 << 10);
    close(fd);
}

static void test_rubbish_gets_an_error_and_is_closed(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\n*1\r\n$x\r\n");
    client_expect(f, fd, "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
    client_expect_end(f, fd);
    assert_int_equal(f->rejections, 1);
}

static void test_a_peer_that_stops_sending_gets_all_its_replies(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    for (int i = 0; i < 3000; i++) assert_int_equal(send(fd, "PING\r\n", 6, 0), 6);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 3000; i++) client_expect(f, fd, "+PONG\r\n");
    client_expect_end(f, fd);
}

static void test_a_peer_that_stops_amid_a_request_is_closed(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "PING\r\n*1\r\n$4\r\nPI");
    shutdown(fd, SHUT_WR);
    client_expect(f, fd, "+PONG\r\n");
    client_expect_end(f, fd);
    assert_int_equal(f->closed, 1);
}

static void test_a_peer_that_stops_waits_for_gates_and_answers(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "GATE 5\r\nWAIT\r\nECHO b\r\n");
    shutdown(fd, SHUT_WR);
    client_expect_silence(f, fd);
    fixture_answer(f, "+done\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 5);
    client_expect(f, fd, ":5\r\n+done\r\n$1\r\nb\r\n");
    client_expect_end(f, fd);
}

static void test_before_authentication_requests_are_small(void **state)
{
    struct fixture *f = *state;
    f->leave_unauthenticated = true;
    int fd = client_connect(f), refused = client_connect(f);
    client_say(f, fd, "AUTH\r\n*11\r\n");
    for (int i = 0; i < 11; i++) client_say(f, fd, "$4\r\nPING\r\n");
    client_expect(f, fd, "+OK\r\n+PONG\r\n");
    client_say(f, refused, "*11\r\n");
    client_expect(f, refused, "-ERR Protocol error: unauthenticated multibulk length\r\n");
    client_expect_end(f, refused);
    close(fd);
}

#define PING     "*1\r\n$4\r\nPING\r\n"
#define PING_OF_11 "*11\r\n$4\r\nPING\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n"

static void test_authentication_counts_for_what_follows_in_the_pipeline(void **state)
{
    struct fixture *f = *state;
    f->leave_unauthenticated = true;
    int fd = client_connect(f);
    client_say(f, fd, PING "*1\r\n$4\r\nAUTH\r\n" PING_OF_11 PING);
    client_expect(f, fd, "+PONG\r\n+OK\r\n+PONG\r\n+PONG\r\n");
    client_say(f, fd, PING_OF_11 "*1\r\n$6\r\nFORGET\r\n" PING PING_OF_11 PING);
    client_expect(f, fd, "+PONG\r\n+OK\r\n+PONG\r\n-ERR Protocol error: unauthenticated multibulk length\r\n");
    client_expect_end(f, fd);
    close(fd);
}

static void test_good_requests_before_a_bad_one_are_answered(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, PING PING "*1\r\n$4\r\nPINGPING\r\n" PING);
    client_expect(f, fd, "+PONG\r\n+PONG\r\n-ERR Protocol error: expected CRLF after bulk\r\n");
    client_expect_end(f, fd);
    close(fd);
}

static void test_what_follows_the_last_request_is_not_run(void **state)
{
    struct fixture *f = *state;
    int quits = client_connect(f), vanishes = client_connect(f);
    client_say(f, quits, PING "*1\r\n$4\r\nQUIT\r\n" PING);
    client_expect(f, quits, "+PONG\r\n+OK\r\n");
    client_expect_end(f, quits);
    client_say(f, vanishes, PING "*1\r\n$6\r\nVANISH\r\n" PING);
    fixture_run(f);
    assert_int_equal(f->commands, 4);
    close(quits);
    close(vanishes);
}

static void test_a_pipeline_is_announced_before_it_runs(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, PING PING PING PING "*1\r\n$4\r\nPI");
    client_expect(f, fd, "+PONG\r\n+PONG\r\n+PONG\r\n+PONG\r\n");
    assert_int_equal(f->asked, 1);
    assert_int_equal(f->announced, 4);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int server_request_tests(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_pipeline_in_one_write_is_answered_in_order),
        TEST(test_one_client_gets_only_so_much_of_a_turn),
        TEST(test_a_turn_ends_once_for_all_its_commands),
        TEST(test_a_request_may_come_byte_by_byte),
        TEST(test_inline_requests_and_empty_ones),
        TEST(test_a_large_bulk_arrives_whole),
        TEST(test_a_declared_length_costs_nothing),
        TEST(test_rubbish_gets_an_error_and_is_closed),
        TEST(test_a_peer_that_stops_sending_gets_all_its_replies),
        TEST(test_a_peer_that_stops_amid_a_request_is_closed),
        TEST(test_a_peer_that_stops_waits_for_gates_and_answers),
        TEST(test_before_authentication_requests_are_small),
        TEST(test_authentication_counts_for_what_follows_in_the_pipeline),
        TEST(test_good_requests_before_a_bad_one_are_answered),
        TEST(test_what_follows_the_last_request_is_not_run),
        TEST(test_a_pipeline_is_announced_before_it_runs),
    };
    return cmocka_run_group_tests_name("server_requests", tests, NULL, NULL);
}
