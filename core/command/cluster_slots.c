/* CLUSTER SLOTS and SHARDS: what clients build their slot tables from. */
#include "command/cluster.h"
#include "command/engine.h"

static bool is_replica_of(const struct cluster_node *n, const struct cluster_node *primary)
{
    return primary->shard && n->shard == primary->shard && n != primary;
}

/* ---- SLOTS ---- */

static void reply_slot_node(struct command_call *c, const struct cluster_node *n)
{
    const struct cluster_endpoint *p = command_endpoint(c->engine, c->client, &n->info);
    resp_array(c->reply, 4);
    resp_bulk_text(c->reply, p->host);
    resp_integer(c->reply, p->port);
    resp_bulk_text(c->reply, n->info.id);
    resp_map(c->reply, 0); /* further addresses: none */
}

/* A range, its primary, then the replicas that are up. */
static void reply_run(struct command_call *c, const struct cluster_state *s, const struct command_slot_run *run)
{
    const struct cluster_node *primary = &s->nodes[run->primary];
    size_t replicas = 0;
    for (uint32_t i = 0; i < s->node_count; i++) replicas += is_replica_of(&s->nodes[i], primary) && s->nodes[i].up;
    resp_array(c->reply, 3 + replicas);
    resp_integer(c->reply, run->from);
    resp_integer(c->reply, run->to);
    reply_slot_node(c, primary);
    for (uint32_t i = 0; i < s->node_count; i++) {
        if (is_replica_of(&s->nodes[i], primary) && s->nodes[i].up) reply_slot_node(c, &s->nodes[i]);
    }
}

void command_cluster_slots(struct command_call *c)
{
    const struct cluster_routing *r = command_cluster_routing(c);
    if (!r) return;
    struct command_slot_run run;
    size_t n = 0;
    for (unsigned slot = 0; r->self && slot < CLUSTER_SLOTS; slot = run.to + 1) {
        run = command_cluster_run(r, slot);
        n += run.primary >= 0;
    }
    resp_array(c->reply, n);
    for (unsigned slot = 0; n && slot < CLUSTER_SLOTS; slot = run.to + 1) {
        run = command_cluster_run(r, slot);
        if (run.primary >= 0) reply_run(c, r->state, &run);
    }
}

/* ---- SHARDS ---- */

static void reply_shard_node(struct command_call *c, const struct cluster_node *n, bool primary, bool me)
{
    const struct cluster_endpoint *p = command_endpoint(c->engine, c->client, &n->info);
    struct resp_writer *w = c->reply;
    resp_map(w, 7);
    resp_bulk_text(w, "id");
    resp_bulk_text(w, n->info.id);
    resp_bulk_text(w, "port");
    resp_integer(w, p->port);
    resp_bulk_text(w, "ip");
    resp_bulk_text(w, p->host);
    resp_bulk_text(w, "endpoint");
    resp_bulk_text(w, p->host);
    resp_bulk_text(w, "role");
    resp_bulk_text(w, primary ? "master" : "replica");
    resp_bulk_text(w, "replication-offset");
    resp_integer(w, 0);
    resp_bulk_text(w, "health");
    resp_bulk_text(w, n->up || me ? "online" : "fail");
}

static void reply_shard_slots(struct command_call *c, const struct cluster_routing *r, uint32_t number)
{
    struct cluster_ranges ranges = {0};
    if (number) cluster_shard_slots(r->state, number, &ranges);
    resp_array(c->reply, ranges.count * 2);
    for (size_t i = 0; i < ranges.count; i++) {
        resp_integer(c->reply, ranges.list[i].from);
        resp_integer(c->reply, ranges.list[i].to);
    }
    cluster_ranges_release(&ranges);
}

/* A primary and what follows it; a node in no shard is told as a shard of its own, without slots, as Redis does. */
static void reply_shard(struct command_call *c, const struct cluster_routing *r, const struct cluster_node *primary)
{
    const struct cluster_state *s = r->state;
    size_t replicas = 0;
    for (uint32_t i = 0; i < s->node_count; i++) replicas += is_replica_of(&s->nodes[i], primary);
    resp_map(c->reply, 2);
    resp_bulk_text(c->reply, "slots");
    reply_shard_slots(c, r, primary->shard);
    resp_bulk_text(c->reply, "nodes");
    resp_array(c->reply, 1 + replicas);
    reply_shard_node(c, primary, true, primary == r->self);
    for (uint32_t i = 0; i < s->node_count; i++) {
        const struct cluster_node *n = &s->nodes[i];
        if (is_replica_of(n, primary)) reply_shard_node(c, n, false, n == r->self);
    }
}

static bool heads_shard(const struct cluster_state *s, const struct cluster_node *n)
{
    return !n->shard || cluster_node_is_primary(s, n);
}

void command_cluster_shards(struct command_call *c)
{
    const struct cluster_routing *r = command_cluster_routing(c);
    if (!r) return;
    const struct cluster_state *s = r->state;
    size_t n = 0;
    for (uint32_t i = 0; i < s->node_count && r->self; i++) n += heads_shard(s, &s->nodes[i]);
    resp_array(c->reply, n);
    for (uint32_t i = 0; i < s->node_count && n; i++) {
        if (heads_shard(s, &s->nodes[i])) reply_shard(c, r, &s->nodes[i]);
    }
}
