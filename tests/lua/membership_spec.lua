local line = require "line"
local V = require "aikv.view"
local membership = line.membership

-- A cluster of nodes in zones, a letter each, the first `voters` of which vote.
local function cluster(zones, voters)
  local m, ids = line.cluster(zones)
  for i = 2, #ids do assert(m:apply { op = "admit", node = ids[i] }) end
  for i = 2, voters do
    assert(m:apply { op = "add_learner", node = ids[i] })
    assert(m:apply { op = "promote", node = ids[i] })
  end
  assert(m:apply { op = "set", key = "voters", value = math.max(voters, 1) })
  return m, ids
end

local function story(m, ids)
  local ok, err, log = m:run(membership)
  assert.is_true(ok, err)
  return line.story(m, log, ids)
end

local function voters(m)
  local out = {}
  for _, n in ipairs(V.by_alias(V.where(m:view().nodes, { role = "voter" }))) do out[#out + 1] = n.alias end
  return table.concat(out, " ")
end

describe("scripts/membership.lua", function()
  it("replaces a voter that is silent for too long: it loses its vote before another gets it", function()
    local m, ids = cluster("abcb", 3)
    m:down(ids[2])
    assert.same({ "add_learner 4", "demote 2", "remove_learner 2", "promote 4" }, story(m))
    assert.same({}, story(m))
    m:up(ids[2])
    assert.same({}, story(m))
    assert.equal("1 3 4", voters(m))
  end)

  it("leaves one alone that was silent for a moment", function()
    local m, ids = cluster("abcb", 3)
    m:down(ids[2], 29999)
    assert.same({}, story(m))
    m:pass(1)
    assert.equal("add_learner 4", story(m)[1])
  end)

  it("takes a node of a zone without voters first, whatever the aliases", function()
    local m, ids = cluster("abcaab", 3)
    m:down(ids[2])
    assert.equal("add_learner 6", story(m)[1])
  end)

  it("uses a learner that is there already, and lets others go", function()
    local m, ids = cluster("aaaaa", 3)
    assert(m:apply { op = "add_learner", node = ids[5] })
    assert(m:apply { op = "add_learner", node = ids[4] })
    m:down(ids[2])
    assert.same({ "remove_learner 5", "demote 2", "remove_learner 2", "promote 4" }, story(m))
  end)

  it("keeps a lost voter whose vote nobody else could have", function()
    local m, ids = cluster("abc", 3)
    m:down(ids[2])
    assert.same({}, story(m))
    m, ids = cluster("abcde", 5)
    m:down(ids[5])
    assert.same({}, story(m))
    m:down(ids[4]) -- 3 that are up survive one more failure; 5 with two dead ones none
    assert.same({ "demote 4", "remove_learner 4", "demote 5", "remove_learner 5" }, story(m))
    m:up(ids[4])
    assert.same({}, story(m))
    m:up(ids[5])
    assert.same({ "add_learner 4", "add_learner 5", "promote 4", "promote 5" }, story(m))
  end)

  it("goes from 1 to 3 to 5 voters and back as the setting says, the leader last", function()
    local m = cluster("abcab", 1)
    for _, case in ipairs { { 3, "1 2 3" }, { 5, "1 2 3 4 5" }, { 3 }, { 1, "1" } } do
      assert(m:apply { op = "set", key = "voters", value = case[1] })
      story(m)
      assert.equal(case[1], #V.where(m:view().nodes, { role = "voter" }))
      if case[2] then assert.equal(case[2], voters(m)) end
      assert.same({}, story(m))
    end
  end)

  it("has an odd number where there are fewer nodes", function()
    local m = cluster("abcd", 1)
    assert(m:apply { op = "set", key = "voters", value = 5 })
    story(m)
    assert.equal("1 2 3", voters(m))
  end)

  it("takes the vote from who leaves, and gives it to another one by one", function()
    local m, ids = cluster("abcabc", 3)
    for _, i in ipairs { 2, 3 } do assert(m:apply { op = "leave", node = ids[i], on = true }) end
    assert.same({ "add_learner 5", "add_learner 6", "demote 2", "remove_learner 2", "promote 5", "demote 3",
      "remove_learner 3", "promote 6" }, story(m))
  end)

  it("gives the new one its vote first where the only voter leaves", function()
    local m, ids = cluster("ab", 1)
    assert(m:apply { op = "leave", node = ids[1], on = true })
    assert.same({ "add_learner 2", "promote 2", "demote 1", "remove_learner 1" }, story(m))
  end)

  it("waits where a change could leave no majority, and says so", function()
    local m, ids = cluster("abcd", 3)
    assert(m:apply { op = "leave", node = ids[3], on = true })
    m:down(ids[2], 20000)
    local whys = {}
    local ok, err, log = m:run(membership, {}, { wait = function(_, step) whys[#whys + 1] = step.why end })
    assert.is_true(ok, err)
    assert.equal("add_learner", log[1].op) -- what can be done meanwhile
    assert.equal("only 2 of 3 voters are up: one change more, and no majority might be left", whys[1])
    assert.equal(10, #whys) -- until node 2 is lost
    for _, step in ipairs(log) do assert.is_nil(step.error) end
  end)

  it("spreads votes that share a zone once somebody elsewhere can have one", function()
    local m = cluster("aaabb", 3)
    local log = story(m)
    assert.equal("add_learner 4", log[1])
    assert.equal("promote 4", log[4])
    assert.same({}, story(m))
    assert.same({}, story((cluster("aab", 1))))
  end)

  it("goes around a node that cannot become a voter", function()
    local m, ids = cluster("abcbb", 3)
    m:down(ids[2])
    local ok, err, log = m:run(membership, {}, { fail = function(step) return step.op == "promote" and step.node == ids[4] end })
    assert.is_true(ok, err)
    assert.equal("1 3 5", voters(m))
    assert.equal("remove_learner 4", line.story(m, log)[#log - 2])
  end)

  it("asks again for a vote that was given and does not count yet, and gives it to another after two failures", function()
    local function node(id, role, voter)
      return { id = id, alias = id, zone = "", state = "member", up = true, silent_ms = 0, role = role, voter = voter }
    end
    local view = {
      nodes = { node("1", "voter", true), node("2", "voter", true), node("3", "voter", false), node("4", "none", false) },
      settings = { voters = 3, patience = 30000 }, run = { failed = {} }, leader = "1",
    }
    assert.same({ { op = "promote", node = "3" } }, membership.plan(view, {}))
    view.run.failed = { { node = "3" }, { node = "3" } }
    assert.same({ { op = "add_learner", node = "4" }, { op = "demote", node = "3" }, { op = "remove_learner", node = "3" },
      { op = "promote", node = "4" } }, membership.plan(view, {}))
  end)

  it("goes on after a fault at any step, once or twice, and never has 4 voters with a dead one", function()
    for times = 1, 2 do
      for broken = 1, 4 do
        local m, ids = cluster("abcbc", 3)
        m:down(ids[2])
        local count = 0
        local ok, err = m:run(membership, {}, {
          fail = function()
            count = count + 1
            local now = V.where(m:view().nodes, { role = "voter" })
            assert(#now < 4 or #V.where(now, { up = true }) == #now)
            return count >= broken and count < broken + times and "a fault"
          end,
        })
        assert.is_true(ok, err)
        assert.equal(3, #V.where(m:view().nodes, { role = "voter", up = true }))
      end
    end
  end)

  it("scores what is missing", function()
    local m, ids = cluster("abcb", 3)
    assert.equal(0, membership.score(m:view(), {}))
    m:down(ids[2])
    assert.equal(1, membership.score(m:view(), {}))
  end)
end)
