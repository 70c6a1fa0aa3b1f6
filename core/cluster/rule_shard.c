/* Shards: a primary, its replicas, the slots they hold. */
#include "alloc.h"
#include "info.h"
#include "rule.h"

static enum rule_verdict refuse_down(const struct cluster_node *n, struct cluster_result *out)
{
    return RULE_REFUSE(out, ERROR_INVARIANT, "%s is down", cluster_node_label(&n->info).text);
}

static enum rule_verdict refuse_in_shard(const struct cluster_state *s, const struct cluster_node *n,
                                         struct cluster_result *out)
{
    return RULE_REFUSE(out, ERROR_INVARIANT, "%s is %s shard s%u", cluster_node_label(&n->info).text,
                       cluster_node_is_primary(s, n) ? "the primary of" : "in", n->shard);
}

static struct cluster_shard *find_shard(const struct cluster_state *s, uint32_t number, struct cluster_result *out)
{
    struct cluster_shard *shard = cluster_shard_find(s, number);
    if (!shard) error_set(&out->error, ERROR_NOT_FOUND, "no shard s%u", number);
    return shard;
}

enum rule_verdict cluster_judge_create_shard(const struct cluster_state *s, const struct cluster_command *c,
                                             struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->node, out);
    if (!n) return RULE_REFUSED;
    if (cluster_node_is_primary(s, n)) {
        out->value = n->shard;
        return RULE_NOTHING;
    }
    if (n->shard) return refuse_in_shard(s, n, out);
    if (s->next_shard == UINT32_MAX) return RULE_REFUSE(out, ERROR_LIMIT, "all numbers for shards have been used");
    return n->up ? RULE_CHANGE : refuse_down(n, out);
}

void cluster_change_create_shard(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_node *n = cluster_rule_member(s, c->node, out);
    s->shards = cluster_alloc_resize(s->shards, s->shard_count + 1u, sizeof *s->shards);
    struct cluster_shard *shard = &s->shards[s->shard_count++];
    *shard = (struct cluster_shard){.number = s->next_shard++, .epoch = 1, .reign = 1};
    memcpy(shard->primary, n->info.id, sizeof shard->primary);
    n->shard = shard->number;
    n->in_sync = true;
    out->value = shard->number;
}

enum rule_verdict cluster_judge_assign_slots(const struct cluster_state *s, const struct cluster_command *c,
                                             struct cluster_result *out)
{
    if (!find_shard(s, c->shard, out)) return RULE_REFUSED;
    bool some = false;
    for (size_t i = 0; i < c->slots.count; i++) {
        for (unsigned slot = c->slots.list[i].from; slot <= c->slots.list[i].to; slot++) {
            const uint32_t owner = s->owner[slot];
            if (owner && owner != c->shard)
                return RULE_REFUSE(out, ERROR_INVARIANT, "slot %u is owned by shard s%u", slot, owner);
            if (!owner) some = true;
        }
    }
    return some ? RULE_CHANGE : RULE_NOTHING;
}

void cluster_change_assign_slots(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    for (size_t i = 0; i < c->slots.count; i++)
        for (unsigned slot = c->slots.list[i].from; slot <= c->slots.list[i].to; slot++) s->owner[slot] = c->shard;
    find_shard(s, c->shard, out)->epoch++;
}

enum rule_verdict cluster_judge_replicate(const struct cluster_state *s, const struct cluster_command *c,
                                          struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->node, out);
    const struct cluster_shard *shard = n ? find_shard(s, c->shard, out) : NULL;
    if (!shard) return RULE_REFUSED;
    if (n->shard == c->shard) return RULE_NOTHING;
    if (n->shard) return refuse_in_shard(s, n, out);
    if (!n->up) return refuse_down(n, out);
    const struct cluster_node *primary = cluster_node_find(s, shard->primary);
    if (!primary->up)
        return RULE_REFUSE(out, ERROR_INVARIANT, "%s, the primary of shard s%u, is down",
                           cluster_node_label(&primary->info).text, shard->number);
    return RULE_CHANGE;
}

/* A new replica has nothing yet: it is not in sync until it has caught up. */
void cluster_change_replicate(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    cluster_rule_member(s, c->node, out)->shard = c->shard;
    find_shard(s, c->shard, out)->epoch++;
}

/* ---- and back ---- */

enum rule_verdict cluster_judge_detach(const struct cluster_state *s, const struct cluster_command *c,
                                       struct cluster_result *out)
{
    const struct cluster_node *n = cluster_rule_member(s, c->node, out);
    if (!n) return RULE_REFUSED;
    if (!n->shard) return RULE_NOTHING;
    return cluster_node_is_primary(s, n) ? refuse_in_shard(s, n, out) : RULE_CHANGE;
}

static void leave_shard(struct cluster_node *n)
{
    n->shard = 0;
    n->in_sync = false;
}

void cluster_change_detach(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_node *n = cluster_rule_member(s, c->node, out);
    find_shard(s, n->shard, out)->epoch++;
    leave_shard(n);
}

enum rule_verdict cluster_judge_drop_shard(const struct cluster_state *s, const struct cluster_command *c,
                                           struct cluster_result *out)
{
    if (c->shard && c->shard < s->next_shard && !cluster_shard_find(s, c->shard)) return RULE_NOTHING;
    if (!find_shard(s, c->shard, out)) return RULE_REFUSED;
    unsigned slots = 0;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) slots += s->owner[slot] == c->shard;
    if (slots == 0) return RULE_CHANGE;
    return RULE_REFUSE(out, ERROR_INVARIANT, "shard s%u owns %u slots", c->shard, slots);
}

void cluster_change_drop_shard(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    struct cluster_shard *shard = find_shard(s, c->shard, out);
    for (uint32_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].shard == c->shard) leave_shard(&s->nodes[i]);
    memmove(shard, shard + 1, (size_t)(&s->shards[s->shard_count] - (shard + 1)) * sizeof *shard);
    s->shard_count--;
}

enum rule_verdict cluster_judge_move_slots(const struct cluster_state *s, const struct cluster_command *c,
                                           struct cluster_result *out)
{
    if (!find_shard(s, c->shard, out) || !find_shard(s, c->to, out)) return RULE_REFUSED;
    bool some = false;
    for (size_t i = 0; i < c->slots.count; i++) {
        for (unsigned slot = c->slots.list[i].from; slot <= c->slots.list[i].to; slot++) {
            const uint32_t owner = s->owner[slot];
            if (owner == 0) return RULE_REFUSE(out, ERROR_INVARIANT, "slot %u is owned by no shard", slot);
            if (owner != c->shard && owner != c->to)
                return RULE_REFUSE(out, ERROR_INVARIANT, "slot %u is owned by shard s%u", slot, owner);
            some = some || owner == c->shard;
        }
    }
    return some ? RULE_CHANGE : RULE_NOTHING;
}

void cluster_change_move_slots(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    for (size_t i = 0; i < c->slots.count; i++)
        for (unsigned slot = c->slots.list[i].from; slot <= c->slots.list[i].to; slot++) s->owner[slot] = c->to;
    find_shard(s, c->shard, out)->epoch++;
    find_shard(s, c->to, out)->epoch++;
}
