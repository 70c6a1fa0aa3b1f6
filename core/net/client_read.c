/* Bytes in, requests out to the handler.
 *
 * A client without an unfinished request owns no buffer: it reads into the server's, and its requests run from there.
 * Only what is left over is copied to a buffer of its own, which grows with what really arrives. */
#include "net/server_state.h"

#include "resp/write.h"

#include <stdlib.h>

/* What keeps a client's next request from running. */
enum hold {
    HOLD_NONE,
    HOLD_EVENT, /* until something happens: it is resumed, its output drains */
    HOLD_TURN,  /* until a later turn */
};

static enum hold held_by(const struct net_client *c)
{
    const struct net_server *s = c->server;
    if (c->suspended || net_client_waiting(c) > s->limits.output_pause) return HOLD_EVENT;
    if (s->paused) return HOLD_TURN;
    if (c->turn == s->turn && (c->turn_commands >= TURN_COMMANDS_MAX || c->turn_bytes >= TURN_BYTES_MAX))
        return HOLD_TURN;
    return HOLD_NONE;
}

/* ---- the query buffer ---- */

/* The buffer holds a client back from reading only if nothing is to be run from it: a long request must go on to
 * arrive. */
static bool has_room(const struct net_client *c)
{
    return !c->held_up || c->query.len - c->query.at < PENDING_MAX;
}

/* Room for the next read at the end of the query: by half of what is there, or, for a long bulk, no more than has
 * arrived of it already, and in the end exactly what it lacks. So a length that is only declared costs nothing, and a
 * byte is moved a bounded number of times. */
static bool make_room(struct net_client *c)
{
    struct client_query *q = &c->query;
    size_t wants = resp_parser_wants(&c->parser, q->len - q->at);
    size_t least = wants > 0 && wants < READ_SIZE / 4 ? wants : READ_SIZE / 4;
    if (q->cap - q->len >= least) return true;
    size_t grow = q->len / 2;
    if (wants > READ_SIZE) grow = wants < q->len ? wants : q->len;
    if (grow < READ_SIZE / 4) grow = READ_SIZE / 4;
    uint8_t *data = realloc(q->data, q->len + grow);
    if (!data) return false;
    q->data = data;
    q->cap = q->len + grow;
    return true;
}

/* Moves what has not run to a buffer of its own, and lets go of the one it was in: to `held` if argv still points
 * there. */
static bool leave_buffer(struct net_client *c, bool hold)
{
    struct client_query *q = &c->query;
    struct client_query rest = {.len = q->len - q->at, .cap = q->len - q->at};
    if (rest.len > 0) {
        rest.data = malloc(rest.len);
        if (!rest.data) return false;
        memcpy(rest.data, q->data + q->at, rest.len);
    }
    if (hold) {
        c->held = q->data;
        c->held_cap = q->cap;
        if (q->borrowed) c->server->read_buffer = NULL; /* given away; the next read makes another */
        c->held_group = c->server->group; /* likewise */
        c->server->group = NULL;
    } else if (!q->borrowed) {
        free(q->data);
    }
    *q = rest;
    return true;
}

void net_client_drop_held(struct net_client *c)
{
    free(c->held);
    free(c->held_group);
    c->held = NULL;
    c->held_group = NULL;
    c->held_cap = 0;
}

void net_client_drop_query(struct net_client *c)
{
    struct client_query *q = &c->query;
    if (c->in_handler) {
        q->at = q->len; /* argv of the command that runs points into it */
        return;
    }
    if (!q->borrowed) free(q->data);
    *q = (struct client_query){0};
}

/* After running: keeps only the bytes that wait. */
static bool settle_query(struct net_client *c)
{
    struct client_query *q = &c->query;
    if (q->at == q->len) {
        net_client_drop_query(c);
        return true;
    }
    if (q->borrowed) return leave_buffer(c, false);
    if (q->at > 0) {
        memmove(q->data, q->data + q->at, q->len - q->at);
        q->len -= q->at;
        q->at = 0;
    }
    return true;
}

/* ---- running ---- */

static void begin_turn(struct net_client *c)
{
    if (c->turn == c->server->turn) return;
    c->turn = c->server->turn;
    c->turn_commands = c->turn_bytes = 0;
    c->turn_at = net_client_reply_end(c);
}

static void refuse(struct net_client *c, const struct error *e)
{
    struct resp_writer w = {.out = &c->reply, .protocol = 2};
    resp_error_of(&w, e);
    net_server_complain(c->server, LOG_INFO, c->address, e->text);
    net_client_close_after_reply(c);
}

/* Hands one request to the handler. False: the client is gone, or must go. */
static bool run_command(struct net_client *c, const struct resp_request *request)
{
    struct net_server *s = c->server;
    c->command_at = net_client_reply_end(c);
    c->turn_commands++;
    s->statistics.commands++;
    s->ran = true;
    c->in_handler = true;
    s->handler.command(s->handler.user, c, request);
    c->in_handler = false;
    if (c->doomed) return false;
    if (net_client_overflowed(c)) {
        net_client_complain_of_output(c);
        return false;
    }
    return !c->suspended || leave_buffer(c, true);
}

