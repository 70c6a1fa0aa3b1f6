-- Run it: aikv script test my-policy_spec.lua
--
-- The model is the state machine of the nodes themselves: a step that it takes is one that a cluster takes.
local model = require "aikv.model"
local V = require "aikv.view"
local policy = require "my-policy"

-- A cluster of `nodes` members, the first `shards` of them primaries. Other seeds give other ids, and so another order of nodes.
local function cluster(nodes, shards, seed)
  local m, ids = model.new { seed = seed or 1 }, {}
  for i = 1, nodes do ids[i] = m:node { alias = i, zone = ("abc"):sub(i % 3 + 1, i % 3 + 1) } end
  assert(m:found(ids[1]))
  for i = 2, nodes do assert(m:apply { op = "admit", node = ids[i] }) end
  for i = 1, shards do assert(m:apply { op = "create_shard", node = ids[i] }) end
  return m, ids
end

describe("my-policy", function()
  it("gives every shard its copies, whatever the order of nodes", function()
    for seed = 1, 50 do
      local m = cluster(6, 3, seed)
      assert(m:run(policy, { copies = 1 }))
      local view = m:view()
      for _, shard in ipairs(view.shards) do assert.equal(2, #V.members(view, shard)) end
    end
  end)

  it("asks for nothing when nothing is missing", function()
    local m = cluster(6, 3)
    assert(m:run(policy))
    local _, _, log = m:run(policy)
    assert.same({}, log)
  end)

  it("uses the nodes there are", function()
    local m = cluster(4, 3)
    assert(m:run(policy))
    assert.equal(0, #V.spare(m:view()))
  end)

  it("leaves out a node that is down", function()
    local m, ids = cluster(5, 2)
    m:down(ids[4])
    assert(m:run(policy))
    assert.is_nil(m:view().node[ids[4]].shard)
  end)

  it("goes on after a step that failed", function()
    local m, failures = cluster(6, 3), 1
    assert(m:run(policy, {}, {
      fail = function()
        failures = failures - 1
        return failures >= 0 and "as if the node had not answered"
      end,
    }))
    assert.equal(0, #V.spare(m:view()))
  end)
end)
