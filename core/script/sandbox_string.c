/* The string library: what can take longer than its input is long charges for it first. */
#include <lauxlib.h>
#include <lualib.h>

#include "script/sandbox.h"

#define COST_MAX 3e7 /* steps of the pattern matcher in one call: about a tenth of a second */

/* Calls the function in upvalue 1 with the arguments. */
static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int string_rep(lua_State *L)
{
    size_t len, sep_len = 0;
    luaL_checklstring(L, 1, &len);
    lua_Integer n = luaL_checkinteger(L, 2);
    if (!lua_isnoneornil(L, 3)) luaL_checklstring(L, 3, &sep_len);
    if (len + sep_len == 0) { /* would loop n times over nothing */
        lua_pushliteral(L, "");
        return 1;
    }
    size_t total;
    if (n < 0) n = 0;
    if (__builtin_mul_overflow(len + sep_len, (size_t)n, &total)) total = SIZE_MAX;
    sandbox_need(L, total);
    sandbox_charge(L, (uint64_t)n);
    return call_original(L);
}

/* How many ways a pattern has to go on: quantifiers, %b and back references, each up to the whole subject. */
static int count_choices(const char *p, size_t len)
{
    int choices = 0;
    for (size_t i = 0; i < len; i++) {
        switch (p[i]) {
        case '%':
            i++;
            if (i < len && (p[i] == 'b' || (p[i] >= '0' && p[i] <= '9'))) choices++;
            break;
        case '[': /* a set: the first ']' in it is a member */
            i += i + 1 < len && p[i + 1] == '^' ? 2 : 1;
            do {
                if (i < len && p[i] == '%') i++;
                i++;
            } while (i < len && p[i] != ']');
            break;
        case '*':
        case '+':
        case '-':
        case '?': choices++; break;
        default: break;
        }
    }
    return choices;
}

/* Most steps of matching: positions in the subject rise from choice to choice, so there are (len + c) over c ways to
 * set c of them. */
static double match_cost(lua_State *L, bool anchors)
{
    size_t len, pattern_len;
    luaL_checklstring(L, 1, &len);
    const char *pattern = luaL_checklstring(L, 2, &pattern_len);
    bool anchored = anchors && pattern_len > 0 && pattern[0] == '^';
    int choices = count_choices(pattern, pattern_len) + (anchored ? 0 : 1);
    double cost = (double)(pattern_len + 1);
    for (int i = 1; i <= choices && cost < 1e18; i++) cost *= (double)(len + (size_t)i) / i;
    if (cost > COST_MAX) luaL_error(L, "pattern too costly for a text of %d bytes: '%s'", (int)len, pattern);
    return cost;
}

/* Most calls take far less than their worst case, so they are not charged with it; but before one that could be long
 * the clock is read. */
static void charge_search(lua_State *L, double cost)
{
    sandbox_charge(L, cost > 1e5 ? 1000 : 100);
}

static int string_match(lua_State *L) /* match and gsub */
{
    charge_search(L, match_cost(L, true));
    return call_original(L);
}

static int string_find(lua_State *L)
{
    size_t len, pattern_len;
    luaL_checklstring(L, 1, &len);
    luaL_checklstring(L, 2, &pattern_len);
    if (!lua_toboolean(L, 4)) return string_match(L);
    double cost = (double)len + (double)len * (double)pattern_len / 16;
    if (cost > COST_MAX) return luaL_error(L, "search too costly: %d in %d bytes", (int)pattern_len, (int)len);
    charge_search(L, cost);
    return call_original(L);
}

/* One step of gmatch. After the last match every further call searches the whole rest again, so each looks at the
 * clock. */
static int gmatch_next(lua_State *L)
{
    sandbox_charge(L, 1000);
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_call(L, 0, LUA_MULTRET);
    return lua_gettop(L);
}

static int string_gmatch(lua_State *L)
{
    charge_search(L, match_cost(L, false));
    call_original(L);
    lua_settop(L, 1);
    lua_pushcclosure(L, gmatch_next, 1);
    return 1;
}

/* %s of a table or function is given its text, and %p refused: nothing tells addresses. */
static int string_format(lua_State *L)
{
    size_t len;
    const char *format = luaL_checklstring(L, 1, &len);
    int arg = 1;
    for (size_t i = 0; i < len; i++) {
        if (format[i] != '%') continue;
        i += 1 + strspn(format + i + 1, "-+ #0123456789.");
        if (i >= len || format[i] == '%') continue;
        arg++;
        if (format[i] == 'p') return luaL_error(L, "invalid conversion '%%p' to 'format': scripts see no addresses");
        if (format[i] != 's' || arg > lua_gettop(L)) continue;
        sandbox_push_text(L, arg);
        lua_replace(L, arg);
    }
    return call_original(L);
}

static void wrap(lua_State *L, const char *name, lua_CFunction f)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, f, 1);
    lua_setfield(L, -2, name);
}

void sandbox_open_string(lua_State *L)
{
    lua_getglobal(L, LUA_STRLIBNAME);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    wrap(L, "rep", string_rep);
    wrap(L, "format", string_format);
    wrap(L, "find", string_find);
    wrap(L, "match", string_match);
    wrap(L, "gsub", string_match);
    wrap(L, "gmatch", string_gmatch);
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, false); /* getmetatable("") gives this */
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 3);
}
