local line = require "line"
local V = require "aikv.view"
local add_node, remove_node = line.add_node, line.remove_node

local function cluster(zones, shards, copies)
  local m, ids = line.cluster(zones)
  assert(m:run(line.init, { shards = shards, replicas = copies, voters = 3 }))
  return m, ids
end

local function story(m, ids, policy, params)
  local ok, err, log = m:run(policy, params)
  assert.is_true(ok, err)
  return line.story(m, log, ids)
end

describe("scripts/add_node.lua", function()
  it("makes a node a copy in the shard with fewest, in a zone that has none", function()
    local m, ids = cluster("abab", 2, 1)
    m:down(V.where(m:view().nodes, { shard = "s2", primary = false })[1].id)
    m:node { alias = 5, zone = "c" }
    local log = story(m, ids, add_node, { node = "5" })
    assert.equal("admit 5", log[1])
    assert.equal("replicate 5 s2", log[2])
    assert.same({}, story(m, ids, add_node, { node = "5" }))
  end)

  it("gives it a shard of its own, which rebalance fills", function()
    local m, ids = cluster("abc", 3, 0)
    m:node { alias = 4, zone = "a" }
    assert.same({ "admit 4", "create_shard 4" }, story(m, ids, add_node, { node = "4", role = "primary" }))
    local moves = story(m, ids, line.rebalance)
    assert.same({ "move_slots s2 s4 9557-10922", "move_slots s1 s4 4096-5460", "move_slots s3 s4 15019-16383" }, moves)
    for _, shard in ipairs(m:view().shards) do assert.equal(4096, shard.slot_count) end
  end)

  it("lets it be a spare node, and gives it a vote where one is missing", function()
    local m, ids = cluster("ab", 1, 1)
    m:node { alias = 3, zone = "c" }
    assert.same({ "admit 3", "add_learner 2", "add_learner 3", "promote 2", "promote 3" },
      story(m, ids, add_node, { node = "3", role = "spare" }))
  end)

  it("takes back that a node leaves", function()
    local m, ids = cluster("abc", 1, 2)
    assert(m:apply { op = "leave", node = ids[3], on = true })
    assert.same({ "leave 3" }, story(m, ids, add_node, { node = "3" }))
  end)

  it("says why it cannot", function()
    local m = cluster("abc", 1, 1)
    local replica = V.where(m:view().nodes, { primary = false, shard = "s1" })[1].alias
    local ok, err = m:run(add_node, { node = replica, role = "primary" })
    assert.is_nil(ok)
    assert.equal(("add_node:17: node %s is a replica of s1: detach it first"):format(replica), err)
    assert.equal("add_node: parameter 'role' must be one of replica, primary, spare, not 'master'",
      select(2, m:run(add_node, { node = "1", role = "master" })))
    assert.equal("add_node: parameter 'node' must be the alias, name or id of one node, not '9'",
      select(2, m:run(add_node, { node = "9" })))
  end)

  it("takes a wiped node in under its old alias once the member is removed", function()
    local m, ids = cluster("aabbcc", 1, 1)
    m:down(ids[3])
    m:node { alias = 3, name = "again", zone = "b" }
    local log = story(m, ids, remove_node, { node = "3" })
    assert.equal("remove_node 3", log[#log])
    assert.same({ "admit 3", "replicate 3 s1" }, story(m, ids, add_node, { node = "3" }))
  end)
end)

describe("scripts/remove_node.lua", function()
  it("moves vote and copy away, then removes it", function()
    local m, ids = cluster("aabbcc", 1, 1)
    assert.same({ "leave 3", "add_learner 4", "demote 3", "remove_learner 3", "promote 4", "replicate 4 s1", "detach 3",
      "remove_node 3" }, story(m, ids, remove_node, { node = "3" }))
    assert.is_nil(m:view().node[ids[3]])
    assert.equal("remove_node: parameter 'node' must be the alias, name or id of one node, not '3'",
      select(2, m:run(remove_node, { node = "3" })))
  end)

  it("removes a copy that nobody can replace", function()
    local m, ids = cluster("abc", 1, 2)
    local log = story(m, ids, remove_node, { node = "3" })
    assert.equal("detach 3", log[#log - 1])
    assert.equal("remove_node 3", log[#log])
  end)

  it("moves the slots of a primary to the others, and drops its shard", function()
    local m, ids = cluster("abcd", 3, 0)
    local log = story(m, ids, remove_node, { node = "1" })
    assert.equal("drop_shard s1", log[#log - 1])
    assert.equal("remove_node 1", log[#log])
    local view = m:view()
    assert.equal(0, #view.unassigned)
    assert.equal(2, #view.shards)
    for _, shard in ipairs(view.shards) do assert.equal(8192, shard.slot_count) end
  end)

  it("removes one that is down and will not come back", function()
    local m, ids = cluster("aabbcc", 1, 1)
    m:down(ids[3])
    local log = story(m, ids, remove_node, { node = "3" })
    assert.equal("remove_node 3", log[#log])
  end)

  it("ends with the reason where slots or votes cannot go anywhere", function()
    local m, ids = cluster("abc", 1, 1)
    local primary = m:view().node[m:view().shards[1].primary]
    assert.equal("remove_node:13: the slots of s1 have no other shard to go to: add one first",
      select(2, m:run(remove_node, { node = primary.alias })))
    m:down(primary.id)
    assert.equal("remove_node:11: the slots of s1 cannot move: its primary is down",
      select(2, m:run(remove_node, { node = primary.alias })))
    assert.equal(3, #ids)
    assert.equal("remove_node:30: no other node is up: nobody could take over",
      select(2, line.cluster(1):run(remove_node, { node = "1" })))
  end)

  it("goes on after a fault at any step, and takes back nothing", function()
    for broken = 1, 8 do
      local m, ids = cluster("aabbcc", 1, 1)
      local count = 0
      local ok, err = m:run(remove_node, { node = "3" }, {
        fail = function()
          count = count + 1
          return count == broken and "a fault"
        end,
      })
      assert.is_true(ok, err)
      assert.is_nil(m:view().node[ids[3]])
    end
  end)
end)
