"""A disk that is full, from the beginning or under load, and a node that stands still for a while."""
import errno
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from cluster import ReplyError, until
from history import Connection, Load, Server, dump, memory_folder, seeded

DISK = 7
ROUNDS = 6 if os.environ.get("AIKV_LONG") else 2


class Filler:
    """Sets keys of its own, one after the other; remembers what was acknowledged and what was refused."""

    def __init__(self, number, seed):
        self.number, self.rng = number, random.Random(seed)
        self.kept, self.open, self.refused, self.problem, self.is_over = {}, {}, 0, None, False
        self.keys = 1

    def run(self, port):
        try:
            c, i = Connection(port), 0
            while not self.is_over:
                i += 1
                self.keys += 1
                batch = [(b"f%d:%d" % (self.number, self.rng.choice((self.keys, self.rng.randrange(self.keys)))), b"%d " % i + b"x" * self.rng.choice((10, 1000, 60_000, 200_000)))
                         for _ in range(self.rng.choice((1, 8)))]
                for key, value in batch:
                    self.open.setdefault(key, []).append(value)
                for (key, value), reply in zip(batch, c.ask([[b"SET", *pair] for pair in batch])):
                    if reply == "OK":
                        self.kept[key] = value
                        self.open[key] = self.open[key][self.open[key].index(value) + 1:]
                    elif isinstance(reply, ReplyError) and str(reply).startswith("MISCONF"):
                        self.refused += 1
                    else:
                        self.problem = repr(reply)
                        return
                if self.refused:
                    time.sleep(0.01)
        except (OSError, ConnectionError):
            pass

    def wrong(self, found):
        keys = [k for k in self.kept.keys() | self.open.keys() if found.get((0, k), (None,))[0] != self.kept.get(k)
                and found.get((0, k), (None,))[0] not in self.open.get(k, ())]
        return [self.problem] if self.problem else sorted(keys)


class Full(unittest.TestCase):
    def setUp(self):
        if os.getuid() != 0:
            self.skipTest("only root can mount a disk")
        self.seed, self.rng = seeded()
        self.folder = tempfile.mkdtemp(prefix="aikv-disk-", dir=memory_folder())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.node = Server(self.folder)
        self.addCleanup(lambda: self.node.is_running() and self.node.kill())

    def mount(self, size):
        os.makedirs(self.node.data)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.node.data], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.node.data], check=True)

    def resize(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.node.data], check=True)

    def occupy(self):
        """Somebody else's file takes what is free."""
        with open(self.node.data + "/somebody-elses", "ab", 0) as f:
            try:
                while shutil.disk_usage(self.node.data).free > 0:
                    f.write(bytes(1 << 20))
            except OSError as e:
                assert e.errno == errno.ENOSPC, e
        return True

    def test_a_new_node_without_room_says_so_each_time_and_starts_once_there_is_room(self):
        self.mount("20m")
        for _ in range(2):
            self.node.start(wait=False)
            self.assertEqual(self.node.process.wait(60), DISK)
            self.assertIn("No space left on device", self.node.log().splitlines()[-1])
        self.resize("300m")
        self.node.start()
        self.assertEqual(self.node("SET", "a", "b"), "OK")

    def test_a_disk_that_fills_under_load_refuses_heals_and_loses_nothing_acknowledged(self):
        self.mount("1g")
        fillers = [Filler(i, self.rng.random()) for i in range(4)]
        for turn in range(ROUNDS):
            how = f"AIKV_SEED={self.seed}, turn {turn}"
            self.resize(f"{turn + 1}g")
            self.node.arguments = ["--maxmemory", "32mb", "--durability", ("everysec", "always", "no")[turn % 3]]
            self.node.start()
            self.run_until(fillers, "writes are refused", lambda: self.occupy() and all(f.refused for f in fillers))
            self.assert_right(fillers, how + ", while it is full")
            os.unlink(self.node.data + "/somebody-elses")
            self.run_until(fillers, "writes are taken again", lambda: self.node("SET", "healed", turn) == "OK", kill=turn % 2)
            if not turn % 2:
                self.assertEqual(self.node.stop(), 0)
            self.node.start()
            self.assert_right(fillers, how + ", after a start")
            self.assertEqual(self.node("GET", "healed"), str(turn))
            self.node.kill()

    def run_until(self, fillers, what, condition, kill=False):
        threads = [threading.Thread(target=f.run, args=(self.node.port,)) for f in fillers]
        for f in fillers:
            f.refused, f.is_over = 0, False
        for t in threads:
            t.start()
        until(what, condition)
        if kill:
            self.node.kill()
        for f in fillers:
            f.is_over = True
        for t in threads:
            t.join()

    def assert_right(self, fillers, how):
        """And what is there now is from here on what must be there."""
        found = dump(self.node.port, [0])
        self.assertEqual([w for f in fillers for w in f.wrong(found)], [], how)
        for f in fillers:
            f.open, f.kept = {}, {key: value for (_, key), (value, _) in found.items() if key.startswith(b"f%d:" % f.number)}


class Pauses(unittest.TestCase):
    def test_a_node_that_stood_still_goes_on_where_it_was(self):
        seed, rng = seeded()
        folder = tempfile.mkdtemp(prefix="aikv-pause-", dir=memory_folder())
        self.addCleanup(shutil.rmtree, folder, True)
        node, load = Server(folder, arguments=["--maxmemory", "16mb", "--durability", "always"]), Load(rng)
        node.start()
        self.addCleanup(lambda: node.is_running() and node.kill())
        load.start(node.port)
        for _ in range(5 * ROUNDS):
            time.sleep(0.2 * rng.random())
            node.process.send_signal(signal.SIGSTOP)
            before = load.sent()
            time.sleep(0.3 * rng.random())
            node.process.send_signal(signal.SIGCONT)
            until("it goes on", lambda: load.sent() > before)
        load.end()
        self.assertEqual(load.problems(dump(node.port)), [], f"AIKV_SEED={seed}")
        node.kill()
        node.start()
        self.assertEqual(load.problems(dump(node.port)), [], f"AIKV_SEED={seed}, after kill -9")


if __name__ == "__main__":
    unittest.main()
