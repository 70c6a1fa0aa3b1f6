local line = require "line"
local V = require "aikv.view"
local replicas = line.replicas

-- A complete cluster: as many shards, with `copies` each, as there are nodes for in zones, a letter each.
local function cluster(zones, shards, copies)
  local m, ids = line.cluster(zones)
  assert(m:run(line.init, { shards = shards, replicas = copies, voters = 1 }))
  return m, ids
end

local function story(m, params)
  local ok, err, log = m:run(replicas, params)
  assert.is_true(ok, err)
  return line.story(m, log)
end

describe("scripts/replicas.lua", function()
  it("replaces a copy that is lost, and lets it go only then", function()
    local m, ids = cluster("ab", 1, 1)
    m:down(ids[2])
    assert.same({}, story(m)) -- nobody could take its place
    local spare = m:node { alias = 3, zone = "b" }
    assert(m:apply { op = "admit", node = spare })
    assert.same({ "replicate 3 s1", "detach 2" }, story(m))
    m:up(ids[2])
    assert.same({}, story(m))
  end)

  it("waits for one that is silent for a moment", function()
    local m, ids = cluster("aabb", 1, 1)
    m:down(ids[3], 1000)
    assert.same({}, story(m))
    m:pass(29000)
    assert.same({ "replicate 4 s1", "detach 3" }, story(m))
  end)

  it("replaces one that leaves", function()
    local m, ids = cluster("aabb", 1, 1)
    assert(m:apply { op = "leave", node = ids[3], on = true })
    assert.same({ "replicate 4 s1", "detach 3" }, story(m))
  end)

  it("follows the setting up, and down only when it is to trim", function()
    local m = cluster("abcd", 1, 1)
    assert(m:apply { op = "set", key = "replicas", value = 3 })
    assert.same({ "replicate 3 s1", "replicate 4 s1" }, story(m))
    assert(m:apply { op = "set", key = "replicas", value = 1 })
    assert.same({}, story(m))
    assert.equal(2, #story(m, { trim = true }))
    assert.equal(2, #V.members(m:view(), m:view().shards[1]))
  end)

  it("moves a copy out of its primary's zone when it can", function()
    local m = cluster("aa", 1, 1)
    local other = m:node { alias = 3, zone = "b" }
    assert(m:apply { op = "admit", node = other })
    assert.same({ "replicate 3 s1", "detach 2" }, story(m))
    assert.equal(0, line.shared_zones(m))
  end)

  it("lends a copy too many to a shard that lacks one", function()
    local m, ids = cluster("abab", 2, 1)
    local lost = V.where(m:view().nodes, { primary = false, shard = "s2" })[1]
    local extra = m:node { alias = 5, zone = "c" }
    assert(m:apply { op = "admit", node = extra })
    assert(m:apply { op = "replicate", node = extra, shard = "s1" })
    m:down(lost.id)
    story(m)
    for _, shard in ipairs(m:view().shards) do
      assert.equal(2, #V.where(V.members(m:view(), shard), { up = true }), shard.id)
    end
    assert.is_nil(m:view().node[lost.id].shard)
    assert.equal(4, #ids)
  end)

  it("leaves shards alone whose primary is down: there is nothing to copy from", function()
    local m, ids = cluster("abab", 1, 1)
    m:down(m:view().shards[1].primary)
    m:down(ids[2])
    assert.same({}, story(m))
  end)

  it("goes on after a fault at any step", function()
    for broken = 1, 6 do
      local m = cluster("abcabc", 3, 0)
      assert(m:apply { op = "set", key = "replicas", value = 1 })
      local count = 0
      local ok, err = m:run(replicas, {}, {
        fail = function()
          count = count + 1
          return count == broken and "a fault"
        end,
      })
      assert.is_true(ok, err)
      for _, shard in ipairs(m:view().shards) do assert.equal(2, #V.members(m:view(), shard)) end
    end
  end)

  it("scores copies that are missing, down, or beside another in their zone", function()
    local m, ids = cluster("ab", 1, 1)
    assert.equal(0, replicas.score(m:view(), {}))
    m:down(ids[2])
    assert.equal(1, replicas.score(m:view(), {}))
    assert.equal(1, replicas.score((cluster("aa", 1, 1)):view(), {}))
  end)
end)
