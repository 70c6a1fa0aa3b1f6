-- Keeps MetaRaft's voters alive: replaces those that are silent for too long or leaving, as many as the setting `voters` says.
--
-- A trigger of this name runs it when a node is down. How many vote is the setting `voters`, how long a node may be silent the
-- setting `patience`; the step { op = "set", key = "voters", value = 5 } changes them. Who votes, and in which order votes
-- change, is in aikv.voters.
local voters = require "aikv.voters"

return {
  name = "membership",
  doc = "Keeps MetaRaft's voters alive.",
  params = {},

  plan = function(view) return voters.plan(view, view.settings.voters) end,

  -- Votes that are missing, or that nobody who stays and is up holds.
  score = function(view) return voters.score(view, view.settings.voters) end,
}
