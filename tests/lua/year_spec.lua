-- A year of failures, returns, new nodes and nodes taken out: the policies together keep the cluster as it should be.
local line = require "line"
local random, must, year = require "aikv.sim.random", require "aikv.sim.must", require "aikv.sim.year"
local V = require "aikv.view"

local function run(m, policy, params)
  local ok, err, log = m:run(policy, params, { random = math.random })
  if not ok then error(("%s: %s"):format(policy.name, err), 0) end
  must.not_fail(log)
end

-- Whom to take out of a cluster that has become too large: anybody, but not the only primary that serves.
local function shrink(view, members)
  local few = #V.where(view.shards, { serving = true }) < 2
  local able = few and V.where(members, { primary = false }) or members
  return able[math.random(#able)]
end

-- Operators take candidates in, and nodes out that will not come back or are not needed.
local function operate(m, world)
  local view = m:view()
  for _, node in ipairs(V.where(view.nodes, { up = false, primary = false })) do
    if math.random() < 0.3 then
      run(m, line.remove_node, { node = node.id })
      if not world.wiped[node.id] and math.random() < 0.5 then -- repaired, it comes as a new node would
        m:up(node.id)
        m:reset(node.id)
      end
    end
  end
  local taken = V.count_by(V.where(m:view().nodes, function(n) return n.state ~= "candidate" end), "alias")
  for _, node in ipairs(V.where(m:view().nodes, { state = "candidate" })) do
    if taken[node.alias] == 0 and math.random() < 0.3 then
      run(m, line.add_node, { node = node.id, role = math.random() < 0.3 and "primary" or "spare" })
      taken[node.alias] = 1
    end
  end
  local members = V.where(m:view().nodes, { state = "member", up = true })
  if #members > 20 then run(m, line.remove_node, { node = shrink(m:view(), members).id }) end
end

describe("in a year", function()
  it("membership, replicas and rebalance keep the cluster as it should be, and never chase each other", function()
    line.seeds(1, function(seed)
      local policies = { { policy = line.membership }, { policy = line.replicas }, { policy = line.rebalance } }
      local _, log = year.run(seed, policies, {
        each_day = operate,
        calm = function(m)
          must.vote_well(m)
          must.have_copies(m)
        end,
      })
      -- What happens in a day costs a few steps: a vote is 4 of them, a copy 2, evening out one for each pair of shards.
      assert(#log <= 365 * 20, ("%d steps in a year"):format(#log))
    end)
  end)

  it("they do nothing while nothing happens", function()
    line.seeds(5, function(seed)
      local m = random.cluster(seed, { nodes = 20 })
      m:pass(86400000)
      local policies = { line.membership, line.replicas, line.rebalance }
      for _ = 1, 3 do
        for _, policy in ipairs(policies) do run(m, policy) end
      end
      for _ = 1, 30 do
        m:pass(86400000)
        for _, policy in ipairs(policies) do must.rest(m, policy) end
      end
    end)
  end)
end)
