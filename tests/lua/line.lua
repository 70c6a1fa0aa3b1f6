-- Clusters in a line, seeds, and properties that a finished one must have.
local model = require "aikv.model"
local V, S = require "aikv.view", require "aikv.slots"
local M = {}

M.init = dofile "scripts/init.lua"
M.membership = dofile "scripts/membership.lua"
M.replicas = dofile "scripts/replicas.lua"
M.rebalance = dofile "scripts/rebalance.lua"
M.add_node = dofile "scripts/add_node.lua"
M.remove_node = dofile "scripts/remove_node.lua"

-- A model with nodes of the aliases 1, 2, …; the first one has founded the cluster. `nodes` is their number, or their zones, a
-- letter each: "aabb". Returns the model, and the ids by alias.
function M.cluster(nodes, options)
  local m, ids = model.new(options), {}
  local count = type(nodes) == "number" and nodes or #nodes
  for i = 1, count do
    ids[i] = m:node { alias = i, zone = type(nodes) == "string" and nodes:sub(i, i) or "" }
  end
  assert(m:found(ids[1]))
  return m, ids
end

-- How many of `count` random tests to do: ten times as many with AIKV_LONG=1, a fifth with AIKV_QUICK=1, but one.
local function as_asked(count)
  if os.getenv "AIKV_LONG" then return count * 10 end
  return os.getenv "AIKV_QUICK" and math.max(1, count // 5) or count
end

-- Calls test(seed) for `count` seeds, more or fewer as asked, or for the one of AIKV_SEED. A failure names its seed.
function M.seeds(count, test)
  local only = tonumber(os.getenv "AIKV_SEED")
  for seed = only or 1, only or as_asked(count) do
    local ok, err = pcall(test, seed)
    if not ok then error(("AIKV_SEED=%d busted: %s"):format(seed, type(err) == "string" and err or tostring(err)), 0) end
  end
end

-- "admit 2 | add_learner 2 | …" for the steps of a log, nodes by alias; those that are gone by `ids`, a list
-- by alias, or by the beginning of their id.
function M.story(m, log, ids)
  local node, names, out = m:view().node, {}, {}
  for alias, id in ipairs(ids or {}) do names[id] = tostring(alias) end
  for i, s in ipairs(log) do
    local words = { s.op }
    if s.node then words[#words + 1] = node[s.node] and node[s.node].alias or names[s.node] or s.node:sub(1, 8) end
    for _, field in ipairs { "shard", "from", "to", "key", "value" } do words[#words + 1] = s[field] end
    for _, r in ipairs(s.slots or {}) do words[#words + 1] = r[1] .. "-" .. r[2] end
    if s.error then words[#words + 1] = "FAILED" end
    out[i] = table.concat(words, " ")
  end
  return out
end

-- Raises with what is wrong unless the cluster is as init should leave it.
function M.assert_complete(m, p)
  local view = m:view()
  assert(m:check())
  assert(#view.unassigned == 0, "slots without an owner")
  assert(#view.shards == p.shards, "shards: " .. #view.shards)
  assert(#view.voters == p.voters, "voters: " .. #view.voters)
  local total = 0
  for _, shard in ipairs(view.shards) do
    local members = V.members(view, shard)
    total = total + S.count(shard.slots)
    assert(#members >= 1 + p.replicas, shard.id .. " has too few members")
    assert(math.abs(shard.slot_count - S.COUNT / p.shards) <= 1, "uneven slots")
  end
  assert(total == S.COUNT)
end

-- How many shards have two members in one zone.
function M.shared_zones(m)
  local view = m:view()
  return #V.where(view.shards, function(shard)
    local zones = V.count_by(V.members(view, shard), "zone")
    for _, n in ipairs(V.members(view, shard)) do
      if zones[n.zone] > 1 then return true end
    end
    return false
  end)
end

return M
