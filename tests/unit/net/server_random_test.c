/* Several clients at once, everything at random: pieces, gates, suspensions, pauses, slow readers, small limits. Each
 * must get exactly its replies, in order, and nothing before its gate. */
#include "server_fixture.h"

#include "base/buffer.h"
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 6
#define STEPS   4000

struct talker {
    int fd;
    struct buffer requests, replies; /* all so far */
    size_t sent, read;
    size_t gate_end[STEPS]; /* where in replies the first byte behind a gate is */
    uint64_t gate[STEPS];
    size_t gates, open;
};

struct scene {
    struct fixture *f;
    uint64_t seed;
    uint64_t last_gate, released;
    bool paused;
    struct talker talkers[CLIENTS];
};

static size_t chance(struct scene *s, uint64_t below)
{
    return (size_t)random_below(&s->seed, below);
}

static void say_gate(struct scene *s, struct talker *t)
{
    t->gate_end[t->gates] = t->replies.len;
    t->gate[t->gates++] = ++s->last_gate;
    buffer_printf(&t->requests, "*2\r\n$4\r\nGATE\r\n$20\r\n%020llu\r\n", (unsigned long long)s->last_gate);
    buffer_printf(&t->replies, ":%llu\r\n", (unsigned long long)s->last_gate);
}

static void say_big(struct scene *s, struct talker *t)
{
    size_t len = 1 + chance(s, 30000);
    buffer_printf(&t->requests, "BIG %zu\r\n", len);
    buffer_printf(&t->replies, "$%zu\r\n", len);
    memset(buffer_reserve(&t->replies, len), 'x', len);
    t->replies.len += len;
    buffer_append_text(&t->replies, "\r\n");
}

static void say_echo(struct scene *s, struct talker *t)
{
    size_t len = chance(s, 10) ? chance(s, 30) : chance(s, 200000);
    buffer_printf(&t->requests, "*2\r\n$4\r\nECHO\r\n$%zu\r\n", len);
    buffer_printf(&t->replies, "$%zu\r\n", len);
    for (size_t i = 0; i < len; i++) {
        char byte = (char)('a' + i % 26);
        buffer_append(&t->requests, &byte, 1);
        buffer_append(&t->replies, &byte, 1);
    }
    buffer_append_text(&t->requests, "\r\n");
    buffer_append_text(&t->replies, "\r\n");
}

static void say_something(struct scene *s, struct talker *t)
{
    switch (chance(s, 10)) {
    case 0:
    case 1: say_gate(s, t); break;
    case 2: say_big(s, t); break;
    case 3:
        buffer_append_text(&t->requests, chance(s, 2) ? "WAIT argument\r\n" : "*2\r\n$4\r\nWAIT\r\n$1\r\na\r\n");
        buffer_append_text(&t->replies, "+done\r\n");
        break;
    case 4:
        buffer_append_text(&t->requests, chance(s, 4) ? "*1\r\n$4\r\nCOLD\r\n" : "COLD\r\n");
        buffer_append_text(&t->replies, "+COLD\r\n");
        break;
    default: say_echo(s, t);
    }
}

static void send_some(struct scene *s, struct talker *t)
{
    size_t len = t->requests.len - t->sent;
    if (len == 0) return;
    if (chance(s, 2)) len = 1 + chance(s, len);
    ssize_t n = send(t->fd, t->requests.data + t->sent, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    assert_true(n > 0 || errno == EAGAIN);
    if (n > 0) t->sent += (size_t)n;
}

/* Reads a bit: it must be what comes next, and not lie behind a closed gate. */
static void read_some(struct scene *s, struct talker *t)
{
    static char got[70000];
    ssize_t n = recv(t->fd, got, 1 + chance(s, sizeof got), MSG_DONTWAIT);
    assert_true(n > 0 || (n < 0 && errno == EAGAIN));
    if (n < 0) return;
    assert_true(t->read + (size_t)n <= t->replies.len);
    assert_memory_equal(got, t->replies.data + t->read, (size_t)n);
    t->read += (size_t)n;
    while (t->open < t->gates && t->gate[t->open] <= s->released) t->open++;
    if (t->open < t->gates) assert_true(t->read <= t->gate_end[t->open]);
}

static void answer_one(struct scene *s)
{
    struct fixture *f = s->f;
    if (f->cold_count > 0 && chance(s, 2)) fixture_warm(f);
    if (f->waiting_count == 0) return;
    size_t i = chance(s, f->waiting_count);
    f->waiting_client = f->waiting_clients[i];
    f->waiting_clients[i] = f->waiting_clients[--f->waiting_count];
    fixture_answer(f, "+done\r\n");
}

static void release_some(struct scene *s, bool all)
{
    s->released = all ? s->last_gate : s->released + chance(s, s->last_gate - s->released + 1);
    net_server_release(s->f->server, s->released);
}

static void step(struct scene *s)
{
    struct talker *t = &s->talkers[chance(s, CLIENTS)];
    switch (chance(s, 12)) {
    case 0:
    case 1:
        if (t->requests.len - t->sent < 100000) say_something(s, t);
        break;
    case 2:
    case 3:
    case 4: send_some(s, t); break;
    case 5:
    case 6: read_some(s, t); break;
    case 7: answer_one(s); break;
    case 8: release_some(s, false); break;
    case 9:
        s->paused = chance(s, 4) == 0;
        net_server_pause_reading(s->f->server, s->paused);
        break;
    default: uv_run(&s->f->loop, UV_RUN_NOWAIT);
    }
}

static bool is_done(const struct scene *s)
{
    for (int i = 0; i < CLIENTS; i++)
        if (s->talkers[i].read < s->talkers[i].replies.len) return false;
    return true;
}

static void small_limits(struct net_limits *limits)
{
    limits->output_pause = 50000;
    limits->normal.hard = 1000000;
}

static void test_random_clients_get_their_replies_in_order(void **state)
{
    struct fixture *f = *state;
    const char *given = getenv("AIKV_SEED");
    static struct scene s;
    s = (struct scene){.f = f, .seed = given ? strtoull(given, NULL, 0) : 4711};
    printf("AIKV_SEED=%llu\n", (unsigned long long)s.seed);
    fixture_set_limits(f, small_limits);
    for (int i = 0; i < CLIENTS; i++) {
        struct talker *t = &s.talkers[i];
        t->fd = client_connect(f);
        int small = 128 << 10; /* more than the segments of loopback, or each waits for a timer */
        if (i % 2) setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        buffer_init(&t->requests, SIZE_MAX);
        buffer_init(&t->replies, SIZE_MAX);
    }
    for (int i = 0; i < STEPS; i++) step(&s);
    net_server_pause_reading(f->server, false);
    for (int rounds = 0; !is_done(&s) && rounds < 1000000; rounds++) {
        struct talker *t = &s.talkers[chance(&s, CLIENTS)];
        send_some(&s, t);
        read_some(&s, t);
        answer_one(&s);
        release_some(&s, true);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(is_done(&s));
    assert_int_equal(fixture_statistics(f).suspended, 0);
    for (int i = 0; i < CLIENTS; i++) {
        close(s.talkers[i].fd);
        buffer_release(&s.talkers[i].requests);
        buffer_release(&s.talkers[i].replies);
    }
}

int server_random_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_clients_get_their_replies_in_order, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests_name("server_random", tests, NULL, NULL);
}
