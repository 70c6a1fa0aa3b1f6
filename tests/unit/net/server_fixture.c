#include "server_fixture.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "resp/write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 5000

/* ---- the commands ---- */

static uint64_t number(const struct resp_request *request)
{
    uint64_t n = 0;
    assert_int_equal(request->argc, 2);
    assert_true(number_parse_unsigned(request->argv[1], &n));
    return n;
}

static void reply_big(struct resp_writer *w, size_t len)
{
    char *text = malloc(len + 1);
    memset(text, 'x', len);
    resp_bulk(w, bytes_of(text, len));
    free(text);
}

struct session {
    bool warm; /* its next COLD may run */
};

static size_t on_ahead(void *user, struct net_client *c, const struct resp_request *requests, size_t count)
{
    struct fixture *f = user;
    struct session *session = net_client_session(c);
    f->asked++;
    f->announced += count;
    bool warm = session->warm;
    for (size_t i = 0; i < count; i++) {
        assert_true(requests[i].argc > 0);
        if (!bytes_is(requests[i].argv[0], "COLD")) continue;
        if (!warm && i == 0) {
            assert_true(f->cold_count < 64);
            f->cold_clients[f->cold_count++] = net_client_id(c);
            f->cold_in_turn++;
            net_client_suspend(c);
        }
        if (!warm) return i;
        warm = false;
    }
    return count;
}

void fixture_warm(struct fixture *f)
{
    assert_true(f->cold_count > 0);
    struct net_client *c = net_server_find(f->server, f->cold_clients[0]);
    f->cold_count--;
    memmove(f->cold_clients, f->cold_clients + 1, f->cold_count * sizeof *f->cold_clients);
    if (!c) return;
    ((struct session *)net_client_session(c))->warm = true;
    net_client_resume(c);
}

static void on_command(void *user, struct net_client *c, const struct resp_request *request)
{
    struct fixture *f = user;
    f->commands++;
    f->commands_in_turn++;
    struct resp_writer w = {.out = net_client_reply(c), .protocol = 2};
    struct bytes name = request->argv[0];
    if (bytes_is(name, "PING")) {
        resp_simple(&w, "PONG");
    } else if (bytes_is(name, "ECHO")) {
        resp_bulk(&w, request->argv[1]);
    } else if (bytes_is(name, "BIG")) {
        reply_big(&w, number(request));
    } else if (bytes_is(name, "GATE")) {
        resp_integer(&w, (int64_t)number(request));
        net_client_gate(c, number(request));
    } else if (bytes_is(name, "LATE")) {
        resp_integer(&w, (int64_t)number(request));
        f->late_client = net_client_id(c);
        f->late_gate = number(request);
    } else if (bytes_is(name, "WAIT")) {
        f->waiting_client = net_client_id(c);
        f->waiting = *request;
        if (f->waiting_count < 64) f->waiting_clients[f->waiting_count++] = f->waiting_client;
        net_client_suspend(c);
    } else if (bytes_is(name, "COLD")) {
        struct session *session = net_client_session(c);
        assert_true(session->warm);
        session->warm = false;
        resp_simple(&w, "COLD");
    } else if (bytes_is(name, "SHUTDOWN")) {
        resp_simple(&w, "OK");
        net_server_close(f->server);
        f->server = NULL;
    } else {
        bool known = true;
        size_t at = w.out->len;
        resp_simple(&w, "OK");
        if (bytes_is(name, "AUTH"))
            net_client_set_authenticated(c, true);
        else if (bytes_is(name, "FORGET"))
            net_client_set_authenticated(c, false);
        else if (bytes_is(name, "RELEASE"))
            net_server_release(f->server, number(request));
        else if (bytes_is(name, "QUIT"))
            net_client_close_after_reply(c);
        else if (bytes_is(name, "VANISH"))
            net_client_close(c);
        else if (bytes_is(name, "KILL"))
            net_client_close(net_server_find(f->server, number(request)));
        else if (bytes_is(name, "PAUSE"))
            net_server_pause_reading(f->server, true);
        else
            known = false;
        if (!known) w.out->len = at;
        if (!known) resp_error(&w, ERROR_GENERIC, "unknown");
    }
}

static void *on_opened(void *user, struct net_client *c)
{
    struct fixture *f = user;
    f->opened++;
    if (!f->leave_unauthenticated) net_client_set_authenticated(c, true);
    return calloc(1, sizeof(struct session)); /* closed must free it */
}

