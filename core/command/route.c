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

#define NO_SLOT (-1)

/* Of the keys of some requests. */
struct slots_asked {
    int first; /* the first key's; NO_SLOT: there are no keys */
    bool others, keys; /* whether other keys have others; whether any are more than channels */
};

static void add_slots(struct slots_asked *s, const struct command_request *request)
{
    const struct command_row *row = request->entry->row;
    for (struct command_keys k = command_keys(row, request->argc, request->argv); command_keys_next(&k);) {
        int slot = (int)keyspace_slot(request->argv[k.at]);
        if (s->first == NO_SLOT) s->first = slot;
        s->others |= slot != s->first;
        s->keys |= command_has_keys(row);
    }
}

/* Whether the slot is assigned; if not, the error was replied. */
static bool is_assigned(const struct cluster_routing *r, unsigned slot, struct resp_writer *reply)
{
    if (r && !r->self && r->state->id[0]) {
        resp_error(reply, ERROR_CLUSTERDOWN,
                   "This node was removed from its cluster and serves nothing: CLUSTER RESET makes it a candidate again");
        return false;
    }
    if (r && r->self && r->slot_primary[slot] >= 0) return true;
    resp_error(reply, ERROR_CLUSTERDOWN, "Hash slot not served");
    return false;
}

/* As Redis's getNodeByQuery: an unassigned slot of the first key, then keys apart, then the state of the cluster, then
 * the owner. Until replicas carry data, READONLY changes nothing: a replica sends its clients to the primary. */
static bool may_serve(struct command_engine *e, const struct net_client *client, const struct slots_asked *s, struct resp_writer *reply)
{
    const struct cluster_routing *r = e->routing;
    if (s->first == NO_SLOT) return true;
    unsigned slot = (unsigned)s->first;
    if (!is_assigned(r, slot, reply)) return false;
    if (s->others) {
        resp_error(reply, ERROR_CROSSSLOT, "Keys in request don't hash to the same slot");
        return false;
    }
    if (!e->cluster.ok && s->keys) { /* a channel needs no more than its own slot */
        resp_error(reply, ERROR_CLUSTERDOWN, "The cluster is down");
        return false;
    }
    if (r->slot_mine[slot]) return true;
    const struct cluster_endpoint *p = command_endpoint(e, client, &r->state->nodes[r->slot_primary[slot]].info);
    resp_error(reply, ERROR_MOVED, "%u %s:%u", slot, p->host, p->port);
    return false;
}

bool command_slot_check(struct command_engine *e, const struct net_client *client, const struct command_request *request,
                        struct resp_writer *reply)
{
    struct slots_asked s = {.first = NO_SLOT};
    add_slots(&s, request);
    if (!may_serve(e, client, &s, reply)) return false;
    if (s.first != NO_SLOT) e->slot_commands[s.first]++; /* counted where the slot is at hand */
    return true;
}

bool command_slot_check_all(struct command_engine *e, const struct net_client *client, const struct command_request *requests, size_t count,
                            struct resp_writer *reply)
{
    struct slots_asked s = {.first = NO_SLOT};
    for (size_t i = 0; i < count; i++) add_slots(&s, &requests[i]);
    return may_serve(e, client, &s, reply);
}
