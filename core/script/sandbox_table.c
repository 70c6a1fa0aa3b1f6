/* The table library: on plain tables and frozen views only, because metamethods in C would run without the hook; and
 * charged by length. */
#include <lauxlib.h>
#include <lualib.h>

#include "script/frozen.h"
#include "script/sandbox.h"

#define MOVE_MAX 1000000

static bool has_event(lua_State *L, int index, const char *event)
{
    lua_pushstring(L, event);
    bool has = lua_rawget(L, index) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

static void check_plain(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    if (!lua_getmetatable(L, index)) return;
    int meta = lua_gettop(L);
    if (has_event(L, meta, "__index") || has_event(L, meta, "__newindex") || has_event(L, meta, "__len"))
        luaL_argerror(L, index, "a table without __index, __newindex and __len expected");
    lua_pop(L, 1);
}

/* A table to be read: a frozen one is replaced by what is behind it. */
static void check_readable(lua_State *L, int index)
{
    if (frozen_push_behind(L, index))
        lua_replace(L, index);
    else
        check_plain(L, index);
}

static void check_writable(lua_State *L, int index)
{
    if (frozen_push_behind(L, index)) luaL_error(L, "the view is read-only");
    check_plain(L, index);
}

/* Calls the function in upvalue 1 with the arguments. */
static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* The length of the range `from`..`to` in arguments, which are #t's and 1 by default. */
static uint64_t range_len(lua_State *L, int from_arg, int to_arg)
{
    lua_Integer from = luaL_optinteger(L, from_arg, 1), to = luaL_optinteger(L, to_arg, (lua_Integer)lua_rawlen(L, 1));
    return to < from ? 0 : (uint64_t)to - (uint64_t)from;
}

static int table_concat(lua_State *L)
{
    check_readable(L, 1);
    uint64_t len = range_len(L, 3, 4), own = lua_rawlen(L, 1);
    sandbox_charge(L, len < own ? len : own + 100); /* it ends at the first nil */
    return call_original(L);
}

static int table_unpack(lua_State *L)
{
    check_readable(L, 1);
    uint64_t len = range_len(L, 2, 3);
    sandbox_charge(L, len < MOVE_MAX ? len + 10 : 1000); /* more does not fit the stack: refused at once */
    return call_original(L);
}

static int table_insert_or_remove(lua_State *L)
{
    check_writable(L, 1);
    bool at_end = lua_gettop(L) < (lua_toboolean(L, lua_upvalueindex(2)) ? 3 : 2); /* insert has a value more */
    sandbox_charge(L, at_end ? 10 : lua_rawlen(L, 1) + 10);
    return call_original(L);
}

static int table_move(lua_State *L)
{
    check_writable(L, lua_isnoneornil(L, 5) ? 1 : 5);
    check_readable(L, 1);
    lua_Integer from = luaL_checkinteger(L, 2), end = luaL_checkinteger(L, 3);
    uint64_t len = end < from ? 0 : (uint64_t)end - (uint64_t)from;
    if (len > MOVE_MAX) return luaL_error(L, "table.move: over %d elements", MOVE_MAX);
    sandbox_charge(L, len + 10);
    return call_original(L);
}

/* Upvalue 1: a comparing function in C, or nil for `<`. Two long texts may take 0.1 ms to compare. */
static int compare(lua_State *L)
{
    size_t a = lua_type(L, 1) == LUA_TSTRING ? lua_rawlen(L, 1) : 0,
           b = lua_type(L, 2) == LUA_TSTRING ? lua_rawlen(L, 2) : 0;
    sandbox_charge(L, 10 + (a < b ? a : b) / 16);
    if (lua_isnil(L, lua_upvalueindex(1))) {
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
        return 1;
    }
    sandbox_charge(L, 50 + (a + b) / 4);
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

static int table_sort(lua_State *L)
{
    check_writable(L, 1);
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    if (!lua_isfunction(L, 2) || lua_iscfunction(L, 2)) lua_pushcclosure(L, compare, 1); /* one in Lua meets the hook */
    return call_original(L);
}

static void wrap(lua_State *L, const char *name, lua_CFunction f, bool flag)
{
    lua_getfield(L, -1, name);
    lua_pushboolean(L, flag);
    lua_pushcclosure(L, f, 2);
    lua_setfield(L, -2, name);
}

void sandbox_open_table(lua_State *L)
{
    lua_getglobal(L, LUA_TABLIBNAME);
    wrap(L, "concat", table_concat, false);
    wrap(L, "unpack", table_unpack, false);
    wrap(L, "move", table_move, false);
    wrap(L, "sort", table_sort, false);
    wrap(L, "insert", table_insert_or_remove, true);
    wrap(L, "remove", table_insert_or_remove, false);
    lua_pop(L, 1);
}
