/* Who votes. */
#include "info.h"
#include "rule.h"

/* The voters, and those that were up when last seen, without `n`. */
static void count_voters(const struct cluster_state *s, const struct cluster_node *n, uint32_t *voters, uint32_t *up)
{
    *voters = *up = 0;
    for (uint32_t i = 0; i < s->node_count; i++) {
        if (s->nodes[i].role != CLUSTER_ROLE_VOTER || &s->nodes[i] == n) continue;
        ++*voters;
        *up += s->nodes[i].up;
    }
}

/* A change must leave a majority that was reachable when last seen: otherwise it could not even be agreed on, or the
 * next failure would stop the cluster. */
static enum rule_verdict judge_majority(const char *what, const struct cluster_label *label, uint32_t voters,
                                        uint32_t up, struct cluster_result *out)
{
    if (up > voters / 2) return RULE_CHANGE;
    return RULE_REFUSE(out, ERROR_INVARIANT, "cannot %s %s: only %u of %u voters would be reachable, no majority", what,
                       label->text, up, voters);
}

static enum rule_verdict judge_learner(const struct cluster_state *s, const struct cluster_node *n,
                                       struct cluster_result *out)
{
    const struct cluster_label label = cluster_node_label(&n->info);
    if (!n->up) return RULE_REFUSE(out, ERROR_INVARIANT, "%s is down: it cannot become a learner", label.text);
    if (cluster_raft_members(s) >= CLUSTER_RAFT_MAX)
        return RULE_REFUSE(out, ERROR_INVARIANT, "%s cannot become a learner: MetaRaft has %d members already", label.text,
                           CLUSTER_RAFT_MAX);
    return RULE_CHANGE;
}

static enum rule_verdict judge_promotion(const struct cluster_state *s, const struct cluster_node *n,
                                         struct cluster_result *out)
{
    const struct cluster_label label = cluster_node_label(&n->info);
    uint32_t voters, up;
    count_voters(s, n, &voters, &up);
    if (n->role != CLUSTER_ROLE_LEARNER)
        return RULE_REFUSE(out, ERROR_INVARIANT, "cannot promote %s: it is not a learner, so it has not the log yet",
                           label.text);
    if (voters >= CLUSTER_VOTERS_MAX)
        return RULE_REFUSE(out, ERROR_INVARIANT, "cannot promote %s: there are %d voters already, and more would only be slower",
                           label.text, CLUSTER_VOTERS_MAX);
    if (!n->up)
        return RULE_REFUSE(out, ERROR_INVARIANT, "cannot promote %s: it is down, and %u of %u voters would be reachable",
                           label.text, up, voters + 1);
    return judge_majority("promote", &label, voters + 1, up + 1, out);
}

static enum rule_verdict judge_demotion(const struct cluster_state *s, const struct cluster_node *n,
                                        struct cluster_result *out)
{
    const struct cluster_label label = cluster_node_label(&n->info);
    uint32_t voters, up;
    count_voters(s, n, &voters, &up);
    if (voters == 0) return RULE_REFUSE(out, ERROR_INVARIANT, "%s is the last voter", label.text);
    return judge_majority("demote", &label, voters, up, out);
}

enum rule_verdict cluster_judge_set_role(const struct cluster_state *s, const struct cluster_command *c,
                                         struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->node, out);
    if (!n) return RULE_REFUSED;
    if (n->role == c->role) return RULE_NOTHING;
    switch (c->role) {
    case CLUSTER_ROLE_VOTER: return judge_promotion(s, n, out);
    case CLUSTER_ROLE_LEARNER: return n->role == CLUSTER_ROLE_VOTER ? judge_demotion(s, n, out) : judge_learner(s, n, out);
    case CLUSTER_ROLE_NONE: break;
    }
    if (n->role == CLUSTER_ROLE_LEARNER) return RULE_CHANGE;
    return RULE_REFUSE(out, ERROR_INVARIANT, "%s votes: demote it first", cluster_node_label(&n->info).text);
}

void cluster_change_set_role(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_node *n = cluster_rule_member(s, c->node, out);
    n->role = c->role;
    if (n->raft_id == 0) n->raft_id = s->next_raft_id++;
}
