/* Which node serves a key, and where this client finds it. */
#include "command/call.h"
#include "command/engine.h"
#include "command/keys.h"
#include "net/resolve.h"

const struct cluster_endpoint *command_endpoint(const struct command_engine *e, const struct net_client *client,
                                                const struct cluster_node_info *node)
{
    const char *host = net_client_host(client);
    for (uint32_t i = 0; i + 1 < node->endpoint_count; i++) {
        const struct cluster_endpoint *p = &node->endpoints[i];
        if (strcmp(p->match, "any") == 0) return p;
        bool fits = strcmp(p->match, "gateway") == 0 ? e->gateway[0] && strcmp(host, e->gateway) == 0
                                                     : net_in_cidr(host, p->match);
        if (fits) return p;
    }
    return &node->endpoints[node->endpoint_count - 1]; /* matches any */
}

void command_cluster_summarize(const struct cluster_routing *r, struct command_cluster_summary *out)
{
    *out = (struct command_cluster_summary){0};
    const struct cluster_state *s = r->state;
    bool serves[CLUSTER_NODES_MAX] = {false};
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        int16_t primary = r->slot_primary[slot];
        if (primary < 0) continue;
        out->slots_assigned++;
        out->size += !serves[primary];
        serves[primary] = true;
        if (s->nodes[primary].up) {
            out->slots_ok++;
        } else {
            out->slots_fail++;
        }
    }
    for (uint32_t i = 0; i < s->shard_count; i++) {
        const struct cluster_shard *shard = &s->shards[i];
        if (shard->epoch > out->epoch_max) out->epoch_max = shard->epoch;
        if (r->self && r->self->shard == shard->number) out->epoch_mine = shard->epoch;
    }
    out->ok = out->slots_ok == CLUSTER_SLOTS;
}

/* As Redis's getNodeByQuery: an unassigned slot of the first key, then keys apart, then the state of the cluster, then
 * the owner. Until replicas carry data, READONLY changes nothing: a replica sends its clients to the primary. */
bool command_slot_check(struct command_engine *e, const struct net_client *client, const struct command_row *row,
                        int argc, const struct bytes *argv, struct resp_writer *reply)
{
    struct command_keys keys = command_keys(row, argc, argv);
    if (!command_keys_next(&keys)) return true;
    const struct cluster_routing *r = e->routing;
    unsigned slot = keyspace_slot(argv[keys.at]);
    if (r && !r->self && r->state->id[0]) {
        resp_error(reply, ERROR_CLUSTERDOWN,
                   "This node was removed from its cluster and serves nothing: CLUSTER RESET makes it a candidate again");
        return false;
    }
    if (!r || !r->self || r->slot_primary[slot] < 0) {
        resp_error(reply, ERROR_CLUSTERDOWN, "Hash slot not served");
        return false;
    }
    while (command_keys_next(&keys)) {
        if (keyspace_slot(argv[keys.at]) != slot) {
            resp_error(reply, ERROR_CROSSSLOT, "Keys in request don't hash to the same slot");
            return false;
        }
    }
    if (!e->cluster.ok && command_has_keys(row)) { /* a channel needs no more than its own slot */
        resp_error(reply, ERROR_CLUSTERDOWN, "The cluster is down");
        return false;
    }
    if (r->slot_mine[slot]) {
        e->slot_commands[slot]++; /* counted where the slot is at hand */
        return true;
    }
    const struct cluster_endpoint *p = command_endpoint(e, client, &r->state->nodes[r->slot_primary[slot]].info);
    resp_error(reply, ERROR_MOVED, "%u %s:%u", slot, p->host, p->port);
    return false;
}
