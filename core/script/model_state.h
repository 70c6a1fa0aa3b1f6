/* What the files of the model share. */
#ifndef AIKV_SCRIPT_MODEL_STATE_H
#define AIKV_SCRIPT_MODEL_STATE_H

#include <lua.h>

#include "cluster/command.h"
#include "script/policy.h"

/* A node as it is by itself, member or not. */
struct outsider {
    struct cluster_node_info info;
    bool up;
    bool joined; /* has been a member: announces itself no more, until it is reset */
    uint64_t silent_ms;
};

struct model {
    struct cluster_state *state;
    struct outsider *outsiders; /* sorted by id */
    uint32_t outsider_count;
    uint64_t seed;
    char leader[CLUSTER_ID_LEN + 1];
    struct cluster_load *load; /* NULL: none was given */
};

/* What a call must release even if it raises an error: garbage of Lua. */
struct scratch {
    struct script_steps steps;
    struct cluster_step step, other;
    struct cluster_command command;
    struct cluster_live live; /* its load is the model's */
    struct buffer encoded;
};

/* The model that a method was called on. */
struct model *model_at(lua_State *L);
struct scratch *model_push_scratch(lua_State *L);
_Noreturn void model_fail_without_memory(lua_State *L);

/* The world as the leader would see it, as long as `s` lives. Roles are reached at once. */
struct script_world model_world(lua_State *L, const struct model *m, struct scratch *s);

/* Applies the command of the scratch and gives what the Lua function returns: true (or the result's value), or nil and
 * the error. A broken invariant is a bug in the state machine: raised. */
int model_apply_command(lua_State *L, struct model *m, struct scratch *s, bool value);

/* Adds what a test uses to run policies to the methods on top of the stack: run_start, run_round, run_step, run_end,
 * plan, completed, meet. */
void model_run_open(lua_State *L);

#endif
