-- Evens out slots, keys, bytes or operations over the shards, with few moves.
--
-- A shard may be farther from the mean than the tolerance, then slots move until all are within half of it; the load of
-- operations goes up and down by a fifth, so take no less than 5 % for it. Shards of nodes that leave are emptied. Which slots
-- go is in aikv.balance.
local balance = require "aikv.balance"

return {
  name = "rebalance",
  doc = "Evens out slots, keys, bytes or operations over the shards.",
  params = {
    by = { "enum", "slots", "keys", "bytes", "ops", default = "slots", doc = "what to even out" },
    tolerance = { "number", default = 0, min = 0, max = 100, doc = "percent a shard may be off the mean; 0: the setting" },
    max_moves = { "integer", default = 16384, min = 1, max = 16384, doc = "slots that move in one run" },
  },

  plan = function(view, p)
    local tolerance = p.tolerance > 0 and p.tolerance or view.settings.tolerance
    return balance.even(view, p.by, tolerance / 100, p.max_moves - view.run.slots_moved)
  end,

  -- How far the shard farthest from the mean is from it: 0 is even, 1 is twice the mean, or an empty shard.
  score = function(view, p) return balance.score(view, p.by) end,
}
