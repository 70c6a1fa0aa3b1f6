#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "base/clock.h"
#include "script/view.h"
#include "tests.h"
#include "world.h"

/* Three members, a candidate; s1 with slots 0 to 99 and 200 on node 1, node 2 its replica; node 3 is down. */
static struct test_world *world(void)
{
    struct test_world *w = test_world_new(3, 1);
    struct error e;
    struct cluster_command shard = {.type = CLUSTER_CREATE_SHARD};
    memcpy(shard.node, test_world_id(1), sizeof shard.node);
    test_world_apply(w, &shard);
    struct cluster_command slots = {.type = CLUSTER_ASSIGN_SLOTS, .shard = 1};
    assert_int_equal(cluster_ranges_add(&slots.slots, 0, 99, &e), 0);
    assert_int_equal(cluster_ranges_add(&slots.slots, 200, 200, &e), 0);
    test_world_apply(w, &slots);
    struct cluster_command replica = {.type = CLUSTER_REPLICATE, .shard = 1};
    memcpy(replica.node, test_world_id(2), sizeof replica.node);
    test_world_apply(w, &replica);
    struct cluster_command down = {.type = CLUSTER_SET_REACHABLE};
    memcpy(down.node, test_world_id(3), sizeof down.node);
    test_world_apply(w, &down);
    return w;
}

/* Runs a script that asserts. */
static void run(struct test_world *w, const char *text)
{
    struct error e;
    struct buffer reply;
    struct script_source source = test_source(text);
    buffer_init(&reply, 1u << 16);
    if (script_eval(&source, NULL, 0, &w->world, NULL, 2, &reply, NULL, &e)) fail_msg("%s", e.text);
    buffer_release(&reply);
}

static void test_nodes_shards_and_slots_are_in_the_view(void **state)
{
    (void)state;
    struct test_world *w = world();
    run(w,
        "local n = view.nodes[1]\n"
        "assert(#view.nodes == 4 and view.node[n.id] == n and n.alias == '1' and n.name == 'node1' and n.zone == 'a')\n"
        "assert(n.state == 'member' and n.up and n.shard == 's1' and n.in_sync and n.primary and n.voter and n.role == "
        "'voter')\n"
        "assert(n.keys == 10 and n.silent_ms == 0 and n.learner == false and n.version == '0.1.0')\n"
        "assert(not view.nodes[3].up and view.nodes[3].silent_ms == 5000 and view.nodes[3].shard == nil)\n"
        "assert(view.nodes[2].shard == 's1' and not view.nodes[2].primary)\n"
        "assert(view.nodes[4].state == 'candidate' and view.nodes[4].up and view.nodes[4].voter == false)\n"
        "local s = view.shards[1]\n"
        "assert(#view.shards == 1 and view.shard.s1 == s and s.id == 's1' and s.primary == n.id and s.serving and "
        "s.keys == 0 and s.bytes == 0 and s.ops == 0 and s.epoch > 0)\n"
        "assert(s.slot_count == 101 and #s.slots == 2 and s.slots[1][1] == 0 and s.slots[1][2] == 99 and s.slots[2][1] "
        "== 200)\n"
        "assert(#view.unassigned == 2 and view.unassigned[1][1] == 100 and view.unassigned[2][2] == 16383)\n"
        "assert(#view.voters == 1 and view.voters[1] == n.id and view.leader == n.id and next == nil)\n"
        "assert(view.settings.voters == 3 and view.settings.patience == 30000)\n"
        "assert(view.run.id == nil and view.run.round == 0 and view.run.done == 0 and #view.run.failed == 0)\n"
        "assert(view.version > 0)");
    test_world_free(w);
}

