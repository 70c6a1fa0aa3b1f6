/* CLUSTER: what the data thread knows, it answers; what changes the cluster goes to the control thread. */
#include "command/cluster.h"

#include "command/engine.h"

const struct cluster_routing *command_cluster_routing(struct command_call *c)
{
    const struct cluster_routing *r = c->engine->routing;
    if (!r) resp_error(c->reply, ERROR_CLUSTERDOWN, "The node has only just started and does not know its cluster yet");
    return r;
}

/* ---- this node, a slot, its keys ---- */

static void command_cluster_myid(struct command_call *c)
{
    const struct cluster_routing *r = command_cluster_routing(c);
    if (r) resp_bulk_text(c->reply, r->my_id);
}

static void command_cluster_myshardid(struct command_call *c)
{
    const struct cluster_routing *r = command_cluster_routing(c);
    if (!r) return;
    if (!r->self || !r->self->shard) {
        resp_error(c->reply, ERROR_NOT_FOUND, "This node is not part of a shard yet");
        return;
    }
    char id[CLUSTER_ID_LEN + 1];
    cluster_shard_hex(r->state, r->self->shard, id);
    resp_bulk_text(c->reply, id);
}

static void command_cluster_keyslot(struct command_call *c)
{
    resp_integer(c->reply, keyspace_slot(c->argv[2]));
}

/* Which keys there are depends on all that was written. */
static void end_look(struct command_call *c)
{
    keyspace_end(c->keyspace);
    command_gate(c->engine, c->client, keyspace_written(c->keyspace));
}

static void command_cluster_countkeysinslot(struct command_call *c)
{
    int64_t slot;
    if (!command_integer(c, 2, &slot, NULL)) return;
    if (slot < 0 || slot >= CLUSTER_SLOTS) {
        resp_error(c->reply, ERROR_SYNTAX, "Invalid slot");
        return;
    }
    keyspace_begin(c->keyspace, c->session->database, c->now_ms);
    resp_integer(c->reply, (int64_t)keyspace_slot_size(c->keyspace, (unsigned)slot));
    end_look(c);
}

struct slot_keys {
    struct resp_writer writer;
    size_t found;
};

static void add_slot_key(void *user, struct bytes key)
{
    struct slot_keys *k = user;
    resp_bulk(&k->writer, key);
    k->found++;
}

static void command_cluster_getkeysinslot(struct command_call *c)
{
    int64_t slot, count;
    if (!command_integer(c, 2, &slot, NULL) || !command_integer(c, 3, &count, NULL)) return;
    if (slot < 0 || slot >= CLUSTER_SLOTS || count < 0) {
        resp_error(c->reply, ERROR_SYNTAX, "Invalid slot or number of keys");
        return;
    }
    struct slot_keys keys = {.writer = command_writer_aside(c)};
    keyspace_begin(c->keyspace, c->session->database, c->now_ms);
    keyspace_slot_keys(c->keyspace, (unsigned)slot, (size_t)count, add_slot_key, &keys);
    end_look(c);
    if (keys.writer.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "so many keys do not fit a reply: use a smaller count");
        return;
    }
    resp_array(c->reply, keys.found);
    command_reply_aside(c);
}

/* ---- for the control thread ---- */

/* The client waits; command_engine_control_reply wakes it. */
static void pass_to_control(struct command_call *c)
{
    const struct command_host *h = c->engine->host;
    if (!h->control || !h->control(h->user, net_client_id(c->client), c->argc, c->argv, c->reply->protocol)) {
        resp_error(c->reply, ERROR_LIMIT, "too many administrative commands are waiting: try again later");
        return;
    }
    c->session->waiting = true;
    net_client_suspend(c->client);
}

static void command_cluster_reset(struct command_call *c)
{
    size_t keys = 0;
    for (unsigned db = 0; db < c->engine->databases; db++) keys += keyspace_size(c->keyspace, db);
    if (keys)
        resp_error(c->reply, ERROR_INVARIANT, "CLUSTER RESET can't be called with master nodes containing keys");
    else
        pass_to_control(c);
}

/* ---- READONLY, READWRITE, ASKING ---- */

static void command_cluster_readonly(struct command_call *c)
{
    c->session->readonly = true;
    command_reply_ok(c);
}

static void command_cluster_readwrite(struct command_call *c)
{
    c->session->readonly = false;
    command_reply_ok(c);
}

static void command_cluster_asking(struct command_call *c)
{
    command_reply_ok(c);
}

#define ANSWERED STALE
#define CHANGES  (ADMIN | STALE | NO_ASYNC_LOADING)

