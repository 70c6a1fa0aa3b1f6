#include "script/frozen.h"

#include <lauxlib.h>

static int refuse_write(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TSTRING)
        return luaL_error(L, "the view is read-only: cannot set '%s'", lua_tostring(L, 2));
    return luaL_error(L, "the view is read-only");
}

static int length(lua_State *L)
{
    if (!frozen_push_behind(L, 1)) return luaL_argerror(L, 1, "a view expected");
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

static int pairs(lua_State *L)
{
    if (!frozen_push_behind(L, 1)) return luaL_argerror(L, 1, "a view expected");
    return sorted_pairs(L, lua_gettop(L));
}

void frozen_wrap(lua_State *L, enum frozen_kind kind)
{
    luaL_checkstack(L, 4, NULL);
    lua_newtable(L);
    lua_createtable(L, 1, 6);
    lua_pushinteger(L, kind);
    lua_rawseti(L, -2, 1);
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, length);
    lua_setfield(L, -2, "__len");
    lua_pushcfunction(L, pairs);
    lua_setfield(L, -2, "__pairs");
    lua_pushliteral(L, "view");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, false); /* getmetatable gives this; setmetatable refuses */
    lua_setfield(L, -2, "__metatable");
    lua_rotate(L, -3, -1); /* table, frozen, meta → frozen, meta, table */
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

/* A script cannot get at `refuse_write`, so a metatable with it is ours. */
static bool push_metatable(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_checkstack(L, 3) || !lua_getmetatable(L, index)) return false;
    lua_pushliteral(L, "__newindex");
    lua_rawget(L, -2);
    bool ours = lua_tocfunction(L, -1) == refuse_write;
    lua_pop(L, ours ? 1 : 2);
    return ours;
}

bool frozen_push_behind(lua_State *L, int index)
{
    if (!push_metatable(L, index)) return false;
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    lua_remove(L, -2);
    return true;
}

enum frozen_kind frozen_kind(lua_State *L, int index)
{
    if (!push_metatable(L, index)) return FROZEN_RECORD;
    lua_rawgeti(L, -1, 1);
    enum frozen_kind kind = (enum frozen_kind)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return kind;
}
