/* Steps from Lua, checked against step.def, strictly; and to Lua. */
#ifndef AIKV_SCRIPT_STEPS_H
#define AIKV_SCRIPT_STEPS_H

#include <lua.h>

#include "script/policy.h"

/* Reads the list of steps at `index` into `out`, which must be empty, and which the caller releases also when an error
 * is raised. The error names the step and the field. Needs no more of the world than state and live. */
void steps_read(lua_State *L, int index, const struct script_world *world, struct script_steps *out);
/* Reads the one step at `index` into `out`, likewise. */
void steps_read_one(lua_State *L, int index, const struct script_world *world, struct cluster_step *out);
/* Reads what a plan gives beside its steps, nil or a line of text at `index`, likewise. */
void steps_read_why(lua_State *L, int index, struct script_steps *out);
/* Pushes a list of tables as a policy writes them; nodes are given by id. */
void steps_push(lua_State *L, const struct script_steps *steps);

#endif
