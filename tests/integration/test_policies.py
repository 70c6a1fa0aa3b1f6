"""Every built-in policy, while its leader is killed with -9, restarted, stands still or is cut off, just as one of its steps begins or is done.

A story: one cluster, the policies run on it one after the other, with a fault in each. Which one, and when, comes from a seed.
AIKV_LONG=1: every fault at every step, in as many stories as that takes."""
import json
import os
import random
import re
import signal
import unittest

from cluster import Cluster, as_map, until
from disturb import Logs, allow_cuts, cut_off, kill, restart, stand_still
from test_cluster import redis_cluster

LONG = bool(os.environ.get("AIKV_LONG"))
FAULTS = (kill, restart, stand_still, cut_off)
BEGINS, ENDS = "a step begins", {"done": "a step is done", "failed": "a step failed"}
MOVE_REFUSED = "slots cannot move in this version: their keys would stay behind"
STORIES = 200 if LONG else 2  # at most; two are a minute


def eval_steps(c, steps):
    ended = c.ended(c.begin("EVAL", "RUN", f"return {{ {steps} }}", 0))
    assert ended["status"] == "done", ended


# ---- what comes before a policy runs: something for it to do ----

def two_copies_leave(c):
    eval_steps(c, "{ op = 'leave', node = '3', on = true }, { op = 'leave', node = '4', on = true }")


def nothing(_):
    """The last policy left something to do."""


def node_4_stays(c):
    eval_steps(c, "{ op = 'leave', node = '4', on = false }")


def node_5_is_new(c):
    """Who was removed learns it, and becomes a candidate; there are votes for it."""
    until("node 5 has learnt it", lambda: as_map(c[4]("CLUSTER", "METARAFT", "STATUS"))["state"] == "removed")
    c[4]("CLUSTER", "RESET")
    until("node 5 has announced itself", lambda: any(n["state"] == "candidate" for n in view(c)["nodes"]))
    eval_steps(c, "{ op = 'set', key = 'voters', value = 5 }, { op = 'leave', node = '3', on = false }")


def node_3_is_lost(c):
    """A voter, which does not lead. A new leader, for whom silence begins anew, plans after 2 s at the earliest."""
    eval_steps(c, "{ op = 'set', key = 'patience', value = 2000 }, { op = 'transfer_leader', node = '1' }")
    c[2].kill()
    until("node 3 is lost", lambda: row(c, 3)["silent_ms"] >= 2000 and not row(c, 3)["up"])


def a_shard_is_empty(c):
    c[2].start()
    until("node 3 is up", lambda: row(c, 3)["up"])
    eval_steps(c, "{ op = 'create_shard', node = '3' }")


class Act:
    """A policy's run: what to do before, what it is asked, and the cluster in the end, whatever happens meanwhile."""
    status, error = "done", "^$"

    def __init__(self, before, words, end):
        self.before, self.words, self.end = before, words.split(), end.split("\n")
        self.cases = None  # in the long form: what is left to be tried

    def steps(self, planned):
        """What STATUS shows of them in the end."""
        return [line.replace(" planned ", " done ") for line in planned]

    def is_tried(self):
        """Whether the long form has tried everything."""
        return self.cases == []

    def choose(self, steps, rng, fault):
        """(the step, the moment, the fault); None: all were tried. `fault`: of the short form."""
        ended = [line.split()[:2] for line in steps if line.split()[1] in ENDS]
        moments = [(step, moment) for step, how in ended for moment in (BEGINS, ENDS[how])]
        if not LONG:
            return (*rng.choice(moments), fault)
        if self.cases is None:
            self.cases = [(*moment, f) for moment in moments for f in FAULTS]
            rng.shuffle(self.cases)
        return self.cases.pop() if self.cases else None


class Refused(Act):
    """Five rounds whose first step fails."""
    status, error = "failed", f"^5 rounds failed one after the other, the last at .*: {MOVE_REFUSED}"

    def steps(self, planned):
        first, *rest = [line.split(" planned ")[1] for line in planned]
        shard = first.split()[1]
        return [line for r in range(1, 6) for line in (f"{r}.1 failed {first}: {MOVE_REFUSED} in {shard}",
                                                       *(f"{r}.{i} dropped {text}" for i, text in enumerate(rest, 2)))]


def story():
    return [
        Act(nothing, "init shards 2 replicas 1", """\
1 member, voter, primary of 0-8191
2 member, voter, primary of 8192-16383
3 member, voter, copy of 1
4 member, copy of 2
5 member
6 member"""),
        Act(two_copies_leave, "replicas", """\
1 member, voter, primary of 0-8191
2 member, voter, primary of 8192-16383
3 leaving, voter
4 leaving
5 member, copy of 1
6 member, copy of 2"""),
        Act(nothing, "membership", """\
1 member, voter, primary of 0-8191
2 member, voter, primary of 8192-16383
3 leaving
4 leaving
5 member, voter, copy of 1
6 member, copy of 2"""),
        Act(node_4_stays, "remove_node node 5", """\
1 member, voter, primary of 0-8191
2 member, voter, primary of 8192-16383
3 leaving
4 member, voter, copy of 1
6 member, copy of 2"""),
        Act(node_5_is_new, "add_node node 5", """\
1 member, voter, primary of 0-8191
2 member, voter, primary of 8192-16383
3 member, voter
4 member, voter, copy of 1
5 member, voter, copy of 1
6 member, copy of 2"""),
        Act(node_3_is_lost, "membership", """\
1 member, voter, primary of 0-8191
2 member, voter, primary of 8192-16383
3 member
4 member, voter, copy of 1
5 member, voter, copy of 1
6 member, voter, copy of 2"""),
        Refused(a_shard_is_empty, "rebalance", """\
1 member, voter, primary of 0-8191
2 member, voter, primary of 8192-16383
3 member, primary of nothing
4 member, voter, copy of 1
5 member, voter, copy of 1
6 member, voter, copy of 2"""),
    ]


