/* Lua that travels inside the binary, made by embed.cmake. Both lists are sorted by name and end with a NULL name. */
#ifndef AIKV_SCRIPT_EMBEDDED_H
#define AIKV_SCRIPT_EMBEDDED_H

#include "script/policy.h"

extern const struct script_builtin script_policies[]; /* scripts/init.lua is "init" */
extern const struct script_builtin script_modules[];  /* lua/aikv/view.lua is "aikv.view" */

#endif
