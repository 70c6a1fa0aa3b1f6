-- What has to hold in a cluster, or in the log of a run: each raises an error that says what does not.
--
--   must.own_every_slot(m)  must.vote_well(m)  must.have_copies(m)
--   must.not_fail(log)  must.move_once(log)  must.stay_within(log, { rounds = 20, steps = 100, slots = 5000 })
--   must.rest(m, policy, params)                 -- it has nothing left to do
local V, S = require "aikv.view", require "aikv.slots"
local M = {}

local function must(holds, what, ...)
  if not holds then error(what:format(...), 0) end
end

-- The nodes of a list in words.
local function names(nodes)
  local out = {}
  for i, n in ipairs(nodes) do out[i] = V.label(n) end
  return table.concat(out, ", ")
end

function M.own_every_slot(m)
  local free = m:view().unassigned
  must(#free == 0, "%d slots belong to no shard", S.count(free))
end

-- The largest odd number of voters up to the setting that there are sound nodes for; a lost one only beside an even number of
-- sound ones; nobody who leaves; no learners; no zone with two voters more than one where somebody else could vote.
function M.vote_well(m)
  local view = m:view()
  local function sound(n) return n.state == "member" and not V.lost(view, n) end
  local voters = V.where(view.nodes, { role = "voter" })
  local able = V.usable(view, function(n) return n.role ~= "voter" end)
  local good = V.where(voters, sound)
  local wanted = math.min(view.settings.voters, #good + #able)
  if wanted == 0 then return end -- nobody who stays is up
  must(#voters % 2 == 1, "%d voters: %s", #voters, names(voters))
  must(#voters <= view.settings.voters, "%d voters, more than %d", #voters, view.settings.voters)
  must(#V.where(voters, { state = "leaving" }) == 0, "somebody who leaves votes: %s", names(voters))
  local odd = wanted % 2 == 0 and #voters == #good and wanted - 1 or wanted
  must(#good == odd, "%d sound voters of %d", #good, odd)
  must(#voters - #good <= ((wanted % 2 == 0 and #able == 0) and 1 or 0), "lost voters: %s", names(voters))
  local learners = V.where(view.nodes, { role = "learner" })
  must(#learners == 0, "learners nobody promotes: %s", names(learners))
  local zones = V.count_by(voters, "zone")
  for _, n in ipairs(#V.where(voters, { up = true }) == #voters and able or {}) do
    for _, v in ipairs(voters) do
      local more, fewer = zones[v.zone], zones[n.zone]
      must(more - fewer < 2, "zone '%s' has %d voters, zone '%s' %d", v.zone, more, n.zone, fewer)
    end
  end
end

-- Every shard that serves has the copies of the setting, or no node is free. No two members of a shard share a zone while a node
-- of a zone without one is free. No copy is on a lost or leaving node while enough others are there.
function M.have_copies(m)
  local view = m:view()
  local spare = V.spare(view)
  for _, shard in ipairs(V.where(view.shards, { serving = true })) do
    local rows = V.members(view, shard)
    local kept = V.where(rows, function(n) return n.primary or n.state == "member" and not V.lost(view, n) end)
    local zones, wanted = V.count_by(kept, "zone"), view.settings.replicas + 1
    must(#kept >= wanted or #spare == 0, "%s has %d of %d members, and %s are free", shard.id, #kept, wanted, names(spare))
    must(#kept < wanted or #kept == #rows, "%s keeps copies that are lost or leaving: %s", shard.id, names(rows))
    local elsewhere = V.where(spare, function(n) return zones[n.zone] == 0 end)
    local shared = V.where(kept, function(n) return not n.primary and zones[n.zone] > 1 end)
    must(#shared == 0 or #elsewhere == 0, "%s has two members in zone '%s', and %s are free", shard.id,
      shared[1] and shared[1].zone, names(elsewhere))
  end
end

-- No step was refused.
function M.not_fail(log)
  for _, step in ipairs(log) do
    must(not step.error, "round %d: %s %s: %s", step.round, step.op, step.node or step.shard or "", step.error)
  end
end

-- No slot moved twice.
function M.move_once(log)
  local moved = {}
  for _, step in ipairs(log) do
    for _, slot in ipairs(step.op == "move_slots" and S.list(step.slots) or {}) do
      must(not moved[slot], "slot %d moved twice", slot)
      moved[slot] = true
    end
  end
end

-- Not more rounds, steps or moved slots than this.
function M.stay_within(log, most)
  local slots = 0
  for _, step in ipairs(log) do slots = slots + (step.op == "move_slots" and S.count(step.slots) or 0) end
  local rounds = #log > 0 and log[#log].round or 0
  must(rounds <= (most.rounds or rounds), "%d rounds, more than %s", rounds, most.rounds)
  must(#log <= (most.steps or #log), "%d steps, more than %s", #log, most.steps)
  must(slots <= (most.slots or slots), "%d slots moved, more than %s", slots, most.slots)
end

-- The policy has nothing left to do.
function M.rest(m, policy, params)
  local ok, err, log = m:run(policy, params)
  must(ok, "%s", err)
  must(#log == 0, "%s goes on with %s %s", policy.name, log[1] and log[1].op, log[1] and (log[1].node or log[1].shard) or "")
end

return M
