#include "rich.h"

#include <stdio.h>
#include <stdlib.h>

static struct cluster_node_info rich_info(unsigned number)
{
    struct cluster_node_info i = node_info(number, "zone-b");
    snprintf(i.labels, sizeof i.labels, "rack 7, disk=nvme");
    i.incarnation = 5;
    i.endpoint_count = 3;
    i.endpoints[2] = i.endpoints[0];
    i.endpoints[0] = (struct cluster_endpoint){"gateway", "192.168.0.1", 7004};
    i.endpoints[1] = (struct cluster_endpoint){"10.0.0.0/8", "10.0.0.4", 6379};
    return i;
}

struct cluster_step rich_step(enum cluster_op op)
{
    struct cluster_step s = {0};
    const unsigned fields = cluster_op_info(op)->fields;
    if (fields & CLUSTER_FIELD_SLOTS) s = step_slots(2, 0, 16383);
    if (fields & CLUSTER_FIELD_NODE) s = step_node(op, op == CLUSTER_OP_admit ? 7 : 4);
    s.op = op;
    if (fields & (CLUSTER_FIELD_SHARD | CLUSTER_FIELD_FROM)) s.shard = 2;
    if (fields & CLUSTER_FIELD_TO) s.to = 3;
    if (fields & CLUSTER_FIELD_MS) s.ms = 250;
    if (fields & CLUSTER_FIELD_KEY) s.key = CLUSTER_SETTING_patience;
    if (fields & CLUSTER_FIELD_VALUE) s.value = 45000;
    if (fields & CLUSTER_FIELD_ON) s.on = true;
    if (fields & CLUSTER_FIELD_LABELS) snprintf(s.labels, sizeof s.labels, "rack 8, disk=nvme");
    snprintf(s.why, sizeof s.why, "it was asked for");
    return s;
}

static struct cluster_command whole_run_round(uint64_t run, uint32_t round)
{
    struct cluster_command c = {.type = CLUSTER_RUN_ROUND, .run = run, .round = round, .score = 7.5 / round};
    c.steps = calloc(CLUSTER_OPS, sizeof *c.steps);
    for (; c.step_count < CLUSTER_OPS; c.step_count++) c.steps[c.step_count] = rich_step((enum cluster_op)c.step_count);
    return c;
}

/* What operators and policies told the cluster. */
static void add_orders(struct cluster_state *s)
{
    change(s, set_setting(CLUSTER_SETTING_voters, 5));
    change(s, set_setting(CLUSTER_SETTING_tolerance, 7));
    change(s, set_leaving(6, true));
    change(s, set_labels(4, "rack 8, disk=nvme"));
    change(s, trigger_set("nightly", "rebalance"));
}

/* Runs 1 and 2 have ended, the first failed, the second cancelled; run 3 is in its second round, and paused. */
static void add_runs(struct cluster_state *s)
{
    change(s, run_start("init"));
    change(s, run_end(1, CLUSTER_RUN_FAILED, "goes in circles"));
    change(s, run_start("init"));
    change(s, run_end(2, CLUSTER_RUN_CANCELLED, "by an operator"));
    struct cluster_command start = run_start("rebalance");
    snprintf(start.text, sizeof start.text, "nightly");
    change(s, start);
    for (uint32_t round = 1; round <= 2; round++) {
        change(s, whole_run_round(3, round));
        for (uint32_t i = 0; i < 3; i++) change(s, run_step(3, round, i, CLUSTER_STEP_STARTED, ""));
        change(s, run_step(3, round, 0, CLUSTER_STEP_DONE, ""));
        change(s, run_step(3, round, 1, CLUSTER_STEP_FAILED, "no answer"));
        if (round == 1) change(s, run_step(3, round, 2, CLUSTER_STEP_DONE, ""));
    }
    change(s, run_pause(3, true));
}

struct cluster_state *rich_state(void)
{
    struct cluster_state *s = cluster_of_six();
    change(s, update_node(rich_info(4)));
    change(s, set_role(4, CLUSTER_ROLE_LEARNER));
    change(s, set_reachable(5, false));
    change(s, load_script("init", 1, "-- the first"));
    change(s, load_script("init", 2, "-- the second"));
    change(s, load_script("rebalance", 3, "return {}"));
    add_orders(s);
    add_runs(s);
    change(s, triggers_pause(true));
    return s;
}

struct cluster_command rich_command(enum cluster_command_type type)
{
    switch (type) {
    case CLUSTER_NOTHING: break;
    case CLUSTER_FOUND: return (struct cluster_command){.type = type, .cluster_id = CLUSTER_ID, .info = rich_info(1)};
    case CLUSTER_ADMIT: return (struct cluster_command){.type = type, .info = rich_info(2)};
    case CLUSTER_UPDATE_NODE: return update_node(rich_info(3));
    case CLUSTER_SET_ROLE: return set_role(4, CLUSTER_ROLE_VOTER);
    case CLUSTER_CREATE_SHARD: return create_shard(5);
    case CLUSTER_ASSIGN_SLOTS: {
        struct cluster_command c = assign_slots(3, 0, 100);
        assert_int_equal(cluster_ranges_add(&c.slots, 200, 16383, NULL), 0);
        return c;
    }
    case CLUSTER_REPLICATE: return replicate(6, 3);
    case CLUSTER_SET_REACHABLE: return set_reachable(7, true);
    case CLUSTER_LOAD_SCRIPT: return load_script("rebalance", 0xabcdef, "-- moves slots\nreturn {}");
    case CLUSTER_RUN_START: {
        struct cluster_command c = run_start("init");
        c.one_round = true;
        snprintf(c.text, sizeof c.text, "nightly");
        return c;
    }
    case CLUSTER_RUN_ROUND: return whole_run_round(9, 4);
    case CLUSTER_RUN_STEP: return run_step(9, 4, 2, CLUSTER_STEP_FAILED, "node 4 does not answer");
    case CLUSTER_RUN_END: return run_end(9, CLUSTER_RUN_FAILED, "goes in circles");
    case CLUSTER_REMOVE_NODE: return remove_node(6);
    case CLUSTER_DROP_SHARD: return drop_shard(3);
    case CLUSTER_DETACH: return detach(6);
    case CLUSTER_MOVE_SLOTS: return move_slots(3, 4, 0, 100);
    case CLUSTER_SET_SETTING: return set_setting(CLUSTER_SETTING_tolerance, 7);
    case CLUSTER_SET_LEAVING: return set_leaving(6, true);
    case CLUSTER_SET_LABELS: return set_labels(6, "rack 8, disk=nvme");
    case CLUSTER_DELETE_SCRIPT: return delete_script("rebalance");
    case CLUSTER_SET_CURRENT: return set_current("rebalance", 0xabcdef);
    case CLUSTER_RUN_PAUSE: return run_pause(9, true);
    case CLUSTER_TRIGGER_SET: return trigger_set("nightly", "rebalance");
    case CLUSTER_TRIGGER_DELETE: return trigger_delete("nightly");
    case CLUSTER_TRIGGERS_PAUSE: return triggers_pause(true);
    }
    return (struct cluster_command){.type = type};
}