static const struct command_row subcommands[] = {
    {"ADDREPLICATION", 4, CHANGES, NO_KEYS, 0, pass_to_control,
     "Makes one node a replica of another.",
     .syntax = "replica-id primary-id", .since = "AiKv", .complexity = "O(1)", .suspends = true},
    {"ADDSLOTS", -3, CHANGES, NO_KEYS, 0, pass_to_control,
     "Assigns slots to this node's shard.",
     .syntax = "slot...", .since = "3.0.0",
     .complexity = "O(N) where N is the total number of hash slot arguments", .suspends = true},
    {"ADDSLOTSRANGE", -4, CHANGES, NO_KEYS, 0, pass_to_control,
     "Assigns ranges of slots to this node's shard, or to that of another node.",
     .syntax = "(start-slot_end-slot: start-slot end-slot)... [node-id]", .since = "7.0.0",
     .complexity = "O(N) where N is the total number of the slots between the start slot and end slot arguments.", .suspends = true},
    {"COUNTKEYSINSLOT", 3, ANSWERED, NO_KEYS, 0, command_cluster_countkeysinslot,
     "The number of keys this node holds in a slot.",
     .syntax = "slot", .since = "3.0.0", .complexity = "O(1)"},
    {"FORGET", 3, CHANGES, NO_KEYS, 0, pass_to_control,
     "Takes a node out of the cluster.",
     .syntax = "node-id", .since = "3.0.0", .complexity = "O(1)", .suspends = true},
    {"GETKEYSINSLOT", 4, ANSWERED, NO_KEYS, 0, command_cluster_getkeysinslot,
     "Keys this node holds in a slot.",
     .syntax = "slot count", .since = "3.0.0", .complexity = "O(log(N)) where N is the number of requested keys",
     .tips = "nondeterministic_output"},
    {"INFO", 2, ANSWERED, NO_KEYS, 0, command_cluster_info,
     "The state of the cluster as this node sees it.",
     .since = "3.0.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {"KEYSLOT", 3, ANSWERED, NO_KEYS, 0, command_cluster_keyslot,
     "The slot of a key.",
     .syntax = "key:string", .since = "3.0.0", .complexity = "O(N) where N is the number of bytes in the key"},
    {"MEET", -4, CHANGES, NO_KEYS, 0, pass_to_control,
     "Admits a node to the cluster.",
     .syntax = "ip port [bus_port_or_node: cluster_bus_port | node-id]", .since = "3.0.0", .complexity = "O(1)", .suspends = true},
    {"METARAFT", -3, CHANGES, NO_KEYS, 0, pass_to_control,
     "The Raft group that holds the cluster's metadata; METARAFT HELP tells more.",
     .syntax = "subcommand [arg...]", .since = "AiKv", .complexity = "O(1)", .suspends = true},
    {"MYID", 2, ANSWERED, NO_KEYS, 0, command_cluster_myid,
     "The id of this node.",
     .since = "3.0.0", .complexity = "O(1)"},
    {"MYSHARDID", 2, ANSWERED, NO_KEYS, 0, command_cluster_myshardid,
     "The id of this node's shard.",
     .since = "7.2.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {"NODES", 2, ANSWERED, NO_KEYS, 0, command_cluster_nodes,
     "The nodes as lines: id, address, flags, primary, ping and pong, epoch, link, slots.",
     .since = "3.0.0", .complexity = "O(N) where N is the total number of Cluster nodes",
     .tips = "nondeterministic_output"},
    {"REPLICAS", 3, ADMIN | STALE, NO_KEYS, 0, command_cluster_replicas,
     "The replicas of a primary, as lines of NODES.",
     .syntax = "node-id", .since = "5.0.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {"REPLICATE", 3, CHANGES, NO_KEYS, 0, pass_to_control,
     "Makes this node a replica of another.",
     .syntax = "node-id", .since = "3.0.0", .complexity = "O(1)", .suspends = true},
    {"RESET", -2, ADMIN | NOSCRIPT | STALE, NO_KEYS, 0, command_cluster_reset,
     "Makes a node that is in no cluster any more a candidate again.",
     .syntax = "[hard_soft: HARD | SOFT]", .since = "3.0.0", .complexity = "O(1)", .suspends = true},
    {"SCRIPT", -3, CHANGES, NO_KEYS, 0, pass_to_control,
     "Cluster scripts: policies in Lua; SCRIPT HELP tells more.",
     .syntax = "subcommand [arg...]", .since = "AiKv", .complexity = "Depends on subcommand.", .suspends = true},
    {"SHARDS", 2, ANSWERED, NO_KEYS, 0, command_cluster_shards,
     "The shards: their slots and nodes.",
     .since = "7.0.0", .complexity = "O(N) where N is the total number of cluster nodes",
     .tips = "nondeterministic_output"},
    {"SLAVES", 3, ADMIN | STALE, NO_KEYS, 0, command_cluster_replicas,
     "The replicas of a primary, as lines of NODES.",
     .syntax = "node-id", .since = "3.0.0", .complexity = "O(1)", .tips = "nondeterministic_output",
     .deprecated_since = "5.0.0", .replaced_by = "`CLUSTER REPLICAS`"},
    {"SLOTS", 2, ANSWERED, NO_KEYS, 0, command_cluster_slots,
     "The slots by range, with the nodes that serve them.",
     .since = "3.0.0", .complexity = "O(N) where N is the total number of Cluster nodes",
     .tips = "nondeterministic_output", .deprecated_since = "7.0.0", .replaced_by = "`CLUSTER SHARDS`"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "5.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_cluster_rows[] = {
    {"CLUSTER", -2, 0, NO_KEYS, 0, NULL,
     "The cluster: nodes, slots, scripts.",
     .since = "3.0.0", .complexity = "Depends on subcommand.", .subcommands = subcommands,
     .needs_cluster = true},
    {"READONLY", 1, LOADING | STALE | FAST, NO_KEYS, ACL_CONNECTION, command_cluster_readonly,
     "Lets this connection read from a replica. Replicas hold no data yet: they go on sending clients to the primary.",
     .since = "3.0.0", .complexity = "O(1)", .needs_cluster = true},
    {"ASKING", 1, FAST, NO_KEYS, ACL_CONNECTION, command_cluster_asking,
     "Lets the next command use a slot that is being imported. No slot is: it changes nothing yet.",
     .since = "3.0.0", .complexity = "O(1)", .needs_cluster = true},
    {"READWRITE", 1, LOADING | STALE | FAST, NO_KEYS, ACL_CONNECTION, command_cluster_readwrite,
     "Takes READONLY back.",
     .since = "3.0.0", .complexity = "O(1)", .needs_cluster = true},
    {0},
};
