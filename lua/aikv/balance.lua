-- Evening out a load over shards: which slots move from where to where, as few as will do, in ranges where that is possible.
local V, P, S, heap = require "aikv.view", require "aikv.plan", require "aikv.slots", require "aikv.heap"
local M = {}

-- A slot this many times heavier than the mean of its shard is hot: moved by itself, because one of it saves many others.
local HOT = 8

-- Slots looked at to get closer than runs get: a tenth of a second.
local LOOKS_MAX = 500000

-- The load of each slot by its number: a table, or nil for `by` "slots", where every slot counts 1.
local function weights(view, by)
  if by == "slots" then return nil end
  local loads = view.slots and view.slots[by]
  if not loads then error(("this view has no %s by slot"):format(by), 0) end
  return loads
end

-- The sum of a shard's slots, and the heaviest of them.
local function weigh(shard, weight)
  if not weight then return shard.slot_count, 1 end
  local load, heaviest = 0, 0
  for _, r in ipairs(shard.slots) do
    for slot = r[1], r[2] do
      local w = weight[slot]
      load = load + w
      if w > heaviest then heaviest = w end
    end
  end
  return load, heaviest
end

-- How much each shard carries over what it should, its part of the total. A slot heavier than that stays where it is, alone, and
-- the other shards share the rest.
local function set_excess(m)
  local by_heaviest, left = V.sort_by(m.shards, function(s) return { -s.heaviest } end), #m.shards
  local total = m.total
  for _, s in ipairs(by_heaviest) do
    local target = math.max(s.heaviest, total / left)
    s.excess = s.load - target
    total, left = total - target, left - 1
  end
end

