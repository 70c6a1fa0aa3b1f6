#include "script/model.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "base/number.h"
#include "base/random.h"
#include "script/frozen.h"
#include "script/model_load.h"
#include "script/model_state.h"
#include "script/nearest_name.h"
#include "script/steps.h"
#include "script/view.h"

#define MODEL   "aikv model"
#define SCRATCH "aikv model scratch"

static void release_live(struct scratch *s)
{
    s->live.load = NULL;
    cluster_live_release(&s->live);
}

static int release_scratch(lua_State *L)
{
    struct scratch *s = luaL_checkudata(L, 1, SCRATCH);
    script_steps_release(&s->steps);
    cluster_step_release(&s->step);
    cluster_step_release(&s->other);
    cluster_command_release(&s->command);
    release_live(s);
    buffer_release(&s->encoded);
    return 0;
}

struct scratch *model_push_scratch(lua_State *L)
{
    struct scratch *s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = (struct scratch){0};
    buffer_init(&s->encoded, CLUSTER_ENCODED_MAX);
    luaL_setmetatable(L, SCRATCH);
    return s;
}

struct model *model_at(lua_State *L)
{
    return luaL_checkudata(L, 1, MODEL);
}

static int release_model(lua_State *L)
{
    struct model *m = model_at(L);
    if (m->state) cluster_state_free(m->state);
    free(m->outsiders);
    free(m->load);
    *m = (struct model){0};
    return 0;
}

_Noreturn void model_fail_without_memory(lua_State *L)
{
    luaL_error(L, "no memory");
    abort(); /* luaL_error does not return */
}

static int refused(lua_State *L, const struct error *e)
{
    luaL_pushfail(L);
    lua_pushstring(L, e->text);
    return 2;
}

static int compare_outsiders(const void *a, const void *b)
{
    return strcmp(((const struct outsider *)a)->info.id, ((const struct outsider *)b)->info.id);
}

/* The one with this id, or NULL. */
static struct outsider *find_outsider(const struct model *m, const char *id)
{
    struct outsider key = {0};
    if (m->outsider_count == 0) return NULL;
    snprintf(key.info.id, sizeof key.info.id, "%s", id);
    return bsearch(&key, m->outsiders, m->outsider_count, sizeof key, compare_outsiders);
}

/* ---- the world as the leader would see it ---- */

static void elect(struct model *m)
{
    const struct cluster_node *leader = cluster_node_find(m->state, m->leader);
    if (leader && leader->up) return;
    *m->leader = 0;
    for (uint32_t i = 0; i < m->state->node_count && !*m->leader; i++) {
        const struct cluster_node *n = &m->state->nodes[i];
        if (n->up && n->role == CLUSTER_ROLE_VOTER) memcpy(m->leader, n->info.id, sizeof m->leader);
    }
}

static bool is_member(const struct model *m, const char *id)
{
    return cluster_node_find(m->state, id) != NULL;
}

static void list_members(const struct model *m, struct cluster_live *live)
{
    for (uint32_t i = 0; i < m->state->node_count; i++) {
        const struct cluster_node *n = &m->state->nodes[i];
        struct cluster_live_node *l = &live->nodes[live->node_count++];
        *l = (struct cluster_live_node){.role = n->role};
        memcpy(l->id, n->info.id, sizeof l->id);
        if (n->up)
            l->metadata_version = m->state->version;
        else
            l->silent_ms = find_outsider(m, n->info.id)->silent_ms;
    }
}

struct script_world model_world(lua_State *L, const struct model *m, struct scratch *s)
{
    struct cluster_live *live = &s->live;
    release_live(s);
    live->nodes = calloc(m->state->node_count + 1u, sizeof *live->nodes);
    live->candidates = calloc(m->outsider_count + 1u, sizeof *live->candidates);
    if (!live->nodes || !live->candidates) model_fail_without_memory(L);
    memcpy(live->leader, m->leader, sizeof live->leader);
    live->load = m->load;
    list_members(m, live);
    model_load_nodes(m->state, live);
    for (uint32_t i = 0; i < m->outsider_count; i++)
        if (m->outsiders[i].up && !m->outsiders[i].joined)
            live->candidates[live->candidate_count++] = m->outsiders[i].info;
    return (struct script_world){.state = m->state, .live = live, .run = cluster_run_active(m->state)};
}

/* ---- changes ---- */

/* Applies a command of the scratch. A broken invariant is a bug in the state machine: raised. */
static int apply(lua_State *L, struct model *m, struct scratch *s, struct cluster_result *result)
{
    struct error e;
    buffer_clear(&s->encoded);
    cluster_command_encode(&s->command, &s->encoded);
    cluster_apply(m->state, buffer_bytes(&s->encoded), result);
    if (cluster_state_check(m->state, &e))
        luaL_error(L, "%s breaks an invariant: %s", cluster_command_name(s->command.type), e.text);
    if (s->command.type == CLUSTER_FOUND || s->command.type == CLUSTER_ADMIT)
        find_outsider(m, s->command.info.id)->joined = result->error.code == 0;
    elect(m);
    return result->error.code;
}

