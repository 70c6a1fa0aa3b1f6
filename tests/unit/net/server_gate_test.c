/* Gates: what was promised to wait does, and the rest in order. */
#include "server_fixture.h"

#include "base/buffer.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void test_a_gate_holds_its_reply_and_all_that_follow(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "ECHO a\r\nGATE 7\r\nECHO b\r\n");
    client_expect(f, fd, "$1\r\na\r\n");
    client_expect_silence(f, fd);
    client_say(f, fd, "ECHO c\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 6);
    client_expect_silence(f, fd);
    net_server_release(f->server, 7);
    client_expect(f, fd, ":7\r\n$1\r\nb\r\n$1\r\nc\r\n");
    close(fd);
}

static void test_gates_open_one_by_one(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "GATE 1\r\nECHO a\r\nGATE 2\r\nGATE 3\r\nGATE 9\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 1);
    client_expect(f, fd, ":1\r\n$1\r\na\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 4);
    client_expect(f, fd, ":2\r\n:3\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 9);
    client_expect(f, fd, ":9\r\n");
    close(fd);
}

static void test_void_gates_close_who_waits_and_who_would(void **state)
{
    struct fixture *f = *state;
    int waiting = client_connect(f), idle = client_connect(f);
    client_say(f, waiting, "ECHO a\r\nGATE 7\r\n");
    client_expect(f, waiting, "$1\r\na\r\n");
    net_server_void_gates(f->server);
    client_expect_end(f, waiting);
    client_say(f, idle, "GATE 0\r\nECHO b\r\n");
    client_expect(f, idle, ":0\r\n$1\r\nb\r\n");
    client_say(f, idle, "GATE 8\r\n");
    client_expect_end(f, idle);
    close(waiting);
    close(idle);
}

static void test_a_gate_that_has_opened_holds_nothing(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    net_server_release(f->server, 10);
    client_say(f, fd, "GATE 10\r\nGATE 0\r\n");
    client_expect(f, fd, ":10\r\n:0\r\n");
    close(fd);
}

static void test_a_lower_gate_after_a_higher_waits_behind_it(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "GATE 8\r\nGATE 3\r\n");
    net_server_release(f->server, 7);
    client_expect_silence(f, fd);
    net_server_release(f->server, 8);
    client_expect(f, fd, ":8\r\n:3\r\n");
    close(fd);
}

static void test_a_gate_set_at_the_end_of_the_turn_is_honoured(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "ECHO a\r\nLATE 4\r\nECHO b\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 4);
    client_expect(f, fd, "$1\r\na\r\n:4\r\n$1\r\nb\r\n");
    close(fd);
}

static void test_gates_may_be_released_amid_a_turn(void **state)
{
    struct fixture *f = *state;
    int a = client_connect(f), b = client_connect(f);
    client_say(f, a, "GATE 1\r\nGATE 2\r\n");
    client_expect_silence(f, a);
    client_say(f, b, "RELEASE 1\r\nGATE 2\r\nRELEASE 2\r\n");
    client_expect(f, a, ":1\r\n:2\r\n");
    client_expect(f, b, "+OK\r\n:2\r\n+OK\r\n");
    close(a);
    close(b);
}

static void test_an_error_waits_behind_the_gates_before_it(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "GATE 2\r\n*x\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 2);
    client_expect(f, fd, ":2\r\n-ERR Protocol error: invalid multibulk length\r\n");
    client_expect_end(f, fd);
}

static void test_quit_waits_behind_the_gates_before_it(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "GATE 2\r\nQUIT\r\nPING\r\n");
    client_expect_silence(f, fd);
    net_server_release(f->server, 2);
    client_expect(f, fd, ":2\r\n+OK\r\n");
    client_expect_end(f, fd);
}

static void test_a_gate_within_what_the_kernel_does_not_take_holds(void **state)
{
    struct fixture *f = *state;
    int fd = client_connect(f);
    client_say(f, fd, "BIG 9000000\r\n");
    fixture_run(f); /* most of it waits for the reader now */
    client_say(f, fd, "ECHO a\r\n");
    struct buffer big;
    buffer_init(&big, 1 << 24);
    buffer_append_text(&big, "$9000000\r\n");
    memset(buffer_reserve(&big, 9000000), 'x', 9000000);
    big.len += 9000000;
    buffer_append_text(&big, "\r\n$1\r\na\r\n");
    client_expect_bytes(f, fd, big.data, big.len);
    client_say(f, fd, "BIG 9000000\r\n");
    client_say(f, fd, "GATE 5\r\nECHO a\r\n");
    big.len -= strlen("$1\r\na\r\n");
    client_expect_bytes(f, fd, big.data, big.len);
    client_expect_silence(f, fd);
    net_server_release(f->server, 5);
    client_expect(f, fd, ":5\r\n$1\r\na\r\n");
    buffer_release(&big);
    close(fd);
}

/* One client's replies, each with the gate it was given (0: none), and how far they may have been read. */
struct expected {
    struct buffer bytes;
    uint64_t gate[400];
    size_t end[400], count;
};

/* Replies that may have left once `released`: up to the first whose gate, or one before it, is higher. */
static size_t allowed(const struct expected *x, uint64_t released)
{
    size_t n = 0;
    while (n < x->count && x->gate[n] <= released) n++;
    return n ? x->end[n - 1] : 0;
}

static void test_random_gates_let_through_just_what_they_may(void **state)
{
    struct fixture *f = *state;
    const char *given = getenv("AIKV_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : 4711;
    printf("AIKV_SEED=%llu\n", (unsigned long long)seed);
    int fd = client_connect(f);
    struct expected x = {.count = 0};
    buffer_init(&x.bytes, 1 << 20);
    uint64_t next = 0, released = 0;
    size_t read = 0;
    while (x.count < 400) {
        struct buffer requests;
        buffer_init(&requests, 65536);
        for (uint64_t n = random_below(&seed, 9); n > 0 && x.count < 400; n--) {
            uint64_t gate = random_below(&seed, 2) ? ++next : 0;
            buffer_printf(&requests, gate ? "GATE %llu\r\n" : "ECHO %llu\r\n", (unsigned long long)gate);
            if (gate)
                buffer_printf(&x.bytes, ":%llu\r\n", (unsigned long long)gate);
            else
                buffer_append_text(&x.bytes, "$1\r\n0\r\n");
            x.gate[x.count] = gate;
            x.end[x.count++] = x.bytes.len;
        }
        client_send(f, fd, requests.data, requests.len);
        buffer_release(&requests);
        released += random_below(&seed, next - released + 1);
        net_server_release(f->server, released);
        size_t until = allowed(&x, released);
        client_expect_bytes(f, fd, x.bytes.data + read, until - read);
        client_expect_silence(f, fd);
        read = until;
    }
    buffer_release(&x.bytes);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int server_gate_tests(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_gate_holds_its_reply_and_all_that_follow),
        TEST(test_gates_open_one_by_one),
        TEST(test_void_gates_close_who_waits_and_who_would),
        TEST(test_a_gate_that_has_opened_holds_nothing),
        TEST(test_a_lower_gate_after_a_higher_waits_behind_it),
        TEST(test_a_gate_set_at_the_end_of_the_turn_is_honoured),
        TEST(test_gates_may_be_released_amid_a_turn),
        TEST(test_an_error_waits_behind_the_gates_before_it),
        TEST(test_quit_waits_behind_the_gates_before_it),
        TEST(test_a_gate_within_what_the_kernel_does_not_take_holds),
        TEST(test_random_gates_let_through_just_what_they_may),
    };
    return cmocka_run_group_tests_name("server_gates", tests, NULL, NULL);
}
