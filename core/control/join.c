/* A node without a cluster: it tells the join addresses that it is there, until somebody admits it; or it founds a
 * cluster, if it is to and nobody there has one. The addresses are kept after that as well, for those at them that are
 * no members yet: so a leader finds its candidates again at once after a restart. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/random.h"
#include "control/control_thread.h"
#include "net/resolve.h"

#define SAY_MISSING_MS 5000

static bool is_own_address(const struct control *c, const char *host, uint16_t port)
{
    return port == c->self.bus_port && strcmp(host, c->self.bus_host) == 0;
}

static void found(struct control *c)
{
    c->founding = false;
    struct control_identity identity = c->identity;
    if (!identity.cluster_id[0]) {
        random_hex(identity.cluster_id, CLUSTER_ID_LEN);
        identity.raft_id = 1;
        struct error e = {0};
        if (c->options.save_identity(c->options.handler.user, &identity, &e) != 0) {
            control_fail(c, &e);
            return;
        }
        c->identity = identity;
    }
    log_info("founds a cluster", "cluster=%s", c->identity.cluster_id);
    bus_set_cluster(c->bus, c->identity.cluster_id);
    struct cluster_command command = {.type = CLUSTER_FOUND, .info = c->self};
    memcpy(command.cluster_id, c->identity.cluster_id, sizeof command.cluster_id);
    control_take_part(c, &command);
}

void control_join_dial(struct control *c)
{
    c->joins = control_allocate(c->options.join_count * sizeof *c->joins);
    for (size_t i = 0; i < c->options.join_count; i++) {
        struct join_peer *j = &c->joins[i];
        struct error e;
        if (net_split_address(c->options.join[i], j->host, sizeof j->host, &j->port, &e) != 0) {
            log_warn("a join address is left out", "address=%s error=%s", log_quote(c->options.join[i]),
                     log_quote(e.text));
            continue;
        }
        if (!is_own_address(c, j->host, j->port)) j->peer = bus_peer_new(c->bus, j->host, j->port, "");
    }
}

void control_join_start(struct control *c)
{
    control_join_dial(c);
    bool has_cluster = c->identity.cluster_id[0] != 0;
    /* The founder's identity was made, the founding itself was interrupted: it goes on. On a directory that has
     * MetaRaft's files the command does nothing, and raft id 1 was never anybody else's. */
    if (has_cluster && c->identity.raft_id == 1 && !c->identity.left && !c->meta) found(c);
    c->founding = c->options.bootstrap && !has_cluster;
    if (!has_cluster && !c->founding)
        log_info("is a candidate: waits to be admitted to a cluster", "join_addresses=%zu", c->options.join_count);
}

/* Who does not answer may be of a cluster: this node's own one, if its data directory was wiped. Some may be missing
 * after a while, but not most. */
static bool may_found(const struct control *c)
{
    size_t asked = 0, answered = 0;
    for (size_t i = 0; i < c->options.join_count; i++) {
        asked += c->joins[i].peer != NULL;
        answered += c->joins[i].peer && c->joins[i].answered;
    }
    if (answered == asked) return true;
    return answered * 2 > asked && control_now_ms(c) - c->started_ms >= CONTROL_FOUND_MS;
}

static void say_who_is_missing(struct control *c)
{
    char missing[600] = "";
    size_t len = 0;
    for (size_t i = 0; i < c->options.join_count && len < sizeof missing; i++)
        if (c->joins[i].peer && !c->joins[i].answered)
            len += (size_t)snprintf(missing + len, sizeof missing - len, "%s%s", len ? " " : "", c->options.join[i]);
    log_warn("waits for most of its join peers before it founds a cluster: they may be of one already", "missing=%s",
             log_quote(missing));
}

/* Whoever is at a join address and a member has a peer of its own. */
static void keep_peer(struct control *c, struct join_peer *j)
{
    struct bus_link *l = j->peer ? bus_peer_link(j->peer) : NULL;
    if (l) snprintf(j->node, sizeof j->node, "%s", bus_link_peer(l)->node_id);
    bool is_self = strcmp(j->node, c->self.id) == 0;
    bool is_member = j->node[0] && (is_self || cluster_node_find(control_state(c), j->node));
    const struct member *m = is_member ? control_member_find(c, j->node) : NULL;
    if (l && (is_self || (m && m->peer && bus_peer_link(m->peer)))) {
        bus_peer_free(j->peer);
        j->peer = NULL;
    } else if (!j->peer && j->node[0] && !is_member) {
        j->peer = bus_peer_new(c->bus, j->host, j->port, "");
    }
}

void control_join_tick(struct control *c)
{
    for (size_t i = 0; c->joins && i < c->options.join_count; i++) keep_peer(c, &c->joins[i]);
    if (c->founding && may_found(c)) found(c);
    if (c->founding && c->ticks % (SAY_MISSING_MS / CONTROL_TICK_MS) == 0) say_who_is_missing(c);
    bool is_candidate = !c->identity.cluster_id[0];
    if (is_candidate && c->ticks % (CONTROL_ANNOUNCE_MS / CONTROL_TICK_MS) == 0) control_links_announce_all(c);
}

void control_join_announced(struct control *c, const struct message_announce *a)
{
    for (size_t i = 0; c->joins && i < c->options.join_count; i++) {
        struct bus_link *l = c->joins[i].peer ? bus_peer_link(c->joins[i].peer) : NULL;
        if (l && strcmp(bus_link_peer(l)->node_id, a->info.id) == 0) c->joins[i].answered = true;
    }
    if (!c->founding) return;
    if (!a->cluster_id[0]) { /* one that is to found as well names itself: of two the smaller id does */
        if (strcmp(a->leader, a->info.id) != 0 || strcmp(a->info.id, c->self.id) > 0) return;
        c->founding = false;
        log_warn("another node is to found the cluster too: is a candidate for it", "node=%s", a->info.id);
        return;
    }
    c->founding = false;
    log_info("there is a cluster already: is a candidate for it", "cluster=%s node=%s", a->cluster_id, a->info.id);
}

const struct cluster_node_info *control_info_of(const struct control *c, const char *id)
{
    const struct cluster_node *n = cluster_node_find(control_state(c), id);
    return n ? &n->info : candidates_find(&c->candidates, id);
}

void control_join_candidate(struct control *c, const struct cluster_node_info *info)
{
    if (c->leads) {
        if (candidates_heard(&c->candidates, info, control_now_ms(c)))
            log_info("a candidate announced itself", "node=%s name=%s address=%s port=%u", info->id,
                     log_quote(info->name), log_quote(info->bus_host), info->bus_port);
        return;
    }
    const char *leader = control_leader(c);
    struct bus_link *to = leader[0] ? control_link_to(c, leader) : NULL;
    if (!to) return; /* it says so again every second */
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_CANDIDATE));
    cluster_node_info_write(&b, info);
    if (!b.failed) bus_link_send(to, FRAME_CANDIDATE, buffer_bytes(&b));
    buffer_release(&b);
}

void control_join_release(struct control *c)
{
    for (size_t i = 0; c->joins && i < c->options.join_count; i++)
        if (c->joins[i].peer) bus_peer_free(c->joins[i].peer);
    free(c->joins);
    c->joins = NULL;
}