/* Fails a step of a new run. */
static void fail_a_step(struct test_world *w)
{
    struct cluster_command start = {
        .type = CLUSTER_RUN_START, .name = "p", .version = "0011223344556677", .source = strdup("x"), .source_len = 1};
    uint64_t id = test_world_apply(w, &start);
    struct cluster_command round = {.type = CLUSTER_RUN_ROUND, .run = id, .round = 1, .step_count = 1};
    round.steps = calloc(1, sizeof *round.steps);
    assert_non_null(round.steps);
    round.steps[0] = (struct cluster_step){.op = CLUSTER_OP_replicate, .shard = 1};
    memcpy(round.steps[0].node, test_world_id(3), sizeof round.steps[0].node);
    test_world_apply(w, &round);
    static const enum cluster_step_status statuses[] = {CLUSTER_STEP_STARTED, CLUSTER_STEP_FAILED};
    for (size_t i = 0; i < 2; i++) {
        struct cluster_command step = {.type = CLUSTER_RUN_STEP, .run = id, .round = 1, .step_status = statuses[i]};
        snprintf(step.text, sizeof step.text, "%s", i ? "it is down" : "");
        test_world_apply(w, &step);
    }
}

static void test_a_run_is_in_the_view(void **state)
{
    (void)state;
    struct test_world *w = world();
    fail_a_step(w);
    run(w, "local r = view.run\n"
           "assert(r.id == 1 and r.round == 1 and r.done == 0 and r.slots_moved == 0 and #r.failed == 1)\n"
           "local f = r.failed[1]\n"
           "assert(f.op == 'replicate' and f.node == view.nodes[3].id and f.shard == 's1' and f.error == 'it is down' "
           "and f.round == 1)");
    test_world_free(w);
}

static void test_a_view_is_read_like_a_table_and_not_written(void **state)
{
    (void)state;
    struct test_world *w = world();
    run(w, "local ids, keys, last = {}, {}\n"
           "for i, n in ipairs(view.nodes) do ids[i] = n.id end assert(#ids == 4)\n"
           "for i, n in pairs(view.nodes) do assert(ids[i] == n.id) last = i end assert(last == 4)\n"
           "for k in pairs(view.nodes[1]) do keys[#keys + 1] = k end\n"
           "assert(#keys == 23) for i = 2, #keys do assert(keys[i - 1] < keys[i]) end\n"
           "assert(table.concat(view.voters, ' ') == view.leader and select('#', table.unpack(view.nodes)) == 4)\n"
           "assert(#table.move(view.nodes, 1, 4, 1, {}) == 4)\n"
           "local function refused(f, ...) local ok, e = pcall(f, ...) assert(not ok and e:find('read-only', 1, true), "
           "e) end\n"
           "refused(function() view.x = 1 end) refused(function() view.nodes[1].up = nil end)\n"
           "refused(table.insert, view.nodes, 1) refused(table.sort, view.nodes) refused(table.remove, view.nodes)\n"
           "refused(table.move, view.nodes, 1, 2, 3)\n"
           "assert(not pcall(setmetatable, view, {})) assert(not getmetatable(view) and select(2, pairs(view.nodes)) "
           "== nil) assert(rawget(view, 'nodes') == "
           "nil)");
    test_world_free(w);
}

static void test_a_field_that_does_not_exist_is_an_error(void **state)
{
    (void)state;
    struct test_world *w = world();
    fail_a_step(w);
    run(w, "local V = require 'aikv.view'\n"
           "local function fails(text, f) local ok, err = pcall(f) assert(not ok and err:find(text, 1, true), err) end\n"
           "fails(\"a node has no field 'zoen'; the nearest is 'zone'\", function() return view.nodes[1].zoen end)\n"
           "fails(\"a node has no field 'zoen'\", function() return V.where(view.nodes, { zoen = 'a' }) end)\n"
           "fails(\"the view has no field 'node_s'; the nearest is 'nodes'\", function() return view.node_s end)\n"
           "fails(\"the view has no field '1'\", function() for _ in ipairs(view) do end end)\n"
           "fails(\"a shard has no field 'slot'; the nearest is 'slots'\", function() return view.shards[1].slot end)\n"
           "fails(\"view.slots has no field 'byts'\", function() return view.slots.byts end)\n"
           "fails(\"view.settings has no field 'voter'; the nearest is 'voters'\", function() return view.settings.voter "
           "end)\n"
           "fails(\"view.run has no field 'rounds'\", function() return view.run.rounds end)\n"
           "fails(\"a failed step has no field 'why'\", function() return view.run.failed[1].why end)\n"
           "assert(view.node.x == nil and view.shard.s9 == nil and view.nodes[99] == nil and view.run.trigger == nil)\n"
           "for _, n in ipairs(view.nodes) do assert(n.alias == nil or n.shard == nil or n.zone) end");
    test_world_free(w);
}

