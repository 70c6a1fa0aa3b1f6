/* Load by slot as tests give it to the model cluster. */
#ifndef AIKV_SCRIPT_MODEL_LOAD_H
#define AIKV_SCRIPT_MODEL_LOAD_H

#include <lua.h>

#include "cluster/live.h"

/* From the arguments of m:load, what follows the model: (slot, { keys =, bytes =, ops = }) or ({ keys = { [slot] = …, … }, … }). Others keep
 * what they have. Raises an error that names what is wrong. */
void model_load_read(lua_State *L, struct cluster_load *load);
/* What the primaries of these slots would report of themselves: keys and ops of the nodes of `live`. */
void model_load_nodes(const struct cluster_state *s, struct cluster_live *live);

#endif
