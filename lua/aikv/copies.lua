-- Copies of shards: each beside its primary, over zones. Every policy that places copies calls plan here, so that no two of
-- them fight over nodes.
local V, P = require "aikv.view", require "aikv.plan"
local M = {}

-- The members of each shard that count, by shard: its primary, and replicas that are neither lost nor leaving. Then the others.
local function members(view)
  local kept, spent = {}, {}
  for id, rows in pairs(V.group_by(view.nodes, "shard")) do
    kept[id] = V.where(rows, function(n) return n.primary or (n.state == "member" and not V.lost(view, n)) end)
    spent[id] = V.where(rows, function(n) return not n.primary and (n.state ~= "member" or V.lost(view, n)) end)
  end
  return kept, spent
end

local function zones_of(kept)
  local zones = {}
  for id, rows in pairs(kept) do zones[id] = V.count_by(rows, "zone") end
  return zones
end

-- A replica that shares its zone with another member; nil if there is none.
local function twin(rows, zones)
  return V.where(rows, function(n) return not n.primary and zones[n.zone] > 1 end)[1]
end

-- What a shard can give: of replicas beyond `wanted` one that shares a zone, else the last.
local function surplus(rows, zones, wanted)
  if #rows <= wanted + 1 then return nil end
  local replicas = V.where(rows, { primary = false })
  return twin(rows, zones) or replicas[#replicas]
end

local function detach_surplus(view, kept, zones, wanted)
  local steps = {}
  for _, s in ipairs(view.shards) do
    local n = surplus(kept[s.id], zones[s.id], wanted)
    if n then steps[#steps + 1] = { op = "detach", node = n.id } end
  end
  return steps
end

-- A spare node for as many of the shards as possible, a copy each and round. Copies are made from the primary.
local function place(shards, spare, fits)
  local steps = {}
  for i, pair in ipairs(V.match(shards, spare, fits)) do
    steps[i] = { op = "replicate", shard = pair[1].id, node = pair[2].id }
  end
  return steps
end

local function give_up(shards, kept, spent, wanted)
  local steps = {}
  for _, s in ipairs(shards) do
    for _, n in ipairs(#kept[s.id] > wanted and spent[s.id] or {}) do steps[#steps + 1] = { op = "detach", node = n.id } end
  end
  return steps
end

-- Two copies in one zone are lost together: where a spare node is elsewhere, it takes the place of one of them.
local function move_apart(shards, spare, apart, kept, zones)
  local shared = V.where(shards, function(s) return twin(kept[s.id], zones[s.id]) ~= nil end)
  local steps = place(shared, spare, apart)
  for i = 1, #steps do
    local id = steps[i].shard
    steps[#steps + 1] = { op = "detach", node = twin(kept[id], zones[id]).id }
  end
  return steps
end

-- The steps that give every shard `wanted` copies beside its primary, in zones of their own as far as nodes allow it. A lost or
-- leaving copy is given up once it is replaced. A copy too many is a reserve: it goes to a shard that lacks one and finds no
-- spare node.
function M.plan(view, wanted)
  local kept, spent = members(view)
  local zones, spare, serving = zones_of(kept), V.by_alias(V.spare(view)), V.where(view.shards, { serving = true })
  local short = V.where(serving, function(s) return #kept[s.id] < wanted + 1 end)
  local function apart(s, n) return zones[s.id][n.zone] == 0 end
  local function anywhere() return true end

  local placed = P.first(place(short, spare, apart), place(short, spare, anywhere))
  if #placed > 0 then return placed end
  local borrowed = table.move(detach_surplus(view, kept, zones, wanted), 1, #short, 1, {})
  return P.first(give_up(serving, kept, spent, wanted), borrowed, move_apart(serving, spare, apart, kept, zones))
end

-- The steps that give up copies beyond `wanted`, one for each shard and round.
function M.trim(view, wanted)
  local kept = members(view)
  return P.first(detach_surplus(view, kept, zones_of(kept), wanted))
end

-- Copies that are missing or down, and copies that share their zone with another.
function M.score(view, wanted)
  local bad, rows = 0, V.group_by(V.where(view.nodes, { up = true }), "shard")
  for _, s in ipairs(view.shards) do
    bad = bad + math.max(0, wanted + 1 - #rows[s.id])
    for _, count in pairs(V.count_by(rows[s.id], "zone")) do bad = bad + count - 1 end
  end
  return bad
end

return M
