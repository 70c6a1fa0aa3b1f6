/* Listening sockets. They are polled and accepted from here rather than by uv_listen, whose loop has no bound, and
 * spins for ever when descriptors run out while another thread takes the one it keeps in reserve. */
#include "net/server_state.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG          511
#define ACCEPTS_MAX      128 /* in one go, so that clients we have get their turn */
#define ACCEPT_PAUSE_MS  200 /* when descriptors or memory are short */
#define KEEPALIVE_S      300
#define KEEPALIVE_GAP_S  100
#define KEEPALIVE_PROBES 3

static const char too_many[] = "max number of clients reached";

/* ---- accepting ---- */

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_accept_again(uv_timer_t *timer)
{
    struct net_server *s = timer->data;
    for (struct net_listener *l = s->listeners; l; l = l->next) uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

static void pause_accepting(struct net_server *s, int errnum)
{
    if (!uv_is_active((uv_handle_t *)&s->accept_again))
        log_warn("accepts no clients for a moment", "error=%s clients=%llu", log_quote(strerror(errnum)),
                 (unsigned long long)s->statistics.clients);
    for (struct net_listener *l = s->listeners; l; l = l->next) uv_poll_stop(&l->poll);
    uv_timer_start(&s->accept_again, on_accept_again, ACCEPT_PAUSE_MS, 0);
}

static void refuse(struct net_server *s, int fd)
{
    static const char reply[] = "-ERR max number of clients reached\r\n";
    ssize_t sent = send(fd, reply, sizeof reply - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent; /* a courtesy; a fresh socket has room for it */
    close(fd);
    s->statistics.refused++;
    net_server_complain(s, LOG_WARN, "new", too_many);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events; /* accept4 tells */
    struct net_listener *l = poll->data;
    struct net_server *s = l->server;
    for (int n = 0; n < ACCEPTS_MAX && !s->closing; n++) {
        struct sockaddr_storage peer;
        socklen_t peer_len = sizeof peer;
        int fd = accept4(l->fd, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause_accepting(s, errno);
            /* EAGAIN: no more. Anything else is about one connection that failed before it was accepted. */
            if (errno != EINTR && errno != ECONNABORTED) return;
            continue;
        }
        if (s->statistics.clients >= s->limits.clients_max)
            refuse(s, fd);
        else
            net_client_open(s, fd, &peer);
    }
}

/* ---- listening ---- */

/* Accepted sockets inherit these from the listening one, which saves the calls for each client. */
static bool set_options(int fd, int family)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_REUSEADDR, 1},
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_GAP_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value) != 0)
            return false;
    int on = 1;
    return family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
}

static in_port_t *port_of(struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? &((struct sockaddr_in6 *)address)->sin6_port
                                          : &((struct sockaddr_in *)address)->sin_port;
}

/* A socket that listens; -1 with errno. `address` gets the port. */
static int open_socket(struct sockaddr_storage *address, socklen_t len)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (set_options(fd, address->ss_family) && bind(fd, (struct sockaddr *)address, len) == 0 &&
        listen(fd, BACKLOG) == 0 && getsockname(fd, (struct sockaddr *)address, &len) == 0)
        return fd;
    int errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

static int add_listener(struct net_server *s, int fd, struct error *e)
{
    struct net_listener *l = calloc(1, sizeof *l);
    int result = l ? uv_poll_init(s->loop, &l->poll, fd) : UV_ENOMEM;
    if (result != 0) {
        free(l);
        close(fd);
        return error_set(e, ERROR_IO, "cannot poll a listening socket: %s", uv_strerror(result));
    }
    l->server = s;
    l->fd = fd;
    l->poll.data = l;
    l->next = s->listeners;
    s->listeners = l;
    s->handles++;
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
    return 0;
}

static int listen_failed(struct error *e, int errnum, const char *host, uint16_t port)
{
    if (errnum == EADDRINUSE) return error_set(e, ERROR_LOCKED, "%s port %u: address in use", host, port);
    enum error_code code = errnum == EADDRNOTAVAIL || errnum == EAFNOSUPPORT ? ERROR_CONFIG : ERROR_IO;
    return error_system(e, code, errnum, "cannot listen on %s port %u", host, port);
}

static bool same_as_before(const struct addrinfo *list, const struct addrinfo *one)
{
    for (; list != one; list = list->ai_next)
        if (list->ai_addrlen == one->ai_addrlen && memcmp(list->ai_addr, one->ai_addr, one->ai_addrlen) == 0)
            return true;
    return false;
}

/* A name may have several addresses: all of them, on the same port. One the machine does not have is passed over. */
static int listen_on_all(struct net_server *s, const struct addrinfo *list, const char *host, uint16_t port,
                         uint16_t *bound_port, struct error *e)
{
    uint16_t bound = port;
    bool any = false;
    int unavailable = EADDRNOTAVAIL;
    for (const struct addrinfo *one = list; one; one = one->ai_next) {
        if (same_as_before(list, one)) continue;
        struct sockaddr_storage address;
        memcpy(&address, one->ai_addr, one->ai_addrlen);
        *port_of(&address) = htons(bound);
        int fd = open_socket(&address, one->ai_addrlen);
        if (fd < 0) {
            unavailable = errno;
            if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) continue;
            return listen_failed(e, errno, host, bound);
        }
        bound = ntohs(*port_of(&address));
        int code = add_listener(s, fd, e);
        if (code) return code;
        any = true;
    }
    if (!any) return listen_failed(e, unavailable, host, port);
    if (bound_port) *bound_port = bound;
    return 0;
}

int net_server_listen(struct net_server *s, const char *host, uint16_t port, uint16_t *bound_port, struct error *e)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    int result = getaddrinfo(host, NULL, &hints, &list);
    if (result != 0)
        return error_set(e, ERROR_CONFIG, "cannot resolve the host to listen on, %s: %s", host, gai_strerror(result));
    int code = listen_on_all(s, list, host, port, bound_port, e);
    freeaddrinfo(list);
    return code;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct net_listener *l = handle->data;
    net_server_let_go(l->server);
    free(l);
}

void net_server_stop_listening(struct net_server *s)
{
    struct net_listener *next;
    for (struct net_listener *l = s->listeners; l; l = next) {
        next = l->next;
        uv_close((uv_handle_t *)&l->poll, on_listener_closed);
        close(l->fd);
    }
    s->listeners = NULL;
}
