/* Replies: gates, and bytes out.
 *
 * The handler appends to `reply`. When the turn ends, what may leave is given to the kernel in one call; what the
 * kernel does not take goes, memory and all, to a uv_write, and new replies begin in a new buffer. */
#include "net/server_state.h"

#include <assert.h>
#include <stdlib.h>

#define REPLY_KEPT ((size_t)16 << 10) /* a drained reply buffer larger than this is freed */

size_t net_client_waiting(const struct net_client *c)
{
    return c->reply.len - c->sent + (c->write ? c->write->to - c->write->from : 0);
}

static const struct net_output_limit *limit_of(const struct net_client *c)
{
    return c->subscriber ? &c->server->limits.subscriber : &c->server->limits.normal;
}

bool net_client_overflowed(const struct net_client *c)
{
    size_t hard = limit_of(c)->hard;
    return c->reply.failed || (hard && net_client_waiting(c) > hard);
}

bool net_client_lags(struct net_client *c)
{
    const struct net_output_limit *limit = limit_of(c);
    bool over = limit->soft && net_client_waiting(c) > limit->soft;
    uint64_t now_ms = net_server_now_ms(c->server);
    if (!over || !c->over_soft_since_ms) c->over_soft_since_ms = over ? now_ms : 0;
    return over && now_ms - c->over_soft_since_ms > limit->soft_ms;
}

/* The buffer may also hold what has left already, which is at most what waits (see drop_sent), and a command begins
 * only while that is within output_pause. What a subscriber is sent comes at any time: half of it is sure to fit. */
void net_client_set_output_max(struct net_client *c)
{
    size_t hard = limit_of(c)->hard, pause = c->server->limits.output_pause;
    c->reply.max = hard && hard < SIZE_MAX - pause ? hard + pause : SIZE_MAX;
}

void net_client_complain_of_output(struct net_client *c)
{
    net_server_complain(c->server, LOG_WARN, c->address, "it does not read its replies, or one is too large");
}

void net_client_mark_dirty(struct net_client *c)
{
    if (c->is_dirty || c->destroyed) return;
    c->is_dirty = true;
    TAILQ_INSERT_TAIL(&c->server->dirty, c, in_dirty);
}

struct buffer *net_client_reply(struct net_client *c)
{
    net_client_mark_dirty(c);
    return &c->reply;
}

/* ---- gates ---- */

/* Room for one more at the end. The gates that have opened leave theirs to the others first. */
static bool make_gate_room(struct net_client *c)
{
    if (c->gate_end < c->gate_cap) return true;
    size_t count = c->gate_end - c->gate_first;
    if (c->gate_first > c->gate_cap / 2) {
        memmove(c->gates, c->gates + c->gate_first, count * sizeof *c->gates);
    } else {
        size_t cap = c->gate_cap ? c->gate_cap * 2 : 8;
        struct client_gate *gates = malloc(cap * sizeof *gates);
        if (!gates) return false;
        if (count > 0) memcpy(gates, c->gates + c->gate_first, count * sizeof *gates);
        free(c->gates);
        c->gates = gates;
        c->gate_cap = cap;
    }
    c->gate_first = 0;
    c->gate_end = count;
    return true;
}

/* Where the bytes begin that a gate set now is to hold: no earlier than the first that has not left. */
static uint64_t gate_place(const struct net_client *c)
{
    uint64_t at = !c->in_handler && c->turn == c->server->turn ? c->turn_at : c->command_at;
    uint64_t next_to_leave = c->base + c->sent;
    return at > next_to_leave ? at : next_to_leave;
}

void net_client_gate(struct net_client *c, uint64_t sequence)
{
    struct net_server *s = c->server;
    if (sequence <= s->released || c->destroyed) return;
    if (s->gates_void) {
        net_client_destroy(c);
        return;
    }
    uint64_t at = gate_place(c);
    if (c->is_gated && c->gates[c->gate_end - 1].sequence > sequence) sequence = c->gates[c->gate_end - 1].sequence;
    while (c->gate_first < c->gate_end && c->gates[c->gate_end - 1].at >= at)
        c->gate_end--; /* held by the new one, for longer */
    if (c->gate_first < c->gate_end && c->gates[c->gate_end - 1].sequence == sequence) return;
    if (!make_gate_room(c)) {
        net_client_destroy(c); /* rather than a reply that leaves too early */
        return;
    }
    c->gates[c->gate_end++] = (struct client_gate){.at = at, .sequence = sequence};
    if (c->is_gated) return;
    c->is_gated = true;
    TAILQ_INSERT_TAIL(&s->gated, c, in_gated);
}

