/* Frozen tables: a view is made of empty tables that read from another one behind them. `#`, ipairs, pairs (sorted) and
 * indexing work as on the table itself, writing is an error. */
#ifndef AIKV_SCRIPT_FROZEN_H
#define AIKV_SCRIPT_FROZEN_H

#include <lua.h>
#include <stdbool.h>

enum frozen_kind {
    FROZEN_RECORD, /* names and values */
    FROZEN_LIST,   /* a sequence, perhaps empty */
    FROZEN_INDEX,  /* rows that are elsewhere already, by their id: not written as JSON */
    FROZEN_SLOTS,  /* numbers by slot, from 0: in JSON a list whose first is that of slot 0 */
};

/* Replaces the table on top of the stack with its frozen form; nobody else may hold the table. */
void frozen_wrap(lua_State *L, enum frozen_kind kind);
/* If the value at `index` is frozen, pushes the table behind it and returns true; else pushes nothing. Raises no error.
 */
bool frozen_push_behind(lua_State *L, int index);
/* The kind of a frozen table. */
enum frozen_kind frozen_kind(lua_State *L, int index);

/* Pushes what `pairs` of the table at `index` returns: an iterator in the order false, true, numbers, strings. Values
 * are read when their turn comes, without metamethods; other types of keys are an error. Returns 1. */
int sorted_pairs(lua_State *L, int index);

#endif
