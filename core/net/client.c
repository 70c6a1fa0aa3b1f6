/* A client's life: from the accepted socket to the closed handle, and what others may ask about it. */
#include "net/server_state.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- addresses ---- */

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

/* "127.0.0.1:6379", "[::1]:6379"; `host` (may be NULL) gets the address alone. */
static void format_address(const struct sockaddr_storage *address, char host[INET6_ADDRSTRLEN], char *out, size_t size)
{
    char alone[INET6_ADDRSTRLEN] = "?";
    uint16_t port;
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, alone, sizeof alone);
        port = ntohs(v6->sin6_port);
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &v4->sin_addr, alone, sizeof alone);
        port = ntohs(v4->sin_port);
    }
    snprintf(out, size, address->ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", alone, port);
    if (host) memcpy(host, alone, sizeof alone);
}

/* ---- opening ---- */

static void on_closed(uv_handle_t *handle)
{
    struct net_client *c = (struct net_client *)handle;
    struct net_server *s = c->server;
    free(c);
    net_server_let_go(s);
}

/* A client whose handle knows its socket; NULL when there is no memory. */
static struct net_client *new_client(struct net_server *s, int fd)
{
    struct net_client *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->server = s;
    uv_tcp_init(s->loop, &c->tcp);
    s->handles++;
    if (uv_tcp_open(&c->tcp, fd) == 0) {
        c->id = ++s->last_id;
        if (net_index_add(s, c)) return c;
    } else {
        close(fd);
    }
    uv_close((uv_handle_t *)&c->tcp, on_closed);
    return NULL;
}

void net_client_open(struct net_server *s, int fd, const struct sockaddr_storage *peer)
{
    struct net_client *c = new_client(s, fd);
    if (!c) {
        s->statistics.refused++;
        return;
    }
    s->statistics.accepted++;
    c->opened_ms = c->active_ms = net_server_now_ms(s);
    c->loopback = is_loopback(peer);
    format_address(peer, c->host, c->address, sizeof c->address);
    resp_parser_init(&c->parser);
    net_client_set_output_max(c);
    c->in_handler = true;
    c->session = s->handler.opened(s->handler.user, c);
    c->in_handler = false;
    if (c->doomed)
        net_client_destroy(c);
    else
        net_client_update_reading(c);
}

/* ---- closing ---- */

static void leave_lists(struct net_server *s, struct net_client *c)
{
    if (c->is_dirty) TAILQ_REMOVE(&s->dirty, c, in_dirty);
    if (c->is_gated) TAILQ_REMOVE(&s->gated, c, in_gated);
    if (c->is_ready) {
        TAILQ_REMOVE(&s->ready, c, in_ready);
        s->ready_count--;
    }
    if (c->suspended) s->statistics.suspended--;
    net_index_remove(s, c);
}

static void release_memory(struct net_client *c)
{
    net_client_drop_query(c);
    net_client_drop_held(c);
    resp_parser_release(&c->parser);
    buffer_release(&c->reply);
    free(c->gates);
    c->gates = NULL;
    c->gate_first = c->gate_end = c->gate_cap = 0;
    free(c->local_address);
    c->local_address = NULL;
    net_client_count(c);
}

void net_client_destroy(struct net_client *c)
{
    if (c->destroyed) return;
    if (c->in_handler) {
        c->doomed = true;
        return;
    }
    struct net_server *s = c->server;
    c->destroyed = true;
    leave_lists(s, c);
    s->handler.closed(s->handler.user, c, c->session);
    release_memory(c);
    uv_close((uv_handle_t *)&c->tcp, on_closed); /* a write under way ends with an error first */
    if (s->closing && TAILQ_EMPTY(&s->all)) net_server_emptied(s);
}

void net_client_close(struct net_client *c)
{
    net_client_destroy(c);
}