int model_apply_command(lua_State *L, struct model *m, struct scratch *s, bool value)
{
    struct cluster_result result;
    if (apply(L, m, s, &result)) return refused(L, &result.error);
    if (value)
        lua_pushinteger(L, (lua_Integer)result.value);
    else
        lua_pushboolean(L, true);
    return 1;
}

/* ---- nodes ---- */

static void set_text(lua_State *L, const char *name, char *out, size_t size)
{
    if (lua_getfield(L, 2, name) != LUA_TNIL) {
        const char *text = luaL_tolstring(L, -1, NULL);
        if (strlen(text) >= size) luaL_error(L, "%s is too long", name);
        memcpy(out, text, strlen(text) + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The same alias and name give the same id; other seeds give others, and so another order of nodes. */
static void make_id(const struct model *m, struct cluster_node_info *info)
{
    uint64_t state = m->seed * 1000003 + info->alias;
    for (const char *c = info->name; *c; c++) state = state * 31 + (unsigned char)*c;
    for (size_t i = 0; i < CLUSTER_ID_LEN; i += 8)
        snprintf(info->id + i, 9, "%08x", (unsigned)(random_next(&state) >> 32));
}

/* Raises an error if the table at `index` has a field that is not among `names` (NULL at the end). */
static void check_fields(lua_State *L, int index, const char *what, const char *const *names)
{
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        struct nearest near;
        lua_pushvalue(L, -2);
        const char *typed = luaL_tolstring(L, -1, NULL);
        bool known = false;
        nearest_begin(&near, bytes_text(typed));
        for (size_t i = 0; names[i] && !known; i++) {
            known = strcmp(names[i], typed) == 0;
            nearest_offer(&near, names[i]);
        }
        if (!known && near.best) luaL_error(L, "%s: no field '%s'; the nearest is '%s'", what, typed, near.best);
        if (!known) luaL_error(L, "%s: no field '%s'", what, typed);
        lua_pop(L, 2);
    }
}

static void describe(lua_State *L, const struct model *m, struct cluster_node_info *info)
{
    char alias[16] = "";
    *info = (struct cluster_node_info){
        .version = AIKV_VERSION, .bus_port = 50051, .incarnation = 1, .endpoint_count = 1};
    set_text(L, "alias", alias, sizeof alias);
    info->alias = (uint32_t)strtoul(alias, NULL, 10);
    snprintf(info->name, sizeof info->name, "node%s", alias);
    set_text(L, "name", info->name, sizeof info->name);
    set_text(L, "zone", info->zone, sizeof info->zone);
    set_text(L, "labels", info->labels, sizeof info->labels);
    set_text(L, "version", info->version, sizeof info->version);
    snprintf(info->bus_host, sizeof info->bus_host, "%s", info->name);
    info->endpoints[0] = (struct cluster_endpoint){.match = "any", .host = "127.0.0.1", .port = 6379};
    make_id(m, info);
}

static int model_node(lua_State *L)
{
    struct model *m = model_at(L);
    struct outsider o = {.up = true};
    static const char *const fields[] = {"alias", "name", "zone", "labels", "version", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    check_fields(L, 2, "node", fields);
    describe(L, m, &o.info);
    if (find_outsider(m, o.info.id))
        return luaL_error(L, "there is a node %s already: give it an alias or name of its own", o.info.name);
    struct outsider *more = realloc(m->outsiders, (m->outsider_count + 1u) * sizeof *more);
    if (!more) model_fail_without_memory(L);
    m->outsiders = more;
    more[m->outsider_count++] = o;
    qsort(more, m->outsider_count, sizeof *more, compare_outsiders);
    lua_pushstring(L, o.info.id);
    return 1;
}

static bool is_called(const struct cluster_node_info *info, const char *text)
{
    char alias[NUMBER_TEXT_MAX];
    number_format_integer(alias, info->alias);
    return strcmp(info->name, text) == 0 || (info->alias && strcmp(alias, text) == 0);
}

/* The node that the argument means: its id, alias or name. */
static struct outsider *check_outsider(lua_State *L, const struct model *m, int arg)
{
    const char *text = luaL_checkstring(L, arg);
    struct outsider *found = find_outsider(m, text);
    if (found) return found;
    for (uint32_t i = 0; i < m->outsider_count; i++) {
        if (!is_called(&m->outsiders[i].info, text)) continue;
        if (found) luaL_error(L, "several nodes are called '%s': give the id", text);
        found = &m->outsiders[i];
    }
    if (!found) luaL_error(L, "there is no node %s", text);
    return found;
}

static int model_found(lua_State *L)
{
    struct model *m = model_at(L);
    const struct outsider *o = check_outsider(L, m, 2);
    struct scratch *s = model_push_scratch(L);
    s->command.type = CLUSTER_FOUND;
    memcpy(s->command.cluster_id, o->info.id, sizeof s->command.cluster_id);
    s->command.info = o->info;
    return model_apply_command(L, m, s, false);
}

static int set_reachable(lua_State *L, bool up, uint64_t silent_ms)
{
    struct model *m = model_at(L);
    struct outsider *o = check_outsider(L, m, 2);
    o->up = up;
    o->silent_ms = silent_ms;
    lua_pushboolean(L, true);
    if (!is_member(m, o->info.id)) return 1;
    struct scratch *s = model_push_scratch(L);
    s->command.type = CLUSTER_SET_REACHABLE;
    s->command.up = up;
    memcpy(s->command.node, o->info.id, sizeof s->command.node);
    return model_apply_command(L, m, s, false);
}

static uint64_t check_ms(lua_State *L, int arg, lua_Integer otherwise)
{
    const lua_Integer ms = luaL_optinteger(L, arg, otherwise);
    luaL_argcheck(L, ms >= 0, arg, "a time is not negative");
    return (uint64_t)ms;
}

/* down(id [, silent_ms]): by default longer than the setting `patience`. */
static int model_down(lua_State *L)
{
    return set_reachable(L, false, check_ms(L, 3, 60000));
}

static int model_up(lua_State *L)
{
    return set_reachable(L, true, 0);
}

static void pass(struct model *m, uint64_t ms)
{
    for (uint32_t i = 0; i < m->outsider_count; i++)
        if (!m->outsiders[i].up) m->outsiders[i].silent_ms += ms;
}

/* pass(ms): time goes by. */
static int model_pass(lua_State *L)
{
    pass(model_at(L), check_ms(L, 2, 0));
    return 0;
}

/* reset(id): what CLUSTER RESET does to a node that was removed: it announces itself again. */
static int model_reset(lua_State *L)
{
    struct model *m = model_at(L);
    struct outsider *o = check_outsider(L, m, 2);
    if (is_member(m, o->info.id)) return luaL_error(L, "node %s is a member", o->info.id);
    o->joined = false;
    return 0;
}

/* load(slot, { keys =, bytes =, ops = }), or load{ keys = { [slot] = … }, … } */
static int model_load(lua_State *L)
{
    struct model *m = model_at(L);
    if (!m->load) m->load = calloc(1, sizeof *m->load);
    if (!m->load) model_fail_without_memory(L);
    model_load_read(L, m->load);
    lua_pushboolean(L, true);
    return 1;
}

/* ---- a step ---- */

static int model_apply(lua_State *L)
{
    struct model *m = model_at(L);
    struct scratch *s = model_push_scratch(L);
    struct script_world world = model_world(L, m, s);
    struct error e;
    steps_read_one(L, 2, &world, &s->step);
    if (cluster_step_command(m->state, world.live->candidates, world.live->candidate_count, &s->step, &s->command, &e))
        return refused(L, &e);
    if (s->command.type != CLUSTER_NOTHING) return model_apply_command(L, m, s, false);
    if (s->step.op == CLUSTER_OP_transfer_leader) memcpy(m->leader, s->step.node, sizeof m->leader);
    if (s->step.op == CLUSTER_OP_wait) pass(m, s->step.ms);
    lua_pushboolean(L, true);
    return 1;
}

/* ---- looking ---- */

static int model_view(lua_State *L)
{
    struct model *m = model_at(L);
    struct scratch *s = model_push_scratch(L);
    struct script_world world = model_world(L, m, s);
    view_push(L, &world);
    return 1;
}

/* Every change is checked when it is made; this is for tests that want to say so. */
static int model_check(lua_State *L)
{
    struct error e;
    if (cluster_state_check(model_at(L)->state, &e)) return refused(L, &e);
    lua_pushboolean(L, true);
    return 1;
}

static int model_new(lua_State *L)
{
    lua_Integer seed = 0;
    if (!lua_isnoneornil(L, 1)) {
        static const char *const fields[] = {"seed", NULL};
        luaL_checktype(L, 1, LUA_TTABLE);
        check_fields(L, 1, "new", fields);
        lua_getfield(L, 1, "seed");
        seed = luaL_optinteger(L, -1, 0);
    }
    struct model *m = lua_newuserdatauv(L, sizeof *m, 0);
    *m = (struct model){.seed = (uint64_t)seed};
    luaL_setmetatable(L, MODEL);
    m->state = cluster_state_new();
    return 1;
}

static void make_metatable(lua_State *L, const char *name, lua_CFunction release)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, release);
    lua_setfield(L, -2, "__gc");
}

int script_model_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"node", model_node},
                                       {"found", model_found},
                                       {"down", model_down},
                                       {"up", model_up},
                                       {"load", model_load},
                                       {"pass", model_pass},
                                       {"reset", model_reset},
                                       {"apply", model_apply},
                                       {"view", model_view},
                                       {"check", model_check},
                                       {NULL, NULL}};
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushcfunction(L, nearest_name); /* in the node the sandbox has it */
    lua_setfield(L, -2, NEAREST_MODULE);
    make_metatable(L, SCRATCH, release_scratch);
    make_metatable(L, MODEL, release_model);
    luaL_newlib(L, methods);
    model_run_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "aikv.sim");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "run");
    lua_setfield(L, -3, "run");
    lua_pop(L, 1);
    lua_setfield(L, -2, "__index");
    lua_newtable(L);
    lua_pushcfunction(L, model_new);
    lua_setfield(L, -2, "new");
    return 1;
}
