-- Runs a policy on a model cluster, as the runner of a node does on a real one.
--
-- `require "aikv.model"` (build/release/lua/aikv/model.so) is the state machine of core/cluster with nodes that are only there:
--
--   local model = require "aikv.model"
--   local m = model.new { seed = 7 }             -- other seeds give nodes other ids, and so another order
--   local id = m:node { alias = 1, zone = "a" }  -- a candidate; also name, labels, version
--   m:found(id)                                  -- it becomes a cluster of one
--   m:down(id, silent_ms)  m:up(id)  m:pass(ms)  -- silent for a minute unless said otherwise; time goes by. Or by alias, name
--   m:apply { op = "admit", node = "2" }         -- true, or nil and why it is refused
--   m:load(7, { keys = 10, bytes = 900, ops = 3 })  -- what slot 7 holds and has to do; it goes with the slot
--   m:load { ops = { [0] = 5, [16383] = 9 } }        -- the same for many slots
--   m:reset(id)                                  -- of a node that was removed: it announces itself again
--   m:view()                                     -- what a policy gets
--   m:check()                                    -- every invariant; apply has done that already
--   m:run(policy, params, options)               -- below
--
-- aikv.sim.random makes random clusters, aikv.sim.must says what has to hold in one, aikv.sim.year lets time and failures go by.
local params = require "aikv.params"
local contract = require "aikv.policy"
local M = {}

-- The same bounds as in core/control/run_decision.h.
local ROUNDS_MAX, FAILED_ROUNDS_MAX, EQUAL_STEPS_MAX, WAITED_MAX_MS = 100, 5, 3, 600000

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

local function text(step)
  return ("%s %s"):format(step.op, step.node or step.shard or "")
end

-- The places of the steps that need not wait for one before them.
local function free(model, steps, done)
  local places = {}
  for i, step in ipairs(steps) do
    local waits = done[i]
    for j = 1, i - 1 do waits = waits or not done[j] and model:meet(steps[j], step) end
    if not waits then places[#places + 1] = i end
  end
  return places
end

-- The place of the next step: with options.random any that is free, as a node begins several at once.
local function next_place(model, steps, done, options)
  if options.random then
    local places = free(model, steps, done)
    return places[options.random(#places)]
  end
  return #done + 1
end

-- Raises if the steps are not well-formed. Returns true, or nil and the step that failed.
local function run_round(model, steps, score, options, log)
  local round, finished = model:view().run.round + 1, {}
  assert(model:run_round(steps, score))
  for _ = 1, #steps do
    local i = next_place(model, steps, finished, options)
    local step = steps[i]
    finished[i] = true
    assert(model:run_step(i, "started"))
    local ok, err = execute(model, step, options)
    log[#log + 1] = copy(step, round, err)
    assert(model:run_step(i, ok and "done" or "failed", err))
    if not ok then return nil, log[#log] end
  end
  return true
end

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then error(("the file of the policy cannot be read: %s"):format(why), 0) end
  local source = file:read "a"
  file:close()
  return source
end

-- The text that a policy is in: of the file that `require` found it in, else of the chunk in which its plan is written. Nil if
-- that is the test itself.
local function source_of(policy)
  for name, value in pairs(package.loaded) do
    local path = rawequal(value, policy) and package.searchpath(name, package.path)
    if path then return read(path) end
  end
  local chunk = debug.getinfo(policy.plan, "S").source
  if chunk:find "^@" then return not chunk:find "_spec%.lua$" and read(chunk:sub(2)) or nil end
  return not chunk:find "^=" and chunk or nil
end

-- Steps and score: as a node has them, in its sandbox and within its limits, or of a policy that is part of the test.
local function plan(model, policy, source, typed)
  if source then return model:plan(policy.name, source) end
  local view = model:view()
  local values, wrong = params.read(policy.params, typed, view)
  if not values then error(wrong, 0) end
  return policy.plan(view, values), policy.score and policy.score(view, values)
end

-- Why a run must not go on after a round; nil if it may.
local function exhausted(model, steps, memory)
  for i, step in ipairs(steps) do
    if step.op ~= "wait" and model:completed(i) >= EQUAL_STEPS_MAX then return "goes in circles: " .. text(step) end
  end
  if memory.failed >= FAILED_ROUNDS_MAX then
    local last = memory.last
    return ("%d rounds failed one after the other, the last at %s: %s"):format(memory.failed, text(last), last.error)
  end
  if memory.waited_ms >= WAITED_MAX_MS then
    return ("waited %d minutes for: %s"):format(WAITED_MAX_MS // 60000, steps[1].why or "no reason given")
  end
  if memory.rounds >= ROUNDS_MAX then return ("not done after %d rounds"):format(ROUNDS_MAX) end
end

local function remember(memory, steps, failed)
  if only_waits(steps) then
    for _, step in ipairs(steps) do memory.waited_ms = memory.waited_ms + step.ms end
  else
    memory.rounds = memory.rounds + 1
  end
  memory.failed, memory.last = failed and memory.failed + 1 or 0, failed
end

-- Asks the policy for rounds of steps until it has none: in the sandbox, as a node does, if it is in a file of its own; one that
-- a test (*_spec.lua) has written itself is plain Lua, and sees the test's variables. Returns true, or nil and what went wrong;
-- then the log: a list of the steps, each with `round` and, if it failed, `error`. Options:
--   fail(step, model)    a true value (or an error text) makes the step fail
--   wait(model, step)    called for `wait` steps: the time to let something happen
--   random(n)            a number from 1 to n, such as math.random: steps that touch nothing in common are done in any order
function M.run(model, policy, given, options)
  options = options or {}
  if type(given) == "string" then given = nil end -- m:run(require "x"): require gives the file's path as well
  assert(contract.check(policy))
  local log, typed, source = {}, typed_list(given or {}), source_of(policy)
  local memory = { rounds = 0, waited_ms = 0, failed = 0 }
  local function finish(err)
    assert(model:run_end(err and "failed" or "done", err))
    if err then return nil, err, log end
    return true, nil, log
  end

  assert(model:run_start(policy.name, typed))
  while true do
    local planned, steps, score = pcall(plan, model, policy, source, typed)
    if not planned then return finish(tostring(steps)) end
    if type(steps) == "table" and #steps == 0 then return finish() end
    local accepted, done, failed = pcall(run_round, model, steps, score, options, log)
    if not accepted then return finish(tostring(done)) end
    remember(memory, steps, failed)
    local reason = exhausted(model, steps, memory)
    if reason then return finish(reason) end
  end
end

return M
