"""What operators do with cluster scripts, through redis-cli: load, plan, run, look, stop, undo, each on another node."""
import json
import subprocess
import unittest

from cluster import Cluster, ReplyError, until

SLEEPER = """-- Waits as long as it is told to.
return { name = "sleeper", doc = "Waits.", params = { ms = { "integer", default = 1, min = 1, max = 60000, doc = "how long" } },
  plan = function(view, p) if view.run.round == 0 then return { { op = "wait", ms = p.ms, why = "asleep" } } end return {} end }
"""


def redis_cli(node, *words, text="", options=("-3", "--json")):
    done = subprocess.run(["redis-cli", "-e", *options, "-p", str(node.port), "CLUSTER", "SCRIPT", *map(str, words)],
                          input=text, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise ReplyError(done.stdout + done.stderr)
    return json.loads(done.stdout) if "--json" in options else done.stdout


class Operators(unittest.TestCase):
    def test_a_plan_says_what_the_run_then_does(self):
        with Cluster() as c:
            until("six nodes are known", lambda: redis_cli(c[0], "EVAL", "return #view.nodes", 0) == 6)
            plan = redis_cli(c[0], "PLAN", "init")
            self.assertEqual((plan["outcome"], plan["error"], plan["note"]), ("done", "", ""))
            self.assertEqual((plan["score_before"], plan["score_after"], plan["slots_moved"]), (16384, 0, 0))
            run = redis_cli(c[0], "RUN", "WAIT", 30000, "init")
            self.assertEqual(run["status"], "done")
            planned = [line.replace(" planned ", " done ") for steps in plan["rounds"] for line in steps]
            self.assertEqual(run["steps"], planned)
            c.wait_ok()
            again = redis_cli(c[4], "PLAN", "init")
            self.assertEqual((again["outcome"], again["rounds"]), ("done", []))
            waits = redis_cli(c[3], "PLAN", "init", "shards", 4)
            self.assertEqual(waits["outcome"], "waits")
            self.assertIn("2 more nodes are needed", waits["why"])
            with self.assertRaisesRegex(ReplyError, "no parameter 'shard'; the nearest is 'shards'"):
                redis_cli(c[3], "PLAN", "init", "shard", 4)

    def test_versions_and_runs_are_kept_by_whoever_leads(self):
        with Cluster(3) as c:
            self.assertEqual(redis_cli(c[0], "RUN", "WAIT", 30000, "init", "replicas", 0)["status"], "done")
            c.wait_ok()
            first = redis_cli(c[0], "LOAD", "sleeper", SLEEPER)
            second = redis_cli(c[1], "LOAD", "sleeper", SLEEPER + "-- the second\n")
            self.assertEqual(redis_cli(c[2], "ROLLBACK", "sleeper", first), "OK")
            run = redis_cli(c[1], "RUN", "sleeper", "ms", 60000)
            self.assertEqual(redis_cli(c[2], "PAUSE", run), "OK")
            leader = c.leader()
            leader.kill()
            others = [node for node in c.nodes if node is not leader]
            status = until("another leads", lambda: redis_cli(others[0], "STATUS", run))
            self.assertEqual((status["status"], status["paused"], status["version"]), ("running", True, first))
            self.assertEqual(redis_cli(others[1], "RESUME", run), "OK")
            self.assertEqual(redis_cli(others[0], "CANCEL", run), "OK")
            history = redis_cli(others[1], "HISTORY", 2)
            self.assertEqual([(r["run"], r["script"], r["status"]) for r in history], [(run, "sleeper", "cancelled"), (1, "init", "done")])
            versions = redis_cli(others[0], "LIST", "sleeper")
            self.assertEqual([(v["version"], v["current"]) for v in versions], [(second, False), (first, True)])
            self.assertEqual(redis_cli(others[1], "DELETE", "sleeper"), "OK")
            with self.assertRaisesRegex(ReplyError, "no script 'sleeper'"):
                redis_cli(others[0], "GET", "sleeper")
            for protocol in ("-2", "-3"):
                self.assertIn("cancelled", redis_cli(others[0], "HISTORY", 1, options=(protocol,)))


if __name__ == "__main__":
    unittest.main()
