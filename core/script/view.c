#include "script/view.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>

#include "base/number.h"
#include "script/frozen.h"
#include "script/totals.h"

void view_shard_name(uint32_t number, char out[VIEW_SHARD_NAME_MAX])
{
    snprintf(out, VIEW_SHARD_NAME_MAX, "s%" PRIu32, number);
}

bool view_shard_number(struct bytes name, uint32_t *out)
{
    int64_t number;
    if (name.len < 2 || name.data[0] != 's') return false;
    if (!number_parse_integer(bytes_of(name.data + 1, name.len - 1), &number) || number < 1 || number > UINT32_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

/* ---- fields of the table on top of the stack ---- */

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* Whole numbers stay integers: they are read more easily. */
static void push_thousandths(lua_State *L, uint64_t value)
{
    if (value % 1000)
        lua_pushnumber(L, (lua_Number)value / 1000);
    else
        lua_pushinteger(L, (lua_Integer)(value / 1000));
}

static void set_thousandths(lua_State *L, const char *name, uint64_t value)
{
    push_thousandths(L, value);
    lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static void set_shard(lua_State *L, uint32_t number)
{
    char name[VIEW_SHARD_NAME_MAX];
    if (!number) return; /* nil: in none */
    view_shard_name(number, name);
    set_text(L, "shard", name);
}

/* ---- nodes ---- */

/* What a candidate and a member have in common. */
static void push_info(lua_State *L, const struct cluster_node_info *info)
{
    lua_createtable(L, 0, 24);
    set_text(L, "id", info->id);
    set_text(L, "name", info->name);
    set_text(L, "version", info->version);
    set_text(L, "zone", info->zone);
    if (info->alias) {
        char text[NUMBER_TEXT_MAX];
        number_format_integer(text, info->alias);
        set_text(L, "alias", text);
    }
}

static void set_live(lua_State *L, const struct cluster_live_node *live)
{
    static const struct cluster_live_node unheard;
    if (!live) live = &unheard;
    set_number(L, "silent_ms", live->silent_ms);
    set_bool(L, "voter", live->role == CLUSTER_ROLE_VOTER);
    set_bool(L, "learner", live->role == CLUSTER_ROLE_LEARNER);
    set_number(L, "metadata_version", live->metadata_version);
    set_number(L, "keys", live->load.keys);
    set_thousandths(L, "ops", live->load.milliops);
    set_number(L, "uptime_ms", live->load.uptime_ms);
    set_number(L, "disk_bytes", live->load.disk_bytes);
    set_number(L, "disk_limit_bytes", live->load.disk_limit_bytes);
    set_number(L, "memory_bytes", live->load.memory_bytes);
    set_number(L, "memory_limit_bytes", live->load.memory_limit_bytes);
}

static void push_candidate(lua_State *L, const struct cluster_node_info *info)
{
    push_info(L, info);
    set_text(L, "labels", info->labels);
    set_text(L, "state", "candidate");
    set_text(L, "role", cluster_role_name(CLUSTER_ROLE_NONE));
    set_bool(L, "up", true);
    set_bool(L, "in_sync", false);
    set_bool(L, "primary", false);
    set_live(L, NULL);
    view_record_wrap(L, VIEW_TABLE_NODE);
}

static void push_member(lua_State *L, const struct script_world *w, const struct cluster_node *n)
{
    push_info(L, &n->info);
    set_text(L, "labels", cluster_node_labels(n));
    set_text(L, "state", n->leaving ? "leaving" : "member");
    set_text(L, "role", cluster_role_name(n->role));
    set_bool(L, "up", n->up);
    set_bool(L, "in_sync", n->in_sync);
    set_bool(L, "primary", cluster_node_is_primary(w->state, n));
    set_shard(L, n->shard);
    set_live(L, cluster_live_find(w->live, n->info.id));
    view_record_wrap(L, VIEW_TABLE_NODE);
}

/* Adds the row on top to the list below it and the index below that, and takes it off. */
static void add_row(lua_State *L, const char *id, uint32_t *count)
{
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, ++*count);
    lua_setfield(L, -3, id);
}

/* Sets `list` (sorted by id) and `index` of the view from the index and the list on top, and takes them off. */
static void set_rows(lua_State *L, const char *list, const char *index)
{
    frozen_wrap(L, FROZEN_LIST);
    lua_setfield(L, -3, list);
    frozen_wrap(L, FROZEN_INDEX);
    lua_setfield(L, -2, index);
}

static void set_nodes(lua_State *L, const struct script_world *w)
{
    uint32_t members = w->state->node_count, candidates = w->live->candidate_count, m = 0, c = 0, count = 0;
    lua_createtable(L, 0, (int)(members + candidates));
    lua_createtable(L, (int)(members + candidates), 0);
    while (m < members || c < candidates) {
        bool member = c == candidates ||
                      (m < members && strcmp(w->state->nodes[m].info.id, w->live->candidates[c].id) < 0);
        if (member)
            push_member(L, w, &w->state->nodes[m]);
        else
            push_candidate(L, &w->live->candidates[c]);
        add_row(L, member ? w->state->nodes[m].info.id : w->live->candidates[c].id, &count);
        member ? m++ : c++;
    }
    set_rows(L, "nodes", "node");
}

static void set_voters(lua_State *L, const struct script_world *w)
{
    int count = 0;
    lua_newtable(L);
    for (uint32_t i = 0; i < w->live->node_count; i++) {
        if (w->live->nodes[i].role != CLUSTER_ROLE_VOTER) continue;
        lua_pushstring(L, w->live->nodes[i].id);
        lua_rawseti(L, -2, ++count);
    }
    frozen_wrap(L, FROZEN_LIST);
    lua_setfield(L, -2, "voters");
}

/* ---- shards and slots ---- */

static void push_range(lua_State *L, unsigned from, unsigned to)
{
    lua_createtable(L, 2, 0);
    lua_pushinteger(L, from);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, to);
    lua_rawseti(L, -2, 2);
    frozen_wrap(L, FROZEN_LIST);
}

/* Pushes a list of range lists by shard_place: all shards' slots in one pass. */
static void push_slots(lua_State *L, const struct cluster_state *s)
{
    lua_createtable(L, (int)s->shard_count, 1);
    for (lua_Integer i = 0; i <= s->shard_count; i++) {
        lua_newtable(L);
        lua_rawseti(L, -2, i);
    }
    for (unsigned from = 0, to; from < CLUSTER_SLOTS; from = to + 1) {
        for (to = from; to + 1 < CLUSTER_SLOTS && s->owner[to + 1] == s->owner[from]; to++) {}
        lua_rawgeti(L, -1, shard_place(s, s->owner[from]));
        push_range(L, from, to);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 1);
    }
}

