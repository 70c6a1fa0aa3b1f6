-- Who votes in MetaRaft. Every policy that changes members calls plan here, so that no two of them fight over the votes.
local V, P = require "aikv.view", require "aikv.plan"
local M = {}

-- The bounds of core/cluster/state.h: voters, and voters with learners.
local VOTERS_MAX, RAFT_MAX = 5, 7

-- A voter that is lost, or that does not get to vote after two attempts: it keeps its vote only if nobody else can have it.
local function doubtful(view, failed, n)
  return V.lost(view, n) or (n.up and not n.voter and failed[n.id] >= 2)
end

-- How many are to vote, and how many doubtful ones among them. An even number survives no more failures than one voter less, so
-- it is odd: by one vote less, or, where nobody could get a vote that is free again, by a doubtful voter that keeps it.
local function target(wanted, sound, able, doubtful_count)
  local count = math.min(wanted, sound + able)
  if count % 2 == 1 then return count, 0 end
  if able == 0 and count > 0 and doubtful_count > 0 then return count + 1, 1 end
  return math.max(count - 1, 0), 0
end

-- Those to lose their vote: from the zone with most voters, those that are down first, the leader last.
local function surplus(voters, count, leader)
  local zones, out, left = V.count_by(voters, "zone"), {}, voters
  for _ = 1, count do
    local n = V.first_by(left, function(v) return { v.id == leader, v.up, -zones[v.zone] } end)
    zones[n.zone], out[#out + 1] = zones[n.zone] - 1, n
    left = V.where(left, function(v) return v ~= n end)
  end
  return out
end

-- One voter of a zone that has two more than a zone where somebody else could vote; and who.
local function exchange(view, voters, able)
  local zones = V.count_by(voters, "zone")
  local new = V.first_by(able, function(n) return { zones[n.zone] } end)
  if not new or #V.where(voters, { up = true }) < #voters then return {}, {} end
  local old = V.first_by(V.where(voters, function(v) return zones[v.zone] >= zones[new.zone] + 2 end),
    function(v) return { v.id == view.leader, -zones[v.zone] } end)
  if not old then return {}, {} end
  return { old }, { new }
end

-- Who votes now, who is to lose the vote and who to get it, and how many voters there will be.
local function wanted_change(view, wanted)
  local failed = V.count_by(view.run.failed, "node")
  local voters = V.where(view.nodes, { role = "voter" })
  local staying = V.where(voters, { state = "member" })
  local lost = V.where(staying, function(n) return doubtful(view, failed, n) end)
  local sound = V.where(staying, function(n) return not doubtful(view, failed, n) end)
  local able = V.sort_by(V.by_alias(V.usable(view, function(n) return n.role ~= "voter" end)),
    function(n) return { n.role ~= "learner" } end)

  local count, kept = target(wanted, #sound, #able, #lost)
  if count == 0 then return voters, {}, {}, 0 end -- nobody who stays is up
  local new = V.spread(able, count - kept - #sound, sound)
  local out = P.join(V.where(voters, { state = "leaving" }), table.move(lost, kept + 1, #lost, 1, {}),
    surplus(sound, #sound + kept - count, view.leader))
  if #out == 0 and #new == 0 then out, new = exchange(view, sound, able) end
  return voters, V.sort_by(out, function(n) return { n.up } end), new, count
end

-- One vote after the other, each change as the invariants allow it. As many vote as should: somebody loses the vote first, so
-- that there are never 4 voters with a dead one, who need all three others. Returns the steps, and whether some are left.
local function votes(voters, out, new, count)
  local steps, total, up, o, n = {}, #voters, #V.where(voters, { up = true }), 1, 1
  while out[o] or new[n] do
    local old = out[o]
    local up_without = old and (old.up and up - 1 or up)
    local may_leave = old and up_without > (total - 1) // 2
    local may_join = new[n] and total < VOTERS_MAX and up + 1 > (total + 1) // 2 and (total == up or total % 2 == 0)
    if may_leave and (total >= count or not may_join) then
      steps[#steps + 1] = { op = "demote", node = old.id }
      steps[#steps + 1] = { op = "remove_learner", node = old.id }
      total, up, o = total - 1, up_without, o + 1
    elseif may_join then
      steps[#steps + 1] = { op = "promote", node = new[n].id }
      total, up, n = total + 1, up + 1, n + 1
    else
      return steps, true
    end
  end
  return steps, false
end

-- Learners nobody will promote go first, to make room for those that are to vote: these come all at once, as they catch up
-- while nobody has to wait for them. Returns the steps, and those of `new` there is room for.
local function learners(view, voters, new)
  local soon, steps, room, fit = {}, {}, RAFT_MAX - #voters, {}
  for _, n in ipairs(new) do soon[n.id] = true end
  for _, n in ipairs(V.where(view.nodes, { role = "learner" })) do
    if soon[n.id] then room = room - 1 else steps[#steps + 1] = { op = "remove_learner", node = n.id } end
  end
  for _, n in ipairs(new) do
    local is_learner = n.role == "learner"
    if is_learner or room > 0 then fit[#fit + 1] = n end
    if not is_learner and room > 0 then
      steps[#steps + 1] = { op = "add_learner", node = n.id }
      room = room - 1
    end
  end
  return steps, fit
end

-- Whose vote was given and does not count yet: an earlier promotion that goes on. Asked for again, so that the run waits for it.
local function late(voters, out)
  local goes = V.count_by(out, "id")
  return V.where(voters, function(n) return n.up and not n.voter and goes[n.id] == 0 end)
end

-- The steps that bring the voters to `wanted`, or to the largest odd number of nodes that are up. Lost and leaving voters are
-- replaced, by nodes of zones with few voters first. Who is fine keeps the vote.
function M.plan(view, wanted)
  local voters, out, new, count = wanted_change(view, wanted)
  local prepare, fit = learners(view, voters, new)
  local change, stuck = votes(voters, out, fit, count)
  local steps = P.join(prepare, change, P.each(late(voters, out), "promote"))
  if #steps > 0 or not stuck then return steps end
  return P.wait(1000, "only %d of %d voters are up: one change more, and no majority might be left",
    #V.where(voters, { up = true }), #voters)
end

-- Votes that are missing to `wanted`, or held by nodes that are down or leaving.
function M.score(view, wanted)
  return math.abs(wanted - #V.where(view.nodes, { role = "voter", state = "member", up = true }))
end

return M