static const struct resp_limits *limits_of(const struct net_client *c)
{
    return c->authenticated ? &c->server->limits.request : &resp_limits_unauthenticated;
}

/* How many of these requests may run now; 0: the client was suspended. */
static size_t ask_ahead(struct net_client *c, const struct resp_request *requests, size_t count)
{
    const struct net_handler *h = &c->server->handler;
    if (!h->ahead || requests->argc == 0) return count;
    c->server->ran = true; /* what the handler has begun goes out when the turn ends */
    return h->ahead(h->user, c, requests, count);
}

/* Runs requests, until something keeps the rest of them: they are parsed again when they may run. False: the client must be destroyed. */
static bool run_group(struct net_client *c, const struct resp_group *group)
{
    const struct resp_limits *limits = limits_of(c);
    size_t may_run = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct resp_request *request = &group->requests[i];
        if (i > 0 && (c->finishing || held_by(c) != HOLD_NONE || limits_of(c) != limits)) return true;
        if (i == may_run) may_run += ask_ahead(c, request, group->count - i);
        if (i == may_run) return true;
        c->query.at += request->size;
        c->turn_bytes += request->size;
        if (request->argc > 0 && !run_command(c, request)) return false;
    }
    return true;
}

/* Runs what is there. False: the client must be destroyed. */
static bool run_requests(struct net_client *c)
{
    struct client_query *q = &c->query;
    struct net_server *s = c->server;
    c->held_up = c->suspended;
    while (!c->finishing && q->at < q->len) {
        c->held_up = held_by(c) != HOLD_NONE;
        if (c->held_up) return true;
        begin_turn(c);
        if (!s->group && !(s->group = malloc(sizeof *s->group))) return false;
        struct error e;
        enum resp_status status = resp_parse_group(&c->parser, bytes_of(q->data + q->at, q->len - q->at), limits_of(c), s->group, &e);
        if (status == RESP_MORE) return true;
        if (status == RESP_BAD) {
            refuse(c, &e);
            return true;
        }
        if (!run_group(c, s->group)) return false;
        c->held_up = c->suspended;
    }
    return true;
}

static void queue_ready(struct net_client *c)
{
    if (c->is_ready) return;
    c->is_ready = true;
    TAILQ_INSERT_TAIL(&c->server->ready, c, in_ready);
    c->server->ready_count++;
}

void net_client_run(struct net_client *c)
{
    if (!run_requests(c) || !settle_query(c)) {
        net_client_destroy(c);
        return;
    }
    if (net_client_waiting(c) > 0) net_client_mark_dirty(c);
    if (c->held_up && held_by(c) == HOLD_TURN) queue_ready(c);
    if (c->ended && !c->held_up) net_client_close_after_reply(c);
    net_client_count(c);
    net_client_update_reading(c);
}

void net_client_wake(struct net_client *c)
{
    if (c->destroyed || c->finishing) return;
    if (c->held_up && held_by(c) != HOLD_EVENT) queue_ready(c);
    net_client_update_reading(c);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct net_client *c = (struct net_client *)handle;
    struct net_server *s = c->server;
    struct client_query *q = &c->query;
    *buf = (uv_buf_t){0}; /* on_read then gets ENOBUFS */
    if (s->paused) return;
    if (q->len == 0) {
        if (!s->read_buffer) s->read_buffer = malloc(READ_SIZE);
        if (s->read_buffer) *buf = (uv_buf_t){.base = (char *)s->read_buffer, .len = READ_SIZE};
    } else if (make_room(c)) {
        *buf = (uv_buf_t){.base = (char *)q->data + q->len, .len = q->cap - q->len};
    }
}

static void take_bytes(struct net_client *c, const uv_buf_t *buf, size_t len)
{
    struct net_server *s = c->server;
    c->active_ms = net_server_now_ms(s);
    s->statistics.bytes_in += len;
    if (c->query.len == 0)
        c->query = (struct client_query){.data = (uint8_t *)buf->base, .len = len, .cap = READ_SIZE, .borrowed = true};
    else
        c->query.len += len;
    net_client_run(c);
    net_server_shed(s);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct net_client *c = (struct net_client *)stream;
    const struct net_handler *h = &c->server->handler;
    if (len > 0) {
        take_bytes(c, buf, (size_t)len);
    } else if (len == UV_EOF) {
        c->ended = true;
        c->reading = false; /* libuv stops by itself */
        if (c->suspended && h->ended) h->ended(h->user, c);
        if (!c->destroyed) net_client_run(c);
    } else if (len == UV_ENOBUFS && c->server->paused) {
        net_client_update_reading(c);
    } else if (len < 0) {
        net_client_destroy(c);
    }
}

void net_client_update_reading(struct net_client *c)
{
    if (c->destroyed) return;
    bool wanted = !c->ended && !c->finishing && !c->server->paused && has_room(c) &&
                  net_client_waiting(c) <= c->server->limits.output_pause;
    if (wanted == c->reading) return;
    c->reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&c->tcp);
    else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
        net_client_destroy(c);
}
