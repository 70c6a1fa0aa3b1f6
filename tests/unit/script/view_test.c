#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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
        "s.keys == 10)\n"
        "assert(s.slot_count == 101 and #s.slots == 2 and s.slots[1][1] == 0 and s.slots[1][2] == 99 and s.slots[2][1] "
        "== 200)\n"
        "assert(#view.unassigned == 2 and view.unassigned[1][1] == 100 and view.unassigned[2][2] == 16383)\n"
        "assert(#view.voters == 1 and view.voters[1] == n.id and view.leader == n.id and next == nil)\n"
        "assert(view.settings.voters == 3 and view.settings.patience == 30000)\n"
        "assert(view.run.id == nil and view.run.round == 0 and view.run.done == 0 and #view.run.failed == 0)\n"
        "assert(view.version > 0)");
    test_world_free(w);
}

static void test_a_run_is_in_the_view(void **state)
{
    (void)state;
    struct test_world *w = world();
    struct cluster_command start = {
        .type = CLUSTER_RUN_START, .name = "p", .version = "0011223344556677", .source = strdup("x"), .source_len = 1};
    uint64_t id = test_world_apply(w, &start);
    struct cluster_command round = {.type = CLUSTER_RUN_ROUND, .run = id, .round = 1, .step_count = 1};
    round.steps = calloc(1, sizeof *round.steps);
    assert_non_null(round.steps);
    round.steps[0] = (struct cluster_step){.op = CLUSTER_OP_replicate, .shard = 1};
    memcpy(round.steps[0].node, test_world_id(3), sizeof round.steps[0].node);
    test_world_apply(w, &round);
    struct cluster_command step = {
        .type = CLUSTER_RUN_STEP, .run = id, .round = 1, .step_status = CLUSTER_STEP_STARTED};
    test_world_apply(w, &step);
    step = (struct cluster_command){
        .type = CLUSTER_RUN_STEP, .run = id, .round = 1, .step_status = CLUSTER_STEP_FAILED, .text = "it is down"};
    test_world_apply(w, &step);
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
           "assert(#keys == 19) for i = 2, #keys do assert(keys[i - 1] < keys[i]) end\n"
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
    assert_non_null(strstr(text, "{\"alias\":\"4\",\"disk_bytes\":0,\"id\":\"0004"));
    assert_null(strstr(text, "\"node\":{")); /* rows are in nodes */
    buffer_release(&json);
    buffer_init(&json, 100);
    assert_int_equal(script_view_json(&w->world, &json, &e), ERROR_LIMIT);
    buffer_release(&json);
    test_world_free(w);
}

int test_script_view(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_shards_and_slots_are_in_the_view),
        cmocka_unit_test(test_a_run_is_in_the_view),
        cmocka_unit_test(test_a_view_is_read_like_a_table_and_not_written),
        cmocka_unit_test(test_pairs_is_in_order),
        cmocka_unit_test(test_objects_work_as_authors_expect),
        cmocka_unit_test(test_json_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
