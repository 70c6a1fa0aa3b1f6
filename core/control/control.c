/* Starting and stopping, from the data thread. */
#include <stdlib.h>

#include "control/control_thread.h"

void *control_allocate(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p) abort();
    return p;
}

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
    memcpy(c->identity.node_id, o->self.id, sizeof c->identity.node_id);
}

static void free_control(struct control *c)
{
    control_outbox_release(c);
    control_runner_release(c);
    control_triggers_release(c);
    control_known_release(c);
    route_free(c->route);
    step_log_release(&c->steps);
    delta_ring_clear(&c->deltas);
    buffer_release(&c->snapshot);
    candidates_release(&c->candidates);
    control_load_release(c);
    control_room_release(c->room_out);
    control_room_release(c->room_in);
    free(c->links);
    free(c->failure);
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
    control_load_init(c);
    c->room_out = control_room_new();
    c->room_in = control_room_new();
    uv_sem_init(&c->started, 0);
    if (uv_thread_create(&c->thread, control_thread_main, c) != 0) {
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
    atomic_store_explicit(&c->load.disk_bytes, load->disk_bytes, memory_order_relaxed);
    atomic_store_explicit(&c->load.memory_bytes, load->memory_bytes, memory_order_relaxed);
    atomic_store_explicit(&c->load.memory_limit_bytes, load->memory_limit_bytes, memory_order_relaxed);
}

void control_report_slots(struct control *c, unsigned first, size_t count, const struct control_slot_load *slots)
{
    load_meter_put(c->load.meter, first, count, slots);
}
