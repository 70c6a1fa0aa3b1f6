/* The bus as a whole: listening, accepting within bounds, who may be linked, closing. */
#include "net/bus.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "net/bus_private.h"
#include "net/crypto.h"

#define HANDSHAKE_MS    5000
#define CONNECT_MS      2000
#define ACCEPT_TURN_MAX 64  /* connections taken in one turn: links get their turn too */
#define ACCEPT_PAUSE_MS 100 /* when there is no file descriptor for one more */
#define BACKLOG         511

/* ---- life ---- */

void bus_handle_opened(struct bus *b)
{
    b->handles++;
}

void bus_handle_closed(struct bus *b)
{
    if (--b->handles > 0 || !b->closing) return;
    crypto_wipe(b->secret, b->secret_len);
    free(b->secret);
    free(b->host);
    free(b);
}

static void on_handle_closed(uv_handle_t *handle)
{
    bus_handle_closed(handle->data);
}

/* Writes what this turn's timers, reads and closings have queued, before the loop waits again. */
static void on_flush(uv_prepare_t *prepare)
{
    struct bus *b = prepare->data;
    while (!TAILQ_EMPTY(&b->dirty)) output_flush(TAILQ_FIRST(&b->dirty));
}

static void on_sweep(uv_timer_t *timer)
{
    struct bus *b = timer->data;
    uint64_t now = uv_now(b->loop);
    struct bus_link *l;
    while ((l = TAILQ_FIRST(&b->waiting)) && l->deadline_ms <= now) {
        struct error e;
        error_set(&e, ERROR_TIMEOUT, "no handshake within %llu ms", (unsigned long long)b->handshake_ms);
        link_fail(l, &e);
    }
    if (l) uv_timer_start(timer, on_sweep, l->deadline_ms - now, 0);
}

struct bus *bus_new(uv_loop_t *loop, const struct bus_options *options, const struct bus_handler *handler)
{
    struct bus *b = calloc(1, sizeof *b);
    uint8_t *secret = malloc(options->secret.len + 1);
    char *host = strdup(options->host);
    if (!b || !secret || !host) {
        free(b);
        free(secret);
        free(host);
        return NULL;
    }
    if (options->secret.len) memcpy(secret, options->secret.data, options->secret.len);
    *b = (struct bus){.loop = loop,
                      .handler = *handler,
                      .self = options->self,
                      .secret = secret,
                      .secret_len = options->secret.len,
                      .host = host,
                      .port = options->port,
                      .links_max = options->links_max,
                      .output_max = options->output_max,
                      .handshake_ms = HANDSHAKE_MS,
                      .connect_ms = CONNECT_MS,
                      .listen_fd = -1};
    TAILQ_INIT(&b->links);
    TAILQ_INIT(&b->waiting);
    TAILQ_INIT(&b->dirty);
    TAILQ_INIT(&b->peers);
    random_bytes(&b->random, sizeof b->random);
    uv_prepare_init(loop, &b->flush);
    uv_timer_init(loop, &b->sweep);
    uv_timer_init(loop, &b->accept_pause);
    b->flush.data = b->sweep.data = b->accept_pause.data = b;
    b->handles = 3;
    uv_prepare_start(&b->flush, on_flush);
    uv_unref((uv_handle_t *)&b->flush); /* alone it is no reason for the loop to go on */
    return b;
}

void bus_close(struct bus *b)
{
    b->closing = true;
    for (struct bus_link *l = TAILQ_FIRST(&b->links); l; l = TAILQ_NEXT(l, all)) {
        bus_link_close(l);
        link_tell_down(l);
    }
    while (!TAILQ_EMPTY(&b->peers)) {
        struct bus_peer *p = TAILQ_FIRST(&b->peers);
        p->users = 1;
        bus_peer_free(p);
    }
    if (b->listen_fd >= 0) {
        uv_close((uv_handle_t *)&b->acceptable, on_handle_closed);
        close(b->listen_fd);
    }
    uv_close((uv_handle_t *)&b->flush, on_handle_closed);
    uv_close((uv_handle_t *)&b->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&b->accept_pause, on_handle_closed);
}

/* ---- accepting ---- */

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void on_accept_pause_over(uv_timer_t *timer)
{
    struct bus *b = timer->data;
    uv_poll_start(&b->acceptable, UV_READABLE, on_acceptable);
}

static void make_room(struct bus *b)
{
    if (b->waiting_count < BUS_WAITING_MAX) return;
    struct error e;
    error_set(&e, ERROR_LIMIT, "%d connections are waiting for their handshake and this was the oldest",
              BUS_WAITING_MAX);
    link_fail(TAILQ_FIRST(&b->waiting), &e);
}

/* The listener is polled and accepted from here, not with uv_listen, which goes on accepting until the kernel has no
 * more and calls back without end while the process is out of file descriptors. */
static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct bus *b = poll->data;
    if (status < 0) {
        bus_say_accept(b, -status);
        return;
    }
    for (int i = 0; i < ACCEPT_TURN_MAX; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd = accept4(b->listen_fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN) return;
            if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
                continue; /* that connection's own error */
            bus_say_accept(b, errno);
            uv_poll_stop(poll);
            uv_timer_start(&b->accept_pause, on_accept_pause_over, ACCEPT_PAUSE_MS, 0);
            return;
        }
        /* The newest is let in at the cost of the oldest: strangers who say nothing lock nobody out, since a real peer
         * is through its handshake long before 128 more have come. */
        make_room(b);
        link_accept(b, fd, (struct sockaddr *)&address);
        struct bus_link *oldest = TAILQ_FIRST(&b->waiting);
        if (oldest && !uv_is_active((uv_handle_t *)&b->sweep))
            uv_timer_start(&b->sweep, on_sweep, oldest->deadline_ms - uv_now(b->loop), 0);
    }
}

