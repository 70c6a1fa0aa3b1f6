#include "script/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "script/embedded.h"
#include "script/nearest_name.h"

#define HOOK_EVERY   100  /* instructions between two looks at the clock */
#define CHARGE_EVERY 1000 /* charged work between two looks at the clock */
#define CHUNK_PIECE  128  /* bytes compiled between two looks at the clock */
#define WHERE_LEVELS 100  /* how far up the stack the script's own line is looked for */

const struct script_limits script_limits_default = {
    .instructions = 100000000, .time_ms = 1000, .memory = 64u << 20, .block = 1u << 20};

enum limit { LIMIT_NONE, LIMIT_INSTRUCTIONS, LIMIT_TIME, LIMIT_MEMORY, LIMIT_STOP };

struct sandbox {
    const struct script_source *source;
    const struct script_limits *limits;
    lua_State *L;                /* NULL while the state is being made */
    char chunk_name[LUA_IDSIZE]; /* "=name@version", as Lua keeps it */
    size_t used;                 /* bytes */
    uint64_t spent;              /* instructions and charges */
    uint64_t unchecked;          /* charges since the last look at the clock */
    uint64_t began_us;           /* of the thread's processor time */
    uint64_t deadline_us;        /* real time before which it cannot have used up its time */
    enum limit hit; /* once set it stays */
    size_t refused; /* bytes of the last allocation that was refused */
    int line;       /* where it was hit; 0: not known */
    size_t loaded;  /* bytes of the source given to the compiler */
};

static const char registry_key; /* its address */

/* The innermost line of the script itself (not of a module it uses) on the stack; 0 if there is none. Allocates
 * nothing. */
static int script_line(const struct sandbox *s)
{
    lua_Debug ar;
    for (int level = 0; level < WHERE_LEVELS && lua_getstack(s->L, level, &ar); level++) {
        lua_getinfo(s->L, "Sl", &ar);
        if (strcmp(ar.source, s->chunk_name) == 0 && ar.currentline > 0) return ar.currentline;
    }
    return 0;
}

static void hit(struct sandbox *s, enum limit limit)
{
    if (s->hit) return;
    s->hit = limit;
    if (limit != LIMIT_MEMORY) s->line = s->L ? script_line(s) : 0;
}

/* What counts is processor time: a busy machine ends no script, least of all a failover. That is asked for only once so much
 * real time has passed, as it is a system call. */
static bool is_out_of_time(struct sandbox *s)
{
    const uint64_t now_us = clock_monotonic_us();
    if (now_us <= s->deadline_us) return false;
    const uint64_t limit_us = s->limits->time_ms * 1000, used_us = clock_thread_us() - s->began_us;
    if (used_us > limit_us) return true;
    s->deadline_us = now_us + (limit_us - used_us);
    return false;
}

static void look_at_clock(struct sandbox *s)
{
    s->unchecked = 0;
    if (s->spent > s->limits->instructions)
        hit(s, LIMIT_INSTRUCTIONS);
    else if (is_out_of_time(s))
        hit(s, LIMIT_TIME);
    else if (s->limits->stop && atomic_load_explicit(s->limits->stop, memory_order_relaxed))
        hit(s, LIMIT_STOP);
}

/* Refusing makes Lua collect all garbage and ask once more, which is long on a full heap: so the clock is looked at
 * here too. */
static void *refuse(struct sandbox *s, size_t size)
{
    if (s->hit) return NULL;
    s->refused = size;
    const int line = s->L ? script_line(s) : 0;
    if (line) s->line = line; /* there is none where Lua, after the error, wants a smaller stack */
    s->spent += s->used / 64;
    look_at_clock(s);
    return NULL;
}

static void *allocate(void *user, void *block, size_t old_size, size_t size)
{
    struct sandbox *s = user;
    if (!block) old_size = 0; /* then it is a type, not a size */
    if (size == 0) {
        s->used -= old_size;
        free(block);
        return NULL;
    }
    if (size > old_size) {
        const struct script_limits *l = s->limits;
        if (s->hit || size > l->block || s->used - old_size + size > l->memory) return refuse(s, size);
    }
    void *moved = realloc(block, size);
    if (moved) s->used += size - old_size; /* may be negative: wraps around as it should */
    return moved;
}

static void hook(lua_State *L, lua_Debug *ar);

