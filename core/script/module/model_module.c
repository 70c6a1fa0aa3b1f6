/* model.so: require "aikv.model" in an ordinary Lua 5.4. */
#include "script/model.h"

int luaopen_aikv_model(lua_State *L);

int luaopen_aikv_model(lua_State *L)
{
    return script_model_open(L);
}
