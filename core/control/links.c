/* Links that are up, and the frames that come over them. Who may say what is decided here:
 *
 *   anybody who knows the secret   ANNOUNCE; to a node without a cluster also PULSE and METADATA_SNAPSHOT (known.c
 *                                  looks at these more closely)
 *   nodes of our cluster           everything; what only a leader or a member may say is checked where it is read */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/control_thread.h"

/* ---- the table: sorted by id, which rise, so new ones come last ---- */

static uint32_t position(const struct control *c, uint64_t id)
{
    uint32_t from = 0, to = c->link_count;
    while (from < to) {
        uint32_t middle = (from + to) / 2;
        if (c->links[middle].id < id)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct link *control_link_find(struct control *c, uint64_t id)
{
    uint32_t at = position(c, id);
    return at < c->link_count && c->links[at].id == id ? &c->links[at] : NULL;
}

static void insert(struct control *c, struct bus_link *l)
{
    if (c->link_count == c->link_room) {
        c->link_room = c->link_room ? c->link_room * 2 : 16;
        c->links = realloc(c->links, c->link_room * sizeof *c->links);
        if (!c->links) abort();
    }
    uint32_t at = position(c, bus_link_id(l));
    memmove(c->links + at + 1, c->links + at, (c->link_count - at) * sizeof *c->links);
    c->link_count++;
    c->links[at] = (struct link){.id = bus_link_id(l), .at = l, .since_ms = control_now_ms(c)};
    snprintf(c->links[at].node, sizeof c->links[at].node, "%s", bus_link_peer(l)->node_id);
}

struct bus_link *control_link_to(struct control *c, const char *node)
{
    struct member *m = control_member_find(c, node);
    struct bus_link *own = m && m->peer ? bus_peer_link(m->peer) : NULL;
    if (own) return own;
    for (uint32_t i = c->link_count; i-- > 0;)
        if (strcmp(c->links[i].node, node) == 0) return c->links[i].at;
    return NULL;
}

/* ---- saying who this is ---- */

void control_links_announce(struct control *c, struct bus_link *at)
{
    struct message_announce m = {.info = c->self};
    snprintf(m.cluster_id, sizeof m.cluster_id, "%s", c->identity.cluster_id);
    snprintf(m.leader, sizeof m.leader, "%s", c->founding ? c->self.id : control_leader(c));
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_ANNOUNCE));
    message_announce_write(&b, &m);
    if (b.failed)
        log_error("this node's announcement is too long: shorten its labels and endpoints", "max=%zu", b.max);
    else
        bus_link_send(at, FRAME_ANNOUNCE, buffer_bytes(&b));
    buffer_release(&b);
}

void control_links_announce_all(struct control *c)
{
    for (uint32_t i = 0; i < c->link_count; i++) control_links_announce(c, c->links[i].at);
}

/* ---- MetaRaft's messages ---- */

/* Who is raft member `raft_id`: by the metadata, or by what a link said that the metadata here does not know yet. */
static struct bus_link *link_of_raft(struct control *c, uint64_t raft_id)
{
    const struct cluster_node *n = cluster_node_by_raft_id(control_state(c), raft_id);
    if (!n && c->meta) n = cluster_node_by_raft_id(meta_state(c->meta), raft_id);
    if (n) return control_link_to(c, n->info.id);
    for (uint32_t i = c->link_count; i-- > 0;)
        if (c->links[i].raft_id == raft_id) return c->links[i].at;
    return NULL;
}

void control_send_raft(struct control *c, uint64_t raft_id, struct bytes message)
{
    if (!c->bus || c->closing) return;
    struct bus_link *to = link_of_raft(c, raft_id);
    if (!to) return;
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_RAFT));
    message_raft_write(&b, &(struct message_raft){.to = raft_id, .from = c->identity.raft_id, .message = message});
    if (b.failed)
        log_error("a message of MetaRaft is too large", "bytes=%zu", message.len);
    else
        bus_link_send(to, FRAME_RAFT, buffer_bytes(&b));
    buffer_release(&b);
}

