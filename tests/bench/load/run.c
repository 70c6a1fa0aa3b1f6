#include "run.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "reply.h"

struct client {
    int fd;
    bool waits_to_write;
    struct load_reply reply;
    char *out;
    size_t out_len, out_sent;
    uint32_t sent, answered; /* requests of the present pipeline */
    uint64_t *due_ns;        /* when each of them was due */
};

struct run {
    struct load_plan *plan;
    struct load_result *result;
    struct client *clients;
    struct client **idle; /* a stack */
    uint32_t idle_count;
    int epoll;
    uint32_t weights;
    uint64_t began_ns, last_ns, issued;
    bool failed;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void fail(struct run *r, const char *what, int error)
{
    if (r->failed) return;
    r->failed = true;
    snprintf(r->result->error, sizeof r->result->error, "%s%s%s", what, error ? ": " : "",
             error ? strerror(error) : "");
}

/* ---- sending ---- */

static bool is_over(const struct run *r, uint64_t now)
{
    const struct load_plan *p = r->plan;
    if (p->requests && r->issued >= p->requests) return true;
    return p->seconds > 0 && (double)(now - r->began_ns) >= p->seconds * 1e9;
}

static uint64_t due_at(const struct run *r, uint64_t request)
{
    return r->began_ns + (uint64_t)((double)request / r->plan->rate * 1e9);
}

static const struct load_request *choose(struct run *r)
{
    const struct load_request *kind = r->plan->kinds;
    if (r->plan->kind_count == 1) return kind;
    uint32_t at = (uint32_t)((load_pick_bits(&r->plan->pick) >> 32) * r->weights >> 32);
    while (at >= kind->weight) at -= kind++->weight;
    return kind;
}

static void flush(struct run *r, struct client *c)
{
    while (c->out_sent < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) {
            fail(r, "sending", errno);
            return;
        }
        if (n < 0) break;
        c->out_sent += (size_t)n;
    }
    bool waits = c->out_sent < c->out_len;
    if (waits == c->waits_to_write) return;
    c->waits_to_write = waits;
    struct epoll_event e = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* The client's next pipeline, if there is something to send. Returns false if it stays idle. */
static bool send_next(struct run *r, struct client *c, uint64_t now)
{
    const struct load_plan *p = r->plan;
    c->sent = c->answered = 0;
    c->out_len = c->out_sent = 0;
    while (c->sent < p->pipeline && !is_over(r, now)) {
        uint64_t due = p->rate > 0 ? due_at(r, r->issued) : now;
        if (due > now) break;
        const struct load_request *kind = choose(r);
        c->out_len += load_request_write(kind, &r->plan->pick, c->out + c->out_len);
        c->due_ns[c->sent++] = due;
        r->issued++;
    }
    if (!c->sent) return false;
    flush(r, c);
    return true;
}

static void send_due(struct run *r, uint64_t now)
{
    while (r->idle_count && send_next(r, r->idle[r->idle_count - 1], now)) r->idle_count--;
}

/* ---- receiving ---- */

static void take(struct run *r, struct client *c, const char *bytes, size_t len, uint64_t now)
{
    for (size_t at = 0; at < len;) {
        bool is_whole;
        at += load_reply_read(&c->reply, bytes + at, len - at, &is_whole);
        if (c->reply.is_bad || (is_whole && c->answered == c->sent)) {
            fail(r, c->reply.is_bad ? "a reply is not RESP2" : "more replies than requests", 0);
            return;
        }
        if (!is_whole) continue;
        load_histogram_add(&r->result->latency, now - c->due_ns[c->answered++]);
    }
}

static void receive(struct run *r, struct client *c)
{
    static char bytes[256 << 10];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        fail(r, n ? "receiving" : "the server closed the connection", n ? errno : 0);
        return;
    }
    uint64_t now = now_ns();
    take(r, c, bytes, (size_t)n, now);
    if (c->answered < c->sent || !c->sent || r->failed) return;
    r->last_ns = now;
    if (!send_next(r, c, now)) r->idle[r->idle_count++] = c;
}

