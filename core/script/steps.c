#include "script/steps.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "base/number.h"
#include "script/frozen.h"
#include "script/sandbox.h"
#include "script/view.h"

#define WHY_MAX (sizeof((struct cluster_step *)0)->why - 1)

static const struct {
    const char *name;
    unsigned flag; /* 0: every op may have it */
} fields[] = {
    {"op", 0},
    {"why", 0},
    {"node", CLUSTER_FIELD_NODE},
    {"shard", CLUSTER_FIELD_SHARD},
    {"slots", CLUSTER_FIELD_SLOTS},
    {"ms", CLUSTER_FIELD_MS},
    {"from", CLUSTER_FIELD_FROM},
    {"to", CLUSTER_FIELD_TO},
    {"key", CLUSTER_FIELD_KEY},
    {"value", CLUSTER_FIELD_VALUE},
    {"on", CLUSTER_FIELD_ON},
    {"labels", CLUSTER_FIELD_LABELS},
};
#define FIELDS (sizeof fields / sizeof *fields)

void script_steps_release(struct script_steps *s)
{
    for (uint32_t i = 0; i < s->count; i++) cluster_step_release(&s->list[i]);
    free(s->list);
    *s = (struct script_steps){0};
}

/* One step being read. */
struct reading {
    lua_State *L;
    const struct script_world *world;
    struct cluster_step *step;
    const struct cluster_op_info *op;
    int table;  /* its place on the stack */
    int number; /* in its list, from 1; 0: alone */
    const char *what; /* it is, without an op and a number; NULL: a step */
};

/* Raises "step 2 (assign_slots): …". */
static _Noreturn __attribute__((format(printf, 2, 3))) void fail(struct reading *r, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (r->number && r->op) luaL_error(r->L, "step %d (%s): %s", r->number, r->op->name, text);
    if (r->number) luaL_error(r->L, "step %d: %s", r->number, text);
    luaL_error(r->L, "%s: %s", r->op ? r->op->name : r->what ? r->what : "step", text);
    abort(); /* luaL_error does not return */
}

/* ---- tables ---- */

/* Checks that the value on top is a table and puts the one behind it, if it is frozen, in its place. */
static bool open_table(lua_State *L)
{
    if (frozen_push_behind(L, -1)) lua_remove(L, -2);
    return lua_istable(L, -1);
}

/* The number of entries of the table at `index` if they are a list from 1 without holes, else -1. */
static lua_Integer list_len(lua_State *L, int index)
{
    lua_Integer count = 0, largest = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1) {
            lua_pop(L, 2);
            return -1;
        }
        count++;
        if (lua_tointeger(L, -2) > largest) largest = lua_tointeger(L, -2);
    }
    return count == largest ? count : -1;
}

/* Pushes a field of the step without metamethods. */
static int push_field(struct reading *r, const char *name)
{
    lua_pushstring(r->L, name);
    return lua_rawget(r->L, r->table);
}

/* ---- values ---- */

static struct bytes text_at(lua_State *L, int index)
{
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    return bytes_of(text, len);
}

/* Pushes the text of a field and returns it. */
static struct bytes push_text(struct reading *r, const char *name, const char *what)
{
    if (push_field(r, name) != LUA_TSTRING) fail(r, "%s must be %s, not a %s", name, what, luaL_typename(r->L, -1));
    return text_at(r->L, -1);
}

static bool candidate_is(const struct cluster_node_info *c, struct bytes text)
{
    char alias[NUMBER_TEXT_MAX];
    number_format_integer(alias, c->alias);
    return bytes_equal(text, bytes_text(c->id)) || bytes_equal(text, bytes_text(c->name)) ||
           (c->alias && bytes_equal(text, bytes_text(alias)));
}

static void read_node(struct reading *r)
{
    struct error e = {0};
    struct bytes text = push_text(r, "node", "an id, alias or name");
    const struct cluster_node *member = cluster_node_named(r->world->state, text, &e);
    const char *id = member ? member->info.id : NULL;
    if (!member && e.code != ERROR_NOT_FOUND) fail(r, "%s", e.text);
    for (uint32_t i = 0; !member && i < r->world->live->candidate_count; i++) {
        const struct cluster_node_info *c = &r->world->live->candidates[i];
        if (!candidate_is(c, text)) continue;
        if (id) fail(r, "several candidates are called '%s': give the id", lua_tostring(r->L, -1));
        id = c->id;
    }
    if (!id) fail(r, "there is no node '%.80s'", lua_tostring(r->L, -1));
    memcpy(r->step->node, id, sizeof r->step->node);
    lua_pop(r->L, 1);
}

static void read_shard(struct reading *r, const char *field, uint32_t *out)
{
    struct bytes text = push_text(r, field, "the id of a shard, such as \"s1\"");
    if (!view_shard_number(text, out) || !cluster_shard_find(r->world->state, *out))
        fail(r, "there is no shard '%.80s' (one made in this round can be used in the next)", lua_tostring(r->L, -1));
    lua_pop(r->L, 1);
}