static void test_pairs_is_in_order(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    run(w, "local t = { 'one', 'two', nil, 'four', b = 1, a = 2, B = 3, [0] = 0, [-5] = 0, [2.5] = 0, [1e100] = 0, "
           "[true] = 1, [false] = 0, [''] = 0 }\n"
           "local keys = {} for k in pairs(t) do keys[#keys + 1] = tostring(k) end\n"
           "assert(table.concat(keys, ' ') == 'false true -5 0 1 2 4 2.5 1e+100  B a b', table.concat(keys, ' '))\n"
           "for k in pairs(t) do t[k] = nil end for k in pairs(t) do error(k) end\n"
           "assert(not pcall(pairs, { [{}] = 1 }))\n"
           "local own = setmetatable({}, { __pairs = function() return function(_, k) if not k then return 1 end end "
           "end })\n"
           "for k in pairs(own) do assert(k == 1) end");
    test_world_free(w);
}

static void test_objects_work_as_authors_expect(void **state)
{
    (void)state;
    struct test_world *w = test_world_new(1, 0);
    run(w, "local C = {} C.__index = C function C.new(x) return setmetatable({ x = x }, C) end function C:get() return "
           "self.x end\n"
           "local o = C.new(7) assert(o:get() == 7 and getmetatable(o) == C)\n"
           "function C:later() return -self.x end assert(o:later() == -7)\n"
           "local ok, e = pcall(function() C.__eq = rawequal end) assert(not ok and e:find('before setmetatable', 1, "
           "true))\n"
           "local B = setmetatable({}, { __index = C }) B.__index = B assert(setmetatable({ x = 2 }, B):get() == 2)\n"
           "assert(getmetatable(setmetatable({}, { __metatable = 'mine' })) == 'mine')\n"
           "assert(not pcall(setmetatable, setmetatable({}, { __metatable = 'mine' }), {}))\n"
           "assert(setmetatable(setmetatable({}, C), nil).get == nil)\n"
           "assert(tostring(setmetatable({}, { __tostring = function() return 'T' end })) == 'T')\n"
           "assert(#setmetatable({}, { __len = function() return 9 end }) == 9 and setmetatable({}, { __call = "
           "function() return 5 end })() == 5)");
    test_world_free(w);
}

static void test_json_says_the_same(void **state)
{
    (void)state;
    struct test_world *w = world();
    struct buffer json;
    struct error e;
    buffer_init(&json, 1u << 20);
    assert_int_equal(script_view_json(&w->world, &json, &e), 0);
    buffer_append(&json, "", 1);
    const char *text = (const char *)json.data;
    assert_non_null(strstr(text, "\"settings\":{\"concurrency\":8,\"patience\":30000,\"replicas\":1,\"tolerance\":5,\"voters\":3}"));
    assert_non_null(strstr(text, "\"failed\":[]"));
    assert_non_null(strstr(text, "\"slots\":[[0,99],[200,200]]"));
    assert_non_null(strstr(text, "\"unassigned\":[[100,199],[201,16383]],\"version\":"));
    assert_non_null(strstr(text, "{\"alias\":\"4\",\"disk_bytes\":0,\"disk_limit_bytes\":0,\"id\":\"0004"));
    assert_null(strstr(text, "\"node\":{")); /* rows are in nodes */
    buffer_release(&json);
    buffer_init(&json, 100);
    assert_int_equal(script_view_json(&w->world, &json, &e), ERROR_LIMIT);
    buffer_release(&json);
    test_world_free(w);
}

/* Slots 0, 99 and 200 of s1, and 16383, which is nobody's. */
static void load_slots(struct test_world *w)
{
    w->live.load = calloc(1, sizeof *w->live.load);
    assert_non_null(w->live.load);
    static const unsigned slots[] = {0, 99, 200, 16383};
    for (unsigned i = 0; i < 4; i++) {
        w->live.load->keys[slots[i]] = i + 1;
        w->live.load->bytes[slots[i]] = 100 * (i + 1);
        w->live.load->milliops[slots[i]] = 1000 * (i + 5) + i;
    }
}

