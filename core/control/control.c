/* The thread: its start and end, its loop, and what is done after every event. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control_thread.h"

#define LINKS_MAX       (2 * CLUSTER_NODES_MAX + 1024)
#define LINK_OUTPUT_MAX (64u << 20)
#define MAILBOX_MAX     1024 /* calls of this node and jobs of the policy thread, which are bounded, and room */
#define HAND_OVER_MS    1000
#define ELECTION_MS     200
#define HEARTBEAT_MS    20

void *control_allocate(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p) abort();
    return p;
}

uint64_t control_now_ms(const struct control *c)
{
    return uv_now(&c->loop);
}

void control_touch(struct control *c)
{
    if (!c->closing) uv_async_send(&c->wake);
}

/* ---- the end of the process ---- */

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

static int exit_code(const struct error *e)
{
    return e->code == ERROR_FORMAT || e->code == ERROR_FOREIGN ? 5 : e->code == ERROR_IO || e->code == ERROR_MISCONF ? 7 : 1;
}

void control_fail(struct control *c, const struct error *e)
{
    if (c->broken) return;
    c->broken = true;
    log_error("control cannot go on", "error=%s", log_quote(e->text));
    struct failure *f = control_allocate(sizeof *f);
    f->message.deliver = deliver_failure;
    f->handler = c->options.handler;
    f->exit_code = exit_code(e);
    f->error = *e;
    if (mailbox_post(c->options.data_mailbox, &f->message)) return;
    /* The data thread is so far behind that it cannot even be told: MetaRaft's disk failed, nothing here can be saved. */
    log_error("the data thread does not take messages: ends at once", "exit_code=%d", f->exit_code);
    _Exit(f->exit_code);
}

/* ---- MetaRaft ---- */

static void meta_sends(void *user, uint64_t raft_id, struct bytes message)
{
    control_send_raft(user, raft_id, message);
}

static void meta_applied(void *user, struct bytes command, const struct cluster_result *result)
{
    struct control *c = user;
    if (!result->changed) return;
    step_log_applied(&c->steps, command);
    control_push_applied(c, command);
    control_touch(c);
}

static void meta_replaced(void *user)
{
    struct control *c = user;
    if (c->meta) step_log_seed(&c->steps, meta_state(c->meta));
    control_touch(c);
}

static void meta_leadership(void *user, bool leads)
{
    (void)leads; /* control_react looks by itself */
    control_touch(user);
}

static void meta_fails(void *user, const struct error *e)
{
    control_fail(user, e);
}

static int open_meta(struct control *c, const struct cluster_command *found, struct error *e)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/raft", c->options.data_dir);
    struct meta_options options = {.dir = dir, .raft_id = c->identity.raft_id, .election_ms = ELECTION_MS, .heartbeat_ms = HEARTBEAT_MS};
    struct meta_handler handler = {.user = c,
                                   .send = meta_sends,
                                   .applied = meta_applied,
                                   .replaced = meta_replaced,
                                   .leadership = meta_leadership,
                                   .failed = meta_fails};
    int code = meta_open(&c->loop, &options, &handler, found, &c->meta, e);
    if (code == 0) log_info("is a member of MetaRaft", "raft_id=%llu", (unsigned long long)c->identity.raft_id);
    return code;
}

void control_open_meta(struct control *c, const struct cluster_command *found)
{
    struct error e = {0};
    if (open_meta(c, found, &e) != 0) control_fail(c, &e);
    control_touch(c);
}

struct proposal {
    struct control *control;
    control_proposed done;
    uint64_t number;
    char node[CLUSTER_ID_LEN + 1];
};

static void proposal_done(void *user, const struct cluster_result *result)
{
    struct proposal *p = user;
    struct control *c = p->control;
    p->done(c, result, p->number, p->node);
    free(p);
    control_touch(c);
}

int control_propose(struct control *c, const struct cluster_command *command, control_proposed done, uint64_t number, const char *node,
                    struct error *e)
{
    if (!c->meta || c->broken) return error_set(e, ERROR_NOT_LEADER, "this node does not lead MetaRaft");
    struct proposal *p = control_allocate(sizeof *p);
    p->control = c;
    p->done = done;
    p->number = number;
    snprintf(p->node, sizeof p->node, "%s", node);
    int code = meta_propose(c->meta, command, proposal_done, p, e);
    if (code) free(p);
    return code;
}

/* The state gave this node a part in MetaRaft: it takes it, once. A raft id is never exchanged for another: a wiped node is a new one. */
static void join_meta(struct control *c)
{
    const struct cluster_node *me = cluster_node_find(control_state(c), c->self.id);
    if (c->meta || c->broken || !me || !me->raft_id || c->identity.raft_id) return;
    struct control_identity identity = c->identity;
    identity.raft_id = me->raft_id;
    struct error e = {0};
    if (c->options.save_identity(c->options.handler.user, &identity, &e) != 0) {
        control_fail(c, &e);
        return;
    }
    c->identity = identity;
    control_open_meta(c, NULL);
}

/* ---- after every event ---- */

