local line = require "line"

describe("aikv.model", function()
  it("refuses what the state machine refuses, and says why", function()
    local m, ids = line.cluster(2)
    local ok, err = m:apply { op = "promote", node = "2" }
    assert.is_nil(ok)
    assert.is_string(err)
    assert(m:apply { op = "admit", node = ids[2] })
    assert(m:apply { op = "create_shard", node = "1" })
    assert(m:apply { op = "create_shard", node = "2" })
    ok, err = m:apply { op = "replicate", node = "2", shard = "s1" }
    assert.is_nil(ok)
    assert.is_truthy(err:find("s2", 1, true), err)
    assert.is_true(m:check())
  end)

  it("raises for a step that is none", function()
    local m = line.cluster(2)
    assert.has_error(function() m:apply { op = "admt", node = "2" } end, "step: no op 'admt'; the nearest is 'admit'")
    assert.has_error(function() m:apply { op = "admit" } end, "admit: field 'node' is missing")
  end)

  it("gives a view that cannot be written", function()
    local view = line.cluster(2):view()
    assert.has_error(function() view.nodes[1].up = false end, "the view is read-only: cannot set 'up'")
  end)

  it("gives other ids for other seeds, and the same for the same", function()
    assert.equal(select(2, line.cluster(1))[1], select(2, line.cluster(1))[1])
    assert.not_equal(select(2, line.cluster(1))[1], select(2, line.cluster(1, { seed = 2 }))[1])
  end)

  it("hides candidates that are down, and reports members that are", function()
    local m, ids = line.cluster(2)
    m:down(ids[2])
    assert.equal(1, #m:view().nodes)
    m:up(ids[2])
    assert(m:apply { op = "admit", node = "2" })
    m:down(ids[2])
    assert.is_false(m:view().node[ids[2]].up)
    assert.is_true(m:view().node[ids[2]].silent_ms > 0)
  end)
end)

describe("model:load", function()
  -- A cluster of one shard with slots 0 to 9 and 16383.
  local function loaded()
    local m, ids = line.cluster(1)
    assert(m:apply { op = "create_shard", node = "1" })
    assert(m:apply { op = "assign_slots", shard = "s1", slots = { { 0, 9 }, { 16383, 16383 } } })
    return m, ids[1]
  end

  it("is shown by slot, and in the sums of its shard and of its primary", function()
    local m, id = loaded()
    assert.equal(0, m:view().slots.keys[7])
    m:load(7, { keys = 3, bytes = 100, ops = 50 })
    m:load { keys = { [0] = 1, [16383] = 2, [500] = 9 }, ops = { [7] = 5.25 } }
    local view = m:view()
    assert.same({ 1, 3, 2, 9 }, { view.slots.keys[0], view.slots.keys[7], view.slots.keys[16383], view.slots.keys[500] })
    assert.same({ 100, 5.25 }, { view.slots.bytes[7], view.slots.ops[7] })
    assert.same({ 6, 100, 5.25 }, { view.shard.s1.keys, view.shard.s1.bytes, view.shard.s1.ops })
    assert.same({ 6, 5.25 }, { view.node[id].keys, view.node[id].ops })
  end)

  it("goes with a slot to the shard that gets it", function()
    local m = loaded()
    m:load { bytes = { [10] = 700 } }
    assert.equal(0, m:view().shard.s1.bytes)
    assert(m:apply { op = "assign_slots", shard = "s1", slots = { { 10, 10 } } })
    assert.equal(700, m:view().shard.s1.bytes)
  end)

  it("names what is wrong", function()
    local m = loaded()
    local wrong = {
      ["load: no field 'kyes'; the nearest is 'keys'"] = { 1, { kyes = 1 } },
      ["load: a slot is 0 to 16383, not 16384"] = { 16384, { keys = 1 } },
      ["load: a slot is 0 to 16383, not x"] = { { keys = { x = 1 } } },
      ["load: ops of slot 4: 0 to 281474976710.66 expected, not -1"] = { { ops = { [4] = -1 } } },
      ["load: bytes of slot 4: 0 to 2.8147497671066e+14 expected, not 1.5"] = { 4, { bytes = 1.5 } },
      ["load: keys: a table by slot expected"] = { { keys = 1 } },
    }
    for message, arguments in pairs(wrong) do
      assert.has_error(function() m:load(table.unpack(arguments)) end, message)
    end
  end)
end)

describe("time and nodes on the model", function()
  it("passes with wait steps and pass, and counts for those that are down", function()
    local m, ids = line.cluster(2)
    assert(m:apply { op = "admit", node = "2" })
    m:down(ids[2], 100)
    m:pass(20)
    assert(m:apply { op = "wait", ms = 3 })
    assert.equal(123, m:view().node[ids[2]].silent_ms)
    assert.equal(0, m:view().node[ids[1]].silent_ms)
    m:up(ids[2])
    assert.equal(0, m:view().node[ids[2]].silent_ms)
    assert.has_error(function() m:down(ids[2], -1) end)
  end)

  it("takes nodes by alias and name too, and knows no other fields", function()
    local m, ids = line.cluster(2)
    m:down "2"
    assert.equal(1, #m:view().nodes)
    m:up "node2"
    m:node { alias = 3, name = "node2" }
    assert.has_error(function() m:down "node2" end, "several nodes are called 'node2': give the id")
    assert.has_error(function() m:down "9" end, "there is no node 9")
    assert.has_error(function() m:node { zoen = "a" } end, "node: no field 'zoen'; the nearest is 'zone'")
    assert.has_error(function() line.cluster(1, { sed = 1 }) end, "new: no field 'sed'; the nearest is 'seed'")
    assert.equal(2, #ids)
  end)

  it("shows a removed node as a candidate only once it is reset", function()
    local m, ids = line.cluster(2)
    assert(m:apply { op = "admit", node = "2" })
    assert.has_error(function() m:reset(ids[2]) end, "node " .. ids[2] .. " is a member")
    assert(m:apply { op = "remove_node", node = "2" })
    assert.is_nil(m:view().node[ids[2]])
    m:reset(ids[2])
    assert.equal("candidate", m:view().node[ids[2]].state)
  end)

  it("says which steps must keep their order", function()
    local m = line.cluster(3)
    local function admit(node) return { op = "admit", node = node } end
    assert.is_false(m:meet(admit "2", admit "3"))
    assert.is_true(m:meet(admit "2", { op = "create_shard", node = "2" }))
    assert.is_true(m:meet(admit "2", { op = "wait", ms = 1 }))
  end)
end)

describe("model:run", function()
  it("does steps that touch nothing in common in any order, others in theirs", function()
    local orders = {}
    for seed = 1, 20 do
      math.randomseed(seed)
      local m = line.cluster(3)
      local steps = { { op = "admit", node = "2" }, { op = "admit", node = "3" }, { op = "create_shard", node = "2" } }
      local ok, err, log = m:run({ name = "p", doc = "", params = {}, plan = function(view)
        return view.run.round == 0 and steps or {}
      end }, {}, { random = math.random })
      assert.is_true(ok, err)
      for _, step in ipairs(log) do assert.is_nil(step.error) end
      orders[table.concat(line.story(m, log), ", ")] = true
    end
    assert.same({ ["admit 2, admit 3, create_shard 2"] = true, ["admit 3, admit 2, create_shard 2"] = true,
      ["admit 2, create_shard 2, admit 3"] = true }, orders)
  end)

  local function policy(plan) return { name = "p", doc = "", params = {}, plan = plan } end

  it("ends a run whose policy raises, goes in circles, never ends or waits for ever", function()
    local cases = {
      [function() error("oh", 0) end] = "oh",
      [function() return { { op = "admit", node = "2" } } end] = "goes in circles: admit 2",
      [function() return { { op = "create_shard", node = "2" } } end] = -- which is never admitted
        "5 rounds failed one after the other, the last at create_shard 2: ",
      [function(view) return { { op = "wait", ms = 1 }, view.run.round % 2 == 0 and { op = "admit", node = "2" } or
        { op = "create_shard", node = "1" } } end] = "goes in circles: admit 2",
      [function() end] = "a list of steps expected, not a nil",
      [function() return { { op = "wait", ms = 60000, why = "for ever" } } end] = "waited 10 minutes for: for ever",
      [function() return { { op = "wait" } } end] = "step 1 %(wait%): field 'ms' is missing",
    }
    for plan, expected in pairs(cases) do
      local ok, err = line.cluster(2):run(policy(plan))
      assert.is_nil(ok)
      assert.is_truthy(err:find(expected), err)
    end
  end)

  it("shows failed steps to the next round, and ends the round with the first", function()
    local m, ids = line.cluster(3)
    local seen
    local ok, err, log = m:run(policy(function(view)
      if view.run.round == 0 then return { { op = "create_shard", node = "2" }, { op = "admit", node = "3" } } end
      seen = view.run.failed[1]
      return {}
    end))
    assert.is_true(ok, err)
    assert.equal(1, #log)
    assert.equal("create_shard", seen.op)
    assert.equal(ids[2], seen.node)
    assert.equal(log[1].error, seen.error)
  end)

  it("refuses parameters as a node does", function()
    local ok, err = line.cluster(6):run(line.init, { shard = 3 })
    assert.is_nil(ok)
    assert.equal("init: no parameter 'shard'; the nearest is 'shards'", err)
    assert.equal("init: parameter 'voters' must be one of 1, 3, 5, not '2'",
      select(2, line.cluster(6):run(line.init, { voters = 2 })))
  end)

  -- A policy in a file of its own.
  local function in_file(source)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(source)
    file:close()
    return path
  end

  it("runs a policy from a file as a node does: in the sandbox, within its limits", function()
    local function clocky(body)
      return ("return { name = 'clocky', doc = '', params = {},\nplan = function() %s end }"):format(body)
    end
    for body, expected in pairs {
      ["return { { op = 'wait', ms = os.time() } }"] = "clocky:2: attempt to index a nil value (global 'os')",
      ["while true do end"] = "clocky:2: LIMIT limit: ", -- of instructions or, on a slow machine, time
      ["return require 'busted'"] = "clocky:2: no module 'busted'",
      ["return { { op = 'wait', ms = math.random(5) } }"] = "clocky:2: attempt to call a nil value (field 'random')",
      ["return 7"] = "clocky: a list of steps expected, not a number",
    } do
      local path = in_file(clocky(body))
      local ok, err = line.cluster(1):run(dofile(path))
      os.remove(path)
      assert.is_nil(ok)
      err = err:gsub("instruction limit", "LIMIT limit"):gsub("time limit", "LIMIT limit")
      assert.equal(expected, err:sub(1, #expected))
    end
  end)

  it("takes what require gives: policy and path, its plan wherever it is written", function()
    local search, path = package.path, in_file "return { name = 'p', doc = '', params = {}, plan = require('aikv.plan').first }"
    finally(function()
      package.path = search
      os.remove(path)
    end)
    package.path = path .. ";" .. search
    assert(line.cluster(1):run(require "policy_of_this_test"))
  end)
end)
