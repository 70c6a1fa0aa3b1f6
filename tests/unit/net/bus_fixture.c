#include "bus_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"

/* ---- the world ---- */

int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    uv_loop_init(&w->loop);
    uv_timer_init(&w->loop, &w->limit);
    snprintf(w->log_path, sizeof w->log_path, "/tmp/aikv_bus_test.XXXXXX");
    close(mkstemp(w->log_path));
    log_open(w->log_path);
    w->log_level = log_get_level();
    log_set_level(LOG_INFO);
    *state = w;
    return 0;
}

int world_tear_down(void **state)
{
    struct world *w = *state;
    node_stop(w, &w->a);
    node_stop(w, &w->b);
    uv_close((uv_handle_t *)&w->limit, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    log_open(NULL);
    log_set_level(w->log_level);
    unlink(w->log_path);
    free(w);
    return 0;
}

static void on_limit(uv_timer_t *timer)
{
    struct world *w = (struct world *)((char *)timer - offsetof(struct world, limit));
    w->late = true;
}

void world_limit(struct world *w)
{
    w->late = false;
    uv_update_time(&w->loop);
    uv_timer_start(&w->limit, on_limit, 10000, 0);
}

void world_turn(struct world *w, const char *waits_for)
{
    /* A stranger's socket is not on the loop: look again after a moment. */
    uv_run(&w->loop, UV_RUN_NOWAIT);
    usleep(200);
    if (w->late) fail_msg("waited in vain for: %s", waits_for);
}

void world_idle(struct world *w, uint64_t ms)
{
    w->late = false;
    uv_update_time(&w->loop);
    uv_timer_start(&w->limit, on_limit, ms, 0);
    while (!w->late) uv_run(&w->loop, UV_RUN_ONCE);
}

bool world_logged(struct world *w, const char *text)
{
    char line[2048];
    bool found = false;
    FILE *f = fopen(w->log_path, "r");
    assert_non_null(f);
    while (!found && fgets(line, sizeof line, f)) found = strstr(line, text) != NULL;
    fclose(f);
    return found;
}

/* ---- nodes ---- */

const char *node_id_of(char name)
{
    static char ids[256][HANDSHAKE_NODE_ID_LEN + 1];
    char *id = ids[(unsigned char)name];
    memset(id, name, HANDSHAKE_NODE_ID_LEN);
    return id;
}

static void on_up(void *user, struct bus_link *link)
{
    struct node *n = user;
    n->ups++;
    n->link = link;
}

static int on_frame(void *user, struct bus_link *link, enum frame_type type, struct bytes payload, struct error *e)
{
    struct node *n = user;
    if (n->refuse) return error_set(e, ERROR_FORMAT, "%s", n->refuse);
    n->frames++;
    n->last_type = type;
    buffer_clear(&n->last);
    buffer_append(&n->last, payload.data, payload.len);
    if (payload.len >= n->largest.len) {
        buffer_clear(&n->largest);
        buffer_append(&n->largest, payload.data, payload.len);
    }
    if (n->on_frame) n->on_frame(n, link);
    return 0;
}

static void on_down(void *user, struct bus_link *link)
{
    struct node *n = user;
    n->downs++;
    if (n->link == link) n->link = NULL;
}

static void start(struct world *w, struct node *n, const struct bus_options *options)
{
    struct bus_handler handler = {n, on_up, on_frame, on_down};
    buffer_init(&n->last, 64 << 20);
    buffer_init(&n->largest, 64 << 20);
    n->bus = bus_new(&w->loop, options, &handler);
    assert_non_null(n->bus);
    struct error e;
    if (bus_listen(n->bus, &n->port, &e) != 0) fail_msg("%s", e.text);
}

static struct bus_options options_of(char name, const char *secret, const char *cluster, uint16_t port)
{
    struct bus_options o = {
        .host = "127.0.0.1", .port = port, .secret = bytes_text(secret), .links_max = 64, .output_max = 1 << 20};
    snprintf(o.self.node_id, sizeof o.self.node_id, "%s", node_id_of(name));
    snprintf(o.self.cluster_id, sizeof o.self.cluster_id, "%s", cluster);
    return o;
}

void node_start(struct world *w, struct node *n, char name, const char *secret, const char *cluster, uint16_t port)
{
    struct bus_options o = options_of(name, secret, cluster, port);
    start(w, n, &o);
}

void node_start_with(struct world *w, struct node *n, char name, size_t links_max, size_t output_max)
{
    struct bus_options o = options_of(name, SECRET, "", 0);
    o.links_max = links_max;
    o.output_max = output_max;
    start(w, n, &o);
}

void node_stop(struct world *w, struct node *n)
{
    if (!n->bus) return;
    unsigned up = n->ups - n->downs;
    unsigned downs = n->downs;
    bus_close(n->bus);
    assert_int_equal(n->downs - downs, up); /* told before it returned */
    n->bus = NULL;
    n->link = NULL;
    buffer_release(&n->last);
    buffer_release(&n->largest);
    uv_run(&w->loop, UV_RUN_NOWAIT);
}

struct bus_peer *node_connect(struct node *from, const struct node *to)
{
    return bus_peer_new(from->bus, "127.0.0.1", to->port, "");
}

/* ---- the stranger ---- */

void stranger_connect(struct stranger *s, uint16_t port)
{
    *s = (struct stranger){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    buffer_init(&s->heard, 1 << 20);
    assert_true(s->fd >= 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(s->fd, (struct sockaddr *)&address, sizeof address), 0);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
}

void stranger_say(struct stranger *s, struct bytes what)
{
    ssize_t n = write(s->fd, what.data, what.len);
    if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
        return; /* hung up on in the middle: the tests look at `closed` */
    assert_int_equal(n, what.len);
}

void stranger_hear(struct stranger *s)
{
    uint8_t space[4096];
    ssize_t n;
    while ((n = read(s->fd, space, sizeof space)) > 0) buffer_append(&s->heard, space, (size_t)n);
    if (n == 0 || errno != EAGAIN) s->closed = true;
}

void stranger_handshake(struct world *w, struct stranger *s, const struct node *to, char name, const char *cluster)
{
    stranger_connect(s, to->port);
    struct handshake_identity self = {"", ""};
    snprintf(self.node_id, sizeof self.node_id, "%s", node_id_of(name));
    snprintf(self.cluster_id, sizeof self.cluster_id, "%s", cluster);
    uint8_t nonce[32];
    random_bytes(nonce, sizeof nonce);
    handshake_init(&s->shake, true, BUS_CONTROL, &self, bytes_text(SECRET), nonce);
    struct buffer out;
    buffer_init(&out, HANDSHAKE_INPUT_MAX);
    size_t used;
    handshake_step(&s->shake, (struct bytes){0}, &used, &out, NULL);
    stranger_say(s, buffer_bytes(&out));
    run_until(w, (stranger_hear(s), s->heard.len > 0));
    buffer_clear(&out);
    assert_int_equal(handshake_step(&s->shake, buffer_bytes(&s->heard), &used, &out, NULL), HANDSHAKE_DONE);
    stranger_say(s, buffer_bytes(&out));
    buffer_consume(&s->heard, used);
    buffer_release(&out);
}

void stranger_frame(struct stranger *s, uint64_t sequence, enum frame_type type, struct bytes payload)
{
    struct buffer out;
    buffer_init(&out, 64 << 20);
    assert_int_equal(frame_write(&out, s->shake.send_key, sequence, type, payload, NULL), 0);
    stranger_say(s, buffer_bytes(&out));
    buffer_release(&out);
}

void stranger_leave(struct stranger *s)
{
    close(s->fd);
    buffer_release(&s->heard);
}
