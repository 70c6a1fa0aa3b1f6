#include "script/model_load.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "base/nearest.h"

static const char *const kinds[] = {"keys", "bytes", "ops"};

static uint64_t *values_of(struct cluster_load *load, const char *kind)
{
    if (strcmp(kind, "keys") == 0) return load->keys;
    if (strcmp(kind, "bytes") == 0) return load->bytes;
    return strcmp(kind, "ops") == 0 ? load->milliops : NULL;
}

/* The values that the field at `key` is about. */
static uint64_t *check_kind(lua_State *L, int key, struct cluster_load *load)
{
    const char *name = lua_type(L, key) == LUA_TSTRING ? lua_tostring(L, key) : "";
    uint64_t *values = values_of(load, name);
    if (values) return values;
    struct nearest near;
    nearest_begin(&near, bytes_text(name));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) nearest_offer(&near, kinds[i]);
    if (near.best) luaL_error(L, "load: no field '%s'; the nearest is '%s'", name, near.best);
    luaL_error(L, "load: no field '%s'; there are keys, bytes and ops", name);
    abort(); /* luaL_error does not return */
}

static unsigned check_slot(lua_State *L, int index)
{
    int whole;
    lua_Integer slot = lua_tointegerx(L, index, &whole);
    if (!whole || slot < 0 || slot >= CLUSTER_SLOTS)
        luaL_error(L, "load: a slot is 0 to 16383, not %s", luaL_tolstring(L, index, NULL));
    return (unsigned)slot;
}

/* ops may have a fraction, and is kept in thousandths. */
static uint64_t check_value(lua_State *L, int index, const char *kind, unsigned slot)
{
    bool thousandths = strcmp(kind, "ops") == 0;
    int fits;
    lua_Number number = lua_tonumberx(L, index, &fits), most = (lua_Number)CLUSTER_LOAD_MAX / (thousandths ? 1000 : 1);
    if (fits && !thousandths) lua_tointegerx(L, index, &fits);
    if (!fits || !(number >= 0 && number <= most))
        luaL_error(L, "load: %s of slot %d: 0 to %f expected, not %s", kind, (int)slot, most,
                   luaL_tolstring(L, index, NULL));
    return (uint64_t)(thousandths ? number * 1000 + 0.5 : number);
}

static void read_slot(lua_State *L, struct cluster_load *load)
{
    unsigned slot = check_slot(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
        int value = lua_gettop(L);
        uint64_t *values = check_kind(L, value - 1, load);
        values[slot] = check_value(L, value, lua_tostring(L, value - 1), slot);
    }
}

/* The values at `table`, by slot. */
static void read_values(lua_State *L, int table, const char *kind, uint64_t *values)
{
    if (lua_type(L, table) != LUA_TTABLE) luaL_error(L, "load: %s: a table by slot expected", kind);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        int value = lua_gettop(L);
        unsigned slot = check_slot(L, value - 1);
        values[slot] = check_value(L, value, kind, slot);
    }
}

void model_load_read(lua_State *L, struct cluster_load *load)
{
    if (lua_type(L, 2) != LUA_TTABLE) {
        read_slot(L, load);
        return;
    }
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        int table = lua_gettop(L);
        uint64_t *values = check_kind(L, table - 1, load);
        read_values(L, table, lua_tostring(L, table - 1), values);
    }
}

void model_load_nodes(const struct cluster_state *s, struct cluster_live *live)
{
    struct cluster_live_node *primary = NULL;
    for (unsigned slot = 0; live->load && slot < CLUSTER_SLOTS; slot++) {
        if (!slot || s->owner[slot] != s->owner[slot - 1]) {
            const struct cluster_shard *shard = s->owner[slot] ? cluster_shard_find(s, s->owner[slot]) : NULL;
            primary = shard ? (struct cluster_live_node *)cluster_live_find(live, shard->primary) : NULL;
        }
        if (!primary) continue;
        primary->load.keys += live->load->keys[slot];
        primary->load.milliops += live->load->milliops[slot];
    }
}
