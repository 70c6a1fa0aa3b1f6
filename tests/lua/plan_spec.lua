local P = require "aikv.plan"

describe("aikv.plan", function()
  it("makes a step for each node", function()
    assert.same({ { op = "admit", node = "x" }, { op = "admit", node = "y" } }, P.each({ { id = "x" }, { id = "y" } }, "admit"))
  end)

  it("joins lists, and takes the first that has steps", function()
    assert.same({ 1, 2, 3 }, P.join({ 1 }, {}, { 2, 3 }))
    assert.same({ 2 }, P.first({}, { 2 }, { 3 }))
    assert.same({}, P.first({}, {}))
    assert.same({}, P.first())
    local long = {}
    for i = 1, 1500 do long[i] = i end
    assert.equal(1000, #P.first(long))
  end)

  it("waits with a reason", function()
    assert.same({ { op = "wait", ms = 10, why = "2 of 3 are there" } }, P.wait(10, "%d of %d are there", 2, 3))
  end)
end)
