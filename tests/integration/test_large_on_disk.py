"""Large values on disk, of which a node keeps next to nothing in memory, and whose pages the kernel has forgotten: clients at once, whose replies are known."""
import os
import random
import shutil
import tempfile
import threading
import unittest

from cluster import Node, free_ports

FIELDS, CLIENTS, ROUNDS = 20000, 4, 400
VALUE = "v" * 100


def forget_cached(folder):
    """Has the kernel drop the pages of these files that it keeps in memory; nobody may have them mapped."""
    os.sync()
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as f:
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def ask_all(c, requests):
    for request in requests:
        c.send(*request)
    return [c.read() for _ in requests]


class Player:
    """A client with a share of the elements of each value, so that it knows what they are."""

    def __init__(self, node, number):
        self.node, self.number, self.rng = node, number, random.Random(number)
        self.fields, self.scores, self.wrong = {}, {}, []

    def pick(self):
        return self.rng.randrange(FIELDS // CLIENTS) * CLIENTS + self.number

    def turn(self):
        """Requests, and what they must reply."""
        i, j, k = self.pick(), self.pick(), self.pick()
        value, score = str(self.rng.random()), self.rng.randrange(FIELDS)
        is_new = f"new:{i}" not in self.fields
        expected = [
            (("HGET", "hash", f"field:{j}"), self.fields.get(f"field:{j}", f"{VALUE}{j}")),
            (("HSET", "hash", f"field:{i}", value, f"new:{i}", value), 1 if is_new else 0),
            (("HMGET", "hash", f"new:{i}", "none", f"field:{i}"), [value, None, value]),
            (("ZADD", "zset", score, f"member:{k}"), 0),
            (("ZINCRBY", "zset", 2, f"member:{k}"), str(score + 2)),
            (("ZSCORE", "zset", f"member:{j}"), str(self.scores.get(j, j) if j != k else score + 2)),
            (("SISMEMBER", "set", f"member:{j}"), 1),
            (("LINDEX", "list", j), f"{VALUE}{j}"),
            (("LRANGE", "list", j, j + 2), [f"{VALUE}{n}" for n in range(j, min(j + 3, FIELDS))]),
            (("GETRANGE", "string", 10 * j, 10 * j + 9), f"{j:010}"),
            (("XRANGE", "stream", f"{j + 1}-1", f"{j + 1}-1"), [[f"{j + 1}-1", ["n", str(j)]]]),
        ]
        self.fields.update({f"field:{i}": value, f"new:{i}": value})
        self.scores[k] = score + 2
        return expected

    def play(self):
        with self.node.client() as c:
            for _ in range(ROUNDS):
                expected = self.turn()
                for (request, wanted), got in zip(expected, ask_all(c, [request for request, _ in expected])):
                    if got != wanted:
                        self.wrong.append(f"{request}: {got!r}, not {wanted!r}")


class LargeOnDisk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-", dir=".")  # not in memory, as /tmp may be
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.node = Node(self.folder, "n", free_ports(1)).start()
        self.addCleanup(self.node.kill)

    def fill(self):
        with self.node.client() as c:
            for at in range(0, FIELDS, 100):
                some = range(at, at + 100)
                ask_all(c, [
                    ("HSET", "hash", *(word for i in some for word in (f"field:{i}", f"{VALUE}{i}"))),
                    ("SADD", "set", *(f"member:{i}" for i in some)),
                    ("ZADD", "zset", *(word for i in some for word in (i, f"member:{i}"))),
                    ("RPUSH", "list", *(f"{VALUE}{i}" for i in some)),
                    ("APPEND", "string", "".join(f"{i:010}" for i in some)),
                    *(("XADD", "stream", f"{i + 1}-1", "n", i) for i in some)])

    def restart(self, end):
        end()
        forget_cached(self.folder)
        self.node.arguments = ["--maxmemory", "1mb"]
        self.node.start()

    def test_replies_are_right_whoever_waits(self):
        self.fill()
        self.restart(self.node.stop)
        players = [Player(self.node, i) for i in range(CLIENTS)]
        for end in (self.node.kill, self.node.stop):
            threads = [threading.Thread(target=player.play) for player in players]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual([wrong for player in players for wrong in player.wrong][:3], [])
            self.assertGreater(int(self.node.info()["aikv_cold_reads"]), 0)
            self.restart(end)
        fields = {f"field:{i}": f"{VALUE}{i}" for i in range(FIELDS)}
        for player in players:
            fields.update(player.fields)
        with self.node.client() as c:
            there = c("HGETALL", "hash")
            self.assertEqual(dict(zip(there[::2], there[1::2])), fields)
            self.assertEqual((c("ZCARD", "zset"), c("SCARD", "set"), c("LLEN", "list"), c("STRLEN", "string"), c("XLEN", "stream")), 2 * (FIELDS,) + (FIELDS, 10 * FIELDS, FIELDS))


if __name__ == "__main__":
    unittest.main()
