-- Takes a node into the cluster, and gives it something to do.
--
-- The node has announced itself, or is a member that does nothing yet. As a primary it gets a shard of its own, without slots:
-- run rebalance next. Votes go where they are missing, as in every policy that changes members.
local voters, V, P = require "aikv.voters", require "aikv.view", require "aikv.plan"

-- The shard with fewest copies that count; of several one that has none in the node's zone.
local function shard_for(view, node)
  local members = V.group_by(V.where(view.nodes, function(n) return not V.lost(view, n) end), "shard")
  return V.first_by(V.where(view.shards, { serving = true }), function(s)
    return { #members[s.id], #V.where(members[s.id], { zone = node.zone }) }
  end)
end

local function place(view, node, role)
  if role == "primary" and node.shard and not node.primary then
    error(("node %s is a replica of %s: detach it first"):format(V.label(node), node.shard), 0)
  end
  if role == "spare" or node.shard then return {} end
  if role == "primary" then return { { op = "create_shard", node = node.id } } end
  local shard = shard_for(view, node)
  if not shard then return P.wait(1000, "no shard has a primary that is up, which a copy is made from") end
  return { { op = "replicate", node = node.id, shard = shard.id } }
end

return {
  name = "add_node",
  doc = "Takes a node into the cluster.",
  params = {
    node = { "node", doc = "who: alias, name or id" },
    role = { "enum", "replica", "primary", "spare", default = "replica",
      doc = "a copy in the shard with fewest, a shard of its own, or nothing until another policy needs it" },
  },

  plan = function(view, p)
    local node = view.node[p.node]
    if not node then return {} end -- removed meanwhile
    if node.state == "candidate" then return P.each({ node }, "admit") end
    if node.state == "leaving" then return { { op = "leave", node = node.id, on = false } } end
    if not node.up then return P.wait(1000, "node %s is down", V.label(node)) end
    return P.first(place(view, node, p.role), voters.plan(view, view.settings.voters))
  end,

  -- Whether the node still has nothing to do, where it should.
  score = function(view, p)
    local node = view.node[p.node]
    return p.role ~= "spare" and not (node and node.shard) and 1 or 0
  end,
}
