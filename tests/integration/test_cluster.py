"""Six processes become a cluster, serve clients, and survive what happens to them."""
import json
import os
import random
import socket
import subprocess
import unittest

import redis
from redis.cluster import RedisCluster

from cluster import PATIENCE_S, Client, Cluster, ReplyError, as_map, until
from disturb import Logs, kill

SIX = ([(1, "master", 0, ("0-5460",)), (2, "master", 0, ("5461-10922",)), (3, "master", 0, ("10923-16383",)),
        (4, "slave", 1, ()), (5, "slave", 2, ()), (6, "slave", 3, ())],
       [(1, "voter"), (2, "voter"), (3, "voter")])


class Init(unittest.TestCase):
    def test_init_makes_three_voters_three_shards_and_three_replicas(self):
        with Cluster() as c:
            status = c.run("init", node=c[0])
            self.assertEqual((status["status"], status["error"]), ("done", ""))
            c.wait_ok()
            self.assertEqual(c.shape(), SIX)
            again = c.run("init", node=c[2])
            self.assertEqual((again["status"], again["steps"]), ("done", []), "a second run has nothing to do")
            self.assertEqual(c.shape(), SIX)

    def test_copies_go_to_other_zones(self):
        with Cluster(zones=["a", "a", "b", "b", "c", "c"]) as c:
            self.assertEqual(c.run("init")["status"], "done")
            c.wait_ok()
            zone = {i + 1: z for i, z in enumerate("aabbcc")}
            for number, role, primary, _ in c.shape()[0]:
                if role == "slave":
                    self.assertNotEqual(zone[number], zone[primary])

    def test_parameters_are_the_policys(self):
        with Cluster() as c:
            status = c.run("init", "shards", "2", "replicas", "2", "voters", "5")
            self.assertEqual((status["status"], status["error"]), ("done", ""))
            nodes, members = c.shape()
            self.assertEqual([n[3] for n in nodes if n[1] == "master"], [("0-8191",), ("8192-16383",)])
            self.assertEqual(len([n for n in nodes if n[1] == "slave"]), 4)
            self.assertEqual(len([m for m in members if m[1] == "voter"]), 5)
            with self.assertRaisesRegex(ReplyError, "replicas"):
                c[1]("CLUSTER", "SCRIPT", "RUN", "init", "replcias", "1")
            with self.assertRaisesRegex(ReplyError, "shards"):
                c[1]("CLUSTER", "SCRIPT", "RUN", "init", "shards", "many")

    def test_the_commands_of_the_old_deployment_work_as_written(self):
        with Cluster(join=False) as c:
            first = until("node 1 has founded", lambda: c[0]("CLUSTER", "METARAFT", "MEMBERS"))
            self.assertEqual(first, [[1, "voter"]])
            for i in (1, 2):
                self.assertEqual(c[0]("CLUSTER", "METARAFT", "ADDLEARNER", i + 1, f"127.0.0.1:{c.bus_port + i}"), "OK")
            self.assertIn("OK", c[0]("CLUSTER", "METARAFT", "PROMOTE", 2, 3))
            self.assertEqual(c[0]("CLUSTER", "METARAFT", "MEMBERS"), [[1, "voter"], [2, "voter"], [3, "voter"]])
            self.assertIn("OK", c[1]("CLUSTER", "METARAFT", "PROMOTE", 1, 2, 3))
            ids = [until("it has an id", lambda: node("CLUSTER", "MYID")) for node in c.nodes]
            self.assertTrue(all(len(i) == 40 for i in ids))
            for i in range(3, 6):
                self.assertEqual(c[0]("CLUSTER", "MEET", "127.0.0.1", c[i].port, c.bus_port + i), "OK")
            for i, (a, b) in enumerate(((0, 5460), (5461, 10922), (10923, 16383))):
                self.assertEqual(c[0]("CLUSTER", "ADDSLOTSRANGE", a, b, ids[i]), "OK")
            with self.assertRaisesRegex(ReplyError, "Slot 5 is already busy"):
                c[0]("CLUSTER", "ADDSLOTS", 5)
            until("node 4 knows node 1's shard", lambda: ids[0] in c[3]("CLUSTER", "NODES"))
            self.assertEqual(c[3]("CLUSTER", "REPLICATE", ids[0]), "OK")
            self.assertEqual(c[0]("CLUSTER", "ADDREPLICATION", ids[4], ids[1]), "OK")
            self.assertEqual(c[2]("CLUSTER", "ADDREPLICATION", ids[5], ids[2]), "OK")
            c.wait_ok()
            self.assertEqual(c.shape(), SIX)


