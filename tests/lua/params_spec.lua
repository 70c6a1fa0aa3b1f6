local params = require "aikv.params"

describe("aikv.params", function()
  local schema = {
    count = { "integer", default = 3, min = 1, max = 9, doc = "how many" },
    share = { "number", default = 0.5, min = 0, doc = "how much" },
    dry = { "boolean", default = true, doc = "only look" },
    by = { "enum", "slots", "bytes", 7, default = "slots", doc = "what" },
  }
  local view = { nodes = { { id = "abc", alias = "2", name = "node2" } } }

  it("gives defaults, and typed values for what was typed", function()
    assert.equal(schema, params.check(schema))
    assert.same({ count = 3, share = 0.5, dry = true, by = "slots" }, params.read(schema, {}, view))
    assert.same({ count = 9, share = 2, dry = false, by = 7 },
      params.read(schema, { { "count", "9" }, { "share", "2" }, { "dry", "no" }, { "by", "7" } }, view))
  end)

  it("finds nodes by the beginning of an id, and takes no name that two have", function()
    local two = { nodes = { { id = "4606962cdd", alias = "1", name = "vm" }, { id = "4606aa0011", alias = "2", name = "vm" } } }
    local function read(text) return params.read({ on = { "node", doc = "where" } }, { { "on", text } }, two) end
    assert.same({ on = "4606962cdd" }, read "460696")
    for _, text in ipairs { "4606", "vm" } do assert.is_nil(read(text)) end
  end)

  it("finds nodes by id, alias or name", function()
    for _, text in ipairs { "abc", "2", "node2" } do
      assert.same({ on = "abc" }, params.read({ on = { "node", doc = "where" } }, { { "on", text } }, view))
    end
  end)

  it("prefers members to candidates, and takes a node that has gone in the run as typed", function()
    local both = { nodes = { { id = "c1", alias = "4", state = "candidate" }, { id = "m1", alias = "4", state = "member" },
      { id = "c2", alias = "5", state = "candidate" }, { id = "c3", alias = "5", state = "candidate" } }, run = { round = 0 } }
    local function read(text) return params.read({ on = { "node", doc = "where" } }, { { "on", text } }, both) end
    assert.same({ on = "m1" }, read "4")
    assert.same({ on = "c1" }, read "c1")
    assert.is_nil(read "5")
    assert.is_nil(read "6")
    both.run.round = 1
    assert.same({ on = "6" }, read "6")
    assert.is_nil(read "5")
  end)

  it("says what is wrong, what is expected, and what was meant", function()
    local function wrong(...) return select(2, params.read(schema, { ... }, view)) end
    assert.equal("parameter 'count' must be a whole number from 1 to 9, not '10'", wrong { "count", "10" })
    assert.equal("parameter 'count' must be a whole number from 1 to 9, not ''", wrong { "count", "" })
    assert.equal("parameter 'share' must be a number from 0, not 'x'", wrong { "share", "x" })
    assert.equal("parameter 'by' must be one of slots, bytes, 7, not 'keys'", wrong { "by", "keys" })
    assert.equal("no parameter 'cont'; the nearest is 'count'", wrong { "cont", "1" })
    assert.equal("parameter 'count' is given twice", wrong({ "count", "1" }, { "count", "2" }))
    assert.equal("parameter 'on' is required: where", select(2, params.read({ on = { "node", doc = "where" } }, {}, view)))
  end)

  it("says so when a policy asks for a parameter that it has not declared", function()
    local p = params.read(schema, {}, view)
    local function ask(name) return select(2, pcall(function() return p[name] end)) end
    assert.matches("no parameter 'cuont'; the nearest is 'count'$", ask "cuont")
    assert.matches("no parameter 'colour'; there are by, count, dry, share$", ask "colour")
    assert.matches("no parameter 'x'; the policy has none$", select(2, params.read({}, { { "x", "1" } }, view)))
  end)

  it("writes values as they are typed", function()
    assert.equal("yes", params.text(true))
    assert.equal("3", params.text(3))
  end)
end)
