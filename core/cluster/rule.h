/* The rules of the metadata: for every type of command, what refuses it and what it changes. Private to cluster.
 *
 * A rule has two halves. `judge` looks and decides; it is all that can refuse. `change` carries out what was judged
 * RULE_CHANGE and cannot fail, so that a refused command changes nothing. Steps ask `judge` the same question before a
 * command is proposed (step_command.c). */
#ifndef AIKV_CLUSTER_RULE_H
#define AIKV_CLUSTER_RULE_H

#include "cluster/command.h"

enum rule_verdict {
    RULE_CHANGE,
    RULE_NOTHING, /* everything is as it should be: result.value says what the command would have */
    RULE_REFUSED, /* result.error says why */
};

#define RULE_REFUSE(result, code, ...) (error_set(&(result)->error, code, __VA_ARGS__), RULE_REFUSED)

/* The state has been founded when another command than FOUND is judged. */
typedef enum rule_verdict rule_judge(const struct cluster_state *s, const struct cluster_command *c,
                                     struct cluster_result *out);
/* May take over what the command owns. */
typedef void rule_change(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out);

/* rule_member.c */
rule_judge cluster_judge_found, cluster_judge_admit, cluster_judge_update_node,
    cluster_judge_set_reachable, cluster_judge_remove_node, cluster_judge_set_leaving, cluster_judge_set_labels;
rule_change cluster_change_found, cluster_change_admit, cluster_change_update_node,
    cluster_change_set_reachable, cluster_change_remove_node, cluster_change_set_leaving, cluster_change_set_labels;
/* rule_role.c */
rule_judge cluster_judge_set_role;
rule_change cluster_change_set_role;
/* rule_shard.c */
rule_judge cluster_judge_create_shard, cluster_judge_drop_shard, cluster_judge_assign_slots, cluster_judge_move_slots,
    cluster_judge_replicate, cluster_judge_detach;
rule_change cluster_change_create_shard, cluster_change_drop_shard, cluster_change_assign_slots,
    cluster_change_move_slots, cluster_change_replicate, cluster_change_detach;
/* rule_script.c */
rule_judge cluster_judge_load_script, cluster_judge_delete_script, cluster_judge_set_current;
rule_change cluster_change_load_script, cluster_change_delete_script, cluster_change_set_current;
/* rule_run.c */
rule_judge cluster_judge_run_start, cluster_judge_run_round, cluster_judge_run_step, cluster_judge_run_pause,
    cluster_judge_run_end;
rule_change cluster_change_run_start, cluster_change_run_round, cluster_change_run_step, cluster_change_run_pause,
    cluster_change_run_end;
/* rule_policy.c: what policies share */
rule_judge cluster_judge_set_setting, cluster_judge_trigger_set, cluster_judge_trigger_delete,
    cluster_judge_triggers_pause;
rule_change cluster_change_set_setting, cluster_change_trigger_set, cluster_change_trigger_delete,
    cluster_change_triggers_pause;
/* Takes over what `t` owns. */
void cluster_triggers_insert(struct cluster_state *s, struct cluster_trigger *t);

/* apply.c: what the rule of the command's type says. */
enum rule_verdict cluster_rule_judge(const struct cluster_state *s, const struct cluster_command *c,
                                     struct cluster_result *out);
/* apply.c: whether the state with `more` bytes fits below `room`; refuses naming `what` if not. */
bool cluster_rule_fits(const struct cluster_state *s, size_t more, size_t room, const char *what,
                       struct cluster_result *out);
/* rule_member.c: the member, or NULL and NOT_FOUND. */
struct cluster_node *cluster_rule_member(const struct cluster_state *s, const char *id, struct cluster_result *out);

#endif
