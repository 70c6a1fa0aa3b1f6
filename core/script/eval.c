/* One-off chunks, and their values as Redis's EVAL converts them. */
#include <lauxlib.h>

#include "resp/write.h"
#include "script/frozen.h"
#include "script/sandbox.h"
#include "script/steps.h"
#include "script/view.h"

#define DEPTH_MAX    100
#define ELEMENTS_MAX 1000000

struct eval {
    const struct bytes *argv;
    uint32_t argc;
    const struct script_world *world;
    struct resp_writer writer;
    struct script_steps *steps;
    size_t elements; /* written so far */
};

static void set_globals(lua_State *L, const struct eval *c)
{
    view_push(L, c->world);
    lua_setglobal(L, "view");
    lua_createtable(L, (int)c->argc, 0);
    for (uint32_t i = 0; i < c->argc; i++) {
        lua_pushlstring(L, (const char *)c->argv[i].data, c->argv[i].len);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "ARGV");
}

static void write_number(lua_State *L, struct eval *c, int index)
{
    lua_Number n = lua_tonumber(L, index);
    if (lua_isinteger(L, index))
        resp_integer(&c->writer, lua_tointeger(L, index));
    else if (n >= -0x1p63 && n < 0x1p63)
        resp_integer(&c->writer, (int64_t)n); /* truncates */
    else
        luaL_error(L, "the number %f has no whole part that fits a reply", n);
}

/* Writes {ok = "text"} or {err = "text"}; false if the table at `index` is neither. */
static bool write_status(lua_State *L, struct eval *c, int index)
{
    static const struct {
        const char *name, *mark;
    } fields[] = {{"err", "-"}, {"ok", "+"}};
    for (size_t f = 0; f < 2; f++) {
        lua_pushstring(L, fields[f].name);
        if (lua_rawget(L, index) == LUA_TSTRING) {
            size_t len;
            const char *text = lua_tolstring(L, -1, &len);
            buffer_append_text(c->writer.out, fields[f].mark);
            for (size_t i = 0; i < len; i++) {
                char byte = text[i];
                if (byte == '\r' || byte == '\n') byte = ' ';
                buffer_append(c->writer.out, &byte, 1);
            }
            buffer_append_text(c->writer.out, "\r\n");
            lua_pop(L, 1);
            return true;
        }
        lua_pop(L, 1);
    }
    return false;
}

static void write_value(lua_State *L, struct eval *c, int index, int depth);

/* Up to the first nil, as EVAL does. */
static void write_list(lua_State *L, struct eval *c, int index, int depth)
{
    size_t count = 0;
    while (lua_rawgeti(L, index, (lua_Integer)count + 1) != LUA_TNIL) {
        lua_pop(L, 1);
        count++;
    }
    lua_pop(L, 1);
    sandbox_charge(L, count);
    resp_array(&c->writer, count);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i);
        write_value(L, c, lua_gettop(L), depth + 1);
        lua_pop(L, 1);
    }
}

static void write_table(lua_State *L, struct eval *c, int index, int depth)
{
    if (depth > DEPTH_MAX) luaL_error(L, "the value is nested deeper than %d tables, or contains itself", DEPTH_MAX);
    if (!frozen_push_behind(L, index)) lua_pushvalue(L, index);
    int table = lua_gettop(L);
    if (!write_status(L, c, table)) write_list(L, c, table, depth);
    lua_pop(L, 1);
}

static void write_value(lua_State *L, struct eval *c, int index, int depth)
{
    luaL_checkstack(L, 6, NULL);
    sandbox_charge(L, 10);
    if (++c->elements > ELEMENTS_MAX) luaL_error(L, "the value has more than %d elements", ELEMENTS_MAX);
    size_t len;
    switch (lua_type(L, index)) {
    case LUA_TNUMBER: write_number(L, c, index); break;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &len);
        resp_bulk(&c->writer, bytes_of(text, len));
        break;
    }
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, index))
            resp_integer(&c->writer, 1);
        else
            resp_null(&c->writer);
        break;
    case LUA_TTABLE: write_table(L, c, index, depth); break;
    default: resp_null(&c->writer); break; /* nil, and what EVAL has no form for */
    }
    if (c->writer.out->failed) luaL_error(L, "the value is larger than a reply of %d bytes", (int)c->writer.out->max);
}

static int run_eval(lua_State *L)
{
    struct eval *c = lua_touserdata(L, 1);
    set_globals(L, c);
    sandbox_push_chunk(L);
    lua_call(L, 0, 1);
    if (c->steps)
        steps_read(L, lua_gettop(L), c->world, c->steps);
    else
        write_value(L, c, lua_gettop(L), 1);
    return 0;
}

int script_eval(const struct script_source *source, const struct bytes *argv, uint32_t argc,
                const struct script_world *world, const struct script_limits *limits, int protocol,
                struct buffer *reply, struct script_steps *steps, struct error *e)
{
    struct eval call = {.argv = argv, .argc = argc, .world = world, .writer = {reply, protocol}, .steps = steps};
    size_t before = reply ? reply->len : 0;
    if (steps) *steps = (struct script_steps){0};
    int code = sandbox_run(source, limits, run_eval, &call, e);
    if (!code) return 0;
    if (steps) script_steps_release(steps);
    if (reply) { /* what was written before the error */
        reply->len = before;
        reply->failed = false;
    }
    return code;
}
