-- A year on the model, a day after the other: things happen to a random cluster, and policies run as triggers would run them.
--
--   local m, log = year.run(7, { { policy = membership }, { policy = rebalance, params = { by = "slots" } } }, options)
--
-- Options:
--   days                 365
--   nodes                that the cluster begins with, at most: 20
--   each_day(m, world)   called every day, for more to happen than in aikv.sim.random
--   calm(m)              called every day when all policies have come to rest: what must hold then
local random, must = require "aikv.sim.random", require "aikv.sim.must"
local M = {}

local DAY = 86400000
-- Once nothing happens, policies that do not undo each other's work are done after a few turns.
local TURNS_MAX = 5

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
end

-- Runs every policy once, in random order; adds the steps to the log, and gives their number.
local function turn(m, policies, log, day)
  local count = 0
  shuffle(policies)
  for _, p in ipairs(policies) do
    local ok, err, steps = m:run(p.policy, p.params, { random = math.random })
    if not ok then error(("day %d: %s: %s"):format(day, p.policy.name, err), 0) end
    must.not_fail(steps)
    for _, step in ipairs(steps) do
      step.day, step.policy = day, p.policy.name
      log[#log + 1] = step
    end
    count = count + #steps
  end
  return count
end

local function come_to_rest(m, policies, log, day)
  for _ = 1, TURNS_MAX do
    if turn(m, policies, log, day) == 0 then return end
  end
  local last = log[#log]
  error(("day %d: the policies do not come to rest: %s still asks for %s"):format(day, last.policy, last.op), 0)
end

-- Returns the model and all steps: each with `day` and `policy`. Raises what went wrong, with the day.
function M.run(seed, policies, options)
  options = options or {}
  local m, world = random.cluster(seed, { nodes = options.nodes or 20 })
  local log = {}
  for day = 1, options.days or 365 do
    random.disturb(m, world)
    m:pass(math.random(DAY))
    if options.each_day then options.each_day(m, world) end
    come_to_rest(m, policies, log, day)
    if options.calm then options.calm(m) end
  end
  return m, log
end

return M
