-- What a policy must be: the table that a script returns.
local nearest = require "aikv.nearest"
local params = require "aikv.params"
local M = {}

-- Its fields, and the type of each; one in brackets may be missing.
local FIELDS = { name = "string", doc = "string", params = "table", plan = "function", score = "(function)" }
local NAMES = { "name", "doc", "params", "plan", "score" }

-- Returns the policy, or nil and what is wrong with it.
function M.check(policy)
  if type(policy) ~= "table" then
    return nil, ("a script must return a policy, a table with a function plan, not a %s value"):format(type(policy))
  end
  for key in pairs(policy) do
    if not FIELDS[key] then
      local near = type(key) == "string" and nearest(key, NAMES)
      return nil, ("a policy has no field '%s'%s"):format(tostring(key), near and ("; the nearest is '%s'"):format(near) or "")
    end
  end
  for _, name in ipairs(NAMES) do
    local wanted, is = FIELDS[name], type(policy[name])
    if is ~= wanted and not (is == "nil" and wanted:sub(1, 1) == "(") and wanted ~= "(" .. is .. ")" then
      if is == "nil" then return nil, ("a policy needs a field '%s', a %s"):format(name, wanted) end
      return nil, ("the policy's field '%s' must be a %s, not a %s"):format(name, wanted:gsub("[()]", ""), is)
    end
  end
  local ok, wrong = params.check(policy.params)
  if not ok then return nil, wrong end
  return policy
end

return M
