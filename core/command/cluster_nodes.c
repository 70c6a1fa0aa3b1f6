/* CLUSTER INFO, NODES and REPLICAS: lines of text as Redis writes them. Tools compare the lines of different nodes, so
 * slots are always told in the same ranges, and redis-cli wants a line break after the last line too. */
#include "command/cluster.h"
#include "command/engine.h"
#include "net/resolve.h"

struct command_slot_run command_cluster_run(const struct cluster_routing *r, unsigned from)
{
    struct command_slot_run run = {from, from, r->slot_primary[from]};
    while (run.to + 1 < CLUSTER_SLOTS && r->slot_primary[run.to + 1] == run.primary) run.to++;
    return run;
}

void command_cluster_info(struct command_call *c)
{
    const struct cluster_routing *r = command_cluster_routing(c);
    if (!r) return;
    const struct command_cluster_summary *s = &c->engine->cluster;
    struct buffer *out = &c->engine->scratch;
    buffer_printf(out,
                  "cluster_state:%s\r\ncluster_slots_assigned:%u\r\ncluster_slots_ok:%u\r\ncluster_slots_pfail:0\r\n"
                  "cluster_slots_fail:%u\r\ncluster_known_nodes:%u\r\ncluster_size:%u\r\ncluster_current_epoch:%llu\r\n"
                  "cluster_my_epoch:%llu\r\n",
                  s->ok && r->self ? "ok" : "fail", s->slots_assigned, s->slots_ok, s->slots_fail,
                  r->self ? r->state->node_count : 1, s->size, (unsigned long long)s->epoch_max,
                  (unsigned long long)s->epoch_mine);
    resp_verbatim(c->reply, buffer_bytes(out));
}

/* One node; `slots` are its ranges, "" or " 0-5460 …". */
static void write_node(const struct command_call *c, const struct cluster_routing *r, const struct cluster_node *n,
                       const char *slots, struct buffer *out)
{
    const struct cluster_endpoint *p = command_endpoint(c->engine, c->client, &n->info);
    const struct cluster_shard *shard = n->shard ? cluster_shard_find(r->state, n->shard) : NULL;
    bool replica = shard && strcmp(shard->primary, n->info.id) != 0, me = n == r->self;
    buffer_printf(out, "%s %s:%u@%u %s%s%s %s 0 0 %llu %s%s", n->info.id, p->host, p->port, n->info.bus_port,
                  me ? "myself," : "", replica ? "slave" : "master", n->up || me ? "" : ",fail",
                  replica ? shard->primary : "-", (unsigned long long)(shard ? shard->epoch : 0),
                  n->up || me ? "connected" : "disconnected", slots);
}

/* The ranges of every node, by index, gathered in one pass over the slots. */
static struct buffer *gather_slots(struct command_call *c, const struct cluster_routing *r)
{
    struct buffer *slots = arena_alloc(c->arena, r->state->node_count * sizeof *slots);
    for (uint32_t i = 0; i < r->state->node_count; i++) buffer_init(&slots[i], CLUSTER_SLOTS * 12);
    struct command_slot_run run;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot = run.to + 1) {
        run = command_cluster_run(r, slot);
        if (run.primary < 0) continue;
        buffer_printf(&slots[run.primary], run.from == run.to ? " %u" : " %u-%u", run.from, run.to);
    }
    return slots;
}

static const char *as_text(struct buffer *b)
{
    return buffer_append(b, "", 1) ? (const char *)b->data : "";
}

static void drop_slots(struct buffer *slots, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) buffer_release(&slots[i]);
}

/* A node that is in no cluster shows itself alone, at the address this client used. */
static void write_alone(const struct command_call *c, const struct cluster_routing *r, struct buffer *out)
{
    struct error e;
    char host[254] = "";
    uint16_t port = 0;
    net_split_address(net_client_local_address(c->client), host, sizeof host, &port, &e);
    buffer_printf(out, "%s %s:%u@%u myself,master - 0 0 0 connected\n", r->my_id, host, port, r->my_bus_port);
}

void command_cluster_nodes(struct command_call *c)
{
    const struct cluster_routing *r = command_cluster_routing(c);
    if (!r) return;
    struct buffer *out = &c->engine->scratch;
    if (!r->self) {
        write_alone(c, r, out);
    } else {
        struct buffer *slots = gather_slots(c, r);
        for (uint32_t i = 0; i < r->state->node_count; i++) {
            write_node(c, r, &r->state->nodes[i], as_text(&slots[i]), out);
            buffer_append_text(out, "\n");
        }
        drop_slots(slots, r->state->node_count);
    }
    resp_verbatim(c->reply, buffer_bytes(out));
}

void command_cluster_replicas(struct command_call *c)
{
    const struct cluster_routing *r = command_cluster_routing(c);
    struct error e;
    if (!r) return;
    const struct cluster_node *primary = r->self ? cluster_node_named(r->state, c->argv[2], &e) : NULL;
    if (!primary) {
        resp_error(c->reply, ERROR_NOT_FOUND, "Unknown node %s", command_text(c, 2));
        return;
    }
    if (primary->shard && !cluster_node_is_primary(r->state, primary)) {
        resp_error(c->reply, ERROR_GENERIC, "The specified node is not a master");
        return;
    }
    const struct cluster_state *s = r->state;
    size_t n = 0;
    for (uint32_t i = 0; i < s->node_count; i++) {
        n += primary->shard && s->nodes[i].shard == primary->shard && &s->nodes[i] != primary;
    }
    resp_array(c->reply, n);
    for (uint32_t i = 0; i < s->node_count && n; i++) {
        if (s->nodes[i].shard != primary->shard || &s->nodes[i] == primary) continue;
        buffer_clear(&c->engine->scratch);
        write_node(c, r, &s->nodes[i], "", &c->engine->scratch);
        resp_bulk(c->reply, buffer_bytes(&c->engine->scratch));
    }
}
