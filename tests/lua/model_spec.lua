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

describe("model:run", function()
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
    assert.equal("no parameter 'shard'; the nearest is 'shards'", err)
    assert.equal("parameter 'voters' must be one of 1, 3, 5, not '2'", select(2, line.cluster(6):run(line.init, { voters = 2 })))
  end)
end)
