#include "cluster/command.h"
#include "record.h"
#include "rule.h"

static const struct {
    rule_judge *judge;
    rule_change *change;
} rules[] = {
#define RULE(name)                                                                                                     \
    {                                                                                                                  \
        cluster_judge_##name, cluster_change_##name                                                                    \
    }
    [CLUSTER_FOUND] = RULE(found),
    [CLUSTER_ADMIT] = RULE(admit),
    [CLUSTER_UPDATE_NODE] = RULE(update_node),
    [CLUSTER_SET_ROLE] = RULE(set_role),
    [CLUSTER_CREATE_SHARD] = RULE(create_shard),
    [CLUSTER_ASSIGN_SLOTS] = RULE(assign_slots),
    [CLUSTER_REPLICATE] = RULE(replicate),
    [CLUSTER_SET_REACHABLE] = RULE(set_reachable),
    [CLUSTER_LOAD_SCRIPT] = RULE(load_script),
    [CLUSTER_RUN_START] = RULE(run_start),
    [CLUSTER_RUN_ROUND] = RULE(run_round),
    [CLUSTER_RUN_STEP] = RULE(run_step),
    [CLUSTER_RUN_END] = RULE(run_end),
    [CLUSTER_REMOVE_NODE] = RULE(remove_node),
    [CLUSTER_DROP_SHARD] = RULE(drop_shard),
    [CLUSTER_DETACH] = RULE(detach),
    [CLUSTER_MOVE_SLOTS] = RULE(move_slots),
    [CLUSTER_SET_SETTING] = RULE(set_setting),
    [CLUSTER_SET_LEAVING] = RULE(set_leaving),
    [CLUSTER_SET_LABELS] = RULE(set_labels),
    [CLUSTER_DELETE_SCRIPT] = RULE(delete_script),
    [CLUSTER_SET_CURRENT] = RULE(set_current),
    [CLUSTER_RUN_PAUSE] = RULE(run_pause),
    [CLUSTER_TRIGGER_SET] = RULE(trigger_set),
    [CLUSTER_TRIGGER_DELETE] = RULE(trigger_delete),
    [CLUSTER_TRIGGERS_PAUSE] = RULE(triggers_pause),
#undef RULE
};

bool cluster_rule_fits(const struct cluster_state *s, size_t more, size_t room, const char *what,
                       struct cluster_result *out)
{
    const size_t size = cluster_state_size(s);
    if (size + more <= room) return true;
    error_set(&out->error, ERROR_LIMIT,
              "no room for more %s: the metadata has %zu bytes already, %zu more would pass %zu", what, size, more,
              room);
    return false;
}

enum rule_verdict cluster_rule_judge(const struct cluster_state *s, const struct cluster_command *c,
                                     struct cluster_result *out)
{
    if (c->type == CLUSTER_NOTHING) return RULE_NOTHING;
    if (!s->id[0] && c->type != CLUSTER_FOUND)
        return RULE_REFUSE(out, ERROR_INVARIANT, "%s: no cluster has been founded", cluster_command_name(c->type));
    return rules[c->type].judge(s, c, out);
}

void cluster_apply(struct cluster_state *s, struct bytes command, struct cluster_result *out)
{
    *out = (struct cluster_result){0};
    struct cluster_command c;
    if (cluster_command_decode(command, &c, &out->error) != 0) return;
    if (cluster_rule_judge(s, &c, out) == RULE_CHANGE) {
        rules[c.type].change(s, &c, out);
        s->version++;
        out->changed = true;
    }
    cluster_command_release(&c);
}
