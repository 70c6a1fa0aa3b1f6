/* The control thread: its loop, what it does after every event, and its end. */
#include <stdio.h>
#include <stdlib.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "control/control_thread.h"

#define LINKS_MAX       (2 * CLUSTER_NODES_MAX + 1024)
#define LINK_OUTPUT_MAX (64u << 20)
#define MAILBOX_MAX     1024 /* calls of this node and jobs of the policy thread, which are bounded, and room */
#define HAND_OVER_MS    1000
#define PAUSE_MS        1000 /* between two ticks: this process stood still */

uint64_t control_now_ms(const struct control *c)
{
    return uv_now(&c->loop);
}

void control_touch(struct control *c)
{
    if (!c->closing) uv_async_send(&c->wake);
}

/* ---- when the process must end ---- */

struct failure {
    struct mailbox_message message;
    struct control_handler handler;
    int exit_code;
    struct error error;
};

static void deliver_failure(struct mailbox_message *m, void *user)
{
    (void)user;
    struct failure *f = (struct failure *)m;
    f->handler.failed(f->handler.user, f->exit_code, &f->error);
    free(f);
}

/* Again later if the mailbox is full. */
static void post_failure(struct control *c)
{
    if (c->failure && mailbox_post(c->options.data_mailbox, &c->failure->message)) c->failure = NULL;
}

void control_fail(struct control *c, const struct error *e)
{
    if (c->broken) return;
    c->broken = true;
    c->start_error = *e; /* while it starts, control_start returns it */
    if (c->starting) return;
    log_error("control cannot go on", "error=%s", log_quote(e->text));
    c->failure = control_allocate(sizeof *c->failure);
    c->failure->message.deliver = deliver_failure;
    c->failure->handler = c->options.handler;
    c->failure->exit_code = exit_code_of(e);
    c->failure->error = *e;
    post_failure(c);
}

/* ---- after every event ---- */

static void reign_begins(struct control *c)
{
    c->leads = true;
    c->leads_since_ms = control_now_ms(c);
    if (c->known && c->known->version > meta_state(c->meta)->version)
        log_error("was pushed newer metadata than MetaRaft has", "pushed=%llu", (unsigned long long)c->known->version);
    if (c->known) cluster_state_free(c->known);
    c->known = NULL;
    c->leader[0] = 0;
    c->highest_term = meta_term(c->meta);
    control_push_begin(c);
    control_runner_begin(c);
}

static void reign_ends(struct control *c)
{
    c->leads = false;
    if (!c->known) c->known = cluster_state_clone(meta_state(c->meta), true);
}

static void publish(struct control *c)
{
    const struct cluster_state *s = control_state(c);
    const char *leader = control_leader(c);
    uint64_t term = control_term(c);
    if (c->routed_once && c->routed_version == s->version && c->routed_term == term &&
        strcmp(c->routed_leader, leader) == 0)
        return;
    route_publish(c->route, cluster_routing_new(s, &c->self, leader, term));
    c->routed_once = true;
    c->routed_version = s->version;
    c->routed_term = term;
    snprintf(c->routed_leader, sizeof c->routed_leader, "%s", leader);
}

static void react(struct control *c)
{
    bool leads = c->meta && !c->broken && meta_leads(c->meta);
    if (leads && !c->leads) reign_begins(c);
    if (!leads && c->leads) reign_ends(c);
    control_join_meta(c);
    control_members_sync(c);
    if (c->leads) control_push_changes(c);
    publish(c);
    control_runner_advance(c);
    control_calls_tick(c);
}

/* ---- the end ---- */

/* Closes what there is; the loop ends when all of it has closed. */
static void close_all(struct control *c)
{
    c->closing = true;
    uv_close((uv_handle_t *)&c->tick, NULL);
    uv_close((uv_handle_t *)&c->wake, NULL);
    if (c->meta) meta_close(c->meta, NULL, NULL);
    c->meta = NULL;
    control_join_release(c);
    control_members_release(c);
    if (c->bus) bus_close(c->bus);
    c->bus = NULL;
    mailbox_close(c->mailbox);
}

