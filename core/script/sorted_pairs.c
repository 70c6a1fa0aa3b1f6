/* pairs with an order: so that a policy gives the same steps for the same view on every node. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "script/frozen.h"
#include "script/sandbox.h"

/* A key beside the sequence 1 to n; its text belongs to the table. */
struct key {
    int type; /* LUA_TBOOLEAN, LUA_TNUMBER, LUA_TSTRING: their numbers are the order */
    union {
        lua_Number number; /* also a boolean's, and an integer's */
        const char *text;
    } as;
    lua_Integer integer; /* a string's length */
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->type == LUA_TSTRING) {
        size_t shorter = (size_t)(x->integer < y->integer ? x->integer : y->integer);
        int order = memcmp(x->as.text, y->as.text, shorter);
        if (order) return order;
    } else if (x->as.number < y->as.number || x->as.number > y->as.number) {
        return x->as.number < y->as.number ? -1 : 1;
    }
    return x->integer < y->integer ? -1 : x->integer > y->integer;
}

/* The key at `index` of the stack. */
static struct key read_key(lua_State *L, int index)
{
    struct key k = {.type = lua_type(L, index)};
    size_t len;
    switch (k.type) {
    case LUA_TBOOLEAN: k.as.number = lua_toboolean(L, index); break;
    case LUA_TNUMBER:
        k.as.number = lua_tonumber(L, index);
        if (lua_isinteger(L, index)) k.integer = lua_tointeger(L, index);
        break;
    case LUA_TSTRING:
        k.as.text = lua_tolstring(L, index, &len);
        k.integer = (lua_Integer)len;
        break;
    default: luaL_error(L, "pairs: a %s as a key has no fixed order", luaL_typename(L, index));
    }
    return k;
}

static void push_key(lua_State *L, const struct key *k)
{
    if (k->type == LUA_TBOOLEAN)
        lua_pushboolean(L, k->as.number > 0);
    else if (k->type == LUA_TSTRING)
        lua_pushlstring(L, k->as.text, (size_t)k->integer);
    else if ((lua_Number)k->integer == k->as.number)
        lua_pushinteger(L, k->integer);
    else
        lua_pushnumber(L, k->as.number);
}

static bool in_sequence(lua_State *L, int index, lua_Integer n)
{
    return lua_isinteger(L, index) && lua_tointeger(L, index) >= 1 && lua_tointeger(L, index) <= n;
}

/* Pushes a sorted list of the keys outside 1 to n of the table at `index`; `first` gets where the ones after n begin.
 */
static void push_other_keys(lua_State *L, int index, lua_Integer n, lua_Integer *after)
{
    lua_Integer count = 0, steps = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        count += !in_sequence(L, -2, n);
        steps++;
    }
    sandbox_charge(L, (uint64_t)(steps + 10 * count));
    struct key *keys = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *keys,
                                         0); /* freed by Lua if an error is raised */
    size_t used = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (!in_sequence(L, -2, n)) keys[used++] = read_key(L, -2);
    qsort(keys, used, sizeof *keys, compare_keys);
    lua_createtable(L, (int)count, 0);
    *after = 1;
    for (size_t i = 0; i < used; i++) {
        push_key(L, &keys[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        if (keys[i].type == LUA_TBOOLEAN || (keys[i].type == LUA_TNUMBER && keys[i].as.number < 1)) (*after)++;
    }
    lua_remove(L, -2);
}

enum { TABLE = 1, OTHERS, SEQUENCE, AFTER, POSITION }; /* the iterator's upvalues */

/* Pushes the key at a position: the others below 1, then 1 to n, then the rest. Nil at the end. */
static void push_key_at(lua_State *L, lua_Integer position)
{
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(SEQUENCE)),
                before = lua_tointeger(L, lua_upvalueindex(AFTER)) - 1;
    if (position <= before)
        lua_rawgeti(L, lua_upvalueindex(OTHERS), position);
    else if (position <= before + n)
        lua_pushinteger(L, position - before);
    else
        lua_rawgeti(L, lua_upvalueindex(OTHERS), position - n);
}

static int next_pair(lua_State *L)
{
    lua_Integer position = lua_tointeger(L, lua_upvalueindex(POSITION));
    for (;;) {
        lua_settop(L, 0);
        push_key_at(L, ++position);
        if (lua_isnil(L, 1)) return 1;
        lua_pushvalue(L, 1);
        if (lua_rawget(L, lua_upvalueindex(TABLE)) != LUA_TNIL) break; /* else it was taken out meanwhile */
        sandbox_charge(L, 10);
    }
    lua_pushinteger(L, position);
    lua_replace(L, lua_upvalueindex(POSITION));
    return 2;
}

int sorted_pairs(lua_State *L, int index)
{
    luaL_checkstack(L, 10, NULL);
    lua_Integer n = (lua_Integer)lua_rawlen(L, index), after;
    lua_pushvalue(L, index);
    push_other_keys(L, index, n, &after);
    lua_pushinteger(L, n);
    lua_pushinteger(L, after);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_pair, 5);
    return 1; /* not the table: behind a frozen one it would be open to writes */
}