class LeaderKilled(unittest.TestCase):
    """`RUN init` with the leader killed with -9 when a step has begun: the same cluster in the end. One test a step, made below."""

    def check(self, position):
        with Cluster() as c:
            until("six nodes are known", lambda: "6" == str(c[0]("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", "0")))
            with Logs([c[0]]) as logs:
                run = c[0]("CLUSTER", "SCRIPT", "RUN", "init")
                leader = logs.wait(f'msg="a step begins" run={run} step={position} '.encode())
            kill(leader)
            status = c.ended(run)
            self.assertEqual((status["status"], status["error"]), ("done", ""))
            c.wait_ok()
            self.assertEqual(c.shape(), SIX)


# Round and index of every step of `init` on six nodes; test_the_steps_are_these fails when the policy changes.
STEPS = []


def add_leader_tests():
    def test(position):
        return lambda self: self.check(position)
    for round_, count in ((1, 5), (2, 4), (3, 3), (4, 3), (5, 3)):
        for index in range(1, count + 1):
            STEPS.append(f"{round_}.{index}")
            setattr(LeaderKilled, f"test_at_step_{round_}_{index}", test(f"{round_}.{index}"))


add_leader_tests()


class StepsOfInit(unittest.TestCase):
    def test_the_steps_are_these(self):
        with Cluster() as c:
            until("six nodes are known", lambda: "6" == str(c[0]("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", "0")))
            self.assertEqual([line.split()[0] for line in c.run("init")["steps"]], STEPS)


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster().__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        assert cls.cluster.run("init")["status"] == "done"
        cls.cluster.wait_ok()

    def test_redis_cli_follows_redirections(self):
        c = self.cluster
        for i in range(30):
            out = subprocess.run(["redis-cli", "-c", "-p", str(c[i % 6].port), "SET", f"key{i}", str(i)], capture_output=True, text=True,
                                 timeout=30)
            self.assertEqual(out.stdout.strip(), "OK", out)
        for i in range(30):
            out = subprocess.run(["redis-cli", "-c", "-p", str(c[(i + 3) % 6].port), "GET", f"key{i}"], capture_output=True, text=True, timeout=30)
            self.assertEqual(out.stdout.strip(), str(i))

    def test_errors_of_a_cluster_are_redis_errors(self):
        c = self.cluster
        with self.assertRaisesRegex(ReplyError, rf"^MOVED 12182 127.0.0.1:{c[2].port}$"):
            c[0]("GET", "foo")
        with self.assertRaisesRegex(ReplyError, "^CROSSSLOT"):
            c[0]("MGET", "a", "b")
        self.assertEqual(c[0]("CLUSTER", "KEYSLOT", "{user1000}.following"), 3443)

    def test_transactions_stay_within_a_slot(self):
        c = self.cluster
        client = RedisCluster(host="127.0.0.1", port=c[0].port)
        node = c[1]  # serves {user}…: slot 5474
        with Client(node.port) as one:
            self.assertEqual([one("MULTI"), one("SET", "{user}1", "a"), one("INCR", "{user}2"), one("EXEC")], ["OK", "QUEUED", "QUEUED", ["OK", 1]])
            self.assertEqual(client.get("{user}1"), b"a")
            self.assertEqual([one("WATCH", "{user}1"), one("MULTI"), one("SET", "{user}1", "b")], ["OK", "OK", "QUEUED"])
            client.set("{user}1", "c")
            self.assertIsNone(one("EXEC"))
            other = next(key for key in map(str, range(100)) if 5461 <= one("CLUSTER", "KEYSLOT", key) <= 10922)
            self.assertEqual([one("MULTI"), one("SET", "{user}1", "d"), one("SET", other, "d")], ["OK", "QUEUED", "QUEUED"])
            with self.assertRaisesRegex(ReplyError, "^CROSSSLOT"):
                one("EXEC")
            self.assertEqual(client.get("{user}1"), b"c")

    def test_published_messages_reach_subscribers_of_all_nodes(self):
        c = self.cluster
        subscribers = [Client(node.port) for node in c.nodes]
        for s in subscribers:
            self.addCleanup(s.close)
            self.assertEqual(s("SUBSCRIBE", "news"), ["subscribe", "news", 1])
            self.assertEqual(s("PSUBSCRIBE", "ne*"), ["psubscribe", "ne*", 2])
        for i, node in enumerate(c.nodes):
            text = f"from node {i + 1}\r\n" * 1000
            self.assertEqual(node("PUBLISH", "news", text), 2, "those of this node")
            for s in subscribers:
                self.assertEqual(s.read(), ["message", "news", text])
                self.assertEqual(s.read(), ["pmessage", "ne*", "news", text])
        with self.assertRaisesRegex(ReplyError, "in a cluster"):
            c[0]("PUBLISH", "news", "x" * (5 << 20))
        with self.assertRaisesRegex(ReplyError, f"^MOVED 12182 127.0.0.1:{c[2].port}$"):
            c[0]("SPUBLISH", "foo", "x")

    def test_redis_cli_finds_nothing_wrong(self):
        out = subprocess.run(["redis-cli", "--cluster", "check", f"127.0.0.1:{self.cluster[1].port}"], capture_output=True, text=True, timeout=60)
        self.assertEqual(out.returncode, 0, out.stdout + out.stderr)
        self.assertIn("[OK] All 16384 slots covered.", out.stdout)

    def test_scripts_can_be_loaded_and_run_on_any_node(self):
        c = self.cluster
        with open(os.path.join(os.path.dirname(__file__), "../../scripts/init.lua"), "rb") as f:
            source = f.read().replace(b'name = "init"', b'name = "my-init"')
        for i, node in enumerate(c.nodes):
            text = source + b"\n-- edited on node %d\n" % i
            out = subprocess.run(["redis-cli", "-p", str(node.port), "-x", "CLUSTER", "SCRIPT", "LOAD", "my-init"], input=text,
                                 capture_output=True, timeout=30)
            version = out.stdout.decode().strip()
            self.assertRegex(version, "^[0-9a-f]{16}$")
            other = c[(i + 1) % 6]
            self.assertEqual(other("CLUSTER", "SCRIPT", "GET", "my-init").encode(), text)
            self.assertEqual(other("CLUSTER", "SCRIPT", "GET", "my-init", version).encode(), text)
            self.assertEqual(c.run("my-init", node=other)["status"], "done")
            self.assertIn("my-init", str(node("CLUSTER", "SCRIPT", "LIST")))
        self.assertEqual(len(c[3]("CLUSTER", "SCRIPT", "HELP")) > 10, True)
        self.assertIn('"nodes"', c[5]("CLUSTER", "SCRIPT", "VIEW"))

    def test_a_bad_script_is_a_clear_error_and_changes_nothing(self):
        c = self.cluster
        leader = c.leader()
        before = as_map(leader("CLUSTER", "METARAFT", "STATUS"))
        shape = c.shape()
        policy = "return { name = 'bad', doc = 'Bad.', params = {}, plan = function(view)\n%s\nend }"
        with self.assertRaisesRegex(ReplyError, r"bad.*:2:"):
            c[1]("CLUSTER", "SCRIPT", "LOAD", "bad", policy % "this is no Lua")
        for body, said in (("while true do end", "limit"), ("local t = {} while true do t[#t + 1] = ('x'):rep(60000) .. #t end", "memory|limit"),
                           ("os.execute('touch /tmp/aikv-was-here')", "os"), ("return ('a'):rep(30):find(('a*'):rep(30) .. 'b')", "pattern"),
                           ("return { { op = 'assign_slots', shard = 's1', slots = { { 10923, 10923 } } } }", "owned"),
                           ("return { { op = 'promte', node = '1' } }", "promote"),
                           ("return { { op = 'replicate', node = '1', shard = 's2' } }", "shard")):
            c[2]("CLUSTER", "SCRIPT", "LOAD", "bad", policy % body)
            status = c.run("bad", node=c[4])
            self.assertEqual(status["status"], "failed", body)
            self.assertRegex(status["error"], said)
        self.assertFalse(os.path.exists("/tmp/aikv-was-here"))
        with self.assertRaisesRegex(ReplyError, r":3:|:1:"):
            c[0]("CLUSTER", "SCRIPT", "EVAL", "\n\nlocal x = nil + 1", "0")
        with self.assertRaisesRegex(ReplyError, "limit"):
            c[0]("CLUSTER", "SCRIPT", "EVAL", "while true do end", "0")
        self.assertEqual(c.shape(), shape)
        after = as_map(leader("CLUSTER", "METARAFT", "STATUS"))
        self.assertEqual((before["term"], before["leader"]), (after["term"], after["leader"]), "heartbeats went on")

    def test_strangers_on_the_bus_change_nothing(self):
        c = self.cluster
        before = as_map(c.leader()("CLUSTER", "METARAFT", "STATUS"))
        rng = random.Random(1)
        held = []
        for i in range(300):
            s = socket.create_connection(("127.0.0.1", c.bus_port + i % 6), 10)
            s.settimeout(10)
            if i % 3:
                s.sendall(rng.choice((b"AiKB", b"", b"GET / HTTP/1.1\r\n\r\n")) + rng.randbytes(rng.randrange(1, 2000)))
            held.append(s)
        with self.assertRaises((OSError, ReplyError, AssertionError)):
            with Cluster(n=1, secret="quite another secret") as stranger:
                stranger[0].stop()
                stranger[0].arguments += ["--join", ",".join(f"127.0.0.1:{c.bus_port + i}" for i in range(3))]
                stranger[0].start()
                until("the stranger is taken for a candidate",
                      lambda: str(c[0]("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", "0")) != "6", patience=4)
        for s in held:
            s.close()
        after = as_map(c.leader()("CLUSTER", "METARAFT", "STATUS"))
        self.assertEqual((before["term"], before["leader"]), (after["term"], after["leader"]))
        self.assertEqual(c[0].info("CLUSTER INFO")["cluster_known_nodes"], "6")


