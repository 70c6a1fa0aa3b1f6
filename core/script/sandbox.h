/* The sandbox: one call of a script in a Lua state of its own, within limits. (design: control-plane.md, "The sandbox")
 *
 * What makes it hold: a count hook reads the clock every 100 instructions; every C function that could loop for long
 * without meeting the hook is wrapped and charges for its work first; the allocator bounds the whole and any single
 * block, which bounds every linear C function; and a limit that was hit stays hit, so that pcall cannot eat it. */
#ifndef AIKV_SCRIPT_SANDBOX_H
#define AIKV_SCRIPT_SANDBOX_H

#include <lua.h>

#include "script/policy.h"

/* Runs `body` with `user` as light userdata at index 1, in a new state with the sandbox's libraries, and closes the
 * state. `body` raises Lua errors to fail; whatever it must release later belongs in `user`, not in local variables.
 * `limits` may be NULL: the default ones. Errors: SCRIPT, with the source's name, version and, where one is known, line
 * in front. */
int sandbox_run(const struct script_source *source, const struct script_limits *limits, lua_CFunction body, void *user,
                struct error *e);

/* Pushes the compiled source of sandbox_run as a function; raises a syntax error. */
void sandbox_push_chunk(lua_State *L);
/* Pushes what `require(name)` gives, for the module `name` ("aikv.view"); raises an error that names the
 * nearest, or the usual ones, if there is no such one. */
void sandbox_push_module(lua_State *L, const char *name);

/* Counts `cost` instructions' worth of work that C is about to do, and looks at the clock now and then; raises if a
 * limit is hit. In a state that is not a sandbox (the model's) it does nothing. */
void sandbox_charge(lua_State *L, uint64_t cost);

/* Raises the memory limit if a value of `size` bytes is not to be had: for C that would say it otherwise. */
void sandbox_need(lua_State *L, size_t size);

/* Pushes what tostring gives. Of a table, function and the like only its type: its address tells a script where memory
 * is, and would make the same plan look different each time. */
void sandbox_push_text(lua_State *L, int index);

/* ---- pieces of the library, for sandbox.c ---- */

/* Each takes things away from, and puts its wrappers into, the global tables. */
void sandbox_open_base(lua_State *L);
void sandbox_open_string(lua_State *L);
void sandbox_open_table(lua_State *L);
/* pcall's part: raises again if a limit was hit; `status` is lua_pcall's. */
void sandbox_rethrow(lua_State *L, int status);

#endif
