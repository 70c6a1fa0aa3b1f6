/* The base library: what is dangerous goes, and pcall, pairs, setmetatable and require are ours. */
#include <lauxlib.h>
#include <lualib.h>

#include "script/frozen.h"
#include "script/sandbox.h"

static int base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, true);
    lua_insert(L, 1);
    int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
    sandbox_rethrow(L, status);
    if (status == LUA_OK) return lua_gettop(L);
    lua_pushboolean(L, false);
    lua_insert(L, -2);
    return 2;
}

static int base_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    return sorted_pairs(L, 1);
}

void sandbox_push_text(lua_State *L, int index)
{
    int type = lua_type(L, index);
    bool has_address = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
                       type == LUA_TLIGHTUSERDATA || type == LUA_TTHREAD;
    if (has_address && luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) {
        lua_pushstring(L, lua_typename(L, type));
        return;
    }
    if (has_address) lua_pop(L, 1);
    luaL_tolstring(L, index, NULL);
}

static int base_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    sandbox_push_text(L, 1);
    return 1;
}

static int base_require(lua_State *L)
{
    sandbox_push_module(L, luaL_checkstring(L, 1));
    return 1;
}

/* ---- metatables ----
 * Lua looks for __gc and __mode in a metatable at times of its own: finalisers run without the hook, and a chain of
 * weak tables makes one garbage collection take minutes. So objects get a copy of the metatable, which the script
 * cannot change; the original tells it so when it tries to add a metamethod later. */

static const char own_key; /* its address marks metatables made here, which setmetatable may replace */

static const char *const events[] = {"__index",  "__newindex", "__call",  "__len",   "__eq",      "__lt",  "__le",
                                     "__concat", "__unm",      "__add",   "__sub",   "__mul",     "__div", "__mod",
                                     "__pow",    "__idiv",     "__band",  "__bor",   "__bxor",    "__shl", "__shr",
                                     "__bnot",   "__name",     "__pairs", "__close", "__tostring"};

static int raw_field(lua_State *L, int index, const char *name)
{
    lua_pushstring(L, name);
    return lua_rawget(L, index);
}

static int refuse_late_event(lua_State *L)
{
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strncmp(key, "__", 2) == 0)
        return luaL_error(L, "'%s' must be in the metatable before setmetatable, which copies it", key);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 0;
}

static void mark_own(lua_State *L)
{
    lua_pushboolean(L, true);
    lua_rawsetp(L, -2, &own_key);
}

static void push_copy(lua_State *L, int meta)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (raw_field(L, meta, events[i]) != LUA_TNIL)
            lua_setfield(L, -2, events[i]);
        else
            lua_pop(L, 1);
    }
    if (raw_field(L, meta, "__metatable") == LUA_TNIL) {
        lua_pop(L, 1);
        mark_own(L);
        lua_pushvalue(L, meta); /* what getmetatable gives */
    }
    lua_setfield(L, -2, "__metatable");
}

static void guard_original(lua_State *L, int meta)
{
    if (lua_getmetatable(L, meta)) {
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, refuse_late_event);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    mark_own(L);
    lua_setmetatable(L, meta);
}

static bool is_protected(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) return false;
    bool own = lua_rawgetp(L, -1, &own_key) != LUA_TNIL;
    lua_pop(L, 2);
    return !own;
}

static int base_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    lua_settop(L, 2);
    if (is_protected(L, 1)) return luaL_error(L, "cannot change a protected metatable");
    if (lua_isnil(L, 2)) {
        lua_setmetatable(L, 1);
        return 1;
    }
    sandbox_charge(L, sizeof events / sizeof *events);
    if (raw_field(L, 2, "__gc") != LUA_TNIL) return luaL_error(L, "__gc is not allowed in a script");
    if (raw_field(L, 2, "__mode") != LUA_TNIL) return luaL_error(L, "__mode is not allowed in a script");
    push_copy(L, 2);
    lua_setmetatable(L, 1);
    guard_original(L, 2);
    lua_settop(L, 1);
    return 1;
}

void sandbox_open_base(lua_State *L)
{
    static const char *const removed[] = {"load",   "loadfile", "dofile", "collectgarbage", "rawset", "next",
                                          "xpcall", "print",    "warn"};
    static const luaL_Reg ours[] = {{"pcall", base_pcall},       {"pairs", base_pairs},
                                    {"tostring", base_tostring}, {"setmetatable", base_setmetatable},
                                    {"require", base_require},   {NULL, NULL}};
    lua_pushglobaltable(L);
    for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, removed[i]);
    }
    luaL_setfuncs(L, ours, 0);
    lua_getglobal(L, LUA_MATHLIBNAME);
    lua_pushnil(L);
    lua_setfield(L, -2, "random");
    lua_pushnil(L);
    lua_setfield(L, -2, "randomseed");
    lua_pop(L, 2);
}