class RealData(unittest.TestCase):
    def records(self):
        """Every package of the machine's index and its description."""
        text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True, timeout=120).stdout
        out = {}
        for block in text.split(b"\n\n"):
            name = description = None
            for line in block.split(b"\n"):
                if line.startswith(b"Package: "):
                    name = line[9:]
                elif line.startswith(b"Description"):
                    description = line.split(b": ", 1)[-1]
            if name:
                out[name] = description or b""
        return out

    def test_the_package_index_goes_in_and_comes_out_whole(self):
        seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 30)))
        print(f"AIKV_SEED={seed}", flush=True)
        rng = random.Random(seed)
        records = self.records()
        self.assertGreater(len(records), 10_000)
        with Cluster() as c:
            self.assertEqual(c.run("init")["status"], "done")
            c.wait_ok()

            def connect():
                return until("redis-py connects", self.connector(c))
            client = connect()
            items = list(records.items())
            kills = sorted(rng.sample(range(len(items)), 6))
            for i, (name, description) in enumerate(items):
                if kills and i == kills[0]:
                    kills.pop(0)
                    victim = rng.choice(c.nodes)
                    victim.kill()
                    victim.start()
                    c.wait_ok()
                while True:
                    try:
                        client.set(name, description)
                        break
                    except (redis.exceptions.RedisError, OSError):
                        client = connect()
            for node in c.nodes:
                node.kill()
            for node in c.nodes:
                node.start()
            c.wait_ok()
            client = connect()
            wrong = [name for name, description in items if client.get(name) != description]
            self.assertEqual(wrong, [])
            self.assertEqual(sum(node("DBSIZE") for node in c.nodes), len(items))

    @staticmethod
    def connector(c):
        def connect():
            try:
                return RedisCluster(host="127.0.0.1", port=c[0].port, socket_timeout=PATIENCE_S)
            except redis.exceptions.RedisError as e:
                raise ConnectionError(str(e)) from e
        return connect


