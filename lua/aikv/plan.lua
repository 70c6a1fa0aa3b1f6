-- Writing steps. A step is a plain table; these only save typing.
local M = { STEPS_MAX = 1000 }

-- A step `op` for each of the nodes.
function M.each(nodes, op)
  local steps = {}
  for i, node in ipairs(nodes) do steps[i] = { op = op, node = node.id } end
  return steps
end

-- One list from several.
function M.join(...)
  local all = {}
  for _, steps in ipairs { ... } do
    for _, step in ipairs(steps) do all[#all + 1] = step end
  end
  return all
end

-- A round that only waits: why is a format, as for string.format, and its values.
function M.wait(ms, why, ...)
  return { { op = "wait", ms = ms, why = why:format(...) } }
end

-- The first of the lists that has steps; an empty one if none has. Of a list that is too long for one round the beginning:
-- the next round goes on.
function M.first(...)
  for _, steps in ipairs { ... } do
    if #steps > 0 then return table.move(steps, 1, math.min(#steps, M.STEPS_MAX), 1, {}) end
  end
  return {}
end

return M
