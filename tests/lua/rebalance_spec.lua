-- Views made by hand: shards, who owns which slot, and the load of each. tests/lua/random_spec.lua has it on the model.
local line = require "line"
local V, S = require "aikv.view", require "aikv.slots"
local rebalance = line.rebalance

-- owner[slot] is the place of a shard; load(slot, owner) gives what each slot weighs.
local function view_of(count, owner, load)
  local view = { nodes = {}, node = {}, shards = {}, shard = {}, slots = { bytes = {} }, settings = { tolerance = 5 },
    run = { slots_moved = 0, failed = {} } }
  local own = {}
  for i = 1, count do own[i] = {} end
  for slot = 0, S.COUNT - 1 do
    table.insert(own[owner[slot]], slot)
    view.slots.bytes[slot] = load(slot, owner[slot])
  end
  for i = 1, count do
    local node = { id = "n" .. i, state = "member", up = true }
    view.nodes[i], view.node[node.id] = node, node
    view.shards[i] = { id = "s" .. i, primary = node.id, serving = true, slots = S.ranges(own[i]), slot_count = #own[i] }
    view.shard["s" .. i] = view.shards[i]
  end
  return view
end

-- Carries the steps out: changes owner, and gives how many slots and how many ranges moved. No slot may move twice.
local function carry_out(steps, owner)
  local moved, ranges, seen = 0, 0, {}
  for _, step in ipairs(steps) do
    assert.equal("move_slots", step.op)
    ranges = ranges + #step.slots
    for _, slot in ipairs(S.list(step.slots)) do
      assert.equal(step.from, "s" .. owner[slot])
      assert.is_nil(seen[slot], "moved twice")
      seen[slot], owner[slot], moved = true, tonumber(step.to:sub(2)), moved + 1
    end
  end
  return moved, ranges
end

local function even_owner(count)
  local owner = {}
  for i, piece in ipairs(S.even(count)) do
    for slot = piece[1][1], piece[1][2] do owner[slot] = i end
  end
  return owner
end

local function plan(view, p)
  return rebalance.plan(view, { by = p.by or "slots", tolerance = p.tolerance or 0, max_moves = p.max_moves or S.COUNT })
end

describe("scripts/rebalance.lua", function()
  local function one() return 1 end

  it("gives a new shard its part, a range from each of the others", function()
    local owner = even_owner(4)
    local view = view_of(5, owner, one)
    local moved, ranges = carry_out(plan(view, {}), owner)
    assert.is_true(math.abs(moved - S.COUNT // 5) <= 2, moved)
    assert.equal(4, ranges)
    assert.same({}, plan(view_of(5, owner, one), {}))
  end)

  it("leaves small differences alone, and goes on until all is even once it has begun", function()
    local owner = even_owner(4)
    for slot = 0, 199 do owner[slot] = 2 end -- 4.9 % more than the mean
    assert.same({}, plan(view_of(4, owner, one), {}))
    for slot = 200, 209 do owner[slot] = 2 end
    assert.equal(210, (carry_out(plan(view_of(4, owner, one), {}), owner)))
    assert.equal(0, rebalance.score(view_of(4, owner, one), { by = "slots" }))
    for slot = 0, 99 do owner[slot] = 2 end
    assert.same({}, plan(view_of(4, owner, one), {}))
    assert.equal(1, #plan(view_of(4, owner, one), { tolerance = 2 }))
  end)

  it("says why it moves nothing", function()
    local function why(view, p) return select(2, plan(view, p)) end
    assert.equal("every shard is within 5 % of the mean: the farthest is 0 % off", why(view_of(4, even_owner(4), one), {}))
    assert.equal("1 shards can take and give: two are needed", why(view_of(1, even_owner(1), one), {}))
    assert.equal("no shard has any bytes", why(view_of(2, even_owner(2), function() return 0 end), { by = "bytes" }))
    local function hot(slot) return slot == 5 and 90000 or 0 end
    assert.equal("slot 5 of s1 alone has 9e+04 bytes, more than the mean of a shard, 4.5e+04: it cannot be divided, " ..
      "and the rest is even", why(view_of(2, even_owner(2), hot), { by = "bytes" }))
    local owner = even_owner(2)
    local view = view_of(3, owner, one)
    view.run.slots_moved = 10
    assert.equal("as many slots as may move in one run have moved", why(view, { max_moves = 10 }))
    assert.is_nil(why(view, {}))
  end)

  it("moves no more slots than it may, in all rounds of a run together", function()
    local owner = even_owner(2)
    local view = view_of(3, owner, one)
    assert.equal(1000, (carry_out(plan(view, { max_moves = 1000 }), even_owner(2))))
    view.run.slots_moved = 990
    assert.equal(10, (carry_out(plan(view, { max_moves = 1000 }), even_owner(2))))
    view.run.slots_moved = 1000
    assert.same({}, plan(view, { max_moves = 1000 }))
  end)

  it("moves one hot slot instead of many cold ones", function()
    local owner = even_owner(2)
    local function load(slot) return slot < 3 and 4000 or 1 end
    local moved = carry_out(plan(view_of(2, owner, load), { by = "bytes" }), owner)
    assert.is_true(moved < 3000, moved) -- one of the three, and what is left of the difference
    assert.is_true(rebalance.score(view_of(2, owner, load), { by = "bytes" }) <= 0.025)
  end)

  it("moves the others away from a slot that is too hot to move", function()
    local owner = even_owner(4)
    local function load(slot) return slot == 7 and 20000 or 1 end
    carry_out(plan(view_of(4, owner, load), { by = "bytes" }), owner)
    local view = view_of(4, owner, load)
    assert.equal(1, owner[7])
    assert.is_true(view.shards[1].slot_count < 20, view.shards[1].slot_count)
    assert.same({}, plan(view, { by = "bytes" }))
  end)

  it("does not move slots that weigh nothing", function()
    local owner = even_owner(2)
    local function load(slot) return slot % 100 == 0 and slot < 8192 and 1 or 0 end
    assert.equal(41, (carry_out(plan(view_of(2, owner, load), { by = "bytes" }), owner)))
  end)

  it("empties a shard whose primary leaves, and gives it nothing", function()
    local owner = even_owner(3)
    local view = view_of(3, owner, one)
    view.nodes[2].state = "leaving"
    assert.equal(5462, (carry_out(plan(view, {}), owner)))
    view = view_of(3, owner, one)
    assert.same({ 8192, 0, 8192 }, { view.shards[1].slot_count, view.shards[2].slot_count, view.shards[3].slot_count })
    view.nodes[2].state = "leaving"
    assert.same({}, plan(view, {}))
  end)

  it("neither gives to nor takes from a shard that does not serve", function()
    local owner = even_owner(2)
    local view = view_of(3, owner, one)
    view.shards[1].serving = false
    for _, step in ipairs(plan(view, {})) do assert.same({ "s2", "s3" }, { step.from, step.to }) end
    for _, shard in ipairs(view.shards) do shard.serving = false end
    assert.same({}, plan(view, {}))
  end)

  it("says so when a view has no load by slot", function()
    local view = view_of(2, even_owner(2), one)
    assert.has_error(function() plan(view, { by = "ops" }) end, "this view has no ops by slot")
  end)

  it("evens out random loads on random shards, never makes it worse, and then rests", function()
    local kinds = {
      function() return math.random(80, 120) end,                            -- noise
      function() return math.random(0, 1000) ^ 2 end,                        -- large and small
      function() return math.random() < 0.01 and math.random(5000) or math.random(0, 3) end, -- hot and cold
      function() return math.random() < 0.05 and math.random(100) or 0 end,  -- nearly empty
    }
    line.seeds(25, function(seed)
      math.randomseed(seed)
      local count, owner, weight = math.random(2, 12), {}, {}
      local kind, slot = kinds[math.random(#kinds)], 0
      while slot < S.COUNT do -- pieces of any size, some shards without any
        local i, to = math.random(count), math.min(slot + math.random(1, 3000), S.COUNT) - 1
        for s = slot, to do owner[s], weight[s] = i, kind() end
        slot = to + 1
      end
      local function load(s) return weight[s] end
      local before = view_of(count, owner, load)
      local score = rebalance.score(before, { by = "bytes" })
      local steps = plan(before, { by = "bytes" })
      carry_out(steps, owner)
      local after = view_of(count, owner, load)
      local reached = rebalance.score(after, { by = "bytes" })
      if score <= 0.05 then assert.same({}, steps) else assert(reached <= 0.05, ("%.3f after %.3f"):format(reached, score)) end
      assert.same({}, plan(after, { by = "bytes" }))
      assert(#V.where(after.shards, { serving = true }) == count)
    end)
  end)
end)