/* One end of the range on top of the stack. */
static unsigned read_slot(struct reading *r, lua_Integer end)
{
    int ok = lua_rawgeti(r->L, -1, end) == LUA_TNUMBER;
    lua_Integer slot = lua_tointegerx(r->L, -1, ok ? &ok : NULL);
    if (!ok) fail(r, "slots must be a list of {from, to} with whole numbers");
    if (slot < 0 || slot >= CLUSTER_SLOTS) fail(r, "slots are 0 to %d, not %lld", CLUSTER_SLOTS - 1, (long long)slot);
    lua_pop(r->L, 1);
    return (unsigned)slot;
}

static void read_slots(struct reading *r)
{
    lua_State *L = r->L;
    struct error e = {0};
    push_field(r, "slots");
    lua_Integer count = open_table(L) ? list_len(L, lua_gettop(L)) : -1;
    if (count < 0) fail(r, "slots must be a list of {from, to}");
    if (count == 0) fail(r, "slots is empty");
    if (count > CLUSTER_SLOTS) fail(r, "slots has %lld ranges", (long long)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        if (!open_table(L) || list_len(L, lua_gettop(L)) != 2)
            fail(r, "slots must be a list of {from, to}: entry %d is not", (int)i);
        unsigned from = read_slot(r, 1), to = read_slot(r, 2);
        if (cluster_ranges_add(&r->step->slots, from, to, &e)) fail(r, "slots: %s", e.text);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_ms(struct reading *r)
{
    int ok = push_field(r, "ms") == LUA_TNUMBER;
    lua_Integer ms = lua_tointegerx(r->L, -1, ok ? &ok : NULL);
    if (!ok) fail(r, "ms must be a whole number, not a %s", luaL_typename(r->L, -1));
    if (ms < 0 || ms > CLUSTER_WAIT_MAX_MS) fail(r, "ms must be 0 to %d, not %lld", CLUSTER_WAIT_MAX_MS, (long long)ms);
    r->step->ms = (uint32_t)ms;
    lua_pop(r->L, 1);
}

/* Setting and value belong together. */
static void read_setting(struct reading *r)
{
    struct error e = {0};
    struct bytes text = push_text(r, "key", "the name of a setting");
    r->step->key = cluster_setting_find(text);
    if (r->step->key == CLUSTER_SETTINGS) {
        struct nearest near;
        nearest_begin(&near, text);
        for (enum cluster_setting s = 0; s < CLUSTER_SETTINGS; s++) nearest_offer(&near, cluster_setting_info(s)->name);
        if (near.best) fail(r, "no setting '%.80s'; the nearest is '%s'", lua_tostring(r->L, -1), near.best);
        fail(r, "no setting '%.80s'", lua_tostring(r->L, -1));
    }
    int ok = push_field(r, "value") == LUA_TNUMBER;
    r->step->value = lua_tointegerx(r->L, -1, ok ? &ok : NULL);
    if (!ok) fail(r, "value must be a whole number, not a %s", luaL_typename(r->L, -1));
    if (cluster_setting_check(r->step->key, r->step->value, &e)) fail(r, "%s", e.text);
    lua_pop(r->L, 2);
}

static void read_on(struct reading *r)
{
    if (push_field(r, "on") != LUA_TBOOLEAN) fail(r, "on must be true or false, not a %s", luaL_typename(r->L, -1));
    r->step->on = lua_toboolean(r->L, -1);
    lua_pop(r->L, 1);
}

/* The text on top of the stack, of a field that people read. */
static void read_line(struct reading *r, const char *name, char *out, size_t max)
{
    if (lua_type(r->L, -1) != LUA_TSTRING) fail(r, "%s must be a string, not a %s", name, luaL_typename(r->L, -1));
    struct bytes text = text_at(r->L, -1);
    if (text.len > max) fail(r, "%s has %zu bytes, at most %zu", name, text.len, max);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            fail(r, "%s must be one line of text without control characters", name);
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
}

static void read_labels(struct reading *r)
{
    push_field(r, "labels");
    read_line(r, "labels", r->step->labels, CLUSTER_LABELS_MAX);
    lua_pop(r->L, 1);
}

static void read_why(struct reading *r)
{
    if (push_field(r, "why") != LUA_TNIL) read_line(r, "why", r->step->why, WHY_MAX);
    lua_pop(r->L, 1);
}

/* ---- steps ---- */

static void read_op(struct reading *r)
{
    if (push_field(r, "op") == LUA_TNIL) fail(r, "field 'op' is missing");
    if (lua_type(r->L, -1) != LUA_TSTRING) fail(r, "op must be a string, not a %s", luaL_typename(r->L, -1));
    struct bytes text = text_at(r->L, -1);
    r->step->op = cluster_op_find(text);
    if (r->step->op == CLUSTER_OPS) {
        struct nearest near;
        nearest_begin(&near, text);
        for (enum cluster_op op = 0; op < CLUSTER_OPS; op++) nearest_offer(&near, cluster_op_info(op)->name);
        if (near.best) fail(r, "no op '%.80s'; the nearest is '%s'", lua_tostring(r->L, -1), near.best);
        fail(r, "no op '%.80s'", lua_tostring(r->L, -1));
    }
    r->op = cluster_op_info(r->step->op);
    lua_pop(r->L, 1);
}

static bool may_have(const struct reading *r, size_t field)
{
    return !fields[field].flag || (r->op->fields & fields[field].flag);
}

/* Checks the key on top of the stack. */
static void check_key(struct reading *r, int key)
{
    if (lua_type(r->L, key) != LUA_TSTRING) fail(r, "fields are named, and one here is a %s", luaL_typename(r->L, key));
    struct bytes name = text_at(r->L, key);
    struct nearest near;
    nearest_begin(&near, name);
    for (size_t i = 0; i < FIELDS; i++) {
        if (!may_have(r, i)) continue;
        if (bytes_equal(name, bytes_text(fields[i].name))) return;
        nearest_offer(&near, fields[i].name);
    }
    if (near.best) fail(r, "no field '%.80s'; the nearest is '%s'", lua_tostring(r->L, key), near.best);
    fail(r, "no field '%.80s'", lua_tostring(r->L, key));
}

static void check_fields(struct reading *r)
{
    for (lua_pushnil(r->L); lua_next(r->L, r->table); lua_pop(r->L, 1)) check_key(r, -2);
    for (size_t i = 0; i < FIELDS; i++) {
        if (!(r->op->fields & fields[i].flag)) continue;
        if (push_field(r, fields[i].name) == LUA_TNIL) fail(r, "field '%s' is missing", fields[i].name);
        lua_pop(r->L, 1);
    }
}

static void read_fields(struct reading *r)
{
    const unsigned has = r->op->fields;
    if (has & CLUSTER_FIELD_NODE) read_node(r);
    if (has & CLUSTER_FIELD_SHARD) read_shard(r, "shard", &r->step->shard);
    if (has & CLUSTER_FIELD_FROM) read_shard(r, "from", &r->step->shard);
    if (has & CLUSTER_FIELD_TO) read_shard(r, "to", &r->step->to);
    if ((has & CLUSTER_FIELD_TO) && r->step->to == r->step->shard) fail(r, "from and to are the same shard");
    if (has & CLUSTER_FIELD_SLOTS) read_slots(r);
    if (has & CLUSTER_FIELD_MS) read_ms(r);
    if (has & CLUSTER_FIELD_KEY) read_setting(r);
    if (has & CLUSTER_FIELD_ON) read_on(r);
    if (has & CLUSTER_FIELD_LABELS) read_labels(r);
}

/* Reads the step on top of the stack. */
static void read_step(struct reading *r)
{
    luaL_checkstack(r->L, 10, NULL);
    if (!open_table(r->L))
        fail(r, "a step is a table such as {op = \"wait\", ms = 1000}, not a %s", luaL_typename(r->L, -1));
    r->table = lua_gettop(r->L);
    read_op(r);
    check_fields(r);
    read_fields(r);
    read_why(r);
}

void steps_read_why(lua_State *L, int index, struct script_steps *out)
{
    lua_pushvalue(L, index);
    struct reading r = {.L = L, .what = "the plan"};
    if (!lua_isnil(L, -1)) read_line(&r, "why, its second value,", out->why, sizeof out->why - 1);
    lua_pop(L, 1);
}

void steps_read_one(lua_State *L, int index, const struct script_world *world, struct cluster_step *out)
{
    lua_pushvalue(L, index);
    struct reading r = {.L = L, .world = world, .step = out};
    read_step(&r);
    lua_pop(L, 1);
}

void steps_read(lua_State *L, int index, const struct script_world *world, struct script_steps *out)
{
    lua_pushvalue(L, index);
    if (!open_table(L)) luaL_error(L, "a list of steps expected, not a %s", luaL_typename(L, -1));
    int list = lua_gettop(L);
    sandbox_charge(L, lua_rawlen(L, list));
    lua_Integer count = list_len(L, list);
    if (count < 0) luaL_error(L, "a list of steps expected: this table has holes, or keys that are not positions");
    if (count > CLUSTER_STEPS_MAX) luaL_error(L, "%d steps: a round has at most %d", (int)count, CLUSTER_STEPS_MAX);
    out->list = calloc(CLUSTER_STEPS_MAX, sizeof *out->list);
    if (!out->list) luaL_error(L, "no memory for steps");
    while (out->count < count) {
        struct reading r = {.L = L, .world = world, .step = &out->list[out->count], .number = (int)out->count + 1};
        lua_rawgeti(L, list, ++out->count);
        read_step(&r);
        lua_pop(L, 1);
        sandbox_charge(L, 100 + 10 * r.step->slots.count);
    }
    lua_pop(L, 1);
}
