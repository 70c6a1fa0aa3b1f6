/* Steps to Lua, as a policy writes them. */
#include <lauxlib.h>

#include "script/steps.h"
#include "script/view.h"

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_shard(lua_State *L, const char *name, uint32_t number)
{
    char text[VIEW_SHARD_NAME_MAX];
    view_shard_name(number, text);
    set_text(L, name, text);
}

static void set_slots(lua_State *L, const struct cluster_ranges *slots)
{
    lua_createtable(L, (int)slots->count, 0);
    for (size_t i = 0; i < slots->count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, slots->list[i].from);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, slots->list[i].to);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "slots");
}

static void push_step(lua_State *L, const struct cluster_step *s)
{
    const struct cluster_op_info *op = cluster_op_info(s->op);
    lua_createtable(L, 0, 5);
    set_text(L, "op", op->name);
    if (op->fields & CLUSTER_FIELD_NODE) set_text(L, "node", s->node);
    if (op->fields & CLUSTER_FIELD_SHARD) set_shard(L, "shard", s->shard);
    if (op->fields & CLUSTER_FIELD_FROM) set_shard(L, "from", s->shard);
    if (op->fields & CLUSTER_FIELD_TO) set_shard(L, "to", s->to);
    if (op->fields & CLUSTER_FIELD_SLOTS) set_slots(L, &s->slots);
    if (op->fields & CLUSTER_FIELD_MS) set_integer(L, "ms", s->ms);
    if (op->fields & CLUSTER_FIELD_KEY) set_text(L, "key", cluster_setting_info(s->key)->name);
    if (op->fields & CLUSTER_FIELD_VALUE) set_integer(L, "value", s->value);
    if (op->fields & CLUSTER_FIELD_LABELS) set_text(L, "labels", s->labels);
    if (s->why[0]) set_text(L, "why", s->why);
    if (op->fields & CLUSTER_FIELD_ON) {
        lua_pushboolean(L, s->on);
        lua_setfield(L, -2, "on");
    }
}

void steps_push(lua_State *L, const struct script_steps *steps)
{
    lua_createtable(L, (int)steps->count, 0);
    for (uint32_t i = 0; i < steps->count; i++) {
        push_step(L, &steps->list[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}