void net_client_open_gates(struct net_client *c)
{
    while (c->gate_first < c->gate_end && c->gates[c->gate_first].sequence <= c->server->released) {
        c->gate_first++;
        net_client_mark_dirty(c);
    }
    if (c->gate_first < c->gate_end) return;
    TAILQ_REMOVE(&c->server->gated, c, in_gated);
    c->is_gated = false;
    c->gate_first = c->gate_end = 0;
}

/* The end in `reply` of what may leave now. */
static size_t releasable(const struct net_client *c)
{
    if (c->gate_first == c->gate_end) return c->reply.len;
    uint64_t at = c->gates[c->gate_first].at;
    assert(at >= c->base + c->sent && at <= net_client_reply_end(c));
    return (size_t)(at - c->base);
}

/* ---- writing ---- */

/* What has left is dropped when it is as much as what waits, so that each byte is moved once at most, all told. */
static void drop_sent(struct net_client *c)
{
    struct buffer *b = &c->reply;
    if (c->sent == 0 || c->sent < b->len - c->sent) return;
    c->base += c->sent;
    if (c->sent == b->len && b->cap > REPLY_KEPT)
        buffer_release(b);
    else
        buffer_consume(b, c->sent);
    c->sent = 0;
}

static void on_written(uv_write_t *request, int status)
{
    struct client_write *w = (struct client_write *)request;
    struct net_client *c = w->client;
    c->write = NULL;
    if (status == 0) c->server->statistics.bytes_out += w->to - w->from;
    free(w->data);
    free(w);
    net_client_count(c);
    if (c->destroyed) return;
    if (status == 0)
        net_client_mark_dirty(c); /* not flushed at once: this turn's gates may not be set yet */
    else
        net_client_destroy(c);
}

/* Leaves data[sent..to) to the loop. False: the connection is of no use any more. */
static bool write_later(struct net_client *c, size_t to)
{
    struct client_write *w = malloc(sizeof *w);
    if (!w) return false;
    struct buffer old = c->reply;
    *w = (struct client_write){.client = c, .data = old.data, .from = c->sent, .to = to, .cap = old.cap};
    c->write = w;
    buffer_init(&c->reply, old.max);
    c->base += to;
    c->sent = 0;
    bool kept = buffer_append(&c->reply, old.data + to, old.len - to);
    uv_buf_t buf = {.base = (char *)w->data + w->from, .len = w->to - w->from};
    if (uv_write(&w->request, (uv_stream_t *)&c->tcp, &buf, 1, on_written) == 0) return kept;
    c->write = NULL;
    free(w->data);
    free(w);
    return false;
}

/* Gives the kernel what it takes, the loop the rest. */
static bool write_releasable(struct net_client *c)
{
    size_t to = releasable(c);
    if (c->write || to == c->sent) return true;
    uv_buf_t buf = {.base = (char *)c->reply.data + c->sent, .len = to - c->sent};
    int written = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
    if (written < 0 && written != UV_EAGAIN) return false;
    if (written > 0) {
        c->sent += (size_t)written;
        c->server->statistics.bytes_out += (uint64_t)written;
    }
    if (c->sent < to && !write_later(c, to)) return false;
    drop_sent(c);
    return true;
}

/* A finishing client has all it is to get: every reply, or, when the server closes, those released. */
static bool is_finished(const struct net_client *c)
{
    if (!c->finishing || c->write) return false;
    return c->sent == (c->server->closing ? releasable(c) : c->reply.len);
}

void net_client_flush(struct net_client *c)
{
    bool overflowed = net_client_overflowed(c);
    if (overflowed) net_client_complain_of_output(c);
    if (overflowed || !write_releasable(c) || is_finished(c)) {
        net_client_destroy(c);
        return;
    }
    net_client_count(c);
    net_client_wake(c);
}