/* A listening socket, or -1 with errno. */
static int listen_on(const struct addrinfo *a)
{
    int yes = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    int failed = errno;
    close(fd);
    errno = failed;
    return -1;
}

/* Whether the machine does not have such an address: a name's other ones may do. */
static bool is_unavailable(int errnum)
{
    return errnum == EADDRNOTAVAIL || errnum == EAFNOSUPPORT;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char port[8] = "0";
    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    return (uint16_t)strtoul(port, NULL, 10);
}

int bus_listen(struct bus *b, uint16_t *bound_port, struct error *e)
{
    char port[8];
    snprintf(port, sizeof port, "%u", b->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    int failed = getaddrinfo(b->host, port, &hints, &found);
    if (failed) return error_set(e, ERROR_CONFIG, "the bus cannot listen on %s: %s", b->host, gai_strerror(failed));
    int fd = -1;
    failed = EADDRNOTAVAIL;
    for (struct addrinfo *a = found; a && fd < 0 && is_unavailable(failed); a = a->ai_next) {
        fd = listen_on(a);
        failed = errno;
    }
    freeaddrinfo(found);
    if (fd < 0 && failed == EADDRINUSE)
        return error_set(e, ERROR_LOCKED, "the bus cannot listen on %s:%u: address in use", b->host, b->port);
    if (fd < 0)
        return error_system(e, is_unavailable(failed) ? ERROR_CONFIG : ERROR_IO, failed,
                            "the bus cannot listen on %s:%u", b->host, b->port);
    failed = uv_poll_init(b->loop, &b->acceptable, fd);
    if (failed) {
        close(fd);
        return error_set(e, ERROR_IO, "the bus cannot listen: %s", uv_strerror(failed));
    }
    b->listen_fd = fd;
    b->acceptable.data = b;
    bus_handle_opened(b);
    uv_poll_start(&b->acceptable, UV_READABLE, on_acceptable);
    *bound_port = port_of(fd);
    return 0;
}

/* ---- who may be linked ---- */

static bool is_foreign(const struct bus *b, const struct bus_link *l)
{
    const char *ours = b->self.cluster_id, *theirs = l->handshake.peer.cluster_id;
    return ours[0] && theirs[0] && strcmp(ours, theirs) != 0;
}

int bus_admit(struct bus *b, const struct bus_link *l, struct error *e)
{
    const char *node = l->handshake.peer.node_id;
    if (l->handshake.purpose != BUS_CONTROL)
        return error_set(e, ERROR_NOT_FOUND, "asks for purpose %d, which this node does not serve",
                         (int)l->handshake.purpose);
    if (l->owner && l->owner->node_id[0] && strcmp(l->owner->node_id, node) != 0)
        return error_set(e, ERROR_NOT_FOUND, "is node %s, not %s, which is expected there", node, l->owner->node_id);
    /* Once more: our cluster may have been founded since the handshake began. */
    if (is_foreign(b, l))
        return error_set(e, ERROR_FOREIGN, "node %s belongs to another cluster (%s)", node,
                         l->handshake.peer.cluster_id);
    if (b->statistics.links >= b->links_max)
        return error_set(e, ERROR_LIMIT, "there are %zu links already", b->links_max);
    unsigned same = 0;
    for (const struct bus_link *other = TAILQ_FIRST(&b->links); other; other = TAILQ_NEXT(other, all))
        if (other->state == LINK_UP && strcmp(other->handshake.peer.node_id, node) == 0) same++;
    if (same >= BUS_LINKS_PER_NODE) return error_set(e, ERROR_LIMIT, "node %s has %u links already", node, same);
    return 0;
}

void bus_set_cluster(struct bus *b, const char *cluster_id)
{
    snprintf(b->self.cluster_id, sizeof b->self.cluster_id, "%s", cluster_id);
    for (struct bus_link *l = TAILQ_FIRST(&b->links); l; l = TAILQ_NEXT(l, all)) {
        if (l->state != LINK_UP || !is_foreign(b, l)) continue;
        struct error e;
        error_set(&e, ERROR_FOREIGN, "node %s belongs to another cluster (%s)", l->handshake.peer.node_id,
                  l->handshake.peer.cluster_id);
        link_fail(l, &e);
    }
}

void bus_set_self(struct bus *b, const struct handshake_identity *self)
{
    b->self = *self;
    struct bus_link *next;
    for (struct bus_link *l = TAILQ_FIRST(&b->links); l; l = next) {
        next = TAILQ_NEXT(l, all);
        bus_link_close(l);
    }
}

struct bus_link *bus_find_link(struct bus *b, uint64_t id)
{
    for (struct bus_link *l = TAILQ_FIRST(&b->links); l; l = TAILQ_NEXT(l, all))
        if (l->id == id && l->state == LINK_UP) return l;
    return NULL;
}

void bus_statistics(const struct bus *b, struct bus_statistics *out)
{
    *out = b->statistics;
}
