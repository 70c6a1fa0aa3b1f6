-- Random clusters on the model, from a seed: as they are after years of changes and in the middle of one.
--
--   local m, world = random.cluster(7)           -- always the same for seed 7
--   random.disturb(m, world)                     -- something happens: a node fails, returns, is wiped, announces itself
--
-- All draw from math.random, which `cluster` seeds.
local model = require "aikv.model"
local V, S = require "aikv.view", require "aikv.slots"
local M = {}

local SECOND, DAY = 1000, 86400000

local function one_of(list)
  return list[math.random(#list)]
end

local function chance(share)
  return math.random() < share
end

-- A node that announces itself; its alias is the next number, unless one is given.
function M.announce(m, world, alias)
  if not alias then
    world.aliases = world.aliases + 1
    alias = world.aliases
  end
  world.made = world.made + 1
  return m:node { alias = alias, name = ("machine%d"):format(world.made), zone = one_of(world.zones) }
end

-- Whether MetaRaft goes on without this node.
local function majority_without(view, node)
  local voters = V.where(view.nodes, { role = "voter" })
  local up = V.where(voters, function(v) return v.up and v.id ~= node.id end)
  return #up > #voters // 2
end

-- A member fails, for as long as `silent_ms`, unless MetaRaft would stop. Returns whether it did.
function M.fail(m, node, silent_ms)
  if not node.up or not majority_without(m:view(), node) then return false end
  m:down(node.id, silent_ms)
  return true
end

-- A member loses its disk: it stays down for good, and the machine announces itself as a new node under the old alias.
function M.wipe(m, world, node)
  if node.primary or not M.fail(m, node, DAY) then return false end
  world.wiped[node.id] = true
  M.announce(m, world, node.alias)
  return true
end

-- Any of its steps may be refused: then that one is just not done.
local function attempt(m, step)
  return m:apply(step)
end

local function give_roles(m, nodes)
  for _ = 2, math.random(1, 6) do
    local node = one_of(nodes)
    local learns = attempt(m, { op = "add_learner", node = node.id })
    if learns and chance(0.8) then attempt(m, { op = "promote", node = node.id }) end
  end
end

local function make_shards(m, nodes)
  for _ = 1, math.random(0, math.max(1, #nodes // 2)) do attempt(m, { op = "create_shard", node = one_of(nodes).id }) end
  local shards = m:view().shards
  local from = 0
  while #shards > 0 and from < S.COUNT do -- pieces of any size; some may be left out
    local to = math.min(from + math.random(1, 2 * S.COUNT // #shards), S.COUNT - 1)
    local owner = one_of(shards).id
    if chance(0.9) then assert(m:apply { op = "assign_slots", shard = owner, slots = { { from, to } } }) end
    from = to + 1
  end
  for _, node in ipairs(nodes) do
    if #shards > 0 and chance(0.5) then attempt(m, { op = "replicate", node = node.id, shard = one_of(shards).id }) end
  end
end

local function settle(m)
  assert(m:apply { op = "set", key = "voters", value = one_of { 1, 3, 5 } })
  assert(m:apply { op = "set", key = "replicas", value = math.random(0, 2) })
end

local function break_some(m, world)
  local share = one_of { 0, 0, 0.1, 0.3 }
  for _, node in ipairs(m:view().nodes) do
    local member = node.state == "member"
    if member and chance(share) then M.fail(m, node, one_of { SECOND, 10 * SECOND, 60 * SECOND, DAY }) end
    if member and chance(share / 3) then M.wipe(m, world, node) end
    if member and chance(share / 3) then assert(m:apply { op = "leave", node = node.id, on = true }) end
  end
end

-- A model and its world: zones, aliases given, who was wiped. Up to `options.nodes` nodes (60) in up to 5 zones, candidates and
-- members, votes, shards, slots and copies anyhow; some nodes down for a second or a day, wiped, leaving. A majority of voters is
-- up.
function M.cluster(seed, options)
  math.randomseed(seed)
  local most = options and options.nodes or 60
  local m = model.new { seed = seed }
  local world = { zones = {}, aliases = 0, made = 0, wiped = {} }
  for i = 1, math.random(1, 5) do world.zones[i] = string.char(96 + i) end
  local founder = M.announce(m, world)
  assert(m:found(founder))
  for _ = 2, math.random(1, chance(0.3) and most or math.min(most, 12)) do
    local id = M.announce(m, world)
    if chance(0.9) then assert(m:apply { op = "admit", node = id }) end
  end
  local members = V.where(m:view().nodes, { state = "member" })
  give_roles(m, members)
  make_shards(m, members)
  settle(m)
  break_some(m, world)
  return m, world
end

-- ---- what happens to a cluster ----

local happenings = {
  function(m, _, node) M.fail(m, node, SECOND) end,
  function(m, _, node) M.fail(m, node, one_of { 60 * SECOND, DAY }) end,
  function(m, world, node) M.wipe(m, world, node) end,
  function(m, world) M.announce(m, world) end,
}

-- Who was wiped never comes back as who it was.
local function come_back(m, world)
  for _, node in ipairs(V.where(m:view().nodes, { up = false })) do
    if not world.wiped[node.id] and chance(0.5) then m:up(node.id) end
  end
end

-- One thing happens to a random member, and some of those that are down come back.
function M.disturb(m, world)
  come_back(m, world)
  local members = V.where(m:view().nodes, { state = "member", up = true })
  if #members > 0 then one_of(happenings)(m, world, one_of(members)) end
end

return M
