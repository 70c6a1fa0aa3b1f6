/* Records of the view: a field that view.def does not know is an error, so that a mistyped one does not read as nil. */
#include <lauxlib.h>

#include "base/nearest.h"
#include "script/frozen.h"
#include "script/view.h"

static const char *const names[] = {
    [VIEW_TABLE_VIEW] = "the view",          [VIEW_TABLE_NODE] = "a node",  [VIEW_TABLE_SHARD] = "a shard",
    [VIEW_TABLE_SLOTS] = "view.slots",       [VIEW_TABLE_RUN] = "view.run", [VIEW_TABLE_FAILED] = "a failed step",
    [VIEW_TABLE_SETTINGS] = "view.settings",
};

static const char *field_of(enum view_table table, size_t index)
{
    if (table == VIEW_TABLE_SETTINGS)
        return index < CLUSTER_SETTINGS ? cluster_setting_info((enum cluster_setting)index)->name : NULL;
    for (size_t i = 0; view_field_at(i); i++)
        if (view_field_at(i)->table == table && index-- == 0) return view_field_at(i)->name;
    return NULL;
}

/* Called for what the record lacks: with the table behind it, and the name at index 2. */
static int missing(lua_State *L)
{
    enum view_table table = (enum view_table)lua_tointeger(L, lua_upvalueindex(1));
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) return lua_pushnil(L), 1;
    size_t len;
    const char *typed = luaL_tolstring(L, 2, &len), *known;
    struct nearest near;
    nearest_begin(&near, bytes_of(typed, len));
    for (size_t i = 0; (known = field_of(table, i)); i++) nearest_offer(&near, known);
    if (near.best) return luaL_error(L, "%s has no field '%s'; the nearest is '%s'", names[table], typed, near.best);
    return luaL_error(L, "%s has no field '%s'", names[table], typed);
}

/* Pushes a set of the names that may be missing. */
static void push_optional(lua_State *L, enum view_table table)
{
    const struct view_field *f;
    lua_newtable(L);
    for (size_t i = 0; (f = view_field_at(i)); i++) {
        if (f->table != table || !strstr(f->type, "or nil")) continue;
        lua_pushboolean(L, true);
        lua_setfield(L, -2, f->name);
    }
}

/* Pushes the metatable of the tables behind all records of a kind. */
static void push_metatable(lua_State *L, enum view_table table)
{
    static const char keys[sizeof names / sizeof *names]; /* their addresses */
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &keys[table]) != LUA_TNIL) return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, table);
    push_optional(L, table);
    lua_pushcclosure(L, missing, 2);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &keys[table]);
}

void view_record_wrap(lua_State *L, enum view_table table)
{
    luaL_checkstack(L, 6, NULL);
    push_metatable(L, table);
    lua_setmetatable(L, -2);
    frozen_wrap(L, FROZEN_RECORD);
}