/* Sets `slots` of the record on top from the list at `slots`. */
static void set_ranges(lua_State *L, const char *name, int slots, lua_Integer place)
{
    lua_rawgeti(L, slots, place);
    frozen_wrap(L, FROZEN_LIST);
    lua_setfield(L, -2, name);
}

/* Pushes them by shard_place. */
static const struct shard_totals *push_totals(lua_State *L, const struct script_world *w)
{
    struct shard_totals *totals = lua_newuserdatauv(L, (w->state->shard_count + 1u) * sizeof *totals, 0);
    shard_totals(w->state, w->live->load, totals);
    return totals;
}

static void push_shard(lua_State *L, const struct script_world *w, const struct cluster_shard *s, const char *name,
                       const struct shard_totals *t)
{
    const struct cluster_node *primary = cluster_node_find(w->state, s->primary);
    lua_createtable(L, 0, 9);
    set_text(L, "id", name);
    set_number(L, "epoch", s->epoch);
    set_text(L, "primary", s->primary);
    set_bool(L, "serving", primary && primary->up);
    set_number(L, "slot_count", t->slot_count);
    set_number(L, "keys", t->keys);
    set_number(L, "bytes", t->bytes);
    set_thousandths(L, "ops", t->milliops);
}

static void set_shards(lua_State *L, const struct script_world *w)
{
    const struct cluster_state *s = w->state;
    int view = lua_gettop(L);
    push_slots(L, s);
    int slots = lua_gettop(L);
    const struct shard_totals *totals = push_totals(L, w);
    lua_pushvalue(L, view); /* the view, with the index and the list above it */
    lua_createtable(L, 0, (int)s->shard_count);
    lua_createtable(L, (int)s->shard_count, 0);
    for (uint32_t i = 0, count = 0; i < s->shard_count;) {
        char name[VIEW_SHARD_NAME_MAX];
        view_shard_name(s->shards[i].number, name);
        push_shard(L, w, &s->shards[i], name, &totals[i + 1]);
        set_ranges(L, "slots", slots, i + 1);
        view_record_wrap(L, VIEW_TABLE_SHARD);
        add_row(L, name, &count);
        i = count;
    }
    set_rows(L, "shards", "shard");
    set_ranges(L, "unassigned", slots, 0);
    lua_settop(L, view);
}

