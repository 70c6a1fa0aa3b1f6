-- Gives every shard its copies, over zones; replaces those that are silent for too long or leaving.
--
-- How many is the setting `replicas`, how long a node may be silent the setting `patience`. A copy too many stays, as a reserve,
-- unless `trim` says otherwise. Where copies go is in aikv.copies.
local copies, P = require "aikv.copies", require "aikv.plan"

return {
  name = "replicas",
  doc = "Gives every shard its copies, over zones.",
  params = {
    trim = { "boolean", default = false, doc = "also give up copies beyond the setting" },
  },

  plan = function(view, p)
    local wanted = view.settings.replicas
    return P.first(copies.plan(view, wanted), p.trim and copies.trim(view, wanted) or {})
  end,

  -- Copies that are missing or down, and copies that share their zone with another.
  score = function(view) return copies.score(view, view.settings.replicas) end,
}