class Load(unittest.TestCase):
    """What clients do shows in the view, on any node."""

    @staticmethod
    def view(node):
        return json.loads(node("CLUSTER", "SCRIPT", "VIEW"))

    def check(self, c, keys, length):
        until("all keys are reported", lambda: sum(self.view(c[4])["slots"]["keys"]) == keys)
        view = self.view(c[4])
        slots, shards = view["slots"], view["shards"]
        self.assertEqual([s["keys"] for s in shards], [c[i]("DBSIZE") for i in range(3)])
        for name in ("keys", "bytes", "ops"):
            self.assertEqual(len(slots[name]), 16384)
            for s in shards:
                self.assertAlmostEqual(s[name], sum(sum(slots[name][a:b + 1]) for a, b in s["slots"]))
        per_key = sum(slots["bytes"]) / keys
        self.assertTrue(length < per_key < length + 60, per_key)

    def test_keys_bytes_and_operations_show_after_seconds_and_survive_a_leader(self):
        with Cluster() as c:
            self.assertEqual(c.run("init")["status"], "done")
            c.wait_ok()
            client = RedisCluster(host="127.0.0.1", port=c[0].port, socket_timeout=PATIENCE_S)
            for i in range(2000):
                client.set(f"key{i}", "v" * 500)
            self.check(c, 2000, 500)
            busy = sum(self.view(c[0])["slots"]["ops"])
            self.assertGreater(busy, 10)
            for n in self.view(c[1])["nodes"]:
                self.assertGreater(n["disk_limit_bytes"], n["disk_bytes"])
                self.assertGreater(n["memory_limit_bytes"], n["memory_bytes"])
                self.assertGreater(n["uptime_ms"], 0)
            leader = self.view(c[1])["leader"]
            old = next(node for node in c.nodes if node("CLUSTER", "MYID") == leader)
            old.kill()
            old.start()
            c.wait_ok()
            self.check(c, 2000, 500)  # which the leader there is now has heard of anew
            client.flushall()
            until("they are gone", lambda: sum(self.view(c[5])["slots"]["bytes"]) == 0)
            until("operations fade", lambda: sum(self.view(c[5])["slots"]["ops"]) < busy / 4)


