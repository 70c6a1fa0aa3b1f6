/* Log lines of the bus. Whoever can connect can cause them, so their rate is bounded; what refused strangers cause
 * cannot hide what happens to links. */
#include "net/bus_private.h"

#include <stdio.h>

#include "base/log.h"

#define WINDOW_MS  1000
#define WINDOW_MAX 10

/* Whether a line may be written now; if so, " suppressed=N" or "" in `extra`. */
static bool may_say(struct bus *b, struct bus_say_limit *limit, char extra[32])
{
    uint64_t now = uv_now(b->loop);
    if (now - limit->window_ms >= WINDOW_MS || limit->window_ms == 0) {
        limit->window_ms = now;
        limit->said = 0;
    }
    if (limit->said >= WINDOW_MAX) {
        limit->suppressed++;
        return false;
    }
    limit->said++;
    extra[0] = 0;
    if (limit->suppressed) snprintf(extra, 32, " suppressed=%u", limit->suppressed);
    limit->suppressed = 0;
    return true;
}

void bus_say_refused(struct bus *b, const char *msg, const struct bus_link *l)
{
    char extra[32];
    if (!may_say(b, &b->refusals, extra)) return;
    log_warn(msg, "address=%s why=%s%s", l->address, log_quote(l->why.text), extra);
}

void bus_say_event(struct bus *b, const char *msg, const struct bus_link *l)
{
    char extra[32];
    if (!may_say(b, &b->events, extra)) return;
    log_info(msg, "node=%.40s address=%s direction=%s%s%s%s", l->handshake.peer.node_id, l->address,
             l->initiator ? "out" : "in", l->why.text[0] ? " why=" : "", l->why.text[0] ? log_quote(l->why.text) : "",
             extra);
}

void bus_say_problem(struct bus_peer *p)
{
    char extra[32];
    if (!may_say(p->bus, &p->bus->events, extra)) return;
    log_line(p->is_stranger ? LOG_WARN : LOG_INFO, "no bus link to peer", "peer=%s port=%u why=%s%s",
             log_quote(p->host), p->port, log_quote(p->problem), extra);
}

void bus_say_accept(struct bus *b, int errnum)
{
    char extra[32];
    if (!may_say(b, &b->refusals, extra)) return;
    log_warn("bus cannot accept connections", "error=%s%s", log_quote(strerror(errnum)), extra);
}