/* ---- all of it ---- */

static bool connect_client(struct run *r, struct client *c, size_t request_max)
{
    c->out = malloc(r->plan->pipeline * request_max);
    c->due_ns = malloc(r->plan->pipeline * sizeof *c->due_ns);
    if (!c->out || !c->due_ns) {
        fail(r, "no memory for the clients", 0);
        return false;
    }
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(r->plan->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fail(r, "connecting", errno);
        return false;
    }
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (ioctl(c->fd, FIONBIO, &on) != 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0) {
        fail(r, "epoll", errno);
        return false;
    }
    r->idle[r->idle_count++] = c;
    return true;
}

static bool open_all(struct run *r)
{
    const struct load_plan *p = r->plan;
    size_t request_max = 0;
    for (uint32_t i = 0; i < p->kind_count; i++) {
        r->weights += p->kinds[i].weight;
        if (p->kinds[i].len > request_max) request_max = p->kinds[i].len;
    }
    r->clients = calloc(p->clients, sizeof *r->clients);
    r->idle = calloc(p->clients, sizeof *r->idle);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!r->clients || !r->idle || r->epoll < 0) {
        fail(r, "no memory for the clients", 0);
        return false;
    }
    for (uint32_t i = 0; i < p->clients; i++) r->clients[i].fd = -1;
    for (uint32_t i = 0; i < p->clients; i++)
        if (!connect_client(r, &r->clients[i], request_max)) return false;
    return true;
}

/* Until a socket is ready or the next request is due; without either for LOAD_PATIENCE_S the run has failed. */
static void wait_and_serve(struct run *r)
{
    struct epoll_event events[256];
    struct timespec patience = {.tv_sec = LOAD_PATIENCE_S};
    uint64_t now = now_ns();
    bool is_waiting_for_time = r->plan->rate > 0 && r->idle_count && !is_over(r, now);
    if (is_waiting_for_time) {
        uint64_t due = due_at(r, r->issued), wait = due > now ? due - now : 0;
        patience = (struct timespec){.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
    }
    int n = epoll_pwait2(r->epoll, events, 256, &patience, NULL);
    if (n < 0 && errno != EINTR) fail(r, "epoll", errno);
    if (n == 0 && !is_waiting_for_time) fail(r, "the server does not reply", 0);
    for (int i = 0; i < n && !r->failed; i++) {
        struct client *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) flush(r, c);
        if (events[i].events & ~(uint32_t)EPOLLOUT) receive(r, c);
    }
    send_due(r, now_ns());
}

static void close_all(struct run *r)
{
    for (uint32_t i = 0; r->clients && i < r->plan->clients; i++) {
        struct client *c = &r->clients[i];
        if (!r->failed && c->reply.errors && !r->result->errors)
            memcpy(r->result->error, c->reply.error, sizeof c->reply.error);
        r->result->errors += c->reply.errors;
        r->result->nulls += c->reply.nulls;
        if (c->fd >= 0) close(c->fd);
        free(c->out);
        free(c->due_ns);
    }
    free(r->clients);
    free(r->idle);
    if (r->epoll >= 0) close(r->epoll);
}

bool load_run(struct load_plan *plan, struct load_result *result)
{
    struct run r = {.plan = plan, .result = result, .epoll = -1};
    memset(result, 0, sizeof *result);
    if (open_all(&r)) {
        r.began_ns = r.last_ns = now_ns();
        send_due(&r, r.began_ns);
        while (!r.failed && !(r.idle_count == plan->clients && is_over(&r, now_ns()))) wait_and_serve(&r);
        result->seconds = (double)(r.last_ns - r.began_ns) / 1e9;
    }
    result->replies = result->latency.count;
    close_all(&r);
    return !r.failed;
}
