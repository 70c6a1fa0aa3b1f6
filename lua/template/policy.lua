-- Puts spare nodes beside the shards that have too few copies.
--
-- The first line is what CLUSTER SCRIPT LIST shows. Change this file into what you want; docs/guides/write-a-policy.md tells of
-- all that a policy may do, docs/reference/view.md and steps.md of what it sees and asks for.
--
-- `plan` is asked again, with a fresh view, until it returns no steps: so it looks at what is there and asks for what is missing.
-- It remembers nothing, and it is pure: no clock, no files, no randomness.
local V = require "aikv.view"

-- How many copies a shard lacks; its primary is none.
local function lacks(view, shard, params)
  return math.max(0, params.copies + 1 - #V.members(view, shard))
end

return {
  name = "my-policy",
  doc = "Puts spare nodes beside the shards that have too few copies.",
  params = {
    -- The type comes first: integer number boolean string node enum. Without a default a parameter is required.
    copies = { "integer", default = 1, min = 0, max = 8, doc = "copies beside each primary" },
  },

  plan = function(view, params)
    local spare, steps = V.by_alias(V.spare(view)), {}
    for _, shard in ipairs(view.shards) do
      for _ = 1, lacks(view, shard, params) do
        local node = spare[#steps + 1]
        if not node then return steps end
        steps[#steps + 1] = { op = "replicate", node = node.id, shard = shard.id, why = shard.id .. " has too few copies" }
      end
    end
    return steps
  end,

  -- Lower is better; PLAN shows it before and after. May be left out.
  score = function(view, params)
    local missing = 0
    for _, shard in ipairs(view.shards) do missing = missing + lacks(view, shard, params) end
    return missing
  end,
}
