-- A heap of rows by a number that changes: which row has least (or most) of it, without looking at all of them each time.
local M = {}
M.__index = M

-- Rows alike come in the order of the list.
local function before(h, a, b)
  local x, y = h.sign * a[h.field], h.sign * b[h.field]
  if x ~= y then return x < y end
  return h.order[a] < h.order[b]
end

local function put(h, row, i)
  h[i], h.place[row] = row, i
end

local function rise(h, i)
  local row = h[i]
  while i > 1 and before(h, row, h[i // 2]) do
    put(h, h[i // 2], i)
    i = i // 2
  end
  put(h, row, i)
  return i
end

local function sink(h, i)
  local row = h[i]
  while true do
    local child = 2 * i
    if h[child + 1] and before(h, h[child + 1], h[child]) then child = child + 1 end
    if not h[child] or not before(h, h[child], row) then break end
    put(h, h[child], i)
    i = child
  end
  put(h, row, i)
end

-- Row 1 of the heap is the one with least of `field`, or with most.
local function new(rows, field, sign)
  local h = setmetatable({ field = field, sign = sign, place = {}, order = {} }, M)
  for i, row in ipairs(rows) do
    h.order[row] = i
    put(h, row, i)
    rise(h, i)
  end
  return h
end

function M.least(rows, field) return new(rows, field, 1) end
function M.most(rows, field) return new(rows, field, -1) end

-- Says that the field of a row has changed; a row that was taken out stays out.
function M:update(row)
  local i = self.place[row]
  if i then sink(self, rise(self, i)) end
end

-- Takes a row out.
function M:remove(row)
  local i, last = self.place[row], self[#self]
  self.place[row], self[#self] = nil, nil
  if last ~= row then
    put(self, last, i)
    self:update(last)
  end
end

return M
