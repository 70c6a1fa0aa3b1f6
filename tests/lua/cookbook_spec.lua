-- The policies of docs/guides/cookbook.md, as printed there.
local line = require "line"
local contract = require "aikv.policy"
local V, S = require "aikv.view", require "aikv.slots"

local policies = {}
do
  local file = assert(io.open "docs/guides/cookbook.md")
  for name, source in file:read "a":gmatch "`([%w-]+)%.lua`:\n```lua\n(.-)\n```" do
    policies[name] = assert(load(source, nil, "t"))() -- named by its text: m:run has it in the sandbox
  end
  file:close()
end

-- Runs one; its steps as a story.
local function run(m, name, params, options)
  local ok, err, log = m:run(policies[name], params, options)
  assert(ok, err)
  return line.story(m, log)
end

local function votes(m)
  return V.count_by(V.where(m:view().nodes, { voter = true }), "zone")
end

describe("docs/guides/cookbook.md", function()
  it("has eight policies, each well-formed and called as its file", function()
    local count = 0
    for name, policy in pairs(policies) do
      count = count + 1
      assert.equal(name, assert(contract.check(policy)).name)
    end
    assert.equal(8, count)
  end)

  it("zone-voters gives each zone a vote, and then finds nothing to do", function()
    local m = line.cluster "aaabbc"
    assert(m:run(line.init, { shards = 1, replicas = 0, voters = 1 }))
    for _, alias in ipairs { "2", "3" } do
      assert(m:apply { op = "add_learner", node = alias })
      assert(m:apply { op = "promote", node = alias })
    end
    assert.equal(3, votes(m).a)
    assert.equal(2, policies["zone-voters"].score(m:view()))
    run(m, "zone-voters")
    local after = votes(m)
    assert.same({ 1, 1, 1 }, { after.a, after.b, after.c })
    assert.equal(0, policies["zone-voters"].score(m:view()))
    assert.same({}, run(m, "zone-voters"))
  end)

  it("admit-labelled admits who carries the label, and nobody else", function()
    local m = line.cluster(1)
    m:node { alias = 2, labels = "disk=ssd ours" }
    m:node { alias = 3, labels = "theirs" }
    m:node { alias = 1, name = "wiped", labels = "ours" } -- the alias of a member
    assert.same({ "admit 2" }, run(m, "admit-labelled"))
    assert.same({}, run(m, "admit-labelled"))
  end)

  it("step-aside moves leadership only from the node that is named", function()
    local m, ids = line.cluster(6)
    assert(m:run(line.init))
    local leader = m:view().leader
    local other = leader == ids[4] and ids[5] or ids[4]
    assert.same({}, run(m, "step-aside", { node = other }))
    assert.equal(1, #run(m, "step-aside", { node = leader }))
    assert.not_equal(leader, m:view().leader)
    assert.is_true(m:view().node[m:view().leader].voter)
  end)

  it("step-aside says so when nobody else can lead", function()
    local m, ids = line.cluster(1)
    local ok, err = m:run(policies["step-aside"], { node = ids[1] })
    assert.is_nil(ok)
    assert.matches("no other voter is up", err)
  end)

  it("forget-dead takes out what holds nothing, and leaves primaries and voters", function()
    local m, ids = line.cluster(6)
    assert(m:run(line.init))
    for _, i in ipairs { 2, 5, 6 } do m:down(ids[i]) end
    assert.same({}, run(m, "forget-dead", { minutes = 60 })) -- silent for one minute in the model
    run(m, "forget-dead", { minutes = 1 })
    local left = {}
    for _, n in ipairs(V.by_alias(V.where(m:view().nodes, { state = "member" }))) do left[#left + 1] = n.alias end
    assert.same({ "1", "2", "3", "4" }, left)
  end)

  it("label-zone labels the members of one zone", function()
    local m = line.cluster "aab"
    assert(m:run(line.init, { shards = 1, replicas = 0, voters = 1 }))
    assert.equal(2, #run(m, "label-zone", { zone = "a", labels = "rack 7" }))
    assert.equal(2, #V.where(m:view().nodes, { labels = "rack 7" }))
    assert.same({}, run(m, "label-zone", { zone = "a", labels = "rack 7" }))
  end)

  it("profile changes the settings that differ", function()
    local m = line.cluster(1)
    run(m, "profile", { size = "large" })
    local settings = m:view().settings
    assert.same({ 5, 2, 5 }, { settings.voters, settings.replicas, settings.tolerance })
    assert.same({}, run(m, "profile", { size = "large" }))
  end)

  it("adopt-slots leaves no slot without an owner and evens out what there was", function()
    local m = line.cluster(2)
    assert(m:apply { op = "admit", node = "2" })
    assert(m:apply { op = "create_shard", node = "1" })
    assert(m:apply { op = "create_shard", node = "2" })
    assert(m:apply { op = "assign_slots", shard = "s1", slots = { { 100, 4099 } } })
    assert.equal(S.COUNT - 4000, policies["adopt-slots"].score(m:view()))
    run(m, "adopt-slots")
    local view = m:view()
    assert.same({ S.COUNT // 2, S.COUNT // 2 }, { view.shard.s1.slot_count, view.shard.s2.slot_count })
    assert.equal(0, policies["adopt-slots"].score(view))
  end)

  it("copy-per-zone puts copies where the shard has none", function()
    local m = line.cluster "aabbcc"
    assert(m:run(line.init, { shards = 2, replicas = 0, voters = 3 }))
    run(m, "copy-per-zone")
    assert.equal(0, line.shared_zones(m))
    assert.equal(6, #V.where(m:view().nodes, function(n) return n.shard ~= nil end))
    assert.same({}, run(m, "copy-per-zone"))
  end)
end)
