/* What this node knows of the cluster: the metadata that the leader pushes to it, and who leads. */
#include <stdio.h>

#include "base/log.h"
#include "control/control_thread.h"

/* ---- what is known ---- */

const struct cluster_state *control_state(const struct control *c)
{
    const struct cluster_state *pushed = c->known ? c->known : c->empty;
    const struct cluster_state *own = c->meta ? meta_state(c->meta) : c->empty;
    return own->version > pushed->version ? own : pushed;
}

const char *control_leader(const struct control *c)
{
    if (c->leads) return c->self.id;
    return control_now_ms(c) - c->leader_heard_ms <= CONTROL_LEADER_LOST_MS ? c->leader : "";
}

uint64_t control_term(const struct control *c)
{
    return c->leads ? c->reign_term : c->highest_term;
}

/* ---- from the leader ---- */

static bool is_voter(const struct cluster_state *s, const char *node)
{
    const struct cluster_node *n = cluster_node_find(s, node);
    return n && n->role == CLUSTER_ROLE_VOTER;
}

static void acknowledge(struct control *c, struct bus_link *to, uint64_t sequence)
{
    struct message_pulse_ack m = {.sequence = sequence,
                                  .version = c->known && !c->known_suspect ? c->known->version : 0};
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_PULSE_ACK));
    message_pulse_ack_write(&b, &m);
    bus_link_send(to, FRAME_PULSE_ACK, buffer_bytes(&b));
    buffer_release(&b);
}

/* Whether a frame of this term may come from a leader: not from one that was deposed, never from two of one term. */
static bool may_lead(const struct control *c, const char *node, uint64_t term)
{
    if (c->leads || term < c->highest_term) return false;
    if (c->highest_term && term - c->highest_term > META_TERM_JUMP_MAX) return false;
    return term > c->leader_term || !c->leader[0] || strcmp(c->leader, node) == 0;
}

static void follow(struct control *c, const char *node, uint64_t term)
{
    if (strcmp(control_leader(c), node) != 0 || c->leader_term != term) {
        log_info("follows the leader", "node=%s term=%llu", node, (unsigned long long)term);
        control_touch(c);
    }
    snprintf(c->leader, sizeof c->leader, "%s", node);
    c->leader_term = c->highest_term = term;
    c->leader_heard_ms = control_now_ms(c);
}

int control_known_pulse(struct control *c, struct bus_link *from, const struct message_pulse *m, struct error *e)
{
    (void)e;
    const char *node = bus_link_peer(from)->node_id;
    if (!c->identity.cluster_id[0]) {
        acknowledge(c, from, m->sequence); /* it has admitted this node: its snapshot comes next */
        return 0;
    }
    if (!may_lead(c, node, m->term)) return 0;
    if (is_voter(control_state(c), node))
        follow(c, node, m->term);
    else /* a leader that was no voter then: this node was away for long, and needs the whole */
        c->known_suspect = true;
    acknowledge(c, from, m->sequence);
    return 0;
}

void control_known_install(struct control *c, struct cluster_state *s)
{
    if (c->known) cluster_state_free(c->known);
    c->known = s;
    c->known_pushed = true;
    c->known_suspect = false;
    c->synced_version = 0; /* the same version may hold other nodes than a file that was lost in between */
    step_log_seed(&c->steps, s);
    control_touch(c);
}

/* A leader that has admitted this node pushes the cluster's metadata to it: that is how a candidate learns it is a
 * member. */
static int adopt(struct control *c, const char *node, const struct cluster_state *s, struct error *e)
{
    const struct cluster_node *sender = cluster_node_find(s, node);
    if (!s->id[0] || !cluster_node_find(s, c->self.id) || !sender || sender->role != CLUSTER_ROLE_VOTER)
        return error_set(e, ERROR_DENIED, "node %s pushes metadata in which this node is no member, or it no voter",
                         node);
    struct control_identity identity = c->identity;
    memcpy(identity.cluster_id, s->id, sizeof identity.cluster_id);
    if (c->options.save_identity(c->options.handler.user, &identity, e) != 0) {
        control_fail(c, e);
        return e->code;
    }
    c->identity = identity;
    c->founding = false;
    bus_set_cluster(c->bus, s->id);
    log_info("is a member of a cluster", "cluster=%s leader=%s", s->id, node);
    return 0;
}

static bool sender_counts(const struct control *c, const struct cluster_state *pushed, const char *node)
{
    return is_voter(control_state(c), node) || is_voter(pushed, node);
}

/* Takes a decoded snapshot over, or leaves it to the caller (false) with code 0 if it is just not wanted. */
static bool take_snapshot(struct control *c, struct bus_link *from, const struct message_snapshot *m,
                          struct cluster_state *s, int *code, struct error *e)
{
    const char *node = bus_link_peer(from)->node_id;
    if (m->term == 0) return control_removed_learn(c, node, s);
    if (!c->identity.cluster_id[0] && (*code = adopt(c, node, s, e)) != 0) return false;
    if (strcmp(s->id, c->identity.cluster_id) != 0) {
        *code = error_set(e, ERROR_FOREIGN, "node %s pushes the metadata of cluster %s", node, s->id);
        return false;
    }
    if (!may_lead(c, node, m->term) || !sender_counts(c, s, node)) return false;
    follow(c, node, m->term);
    if (c->known && s->version < c->known->version) {
        log_error("the leader pushes older metadata than this node has: left out", "leader=%s theirs=%llu ours=%llu",
                  node, (unsigned long long)s->version, (unsigned long long)c->known->version);
        return false;
    }
    control_known_install(c, s);
    return true;
}

int control_known_snapshot(struct control *c, struct bus_link *from, const struct message_snapshot *m, struct error *e)
{
    struct cluster_state *s = NULL;
    int code = cluster_state_decode(m->state, &s, e);
    if (code) return code;
    if (!take_snapshot(c, from, m, s, &code, e)) cluster_state_free(s);
    if (code) return code;
    acknowledge(c, from, m->sequence);
    return 0;
}

static void apply_delta(struct control *c, const struct message_delta *m)
{
    struct reader r = reader_of(m->commands);
    c->known_pushed = true;
    for (uint32_t i = 0; i < m->count && !c->known_suspect; i++) {
        struct bytes command = read_bytes(&r, m->commands.len);
        uint64_t before = c->known->version;
        struct cluster_result result = {0};
        cluster_apply(c->known, command, &result);
        if (c->known->version == before + 1) {
            step_log_applied(&c->steps, command);
        } else {
            log_error("a pushed command does not fit this node's metadata: asks for the whole", "version=%llu error=%s",
                      (unsigned long long)before, log_quote(result.error.text));
            c->known_suspect = true;
        }
    }
    control_touch(c);
}

int control_known_delta(struct control *c, struct bus_link *from, const struct message_delta *m, struct error *e)
{
    const char *node = bus_link_peer(from)->node_id;
    (void)e;
    if (!may_lead(c, node, m->term) || !is_voter(control_state(c), node)) return 0;
    follow(c, node, m->term);
    if (c->known && !c->known_suspect && c->known->version == m->from_version) apply_delta(c, m);
    acknowledge(c, from, m->sequence); /* with what we have: the leader sees what is missing */
    return 0;
}

void control_known_release(struct control *c)
{
    if (c->known) cluster_state_free(c->known);
    cluster_state_free(c->empty);
}