/* The error is a value that needs no memory, and from now on every instruction raises it again. */
static _Noreturn void raise_limit(lua_State *L, struct sandbox *s)
{
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    lua_pushlightuserdata(L, s);
    lua_error(L);
    abort(); /* lua_error does not return */
}

static struct sandbox *sandbox_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key);
    struct sandbox *s = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return s;
}

static void hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct sandbox *s = *(struct sandbox **)lua_getextraspace(L);
    s->spent += HOOK_EVERY;
    look_at_clock(s);
    if (s->hit) raise_limit(L, s);
}

void sandbox_charge(lua_State *L, uint64_t cost)
{
    struct sandbox *s = sandbox_of(L);
    if (!s) return;
    s->spent += cost;
    s->unchecked += cost;
    if (s->unchecked >= CHARGE_EVERY) look_at_clock(s);
    if (s->hit) raise_limit(L, s);
}

void sandbox_need(lua_State *L, size_t size)
{
    struct sandbox *s = sandbox_of(L);
    if (size <= s->limits->block) return;
    s->refused = size;
    s->line = script_line(s);
    hit(s, LIMIT_MEMORY);
    raise_limit(L, s);
}

void sandbox_rethrow(lua_State *L, int status)
{
    struct sandbox *s = sandbox_of(L);
    if (status == LUA_ERRMEM) hit(s, LIMIT_MEMORY);
    if (s->hit) raise_limit(L, s);
}

/* The compiler has no hook, and takes seconds for some sources (names looked for in 180 nested functions): so it gets
 * small pieces. */
static const char *read_piece(lua_State *L, void *user, size_t *size)
{
    (void)user;
    struct sandbox *s = sandbox_of(L);
    sandbox_charge(L, CHARGE_EVERY);
    size_t left = s->source->text.len - s->loaded;
    *size = left < CHUNK_PIECE ? left : CHUNK_PIECE;
    const char *piece = (const char *)s->source->text.data + s->loaded;
    s->loaded += *size;
    return *size ? piece : NULL;
}

void sandbox_push_chunk(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    s->loaded = 0;
    if (lua_load(L, read_piece, NULL, s->chunk_name, "t") != LUA_OK) lua_error(L);
}

/* Names those that a policy should know; the others are what these and the built-in policies are made of. */
static _Noreturn void fail_without_module(lua_State *L, const char *name)
{
    struct nearest near;
    nearest_begin(&near, bytes_text(name));
    for (const struct script_builtin *m = script_modules; m->name; m++)
        if (strncmp(m->name, "aikv.", 5) == 0) nearest_offer(&near, m->name);
    if (near.best) luaL_error(L, "no module '%s'; the nearest is '%s'", name, near.best);
    luaL_error(L, "no module '%s': scripts can require aikv.plan, aikv.slots, aikv.view and what is beside them", name);
    abort(); /* luaL_error does not return */
}

static void load_module(lua_State *L, const char *name)
{
    if (strcmp(name, NEAREST_MODULE) == 0) {
        lua_pushcfunction(L, nearest_name);
        return;
    }
    const struct script_builtin *m = script_modules;
    while (m->name && strcmp(m->name, name) != 0) m++;
    if (!m->name) fail_without_module(L, name);
    const char *chunk_name = lua_pushfstring(L, "=%s", name);
    if (luaL_loadbufferx(L, m->text, m->len, chunk_name, "t") != LUA_OK) lua_error(L);
    lua_remove(L, -2);
    lua_call(L, 0, 1);
}

void sandbox_push_module(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "aikv.loaded");
    if (lua_getfield(L, -1, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushboolean(L, false); /* while it is being loaded */
        lua_setfield(L, -2, name);
        load_module(L, name);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    } else if (!lua_toboolean(L, -1)) {
        luaL_error(L, "module '%s' requires itself", name);
    }
    lua_remove(L, -2);
}

static bool is_labelled(const struct sandbox *s, const char *text)
{
    const char *label = s->chunk_name + 1;
    while (*label && *label == *text) label++, text++;
    return *label == 0 && *text == ':';
}

/* Runs where the error is raised, while the stack is still there: puts the script's own line in front of errors that
 * come from elsewhere (a module, C). */
