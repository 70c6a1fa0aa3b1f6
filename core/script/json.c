/* The view as JSON, from the very tables that policies read. */
#include "script/json.h"

#include <lauxlib.h>

#include "script/frozen.h"
#include "script/view.h"

json_t *json_text(const char *text, size_t len)
{
    json_t *value = json_stringn(text, len);
    if (value) return value;
    char *ascii = strndup(text, len);
    if (!ascii) return NULL;
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    value = json_string(ascii);
    free(ascii);
    return value;
}

static json_t *value_at(lua_State *L, int index);

static json_t *list_at(lua_State *L, int index, lua_Integer first)
{
    json_t *list = json_array();
    for (lua_Integer i = first; lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
        json_array_append_new(list, value_at(L, lua_gettop(L)));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return list;
}

static json_t *record_at(lua_State *L, int index)
{
    json_t *record = json_object();
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (frozen_kind(L, -1) == FROZEN_INDEX) continue;
        json_object_set_new(record, lua_tostring(L, -2), value_at(L, lua_gettop(L)));
    }
    return record;
}

/* NULL without memory: then it is missing in what it belongs to. */
static json_t *value_at(lua_State *L, int index)
{
    size_t len;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: return json_boolean(lua_toboolean(L, index));
    case LUA_TNUMBER:
        return lua_isinteger(L, index) ? json_integer(lua_tointeger(L, index)) : json_real(lua_tonumber(L, index));
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &len);
        return json_text(text, len);
    }
    default: break;
    }
    enum frozen_kind kind = frozen_kind(L, index);
    if (!frozen_push_behind(L, index)) return NULL;
    bool is_list = kind == FROZEN_LIST || kind == FROZEN_SLOTS;
    json_t *value = is_list ? list_at(L, lua_gettop(L), kind == FROZEN_LIST) : record_at(L, lua_gettop(L));
    lua_pop(L, 1);
    return value;
}

static int append(const char *text, size_t len, void *user)
{
    return buffer_append(user, text, len) ? 0 : -1;
}

struct json_call {
    const struct script_world *world;
    json_t *json;
};

static int make_json(lua_State *L)
{
    struct json_call *c = lua_touserdata(L, 1);
    view_push(L, c->world);
    c->json = value_at(L, lua_gettop(L));
    return 0;
}

int script_view_json(const struct script_world *world, struct buffer *out, struct error *e)
{
    struct json_call call = {.world = world};
    lua_State *L = luaL_newstate();
    if (!L) return error_set(e, ERROR_OOM, "no memory for the view");
    lua_pushcfunction(L, make_json);
    lua_pushlightuserdata(L, &call);
    int status = lua_pcall(L, 1, 0, 0);
    int code = 0;
    if (status != LUA_OK) code = error_set(e, ERROR_OOM, "no memory for the view: %s", lua_tostring(L, -1));
    lua_close(L);
    if (!code &&
        json_dump_callback(call.json, append, out, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15)) != 0)
        code = error_set(e, ERROR_LIMIT, "the view is larger than %zu bytes", out->max);
    json_decref(call.json);
    return code;
}
