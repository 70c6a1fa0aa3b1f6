"""One node: command line, exit codes, durability."""
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from cluster import BINARY, Client, Node, ReplyError, free_ports, until


def aikv(*arguments, **environment):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment},
                          stdin=subprocess.DEVNULL)


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def write(self, text):
        path = os.path.join(self.folder, "node.toml")
        with open(path, "w") as f:
            f.write(text)
        return path

    def test_help_and_version_say_what_they_should(self):
        self.assertIn("usage: aikv", aikv("--help").stdout)
        self.assertRegex(aikv("--version").stdout, r"^aikv \d+\.\d+\.\d+$")

    def test_an_unknown_key_is_named_with_file_line_and_the_nearest(self):
        path = self.write("[server]\nport = 7000\n\n[storage]\ndata_dirr = 'x'\n")
        done = aikv("--check-config", "--config", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{path}:5", done.stderr)
        self.assertIn("did you mean 'data_dir'", done.stderr)

    def test_wrong_types_and_broken_toml_are_refused_with_their_line(self):
        for text, said in (("[server]\nport = 'x'\n", "wrong type"), ("[server]\nport = 70000\n", "0 to 65535"),
                           ("[server\n", ":1:"), ("[=", ":1:2"), ("[.a]\n", ":1:2"), ("[[[server]]]\n", ":1:3"), ("[node]\nalias = -3\n", "number from 1"), ("[clutser]\nenabled = true\n", "did you mean [cluster]"),
                           ("[server]\nmaxmemory = 'much'\n", "maxmemory"), ("[[server]]\nport = 1\n", "two brackets"),
                           ("[cluster.announce]\nmatch = 'any'\n", "two brackets"), ("[storage]\ndata_dir = ['a']\n", "wrong type"),
                           ("[server]\nhost = ''\n", "must not be empty")):
            done = aikv("--check-config", "--config", self.write(text))
            self.assertEqual(done.returncode, 2, text)
            self.assertIn(said, done.stderr)

    def test_a_configuration_file_that_cannot_be_read_is_not_an_empty_one(self):
        for path in (self.folder, self.folder + "/missing"):
            done = aikv("--check-config", "--config", path)
            self.assertEqual(done.returncode, 2, path)
            self.assertIn(f"cannot read configuration file '{path}'", done.stderr)

    def test_a_mistyped_name_in_the_environment_is_refused(self):
        done = aikv("--check-config", AIKV_SERVER_PROT="7")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean AIKV_SERVER_PORT", done.stderr)

    def test_a_cluster_that_others_could_reach_needs_a_secret(self):
        done = aikv("--check-config", "--cluster-enabled", "--bind", "0.0.0.0", "--raft-addr", "10.0.0.1:7000")
        self.assertEqual(done.returncode, 2)
        self.assertIn("AIKV_CLUSTER_SECRET", done.stderr)
        done = aikv("--check-config", "--cluster-enabled", "--bind", "0.0.0.0", "--raft-addr", "10.0.0.1:7000", AIKV_CLUSTER_SECRET="0123456789abcdef")
        self.assertEqual((done.returncode, done.stdout), (0, "the configuration is valid\n"))

    def test_flags_win_over_the_environment_and_that_over_the_file(self):
        path = self.write("[server]\nport = 1\n[storage]\ndatabases = 3\n")
        port = free_ports(1)
        node = Node(self.folder, "n", port, ["--config", path], {"AIKV_SERVER_PORT": "2"}).start()
        self.addCleanup(node.kill)
        self.assertEqual(node("CONFIG", "GET", "databases"), ["databases", "3"])
        self.assertEqual(node("CONFIG", "GET", "port"), ["port", str(port)])

    def test_exit_codes_say_what_is_wrong(self):
        port = free_ports(1)
        node = Node(self.folder, "n", port).start()
        self.addCleanup(node.kill)
        taken = aikv("--port", str(port), "--data-dir", self.folder + "/other")
        self.assertEqual(taken.returncode, 3, taken.stderr)
        self.assertIn(str(port), taken.stderr)
        locked = aikv("--port", "0", "--data-dir", node.data)
        self.assertEqual(locked.returncode, 4, locked.stderr)
        self.assertIn("another aikv uses the data directory", locked.stderr)
        os.makedirs(self.folder + "/future")
        with open(self.folder + "/future/node.json", "w") as f:
            f.write('{"format": 99}')
        future = aikv("--port", "0", "--data-dir", self.folder + "/future")
        self.assertEqual(future.returncode, 5, future.stderr)
        self.assertIn("format 99", future.stderr)
        self.assertEqual(aikv("--prot", "1").returncode, 2)

    def test_ping_is_a_health_check(self):
        port = free_ports(1)
        self.assertEqual(aikv("--ping", "--port", str(port)).returncode, 1)
        node = Node(self.folder, "n", port, ["--requirepass", "geheim"]).start()
        self.addCleanup(node.kill)
        self.assertEqual(aikv("--ping", "--port", str(port)).returncode, 0)

    def test_sigterm_ends_cleanly_with_everything_acknowledged_on_disk(self):
        node = Node(self.folder, "n", free_ports(1)).start()
        for i in range(100):
            node("SET", f"k{i}", i)
        self.assertEqual(node.stop(), 0)
        node.start()
        self.addCleanup(node.kill)
        self.assertEqual([node("GET", f"k{i}") for i in range(100)], [str(i) for i in range(100)])


class Durability(unittest.TestCase):
    def test_kill_9_loses_nothing_that_was_acknowledged(self):
        seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 30)))
        print(f"AIKV_SEED={seed}", flush=True)
        rng = random.Random(seed)
        folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, folder, True)
        node = Node(folder, "n", free_ports(1))
        acknowledged = {}
        for _ in range(40 if os.environ.get("AIKV_LONG") else 8):
            node.arguments = ["--durability", rng.choice(["always", "everysec", "no"])]
            node.start()
            with node.client() as c:
                for key, value in acknowledged.items():
                    self.assertGreaterEqual(int(c("GET", key) or 0), value, key)
            writers = [threading.Thread(target=self.write, args=(node.port, f"w{i}", acknowledged)) for i in range(8)]
            for w in writers:
                w.start()
            timer = threading.Timer(rng.uniform(0.05, 0.6), lambda: node.process.send_signal(signal.SIGKILL))
            timer.start()
            for w in writers:
                w.join()
            node.process.wait()
        self.assertGreater(sum(acknowledged.values()), 100)

    @staticmethod
    def write(port, key, acknowledged):
        try:
            with Client(port) as c:
                while True:
                    value = c("INCR", key)
                    acknowledged[key] = value
                    if value % 3 == 0:  # and never a part of an MSET
                        c("MSET", f"{{{key}}}a", value, f"{{{key}}}b", value)
                        a, b = c("MGET", f"{{{key}}}a", f"{{{key}}}b")
                        assert a == b, (a, b)
        except (OSError, ConnectionError):
            pass


