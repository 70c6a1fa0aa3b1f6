#include "net/server_state.h"

#include <signal.h>
#include <stdlib.h>

#define TICK_MS         1000
#define CLOSE_GRACE_MS  1000
#define COMPLAIN_GAP_MS 1000

void net_limits_default(struct net_limits *out)
{
    *out = (struct net_limits){
        .request = resp_limits_default,
        .clients_max = 10000,
        .output_pause = (size_t)1 << 20,
        .normal = {.hard = (size_t)1 << 30},
        .subscriber = {.hard = (size_t)32 << 20, .soft = (size_t)8 << 20, .soft_ms = 60000},
        .idle_ms = 0,
        .query_memory_max = (size_t)1 << 30,
    };
}

uint64_t net_server_now_ms(const struct net_server *s)
{
    return uv_now(s->loop);
}

/* ---- turns ---- */

/* The count bounds it: who has had his share of this turn queues up again. */
static void run_ready(struct net_server *s)
{
    if (s->paused) return;
    for (size_t n = s->ready_count; n > 0 && s->ready_count > 0; n--) {
        struct net_client *c = TAILQ_FIRST(&s->ready);
        TAILQ_REMOVE(&s->ready, c, in_ready);
        s->ready_count--;
        c->is_ready = false;
        net_client_run(c);
    }
    net_server_shed(s);
}

static void flush_dirty(struct net_server *s)
{
    struct net_client *c;
    while ((c = TAILQ_FIRST(&s->dirty))) {
        TAILQ_REMOVE(&s->dirty, c, in_dirty);
        c->is_dirty = false;
        net_client_flush(c);
    }
}

static void idle_until_next_turn(uv_idle_t *idle)
{
    (void)idle; /* an active idle handle keeps the loop from sleeping; the work is done when the turn ends */
}

static void end_turn(struct net_server *s)
{
    run_ready(s);
    if (s->ran) {
        s->ran = false;
        s->handler.turn_end(s->handler.user);
    }
    flush_dirty(s);
    if (uv_is_closing((uv_handle_t *)&s->no_sleep)) return;
    if (s->ready_count > 0 && !s->paused)
        uv_idle_start(&s->no_sleep, idle_until_next_turn);
    else
        uv_idle_stop(&s->no_sleep);
}

static void on_prepare(uv_prepare_t *prepare)
{
    end_turn(prepare->data);
}

static void on_check(uv_check_t *check)
{
    struct net_server *s = check->data;
    end_turn(s);
    s->turn++;
}

/* ---- once a second ---- */

static void look_after(void *user, struct net_client *c)
{
    struct net_server *s = user;
    uint64_t quiet_ms = net_server_now_ms(s) - c->active_ms;
    if (net_client_lags(c)) {
        net_client_complain_of_output(c);
        net_client_destroy(c);
        return;
    }
    if (s->limits.idle_ms && quiet_ms > s->limits.idle_ms && !c->suspended && !c->subscriber)
        net_client_destroy(c);
    else if (quiet_ms >= TRIM_AFTER_MS)
        net_client_trim(c);
}

static void on_tick(uv_timer_t *timer)
{
    net_server_each(timer->data, look_after, timer->data);
}

/* ---- life ---- */

struct net_server *net_server_new(uv_loop_t *loop, const struct net_handler *handler, const struct net_limits *limits)
{
    struct net_server *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->loop = loop;
    s->handler = *handler;
    s->limits = *limits;
    s->turn = 1; /* clients begin with 0: have run in no turn */
    TAILQ_INIT(&s->all);
    TAILQ_INIT(&s->dirty);
    TAILQ_INIT(&s->gated);
    TAILQ_INIT(&s->ready);
    uv_prepare_init(loop, &s->prepare);
    uv_check_init(loop, &s->check);
    uv_idle_init(loop, &s->no_sleep);
    uv_timer_init(loop, &s->tick);
    uv_timer_init(loop, &s->accept_again);
    s->handles = 5;
    s->prepare.data = s->check.data = s->no_sleep.data = s->tick.data = s->accept_again.data = s;
    uv_prepare_start(&s->prepare, on_prepare);
    uv_check_start(&s->check, on_check);
    uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
    signal(SIGPIPE, SIG_IGN);
    return s;
}

