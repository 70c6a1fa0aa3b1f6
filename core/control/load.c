/* Load reports. Every node tells the leader every 2 s how it is, and of those slots whose primary it is and that have
 * changed since the last report that the leader has acknowledged; of all of them every 30 s, to a new leader, and where
 * an acknowledgement is missing. A report is at most 256 KiB, and one is under way at a time, so that nothing gathers
 * before a slow leader. The leader reports to itself. */
#include <stdio.h>
#include <stdlib.h>

#include "control/control_thread.h"

#define REPORT_MS 2000
#define LOST_MS   6000 /* without an acknowledgement */
#define WHOLE_MS  30000
#define TAKE_MS   1000 /* the leader looks at one report of a node in this time */

void control_load_init(struct control *c)
{
    c->load.meter = control_allocate(sizeof *c->load.meter);
    c->load.table = control_allocate(sizeof *c->load.table);
}

void control_load_release(struct control *c)
{
    free(c->load.meter);
    free(c->load.table);
}

/* ---- this node's ---- */

static void on_disk(uv_fs_t *request)
{
    struct control *c = request->data;
    const uv_statfs_t *fs = request->ptr;
    if (request->result == 0) {
        c->load.disk_known = true;
        c->load.disk_free_bytes = fs->f_bavail * fs->f_bsize;
    }
    uv_fs_req_cleanup(request);
    c->load.disk_asked = false;
}

/* A disk that hangs must not hold up control: the answer is for the next report. */
static void ask_disk(struct control *c)
{
    if (c->load.disk_asked || c->stopping) return;
    c->load.disk_request.data = c;
    c->load.disk_asked = uv_fs_statfs(&c->loop, &c->load.disk_request, c->options.data_dir, on_disk) == 0;
}

static void look_at_node(struct control *c)
{
    struct load *l = &c->load;
    load_meter_sample(l->meter, control_now_ms(c));
    l->node = (struct cluster_node_load){
        .keys = l->meter->keys,
        .milliops = l->meter->milliops,
        .uptime_ms = control_now_ms(c) - c->started_ms,
        .disk_bytes = atomic_load_explicit(&l->disk_bytes, memory_order_relaxed),
        .memory_bytes = atomic_load_explicit(&l->memory_bytes, memory_order_relaxed),
        .memory_limit_bytes = atomic_load_explicit(&l->memory_limit_bytes, memory_order_relaxed),
    };
    if (l->disk_known) l->node.disk_limit_bytes = l->node.disk_bytes + l->disk_free_bytes;
    ask_disk(c);
}

static void list_owned(const struct control *c, bool owned[CLUSTER_SLOTS])
{
    const struct cluster_state *s = control_state(c);
    const struct cluster_node *me = cluster_node_find(s, c->self.id);
    uint32_t mine = me && cluster_node_is_primary(s, me) ? me->shard : 0;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) owned[slot] = mine && s->owner[slot] == mine;
}

/* What the leader knows of this node may be nothing, or not what it was told. */
static void check_leader(struct control *c, const char *leader)
{
    struct load *l = &c->load;
    uint64_t now = control_now_ms(c), term = control_term(c);
    bool is_new = strcmp(l->leader, leader) != 0 || l->term != term;
    bool lost = l->unanswered && now - l->sent_ms >= LOST_MS;
    if (!is_new && !lost && now - l->whole_ms < WHOLE_MS) return;
    if (is_new || lost) l->unanswered = false;
    snprintf(l->leader, sizeof l->leader, "%s", leader);
    l->term = term;
    l->whole_ms = now;
    load_meter_forget_sent(l->meter);
}

/* The report goes over the bus, or on the leader into its own table. */
static void send_report(struct control *c, const struct message_load *m)
{
    if (c->leads) {
        load_table_take(c->load.table, control_state(c), c->self.id, m);
        return;
    }
    struct bus_link *to = control_link_to(c, c->load.leader);
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_LOAD));
    message_load_write(&b, m);
    if (to && !b.failed) bus_link_send(to, FRAME_LOAD, buffer_bytes(&b));
    buffer_release(&b);
    c->load.unanswered = true; /* and if it could not be sent, that is found out by the answer that does not come */
    c->load.sent_ms = control_now_ms(c);
}

static void report(struct control *c)
{
    bool owned[CLUSTER_SLOTS];
    struct buffer slots;
    buffer_init(&slots, MESSAGE_LOAD_SLOTS_MAX);
    list_owned(c, owned);
    struct message_load m = {.sequence = ++c->load.sequence, .node = c->load.node};
    m.count = load_meter_report(c->load.meter, owned, &slots);
    m.slots = buffer_bytes(&slots);
    if (slots.failed)
        load_meter_forget_sent(c->load.meter); /* no memory: the next report tries anew */
    else
        send_report(c, &m);
    buffer_release(&slots);
}

void control_load_tick(struct control *c)
{
    struct load *l = &c->load;
    if (c->leads) load_table_fit(l->table, control_state(c));
    if (control_now_ms(c) - l->reported_ms < REPORT_MS) return;
    l->reported_ms = control_now_ms(c);
    look_at_node(c);
    const char *leader = control_leader(c);
    if (!leader[0]) return;
    check_leader(c, leader);
    if (!l->unanswered) report(c);
}

int control_load_acknowledged(struct control *c, struct bus_link *from, const struct message_load_ack *m,
                              struct error *e)
{
    (void)e;
    if (strcmp(c->load.leader, bus_link_peer(from)->node_id) == 0 && m->sequence == c->load.sequence)
        c->load.unanswered = false;
    return 0;
}

/* ---- the leader's ---- */

void control_load_begin(struct control *c)
{
    memset(c->load.table, 0, sizeof *c->load.table);
    for (uint32_t i = 0; i < c->member_count; i++) {
        c->members[i]->load = (struct cluster_node_load){0};
        c->members[i]->load_ms = 0;
    }
    c->load.reported_ms = 0; /* its own load is known at once */
}

bool control_load_is_due(const struct control *c, const char *node)
{
    const struct member *m = control_member_find(c, node);
    return c->leads && m && (!m->load_ms || control_now_ms(c) - m->load_ms >= TAKE_MS);
}

int control_load_reported(struct control *c, struct bus_link *from, const struct message_load *m, struct error *e)
{
    (void)e;
    struct member *member = control_member_find(c, bus_link_peer(from)->node_id);
    member->load = m->node;
    member->load_ms = control_now_ms(c);
    load_table_take(c->load.table, control_state(c), member->id, m);
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_LOAD_ACK));
    message_load_ack_write(&b, &(struct message_load_ack){.sequence = m->sequence});
    bus_link_send(from, FRAME_LOAD_ACK, buffer_bytes(&b));
    buffer_release(&b);
    return 0;
}