class Clients(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, folder, True)
        self.node = Node(folder, "n", free_ports(1)).start()
        self.addCleanup(self.node.kill)

    def memory(self):
        with open(f"/proc/{self.node.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_a_client_that_never_reads_cannot_make_the_node_grow(self):
        self.node("SET", "big", "x" * 1_000_000)
        before = self.memory()
        s = socket.create_connection(("127.0.0.1", self.node.port))
        s.settimeout(5)
        try:
            for _ in range(2000):
                s.sendall(b"GET big\r\n" * 1000)
        except OSError:
            pass
        self.assertEqual(self.node("PING"), "PONG")
        self.assertLess(self.memory() - before, 300 << 20)
        s.close()

    def peak(self):
        with open(f"/proc/{self.node.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))

    QUARANTINE = 256 << 20 if "asan" in str(BINARY) else 0  # bytes of freed memory that AddressSanitizer holds back

    def test_a_union_takes_memory_for_what_comes_out_however_often_it_goes_in(self):
        self.node("SADD", "integers", *range(512))
        self.node("ZADD", "sorted", *(word for i in range(1000) for word in (i, f"member:{i}")))
        before = self.peak()
        self.assertEqual(len(self.node("SUNION", *["integers"] * 10_000)), 512)
        self.assertEqual(self.node("ZUNIONSTORE", "d", 1000, *["sorted"] * 1000), 1000)
        self.assertEqual(self.node("ZSCORE", "d", "member:7"), "7000")
        self.assertLess(self.peak() - before, (30 << 20) + self.QUARANTINE)

    def test_a_field_is_as_small_when_it_is_counted_with_as_when_it_is_set(self):
        field = "f" * (64 << 20)
        for words in (["HSET", "h", field, "1"], ["HSETNX", "h", field, "1"], ["HINCRBY", "h", field, "1"], ["HINCRBYFLOAT", "h", field, "1"]):
            with self.assertRaisesRegex(ReplyError, "a field with its value takes at most 64 MiB"):
                self.node(*words)
        self.assertEqual(self.node("EXISTS", "h"), 0)

    def test_sort_drops_a_large_value_that_it_looks_up_or_says_that_it_cannot(self):
        self.node("RPUSH", "list", *["1"] * 160)
        self.node("SET", "by:1", "0" * (4 << 20))
        before = self.peak()
        self.assertEqual(len(self.node("SORT", "list", "BY", "by:*")), 160)
        self.assertLess(self.peak() - before, (60 << 20) + self.QUARANTINE)
        self.node("SET", "d", "as it was")
        for words in (["BY", "by:*", "ALPHA"], ["GET", "by:*", "STORE", "d"]):
            with self.assertRaisesRegex(ReplyError, "values that SORT has to keep take more than 512 MiB"):
                self.node("SORT", "list", *words)
        self.assertEqual(self.node("GET", "d"), "as it was")

    def test_rubbish_gets_a_protocol_error_and_is_closed(self):
        for rubbish, said in ((b"*1\r\n+x\r\n", b"expected '$', got '+'"), (b"*1\r\n$99999999999\r\n", b"invalid bulk length"),
                              (b"*2147483648\r\n", b"invalid multibulk length"), (b"x" * 100_000, b"too big inline request")):
            with socket.create_connection(("127.0.0.1", self.node.port), 20) as s:
                s.sendall(rubbish)
                heard = b""
                try:
                    while chunk := s.recv(65536):
                        heard += chunk
                except ConnectionResetError:
                    self.assertGreater(len(rubbish), 65536, "only what was never read may reset the connection")
                    continue
                self.assertIn(said, heard)
        self.assertEqual(self.node("PING"), "PONG")

    def test_a_password_keeps_strangers_out_and_their_requests_small(self):
        self.assertEqual(self.node("CONFIG", "SET", "requirepass", "geheim"), "OK")
        with self.node.client() as c:
            with self.assertRaisesRegex(ReplyError, "NOAUTH"):
                c("GET", "x")
            with self.assertRaisesRegex(ReplyError, "WRONGPASS"):
                c("AUTH", "falsch")
            self.assertEqual(c("AUTH", "geheim"), "OK")
            self.assertIsNone(c("GET", "x"))
        with socket.create_connection(("127.0.0.1", self.node.port), 20) as s:
            s.sendall(b"*1000\r\n")
            self.assertIn(b"unauthenticated", s.recv(1000))

    def test_one_client_too_many_is_told_so(self):
        self.assertEqual(self.node("CONFIG", "SET", "maxclients", 3), "OK")
        held = [self.node.client() for _ in range(3)]
        until("the fourth is refused", self.refused)
        for c in held:
            c.close()
        until("there is room again", lambda: self.node("PING") == "PONG")

    def test_a_client_may_let_as_much_wait_as_its_class_allows(self):
        self.assertEqual(self.node("CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0 pubsub 32kb 0 0"), "OK")
        with self.node.client() as subscriber, self.node.client() as c:
            subscriber("SUBSCRIBE", "x")
            self.node("SET", "large", "v" * 1_100_000)
            with self.assertRaises((ConnectionError, socket.timeout)):
                c("GET", "large")
            self.assertEqual(self.node("PUBLISH", "x", "m" * 100_000), 1)
            with self.assertRaises(ConnectionError):
                while True:
                    subscriber.read()
        self.assertEqual(self.node("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0 pubsub 0 0 0"), "OK")
        with self.node.client() as subscriber:
            subscriber("SUBSCRIBE", "x")
            self.assertEqual(len(self.node("GET", "large")), 1_100_000)
            self.assertEqual(self.node("PUBLISH", "x", "m" * 40_000_000), 1)
            self.assertEqual(len(subscriber.read()[2]), 40_000_000)

    def refused(self):
        with socket.create_connection(("127.0.0.1", self.node.port), 20) as s:
            return b"max number of clients reached" in s.recv(1000)


if __name__ == "__main__":
    unittest.main()