/* ---- load by slot ---- */

/* Flat, with the slot's number as the index: a table for each slot would be four times as slow and three times as
 * large.
 */
static void push_by_slot(lua_State *L, const uint64_t *values, bool thousandths)
{
    lua_createtable(L, CLUSTER_SLOTS - 1, 1);
    for (lua_Integer slot = 0; slot < CLUSTER_SLOTS; slot++) {
        uint64_t value = values ? values[slot] : 0;
        if (thousandths)
            push_thousandths(L, value);
        else
            lua_pushinteger(L, (lua_Integer)value);
        lua_rawseti(L, -2, slot);
    }
    frozen_wrap(L, FROZEN_SLOTS);
}

/* The same for all zeros: one table for all views of a Lua state, as nobody can write it. */
static void push_zeros(lua_State *L)
{
    static const char key; /* its address */
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) != LUA_TNIL) return;
    lua_pop(L, 1);
    push_by_slot(L, NULL, false);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}

static void set_by_slot(lua_State *L, const char *name, const uint64_t *values, bool thousandths)
{
    if (values)
        push_by_slot(L, values, thousandths);
    else
        push_zeros(L);
    lua_setfield(L, -2, name);
}

static void set_slots(lua_State *L, const struct cluster_load *load)
{
    lua_createtable(L, 0, 3);
    set_by_slot(L, "keys", load ? load->keys : NULL, false);
    set_by_slot(L, "bytes", load ? load->bytes : NULL, false);
    set_by_slot(L, "ops", load ? load->milliops : NULL, true);
    view_record_wrap(L, VIEW_TABLE_SLOTS);
    lua_setfield(L, -2, "slots");
}

/* ---- the run ---- */

static void set_failed(lua_State *L, const struct cluster_run *run)
{
    uint32_t count = run ? run->failed_count : 0;
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        const struct cluster_failure *f = &run->failed[i];
        lua_createtable(L, 0, 5);
        set_number(L, "round", f->round);
        set_text(L, "op", cluster_op_info(f->step.op)->name);
        if (*f->step.node) set_text(L, "node", f->step.node);
        set_shard(L, f->step.shard);
        set_text(L, "error", f->error);
        view_record_wrap(L, VIEW_TABLE_FAILED);
        lua_rawseti(L, -2, i + 1);
    }
    frozen_wrap(L, FROZEN_LIST);
    lua_setfield(L, -2, "failed");
}

static void set_run(lua_State *L, const struct cluster_run *run)
{
    lua_createtable(L, 0, 5);
    if (run) set_number(L, "id", run->id);
    set_number(L, "round", run ? run->round : 0);
    set_number(L, "done", run ? run->steps_done : 0);
    set_number(L, "slots_moved", run ? run->slots_moved : 0);
    if (run && run->trigger[0]) set_text(L, "trigger", run->trigger);
    set_failed(L, run);
    view_record_wrap(L, VIEW_TABLE_RUN);
    lua_setfield(L, -2, "run");
}

static void set_settings(lua_State *L, const struct cluster_state *s)
{
    lua_createtable(L, 0, CLUSTER_SETTINGS);
    for (enum cluster_setting i = 0; i < CLUSTER_SETTINGS; i++)
        set_number(L, cluster_setting_info(i)->name, (uint64_t)s->settings[i]);
    view_record_wrap(L, VIEW_TABLE_SETTINGS);
    lua_setfield(L, -2, "settings");
}

void view_push(lua_State *L, const struct script_world *w)
{
    luaL_checkstack(L, 20, NULL);
    lua_createtable(L, 0, 12);
    set_number(L, "version", w->state->version);
    if (*w->live->leader) set_text(L, "leader", w->live->leader);
    set_nodes(L, w);
    set_voters(L, w);
    set_shards(L, w);
    set_slots(L, w->live->load);
    set_settings(L, w->state);
    set_run(L, w->run);
    view_record_wrap(L, VIEW_TABLE_VIEW);
}
