/* CLUSTER ADDSLOTS, ADDSLOTSRANGE, REPLICATE, ADDREPLICATION: shards as Redis's tools make them. A shard comes to be
 * with the first slots of its primary, or its first replica. Error texts are Redis's where Redis has one. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/number.h"
#include "control/control_thread.h"

/* ---- slots ---- */

struct wanted_slots {
    bool set[CLUSTER_SLOTS];
};

static bool parse_slot(struct bytes text, int64_t *out, struct error *e)
{
    if (number_parse_integer(text, out) && *out >= 0 && *out < CLUSTER_SLOTS) return true;
    error_set(e, ERROR_SYNTAX, "Invalid or out of range slot");
    return false;
}

static bool want(const struct cluster_state *s, struct wanted_slots *w, int64_t from, int64_t to, struct error *e)
{
    for (int64_t slot = from; slot <= to; slot++) {
        if (s->owner[slot]) {
            error_set(e, ERROR_EXISTS, "Slot %" PRId64 " is already busy", slot);
            return false;
        }
        if (w->set[slot]) {
            error_set(e, ERROR_SYNTAX, "Slot %" PRId64 " specified multiple times", slot);
            return false;
        }
        w->set[slot] = true;
    }
    return true;
}

static void to_ranges(const struct wanted_slots *w, struct cluster_ranges *out)
{
    for (unsigned from = 0; from < CLUSTER_SLOTS; from++) {
        if (!w->set[from]) continue;
        unsigned to = from;
        while (to + 1 < CLUSTER_SLOTS && w->set[to + 1]) to++;
        if (cluster_ranges_add(out, from, to, NULL) != 0) abort(); /* they are in order */
        from = to;
    }
}

static bool create_shard(struct control *c, struct call *call, const struct cluster_node *n)
{
    struct cluster_command command = {.type = CLUSTER_CREATE_SHARD};
    memcpy(command.node, n->info.id, sizeof command.node);
    return control_call_propose(c, call, &command, control_call_proposed);
}

enum { SLOTS_WANTED, SLOTS_SHARD_MADE, SLOTS_ASSIGNED };

/* The slots of a call that parsed, to node `n`: makes its shard, then assigns them. */
static void assign(struct control *c, struct call *call, const struct cluster_node *n, const struct wanted_slots *w)
{
    const struct cluster_state *s = meta_state(c->meta);
    if (n->shard == 0) {
        control_call_stage(c, call, SLOTS_SHARD_MADE);
        create_shard(c, call, n);
        return;
    }
    if (!cluster_node_is_primary(s, n)) {
        control_call_error(c, call, ERROR_INVARIANT, "node %s is a replica: slots are given to masters", n->info.id);
        return;
    }
    struct cluster_command command = {.type = CLUSTER_ASSIGN_SLOTS, .shard = n->shard};
    to_ranges(w, &command.slots);
    control_call_stage(c, call, SLOTS_ASSIGNED);
    control_call_propose(c, call, &command, control_call_proposed);
    cluster_ranges_release(&command.slots);
}

static const struct cluster_node *origin(struct control *c, const struct call *call)
{
    return cluster_node_find(meta_state(c->meta), call->origin);
}

void control_slots_add(struct control *c, struct call *call)
{
    if (call->stage == SLOTS_ASSIGNED) {
        control_call_ok(c, call);
        return;
    }
    struct wanted_slots w = {0};
    struct error e;
    int64_t slot;
    for (int i = 2; i < call->argc; i++) {
        if (parse_slot(call->argv[i], &slot, &e) && want(meta_state(c->meta), &w, slot, slot, &e)) continue;
        control_call_error_of(c, call, &e);
        return;
    }
    const struct cluster_node *n = origin(c, call);
    if (n)
        assign(c, call, n, &w);
    else
        control_call_error(c, call, ERROR_NOT_FOUND, "this node is no member of the cluster any more");
}

