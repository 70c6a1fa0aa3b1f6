-- The laptop package itself: random clusters are what they claim, and assertions see what is wrong.
local line = require "line"
local random, must, year = require "aikv.sim.random", require "aikv.sim.must", require "aikv.sim.year"
local V = require "aikv.view"

local function complete(zones)
  local m, ids = line.cluster(zones)
  assert(m:run(line.init, { shards = 2, replicas = 1 }))
  return m, ids
end

describe("aikv.sim.random", function()
  it("gives the same cluster for the same seed, and others for others", function()
    local function text(seed)
      local out = {}
      for i, n in ipairs(random.cluster(seed):view().nodes) do out[i] = n.id .. n.zone .. n.role .. (n.shard or "") end
      return table.concat(out)
    end
    assert.equal(text(3), text(3))
    assert.not_equal(text(3), text(4))
  end)

  it("makes all that a cluster can be in, and always with a majority", function()
    local seen = {}
    for seed = 1, 100 do
      local view = random.cluster(seed):view()
      for _, n in ipairs(view.nodes) do
        seen[n.state], seen[n.role], seen[n.up and "up" or "down"] = true, true, true
        if not n.up and n.silent_ms < 3000 then seen.restarting = true end
      end
      if #view.unassigned > 0 then seen.unassigned = true end
      local voters = V.where(view.nodes, { role = "voter" })
      assert(#V.where(voters, { up = true }) > #voters // 2, seed)
      assert(#view.nodes <= 80)
    end
    for _, what in ipairs { "member", "candidate", "leaving", "voter", "learner", "none", "up", "down", "restarting",
      "unassigned" } do
      assert.is_true(seen[what], what)
    end
  end)
end)

describe("aikv.sim.must", function()
  local function refuses(text, f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find(text, 1, true), err)
  end

  it("is content with a complete cluster", function()
    local m = complete "abab"
    must.own_every_slot(m)
    must.vote_well(m)
    must.have_copies(m)
    must.rest(m, line.membership)
  end)

  it("sees votes that are wrong", function()
    local m, ids = complete "abab"
    assert(m:apply { op = "add_learner", node = V.where(m:view().nodes, { role = "none" })[1].id })
    refuses("learners nobody promotes", must.vote_well, m)
    refuses("membership goes on with remove_learner", must.rest, m, line.membership)
    assert(m:apply { op = "set", key = "voters", value = 1 })
    refuses("3 voters, more than 1", must.vote_well, m)
    m = complete "abab"
    assert(m:apply { op = "demote", node = V.where(m:view().nodes, { role = "voter" })[1].id })
    refuses("2 voters", must.vote_well, m)
    m = complete "aaaab"
    m:up(m:node { alias = 6, zone = "c" })
    assert(m:apply { op = "admit", node = "6" })
    refuses("zone 'a' has 2 voters, zone 'c' 0", must.vote_well, m)
    assert.equal(4, #ids)
  end)

  it("sees copies and slots that are missing", function()
    refuses("16384 slots belong to no shard", must.own_every_slot, (line.cluster(1)))
    local m = complete "abab"
    m:node { alias = 5, zone = "c" }
    assert(m:apply { op = "admit", node = "5" })
    m:down(V.where(m:view().nodes, { shard = "s1", primary = false })[1].id)
    refuses("s1 has 1 of 2 members, and 5 are free", must.have_copies, m)
    m = complete "aaaa"
    m:node { alias = 5, zone = "c" }
    assert(m:apply { op = "admit", node = "5" })
    refuses("s1 has two members in zone 'a', and 5 are free", must.have_copies, m)
  end)

  it("sees what a log must not have", function()
    refuses("round 1: admit 2: oh", must.not_fail, { { round = 1, op = "admit", node = "2", error = "oh" } })
    local function move(slots) return { round = 2, op = "move_slots", slots = slots } end
    refuses("slot 5 moved twice", must.move_once, { move { { 1, 5 } }, move { { 5, 5 } } })
    refuses("2 rounds, more than 1", must.stay_within, { move { { 1, 5 } } }, { rounds = 1 })
    refuses("1 steps, more than 0", must.stay_within, { move { { 1, 5 } } }, { steps = 0 })
    refuses("5 slots moved, more than 4", must.stay_within, { move { { 1, 5 } } }, { slots = 4 })
  end)
end)

describe("aikv.sim.year", function()
  it("says on which day policies chase each other", function()
    local function toggle(replicas)
      return { policy = { name = "to" .. replicas, doc = "", params = {}, plan = function(view)
        return view.settings.replicas ~= replicas and { { op = "set", key = "replicas", value = replicas } } or {}
      end } }
    end
    local ok, err = pcall(year.run, 1, { toggle(1), toggle(2) }, { days = 3 })
    assert.is_false(ok)
    assert.is_truthy(err:find "^day 1: the policies do not come to rest: to[12] still asks for set$", err)
  end)
end)
