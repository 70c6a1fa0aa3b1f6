/* CLUSTER METARAFT DEMOTE, REMOVE, TRANSFER, and CLUSTER FORGET: taking roles and nodes away.
 *
 * Each call looks at what is and does what is missing, so it may be repeated, and goes on at the next leader: one that
 * takes the vote from the leader itself sees it change. */
#include <stdio.h>

#include "base/number.h"
#include "control/control_thread.h"

#define CHANGE_MS   9000
#define TRANSFER_MS 3000
#define TOLD_MS     2000

static const struct cluster_node *named(struct control *c, struct call *call, struct bytes name)
{
    struct error e;
    const struct cluster_node *n = cluster_node_named(meta_state(c->meta), name, &e);
    if (!n) control_call_error_of(c, call, &e);
    return n;
}

static struct cluster_step step_of(enum cluster_op op, const struct cluster_node *n)
{
    struct cluster_step step = {.op = op};
    memcpy(step.node, n->info.id, sizeof step.node);
    return step;
}

/* Does in the metadata what the step would. Returns whether it is done there; if not, it was proposed, or the call has
 * ended with the reason. */
static bool done_in_metadata(struct control *c, struct call *call, enum cluster_op op, const struct cluster_node *n)
{
    const struct cluster_step step = step_of(op, n);
    struct cluster_command command;
    struct error e;
    if (cluster_step_command(meta_state(c->meta), NULL, 0, &step, &command, &e) != 0) {
        control_call_error_of(c, call, &e);
        return false;
    }
    if (command.type == CLUSTER_NOTHING) return true;
    control_call_propose(c, call, &command, control_call_proposed);
    cluster_command_release(&command);
    return false;
}

/* libraft's configuration follows the metadata (core/meta/membership.c). */
static void wait_for_change(struct control *c, struct call *call, const char *still)
{
    if (control_now_ms(c) - call->stage_since_ms < CHANGE_MS) return;
    const char *problem = meta_change_problem(c->meta);
    control_call_error(c, call, ERROR_TIMEOUT, "node %.*s %s%s%s; MetaRaft goes on trying", (int)call->argv[3].len,
                       (const char *)call->argv[3].data, still, problem[0] ? ": " : "", problem);
}

/* ---- who votes, who leads ---- */

/* Whether the node has no vote any more; if not, the call waits for it, or has ended. */
static bool without_vote(struct control *c, struct call *call, const struct cluster_node *n)
{
    if (!done_in_metadata(c, call, CLUSTER_OP_demote, n)) return false;
    if (!meta_may_vote(c->meta, n->raft_id)) return true;
    wait_for_change(c, call, "votes still");
    return false;
}

void control_dismiss_demote(struct control *c, struct call *call)
{
    const struct cluster_node *n = named(c, call, call->argv[3]);
    if (n && without_vote(c, call, n)) control_call_ok(c, call);
}

void control_dismiss_remove(struct control *c, struct call *call)
{
    const struct cluster_node *n = named(c, call, call->argv[3]);
    if (!n || !without_vote(c, call, n) || !done_in_metadata(c, call, CLUSTER_OP_remove_learner, n)) return;
    if (control_reign_role(c, n) == CLUSTER_ROLE_NONE)
        control_call_ok(c, call);
    else
        wait_for_change(c, call, "is in MetaRaft's configuration still");
}

/* On the node that leads then the call finds that there is nothing to do. */
void control_dismiss_transfer(struct control *c, struct call *call)
{
    const struct cluster_node *n = named(c, call, call->argv[3]);
    struct error e;
    if (!n || !done_in_metadata(c, call, CLUSTER_OP_transfer_leader, n)) return;
    bool late = control_now_ms(c) - call->stage_since_ms >= TRANSFER_MS;
    if (strcmp(n->info.id, c->self.id) == 0) {
        control_call_ok(c, call);
    } else if (late) {
        control_call_error(c, call, ERROR_TIMEOUT, "node %s has not taken over in %d s: it is behind, or does not answer",
                           n->info.id, TRANSFER_MS / 1000);
    } else if (call->stage == 0) {
        int code = meta_transfer(c->meta, n->raft_id, &e);
        if (code == 0) control_call_stage(c, call, 1);
        if (code && code != ERROR_NOT_LEADER) control_call_error_of(c, call, &e); /* else: it is being handed over */
    }
}

