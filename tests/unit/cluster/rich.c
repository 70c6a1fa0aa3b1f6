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

static struct cluster_command whole_run_round(uint64_t run, uint32_t round)
{
    return run_round(run, round, 7, step_node(CLUSTER_OP_admit, 7), step_node(CLUSTER_OP_add_learner, 4),
                     step_node(CLUSTER_OP_promote, 4), step_node(CLUSTER_OP_create_shard, 5), step_slots(2, 0, 16383),
                     step_replicate(6, 2), step_wait(250));
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
    change(s, run_start("init"));
    change(s, run_end(1, CLUSTER_RUN_FAILED, "goes in circles"));
    change(s, run_start("rebalance"));
    for (uint32_t round = 1; round <= 2; round++) {
        change(s, whole_run_round(2, round));
        for (uint32_t i = 0; i < 3; i++) change(s, run_step(2, round, i, CLUSTER_STEP_STARTED, ""));
        change(s, run_step(2, round, 0, CLUSTER_STEP_DONE, ""));
        change(s, run_step(2, round, 1, CLUSTER_STEP_FAILED, "no answer"));
        if (round == 1) change(s, run_step(2, round, 2, CLUSTER_STEP_DONE, ""));
    }
    return s;
}

static struct cluster_command rich_node_command(enum cluster_command_type type)
{
    struct cluster_command c = {.type = type, .on = type == CLUSTER_SET_LEAVING};
    memcpy(c.node, node_id(6), sizeof c.node);
    if (type == CLUSTER_SET_LABELS) snprintf(c.text, sizeof c.text, "rack 8, disk=nvme");
    return c;
}

static struct cluster_trigger rich_trigger(void)
{
    struct cluster_trigger t = {.name = "nightly", .script = "rebalance", .event = CLUSTER_EVENT_SCHEDULE,
                                .every_s = 86400, .cooldown_s = 60, .param_count = 1};
    t.params = calloc(1, sizeof *t.params);
    t.params[0] = (struct cluster_param){.name = "by", .value = strdup("bytes")};
    return t;
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
        return c;
    }
    case CLUSTER_RUN_ROUND: return whole_run_round(9, 4);
    case CLUSTER_RUN_STEP: return run_step(9, 4, 2, CLUSTER_STEP_FAILED, "node 4 does not answer");
    case CLUSTER_RUN_END: return run_end(9, CLUSTER_RUN_FAILED, "goes in circles");
    case CLUSTER_REMOVE_NODE:
    case CLUSTER_DETACH:
    case CLUSTER_SET_LEAVING:
    case CLUSTER_SET_LABELS: return rich_node_command(type);
    case CLUSTER_DROP_SHARD: return (struct cluster_command){.type = type, .shard = 3};
    case CLUSTER_MOVE_SLOTS: {
        struct cluster_command c = assign_slots(3, 0, 100);
        c.type = type;
        c.to = 4;
        return c;
    }
    case CLUSTER_SET_SETTING:
        return (struct cluster_command){.type = type, .setting = CLUSTER_SETTING_tolerance, .value = 7};
    case CLUSTER_DELETE_SCRIPT:
    case CLUSTER_TRIGGER_DELETE: return (struct cluster_command){.type = type, .name = "rebalance"};
    case CLUSTER_SET_CURRENT:
        return (struct cluster_command){.type = type, .name = "rebalance", .version = "0000000000abcdef"};
    case CLUSTER_RUN_PAUSE: return (struct cluster_command){.type = type, .run = 9, .on = true};
    case CLUSTER_TRIGGER_SET: return (struct cluster_command){.type = type, .trigger = rich_trigger()};
    case CLUSTER_TRIGGERS_PAUSE: return (struct cluster_command){.type = type, .on = true};
    }
    return (struct cluster_command){.type = type};
}