static void begin_stop(struct control *c)
{
    c->stopping = true;
    control_calls_fail_all(c);
    policy_thread_free(c->policy);
    c->policy = NULL;
    c->stop_deadline_ms = control_now_ms(c);
    struct error e;
    if (c->meta && !c->broken && meta_leads(c->meta) && cluster_voters(meta_state(c->meta)) > 1 &&
        meta_transfer(c->meta, 0, &e) == 0)
        c->stop_deadline_ms += HAND_OVER_MS;
}

static void stop_tick(struct control *c)
{
    bool leads = c->meta && !c->broken && meta_leads(c->meta);
    if (c->persist_running || (leads && control_now_ms(c) < c->stop_deadline_ms)) return;
    control_known_persist_now(c);
    close_all(c);
}

/* ---- the loop ---- */

static void on_wake(uv_async_t *wake)
{
    struct control *c = wake->data;
    if (atomic_load(&c->stop_asked) && !c->stopping) begin_stop(c);
    if (!c->stopping) react(c);
}

static void on_tick(uv_timer_t *timer)
{
    struct control *c = timer->data;
    if (c->stopping) {
        stop_tick(c);
        return;
    }
    uint64_t now = control_now_ms(c);
    if (now - c->ticked_ms > PAUSE_MS) c->leads_since_ms = now; /* who could not listen does not know who was silent */
    c->ticked_ms = now;
    c->ticks++;
    candidates_expire(&c->candidates, control_state(c), now);
    control_join_tick(c);
    control_known_tick(c);
    if (c->ticks % (CONTROL_PULSE_MS / CONTROL_TICK_MS) == 0 && c->leads) {
        control_push_pulse(c);
        control_reign_tick(c);
    }
    route_retry(c->route);
    post_failure(c);
    react(c);
}

static int open_all(struct control *c, struct error *e)
{
    struct bus_handler handler;
    control_links_handler(c, &handler);
    struct bus_options options = {.host = c->options.bus_host,
                                  .port = c->options.bus_port,
                                  .secret = c->options.secret,
                                  .links_max = LINKS_MAX,
                                  .output_max = LINK_OUTPUT_MAX};
    snprintf(options.self.node_id, sizeof options.self.node_id, "%s", c->self.id);
    snprintf(options.self.cluster_id, sizeof options.self.cluster_id, "%s", c->identity.cluster_id);
    c->route = route_new(c->options.data_mailbox, &c->options.handler);
    c->policy = policy_thread_new(c->mailbox);
    c->bus = bus_new(&c->loop, &options, &handler);
    if (!c->route || !c->policy || !c->bus)
        return error_set(e, ERROR_OOM, "no memory or threads for the control thread");
    int code = bus_listen(c->bus, &c->bound_port, e);
    if (code) return code;
    if (c->options.bus_port == 0) c->self.bus_port = c->bound_port;
    if ((code = control_known_load(c, e))) return code;
    /* A founder that was stopped between making its identity and founding has nothing yet and founds now; anybody
     * else's is there. */
    if (c->identity.raft_id && !(c->identity.raft_id == 1 && !c->known)) code = control_open_meta(c, NULL, e);
    if (code) return code;
    control_join_start(c);
    return c->broken ? c->start_error.code : 0;
}

static void begin_loop(struct control *c)
{
    uv_loop_init(&c->loop);
    c->mailbox = mailbox_new(&c->loop, MAILBOX_MAX, c);
    uv_async_init(&c->loop, &c->wake, on_wake);
    uv_timer_init(&c->loop, &c->tick);
    c->wake.data = c->tick.data = c;
    if (!c->mailbox) abort();
    c->started_ms = control_now_ms(c);
}

void control_thread_main(void *argument)
{
    struct control *c = argument;
    log_set_thread("control");
    begin_loop(c);
    c->starting = true;
    c->start_code = open_all(c, &c->start_error);
    c->starting = false;
    if (c->start_code) {
        policy_thread_free(c->policy);
        c->policy = NULL;
        close_all(c);
    } else {
        uv_timer_start(&c->tick, on_tick, CONTROL_TICK_MS, CONTROL_TICK_MS);
        control_touch(c);
    }
    uv_sem_post(&c->started);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&c->loop);
    if (busy) log_error("the control loop ended with open handles", "error=%s", uv_strerror(busy));
}