void net_server_let_go(struct net_server *s)
{
    if (--s->handles > 0) return;
    free(s->slots);
    free(s->read_buffer);
    free(s->group);
    free(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
    net_server_let_go(handle->data);
}

void net_server_emptied(struct net_server *s)
{
    uv_close((uv_handle_t *)&s->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&s->check, on_handle_closed);
    uv_close((uv_handle_t *)&s->no_sleep, on_handle_closed);
    uv_close((uv_handle_t *)&s->tick, on_handle_closed);
    uv_close((uv_handle_t *)&s->accept_again, on_handle_closed);
}

static void finish_client(void *user, struct net_client *c)
{
    (void)user;
    net_client_close_after_reply(c);
}

static void destroy_client(void *user, struct net_client *c)
{
    (void)user;
    net_client_destroy(c);
}

static void on_grace_over(uv_timer_t *timer)
{
    net_server_each(timer->data, destroy_client, NULL);
}

void net_server_close(struct net_server *s)
{
    if (s->closing) return;
    s->closing = true;
    net_server_stop_listening(s);
    uv_timer_stop(&s->accept_again);
    uv_timer_start(&s->tick, on_grace_over, CLOSE_GRACE_MS, 0);
    if (TAILQ_EMPTY(&s->all))
        net_server_emptied(s);
    else
        net_server_each(s, finish_client, NULL);
}

/* ---- limits, gates, pausing ---- */

static void set_output_max(void *user, struct net_client *c)
{
    (void)user;
    net_client_set_output_max(c);
}

void net_server_set_limits(struct net_server *s, const struct net_limits *limits)
{
    s->limits = *limits;
    net_server_each(s, set_output_max, NULL);
}

const struct net_limits *net_server_limits(const struct net_server *s)
{
    return &s->limits;
}

void net_server_void_gates(struct net_server *s)
{
    s->gates_void = true;
    struct net_client *c = TAILQ_FIRST(&s->gated);
    while (c) {
        struct net_client *next = TAILQ_NEXT(c, in_gated);
        net_client_close(c);
        c = next;
    }
}

void net_server_release(struct net_server *s, uint64_t sequence)
{
    if (sequence <= s->released) return;
    s->released = sequence;
    struct net_client *c = TAILQ_FIRST(&s->gated);
    while (c) {
        struct net_client *next = TAILQ_NEXT(c, in_gated); /* c leaves the list with its last gate */
        net_client_open_gates(c);
        c = next;
    }
}

static void wake_client(void *user, struct net_client *c)
{
    (void)user;
    net_client_wake(c);
}

/* Pausing takes hold as each client comes to read; so it costs nothing for those that are quiet. */
void net_server_pause_reading(struct net_server *s, bool paused)
{
    if (s->paused == paused) return;
    s->paused = paused;
    if (!paused) net_server_each(s, wake_client, NULL);
}

static struct net_client *largest_query(struct net_server *s)
{
    struct net_client *c, *largest = NULL;
    TAILQ_FOREACH(c, &s->all, in_all)
    {
        if (!c->doomed && !c->spared && c->query_counted > (largest ? largest->query_counted : 0)) largest = c;
    }
    return largest;
}

void net_server_shed(struct net_server *s)
{
    while (s->statistics.query_memory > s->limits.query_memory_max) {
        struct net_client *largest = largest_query(s);
        if (!largest) return;
        net_server_complain(s, LOG_WARN, largest->address, "its requests are the largest, and all exceed their memory");
        net_client_destroy(largest);
    }
}

void net_server_complain(struct net_server *s, enum log_level level, const char *address, const char *why)
{
    if (s->handler.rejected) s->handler.rejected(s->handler.user, why);
    uint64_t now_ms = net_server_now_ms(s);
    if (s->complained_ms && now_ms - s->complained_ms < COMPLAIN_GAP_MS) return;
    s->complained_ms = now_ms;
    log_line(level, "closed a client", "client=%s why=%s", address, log_quote(why));
}

void net_server_statistics(const struct net_server *s, struct net_statistics *out)
{
    *out = s->statistics;
}
