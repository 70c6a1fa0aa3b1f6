"""Voters and members come and go while everything runs; nodes die, stand still, lose their data and come back."""
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from cluster import PATIENCE_S, ROOT, Cluster, ReplyError, as_map, until


def metaraft(node, *words):
    return node("CLUSTER", "METARAFT", *words)


def status(node):
    return as_map(metaraft(node, "STATUS"))


def members(node):
    return [tuple(m) for m in metaraft(node, "MEMBERS")]


def grow(c, voters):
    """All nodes become members, the first `voters` vote; only the test changes that."""
    until("node 1 has founded", lambda: members(c[0]))
    c.set_triggers_aside()
    for i in range(1, len(c.nodes)):
        if i < voters:
            metaraft(c[0], "ADDLEARNER", i + 1, f"127.0.0.1:{c.bus_port + i}")
        else:
            c[0]("CLUSTER", "MEET", "127.0.0.1", c[i].port, c.bus_port + i)
    if voters > 1:
        metaraft(c[0], "PROMOTE", *range(2, voters + 1))
    return c


def is_down(node, alias):
    lines = [line.split() for line in node("CLUSTER", "NODES").splitlines()]
    return any("fail" in line[2] for line in lines if line[1].split("@")[0].endswith(f":{alias}"))


def wait_down(node, gone):
    until(f"{gone.name} is down", lambda: is_down(node, gone.port))


def others(c, *without):
    return [n for n in c.nodes if n not in without]


def alias(node):
    return int(node.name[4:])