static void reign_begins(struct control *c)
{
    c->leads = true;
    c->leads_since_ms = control_now_ms(c);
    log_info("leads the cluster", "term=%llu version=%llu", (unsigned long long)meta_term(c->meta),
             (unsigned long long)meta_state(c->meta)->version);
    if (c->known && c->known->version > meta_state(c->meta)->version)
        log_error("was pushed newer metadata than MetaRaft has", "pushed=%llu", (unsigned long long)c->known->version);
    if (c->known) cluster_state_free(c->known);
    c->known = NULL;
    c->leader[0] = 0;
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
    if (c->routed_once && c->routed_version == s->version && c->routed_term == term && strcmp(c->routed_leader, leader) == 0) return;
    route_publish(c->route, cluster_routing_new(s, c->self.id, leader, term));
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
    join_meta(c);
    control_members_sync(c);
    if (c->leads) control_push_changes(c);
    publish(c);
    control_runner_advance(c);
    control_calls_tick(c);
}

/* ---- the end ---- */

static void on_meta_closed(void *user)
{
    (void)user;
}

/* Closes what there is; the loop ends when all of it has closed. */
static void close_all(struct control *c)
{
    c->closing = true;
    uv_close((uv_handle_t *)&c->tick, NULL);
    uv_close((uv_handle_t *)&c->wake, NULL);
    if (c->meta) meta_close(c->meta, on_meta_closed, c);
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
    if (c->meta && !c->broken && meta_leads(c->meta) && cluster_voters(meta_state(c->meta)) > 1 && meta_transfer(c->meta, 0, &e) == 0)
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
    c->ticks++;
    uint64_t now = control_now_ms(c);
    candidates_expire(&c->candidates, control_state(c), now);
    control_join_tick(c);
    control_known_tick(c);
    if (c->ticks % (CONTROL_PULSE_MS / CONTROL_TICK_MS) == 0 && c->leads) {
        control_push_pulse(c);
        control_reign_tick(c);
    }
    route_retry(c->route);
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
    if (!c->route || !c->policy || !c->bus) return error_set(e, ERROR_OOM, "no memory or threads for the control thread");
    int code = bus_listen(c->bus, &c->bound_port, e);
    if (code) return code;
    if (c->options.bus_port == 0) c->self.bus_port = c->bound_port;
    control_known_load(c);
    /* A founder that was stopped between making its identity and founding has nothing yet and founds now; anybody else's is there. */
    if (c->identity.raft_id && !(c->identity.raft_id == 1 && !c->known)) code = open_meta(c, NULL, e);
    if (code) return code;
    control_join_start(c);
    return c->broken ? error_set(e, ERROR_IO, "MetaRaft could not be started") : 0;
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

static void thread_main(void *argument)
{
    struct control *c = argument;
    log_set_thread("control");
    begin_loop(c);
    c->start_code = open_all(c, &c->start_error);
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

/* ---- for the data thread ---- */

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (!copy) abort();
    return copy;
}

static void copy_options(struct control *c, const struct control_options *o)
{
    c->options = *o;
    c->options.data_dir = copy_text(o->data_dir);
    c->options.bus_host = copy_text(o->bus_host);
    uint8_t *secret = control_allocate(o->secret.len);
    if (o->secret.len) memcpy(secret, o->secret.data, o->secret.len);
    c->options.secret.data = secret;
    char(*join)[280] = control_allocate(o->join_count * sizeof *join);
    if (o->join_count) memcpy(join, o->join, o->join_count * sizeof *join);
    c->options.join = (const char(*)[280])join;
    c->self = o->self;
    c->identity = o->identity;
}

static void free_control(struct control *c)
{
    control_calls_release(c);
    control_runner_release(c);
    control_known_release(c);
    route_free(c->route);
    step_log_release(&c->steps);
    delta_ring_clear(&c->deltas);
    buffer_release(&c->snapshot);
    candidates_release(&c->candidates);
    free(c->links);
    uv_sem_destroy(&c->started);
    free((void *)c->options.data_dir);
    free((void *)c->options.bus_host);
    explicit_bzero((void *)c->options.secret.data, c->options.secret.len);
    free((void *)c->options.secret.data);
    free((void *)c->options.join);
    free(c);
}

int control_start(const struct control_options *options, struct control **out, uint16_t *bound_port, struct error *e)
{
    struct control *c = control_allocate(sizeof *c);
    copy_options(c, options);
    c->empty = cluster_state_new();
    buffer_init(&c->snapshot, CLUSTER_ENCODED_MAX);
    uv_sem_init(&c->started, 0);
    if (uv_thread_create(&c->thread, thread_main, c) != 0) {
        free_control(c);
        return error_set(e, ERROR_LIMIT, "no control thread: the system's limit of threads is reached");
    }
    uv_sem_wait(&c->started);
    int code = c->start_code;
    if (code) {
        uv_thread_join(&c->thread);
        if (e) *e = c->start_error;
        free_control(c);
        return code;
    }
    *bound_port = c->bound_port;
    *out = c;
    return 0;
}

void control_stop(struct control *c)
{
    atomic_store(&c->stop_asked, true);
    uv_async_send(&c->wake);
    uv_thread_join(&c->thread);
    free_control(c);
}

void control_report_load(struct control *c, const struct control_load *load)
{
    atomic_store_explicit(&c->load_keys, load->keys, memory_order_relaxed);
    atomic_store_explicit(&c->load_disk_bytes, load->disk_bytes, memory_order_relaxed);
    atomic_store_explicit(&c->load_memory_bytes, load->memory_bytes, memory_order_relaxed);
}