static void test_load_is_given_by_slot_and_summed_by_shard(void **state)
{
    (void)state;
    struct test_world *w = world();
    load_slots(w);
    run(w, "local s, shard = view.slots, view.shard.s1\n"
           "assert(s.keys[0] == 1 and s.keys[99] == 2 and s.keys[200] == 3 and s.keys[16383] == 4 and s.keys[1] == 0)\n"
           "assert(s.bytes[0] == 100 and s.bytes[16383] == 400 and s.ops[0] == 5 and s.ops[200] == 7.002 and math.type(s.ops[0]) == 'integer')\n"
           "assert(s.keys[-1] == nil and s.keys[16384] == nil and #s.ops == 16383)\n"
           "assert(shard.keys == 6 and shard.bytes == 600 and shard.ops == 18.003)\n"
           "assert(not pcall(function() s.keys[0] = 5 end) and s.keys[0] == 1)\n"
           "local sum = 0 for _, n in pairs(s.keys) do sum = sum + n end assert(sum == 10)");
    test_world_free(w);
}

/* As a number at `slot` of the list that begins after `name`. */
static unsigned long long json_number(const char *json, const char *name, unsigned slot)
{
    const char *at = strstr(json, name);
    assert_non_null(at);
    for (at += strlen(name); slot > 0; slot--) {
        at = strchr(at, ',');
        assert_non_null(at);
        at++;
    }
    return strtoull(at, NULL, 10);
}

static void test_json_has_the_load_of_every_slot(void **state)
{
    (void)state;
    struct test_world *w = world();
    struct buffer json;
    struct error e;
    load_slots(w);
    buffer_init(&json, 1u << 20);
    assert_int_equal(script_view_json(&w->world, &json, &e), 0);
    buffer_append(&json, "", 1);
    const char *slots = strstr((const char *)json.data, "\"slots\":{\"bytes\":[100,");
    assert_non_null(slots);
    assert_int_equal(json_number(slots, "\"bytes\":[", 99), 200);
    assert_int_equal(json_number(slots, "\"keys\":[", 200), 3);
    assert_int_equal(json_number(slots, "\"keys\":[", 16383), 4);
    assert_non_null(strstr(slots, "\"ops\":[5,0,"));
    assert_non_null(strstr(slots, ",4],\"ops\":["));     /* slot 16383 is the last */
    assert_non_null(strstr(slots, ",0,7.002,0,"));       /* of slot 200 */
    assert_non_null(strstr(slots, ",0,8.003]},\"una")); /* not 8.0029999999999999 */
    buffer_release(&json);
    test_world_free(w);
}

/* The fields of one table of view.def as a Lua table: name = "type", … */
static void append_fields(struct buffer *out, const char *name, enum view_table table)
{
    const struct view_field *f;
    buffer_printf(out, "%s = {", name);
    for (size_t i = 0; (f = view_field_at(i)); i++)
        if (f->table == table) buffer_printf(out, "['%s'] = '%s', ", f->name, f->type);
    buffer_append_text(out, "},\n");
}

static void test_the_view_has_exactly_the_fields_of_its_table(void **state)
{
    (void)state;
    struct test_world *w = world();
    struct buffer text;
    fail_a_step(w);
    buffer_init(&text, 1u << 16);
    buffer_append_text(&text, "local known = {\n");
    append_fields(&text, "view", VIEW_TABLE_VIEW);
    append_fields(&text, "node", VIEW_TABLE_NODE);
    append_fields(&text, "shard", VIEW_TABLE_SHARD);
    append_fields(&text, "slots", VIEW_TABLE_SLOTS);
    append_fields(&text, "run", VIEW_TABLE_RUN);
    append_fields(&text, "failed", VIEW_TABLE_FAILED);
    buffer_append_text(&text, "}\n"
        "local tables, simple = 0, { integer = 'number', number = 'number', string = 'string', boolean = 'boolean' }\n"
        "local function check(name, row)\n"
        "  tables = tables + 1\n"
        "  for field in pairs(row) do assert(known[name][field], name .. '.' .. field .. ' is not in view.def') end\n"
        "  for field, documented in pairs(known[name]) do\n"
        "    local kind, optional = documented:match('^(.-)( or nil)$')\n"
        "    local value = row[field]\n"
        "    assert(value ~= nil or optional, name .. '.' .. field .. ' is missing')\n"
        "    assert(value == nil or type(value) == (simple[kind or documented] or 'table'), name .. '.' .. field)\n"
        "  end\n"
        "end\n"
        "check('view', view) check('slots', view.slots) check('run', view.run)\n"
        "for _, n in ipairs(view.nodes) do check('node', n) end\n"
        "for _, s in ipairs(view.shards) do check('shard', s) end\n"
        "for _, f in ipairs(view.run.failed) do check('failed', f) end\n"
        "assert(tables == 3 + 4 + 1 + 1)");
    buffer_append(&text, "", 1);
    assert_false(text.failed);
    run(w, (const char *)text.data);
    buffer_release(&text);
    test_world_free(w);
}