class Voters(unittest.TestCase):
    def test_a_dead_voter_is_replaced_by_its_wiped_successor(self):
        with grow_in(4, 3) as c:
            leader = c.leader()
            victim = next(n for n in c.nodes[:3] if n is not leader)
            number, old_id = alias(victim), victim("CLUSTER", "MYID")
            term = status(leader)["term"]
            victim.kill()
            shutil.rmtree(victim.data)
            victim.start()
            self.assertNotEqual(until("it has an id", lambda: victim("CLUSTER", "MYID")), old_id)
            address = f"127.0.0.1:{c.bus_port + number - 1}"
            wait_down(leader, victim)
            with self.assertRaisesRegex(ReplyError, rf"alias {number} is taken by node {old_id}: take that out first \(CLUSTER FORGET\)"):
                metaraft(c[3], "ADDLEARNER", number, address)
            with self.assertRaisesRegex(ReplyError, "votes: demote it first"):
                leader("CLUSTER", "FORGET", old_id)
            self.assertEqual(metaraft(c[3], "REMOVE", number), "OK")
            self.assertEqual(c[3]("CLUSTER", "FORGET", old_id), "OK")
            self.assertEqual(metaraft(c[3], "ADDLEARNER", number, address), "OK")
            self.assertEqual(metaraft(c[3], "PROMOTE", number), "OK")
            self.assertEqual(members(c[3]), [(1, "voter"), (2, "voter"), (3, "voter")])
            self.assertEqual(status(leader)["term"], term, "no election was needed")

    def test_a_voter_that_stood_still_while_it_was_removed_disturbs_nobody(self):
        for which in ("follower", "leader"):
            with self.subTest(which), grow_in(4, 3) as c:
                old = c.leader()
                victim = old if which == "leader" else next(n for n in c.nodes[:3] if n is not old)
                watch = next(n for n in c.nodes[:3] if n is not victim)
                victim.process.send_signal(signal.SIGSTOP)
                leader = until("another leads", lambda: leader_but(c, victim))
                wait_down(leader, victim)
                self.assertEqual(until("it is taken out", lambda: metaraft(watch, "REMOVE", alias(victim))), "OK")
                self.assertEqual(watch("CLUSTER", "FORGET", alias(victim)), "OK")
                term = status(leader)["term"]
                victim.process.send_signal(signal.SIGCONT)
                until("it has learnt it", lambda: status(victim)["state"] == "removed")
                for again in ("alive", "restarted"):
                    with self.assertRaisesRegex(ReplyError, "^CLUSTERDOWN This node was removed from its cluster", msg=again):
                        victim("GET", "key")
                    with self.assertRaisesRegex(ReplyError, "^CLUSTERDOWN this node was removed from its cluster", msg=again):
                        victim("CLUSTER", "SCRIPT", "LIST")
                    self.assertEqual(status(victim)["commit_index"], 0)
                    if again == "alive":
                        victim.kill()
                        victim.start()
                        until("it knows it", lambda: status(victim)["state"] == "removed")
                self.assertIn("was removed from its cluster", victim.log())
                self.assertEqual((status(leader)["term"], status(leader)["state"]), (term, "leader"))
                self.assertEqual(victim("CLUSTER", "RESET"), "OK")
                address = f"127.0.0.1:{c.bus_port + alias(victim) - 1}"
                self.assertEqual(until("it is back", lambda: metaraft(leader, "ADDLEARNER", alias(victim), address)), "OK")

    def test_a_voter_that_stood_still_for_long_causes_no_election(self):
        with grow_in(3, 3) as c:
            leader = c.leader()
            victim = next(n for n in c.nodes if n is not leader)
            term = status(leader)["term"]
            victim.process.send_signal(signal.SIGSTOP)
            wait_down(leader, victim)
            self.assertEqual(leader("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", "0"), 3)
            victim.process.send_signal(signal.SIGCONT)
            until("it follows again", lambda: status(victim)["applied_index"] == status(leader)["applied_index"])
            self.assertEqual((status(leader)["term"], status(leader)["state"]), (term, "leader"))

    def test_everything_restarted_at_once_is_as_it_was(self):
        with grow_in(5, 3) as c:
            metaraft(c[3], "ADDLEARNER", 4, f"127.0.0.1:{c.bus_port + 3}")
            metaraft(c[4], "REMOVE", 2)
            c[0]("CLUSTER", "FORGET", 5)
            until("node 5 has learnt it", lambda: status(c[4])["state"] == "removed")
            before = members(c[0])
            for node in c.nodes:
                node.kill()
            for node in c.nodes:
                node.start(wait=False)
            for node in c.nodes:
                node.wait_ready()
            c.leader()
            self.assertEqual(members(c[0]), before)
            self.assertEqual(before, [(1, "voter"), (3, "voter"), (4, "learner")])
            self.assertEqual([until("it knows its part", lambda: known_state(node)) for node in (c[1], c[3], c[4])],
                             ["member", "learner", "removed"])

    def test_anything_in_any_order(self):
        seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 30)))
        print(f"AIKV_SEED={seed}", flush=True)
        rng = random.Random(seed)
        with grow_in(5, 3) as c:
            deadline = time.monotonic() + 12
            for _ in range(60):
                if time.monotonic() > deadline:
                    break
                self.one_event(c, rng)
            leader = c.leader()
            for number in (1, 2, 3):
                add(c, number)
            for number in (1, 2, 3):
                self.assertEqual(until(f"{number} votes", lambda: metaraft(c[4], "PROMOTE", number)), "OK")
            for number in (4, 5):
                self.assertEqual(until(f"{number} is out", lambda: metaraft(c[0], "REMOVE", number)), "OK")
            self.assertEqual(members(c[4]), [(1, "voter"), (2, "voter"), (3, "voter")])
            leader = c.leader()
            for node in c.nodes:
                until(f"{node.name} has all", lambda: status(node)["metadata_version"] == status(leader)["metadata_version"])

    def one_event(self, c, rng):
        """A change through a random node, while perhaps another one is killed or stands still; errors are fine, but not every kind."""
        what, number = rng.choice(("ADDLEARNER", "PROMOTE", "DEMOTE", "REMOVE", "TRANSFER")), rng.randint(1, 5)
        words = (what, number) if what != "ADDLEARNER" else (what, number, f"127.0.0.1:{c.bus_port + number - 1}")
        asked, hit, how = rng.choice(c.nodes), rng.choice(c.nodes), rng.choice(("none", "none", "kill", "stop"))
        if how == "stop" and hit is not asked:
            hit.process.send_signal(signal.SIGSTOP)
        with asked.client(timeout=PATIENCE_S) as client:
            client.send("CLUSTER", "METARAFT", *words)
            if how == "kill":
                time.sleep(rng.random() * 0.02)
                hit.kill()
                hit.start()
            elif how == "stop" and hit is not asked:
                time.sleep(rng.random() * 0.6)
                hit.process.send_signal(signal.SIGCONT)
            try:
                reply = client.read()
            except OSError:
                self.assertIs(hit, asked)
                return
        allowed = "^ERR (.*(learner|voter|vote|lead|down|reachable|taken over|no outcome|MetaRaft|raft member))|^CLUSTERDOWN|^TRYAGAIN"
        self.assertTrue(reply == "OK" or (isinstance(reply, ReplyError) and re.match(allowed, str(reply))), (words, str(reply)))


