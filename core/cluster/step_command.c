/* From a step to the command that carries it out. */
#include "alloc.h"
#include "info.h"
#include "rule.h"

static const struct cluster_node_info *find_candidate(const struct cluster_node_info *candidates, size_t n,
                                                      const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(candidates[i].id, id) == 0) return &candidates[i];
    return NULL;
}

/* A node that is there already may have restarted with other addresses since: that is no reason to refuse. */
static int admit(const struct cluster_state *s, const struct cluster_node_info *candidates, size_t n, const char *id,
                 struct cluster_command *out, struct error *e)
{
    if (cluster_node_find(s, id)) return 0;
    const struct cluster_node_info *info = find_candidate(candidates, n, id);
    if (!info) return error_set(e, ERROR_NOT_FOUND, "node %s has not announced itself as a candidate", id);
    out->type = CLUSTER_ADMIT;
    out->info = *info;
    return 0;
}

/* A voter has more than a learner. */
static void raise_role(const struct cluster_state *s, const char *id, enum cluster_role role, struct cluster_command *out)
{
    const struct cluster_node *n = cluster_node_find(s, id);
    if (n && n->role >= role) return;
    out->type = CLUSTER_SET_ROLE;
    out->role = role;
}

/* Who is not a member any more has no role either. */
static void lower_role(const struct cluster_state *s, const char *id, enum cluster_role role, struct cluster_command *out)
{
    const struct cluster_node *n = cluster_node_find(s, id);
    if (!n || n->role <= role) return;
    out->type = CLUSTER_SET_ROLE;
    out->role = role;
}

static int check_leader(const struct cluster_state *s, const char *id, struct error *e)
{
    const struct cluster_node *n = cluster_node_find(s, id);
    if (!n) return error_set(e, ERROR_NOT_FOUND, "node %s is not a member", id);
    const struct cluster_label label = cluster_node_label(&n->info);
    if (n->role != CLUSTER_ROLE_VOTER) return error_set(e, ERROR_INVARIANT, "%s does not vote: it cannot lead", label.text);
    return n->up ? 0 : error_set(e, ERROR_INVARIANT, "%s is down: it cannot lead", label.text);
}

/* The command of a step, as if nothing could refuse it; NOTHING if there is nothing to do. */
static int translate(const struct cluster_state *s, const struct cluster_node_info *candidates, size_t n,
                     const struct cluster_step *step, struct cluster_command *out, struct error *e)
{
    memcpy(out->node, step->node, sizeof out->node);
    out->shard = step->shard;
    out->to = step->to;
    out->on = step->on;
    out->setting = step->key;
    out->value = step->value;
    memcpy(out->text, step->labels, sizeof step->labels);
    cluster_alloc_require(cluster_ranges_copy(&out->slots, &step->slots));
    switch (step->op) {
    case CLUSTER_OP_admit: return admit(s, candidates, n, step->node, out, e);
    case CLUSTER_OP_add_learner: raise_role(s, step->node, CLUSTER_ROLE_LEARNER, out); return 0;
    case CLUSTER_OP_promote: raise_role(s, step->node, CLUSTER_ROLE_VOTER, out); return 0;
    case CLUSTER_OP_demote: lower_role(s, step->node, CLUSTER_ROLE_LEARNER, out); return 0;
    case CLUSTER_OP_remove_learner: lower_role(s, step->node, CLUSTER_ROLE_NONE, out); return 0;
    case CLUSTER_OP_transfer_leader: return check_leader(s, step->node, e);
    case CLUSTER_OP_remove_node: out->type = CLUSTER_REMOVE_NODE; return 0;
    case CLUSTER_OP_drop_shard: out->type = CLUSTER_DROP_SHARD; return 0;
    case CLUSTER_OP_detach: out->type = CLUSTER_DETACH; return 0;
    case CLUSTER_OP_move_slots: out->type = CLUSTER_MOVE_SLOTS; return 0;
    case CLUSTER_OP_set: out->type = CLUSTER_SET_SETTING; return 0;
    case CLUSTER_OP_leave: out->type = CLUSTER_SET_LEAVING; return 0;
    case CLUSTER_OP_label: out->type = CLUSTER_SET_LABELS; return 0;
    case CLUSTER_OP_create_shard: out->type = CLUSTER_CREATE_SHARD; return 0;
    case CLUSTER_OP_assign_slots: out->type = CLUSTER_ASSIGN_SLOTS; return 0;
    case CLUSTER_OP_replicate: out->type = CLUSTER_REPLICATE; return 0;
    case CLUSTER_OP_wait: return 0;
    case CLUSTER_OPS: break;
    }
    return error_set(e, ERROR_GENERIC, "step with op %d, which does not exist", (int)step->op);
}

int cluster_step_command(const struct cluster_state *s, const struct cluster_node_info *candidates, size_t n,
                         const struct cluster_step *step, struct cluster_command *out, struct error *e)
{
    *out = (struct cluster_command){0};
    struct cluster_result result = {0};
    int code = translate(s, candidates, n, step, out, &result.error);
    enum rule_verdict verdict = code == 0 ? cluster_rule_judge(s, out, &result) : RULE_REFUSED;
    if (verdict != RULE_CHANGE) cluster_command_release(out); /* leaves type NOTHING */
    if (verdict != RULE_REFUSED) return 0;
    return error_set(e, (enum error_code)result.error.code, "%s", result.error.text);
}
