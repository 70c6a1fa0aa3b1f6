"""Runs of cluster scripts while their leader is killed with -9, stands still, or is restarted, at a random moment of them; test_policies.py has
those of the built-in ones, step by step."""
import json
import os
import random
import re
import signal
import threading
import time
import unittest

import disturb
from cluster import Cluster, as_map, until
from disturb import kill, restart


def stand_still(node):
    disturb.stand_still(node, random.uniform(0.3, 2))


def later(seconds, action, node):
    """Does it in a thread; what goes wrong there is raised by the `join` that is returned."""
    problems = []

    def act():
        time.sleep(seconds)
        try:
            action(node)
        except BaseException as e:  # for the test's thread
            problems.append(e)
    thread = threading.Thread(target=act)
    thread.start()

    def join():
        thread.join()
        if problems:
            raise problems[0]
    return join


class LeaderDisturbed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 30)))
        print(f"AIKV_SEED={seed}", flush=True)
        random.seed(seed)

    def check_history(self, c, status, what):
        """Each step that was completed was so once, as the leaders' logs and the metadata have it."""
        done = [line.split()[0] for line in status["steps"] if line.split()[1] == "done"]
        self.assertEqual(len(done), len(set(done)), what)
        self.assertEqual(status["steps_done"], len(done), (what, status))
        logged = [step for node in c.nodes for step in re.findall(r'msg="a step is done" run=%d step=(\S+)' % status["run"], node.log())]
        self.assertEqual(len(logged), len(set(logged)), (what, logged))

    def test_a_leader_that_cannot_be_made_fails_the_step_and_holds_up_nothing(self):
        with Cluster() as c:
            self.assertEqual(c.run("init")["status"], "done")
            c.wait_ok()
            leader = c.leader()
            still = next(node for node in c.nodes[:3] if node is not leader)
            still.process.send_signal(signal.SIGSTOP)
            self.addCleanup(lambda: still.is_running() and still.process.send_signal(signal.SIGCONT))
            alias = still.name.removeprefix("node")
            run = leader("CLUSTER", "SCRIPT", "EVAL", "RUN", "return {{ op = 'transfer_leader', node = ARGV[1] }}", 1, alias)
            until("it waits", lambda: "does not lead yet" in as_map(leader("CLUSTER", "SCRIPT", "STATUS", run))["waiting_for"])
            loaded = 0
            while as_map(leader("CLUSTER", "SCRIPT", "STATUS", run))["status"] == "running":
                leader("CLUSTER", "SCRIPT", "LOAD", "same", f"return {{ name = 'same', doc = 'd{loaded}', params = {{}}, plan = function() return {{}} end }}")
                loaded += 1
            still.process.send_signal(signal.SIGCONT)
            status = as_map(leader("CLUSTER", "SCRIPT", "STATUS", run))
            self.assertEqual(status["status"], "failed")
            # The second where another leader took over meanwhile: it finds the node down and does not even try.
            self.assertRegex(status["error"], "after 10 s: does not lead yet|is down: it cannot lead")
            self.assertGreater(loaded, 10, "the metadata could be changed meanwhile")

    # Ten steps, some at once, some after waits, so that there is something to disturb.
    STEPS = """
        local steps = {}
        local function add(step) steps[#steps + 1] = step end
        for i = 1, 3 do add { op = "label", node = tostring(i), labels = ARGV[1] } end
        add { op = "wait", ms = 150 }
        for i = 4, 5 do add { op = "label", node = tostring(i), labels = ARGV[1] } end
        add { op = "wait", ms = 150 }
        add { op = "set", key = "tolerance", value = tonumber(ARGV[1]) }
        add { op = "leave", node = "6", on = true }
        add { op = "leave", node = "6", on = false }
        return steps"""

    def check_marks(self, node, mark):
        view = json.loads(node("CLUSTER", "SCRIPT", "VIEW"))
        self.assertEqual([n["labels"] for n in sorted(view["nodes"], key=lambda n: n["alias"])], [str(mark)] * 5 + [""])
        self.assertEqual(view["settings"]["tolerance"], mark)
        self.assertEqual({n["state"] for n in view["nodes"]}, {"member"})

    def disturb(self, c, action, mark):
        leader, delay = c.leader(), random.uniform(0, 0.45)
        what = f"{action.__name__} {leader.name} after {delay:.3f} s"
        print(f"  ten steps: {what}", flush=True)
        join = later(delay, action, leader)
        run = c.begin("EVAL", "RUN", self.STEPS, 1, mark)
        join()
        status = c.ended(run)
        if status["status"] == "failed":  # they were lost with the leader that had them: nothing was done
            self.assertIn("before the steps were recorded", status["error"], what)
            self.assertEqual((status["steps"], status["steps_done"]), ([], 0), what)
            status = c.ended(c.begin("EVAL", "RUN", self.STEPS, 1, mark))
        self.assertEqual((status["status"], status["steps_done"]), ("done", 10), (what, status))
        self.check_history(c, status, what)
        self.check_marks(c[5], mark)
        c.wait_ok()

    def test_ten_steps_are_done_once_each_whatever_happens_to_the_leader(self):
        with Cluster() as c:
            self.assertEqual(c.run("init")["status"], "done")
            c.wait_ok()
            for mark, action in enumerate([kill, stand_still, restart] * 2, start=10):
                self.disturb(c, action, mark)


if __name__ == "__main__":
    unittest.main()
