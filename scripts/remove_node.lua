-- Takes a node, up or down, out of the cluster: its vote, its slots, its copies go elsewhere first.
--
-- It is marked as leaving, so that no policy gives it anything more; add_node takes that back. In this version slots cannot move
-- yet: for a primary that owns slots PLAN shows what would be done, and RUN fails at the first move.
local voters, copies, balance = require "aikv.voters", require "aikv.copies", require "aikv.balance"
local V, P, S = require "aikv.view", require "aikv.plan", require "aikv.slots"

local function hand_over_slots(view, node)
  local shard = view.shard[node.shard]
  if shard.slot_count == 0 then return { { op = "drop_shard", shard = shard.id } } end
  if not shard.serving then error(("the slots of %s cannot move: its primary is down"):format(shard.id), 0) end
  local steps = balance.drain(view, S.COUNT)
  if #steps == 0 then error(("the slots of %s have no other shard to go to: add one first"):format(shard.id), 0) end
  return steps
end

-- A copy is replaced first, if there is a node for that.
local function hand_over_copy(view, node)
  return P.first(copies.plan(view, view.settings.replicas), P.each({ node }, "detach"))
end

return {
  name = "remove_node",
  doc = "Takes a node out of the cluster.",
  params = { node = { "node", doc = "who: alias, name or id" } },

  plan = function(view, p)
    local node = view.node[p.node]
    if not node or node.state == "candidate" then return {} end
    if #V.usable(view, function(n) return n ~= node end) == 0 then error("no other node is up: nobody could take over", 0) end
    if node.state ~= "leaving" then return { { op = "leave", node = node.id, on = true } } end

    if node.role ~= "none" then return voters.plan(view, view.settings.voters) end
    if node.primary then return hand_over_slots(view, node) end
    if node.shard then return hand_over_copy(view, node) end
    return P.each({ node }, "remove_node")
  end,

  -- What the node still has: a vote, a shard, its place in the cluster.
  score = function(view, p)
    local node = view.node[p.node]
    if not node or node.state == "candidate" then return 0 end
    return 1 + (node.role ~= "none" and 1 or 0) + (node.shard and 1 or 0)
  end,
}
