"""Triggers on real processes: a node is killed, and a policy acts by itself."""
import unittest

from cluster import Cluster, as_map, until

# Gives the vote of a dead voter to a member that is up: the new one learns first, so that never four vote with one dead.
REVIVE = """-- Replaces dead voters.
local V = require "aikv.view"
return {
  name = "revive", doc = "Replaces dead voters.", params = {},
  plan = function(view)
    local dead = V.where(view.nodes, { voter = true, up = false })[1]
    local spare = V.where(view.nodes, { state = "member", voter = false, up = true })[1]
    if not dead or not spare then return {} end
    return {
      { op = "add_learner", node = spare.id }, { op = "demote", node = dead.id }, { op = "promote", node = spare.id },
    }
  end,
}
"""

# Stands before the built-in `init`, and errs.
BROKEN = """return { name = "init", doc = "Errs.",
  params = { shards = { "integer", doc = "d" }, replicas = { "integer", doc = "d" }, voters = { "integer", doc = "d" } },
  plan = function(view) return view.nope.nope end }
"""


def triggers(node):
    return {t["id"]: t for t in map(as_map, node("CLUSTER", "SCRIPT", "TRIGGER", "LIST"))}


def voters(c):
    return sorted(alias for alias, role in c.leader()("CLUSTER", "METARAFT", "MEMBERS") if role == "voter")


class Triggers(unittest.TestCase):
    def start(self, c):
        self.assertEqual(c.run("init")["status"], "done")
        self.assertEqual(c[0]("CLUSTER", "SCRIPT", "TRIGGER", "DELETE", "membership"), "OK")
        c[1]("CLUSTER", "SCRIPT", "LOAD", "revive", REVIVE)
        self.assertEqual(c[4]("CLUSTER", "SCRIPT", "TRIGGER", "SET", "keep", "revive", "ON", "node_down", "COOLDOWN", 1), "OK")

    def fired(self, node):
        keep = until("the trigger's run has begun", lambda: (t := triggers(node)["keep"])["last_run"] > 1 and t)
        return keep["last_run"]

    def test_a_dead_voter_is_replaced_by_the_triggers_policy(self):
        with Cluster() as c:
            self.start(c)
            victim = next(n for n in c.nodes[:3] if n is not c.leader())
            victim.kill()
            status = c.ended(self.fired(c[4]))
            self.assertEqual((status["script"], status["status"], status["error"]), ("revive", "done", ""))
            self.assertEqual(len(voters(c)), 3)
            self.assertNotIn(int(victim.name[4:]), voters(c))
            self.assertIn('msg="a trigger fires" trigger=keep event=node_down', c.leader().log())

    def test_a_dead_leader_is_replaced_by_the_next_ones_trigger(self):
        with Cluster() as c:
            self.start(c)
            victim = c.leader()
            victim.kill()
            status = c.ended(self.fired(c[4]))
            self.assertEqual((status["script"], status["status"], status["error"]), ("revive", "done", ""))
            self.assertEqual(len(voters(c)), 3)
            self.assertNotIn(int(victim.name[4:]), voters(c))

    def test_the_built_in_script_acts_when_the_loaded_one_errs_and_the_log_says_so(self):
        with Cluster(2) as c:
            until("node 2 is known", lambda: c[0]("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", "0") == 2)
            c.ended(c[0]("CLUSTER", "SCRIPT", "EVAL", "RUN", "return { { op = 'admit', node = '2' } }", "0"))
            c[0]("CLUSTER", "SCRIPT", "LOAD", "init", BROKEN)
            c[0]("CLUSTER", "SCRIPT", "TRIGGER", "SET", "keep", "init", "ON", "node_down", "PARAMS", "shards", 1, "replicas", 0, "voters", 1)
            c[1].kill()
            status = c.ended(self.fired(c[0]))
            self.assertEqual((status["status"], status["error"]), ("done", ""))
            self.assertTrue(any("done create_shard" in line for line in status["steps"]), status["steps"])
            self.assertIn("the view has no field 'nope'", triggers(c[0])["keep"]["problem"])
            self.assertRegex(c[0].log(), """a trigger's script fails: the built-in one is asked instead" trigger=keep script=init version=[0-9a-f]{16} error=".*no field 'nope'""")


if __name__ == "__main__":
    unittest.main()