/* A raft id belongs to the node that has it in the metadata. One that the metadata here does not know may be newer than
 * the metadata: it is believed of a node of our cluster whose record has none, so that a node left behind can still
 * vote and be caught up. */
static bool may_be(struct control *c, const struct link *l, uint64_t raft_id)
{
    const struct cluster_state *s = control_state(c);
    const struct cluster_node *n = cluster_node_by_raft_id(s, raft_id);
    if (!n && c->meta) n = cluster_node_by_raft_id(meta_state(c->meta), raft_id);
    if (n) return strcmp(n->info.id, l->node) == 0;
    const struct cluster_node *sender = cluster_node_find(s, l->node);
    return raft_id >= s->next_raft_id && (!sender || sender->raft_id == 0);
}

static int on_raft(struct control *c, struct link *l, struct bytes payload, struct error *e)
{
    struct message_raft m;
    int code = message_raft_read(payload, &m, e);
    if (code) return code;
    if (!c->meta || c->broken || m.to != meta_raft_id(c->meta))
        return 0; /* not ready, or meant for who was here before */
    bool was_removed = !cluster_node_find(control_state(c), l->node) && m.from < control_state(c)->next_raft_id;
    if (was_removed) return 0; /* and is going to be told so */
    if (!may_be(c, l, m.from))
        return error_set(e, ERROR_DENIED, "node %s says that it is member %llu of MetaRaft, which it is not", l->node,
                         (unsigned long long)m.from);
    l->raft_id = m.from;
    return meta_receive(c->meta, m.from, m.message, e);
}

/* ---- frames ---- */

static int on_announce(struct control *c, struct link *l, struct bytes payload, struct error *e)
{
    struct message_announce a;
    int code = message_announce_read(payload, &a, e);
    if (code) return code;
    if (strcmp(a.info.id, l->node) != 0)
        return error_set(e, ERROR_DENIED, "node %s announces itself as %s", l->node, a.info.id);
    if (a.cluster_id[0] && c->identity.cluster_id[0] && strcmp(a.cluster_id, c->identity.cluster_id) != 0)
        return error_set(e, ERROR_FOREIGN, "node %s belongs to cluster %s", l->node, a.cluster_id);
    bool first = !l->announced;
    l->announced = true;
    l->of_cluster = a.cluster_id[0] && strcmp(a.cluster_id, c->identity.cluster_id) == 0;
    control_join_announced(c, &a);
    if (cluster_node_find(control_state(c), l->node))
        control_members_announced(c, &a.info);
    else if (!a.cluster_id[0] && c->identity.cluster_id[0])
        control_join_candidate(c, &a.info);
    if (first) control_touch(c);
    return 0;
}

static int on_candidate(struct control *c, const struct link *l, struct bytes payload, struct error *e)
{
    struct cluster_node_info info;
    int code = message_candidate_read(payload, &info, e);
    if (code) return code;
    if (c->leads && cluster_node_find(control_state(c), l->node) && !cluster_node_find(control_state(c), info.id))
        control_join_candidate(c, &info);
    return 0;
}

static int on_call(struct control *c, const struct link *l, struct bytes payload, struct error *e)
{
    struct message_call m;
    int code = message_call_read(payload, &m, e);
    if (code) return code;
    if (!cluster_node_find(control_state(c), l->node))
        code = error_set(e, ERROR_DENIED, "node %s is no member and sends calls", l->node);
    else
        code = control_calls_remote(c, l->at, &m, e);
    free(m.argv);
    return code;
}

/* Reads a frame of one kind and hands it to whom it concerns. */
#define PASS(kind, reader, taker)                                                                                      \
    {                                                                                                                  \
        struct kind m;                                                                                                 \
        int code = reader(payload, &m, e);                                                                             \
        return code ? code : taker(c, l->at, &m, e);                                                                   \
    }

