/* A model cluster for tests of policies: the state machine of core/cluster itself, with nodes that exist only here. */
#ifndef AIKV_SCRIPT_MODEL_H
#define AIKV_SCRIPT_MODEL_H

#include <lua.h>

/* Pushes the module `aikv.model`; its functions are described in lua/aikv/sim.lua. */
int script_model_open(lua_State *L);

#endif
