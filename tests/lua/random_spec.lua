-- Every built-in policy on random clusters: it reaches its goal, no step is refused, and then it rests.
local line = require "line"
local random, must = require "aikv.sim.random", require "aikv.sim.must"
local V = require "aikv.view"

-- Runs a policy to its end, with steps in any order that a node may take; gives the log.
local function run(m, policy, params)
  local ok, err, log = m:run(policy, params, { random = math.random })
  if not ok then error(("%s: %s"):format(policy.name, err), 0) end
  must.not_fail(log)
  return log
end

-- Enough time for everybody who is down to be lost, so that nothing needs to be waited for.
local function late(m)
  m:pass(86400000)
  return m
end

describe("on random clusters", function()
  it("membership has the voters it should, in few steps", function()
    line.seeds(500, function(seed)
      local m = late(random.cluster(seed))
      local log = run(m, line.membership)
      must.vote_well(m)
      must.stay_within(log, { rounds = 8, steps = 40 })
      must.rest(m, line.membership)
    end)
  end)

  it("membership waits for who was silent for a moment only, and goes on when they are lost", function()
    line.seeds(250, function(seed)
      local m = random.cluster(seed)
      run(m, line.membership)
      must.rest(m, line.membership)
      run(late(m), line.membership)
      must.vote_well(m)
    end)
  end)

  it("replicas places what can be placed", function()
    line.seeds(400, function(seed)
      local m = late(random.cluster(seed))
      must.stay_within(run(m, line.replicas), { rounds = 20, steps = 200 })
      must.have_copies(m)
      must.rest(m, line.replicas)
    end)
  end)

  it("replicas trims to what is wanted, and leaves zones as they should be", function()
    line.seeds(150, function(seed)
      local m = late(random.cluster(seed))
      run(m, line.replicas, { trim = true })
      must.have_copies(m)
      must.rest(m, line.replicas)
    end)
  end)

  it("rebalance evens out slots, each moved once, as few as will do", function()
    line.seeds(250, function(seed)
      local m = random.cluster(seed)
      local before = m:view()
      local score = line.rebalance.score(before, { by = "slots" })
      local needed, mean = 0, 0
      local serving = V.where(before.shards, { serving = true })
      for _, s in ipairs(serving) do mean = mean + s.slot_count / #serving end
      local leaving = V.where(serving, function(s) return before.node[s.primary].state == "leaving" end)
      for _, s in ipairs(serving) do needed = needed + math.max(0, math.ceil(s.slot_count - mean)) end
      local log = run(m, line.rebalance)
      must.move_once(log)
      assert(line.rebalance.score(m:view(), { by = "slots" }) <= math.max(score, 0.05) + 1e-9, "worse than before")
      if #leaving == 0 then must.stay_within(log, { rounds = 2, slots = needed + #serving }) end
      must.rest(m, line.rebalance)
    end)
  end)

  it("add_node places every candidate that can be admitted", function()
    line.seeds(200, function(seed)
      local m, world = random.cluster(seed)
      late(m)
      local id = random.announce(m, world)
      local role = ({ "replica", "primary", "spare" })[math.random(3)]
      if #V.where(m:view().shards, { serving = true }) == 0 and role == "replica" then role = "primary" end
      local log = run(m, line.add_node, { node = id, role = role })
      local node = m:view().node[id]
      assert(node.state == "member" and (node.shard ~= nil) == (role ~= "spare"), "not placed as " .. role)
      assert(node.primary == (role == "primary"))
      must.stay_within(log, { rounds = 10 })
      must.vote_well(m)
      must.rest(m, line.add_node, { node = id, role = role })
    end)
  end)

  it("remove_node takes out any node that others can replace, and says why it cannot", function()
    line.seeds(200, function(seed)
      local m = late(random.cluster(seed))
      local members = V.where(m:view().nodes, function(n) return n.state ~= "candidate" end)
      local id = members[math.random(#members)].id
      local owned = #m:view().unassigned
      local ok, err, log = m:run(line.remove_node, { node = id }, { random = math.random })
      must.not_fail(log)
      if ok then
        assert(not m:view().node[id], "it is still there")
      else
        assert(err:find "no other node is up" or err:find "its primary is down" or err:find "no other shard", err)
        assert(m:view().node[id])
      end
      assert(#m:view().unassigned <= owned, "slots were lost")
      must.move_once(log)
    end)
  end)

  it("none of them undoes what another has done", function()
    line.seeds(100, function(seed)
      local m = late(random.cluster(seed))
      local policies = { line.membership, line.replicas, line.rebalance }
      for i = #policies, 2, -1 do
        local j = math.random(i)
        policies[i], policies[j] = policies[j], policies[i]
      end
      for _ = 1, 2 do
        for _, policy in ipairs(policies) do run(m, policy) end
      end
      for _, policy in ipairs(policies) do must.rest(m, policy) end
    end)
  end)
end)