class Guide(unittest.TestCase):
    """docs/guides/replace-a-dead-voter.md, word for word but for the ports."""

    def commands(self, c, section):
        with open(os.path.join(ROOT, "docs/guides/replace-a-dead-voter.md")) as f:
            part = next(p for p in f.read().split("\n## ") if p.lstrip("# ").startswith(section))
        for block in part.split("```")[1::2]:
            for line in block.strip().splitlines():
                line = re.sub(r"127\.0\.0\.1:5005([1-6])", lambda m: f"127.0.0.1:{c.bus_port + int(m[1]) - 1}", line)
                yield re.sub(r"-p (63\d\d)", lambda m: f"-p {c.nodes[int(m[1]) - 6379].port}", line)

    def follow(self, c, section):
        out = ""
        for command in self.commands(c, section):
            self.assertTrue(command.startswith("redis-cli "), command)
            out = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout
            self.assertNotRegex(out, "(?m)^(ERR|CLUSTERDOWN|Could not)", command)
        return out

    def test_replace_a_dead_voter(self):
        with Cluster() as c:
            self.assertEqual(c.run("init")["status"], "done")
            c.wait_ok()
            dead = c[2]
            dead.kill()
            leader = c.leader()
            wait_down(leader, dead)
            self.follow(c, "By hand")
            self.assertEqual(members(c[0]), [(1, "voter"), (2, "voter"), (4, "voter")])
            dead.start()
            c.wait_ok()
            self.follow(c, "When it comes back")
            self.assertEqual(members(c[0]), [(1, "voter"), (2, "voter"), (3, "voter")])
            c[5].kill()
            shutil.rmtree(c[5].data)
            steps = list(self.commands(c, "A node whose data are gone"))
            run = subprocess.run(steps[0], shell=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout
            self.assertEqual(c.ended(int(run))["status"], "done")
            c[5].start()
            until("the new node 6 has announced itself", lambda: c[0]("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", "0") == 6)
            for step in steps[1:]:
                out = subprocess.run(step, shell=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout
                self.assertNotRegex(out, "(?m)^(ERR|CLUSTERDOWN|Could not)", step)
            self.assertEqual(len([line for line in out.splitlines() if "slave" in line]), 3, out)


class Members(unittest.TestCase):
    def test_redis_cli_removes_a_node(self):
        with grow_in(3, 1) as c:
            c[0]("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            c.wait_ok()
            gone = c[2]("CLUSTER", "MYID")
            out = subprocess.run(["redis-cli", "--cluster", "del-node", f"127.0.0.1:{c[1].port}", gone], capture_output=True, text=True, timeout=60)
            self.assertEqual(out.returncode, 0, out.stdout + out.stderr)
            self.assertEqual(status(c[2])["state"], "candidate")
            self.assertEqual(c[0].info("CLUSTER INFO")["cluster_known_nodes"], "2")

    def test_reset_is_refused_while_there_are_keys(self):
        with grow_in(2, 1) as c:
            with self.assertRaisesRegex(ReplyError, "^ERR this node is a member of cluster"):
                c[1]("CLUSTER", "RESET")
            c[0]("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            c.wait_ok()
            c[0]("SET", "key", "value")
            with self.assertRaisesRegex(ReplyError, "^ERR CLUSTER RESET can't be called with master nodes containing keys"):
                c[0]("CLUSTER", "RESET", "HARD")
            old = c[1]("CLUSTER", "MYID")
            self.assertEqual(c[0]("CLUSTER", "FORGET", 2), "OK")
            self.assertEqual(c[1]("CLUSTER", "RESET", "HARD"), "OK")
            fresh = c[1]("CLUSTER", "MYID")
            self.assertNotEqual(fresh, old)
            c[1].kill()
            c[1].start()
            self.assertEqual(c[1]("CLUSTER", "MYID"), fresh)
            self.assertEqual(c[1].info("INFO", "server")["node_id"], fresh)


def known_state(node):
    state = status(node)
    return state["state"] if state["leader"] or state["state"] == "removed" else None


def leader_but(c, victim):
    for node in others(c, victim):
        with node.client(timeout=5) as client:
            if as_map(client("CLUSTER", "METARAFT", "STATUS"))["state"] == "leader":
                return node
    return None


def add(c, number):
    """A learner or voter: whatever it is it stays."""
    address = f"127.0.0.1:{c.bus_port + number - 1}"
    until(f"{number} has a part", lambda: metaraft(c[4], "ADDLEARNER", number, address))


class grow_in:
    def __init__(self, n, voters):
        self.cluster, self.voters = Cluster(n=n), voters

    def __enter__(self):
        self.cluster.__enter__()
        try:
            return grow(self.cluster, self.voters)
        except BaseException:
            self.cluster.__exit__()
            raise

    def __exit__(self, *_):
        self.cluster.__exit__()


if __name__ == "__main__":
    unittest.main()
