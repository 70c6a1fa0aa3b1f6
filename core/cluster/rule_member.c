/* Who belongs to the cluster, who answers, who leaves. */
#include "alloc.h"
#include "bounds.h"
#include "info.h"
#include "record.h"
#include "rule.h"

struct cluster_node *cluster_rule_member(const struct cluster_state *s, const char *id, struct cluster_result *out)
{
    struct cluster_node *n = cluster_node_find(s, id);
    if (!n) error_set(&out->error, ERROR_NOT_FOUND, "node %s is not a member", id);
    return n;
}

/* Puts a new node where the order by id wants it. */
static struct cluster_node *insert(struct cluster_state *s, const struct cluster_node_info *info)
{
    uint32_t at = s->node_count;
    while (at > 0 && strcmp(s->nodes[at - 1].info.id, info->id) > 0) at--;
    s->nodes = cluster_alloc_resize(s->nodes, s->node_count + 1u, sizeof *s->nodes);
    memmove(&s->nodes[at + 1], &s->nodes[at], (s->node_count - at) * sizeof *s->nodes);
    s->node_count++;
    s->nodes[at] = (struct cluster_node){.info = *info, .up = true};
    return &s->nodes[at];
}

enum rule_verdict cluster_judge_found(const struct cluster_state *s, const struct cluster_command *c,
                                      struct cluster_result *out)
{
    if (!s->id[0]) return RULE_CHANGE;
    if (strcmp(s->id, c->cluster_id) == 0 && cluster_node_find(s, c->info.id)) return RULE_NOTHING;
    return RULE_REFUSE(out, ERROR_EXISTS, "cluster %s has been founded already", s->id);
}

void cluster_change_found(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    memcpy(s->id, c->cluster_id, sizeof s->id);
    struct cluster_node *founder = insert(s, &c->info);
    founder->role = CLUSTER_ROLE_VOTER;
    founder->raft_id = s->next_raft_id++;
    struct cluster_trigger membership = {
        .name = "membership", .script = "membership", .event = CLUSTER_EVENT_NODE_DOWN, .cooldown_s = 10};
    cluster_triggers_insert(s, &membership); /* operators may replace or delete it */
}

static size_t info_size(const struct cluster_node_info *info)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    cluster_node_info_write(&b, info);
    size_t size = cluster_record_take_size(&b);
    buffer_release(&b);
    return size;
}

/* Whether no other node has the alias, and `more` bytes fit. */
static enum rule_verdict judge_info(const struct cluster_state *s, const struct cluster_node_info *info, size_t more,
                                    struct cluster_result *out)
{
    for (uint32_t i = 0; info->alias && i < s->node_count; i++) {
        const struct cluster_node_info *other = &s->nodes[i].info;
        if (other->alias == info->alias && strcmp(other->id, info->id) != 0)
            return RULE_REFUSE(out, ERROR_EXISTS,
                               "alias %u is taken by node %s: take that out first (CLUSTER FORGET), or give this one another alias",
                               info->alias, other->id);
    }
    if (more == 0 || cluster_rule_fits(s, more, CLUSTER_ROOM_NODES, "nodes", out)) return RULE_CHANGE;
    return RULE_REFUSED;
}

enum rule_verdict cluster_judge_admit(const struct cluster_state *s, const struct cluster_command *c,
                                      struct cluster_result *out)
{
    const struct cluster_node *n = cluster_node_find(s, c->info.id);
    if (n && cluster_node_info_equal(&n->info, &c->info)) return RULE_NOTHING;
    if (n)
        return RULE_REFUSE(out, ERROR_EXISTS, "%s is a member already, with other particulars",
                           cluster_node_label(&n->info).text);
    if (s->node_count >= CLUSTER_NODES_MAX)
        return RULE_REFUSE(out, ERROR_LIMIT, "a cluster has at most %d nodes", CLUSTER_NODES_MAX);
    return judge_info(s, &c->info, sizeof(struct cluster_node), out);
}

void cluster_change_admit(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    insert(s, &c->info);
}

enum rule_verdict cluster_judge_update_node(const struct cluster_state *s, const struct cluster_command *c,
                                            struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->info.id, out);
    if (!n) return RULE_REFUSED;
    if (cluster_node_info_equal(&n->info, &c->info)) return RULE_NOTHING;
    if (c->info.incarnation < n->info.incarnation)
        return RULE_REFUSE(out, ERROR_STALE, "%s has started anew since: its incarnation is %llu, not %llu",
                           cluster_node_label(&n->info).text, (unsigned long long)n->info.incarnation,
                           (unsigned long long)c->info.incarnation);
    const size_t before = info_size(&n->info), after = info_size(&c->info);
    return judge_info(s, &c->info, after > before ? after - before : 0, out); /* a node may always say where it is now */
}

void cluster_change_update_node(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    cluster_rule_member(s, c->info.id, out)->info = c->info;
}

enum rule_verdict cluster_judge_set_reachable(const struct cluster_state *s, const struct cluster_command *c,
                                              struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->node, out);
    if (!n) return RULE_REFUSED;
    return n->up == c->up ? RULE_NOTHING : RULE_CHANGE;
}

void cluster_change_set_reachable(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    cluster_rule_member(s, c->node, out)->up = c->up;
}

/* What it is part of goes first, step by step, so that each of these is refused for its own reason. */
enum rule_verdict cluster_judge_remove_node(const struct cluster_state *s, const struct cluster_command *c,
                                            struct cluster_result *out)
{
    const struct cluster_node *n = cluster_node_find(s, c->node);
    if (!n) return RULE_NOTHING;
    const struct cluster_label label = cluster_node_label(&n->info);
    if (n->shard)
        return RULE_REFUSE(out, ERROR_INVARIANT, "%s is %s shard s%u: %s first", label.text,
                           cluster_node_is_primary(s, n) ? "the primary of" : "a replica in", n->shard,
                           cluster_node_is_primary(s, n) ? "move its slots and drop the shard" : "detach it");
    if (n->role == CLUSTER_ROLE_VOTER) return RULE_REFUSE(out, ERROR_INVARIANT, "%s votes: demote it first", label.text);
    return RULE_CHANGE;
}

void cluster_change_remove_node(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_node *n = cluster_rule_member(s, c->node, out);
    memmove(n, n + 1, (size_t)(&s->nodes[s->node_count] - (n + 1)) * sizeof *n);
    s->node_count--;
}

enum rule_verdict cluster_judge_set_leaving(const struct cluster_state *s, const struct cluster_command *c,
                                            struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->node, out);
    if (!n) return RULE_REFUSED;
    return n->leaving == c->on ? RULE_NOTHING : RULE_CHANGE;
}

void cluster_change_set_leaving(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    cluster_rule_member(s, c->node, out)->leaving = c->on;
}

enum rule_verdict cluster_judge_set_labels(const struct cluster_state *s, const struct cluster_command *c,
                                           struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->node, out);
    if (!n) return RULE_REFUSED;
    return strcmp(n->labels, c->text) == 0 ? RULE_NOTHING : RULE_CHANGE;
}

void cluster_change_set_labels(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_node *n = cluster_rule_member(s, c->node, out);
    memcpy(n->labels, c->text, sizeof n->labels);
}
