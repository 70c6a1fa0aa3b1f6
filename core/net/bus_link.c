/* One connection of the bus: connecting or accepted → handshake → frames → closed. */
#include "net/bus_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "net/crypto.h"

#define KEEPALIVE_S     5
#define USER_TIMEOUT_MS 10000 /* a cut link is dropped when nothing was acknowledged for so long */
#define INPUT_KEEP_MAX  65536
#define FRAME_MAX       (FRAME_HEADER_SIZE + (40 << 20) + FRAME_TRAILER_SIZE)

/* ---- closing ---- */

void link_tell_down(struct bus_link *l)
{
    if (!l->told_up) return;
    l->told_up = false;
    l->bus->handler.down(l->bus->handler.user, l);
}

static void on_closed(uv_handle_t *handle)
{
    struct bus_link *l = handle->data;
    struct bus *b = l->bus;
    if (!b->closing) link_tell_down(l);
    if (l->owner) peer_link_gone(l->owner, l);
    TAILQ_REMOVE(&b->links, l, all);
    buffer_release(&l->input);
    buffer_release(&l->output);
    buffer_release(&l->writing);
    crypto_wipe(&l->handshake, sizeof l->handshake);
    free(l);
    bus_handle_closed(b);
}

static void stop_waiting(struct bus_link *l)
{
    if (!l->is_waiting) return;
    l->is_waiting = false;
    TAILQ_REMOVE(&l->bus->waiting, l, waiting);
    l->bus->waiting_count--;
}

void link_fail(struct bus_link *l, const struct error *why)
{
    if (l->state == LINK_CLOSED) return;
    struct bus *b = l->bus;
    enum link_state was = l->state;
    l->state = LINK_CLOSED;
    l->why = *why;
    stop_waiting(l);
    /* A last word (why a handshake failed) leaves if the kernel takes it at once. */
    if (was != LINK_CONNECTING) output_flush(l);
    output_forget(l);
    if (was == LINK_UP) {
        b->statistics.links--;
        bus_say_event(b, "bus link down", l);
    } else if (was == LINK_SHAKING) {
        b->statistics.handshakes_failed++;
        if (!l->initiator) bus_say_refused(b, "bus connection refused", l);
    }
    uv_close((uv_handle_t *)&l->tcp, on_closed);
}

void bus_link_close(struct bus_link *l)
{
    struct error e;
    error_set(&e, ERROR_NONE, "closed by this node");
    link_fail(l, &e);
}

static void fail_text(struct bus_link *l, enum error_code code, const char *what, int uv_error)
{
    struct error e;
    error_set(&e, code, "%s%s", what, uv_error ? uv_strerror(uv_error) : "");
    link_fail(l, &e);
}

/* The other side went away. In the middle of a handshake it does not say why, but there are two likely reasons. */
static void ended(struct bus_link *l, int uv_error)
{
    if (uv_error != UV_EOF && l->state == LINK_UP)
        fail_text(l, ERROR_IO, "reading: ", uv_error);
    else if (l->state == LINK_UP)
        fail_text(l, ERROR_IO, "the other side closed the connection", 0);
    else if (l->queued_total == 0)
        fail_text(l, ERROR_IO, "connected, and said nothing", 0);
    else
        fail_text(
            l, ERROR_IO,
            "closed the connection during the handshake: its secret differs, or it refuses this node (see its log)", 0);
}

/* ---- what arrives ---- */

static void link_up(struct bus_link *l)
{
    struct bus *b = l->bus;
    struct error e;
    if (bus_admit(b, l, &e) != 0) {
        buffer_clear(&l->output); /* the proof stays here: the other side must not believe it is linked */
        link_fail(l, &e);
        return;
    }
    stop_waiting(l);
    l->state = LINK_UP;
    b->statistics.links++;
    bus_say_event(b, "bus link up", l);
    if (l->owner) peer_link_up(l->owner);
    l->told_up = true;
    b->handler.up(b->handler.user, l);
}

/* Both of the following take what they can from `input`, and return how much; 0: more must arrive, or the link was
 * closed. */
static size_t take_handshake(struct bus_link *l, struct bytes input)
{
    size_t used, before = l->output.len;
    struct error e;
    enum handshake_status status = handshake_step(&l->handshake, input, &used, &l->output, &e);
    l->queued_total += l->output.len - before;
    if (l->output.len > before) output_mark(l);
    if (status == HANDSHAKE_FAILED) link_fail(l, &e);
    if (status == HANDSHAKE_DONE) link_up(l);
    return used;
}

static size_t take_frame(struct bus_link *l, struct bytes input)
{
    struct bus *b = l->bus;
    struct frame frame;
    struct error e = {0};
    enum frame_status status = frame_read(input, l->handshake.receive_key, l->receive_sequence, &frame, &e);
    if (status == FRAME_MORE) return 0;
    if (status == FRAME_READY) {
        l->receive_sequence++;
        if (b->handler.frame(b->handler.user, l, frame.type, frame.payload, &e) == 0) return frame.size;
    }
    b->statistics.frames_refused++;
    link_fail(l, &e);
    return 0;
}

/* Keeps the `len` last bytes of what was read: the beginning of something. */
static void keep(struct bus_link *l, struct bytes rest)
{
    if (l->input.len)
        buffer_consume(&l->input, l->input.len - rest.len);
    else if (!buffer_append(&l->input, rest.data, rest.len))
        fail_text(l, ERROR_OOM, "no memory for what it sends", 0);
    if (l->input.len == 0 && l->input.cap > INPUT_KEEP_MAX) buffer_release(&l->input);
}

