-- Reading a view: what every policy needs. All functions are pure, and keep the order of the rows they get.
local M = {}

-- The rows that `want` fits: a function of the row, or a table of field = value.
function M.where(rows, want)
  local fits = want
  if type(want) ~= "function" then
    function fits(row)
      for field, value in pairs(want) do
        if row[field] ~= value then return false end
      end
      return true
    end
  end
  local out = {}
  for _, row in ipairs(rows) do
    if fits(row) then out[#out + 1] = row end
  end
  return out
end

local function comparable(value)
  if type(value) == "boolean" then return value and 1 or 0 end
  return value
end

-- Whether key `a` comes before key `b`; nil if they are equal.
local function before(a, b)
  for i = 1, #a do
    local x, y = comparable(a[i]), comparable(b[i])
    if x ~= y then return x < y end
  end
end

-- A sorted copy. `key(row)` gives a list, compared place by place, false before true; equal rows keep their order.
function M.sort_by(rows, key)
  local keyed, out = {}, {}
  for i, row in ipairs(rows) do keyed[i] = { key = key(row), row = row, place = i } end
  table.sort(keyed, function(a, b)
    local first = before(a.key, b.key)
    if first == nil then return a.place < b.place end
    return first
  end)
  for i, k in ipairs(keyed) do out[i] = k.row end
  return out
end

-- The row that sort_by would put first; nil without rows.
function M.first_by(rows, key)
  local best, best_key
  for _, row in ipairs(rows) do
    local k = key(row)
    if not best or before(k, best_key) then best, best_key = row, k end
  end
  return best
end

-- The nodes as people number them: by alias, those without one last, by id.
function M.by_alias(nodes)
  return M.sort_by(nodes, function(n) return { tonumber(n.alias) or math.huge } end)
end

-- What to call a node in a text for people.
function M.label(node)
  return node.alias or node.id:sub(1, 8)
end

function M.sum(rows, field)
  local total = 0
  for _, row in ipairs(rows) do total = total + row[field] end
  return total
end

-- How many rows have each value of `field`. A value that none has counts 0.
function M.count_by(rows, field)
  local count = setmetatable({}, { __index = function() return 0 end })
  for _, row in ipairs(rows) do
    local value = row[field]
    if value ~= nil then count[value] = count[value] + 1 end
  end
  return count
end

-- The rows by their value of `field`, a list for each. A value that none has gives an empty list.
function M.group_by(rows, field)
  local group = setmetatable({}, { __index = function() return {} end })
  for _, row in ipairs(rows) do
    local value = row[field]
    if value ~= nil then
      local list = group[value]
      list[#list + 1], group[value] = row, list
    end
  end
  return group
end

-- How far the fullest row is above the mean of `field`: 0 is even, 1 is twice the mean.
function M.imbalance(rows, field)
  local total, most = M.sum(rows, field), 0
  if total == 0 then return 0 end
  for _, row in ipairs(rows) do most = math.max(most, row[field]) end
  return most * #rows / total - 1
end

-- The nodes of a shard, its primary among them.
function M.members(view, shard)
  return M.where(view.nodes, { shard = shard.id })
end

-- Whether a node has been silent for longer than the setting `patience`: that is no restart any more.
function M.lost(view, node)
  return not node.up and node.silent_ms >= view.settings.patience
end

-- Members of the cluster that are up and that `want` fits; not those that are leaving it. Those on which two steps of this run
-- have failed are given only if there are no others. In simulation 129 of 200 runs with a broken node finished only when they
-- went around it.
function M.usable(view, want)
  local rows = M.where(M.where(view.nodes, { state = "member", up = true }), want or {})
  local failed = M.count_by(view.run.failed, "node")
  local sound = M.where(rows, function(n) return failed[n.id] < 2 end)
  return #sound > 0 and sound or rows
end

-- Usable nodes that are in no shard.
function M.spare(view)
  return M.usable(view, function(n) return not n.shard end)
end

-- `count` of the rows (all, if they are fewer), each from the zone that was used least; `near` are rows that use their zones
-- already. Of zones used alike the one with most rows left goes first.
function M.spread(rows, count, near)
  local used, zones, queue = M.count_by(near or {}, "zone"), {}, {}
  for _, row in ipairs(rows) do
    local q = queue[row.zone]
    if not q then
      q = { zone = row.zone, next = 1 }
      queue[row.zone], zones[#zones + 1] = q, q
    end
    q[#q + 1] = row
  end
  local picked = {}
  for _ = 1, math.min(count, #rows) do
    local left = M.where(zones, function(q) return q[q.next] ~= nil end)
    local q = M.first_by(left, function(z) return { used[z.zone], z.next - #z } end)
    picked[#picked + 1] = q[q.next]
    q.next, used[q.zone] = q.next + 1, used[q.zone] + 1
  end
  return picked
end

-- As many pairs {left, right} as possible where fits(left, right), each row in one pair at most, in the order of `left`.
-- (Placing one after the other, without ever changing one's mind, fails with 6 nodes in 3 zones already.)
function M.match(left, right, fits)
  local options, partner = {}, {} -- places in `right` that fit, by place in `left`; the other way round, who has it
  for i, l in ipairs(left) do
    options[i] = {}
    for j, r in ipairs(right) do
      if fits(l, r) then table.insert(options[i], j) end
    end
  end

  local hopeless = {} -- who was asked in vain once can never give way
  local function place(i, asked)
    for _, j in ipairs(options[i]) do
      if not partner[j] then
        partner[j] = i
        return true
      end
    end
    for _, j in ipairs(options[i]) do -- taken: may its partner go elsewhere?
      if not asked.by[j] and not hopeless[j] then
        asked.by[j] = true
        table.insert(asked, j)
        if place(partner[j], asked) then
          partner[j] = i
          return true
        end
      end
    end
    return false
  end
  for i = 1, #left do
    local asked = { by = {} }
    if not place(i, asked) then
      for _, j in ipairs(asked) do hopeless[j] = true end
    end
  end

  local pairs_by_left, found = {}, {}
  for j, i in pairs(partner) do pairs_by_left[i] = { left[i], right[j] } end
  for i = 1, #left do found[#found + 1] = pairs_by_left[i] end
  return found
end

return M