static int on_error(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    if (s->hit) return 1;
    const char *text = lua_isstring(L, 1) ? lua_tostring(L, 1) : NULL;
    if (!text) text = lua_pushfstring(L, "error object is a %s value", luaL_typename(L, 1));
    int line = script_line(s);
    if (is_labelled(s, text))
        lua_pushstring(L, text);
    else if (line > 0)
        lua_pushfstring(L, "%s:%d: %s", s->chunk_name + 1, line, text);
    else
        lua_pushfstring(L, "%s: %s", s->chunk_name + 1, text);
    return 1;
}

static int limit_error(const struct sandbox *s, struct error *e)
{
    const struct script_limits *l = s->limits;
    switch (s->hit) {
    case LIMIT_INSTRUCTIONS:
        error_set(e, ERROR_SCRIPT, "instruction limit: more than %llu instructions",
                  (unsigned long long)l->instructions);
        break;
    case LIMIT_TIME:
        error_set(e, ERROR_SCRIPT, "time limit: longer than %llu ms", (unsigned long long)l->time_ms);
        break;
    case LIMIT_MEMORY:
        if (s->refused > l->block)
            error_set(e, ERROR_SCRIPT, "memory limit: one value of %zu bytes, over %zu", s->refused, l->block);
        else
            error_set(e, ERROR_SCRIPT, "memory limit: more than %zu bytes", l->memory);
        break;
    case LIMIT_STOP:
    case LIMIT_NONE: error_set(e, ERROR_SCRIPT, "stopped"); break;
    }
    if (s->line > 0)
        error_prefix(e, "%s:%d: ", s->chunk_name + 1, s->line);
    else
        error_prefix(e, "%s: ", s->chunk_name + 1);
    return ERROR_SCRIPT;
}

static int open_and_run(lua_State *L)
{
    lua_CFunction body = *(lua_CFunction *)lua_touserdata(L, 2);
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},        {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
                                         {LUA_UTF8LIBNAME, luaopen_utf8},  {NULL, NULL}};
    for (const luaL_Reg *l = libraries; l->name; l++) {
        luaL_requiref(L, l->name, l->func, 1);
        lua_pop(L, 1);
    }
    sandbox_open_base(L);
    sandbox_open_string(L);
    sandbox_open_table(L);
    lua_settop(L, 1);
    lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_EVERY);
    return body(L);
}

static int run(struct sandbox *s, lua_CFunction body, void *user, struct error *e)
{
    lua_State *L = s->L;
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, open_and_run);
    lua_pushlightuserdata(L, user);
    lua_pushlightuserdata(L, &body);
    int status = lua_pcall(L, 2, 0, 1);
    if (status == LUA_ERRMEM) hit(s, LIMIT_MEMORY);
    if (s->hit) return limit_error(s, e);
    if (status == LUA_OK) return 0;
    const char *text = lua_tostring(L, -1); /* always a string: on_error's, or Lua's own about on_error */
    if (!is_labelled(s, text)) return error_set(e, ERROR_SCRIPT, "%s: %s", s->chunk_name + 1, text);
    return error_set(e, ERROR_SCRIPT, "%s", text);
}

/* Lua cuts names of chunks at LUA_IDSIZE: here the name gives way, not the version. */
static void name_chunk(struct sandbox *s)
{
    const char *version = s->source->version;
    int room = (int)(sizeof s->chunk_name - 4 - strlen(version));
    snprintf(s->chunk_name, sizeof s->chunk_name, "=%.*s%s%s", room, s->source->name, *version ? "@" : "", version);
}

/* In its own protected call: the registry's slot may need memory. */
static int set_registry(lua_State *L)
{
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
    return 0;
}

int sandbox_run(const struct script_source *source, const struct script_limits *limits, lua_CFunction body, void *user,
                struct error *e)
{
    struct sandbox s = {.source = source, .limits = limits ? limits : &script_limits_default};
    s.began_us = clock_thread_us();
    s.deadline_us = clock_monotonic_us() + s.limits->time_ms * 1000;
    name_chunk(&s);
    lua_State *L = lua_newstate(allocate, &s);
    if (!L) {
        hit(&s, LIMIT_MEMORY);
        return limit_error(&s, e);
    }
    *(struct sandbox **)lua_getextraspace(L) = &s;
    lua_pushcfunction(L, set_registry);
    lua_pushlightuserdata(L, &s);
    int code;
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        hit(&s, LIMIT_MEMORY);
        code = limit_error(&s, e);
    } else {
        s.L = L;
        code = run(&s, body, user, e);
    }
    lua_close(L);
    return code;
}