/* Node i is the primary of shard i, and gets `piece` slots at a time until all are given away. */
static struct test_world *large_world(uint32_t nodes, uint32_t piece)
{
    struct test_world *w = test_world_new(nodes, 0);
    struct error e;
    for (uint32_t i = 1; i <= nodes; i++) {
        struct cluster_command shard = {.type = CLUSTER_CREATE_SHARD};
        memcpy(shard.node, test_world_id(i), sizeof shard.node);
        test_world_apply(w, &shard);
        struct cluster_command slots = {.type = CLUSTER_ASSIGN_SLOTS, .shard = i};
        for (uint32_t from = (i - 1) * piece; from < CLUSTER_SLOTS; from += nodes * piece) {
            uint32_t to = from + piece < CLUSTER_SLOTS ? from + piece - 1 : CLUSTER_SLOTS - 1;
            assert_int_equal(cluster_ranges_add(&slots.slots, from, to, &e), 0);
        }
        test_world_apply(w, &slots);
    }
    w->live.load = calloc(1, sizeof *w->live.load);
    assert_non_null(w->live.load);
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++)
        w->live.load->keys[slot] = w->live.load->bytes[slot] = w->live.load->milliops[slot] = CLUSTER_LOAD_MAX - 1;
    return w;
}

/* Makes views and prints how long that takes at best, and what one holds. Returns that, in bytes. */
static size_t measure(const char *what, const struct test_world *w)
{
    uint64_t best_us = UINT64_MAX;
    size_t bytes = 0;
    for (int i = 0; i < 10; i++) {
        lua_State *L = luaL_newstate();
        assert_non_null(L);
        uint64_t start = clock_monotonic_us();
        view_push(L, &w->world);
        uint64_t took = clock_monotonic_us() - start;
        if (took < best_us) best_us = took;
        lua_gc(L, LUA_GCCOLLECT);
        bytes = (size_t)lua_gc(L, LUA_GCCOUNT) << 10;
        lua_close(L);
    }
    struct buffer json;
    struct error e;
    buffer_init(&json, 16u << 20);
    assert_int_equal(script_view_json(&w->world, &json, &e), 0);
    print_message("a view of %s: %llu us, %zu KiB; as JSON %zu KiB\n", what, (unsigned long long)best_us, bytes >> 10, json.len >> 10);
    buffer_release(&json);
    return bytes;
}

static void test_a_view_of_a_hundred_nodes_is_small(void **state)
{
    (void)state;
    struct test_world *w = large_world(100, 164);
    assert_true(measure("100 shards with one range each", w) < 2u << 20);
    test_world_free(w);
    w = large_world(100, 1);
    assert_true(measure("100 shards in ranges of one slot", w) < 16u << 20); /* a quarter of what a policy may use */
    test_world_free(w);
}

int test_script_view(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_shards_and_slots_are_in_the_view),
        cmocka_unit_test(test_a_run_is_in_the_view),
        cmocka_unit_test(test_a_view_is_read_like_a_table_and_not_written),
        cmocka_unit_test(test_a_field_that_does_not_exist_is_an_error),
        cmocka_unit_test(test_pairs_is_in_order),
        cmocka_unit_test(test_objects_work_as_authors_expect),
        cmocka_unit_test(test_json_says_the_same),
        cmocka_unit_test(test_load_is_given_by_slot_and_summed_by_shard),
        cmocka_unit_test(test_json_has_the_load_of_every_slot),
        cmocka_unit_test(test_the_view_has_exactly_the_fields_of_its_table),
        cmocka_unit_test(test_a_view_of_a_hundred_nodes_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
