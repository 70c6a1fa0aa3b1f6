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
rule_judge cluster_judge_found, cluster_judge_admit, cluster_judge_update_node, cluster_judge_set_role,
    cluster_judge_set_reachable;
rule_change cluster_change_found, cluster_change_admit, cluster_change_update_node, cluster_change_set_role,
    cluster_change_set_reachable;
/* rule_shard.c */
rule_judge cluster_judge_create_shard, cluster_judge_assign_slots, cluster_judge_replicate;
rule_change cluster_change_create_shard, cluster_change_assign_slots, cluster_change_replicate;
/* rule_script.c */
rule_judge cluster_judge_load_script;
rule_change cluster_change_load_script;
/* rule_run.c */
rule_judge cluster_judge_run_start, cluster_judge_run_round, cluster_judge_run_step, cluster_judge_run_end;
rule_change cluster_change_run_start, cluster_change_run_round, cluster_change_run_step, cluster_change_run_end;

/* apply.c: what the rule of the command's type says. */
enum rule_verdict cluster_rule_judge(const struct cluster_state *s, const struct cluster_command *c,
                                     struct cluster_result *out);
/* apply.c: whether the state with `more` bytes fits below `room`; refuses naming `what` if not. */
bool cluster_rule_fits(const struct cluster_state *s, size_t more, size_t room, const char *what,
                       struct cluster_result *out);
/* rule_member.c: the member, or NULL and NOT_FOUND. */
struct cluster_node *cluster_rule_member(const struct cluster_state *s, const char *id, struct cluster_result *out);

#endif
