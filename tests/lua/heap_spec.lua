local line = require "line"
local heap = require "aikv.heap"

describe("aikv.heap", function()
  it("has the first of the least and of the most", function()
    local rows = { { n = 2 }, { n = 1 }, { n = 3 }, { n = 1 }, { n = 3 } }
    assert.equal(rows[2], heap.least(rows, "n")[1])
    assert.equal(rows[3], heap.most(rows, "n")[1])
    assert.is_nil(heap.least({}, "n")[1])
  end)

  it("follows changes and removals", function()
    line.seeds(50, function(seed)
      math.randomseed(seed)
      local rows = {}
      for i = 1, math.random(1, 40) do rows[i] = { n = math.random(10) } end
      local h, out = heap.least(rows, "n"), {}
      for _ = 1, 200 do
        local row = rows[math.random(#rows)]
        row.n = math.random(10)
        h:update(row)
        if math.random(10) == 1 and not out[row] then
          h:remove(row)
          out[row] = true
        end
        local best
        for _, r in ipairs(rows) do
          if not out[r] and (not best or r.n < best.n) then best = r end
        end
        assert(h[1] == best, "not the least")
      end
    end)
  end)
end)