/* What comes too fast is not read. */
static int on_load(struct control *c, const struct link *l, struct bytes payload, struct error *e)
{
    struct message_load m;
    if (!control_load_is_due(c, l->node)) return 0;
    int code = message_load_read(payload, &m, e);
    return code ? code : control_load_reported(c, l->at, &m, e);
}

/* A member may have been linked before it had a cluster; a leader that this node has not heard of yet names the
 * cluster. */
static bool may_send(struct control *c, const struct link *l, enum frame_type type)
{
    if (type == FRAME_ANNOUNCE) return true;
    if (!c->identity.cluster_id[0]) return type == FRAME_PULSE || type == FRAME_METADATA_SNAPSHOT;
    return strcmp(bus_link_peer(l->at)->cluster_id, c->identity.cluster_id) == 0 ||
           cluster_node_find(control_state(c), l->node);
}

static int on_frame(void *user, struct bus_link *at, enum frame_type type, struct bytes payload, struct error *e)
{
    struct control *c = user;
    struct link *l = control_link_find(c, bus_link_id(at));
    if (!l || (c->stopping && type != FRAME_RAFT) || strcmp(l->node, c->self.id) == 0) return 0;
    if (!l->announced && type != FRAME_ANNOUNCE)
        return error_set(e, ERROR_FORMAT, "node %s sends %s before ANNOUNCE", l->node, frame_type_name(type));
    if (!may_send(c, l, type))
        return error_set(e, ERROR_DENIED, "node %s sends %s and is not of this cluster", l->node,
                         frame_type_name(type));
    switch (type) {
    case FRAME_ANNOUNCE: return on_announce(c, l, payload, e);
    case FRAME_CANDIDATE: return on_candidate(c, l, payload, e);
    case FRAME_CALL: return on_call(c, l, payload, e);
    case FRAME_RAFT: return on_raft(c, l, payload, e);
    case FRAME_LOAD: return on_load(c, l, payload, e);
    case FRAME_LOAD_ACK: PASS(message_load_ack, message_load_ack_read, control_load_acknowledged)
    case FRAME_PUBLISH: PASS(message_publish, message_publish_read, control_publish_received)
    case FRAME_PULSE: PASS(message_pulse, message_pulse_read, control_known_pulse)
    case FRAME_PULSE_ACK: PASS(message_pulse_ack, message_pulse_ack_read, control_push_acknowledged)
    case FRAME_METADATA_SNAPSHOT: PASS(message_snapshot, message_snapshot_read, control_known_snapshot)
    case FRAME_METADATA_DELTA: PASS(message_delta, message_delta_read, control_known_delta)
    case FRAME_CALL_REPLY: PASS(message_call_reply, message_call_reply_read, control_calls_reply)
    }
    return error_set(e, ERROR_FORMAT, "a frame of the unknown type %d", (int)type);
}

static void on_up(void *user, struct bus_link *at)
{
    struct control *c = user;
    insert(c, at);
    control_links_announce(c, at);
    control_touch(c);
}

static void on_down(void *user, struct bus_link *at)
{
    struct control *c = user;
    struct link *l = control_link_find(c, bus_link_id(at));
    if (!l) return;
    control_push_link_down(c, l->id);
    uint32_t index = (uint32_t)(l - c->links);
    char node[CLUSTER_ID_LEN + 1];
    memcpy(node, l->node, sizeof node);
    memmove(l, l + 1, (c->link_count - index - 1) * sizeof *l);
    c->link_count--;
    if (!control_link_to(c, node)) candidates_remove(&c->candidates, node); /* it may come back as another (RESET HARD) */
    control_touch(c);
}

void control_links_handler(struct control *c, struct bus_handler *out)
{
    *out = (struct bus_handler){.user = c, .up = on_up, .frame = on_frame, .down = on_down};
}