/* ---- who belongs to the cluster ---- */

bool control_dismissal_early(struct control *c, const struct cluster_step *step)
{
    if (step->op != CLUSTER_OP_remove_learner && step->op != CLUSTER_OP_remove_node) return false;
    const struct cluster_node *n = cluster_node_find(meta_state(c->meta), step->node);
    return n && n->role != CLUSTER_ROLE_VOTER && meta_may_vote(c->meta, n->raft_id);
}

/* control_members_sync has not run since, so the member's alias is still there. */
void control_dismissal_applied(struct control *c, struct bytes command)
{
    struct cluster_command m;
    struct error e;
    bool removes = command.len > 1 && command.data[1] == CLUSTER_REMOVE_NODE; /* the others need not be decoded */
    if (!removes || cluster_command_decode(command, &m, &e) != 0) return;
    struct dismissed *d = &c->dismissed[c->dismissed_count++ % CONTROL_DISMISSED_MAX];
    const struct member *gone = control_member_find(c, m.node);
    memcpy(d->id, m.node, sizeof d->id);
    d->alias = gone ? gone->alias : 0;
    candidates_remove(&c->candidates, d->id); /* of before it was admitted, if that was just now */
    cluster_command_release(&m);
}

/* redis-cli --cluster del-node says FORGET to every node, and each passes it on. */
static bool is_dismissed(const struct control *c, struct bytes name)
{
    int64_t alias = 0;
    bool is_number = number_parse_integer(name, &alias) && alias > 0;
    for (uint32_t i = 0; i < c->dismissed_count && i < CONTROL_DISMISSED_MAX; i++) {
        const struct dismissed *d = &c->dismissed[i];
        if (bytes_equal(name, bytes_text(d->id)) || (is_number && d->alias == alias)) return true;
    }
    return false;
}

/* The node's own link goes when it has learnt that it was removed; then CLUSTER RESET is taken there at once. */
static void forgotten(struct control *c, struct call *call)
{
    if (call->stage == 0) control_call_stage(c, call, 1);
    if (!control_link_to(c, call->node) || control_now_ms(c) - call->stage_since_ms >= TOLD_MS)
        control_call_ok(c, call);
}

static bool is_primary_of(const struct cluster_state *s, const struct cluster_node *n, const char *replica)
{
    const struct cluster_node *r = cluster_node_find(s, replica);
    return r && r->shard == n->shard && cluster_node_is_primary(s, n);
}

/* Refusals in Redis's words where Redis would refuse as well. */
void control_dismiss_forget(struct control *c, struct call *call)
{
    const struct cluster_state *s = meta_state(c->meta);
    const struct bytes name = call->argv[2];
    struct error e;
    if (call->node[0] && !cluster_node_find(s, call->node)) { /* not by its name: another may have the alias by now */
        forgotten(c, call);
        return;
    }
    const struct cluster_node *n = cluster_node_named(s, name, &e);
    if (!n && is_dismissed(c, name))
        control_call_ok(c, call);
    else if (!n && e.code == ERROR_NOT_FOUND)
        control_call_error(c, call, ERROR_NOT_FOUND, "Unknown node %.*s", (int)(name.len > 64 ? 64 : name.len),
                           (const char *)name.data);
    else if (!n)
        control_call_error_of(c, call, &e);
    else if (strcmp(n->info.id, call->origin) == 0)
        control_call_error(c, call, ERROR_INVARIANT, "I tried hard but I can't forget myself...");
    else if (is_primary_of(s, n, call->origin))
        control_call_error(c, call, ERROR_INVARIANT, "Can't forget my master!");
    else if (n->role != CLUSTER_ROLE_VOTER && meta_may_vote(c->meta, n->raft_id))
        return; /* its vote is being taken */
    else {
        memcpy(call->node, n->info.id, sizeof call->node);
        done_in_metadata(c, call, CLUSTER_OP_remove_node, n);
    }
}