-- What shards carry, and how much over what they should. One that does not serve can neither give nor take. One whose primary is
-- leaving can only give: its load is for the others.
local function measure(view, by)
  local m = { shards = {}, leaving = {}, weight = weights(view, by), total = 0 }
  for _, s in ipairs(V.where(view.shards, { serving = true })) do
    local load, heaviest = weigh(s, m.weight)
    local list = view.node[s.primary].state == "leaving" and m.leaving or m.shards
    list[#list + 1] = { id = s.id, slots = s.slots, slot_count = s.slot_count, load = load, excess = load, heaviest = heaviest }
    m.total = m.total + load
  end
  m.mean = #m.shards > 0 and m.total / #m.shards or 0
  set_excess(m)
  return m
end

-- The largest of what `distance` gives for the shards, above or below 0, as a part of the mean.
local function unevenness(m, distance)
  local most = 0
  for _, s in ipairs(m.shards) do most = math.max(most, math.abs(distance(s))) end
  return m.mean > 0 and most / m.mean or 0
end

-- The slots a shard still has, in the order in which they should go: of small ranges first, so that there are fewer; from a
-- range's end, so that what goes and what stays are ranges again.
local function own_slots(shard)
  if shard.own then return shard.own end
  local ranges, own = {}, {}
  for i, r in ipairs(shard.slots) do ranges[i] = { r[1], r[2] } end
  table.sort(ranges, function(a, b)
    local x, y = a[2] - a[1], b[2] - b[1]
    if x ~= y then return x < y end
    return a[1] < b[1]
  end)
  for _, r in ipairs(ranges) do
    for slot = r[2], r[1], -1 do own[#own + 1] = slot end
  end
  shard.own, shard.next = own, 1
  return own
end

local function rank(m)
  m.takers, m.givers = heap.least(m.shards, "excess"), heap.most(m.shards, "excess")
end

-- A plan in the making: `gone` has the slots that move, `steps` where to, `left` how many may still.
local function start(m, limit)
  m.gone, m.steps, m.step_of, m.left = {}, {}, {}, limit
  rank(m)
  return m
end

-- The list of slots that go from one shard to another.
local function list_of(m, from, to)
  local key = from.id .. to.id
  if not m.step_of[key] then
    m.step_of[key] = { op = "move_slots", from = from.id, to = to.id, slots = {} }
    table.insert(m.steps, m.step_of[key])
  end
  return m.step_of[key].slots
end

local function weight_of(m, slot)
  return m.weight and m.weight[slot] or 1
end

local function move(m, from, to, slot)
  local w = weight_of(m, slot)
  from.load, to.load, to.heaviest = from.load - w, to.load + w, math.max(to.heaviest, w)
  from.excess, to.excess = from.excess - w, to.excess + w
  m.gone[slot], m.left = true, m.left - 1
  table.insert(list_of(m, from, to), slot)
end

-- Says that slots have gone from a shard to another.
local function moved(m, from, to)
  for _, s in ipairs { from, to } do
    m.takers:update(s)
    m.givers:update(s)
  end
end

-- The hot slots of a shard, the heaviest first.
local function hot_slots(m, shard)
  local least, hot = HOT * shard.load / math.max(shard.slot_count, 1), {}
  for _, slot in ipairs(own_slots(shard)) do
    if m.weight[slot] > least then hot[#hot + 1] = slot end
  end
  table.sort(hot, function(a, b)
    if m.weight[a] ~= m.weight[b] then return m.weight[a] > m.weight[b] end
    return a < b
  end)
  return hot
end

-- Whether a slot of this weight should go: it brings both shards closer to what they should carry, and neither past it by more
-- than `slack`; or it is too much for any shard, and `to` has less beside it.
local function suits(m, from, to, w, slack)
  local amount = math.min(from.excess, -to.excess)
  return (w / 2 <= amount and w - slack <= amount) or (w > m.mean and w < from.excess - to.excess)
end

-- Hot slots first, each to the emptiest shard.
local function move_hot(m, slack)
  if not m.weight then return end
  for _, from in ipairs(V.where(m.shards, function(s) return s.excess > 0 end)) do
    for _, slot in ipairs(hot_slots(m, from)) do
      local to = m.takers[1]
      if m.left > 0 and suits(m, from, to, m.weight[slot], slack) then
        move(m, from, to, slot)
        moved(m, from, to)
      end
    end
    from.heaviest = 0
    for _, slot in ipairs(from.own) do
      if not m.gone[slot] then from.heaviest = math.max(from.heaviest, m.weight[slot]) end
    end
  end
  set_excess(m) -- the heaviest slots are elsewhere now
  rank(m)
end

-- Slots one after the other from a shard to another, up to an amount; what is too heavy for it stays. Returns whether any went.
local function move_run(m, from, to, amount)
  local own, some = own_slots(from), false
  while own[from.next] and m.left > 0 do
    local slot = own[from.next]
    local w = weight_of(m, slot)
    local fits = w / 2 <= amount
    if some and not fits then break end
    if fits and w > 0 and not m.gone[slot] then
      move(m, from, to, slot)
      some, amount = true, amount - w
    end
    from.next = from.next + 1
  end
  moved(m, from, to)
  return some
end

-- The shard with most over what it should carry, and the one with least; nil once all are within `slack` of it.
local function extremes(m, slack)
  local from, to = m.givers[1], m.takers[1]
  if from and m.left > 0 and (from.excess > slack or to.excess < -slack) then return from, to end
end

-- From the fullest shard to the emptiest, again and again.
local function move_runs(m, slack)
  local from, to = extremes(m, slack)
  while from do
    local amount = math.min(from.excess, -to.excess)
    if amount <= 0 or not move_run(m, from, to, amount) then m.givers:remove(from) end
    from, to = extremes(m, slack)
  end
end

-- The slot of `from` that brings two shards closest together; nil if none brings them closer.
local function best_slot(m, from, to)
  local gap, best, miss = from.excess - to.excess, nil, nil
  for _, slot in ipairs(own_slots(from)) do
    local w = weight_of(m, slot)
    if not m.gone[slot] and w > 0 and w < gap and (not best or math.abs(w - gap / 2) < miss) then
      best, miss = slot, math.abs(w - gap / 2)
    end
  end
  return best
end

-- What runs were too coarse for: single slots, as long as few have been looked at.
local function refine(m, slack)
  local looks = LOOKS_MAX
  rank(m)
  local from, to = extremes(m, slack)
  while from and looks > 0 do
    local slot = best_slot(m, from, to)
    if slot then move(m, from, to, slot) else m.givers:remove(from) end
    moved(m, from, to)
    looks = looks - #from.own
    from, to = extremes(m, slack)
  end
end

-- The slot that outweighs what a shard should carry; nil if there is none.
local function outweighing(m)
  local too_full = V.where(m.shards, function(s) return s.heaviest > m.mean end)
  local fullest = V.first_by(too_full, function(s) return { -s.heaviest } end)
  for _, r in ipairs(fullest and m.weight and fullest.slots or {}) do
    for slot = r[1], r[2] do
      if m.weight[slot] == fullest.heaviest then return slot, fullest end
    end
  end
end

-- Why nothing moves, for people.
local function why_not(m, by, tolerance, limit)
  if #m.shards < 2 then return ("%d shards can take and give: two are needed"):format(#m.shards) end
  if m.total == 0 then return ("no shard has any %s"):format(by) end
  if limit <= 0 then return "as many slots as may move in one run have moved" end
  local slot, shard = outweighing(m)
  if slot then
    return ("slot %d of %s alone has %.4g %s, more than the mean of a shard, %.4g: it cannot be divided, and the rest is even")
      :format(slot, shard.id, shard.heaviest, by, m.mean)
  end
  local off = 100 * unevenness(m, function(s) return s.load - m.mean end)
  if off <= 100 * tolerance then
    return ("every shard is within %.4g %% of the mean: the farthest is %.4g %% off"):format(100 * tolerance, off)
  end
  return ("the farthest shard is %.4g %% off the mean, and no slot brings two shards closer together"):format(off)
end

local function steps_of(m)
  for _, step in ipairs(m.steps) do step.slots = S.ranges(step.slots) end
  return P.first(m.steps)
end

-- Everything out of the shards that leave, to the emptiest ones, each up to what it should carry.
local function drain(m)
  for _, from in ipairs(m.leaving) do
    local to = m.takers[1]
    while to and move_run(m, from, to, math.max(-to.excess, 1)) do to = m.takers[1] end
  end
  return steps_of(m)
end

-- The steps that empty the shards whose primaries are leaving, with at most `limit` slots.
function M.drain(view, limit)
  return drain(start(measure(view, "slots"), limit))
end

-- The steps that even out `by` ("slots", "keys", "bytes" or "ops") over the shards, with at most `limit` slots; shards that leave
-- are emptied first. They begin when a shard is farther from the mean than `tolerance` (0.05: 5 %) and end when all are within
-- half of it: a load that goes up and down near the tolerance does not send slots to and fro. Without steps it also says why.
function M.even(view, by, tolerance, limit)
  local m = start(measure(view, by), limit)
  if #m.leaving > 0 then
    local steps = M.drain(view, limit)
    if #steps > 0 then return steps end
  end
  if unevenness(m, function(s) return s.excess end) <= tolerance then return {}, why_not(m, by, tolerance, limit) end
  local slack = m.mean * tolerance / 2
  move_hot(m, slack)
  move_runs(m, slack)
  refine(m, slack)
  local steps = steps_of(m)
  return steps, #steps == 0 and why_not(m, by, tolerance, limit) or nil
end

-- How far the shard that is farthest from the mean is from it, as a part of the mean.
function M.score(view, by)
  local m = measure(view, by)
  return unevenness(m, function(s) return s.load - m.mean end)
end

return M