static void received(struct bus_link *l, struct bytes data)
{
    l->bus->statistics.bytes_in += data.len;
    if (l->input.len) {
        if (!buffer_append(&l->input, data.data, data.len)) {
            fail_text(l, ERROR_OOM, "no memory for what it sends", 0);
            return;
        }
        data = buffer_bytes(&l->input);
    }
    for (size_t used = 1; used && data.len;) {
        used = 0;
        if (l->state == LINK_SHAKING)
            used = take_handshake(l, data);
        else if (l->state == LINK_UP)
            used = take_frame(l, data);
        data.data += used;
        data.len -= used;
    }
    if (l->state != LINK_CLOSED) keep(l, data);
}

/* All reads go to one space of the bus; a link keeps only what it cannot use yet, so a frame's memory grows as it
 * arrives. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct bus_link *l = handle->data;
    *out = uv_buf_init((char *)l->bus->read_space, l->state == LINK_UP ? BUS_READ_SIZE : HANDSHAKE_INPUT_MAX);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *space)
{
    struct bus_link *l = stream->data;
    if (n > 0) received(l, bytes_of(space->base, (size_t)n));
    if (n < 0) ended(l, (int)n);
}

/* ---- beginning ---- */

static void set_addresses(struct bus_link *l, const struct sockaddr *address)
{
    char port[8] = "";
    socklen_t len = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo(address, len, l->host, sizeof l->host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        l->host[0] = 0;
    /* A v4 address seen through a v6 socket is shown, and matched, as what it is. */
    static const char mapped[] = "::ffff:";
    if (strncmp(l->host, mapped, strlen(mapped)) == 0 && strchr(l->host, '.'))
        memmove(l->host, l->host + strlen(mapped), strlen(l->host + strlen(mapped)) + 1);
    snprintf(l->address, sizeof l->address, strchr(l->host, ':') ? "[%s]:%s" : "%s:%s", l->host, port);
}

static struct bus_link *link_new(struct bus *b, bool initiator, const struct sockaddr *address)
{
    struct bus_link *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->bus = b;
    l->id = ++b->next_link_id;
    l->initiator = initiator;
    set_addresses(l, address);
    buffer_init(&l->input, FRAME_MAX + BUS_READ_SIZE);
    buffer_init(&l->output, b->output_max + 2 * (size_t)FRAME_MAX);
    buffer_init(&l->writing, b->output_max + 2 * (size_t)FRAME_MAX);
    if (uv_tcp_init(b->loop, &l->tcp) != 0) {
        free(l);
        return NULL;
    }
    l->tcp.data = l;
    TAILQ_INSERT_TAIL(&b->links, l, all);
    bus_handle_opened(b);
    return l;
}

static int tune(struct bus_link *l)
{
    uv_os_fd_t fd;
    unsigned timeout = USER_TIMEOUT_MS;
    int failed = uv_fileno((uv_handle_t *)&l->tcp, &fd);
    if (!failed) failed = uv_tcp_nodelay(&l->tcp, 1);
    if (!failed) failed = uv_tcp_keepalive(&l->tcp, 1, KEEPALIVE_S);
    if (!failed && setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout) != 0)
        failed = uv_translate_sys_error(errno);
    return failed;
}

static void start_handshake(struct bus_link *l)
{
    struct bus *b = l->bus;
    uint8_t nonce[32];
    random_bytes(nonce, sizeof nonce);
    handshake_init(&l->handshake, l->initiator, BUS_CONTROL, &b->self, bytes_of(b->secret, b->secret_len), nonce);
    l->state = LINK_SHAKING;
    int failed = tune(l);
    if (!failed) failed = uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read);
    if (failed)
        fail_text(l, ERROR_IO, "setting the connection up: ", failed);
    else if (l->initiator)
        take_handshake(l, (struct bytes){0});
}

void link_accept(struct bus *b, int fd, const struct sockaddr *address)
{
    struct bus_link *l = link_new(b, false, address);
    if (!l || uv_tcp_open(&l->tcp, fd) != 0) {
        close(fd);
        if (l) fail_text(l, ERROR_IO, "taking the connection over failed", 0);
        return;
    }
    l->is_waiting = true;
    l->deadline_ms = uv_now(b->loop) + b->handshake_ms;
    TAILQ_INSERT_TAIL(&b->waiting, l, waiting);
    b->waiting_count++;
    start_handshake(l);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct bus_link *l = request->data;
    if (l->state == LINK_CLOSED) return;
    if (status < 0) {
        fail_text(l, ERROR_UNREACHABLE, "connecting: ", status);
        return;
    }
    if (l->owner) peer_link_shaking(l->owner);
    start_handshake(l);
}

struct bus_link *link_connect(struct bus *b, struct bus_peer *owner, const struct sockaddr *address)
{
    struct bus_link *l = link_new(b, true, address);
    if (!l) return NULL;
    l->owner = owner;
    l->connect.data = l;
    int failed = uv_tcp_connect(&l->connect, &l->tcp, address, on_connected);
    if (failed) fail_text(l, ERROR_UNREACHABLE, "connecting: ", failed);
    return l;
}

/* ---- what others see of it ---- */

const struct handshake_identity *bus_link_peer(const struct bus_link *l)
{
    return &l->handshake.peer;
}

struct bus_peer *bus_link_owner(const struct bus_link *l)
{
    return l->owner;
}

const char *bus_link_host(const struct bus_link *l)
{
    return l->host;
}

uint64_t bus_link_id(const struct bus_link *l)
{
    return l->id;
}
