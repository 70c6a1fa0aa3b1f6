local S = require "aikv.slots"

describe("aikv.slots", function()
  it("counts and lists", function()
    assert.equal(0, S.count {})
    assert.equal(16384, S.count { { 0, 16383 } })
    assert.same({ 1, 2, 7 }, S.list { { 1, 2 }, { 7, 7 } })
  end)

  it("makes ranges of slots in any order, and leaves the list alone", function()
    local list = { 7, 1, 2, 8, 2 }
    assert.same({ { 1, 2 }, { 7, 8 } }, S.ranges(list))
    assert.same({ 7, 1, 2, 8, 2 }, list)
    assert.same({}, S.ranges {})
  end)

  it("intersects", function()
    assert.same({ { 5, 6 }, { 9, 9 } }, S.both({ { 0, 6 }, { 9, 20 } }, { { 5, 9 } }))
    assert.same({}, S.both({ { 0, 4 } }, { { 5, 9 } }))
    assert.same({ { 1, 1 }, { 3, 3 } }, S.both({ { 0, 10 } }, { { 1, 1 }, { 3, 3 } }))
  end)

  it("cuts the slots as redis-cli --cluster create does", function()
    assert.same({ { { 0, 5460 } }, { { 5461, 10922 } }, { { 10923, 16383 } } }, S.even(3))
    assert.same({ { { 0, 16383 } } }, S.even(1))
    for n = 1, 1000, 37 do
      local next = 0
      for _, piece in ipairs(S.even(n)) do
        assert.equal(next, piece[1][1])
        next = piece[1][2] + 1
      end
      assert.equal(S.COUNT, next)
    end
  end)
end)
