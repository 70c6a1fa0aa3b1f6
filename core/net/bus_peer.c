/* Peers: somebody to be linked to, tried again and again. One attempt is: look the name up, then each address in turn
 * until a link is up; then a pause, 50 ms at first and never more than a second, so that a restarted node is found
 * again quickly. Only where somebody answers who is not the one we want, or not one of us, is the pause longer: that
 * takes an operator. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/random.h"
#include "net/bus_private.h"

#define PAUSE_MIN_MS      50
#define PAUSE_MAX_MS      1000
#define PAUSE_HOPELESS_MS 5000
#define STRANGER_AGAIN_MS 60000
#define STEADY_MS         1000 /* a link up for so long lets the pauses begin anew */

static void begin(struct bus_peer *p);
static void try_next(struct bus_peer *p);

static void release_if_done(struct bus_peer *p)
{
    if (p->timer_closed && !p->looking_up) free(p);
}

static void forget_addresses(struct bus_peer *p)
{
    if (p->addresses) uv_freeaddrinfo(p->addresses);
    p->addresses = p->next = NULL;
}

/* Says so once, not at each attempt; and again now and then where an operator must do something. */
static void set_problem(struct bus_peer *p, const char *address, int code, const char *text)
{
    char problem[sizeof p->problem];
    snprintf(problem, sizeof problem, "%s: %s", address, text);
    uint64_t now = uv_now(p->bus->loop);
    p->is_stranger = code == ERROR_DENIED || code == ERROR_FOREIGN;
    if (strcmp(problem, p->problem) == 0 && !(p->is_stranger && now - p->said_ms >= STRANGER_AGAIN_MS)) return;
    p->said_ms = now;
    memcpy(p->problem, problem, sizeof problem);
    bus_say_problem(p);
}

/* ---- one round of attempts ---- */

static void on_timer(uv_timer_t *timer)
{
    struct bus_peer *p = timer->data;
    if (!p->link) {
        begin(p);
        return;
    }
    struct error e;
    error_set(&e, ERROR_TIMEOUT,
              p->link->state == LINK_CONNECTING ? "connecting: no answer within %llu ms"
                                                : "no handshake within %llu ms",
              (unsigned long long)(p->link->state == LINK_CONNECTING ? p->bus->connect_ms : p->bus->handshake_ms));
    link_fail(p->link, &e);
}

static void begin_after_pause(struct bus_peer *p)
{
    forget_addresses(p);
    uint64_t longest = p->hopeless ? PAUSE_HOPELESS_MS : PAUSE_MAX_MS;
    p->pause_ms = p->hopeless ? PAUSE_HOPELESS_MS : p->pause_ms ? p->pause_ms * 2 : PAUSE_MIN_MS;
    if (p->pause_ms > longest) p->pause_ms = longest;
    /* Half of it is chance, so that nodes that lost each other at one moment do not all return at one moment. */
    uint64_t pause = p->pause_ms / 2 + random_below(&p->bus->random, p->pause_ms / 2 + 1);
    uv_timer_start(&p->timer, on_timer, pause, 0);
}

static void looked_up(struct bus_peer *p, int status, struct addrinfo *found)
{
    if (status != 0) {
        set_problem(p, p->host, ERROR_UNREACHABLE, uv_strerror(status));
        begin_after_pause(p);
        return;
    }
    p->addresses = p->next = found;
    try_next(p);
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct bus_peer *p = request->data;
    struct bus *b = p->bus;
    p->looking_up = false;
    if (p->freed || p->anew) uv_freeaddrinfo(found);
    if (p->freed)
        release_if_done(p);
    else if (p->anew)
        begin(p);
    else
        looked_up(p, status, found);
    bus_handle_closed(b);
}

static void begin(struct bus_peer *p)
{
    char port[8];
    snprintf(port, sizeof port, "%u", p->port);
    p->anew = p->hopeless = false;
    uv_timer_stop(&p->timer); /* a pause that a new address ended */
    /* A numeric address needs no thread and no name server. */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    if (uv_getaddrinfo(p->bus->loop, &p->lookup, NULL, p->host, port, &hints) == 0) {
        looked_up(p, 0, p->lookup.addrinfo);
        return;
    }
    hints.ai_flags = AI_NUMERICSERV;
    p->lookup.data = p;
    int failed = uv_getaddrinfo(p->bus->loop, &p->lookup, on_looked_up, p->host, port, &hints);
    if (failed) {
        looked_up(p, failed, NULL);
        return;
    }
    p->looking_up = true;
    bus_handle_opened(p->bus);
}

