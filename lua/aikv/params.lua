-- Parameters of a policy: from what an operator typed to typed values.
--
-- A policy declares   shards = { "integer", default = 3, min = 1, max = 1000, doc = "primaries that share the slots" }
-- The type comes first: integer number boolean string node enum (whose values follow it). Without a default it is required.
local nearest = require "aikv.nearest"
local M = {}

local TYPES = { "integer", "number", "boolean", "string", "node", "enum" }
local WORDS = { yes = true, ["true"] = true, no = false, ["false"] = false }

local function has(list, value)
  for _, v in ipairs(list) do
    if v == value then return true end
  end
  return false
end

local function sorted_keys(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function within(d, number)
  if number and number >= (d.min or number) and number <= (d.max or number) then return number end
end

-- The id of the one row that people mean by `text`; nil if there is none, then whether there are several.
local function only(text, rows)
  local found
  for _, n in ipairs(rows) do
    if text == n.id then return n.id end
    if text == n.alias or text == n.name or (#text >= 6 and n.id:sub(1, #text) == text) then
      if found then return nil, true end -- of two nodes neither is meant for sure
      found = n.id
    end
  end
  return found
end

-- Members come first: a wiped node announces itself under the alias of the member it was. A node that has gone during the run
-- is given as typed: view.node has nothing under that, and the policy sees that it is gone.
local function named(text, view)
  local members, candidates = {}, {}
  for _, n in ipairs(view.nodes) do
    local list = n.state == "candidate" and candidates or members
    list[#list + 1] = n
  end
  local id, several = only(text, members)
  if id or several then return id end
  id, several = only(text, candidates)
  if id or several then return id end
  return view.run and view.run.round > 0 and text or nil
end

-- Each turns text into a value, or gives nil.
local read = {
  integer = function(d, text) return text:find "^-?%d+$" and within(d, math.tointeger(tonumber(text))) end,
  number = function(d, text) return within(d, tonumber(text)) end,
  boolean = function(_, text) return WORDS[text] end,
  string = function(_, text) return text end,
  enum = function(d, text)
    for i = 2, #d do
      if tostring(d[i]) == text then return d[i] end
    end
  end,
  node = function(_, text, view) return named(text, view) end,
}

local function expectation(d)
  local words = { integer = "a whole number", number = "a number", boolean = "yes or no", string = "a text",
    node = "the alias, name or id of one node" }
  local what = words[d[1]]
  if d[1] == "enum" then
    local values = {}
    for i = 2, #d do values[#values + 1] = tostring(d[i]) end
    what = "one of " .. table.concat(values, ", ")
  end
  if d.min and d.max then return ("%s from %s to %s"):format(what, d.min, d.max) end
  if d.min then return ("%s from %s"):format(what, d.min) end
  if d.max then return ("%s up to %s"):format(what, d.max) end
  return what
end

-- A value as an operator would type it.
function M.text(value)
  if type(value) == "boolean" then return value and "yes" or "no" end
  return tostring(value)
end

-- What is wrong with one declaration; nil if nothing is.
local function problem(d)
  if type(d) ~= "table" then return "must be a table such as { \"integer\", default = 3, doc = \"…\" }" end
  if not has(TYPES, d[1]) then return "has no type: the first value must be one of " .. table.concat(TYPES, ", ") end
  if type(d.doc) ~= "string" then return "has no doc" end
  local numeric = d[1] == "integer" or d[1] == "number"
  for _, key in ipairs(sorted_keys(d)) do
    local value = d[key]
    if key == "min" or key == "max" then
      if not numeric then return ("has a %s, which is for numbers"):format(key) end
      if type(value) ~= "number" then return key .. " is not a number" end
    elseif math.type(key) == "integer" then
      if key > 1 and d[1] ~= "enum" then return ("has several values, which is for enum, not %s"):format(d[1]) end
    elseif key ~= "default" and key ~= "doc" then
      return ("has no '%s': there are default, min, max and doc"):format(tostring(key))
    end
  end
  if d[1] == "enum" and #d < 2 then return "is an enum without values" end
  if d.default == nil or d[1] == "node" then return nil end
  if type(d.default) == "table" or read[d[1]](d, M.text(d.default)) ~= d.default then
    return ("has the default %s, which is not %s"):format(tostring(d.default), expectation(d))
  end
end

-- A value that fits, as it is typed: the default, or one that the cluster which `aikv script check` makes up has.
local function example(d)
  if d.default ~= nil then return M.text(d.default) end
  local number = d.min or math.min(1, d.max or 1)
  local values = { integer = math.ceil(number), number = number, boolean = true, string = "a", node = "1", enum = d[2] }
  return M.text(values[d[1]])
end

-- What is said of a name that the schema does not have.
local function unknown(schema, name)
  local names = sorted_keys(schema)
  local near = type(name) == "string" and nearest(name, names)
  local rest = near and ("the nearest is '%s'"):format(near) or
    #names > 0 and "there are " .. table.concat(names, ", ") or "the policy has none"
  return ("no parameter '%s'; %s"):format(tostring(name), rest)
end

-- Returns the schema, or nil and what is wrong with it.
function M.check(schema)
  if type(schema) ~= "table" then return nil, "params must be a table" end
  for _, name in ipairs(sorted_keys(schema)) do
    if type(name) ~= "string" then return nil, "params must have names" end
    local wrong = problem(schema[name])
    if wrong then return nil, ("parameter '%s' %s"):format(name, wrong) end
  end
  return schema
end

-- What there is to know of each parameter, as rows of texts sorted by name. One without `default` is required.
function M.describe(schema)
  local rows = {}
  for i, name in ipairs(sorted_keys(schema)) do
    local d = schema[name]
    local default = d.default ~= nil and M.text(d.default) or nil
    rows[i] = { name = name, type = d[1], default = default, takes = expectation(d), doc = d.doc, example = example(d) }
  end
  return rows
end

-- Returns the values for `plan`, or nil and what is wrong: asking the values for a parameter that is not in the schema is an
-- error. `typed` is a list of {name, text}; `view` is where nodes are found.
function M.read(schema, typed, view)
  local values, given = {}, {}
  for name, d in pairs(schema) do values[name] = d.default end
  for _, pair in ipairs(typed) do
    local name, text = pair[1], pair[2]
    local d = schema[name]
    if not d then return nil, unknown(schema, name) end
    if given[name] then return nil, ("parameter '%s' is given twice"):format(name) end
    given[name] = true
    values[name] = read[d[1]](d, text, view)
    if values[name] == nil or values[name] == false and d[1] ~= "boolean" then
      return nil, ("parameter '%s' must be %s, not '%s'"):format(name, expectation(d), text)
    end
  end
  for _, name in ipairs(sorted_keys(schema)) do
    if values[name] == nil then return nil, ("parameter '%s' is required: %s"):format(name, schema[name].doc) end
  end
  return setmetatable(values, { __index = function(_, name) error(unknown(schema, name), 2) end })
end

return M
