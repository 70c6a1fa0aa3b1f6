/* The control thread: its loop, and what it does after every event. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/control_thread.h"

#define LINKS_MAX       (2 * CLUSTER_NODES_MAX + 1024)
#define LINK_OUTPUT_MAX (64u << 20)
#define MAILBOX_MAX     (1024 + CONTROL_MESSAGES_MAX) /* calls of this node and jobs of the policy thread, which are bounded, and room; messages */
#define PAUSE_MS        1000 /* between two ticks: this process stood still */

uint64_t control_now_ms(const struct control *c)
{
    return uv_now(&c->loop);
}

void control_touch(struct control *c)
{
    if (!c->closing) uv_async_send(&c->wake);
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
    c->reign_term = c->highest_term = meta_term(c->meta);
    control_push_begin(c);
    control_load_begin(c);
    control_runner_begin(c);
    control_triggers_begin(c);
}

static void reign_ends(struct control *c)
{
    c->leads = false;
    c->leader_heard_ms = control_now_ms(c); /* from this node itself */
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
    if (c->leads && (!leads || meta_term(c->meta) != c->reign_term)) reign_ends(c);
    if (leads && !c->leads) reign_begins(c);
    control_leave_meta(c);
    control_join_meta(c);
    control_removed_notice(c);
    control_members_sync(c);
    if (c->leads) control_push_changes(c);
    publish(c);
    control_runner_advance(c);
    control_triggers_advance(c);
    control_calls_tick(c);
}

/* ---- the loop ---- */

static void on_wake(uv_async_t *wake)
{
    struct control *c = wake->data;
    if (atomic_load(&c->stop_asked) && !c->stopping) control_end_begin(c);
    if (!c->stopping) react(c);
}

static void on_tick(uv_timer_t *timer)
{
    struct control *c = timer->data;
    if (c->stopping) {
        control_end_tick(c);
        return;
    }
    uint64_t now = control_now_ms(c);
    if (now - c->ticked_ms > PAUSE_MS) c->leads_since_ms = now; /* who could not listen does not know who was silent */
    c->ticked_ms = now;
    c->ticks++;
    candidates_expire(&c->candidates, control_state(c), now);
    control_join_tick(c);
    control_persist_tick(c);
    if (c->ticks % (CONTROL_PULSE_MS / CONTROL_TICK_MS) == 0) {
        if (c->leads) control_push_pulse(c);
        if (c->leads) control_reign_tick(c);
        control_removed_tell(c);
    }
    control_load_tick(c);
    route_retry(c->route);
    control_fail_tell(c);
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
    if ((code = control_persist_load(c, e))) return code;
    /* A founder that was stopped between making its identity and founding has nothing yet and founds now; anybody
     * else's is there. */
    bool founds = c->identity.raft_id == 1 && !c->known;
    if (c->identity.raft_id && !c->identity.left && !founds) code = control_open_meta(c, NULL, e);
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
        control_end_close(c);
    } else {
        uv_timer_start(&c->tick, on_tick, CONTROL_TICK_MS, CONTROL_TICK_MS);
        control_touch(c);
    }
    uv_sem_post(&c->started);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&c->loop);
    if (busy) log_error("the control loop ended with open handles", "error=%s", uv_strerror(busy));
}
