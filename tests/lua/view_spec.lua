local V = require "aikv.view"

local function ids(rows)
  local out = {}
  for i, row in ipairs(rows) do out[i] = row.id end
  return table.concat(out, " ")
end

describe("aikv.view", function()
  local rows = {
    { id = "a", zone = "x", n = 3, up = true }, { id = "b", zone = "y", n = 1, up = false },
    { id = "c", zone = "x", n = 2, up = true }, { id = "d", zone = "z", n = 1, up = true },
  }

  it("finds rows by fields or by a function, in their order", function()
    assert.equal("a c", ids(V.where(rows, { zone = "x", up = true })))
    assert.equal("b d", ids(V.where(rows, function(r) return r.n == 1 end)))
    assert.equal("a b c d", ids(V.where(rows, {})))
  end)

  it("sorts by several keys, false before true, and keeps the order of equal ones", function()
    assert.equal("b d c a", ids(V.sort_by(rows, function(r) return { r.n } end)))
    assert.equal("b d c a", ids(V.sort_by(rows, function(r) return { r.up, r.n } end)))
    assert.equal("a b c d", ids(rows))
    assert.equal("b", V.first_by(rows, function(r) return { r.n } end).id)
    assert.is_nil(V.first_by({}, function() return {} end))
  end)

  it("orders nodes by alias as a number, those without one last", function()
    local nodes = { { id = "p" }, { id = "q", alias = "10" }, { id = "r", alias = "9" }, { id = "s" } }
    assert.equal("r q p s", ids(V.by_alias(nodes)))
  end)

  it("sums, counts and compares", function()
    assert.equal(7, V.sum(rows, "n"))
    local count = V.count_by(rows, "zone")
    assert.equal(2, count.x)
    assert.equal(0, count.nowhere)
    assert.equal("a c", ids(V.group_by(rows, "zone").x))
    assert.same({}, V.group_by(rows, "zone").nowhere)
    assert.equal(0, V.imbalance({ { n = 2 }, { n = 2 } }, "n"))
    assert.equal(1, V.imbalance({ { n = 4 }, { n = 0 } }, "n"))
    assert.equal(0, V.imbalance({}, "n"))
  end)

  it("spreads over the zones used least, the fuller one first", function()
    assert.equal("a b d", ids(V.spread(rows, 3)))
    assert.equal("b d a", ids(V.spread(rows, 3, { { zone = "x" } })))
    assert.equal("a b d c", ids(V.spread(rows, 9)))
    assert.equal("", ids(V.spread(rows, -1)))
  end)

  it("matches in order where it can, and changes its mind where it must", function()
    local function any() return true end
    local function text(pairs)
      local out = {}
      for i, p in ipairs(pairs) do out[i] = p[1] .. p[2] end
      return table.concat(out, " ")
    end
    assert.equal("1a 2b 3c", text(V.match({ 1, 2, 3 }, { "a", "b", "c" }, any)))
    assert.equal("1b 2a", text(V.match({ 1, 2 }, { "a", "b" }, function(l, r) return l == 1 or r == "a" end)))
    assert.equal("1b 2c 3a", text(V.match({ 1, 2, 3 }, { "a", "b", "c" }, function(l, r)
      return l == 1 and r ~= "c" or l == 2 and r ~= "a" or l == 3 and r == "a"
    end)))
    assert.equal("1a", text(V.match({ 1, 2 }, { "a" }, any)))
    assert.equal("1a 3b", text(V.match({ 1, 2, 3 }, { "a", "b" }, function(l, r) return l == 3 or r == "a" end)))
    assert.equal("", text(V.match({}, { "a" }, any)))
  end)

  it("calls a node lost that was silent for longer than the patience, and names it", function()
    local view = { settings = { patience = 100 } }
    assert.is_true(V.lost(view, { up = false, silent_ms = 100 }))
    assert.is_false(V.lost(view, { up = false, silent_ms = 99 }))
    assert.is_false(V.lost(view, { up = true, silent_ms = 1000 }))
    assert.equal("4", V.label { alias = "4", id = "0123456789" })
    assert.equal("01234567", V.label { id = "0123456789" })
  end)

  it("leaves out nodes that are down, leaving, not admitted, or failed twice when there are others", function()
    local view = {
      nodes = {
        { id = "a", state = "member", up = true }, { id = "b", state = "candidate", up = true },
        { id = "c", state = "member", up = false }, { id = "d", state = "member", up = true, shard = "s1" },
        { id = "e", state = "member", up = true }, { id = "f", state = "leaving", up = true },
      },
      run = { failed = { { node = "a" }, { node = "e" }, { node = "e" }, { op = "assign_slots" } } },
    }
    assert.equal("a d", ids(V.usable(view)))
    assert.equal("a", ids(V.spare(view)))
    assert.equal("d", ids(V.members(view, { id = "s1" })))
    assert.equal("e", ids(V.usable(view, { id = "e" }))) -- when there is no other
  end)
end)