static void try_next(struct bus_peer *p)
{
    if (!p->next) {
        begin_after_pause(p);
        return;
    }
    const struct sockaddr *address = p->next->ai_addr;
    p->next = p->next->ai_next;
    p->link = link_connect(p->bus, p, address);
    if (!p->link) {
        set_problem(p, p->host, ERROR_LIMIT, "no memory or file descriptor for a connection");
        begin_after_pause(p);
        return;
    }
    uv_timer_start(&p->timer, on_timer, p->bus->connect_ms, 0);
}

/* ---- what the link tells ---- */

void peer_link_shaking(struct bus_peer *p)
{
    uv_timer_start(&p->timer, on_timer, p->bus->handshake_ms, 0);
}

void peer_link_up(struct bus_peer *p)
{
    uv_timer_stop(&p->timer);
    forget_addresses(p);
    p->problem[0] = 0;
    p->up_since_ms = uv_now(p->bus->loop);
}

void peer_link_gone(struct bus_peer *p, const struct bus_link *l)
{
    bool was_up = p->up_since_ms != 0;
    if (was_up && uv_now(p->bus->loop) - p->up_since_ms >= STEADY_MS) p->pause_ms = 0;
    p->up_since_ms = 0;
    p->link = NULL;
    uv_timer_stop(&p->timer);
    if (p->anew) {
        forget_addresses(p);
        begin(p);
        return;
    }
    int code = l->why.code;
    if (!was_up && (code == ERROR_EXISTS || code == ERROR_FOREIGN || code == ERROR_DENIED || code == ERROR_NOT_FOUND))
        p->hopeless = true;
    set_problem(p, l->address, code, l->why.text);
    try_next(p);
}

/* ---- for the upper layer ---- */

static struct bus_peer *find(struct bus *b, const char *host, uint16_t port, const char *node_id)
{
    for (struct bus_peer *p = TAILQ_FIRST(&b->peers); p; p = TAILQ_NEXT(p, entry))
        if (p->port == port && strcmp(p->host, host) == 0 && strcmp(p->node_id, node_id) == 0) return p;
    return NULL;
}

struct bus_peer *bus_peer_new(struct bus *b, const char *host, uint16_t port, const char *node_id)
{
    struct bus_peer *p = find(b, host, port, node_id);
    if (p) {
        p->users++;
        return p;
    }
    p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->bus = b;
    p->users = 1;
    p->port = port;
    snprintf(p->host, sizeof p->host, "%s", host);
    snprintf(p->node_id, sizeof p->node_id, "%s", node_id);
    uv_timer_init(b->loop, &p->timer);
    p->timer.data = p;
    bus_handle_opened(b);
    TAILQ_INSERT_TAIL(&b->peers, p, entry);
    begin(p);
    return p;
}

void bus_peer_set_address(struct bus_peer *p, const char *host, uint16_t port)
{
    if (p->port == port && strcmp(p->host, host) == 0) return;
    p->port = port;
    snprintf(p->host, sizeof p->host, "%s", host);
    if (bus_peer_link(p)) return;
    p->pause_ms = 0;
    p->anew = p->looking_up || p->link;
    if (p->link && p->link->state != LINK_CLOSED)
        bus_link_close(p->link);
    else if (!p->anew)
        begin(p);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct bus_peer *p = handle->data;
    struct bus *b = p->bus;
    p->timer_closed = true;
    release_if_done(p);
    bus_handle_closed(b);
}

void bus_peer_free(struct bus_peer *p)
{
    if (--p->users > 0) return;
    TAILQ_REMOVE(&p->bus->peers, p, entry);
    p->freed = true;
    forget_addresses(p);
    if (p->link) {
        p->link->owner = NULL;
        bus_link_close(p->link);
    }
    if (p->looking_up) uv_cancel((uv_req_t *)&p->lookup); /* one that runs cannot be: its end is awaited */
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

struct bus_link *bus_peer_link(struct bus_peer *p)
{
    return p->link && p->link->state == LINK_UP ? p->link : NULL;
}

const char *bus_peer_problem(const struct bus_peer *p)
{
    return p->problem;
}
