-- Runs a policy on a model cluster, as the runner of a node does on a real one.
--
-- `require "aikv.model"` (build/release/lua/aikv/model.so) is the state machine of core/cluster with nodes that are only there:
--
--   local model = require "aikv.model"
--   local m = model.new { seed = 7 }             -- other seeds give nodes other ids, and so another order
--   local id = m:node { alias = 1, zone = "a" }  -- a candidate; also name, labels, version
--   m:found(id)                                  -- it becomes a cluster of one
--   m:down(id)  m:up(id)
--   m:apply { op = "admit", node = "2" }         -- true, or nil and why it is refused
--   m:view()                                     -- what a policy gets
--   m:check()                                    -- every invariant; apply has done that already
--   m:run(policy, params, options)               -- below
local params = require "aikv.params"
local contract = require "aikv.policy"
local M = {}

local ROUNDS_MAX = 100
local COMPLETIONS_MAX = 2 -- of equal steps; the third one is a circle

local function typed_list(given)
  local names, list = {}, {}
  for name in pairs(given) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do list[i] = { name, params.text(given[name]) } end
  return list
end

local function copy(step, round, err)
  local entry = { round = round, error = err }
  for k, v in pairs(step) do entry[k] = v end
  return entry
end

local function only_waits(steps)
  for _, step in ipairs(steps) do
    if step.op ~= "wait" then return false end
  end
  return true
end

-- One step: its fault, its time, or its effect. Returns true, or nil and the error.
local function execute(model, step, options)
  local fault = options.fail and options.fail(step, model)
  if fault then return nil, type(fault) == "string" and fault or "injected" end
  if step.op == "wait" and options.wait then options.wait(model, step) end
  return model:apply(step)
end

local function run_round(model, steps, options, log)
  local round = model:view().run.round + 1
  assert(model:run_round(steps))
  for i, step in ipairs(steps) do
    assert(model:run_step(i, "started"))
    local ok, err = execute(model, step, options)
    log[#log + 1] = copy(step, round, err)
    if not ok then return assert(model:run_step(i, "failed", err)) end -- ends the round
    assert(model:run_step(i, "done"))
  end
end

local function plan(model, policy, typed)
  local view = model:view()
  local values, wrong = params.read(policy.params, typed, view)
  if not values then error(wrong, 0) end
  local steps = policy.plan(view, values)
  for _, step in ipairs(steps) do
    if step.op ~= "wait" and model:completed(step) >= COMPLETIONS_MAX then
      error(("goes in circles: %s %s was completed %d times"):format(step.op, step.node or step.shard, COMPLETIONS_MAX), 0)
    end
  end
  return steps
end

-- Asks the policy for rounds of steps until it has none. Returns true, or nil and what went wrong; then the log: a list of the
-- steps, each with `round` and, if it failed, `error`. Options:
--   fail(step, model)    a true value (or an error text) makes the step fail
--   wait(model, step)    called for `wait` steps: the time to let something happen
--   wait_max_ms          waiting longer than this altogether fails the run: 600,000
function M.run(model, policy, given, options)
  options = options or {}
  assert(contract.check(policy))
  local log, typed = {}, typed_list(given or {})
  local rounds, waited = 0, 0
  local function finish(err)
    assert(model:run_end(err and "failed" or "done", err))
    if err then return nil, err, log end
    return true, nil, log
  end

  assert(model:run_start(policy.name, typed))
  while true do
    local ok, steps = pcall(plan, model, policy, typed)
    if not ok then return finish(tostring(steps)) end
    if #steps == 0 then return finish() end
    local accepted, err = pcall(run_round, model, steps, options, log)
    if not accepted then return finish(tostring(err)) end
    if only_waits(steps) then
      for _, step in ipairs(steps) do waited = waited + step.ms end
    else
      rounds = rounds + 1
    end
    if rounds > ROUNDS_MAX then return finish(("more than %d rounds"):format(ROUNDS_MAX)) end
    if waited > (options.wait_max_ms or 600000) then return finish("waited too long: " .. (steps[1].why or "")) end
  end
end

return M
