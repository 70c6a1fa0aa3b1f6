-- Sets of slots as sorted ranges {{from, to}, …}, both ends included: as in a view's shards and in steps.
local M = { COUNT = 16384 }

-- How many slots there are in the ranges.
function M.count(ranges)
  local n = 0
  for _, r in ipairs(ranges) do n = n + r[2] - r[1] + 1 end
  return n
end

-- The slots one by one.
function M.list(ranges)
  local out = {}
  for _, r in ipairs(ranges) do
    for slot = r[1], r[2] do out[#out + 1] = slot end
  end
  return out
end

-- Ranges from slots one by one, in any order.
function M.ranges(list)
  local sorted, out = table.move(list, 1, #list, 1, {}), {}
  table.sort(sorted)
  for _, slot in ipairs(sorted) do
    local last = out[#out]
    if last and slot <= last[2] + 1 then last[2] = slot else out[#out + 1] = { slot, slot } end
  end
  return out
end

-- The slots that are in both.
function M.both(a, b)
  local out, i, j = {}, 1, 1
  while a[i] and b[j] do
    local from, to = math.max(a[i][1], b[j][1]), math.min(a[i][2], b[j][2])
    if from <= to then out[#out + 1] = { from, to } end
    if a[i][2] < b[j][2] then i = i + 1 else j = j + 1 end
  end
  return out
end

-- All slots in `n` even pieces, each a set of one range; the same pieces as `redis-cli --cluster create` makes.
function M.even(n)
  local out, from = {}, 0
  for i = 1, n do
    local to = math.floor(i * M.COUNT / n + 0.5) - 1
    out[i] = { { from, to } }
    from = to + 1
  end
  return out
end

return M
