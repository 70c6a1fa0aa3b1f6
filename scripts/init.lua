-- Makes a cluster of the nodes that have announced themselves: voters, shards, slots, replicas, spread over zones.
--
-- Votes and copies are those of the policies membership and replicas, which find nothing left to do.
-- Like every policy it looks at what is there and asks for what is missing, so it may run again at any time: after a failure,
-- after a change of leader, and on a finished cluster, where it finds nothing to do. Copy it, change it, load it under your own
-- name: redis-cli -x CLUSTER SCRIPT LOAD my-init < init.lua
local V, P, S = require "aikv.view", require "aikv.plan", require "aikv.slots"
local voters, copies = require "aikv.voters", require "aikv.copies"

-- Whom it can admit, and whom not: a wiped node comes back as a new one, under the alias of the member it was.
local function candidates(view)
  local members = V.where(view.nodes, function(n) return n.state ~= "candidate" end)
  local taken, able, refused = V.count_by(members, "alias"), {}, {}
  for _, n in ipairs(V.by_alias(V.where(view.nodes, { state = "candidate" }))) do
    local list = n.alias and taken[n.alias] > 0 and refused or able
    list[#list + 1] = n
    if n.alias then taken[n.alias] = 1 end
  end
  return able, refused
end

-- With too few nodes the layout would be lopsided for good: a primary does not change places by itself. So wait for all.
local function wait_for_nodes(view, p)
  local _, refused = candidates(view)
  local there, needed = #view.nodes - #refused, math.max(p.shards, #view.shards) * (1 + p.replicas)
  if there >= needed then return {} end
  local why = ("%d more nodes are needed: %d of %d have announced themselves"):format(needed - there, there, needed)
  if #refused == 0 then return P.wait(1000, "%s", why) end
  return P.wait(1000, "%s; %d cannot be admitted, as a member has the alias, such as %s", why, #refused, refused[1].alias)
end

local function admit(view)
  return P.each((candidates(view)), "admit")
end

-- So it would be with too few that are up. Who is lost does not come back soon enough to be waited for.
local function wait_for_members(view, p)
  local needed, up = p.shards * (1 + p.replicas), #V.where(view.nodes, { state = "member", up = true })
  if #view.shards >= p.shards or up >= needed then return {} end
  local away = V.where(view.nodes, function(n) return n.state == "member" and not n.up and not V.lost(view, n) end)
  if #away == 0 then return {} end
  return P.wait(1000, "%d of %d nodes are up; %d are down for a moment, such as %s", up, needed, #away, V.label(away[1]))
end

-- What the policies that come later go by.
local function settle(view, p)
  local steps = {}
  for _, key in ipairs { "voters", "replicas" } do
    if view.settings[key] ~= p[key] then steps[#steps + 1] = { op = "set", key = key, value = p[key] } end
  end
  return steps
end

local function create_shards(view, p)
  local missing, spare = p.shards - #view.shards, V.by_alias(V.spare(view))
  if missing > 0 and #spare == 0 then return P.wait(1000, "%d shards lack a primary, and no node is free", missing) end
  return P.each(V.spread(spare, missing, V.where(view.nodes, { primary = true })), "create_shard")
end

local function assign_slots(view)
  local steps, pieces = {}, S.even(#view.shards)
  for i, shard in ipairs(view.shards) do
    local free = S.both(view.unassigned, pieces[i])
    if #free > 0 then steps[#steps + 1] = { op = "assign_slots", shard = shard.id, slots = free } end
  end
  return steps
end

local function replicate(view, p)
  local steps, members = copies.plan(view, p.replicas), V.group_by(view.nodes, "shard")
  local short = V.where(view.shards, function(s) return #members[s.id] < 1 + p.replicas end)
  if #steps > 0 or #short == 0 then return steps end
  return P.wait(1000, "%d shards lack a copy: of these %d have a primary that is up; %d nodes are free", #short,
    #V.where(short, { serving = true }), #V.spare(view))
end

return {
  name = "init",
  doc = "Makes a cluster of the nodes that have announced themselves.",
  params = {
    shards = { "integer", default = 3, min = 1, max = 1000, doc = "primaries, which share the slots evenly" },
    replicas = { "integer", default = 1, min = 0, max = 8, doc = "copies beside each primary" },
    voters = { "enum", 1, 3, 5, default = 3, doc = "nodes that vote in MetaRaft" },
  },

  -- Each round does the first thing that is missing.
  plan = function(view, p)
    return P.first(wait_for_nodes(view, p), settle(view, p), admit(view), wait_for_members(view, p), voters.plan(view, p.voters),
      create_shards(view, p), assign_slots(view), replicate(view, p))
  end,

  -- Slots that nobody serves: what clients notice.
  score = function(view) return S.count(view.unassigned) end,
}
