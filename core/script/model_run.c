/* The model's runs: what lua/aikv/sim.lua asks for one policy after the other. */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/model_state.h"
#include "script/steps.h"

static char *copy_text(lua_State *L, int index)
{
    char *copy = strdup(luaL_checkstring(L, index));
    if (!copy) model_fail_without_memory(L);
    return copy;
}

/* run_start(name, {{param, text}, …}) */
static int model_run_start(lua_State *L)
{
    struct model *m = model_at(L);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct scratch *s = model_push_scratch(L);
    struct cluster_command *c = &s->command;
    c->type = CLUSTER_RUN_START;
    snprintf(c->name, sizeof c->name, "%s", name);
    memcpy(c->version, "0000000000000000", sizeof c->version);
    c->source = strdup("-- a table in the model"); /* the model plans with the policy it is given */
    c->source_len = c->source ? strlen(c->source) : 0;
    c->params = calloc(lua_rawlen(L, 3) + 1, sizeof *c->params);
    if (!c->source || !c->params) model_fail_without_memory(L);
    for (lua_Integer i = 1; lua_rawgeti(L, 3, i) == LUA_TTABLE; i++) {
        struct cluster_param *p = &c->params[c->param_count];
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        snprintf(p->name, sizeof p->name, "%s", luaL_checkstring(L, -2));
        p->value = copy_text(L, lua_gettop(L));
        c->param_count++;
        lua_pop(L, 3);
    }
    return model_apply_command(L, m, s, true);
}

static struct cluster_run *check_run(lua_State *L, const struct model *m)
{
    struct cluster_run *run = cluster_run_active(m->state);
    if (!run) luaL_error(L, "no run is running");
    return run;
}

/* run_round(steps [, score]): raises if the list is not well-formed, gives nil and why if the round is refused. */
static int model_run_round(lua_State *L)
{
    struct model *m = model_at(L);
    const struct cluster_run *run = check_run(L, m);
    lua_settop(L, 3);
    struct scratch *s = model_push_scratch(L);
    struct script_world world = model_world(L, m, s);
    steps_read(L, 2, &world, &s->steps);
    s->command = (struct cluster_command){.type = CLUSTER_RUN_ROUND,
                                          .run = run->id,
                                          .round = run->round + 1,
                                          .score = luaL_optnumber(L, 3, NAN),
                                          .steps = s->steps.list,
                                          .step_count = s->steps.count};
    s->steps = (struct script_steps){0}; /* the command's now */
    return model_apply_command(L, m, s, false);
}

/* run_step(index, "started" | "done" | "failed" | "stale" [, error]) */
static int model_run_step(lua_State *L)
{
    static const char *const names[] = {"pending", "started", "done", "failed", "stale", NULL};
    struct model *m = model_at(L);
    const struct cluster_run *run = check_run(L, m);
    lua_settop(L, 4);
    struct scratch *s = model_push_scratch(L);
    s->command = (struct cluster_command){.type = CLUSTER_RUN_STEP,
                                          .run = run->id,
                                          .round = run->round,
                                          .index = (uint32_t)luaL_checkinteger(L, 2) - 1,
                                          .step_status = (enum cluster_step_status)luaL_checkoption(L, 3, NULL, names)};
    snprintf(s->command.text, sizeof s->command.text, "%.250s", luaL_optstring(L, 4, ""));
    return model_apply_command(L, m, s, false);
}

/* run_end("done" | "failed" | "cancelled" [, error [, score]]) */
static int model_run_end(lua_State *L)
{
    static const char *const names[] = {"running", "done", "failed", "cancelled", NULL};
    struct model *m = model_at(L);
    const struct cluster_run *run = check_run(L, m);
    lua_settop(L, 4);
    struct scratch *s = model_push_scratch(L);
    s->command = (struct cluster_command){.type = CLUSTER_RUN_END,
                                          .run = run->id,
                                          .score = luaL_optnumber(L, 4, NAN),
                                          .run_status = (enum cluster_run_status)luaL_checkoption(L, 2, NULL, names)};
    snprintf(s->command.text, sizeof s->command.text, "%.380s", luaL_optstring(L, 3, ""));
    return model_apply_command(L, m, s, false);
}

/* plan(name, source) → steps, score: asks the policy of this text as a node does, in the sandbox. Raises its error. */
static int model_plan(lua_State *L)
{
    struct model *m = model_at(L);
    const struct cluster_run *run = check_run(L, m);
    size_t len;
    const char *name = luaL_checkstring(L, 2), *text = luaL_checklstring(L, 3, &len);
    const struct script_source source = {.name = name, .version = "", .text = bytes_of(text, len)};
    struct scratch *s = model_push_scratch(L);
    struct script_world world = model_world(L, m, s);
    double score;
    struct error e;
    if (script_plan(&source, run->params, run->param_count, &world, NULL, &s->steps, &score, &e)) {
        lua_pushstring(L, e.text); /* says where already */
        return lua_error(L);
    }
    steps_push(L, &s->steps);
    if (isnan(score))
        lua_pushnil(L);
    else
        lua_pushnumber(L, score);
    return 2;
}

/* completed(index) → how often a step equal to this one of the round was completed in the run. */
static int model_completed(lua_State *L)
{
    struct model *m = model_at(L);
    const struct cluster_run *run = check_run(L, m);
    lua_Integer index = luaL_checkinteger(L, 2);
    luaL_argcheck(L, index >= 1 && index <= (lua_Integer)run->step_count, 2, "the round has no such step");
    lua_pushinteger(L, cluster_run_completed(run, &run->steps[index - 1].step));
    return 1;
}

/* meet(step, step) → whether the two, of one round, must keep their order. */
static int model_meet(lua_State *L)
{
    struct model *m = model_at(L);
    lua_settop(L, 3);
    struct scratch *s = model_push_scratch(L);
    struct script_world world = model_world(L, m, s);
    steps_read_one(L, 2, &world, &s->step);
    steps_read_one(L, 3, &world, &s->other);
    lua_pushboolean(L, cluster_steps_meet(m->state, &s->step, &s->other));
    return 1;
}

void model_run_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"run_start", model_run_start}, {"run_round", model_run_round},
                                       {"run_step", model_run_step},   {"run_end", model_run_end},
                                       {"plan", model_plan},           {"completed", model_completed},
                                       {"meet", model_meet},           {NULL, NULL}};
    luaL_setfuncs(L, methods, 0);
}