static void on_closed(void *user, struct net_client *c, void *session)
{
    struct fixture *f = user;
    assert_true(net_client_id(c) > 0);
    f->closed++;
    free(session);
}

static void on_rejected(void *user, const char *why)
{
    struct fixture *f = user;
    assert_true(why[0] != 0);
    f->rejections++;
}

static void on_turn_end(void *user)
{
    struct fixture *f = user;
    f->turns++;
    assert_true(f->commands_in_turn > 0 || f->cold_in_turn > 0);
    f->cold_in_turn = 0;
    if (f->commands_in_turn > f->commands_in_turn_max) f->commands_in_turn_max = f->commands_in_turn;
    f->commands_in_turn = 0;
    if (f->late_client) net_client_gate(net_server_find(f->server, f->late_client), f->late_gate);
    f->late_client = 0;
}

/* ---- the server ---- */

int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    log_set_level(LOG_ERROR);
    uv_loop_init(&f->loop);
    struct net_handler handler = {.user = f,
                                  .opened = on_opened,
                                  .ahead = on_ahead,
                                  .command = on_command,
                                  .rejected = on_rejected,
                                  .turn_end = on_turn_end,
                                  .closed = on_closed};
    struct net_limits limits;
    net_limits_default(&limits);
    f->server = net_server_new(&f->loop, &handler, &limits);
    struct error e;
    assert_int_equal(net_server_listen(f->server, "127.0.0.1", 0, &f->port, &e), 0);
    assert_true(f->port != 0);
    *state = f;
    return 0;
}

int fixture_close(void **state)
{
    struct fixture *f = *state;
    if (f->server) net_server_close(f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(f->opened, f->closed);
    free(f);
    return 0;
}

void fixture_run(struct fixture *f)
{
    for (int i = 0; i < 10; i++) uv_run(&f->loop, UV_RUN_NOWAIT);
}

struct net_statistics fixture_statistics(struct fixture *f)
{
    struct net_statistics statistics;
    net_server_statistics(f->server, &statistics);
    return statistics;
}

void fixture_set_limits(struct fixture *f, void (*change)(struct net_limits *limits))
{
    struct net_limits limits = *net_server_limits(f->server);
    change(&limits);
    net_server_set_limits(f->server, &limits);
}

void fixture_answer(struct fixture *f, const char *reply)
{
    struct net_client *c = net_server_find(f->server, f->waiting_client);
    assert_non_null(c);
    buffer_append_text(net_client_reply(c), reply);
    net_client_resume(c);
}

/* ---- clients ---- */

int client_connect(struct fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(f->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    fixture_run(f);
    return fd;
}

void client_send(struct fixture *f, int fd, const void *data, size_t len)
{
    const char *p = data;
    for (uint64_t until = clock_monotonic_ms() + PATIENCE_MS; len > 0;) {
        assert_true(clock_monotonic_ms() < until);
        ssize_t n = send(fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
}

void client_say(struct fixture *f, int fd, const char *text)
{
    client_send(f, fd, text, strlen(text));
}

/* Bytes, or 0 at the end of the connection (however it ended). */
static size_t receive(struct fixture *f, int fd, void *out, size_t len)
{
    for (uint64_t until = clock_monotonic_ms() + PATIENCE_MS; clock_monotonic_ms() < until;) {
        ssize_t n = recv(fd, out, len, MSG_DONTWAIT);
        if (n >= 0) return (size_t)n;
        if (errno == ECONNRESET) return 0;
        assert_int_equal(errno, EAGAIN);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    fail_msg("nothing came within %d ms", PATIENCE_MS);
    return 0;
}

void client_expect_bytes(struct fixture *f, int fd, const void *data, size_t len)
{
    char *got = malloc(len + 1);
    size_t there = 0;
    while (there < len) {
        size_t n = receive(f, fd, got + there, len - there);
        if (n == 0) break;
        there += n;
    }
    got[there] = 0;
    if (len < 200 && (there != len || memcmp(got, data, len) != 0))
        print_error("got: %s\nnot: %s\n", got, (const char *)data);
    bool same = there == len && memcmp(got, data, len) == 0;
    free(got);
    assert_true(same);
}

void client_expect(struct fixture *f, int fd, const char *text)
{
    client_expect_bytes(f, fd, text, strlen(text));
}

void client_expect_silence(struct fixture *f, int fd)
{
    fixture_run(f);
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

void client_expect_end(struct fixture *f, int fd)
{
    char byte;
    assert_int_equal(receive(f, fd, &byte, 1), 0);
    close(fd);
}
