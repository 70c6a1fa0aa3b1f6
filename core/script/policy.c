#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "script/json.h"
#include "script/sandbox.h"
#include "script/steps.h"
#include "script/view.h"

/* One call of a policy: what its caller gave, and where the answers go. */
struct call {
    const struct cluster_param *params;
    uint32_t param_count;
    const struct script_world *world;
    struct script_steps *steps;
    double *score;
    char *doc;
    size_t doc_size;
    json_t *description;
};

enum { CALL = 1, POLICY, PARAMS, VIEW }; /* places on the stack */

/* Calls the function above `top` with the arguments above it. It gives a value, which is left, or nil and what is
 * wrong. */
static void call_checked(lua_State *L, int top)
{
    lua_call(L, lua_gettop(L) - top - 1, 2);
    if (lua_isnil(L, -2)) luaL_error(L, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* Puts the checked policy at POLICY and the function that reads its parameters at PARAMS. Our functions come first,
 * because the script could change what the modules hold. */
static void load_policy(lua_State *L)
{
    sandbox_push_module(L, "aikv.params");
    lua_getfield(L, -1, "read");
    lua_replace(L, POLICY);
    sandbox_push_module(L, "aikv.policy");
    lua_getfield(L, -1, "check");
    lua_replace(L, PARAMS);
    sandbox_push_chunk(L);
    lua_call(L, 0, 1);
    call_checked(L, POLICY); /* check(policy) */
    lua_insert(L, POLICY);
}

/* Pushes the params as typed: a list of {name, value}. */
static void push_typed(lua_State *L, const struct cluster_param *params, uint32_t count)
{
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, params[i].name);
        lua_rawseti(L, -2, 1);
        lua_pushstring(L, params[i].value);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Puts the view at VIEW, and the params as the policy gets them at PARAMS. */
static void read_params(lua_State *L, const struct call *c)
{
    view_push(L, c->world);
    lua_pushvalue(L, PARAMS);
    lua_getfield(L, POLICY, "params");
    push_typed(L, c->params, c->param_count);
    lua_pushvalue(L, VIEW);
    call_checked(L, VIEW);
    lua_replace(L, PARAMS);
}

/* Calls `function` of the policy with view and params, for `results` values; false if it has none. */
static bool ask(lua_State *L, const char *function, int results)
{
    if (lua_getfield(L, POLICY, function) == LUA_TNIL) return false;
    lua_pushvalue(L, VIEW);
    lua_pushvalue(L, PARAMS);
    lua_call(L, 2, results);
    return true;
}

static void read_score(lua_State *L, double *score)
{
    *score = NAN;
    if (!ask(L, "score", 1)) return;
    if (lua_type(L, -1) != LUA_TNUMBER) luaL_error(L, "score must return a number, not a %s", luaL_typename(L, -1));
    *score = lua_tonumber(L, -1);
}

static int run_check(lua_State *L)
{
    struct call *c = lua_touserdata(L, CALL);
    load_policy(L);
    if (c->doc_size == 0) return 0;
    lua_getfield(L, POLICY, "doc");
    snprintf(c->doc, c->doc_size, "%s", lua_tostring(L, -1));
    return 0;
}

/* Adds the row on top, whose fields are texts. */
static void add_row(lua_State *L, json_t *rows)
{
    json_t *row = json_object();
    json_array_append_new(rows, row);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        json_object_set_new(row, lua_tostring(L, -2), json_text(text, len));
    }
}

static void describe_text(lua_State *L, json_t *object, const char *name)
{
    size_t len;
    lua_getfield(L, POLICY, name);
    const char *text = lua_tolstring(L, -1, &len);
    json_object_set_new(object, name, json_text(text, len));
    lua_pop(L, 1);
}

static int run_describe(lua_State *L)
{
    static const char describe[] = "aikv.params.describe";
    struct call *c = lua_touserdata(L, CALL);
    json_t *rows = json_array();
    json_object_set_new(c->description, "params", rows);
    sandbox_push_module(L, "aikv.params"); /* ours, as in load_policy */
    lua_getfield(L, -1, "describe");
    lua_setfield(L, LUA_REGISTRYINDEX, describe);
    lua_settop(L, CALL);
    load_policy(L);
    describe_text(L, c->description, "name");
    describe_text(L, c->description, "doc");
    lua_getfield(L, LUA_REGISTRYINDEX, describe);
    lua_getfield(L, POLICY, "params");
    lua_call(L, 1, 1);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
        add_row(L, rows);
        lua_pop(L, 1);
    }
    return 0;
}

static int run_check_params(lua_State *L)
{
    load_policy(L);
    read_params(L, lua_touserdata(L, CALL));
    return 0;
}

static int run_plan(lua_State *L)
{
    struct call *c = lua_touserdata(L, CALL);
    load_policy(L);
    read_params(L, c);
    ask(L, "plan", 2);
    steps_read(L, lua_gettop(L) - 1, c->world, c->steps);
    steps_read_why(L, lua_gettop(L), c->steps);
    if (c->score) read_score(L, c->score);
    return 0;
}

int script_check(const struct script_source *source, const struct script_limits *limits, char *doc, size_t doc_size,
                 struct error *e)
{
    struct call call = {.doc = doc, .doc_size = doc_size};
    return sandbox_run(source, limits, run_check, &call, e);
}

static int append(const char *text, size_t len, void *user)
{
    return buffer_append(user, text, len) ? 0 : -1;
}

int script_describe(const struct script_source *source, const struct script_limits *limits, struct buffer *json,
                    struct error *e)
{
    struct call call = {.description = json_object()};
    int code = sandbox_run(source, limits, run_describe, &call, e);
    if (!code && json_dump_callback(call.description, append, json, JSON_COMPACT) != 0)
        code = error_set(e, ERROR_LIMIT, "the description is larger than %zu bytes", json->max);
    json_decref(call.description);
    return code;
}

int script_check_params(const struct script_source *source, const struct cluster_param *params, uint32_t param_count,
                        const struct script_world *world, const struct script_limits *limits, struct error *e)
{
    struct call call = {.params = params, .param_count = param_count, .world = world};
    return sandbox_run(source, limits, run_check_params, &call, e);
}

int script_plan(const struct script_source *source, const struct cluster_param *params, uint32_t param_count,
                const struct script_world *world, const struct script_limits *limits, struct script_steps *out,
                double *score, struct error *e)
{
    *out = (struct script_steps){0};
    struct call call = {.params = params, .param_count = param_count, .world = world, .steps = out, .score = score};
    int code = sandbox_run(source, limits, run_plan, &call, e);
    if (code) script_steps_release(out);
    return code;
}
