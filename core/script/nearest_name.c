#include "script/nearest_name.h"

#include <lauxlib.h>

#include "base/nearest.h"

int nearest_name(lua_State *L)
{
    struct nearest near;
    size_t len;
    const char *typed = luaL_checklstring(L, 1, &len);
    luaL_checktype(L, 2, LUA_TTABLE);
    nearest_begin(&near, bytes_of(typed, len));
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
        nearest_offer(&near, lua_tostring(L, -1)); /* lives as long as the list */
        lua_pop(L, 1);
    }
    lua_pushstring(L, near.best); /* nil for NULL */
    return 1;
}