/* A last argument that makes their number odd and is no slot names the node. */
static bool names_node(const struct call *call)
{
    int64_t number;
    return call->argc % 2 == 1 && !number_parse_integer(call->argv[call->argc - 1], &number);
}

static bool parse_ranges(const struct cluster_state *s, const struct call *call, int end, struct wanted_slots *w,
                         struct error *e)
{
    for (int i = 2; i < end; i += 2) {
        int64_t from, to;
        if (!parse_slot(call->argv[i], &from, e) || !parse_slot(call->argv[i + 1], &to, e)) return false;
        if (from > to) {
            error_set(e, ERROR_SYNTAX, "start slot number %" PRId64 " is greater than end slot number %" PRId64, from,
                      to);
            return false;
        }
        if (!want(s, w, from, to, e)) return false;
    }
    return true;
}

void control_slots_add_range(struct control *c, struct call *call)
{
    if (call->stage == SLOTS_ASSIGNED) {
        control_call_ok(c, call);
        return;
    }
    const struct cluster_state *s = meta_state(c->meta);
    struct wanted_slots w = {0};
    struct error e = {0};
    int end = call->argc - (names_node(call) ? 1 : 0);
    if (end % 2 == 1 || end < 4) {
        control_call_error(c, call, ERROR_SYNTAX, "wrong number of arguments for 'cluster|addslotsrange' command");
        return;
    }
    const struct cluster_node *n = end == call->argc ? origin(c, call) : cluster_node_named(s, call->argv[end], &e);
    if (!n && !e.code) error_set(&e, ERROR_NOT_FOUND, "this node is no member of the cluster any more");
    if (n && parse_ranges(s, call, end, &w, &e))
        assign(c, call, n, &w);
    else
        control_call_error_of(c, call, &e);
}

/* ---- replicas ---- */

enum { REPLICA_WANTED, REPLICA_MADE };

static void replicate(struct control *c, struct call *call, const struct cluster_node *replica,
                      const struct cluster_node *master)
{
    const struct cluster_state *s = meta_state(c->meta);
    bool is_primary = cluster_node_is_primary(s, replica);
    if (replica == master) {
        control_call_error(c, call, ERROR_GENERIC, "Can't replicate myself");
    } else if (master->shard && !cluster_node_is_primary(s, master)) {
        control_call_error(c, call, ERROR_GENERIC, "I can only replicate a master, not a replica.");
    } else if (call->stage == REPLICA_MADE || (replica->shard && replica->shard == master->shard && !is_primary)) {
        control_call_ok(c, call);
    } else if (master->shard == 0) {
        create_shard(c, call, master);
    } else {
        struct cluster_command command = {.type = CLUSTER_REPLICATE, .shard = master->shard};
        memcpy(command.node, replica->info.id, sizeof command.node);
        control_call_stage(c, call, REPLICA_MADE);
        control_call_propose(c, call, &command, control_call_proposed);
    }
}

static const struct cluster_node *named(struct control *c, struct call *call, struct bytes text)
{
    struct error e;
    const struct cluster_node *n = cluster_node_named(meta_state(c->meta), text, &e);
    if (n) return n;
    if (e.code == ERROR_NOT_FOUND)
        control_call_error(c, call, ERROR_NOT_FOUND, "Unknown node %.*s", (int)(text.len > 128 ? 128 : text.len),
                           (const char *)text.data);
    else
        control_call_error_of(c, call, &e);
    return NULL;
}

void control_slots_replicate(struct control *c, struct call *call)
{
    const struct cluster_node *master = named(c, call, call->argv[2]), *replica = master ? origin(c, call) : NULL;
    if (master && !replica)
        control_call_error(c, call, ERROR_NOT_FOUND, "this node is no member of the cluster any more");
    if (master && replica) replicate(c, call, replica, master);
}

void control_slots_add_replication(struct control *c, struct call *call)
{
    const struct cluster_node *replica = named(c, call, call->argv[2]);
    const struct cluster_node *master = replica ? named(c, call, call->argv[3]) : NULL;
    if (master) replicate(c, call, replica, master);
}
