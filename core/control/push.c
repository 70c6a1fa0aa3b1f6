/* The leader's word to everybody: a pulse every 200 ms ("I lead, this is the version"), and what is missing to whoever
 * answers with an older version: the commands after it if they are still in the ring, else the whole state. One push is
 * under way to a node at a time; what happens meanwhile goes with the next one. */
#include <inttypes.h>

#include "base/log.h"
#include "control/control_thread.h"

void control_push_begin(struct control *c)
{
    delta_ring_clear(&c->deltas);
    c->check_self = true;
    for (uint32_t i = 0; i < c->member_count; i++) {
        struct member *m = c->members[i];
        m->heard_ms = m->version = m->push_link = 0;
        m->answered = m->push_open = m->push_failed = m->wants_snapshot = m->told_newer = false;
        m->check_info = true;
    }
    control_push_pulse(c);
}

void control_push_applied(struct control *c, struct bytes command)
{
    if (c->leads) delta_ring_add(&c->deltas, meta_state(c->meta)->version, command);
}

/* The member's link, and whether it is another one than before: then what was known of it is void. */
static struct bus_link *link_of(struct control *c, struct member *m, bool *is_new)
{
    struct bus_link *l = control_link_to(c, m->id);
    *is_new = l && m->push_link != bus_link_id(l);
    if (*is_new) {
        m->push_link = bus_link_id(l);
        m->answered = m->push_open = m->push_failed = m->wants_snapshot = false;
    }
    return l;
}

static void pulse(struct control *c, struct member *m, struct bus_link *to)
{
    struct message_pulse p = {
        .term = control_term(c), .sequence = ++c->push_sequence, .version = meta_state(c->meta)->version};
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_PULSE));
    message_pulse_write(&b, &p);
    bus_link_send(to, FRAME_PULSE, buffer_bytes(&b));
    buffer_release(&b);
    m->push_failed = false; /* one more try a pulse */
}

void control_push_pulse(struct control *c)
{
    for (uint32_t i = 0; i < c->member_count; i++) {
        bool is_new;
        struct bus_link *l = link_of(c, c->members[i], &is_new);
        if (l) pulse(c, c->members[i], l);
    }
}

static bool send_delta(struct control *c, struct member *m, struct bus_link *to)
{
    struct buffer commands, b;
    buffer_init(&commands, 2 * DELTA_RING_BYTES_MAX);
    buffer_init(&b, frame_payload_max(FRAME_METADATA_DELTA));
    struct message_delta d = {.term = control_term(c), .sequence = c->push_sequence, .from_version = m->version};
    d.count = m->wants_snapshot || m->version == 0 ? 0 : delta_ring_since(&c->deltas, m->version, &commands);
    d.commands = buffer_bytes(&commands);
    message_delta_write(&b, &d);
    bool fits = d.count && !commands.failed && !b.failed;
    if (fits) bus_link_send(to, FRAME_METADATA_DELTA, buffer_bytes(&b));
    buffer_release(&commands);
    buffer_release(&b);
    return fits;
}

void control_push_snapshot(struct control *c, struct bus_link *to, uint64_t term)
{
    const struct cluster_state *s = control_state(c);
    if (c->snapshot_version != s->version) {
        buffer_clear(&c->snapshot);
        cluster_state_encode(s, &c->snapshot);
        c->snapshot_version = s->version;
    }
    struct message_snapshot m = {
        .term = term, .sequence = c->push_sequence, .state = buffer_bytes(&c->snapshot)};
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_METADATA_SNAPSHOT));
    message_snapshot_write(&b, &m);
    if (b.failed || c->snapshot.failed)
        log_error("the metadata is too large to be pushed", "bytes=%zu", c->snapshot.len);
    else
        bus_link_send(to, FRAME_METADATA_SNAPSHOT, buffer_bytes(&b));
    buffer_release(&b);
}

static void push(struct control *c, struct member *m)
{
    bool is_new;
    struct bus_link *l = link_of(c, m, &is_new);
    if (is_new) pulse(c, m, l); /* asks at once what it has */
    if (!l || !m->answered || m->push_open || m->push_failed || m->version >= meta_state(c->meta)->version) return;
    m->push_sequence = ++c->push_sequence;
    m->push_open = true;
    if (!send_delta(c, m, l)) control_push_snapshot(c, l, control_term(c));
}

void control_push_changes(struct control *c)
{
    for (uint32_t i = 0; i < c->member_count; i++) push(c, c->members[i]);
}

/* MetaRaft was restored from a backup, or the node lies: it may say so with every answer. */
static void tell_newer(const struct control *c, struct member *m)
{
    uint64_t ours = meta_state(c->meta)->version;
    if (m->version <= ours || m->told_newer) return;
    m->told_newer = true;
    log_error("a node has newer metadata than the leader", "node=%s theirs=%" PRIu64 " ours=%" PRIu64, m->id,
              m->version, ours);
}

int control_push_acknowledged(struct control *c, struct bus_link *from, const struct message_pulse_ack *ack,
                              struct error *e)
{
    struct member *m = control_member_find(c, bus_link_peer(from)->node_id);
    if (!c->leads || !m || m->push_link != bus_link_id(from)) return 0;
    if (ack->sequence > c->push_sequence)
        return error_set(e, ERROR_FORMAT, "node %s answers frame %" PRIu64 ", which was not sent", m->id,
                         ack->sequence);
    m->heard_ms = control_now_ms(c);
    m->answered = true;
    if (m->push_open && ack->sequence < m->push_sequence) return 0; /* from before the push arrived there */
    /* A push that did not bring it forward is followed by the whole state, but not before the next pulse. */
    bool forward = ack->version > m->version;
    m->push_failed = m->push_open && !forward;
    m->wants_snapshot = !forward && (m->push_failed || m->wants_snapshot);
    m->push_open = false;
    if (ack->version != m->version) {
        m->version = ack->version;
        tell_newer(c, m);
        control_touch(c);
    }
    push(c, m);
    return 0;
}

void control_push_link_down(struct control *c, uint64_t link_id)
{
    for (uint32_t i = 0; i < c->member_count; i++)
        if (c->members[i]->push_link == link_id) c->members[i]->push_link = 0;
}
