/* "Did you mean" for Lua: the function that `require "aikv.nearest"` gives. */
#ifndef AIKV_SCRIPT_NEAREST_NAME_H
#define AIKV_SCRIPT_NEAREST_NAME_H

#include <lua.h>

#define NEAREST_MODULE "aikv.nearest"

/* nearest(typed, names) → the name of the list that is nearest, or nil if none is near enough. */
int nearest_name(lua_State *L);

#endif