# ---- what is looked at ----

def view(c):
    return json.loads(until("somebody leads", lambda: c[0]("CLUSTER", "SCRIPT", "VIEW")))


def row(c, alias):
    return next(n for n in view(c)["nodes"] if n["alias"] == str(alias))


def end_of(c):
    """The cluster without what differs between two that are the same: a line for each node."""
    seen = view(c)
    shards, alias = {s["id"]: s for s in seen["shards"]}, {n["id"]: n["alias"] for n in seen["nodes"]}
    out = []
    for n in sorted(seen["nodes"], key=lambda n: n["alias"]):
        words = [n["state"]]
        if n["role"] != "none" or n["voter"] or n["learner"]:
            words.append(n["role"] if n.get(n["role"]) else n["role"] + " in vain")
        if n.get("primary"):
            words.append("primary of " + (",".join(f"{a}-{b}" for a, b in shards[n["shard"]]["slots"]) or "nothing"))
        elif "shard" in n:
            words.append("copy of " + alias[shards[n["shard"]]["primary"]])
        out.append(f"{n['alias']} {', '.join(words)}")
    return out


def what_was_done(steps):
    """Lines of steps without rounds that only wait; so without positions. And without names: those of nodes that were removed are not known."""
    lines = [re.sub(r"^\S+ | \[.*?\]", "", line) for line in steps]
    return [line for line in lines if not line.startswith("done wait ")]


class Policies(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 30)))
        print(f"AIKV_SEED={seed}", flush=True)
        self.rng = random.Random(seed)
        self.hits = 0  # faults that came about

    def test_they_end_the_same_and_do_no_step_twice_whatever_happens_to_the_leader(self):
        acts = story()
        for told in range(1, STORIES + 1):
            with self.subTest(story=told):
                self.tell(acts)
            if all(act.is_tried() for act in acts):
                break
        self.assertTrue(not LONG or all(act.is_tried() for act in acts), "some faults were not tried")
        print(f"    {self.hits} faults", flush=True)

    def tell(self, acts):
        c = Cluster()
        allow_cuts(c)
        with c:
            until("six nodes are known", lambda: len(view(c)["nodes"]) == 6)
            c.set_triggers_aside()
            for i, fault in zip(range(len(acts)), self.rng.sample(FAULTS, len(FAULTS)) * 2):
                if all(act.is_tried() for act in acts[i:]):
                    break
                self.play(c, acts[i], fault)

    def play(self, c, act, fault):
        act.before(c)
        rounds = as_map(until("it is planned", lambda: c[0]("CLUSTER", "SCRIPT", "PLAN", *act.words)))["rounds"]
        steps = act.steps([line for planned in rounds for line in planned])
        case = act.choose(steps, self.rng, fault)
        what = " ".join(act.words)
        with Logs(c.nodes) as logs:
            run = c.begin("RUN", *act.words)
            if case:
                what += f": {self.disturb(c, logs, run, *case)}"
            status = c.ended(run)
        print(f"    {what}", flush=True)
        self.check_run(c, act, status, steps, what)
        self.check_end(c, act, what)

    def disturb(self, c, logs, run, step, moment, fault):
        """Returns what was done."""
        def is_over():
            return as_map(until("its status is known", lambda: c[0]("CLUSTER", "SCRIPT", "STATUS", run)))["status"] != "running"
        leader = logs.wait(f'msg="{moment}" run={run} step={step} '.encode(), is_over)
        self.assertIsNotNone(leader, f"run {run} ended, and nobody wrote '{moment}' of {step}")
        fault(leader)
        self.hits += 1
        return f"{fault.__name__} {leader.name} when {moment}, {step}"

    def check_run(self, c, act, status, steps, what):
        self.assertEqual(status["status"], act.status, (what, status))
        self.assertRegex(status["error"], act.error, what)
        self.assertEqual(what_was_done(status["steps"]), what_was_done(steps), what)
        self.assertEqual(status["steps_done"], len([line for line in status["steps"] if line.split()[1] == "done"]), what)
        logged = [found for node in c.nodes for found in re.findall(rf'msg="a step (?:is done|failed)" run={status["run"]} step=(\S+)', node.log())]
        self.assertEqual(len(logged), len(set(logged)), (what, logged))

    def check_end(self, c, act, what):
        ended = [(node.name, node.process.returncode) for node in c.nodes if node.process.poll() not in (None, -signal.SIGKILL)]
        self.assertEqual(ended, [], what)
        self.assertEqual(end_of(c), act.end, what)
        up = [c[int(n["alias"]) - 1] for n in view(c)["nodes"] if n["up"]]
        c.wait_ok(up)
        with redis_cluster(c) as client:
            for i in range(20):
                client.set(f"key{i}", what)
                self.assertEqual(client.get(f"key{i}"), what.encode())


if __name__ == "__main__":
    unittest.main()