void net_client_close_after_reply(struct net_client *c)
{
    if (c->destroyed || c->finishing) return;
    c->finishing = true;
    if (!c->suspended) net_client_drop_query(c);
    if (!c->in_handler) net_client_update_reading(c);
    net_client_mark_dirty(c);
}

/* ---- waiting for a reply ---- */

void net_client_suspend(struct net_client *c)
{
    if (c->suspended || c->destroyed) return;
    c->suspended = true;
    c->server->statistics.suspended++;
}

void net_client_resume(struct net_client *c)
{
    if (!c->suspended || c->destroyed) return;
    c->suspended = false;
    c->server->statistics.suspended--;
    net_client_drop_held(c);
    net_client_mark_dirty(c);
    net_client_wake(c);
}

/* ---- memory ---- */

static size_t query_memory(const struct net_client *c)
{
    return (c->query.borrowed ? 0 : c->query.cap) + c->held_cap + (c->held_group ? sizeof *c->held_group : 0) +
           resp_parser_memory(&c->parser) + c->kept;
}

static size_t output_memory(const struct net_client *c)
{
    return c->reply.cap + (c->write ? c->write->cap : 0) + c->gate_cap * sizeof *c->gates;
}

void net_client_count(struct net_client *c)
{
    struct net_statistics *sum = &c->server->statistics;
    size_t query = query_memory(c), output = output_memory(c);
    sum->query_memory += query - c->query_counted; /* modulo 2^64: a smaller one subtracts */
    sum->output_memory += output - c->output_counted;
    c->query_counted = query;
    c->output_counted = output;
}

void net_client_trim(struct net_client *c)
{
    if (c->suspended || c->query.len > 0) return;
    resp_parser_release(&c->parser);
    if (net_client_waiting(c) == 0) buffer_release(&c->reply);
    if (c->gate_first == c->gate_end) {
        free(c->gates);
        c->gates = NULL;
        c->gate_first = c->gate_end = c->gate_cap = 0;
    }
    net_client_count(c);
}

void net_client_memory(const struct net_client *c, size_t *query, size_t *output)
{
    *query = query_memory(c);
    *output = output_memory(c);
}

/* ---- questions ---- */

void *net_client_session(const struct net_client *c)
{
    return c->session;
}

uint64_t net_client_id(const struct net_client *c)
{
    return c->id;
}

const char *net_client_address(const struct net_client *c)
{
    return c->address;
}

const char *net_client_host(const struct net_client *c)
{
    return c->host;
}

const char *net_client_local_address(const struct net_client *c)
{
    struct net_client *own = (struct net_client *)(uintptr_t)
        c; /* what is made here on first use is not seen from outside */
    if (!own->local_address) {
        struct sockaddr_storage address;
        int len = sizeof address;
        char text[sizeof c->address] = "?:0";
        if (uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&address, &len) == 0)
            format_address(&address, NULL, text, sizeof text);
        own->local_address = strdup(text);
    }
    return own->local_address ? own->local_address : "?:0";
}

bool net_client_is_loopback(const struct net_client *c)
{
    return c->loopback;
}

int net_client_fd(const struct net_client *c)
{
    uv_os_fd_t fd = -1;
    return uv_fileno((const uv_handle_t *)&c->tcp, &fd) == 0 ? fd : -1;
}

uint64_t net_client_opened_ms(const struct net_client *c)
{
    return c->opened_ms;
}

uint64_t net_client_active_ms(const struct net_client *c)
{
    return c->active_ms;
}

void net_client_spare(struct net_client *c, bool yes)
{
    c->spared = yes;
}

void net_client_set_subscriber(struct net_client *c, bool yes)
{
    if (c->subscriber == yes) return;
    c->subscriber = yes;
    c->over_soft_since_ms = 0;
    net_client_set_output_max(c);
}

void net_client_set_kept(struct net_client *c, size_t bytes)
{
    c->kept = bytes;
    net_client_count(c);
}

void net_client_set_authenticated(struct net_client *c, bool yes)
{
    c->authenticated = yes;
}
