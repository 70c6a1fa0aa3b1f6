"""A live cluster under load, and who means it harm: scripts that try to outlive the sandbox, ten thousand connections to the bus."""
import errno
import os
import random
import resource
import socket
import threading
import time
import unittest

from cluster import ROOT, Cluster, ReplyError, until
from test_faults import make_voters, status

ATTACKS = os.path.join(ROOT, "tests/unit/script/attacks")
ALL = bool(os.environ.get("AIKV_LONG"))


class Load(threading.Thread):
    """Counts with INCR on one node, as fast as replies come, and remembers how long each took."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.over, self.latencies, self.problem = node, threading.Event(), [], None

    def run(self):
        try:
            with self.node.client() as c:
                while not self.over.is_set():
                    began = time.monotonic()
                    c("INCR", "count")
                    self.latencies.append(time.monotonic() - began)
        except Exception as e:  # pylint: disable=broad-except
            self.problem = e

    def end(self):
        """Returns how many replies there were."""
        self.over.set()
        self.join()
        if self.problem:
            raise self.problem
        return len(self.latencies)


def described(latencies):
    ordered = sorted(latencies)
    return f"{len(ordered):,} INCR, p50 {1000 * ordered[len(ordered) // 2]:.2f} ms, p99 {1000 * ordered[len(ordered) * 99 // 100]:.2f} ms, longest {1000 * ordered[-1]:.1f} ms"


def memory_bytes(node):
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def serving_cluster():
    """Three voters; node 1 serves all slots."""
    c = Cluster(3)
    c.__enter__()
    make_voters(c)
    c[0]("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    c.wait_ok()
    return c


def chosen_attacks():
    seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 32)))
    names = sorted(os.listdir(ATTACKS))
    print(f"    AIKV_SEED={seed}, {len(names)} attacks{'' if ALL else ', of which 16'}", flush=True)
    return names if ALL else random.Random(seed).sample(names, 16)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.cluster = serving_cluster()
        self.addCleanup(self.cluster.__exit__)

    def version(self):
        return status(self.cluster[0])["metadata_version"]

    def test_attacks_on_the_sandbox_end_while_the_cluster_serves(self):
        c = self.cluster
        leader, version, term = c.leader(), self.version(), status(c[0])["term"]
        load = Load(c[0])
        load.start()
        slowest = (0, "")
        for name in chosen_attacks():
            with open(os.path.join(ATTACKS, name), encoding="utf-8", errors="surrogateescape") as f:
                source = f.read().encode(errors="surrogateescape")
            began = time.monotonic()
            with random.choice(c.nodes).client(timeout=60) as client:
                try:
                    client("CLUSTER", "SCRIPT", "EVAL", source, 0)
                except ReplyError as e:
                    self.assertRegex(str(e), r"^(SCRIPT |ERR )", name)
            slowest = max(slowest, (time.monotonic() - began, name))
        replies = load.end()
        print(f"    {described(load.latencies)}; slowest attack {slowest[0]:.2f} s, {slowest[1]}; term {term} before, {status(c[0])['term']} after", flush=True)
        self.assertEqual(int(c[0]("GET", "count")), replies)
        self.assertEqual(c[0]("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", 0), 3)
        self.assertEqual(self.version(), version)
        self.assertTrue(leader.is_running())

    def test_ten_thousand_connections_to_the_bus_change_nothing(self):
        c, wanted = self.cluster, 10000
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 500), hard))
        version, before = self.version(), memory_bytes(c[0])
        load = Load(c[0])
        load.start()
        sockets = [self.stranger(i) for i in range(wanted)]
        grown = memory_bytes(c[0]) - before
        voters = c[0]("CLUSTER", "METARAFT", "MEMBERS")
        for s in sockets:
            s.close()
        replies = load.end()
        print(f"    {described(load.latencies)}; {grown / 1e6:.1f} MB more", flush=True)
        self.assertEqual(int(c[0]("GET", "count")), replies)
        self.assertLess(grown, 100e6)
        self.assertEqual(voters, [[1, "voter"], [2, "voter"], [3, "voter"]])
        c[2].kill()
        c[2].start()
        until("a node that restarts hears the leader", lambda: status(c[2])["leader"])
        until("and is up", lambda: c[0]("CLUSTER", "SCRIPT", "EVAL", "for _, n in ipairs(view.nodes) do if not n.up then return 0 end end return 1", 0))
        self.assertGreaterEqual(self.version(), version)

    def stranger(self, i):
        """Some say nothing, some say rubbish; none knows the secret."""
        s = socket.socket()
        s.setblocking(False)
        self.assertIn(s.connect_ex(("127.0.0.1", self.cluster.bus_port)), (0, errno.EINPROGRESS))
        if i % 3 == 0:
            try:
                s.send(os.urandom(64))
            except OSError:
                pass  # not connected yet, or hung up on
        if i % 100 == 0:
            time.sleep(0.01)
        return s


if __name__ == "__main__":
    unittest.main()