class Restarts(unittest.TestCase):
    def test_everything_killed_at_once_comes_back_as_it_was(self):
        with Cluster() as c:
            self.assertEqual(c.run("init")["status"], "done")
            c.wait_ok()
            with redis_cluster(c) as client:
                for i in range(200):
                    client.set(f"k{i}", i)
            for node in c.nodes:
                node.kill()
            for node in c.nodes:
                node.start(wait=False)
            for node in c.nodes:
                node.wait_ready()
            c.wait_ok()
            self.assertEqual(c.shape(), SIX)
            with redis_cluster(c) as client:
                self.assertEqual([client.get(f"k{i}") for i in range(200)], [str(i).encode() for i in range(200)])
            self.assertEqual(c.run("init")["status"], "done")

    def test_calls_reach_the_new_leader_after_the_old_one_died(self):
        with Cluster() as c:
            self.assertEqual(c.run("init")["status"], "done")
            old = c.leader()
            old.kill()
            new = until("another leads", lambda: (found := c.leader()) is not old and found)
            self.assertTrue(new.is_running())
            survivor = next(n for n in c.nodes if n is not old and n is not new)
            self.assertEqual(until("a call works", lambda: survivor("CLUSTER", "SCRIPT", "EVAL", "return #view.nodes", "0")), 6)
            old.start()
            c.wait_ok()
            self.assertEqual(c.shape()[0], SIX[0])


def redis_cluster(c):
    return until("redis-py connects", RealData.connector(c))


if __name__ == "__main__":
    unittest.main()
