"""maxmemory-policy: a node that is written more than it may hold deletes keys, and which."""
import shutil
import subprocess
import tempfile
import time
import unittest

from cluster import BINARY, Node, ReplyError, free_ports, until

MIB = 1 << 20
KEY_COSTS = 48  # KEYSPACE_KEY_COSTS
OOM = "OOM command not allowed when used memory > 'maxmemory'."


class Eviction(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def start(self, policy, maxmemory=4 * MIB, *arguments):
        node = Node(self.folder, "n", free_ports(1), ["--maxmemory-policy", policy, "--maxmemory", str(maxmemory), *arguments]).start()
        self.addCleanup(node.kill)
        return node

    def write(self, node, prefix, numbers, *options, size=200):
        """SETs in pipelines; returns how many were refused for want of memory."""
        value, refused = "v" * size, 0
        with node.client() as c:
            numbers = list(numbers)
            for at in range(0, len(numbers), 500):
                part = numbers[at:at + 500]
                for i in part:
                    c.send("SET", f"{prefix}{i}", value, *options)
                for reply in [c.read() for _ in part]:
                    if isinstance(reply, ReplyError):
                        self.assertEqual(str(reply), OOM)
                        refused += 1
        return refused

    def read_beside_others(self, node, c, prefix, pause_s):
        """Thirty times a thousand new keys, and a GET of each of the first thousand with the prefix. Idle time is counted in seconds: what is older is to be so by one."""
        for round_ in range(30):
            self.write(node, f"cold{round_}:", range(1000))
            for i in range(1000):
                c.send("GET", f"{prefix}{i}")
            for i in range(1000):
                c.read()
            time.sleep(pause_s)

    def there(self, node, prefix, numbers):
        """How many of these keys are there; they are not used by it."""
        with node.client() as c:
            numbers = list(numbers)
            for i in numbers:
                c.send("EXISTS", f"{prefix}{i}")
            return sum(c.read() for _ in numbers)

    def assert_within(self, node, maxmemory=4 * MIB):
        """Of the data nothing is above the bound, soon after the last command: each evicts for half a millisecond at most; of memory, what a turn writes may be."""
        def is_within():
            info = node.info()
            return int(info["aikv_data_bytes"]) <= maxmemory and info["current_eviction_exceeded_time"] == "0"

        until("the data is within the bound", is_within)
        return node.info()

    def test_the_data_is_held_to_maxmemory_under_each_policy(self):
        for policy in ("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"):
            with self.subTest(policy=policy):
                node = self.start(policy)
                volatile = policy.startswith("volatile")
                self.assertEqual(self.write(node, "stays", range(1000)), 0)
                self.assertEqual(self.write(node, "goes", range(50000), "EX", 100000), 0)
                info = self.assert_within(node)
                self.assertEqual(info["maxmemory_policy"], policy)
                self.assertEqual(node("DBSIZE") + int(info["evicted_keys"]), 51000)
                self.assertGreater(node("DBSIZE"), 4 * MIB * 0.9 / (200 + KEY_COSTS + 40))
                if volatile:
                    self.assertEqual(self.there(node, "stays", range(1000)), 1000)
                left = self.there(node, "goes", range(50000))
                node.kill()  # evictions are in the log as other deletions are
                node.start()
                self.assertLessEqual(int(node.info()["aikv_data_bytes"]), 4 * MIB)
                self.assertEqual(self.there(node, "goes", range(50000)), left)
                node.stop()
                checked = subprocess.run([BINARY, "check", node.data], capture_output=True, text=True)
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                shutil.rmtree(node.folder)

    def test_where_no_key_may_go_writes_are_refused(self):
        node = self.start("volatile-lru")
        refused = self.write(node, "stays", range(30000))
        self.assertGreater(refused, 10000)
        self.assertEqual(node("DBSIZE"), 30000 - refused)
        self.assertEqual(node.info()["evicted_keys"], "0")
        self.assertGreater(int(node.info()["current_eviction_exceeded_time"]), 0)
        with self.assertRaisesRegex(ReplyError, "OOM command not allowed"):
            node("LPUSH", "l", "a")
        self.assertEqual(len(node("GET", "stays0")), 200)
        self.assertEqual(node("DEL", *(f"stays{i}" for i in range(100))), 100)
        self.assertEqual(node("SET", "again", "v"), "OK")
        until("the time has ended", lambda: node.info()["current_eviction_exceeded_time"] == "0")

    def test_keys_that_are_used_stay(self):
        for policy in ("allkeys-lru", "allkeys-lfu"):
            with self.subTest(policy=policy):
                node = self.start(policy)
                self.write(node, "hot", range(1000))
                with node.client() as c:
                    self.read_beside_others(node, c, "hot", 0.2 if policy == "allkeys-lru" else 0)
                self.assert_within(node)
                self.assertGreater(self.there(node, "hot", range(1000)), 900)
                node.stop()
                shutil.rmtree(node.folder)

    def test_what_only_looks_does_not_keep_a_key(self):
        node = self.start("allkeys-lru")
        self.write(node, "looked", range(1000))
        with node.client() as c:
            self.assertEqual(c("CLIENT", "NO-TOUCH", "ON"), "OK")
            time.sleep(2.1)
            c("GET", "looked0")
            self.assertIn(c("OBJECT", "IDLETIME", "looked0"), (2, 3))
            c("TOUCH", "looked0")
            self.assertIn(c("OBJECT", "IDLETIME", "looked0"), (0, 1))
            self.read_beside_others(node, c, "looked", 0.06)
        self.assertLess(self.there(node, "looked", range(1000)), 200)

    def test_those_that_expire_first_go_first(self):
        node = self.start("volatile-ttl")
        with node.client() as c:
            for i in range(10000):
                c.send("SET", f"k{i}", "v" * 200, "EX", 10000 + (i * 7919) % 10000)
            for i in range(10000):
                c.read()
        self.assert_within(node)
        self.write(node, "later", range(5000), "EX", 1000000)
        self.assert_within(node)
        left = sorted((i * 7919) % 10000 for i in range(10000) if self.there(node, "k", [i]))
        self.assertEqual(left, list(range(10000 - len(left), 10000)))
        self.assertEqual(self.there(node, "later", range(5000)), 5000)

    def test_large_values_go_as_a_whole(self):
        node = self.start("allkeys-lru", 8 * MIB)
        with node.client() as c:
            for n in range(60):
                for at in range(0, 10000, 1000):
                    c("HSET", f"h{n}", *(x for i in range(at, at + 1000) for x in (f"field{i}", "some value")))
            time.sleep(1.1)  # idle time is counted in seconds: the hashes are to be older
            c("SET", "string", "v" * (3 * MIB))
            self.assertEqual(c("STRLEN", "string"), 3 * MIB)
        info = self.assert_within(node, 8 * MIB)
        self.assertGreater(int(info["evicted_keys"]), 20)
        until("their rows are gone", lambda: node.info()["lazyfree_pending_objects"] == "0")
        node("SAVE")
        until("memory is within the bound too", lambda: int(node.info()["aikv_rows_memory"]) <= 8 * MIB)

    def test_a_lower_bound_is_reached_while_nobody_asks_for_anything(self):
        node = self.start("noeviction", 64 * MIB)
        self.write(node, "k", range(60000), size=100)
        before, asked = node("DBSIZE"), 0
        node("CONFIG", "SET", "maxmemory", 4 * MIB, "maxmemory-policy", "allkeys-random")

        def is_reached():
            nonlocal asked
            asked += 1
            time.sleep(1)
            return int(node.info()["aikv_data_bytes"]) <= 4 * MIB

        until("the bound is reached", is_reached)
        self.assertGreater((before - node("DBSIZE")) / asked, 1000)  # a request has a few hundred deleted

    def test_who_subscribed_is_told_and_redis_cli_finds_hot_keys(self):
        node = self.start("allkeys-lfu", 4 * MIB, "--notify-keyspace-events", "Ee")
        with node.client() as c:
            c("SUBSCRIBE", "__keyevent@0__:evicted")
            self.write(node, "k", range(20000))
            kind, channel, key = c.read()
            self.assertEqual((kind, channel, key[0]), ("message", "__keyevent@0__:evicted", "k"))
        with node.client() as c:
            for _ in range(300):
                c("GET", "k19999")
        found = subprocess.run(["redis-cli", "-p", str(node.port), "--hotkeys"], capture_output=True, text=True, timeout=60)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)
        self.assertRegex(found.stdout, r"hot key found with counter: \d+\s+keyname: \"?k19999")

    def test_a_transaction_that_watches_a_key_sees_it_evicted(self):
        node = self.start("allkeys-random")
        with node.client() as c:
            c("SET", "watched", "v")
            c("WATCH", "watched")
            for round_ in range(100):
                if not self.there(node, "watched", [""]):
                    break
                self.write(node, f"k{round_}:", range(10000))
            c("MULTI")
            c("PING")
            self.assertIsNone(c("EXEC"))
