"""One bit of one file of a stopped node's directory is flipped: the start refuses and names the file, or what is served is right. Of the log
nothing else may come but that the last record is missing, and told of: nothing behind it shows that it was whole once. LMDB's pages have no
checksum, rows have: a value is never wrong, but rows that a damaged page no longer leads to may be missing; how often is printed."""
import collections
import os
import re
import shutil
import tempfile
import unittest

from cluster import until
from disk import copy_tree
from history import Connection, Server, dump, memory_folder, seeded

FLIPS = int(os.environ.get("AIKV_FLIPS", 300 if os.environ.get("AIKV_LONG") else 30))
FORMAT = 5
TAIL_BYTES = 400_000  # of the log: about what is after the checkpoint


def written_bytes(path):
    """Up to the last byte that is not zero."""
    with open(path, "rb") as f:
        return len(f.read().rstrip(b"\0"))


ALWAYS = [("lmdb/data.mdb", 4137, 4)]  # LMDB's page size becomes 0, by which it divides


class Flips(unittest.TestCase):
    def setUp(self):
        self.seed, self.rng = seeded()
        self.folder = tempfile.mkdtemp(prefix="aikv-flips-", dir=memory_folder())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.node = Server(self.folder, arguments=["--maxmemory", "16mb"])
        self.addCleanup(lambda: self.node.is_running() and self.node.kill())

    def fill(self):
        """Rows in LMDB, and some more in the log only, of which a last one tells that those before it were synced; returns all of them, in the
        order in which they were written."""
        self.node.start()
        c, written = Connection(self.node.port), []
        for i in range(400):
            written.append((b"key%d" % i, b"%d " % i + self.rng.randbytes(self.rng.choice((10, 100, 3000, 80_000)))))
        c.ask([[b"SET", key, value] for key, value in written])
        c.close()
        until("it is all synced", self.is_synced)
        self.node.stop()
        self.node.start()
        c = Connection(self.node.port)
        for i in range(300, 600):
            written.append((b"key%d" % i, b"%d " % i + self.rng.randbytes(self.rng.choice((10, 100, 3000)))))
            c.ask([[b"SET", *written[-1]]])
        until("it is all synced", self.is_synced)
        written.append((b"last", b"one"))
        c.ask([[b"SET", *written[-1]]])
        c.close()
        self.node.kill()
        return written

    def is_synced(self):
        info = self.node.info(section="persistence")
        return info["aikv_durable_sequence"] == info["aikv_last_sequence"]

    def places(self, folder):
        """Where a bit may be flipped: (file, from, to), each as likely as another. Of the log: what is after the checkpoint, for the most part,
        the header, and what was never written."""
        out = [("node.json", 0, written_bytes(folder + "/node.json"))]
        out += [("lmdb/data.mdb", 0, 8192)] + [("lmdb/data.mdb", 0, os.path.getsize(folder + "/lmdb/data.mdb"))] * 2
        for name in sorted(os.listdir(folder + "/log")):
            path = "log/" + name
            end = written_bytes(f"{folder}/{path}")
            if end > 0:
                out += [(path, 0, 128), (path, 0, end)] + [(path, max(0, end - TAIL_BYTES), end)] * 4
            elif len(out) < 12:
                out += [(path, 0, os.path.getsize(f"{folder}/{path}"))]
        return out

    def choose(self, places):
        name, first, end = self.rng.choice(places)
        return name, self.rng.randrange(first, end), self.rng.randrange(8)

    def outcome(self, written):
        """refused, right, shorter (without the last write), missing (some keys), wrong, ended; with what was said and the exit code."""
        log = self.node.log_path
        if os.path.exists(log):
            os.unlink(log)
        self.node.start(wait=False)
        until("it is ready or has ended", self.node.is_ready_or_ended)
        if self.node.process.poll() is not None:
            return "refused", self.node.log(), self.node.process.returncode
        self.node.wait_ready()
        try:
            found = {key: value for (_, key), (value, _) in dump(self.node.port, [0]).items()}
        except (OSError, ConnectionError, AssertionError) as e:
            if self.node.process.poll() is None and not isinstance(e, AssertionError):
                until("it has ended", lambda: self.node.process.poll() is not None)
            ended = self.node.process.poll()
            self.node.kill()
            return "wrong" if ended is None else "ended", f"{e} {self.node.log()}", ended
        self.node.kill()
        if found == dict(written):
            return "right", self.node.log(), None
        if found == dict(written[:-1]):
            return "shorter", self.node.log(), None
        differ = [k for k in dict(written).keys() | found.keys() if found.get(k) != dict(written).get(k)]
        return "wrong" if any(k in found for k in differ) else "missing", f"{len(differ)} keys: {differ[:3]} {self.node.log()}", None

    def test_a_flipped_bit_is_refused_or_harmless(self):
        written, whole = self.fill(), self.folder + "/whole"
        copy_tree(self.node.data, whole)
        count, problems, places = collections.Counter(), [], self.places(whole)
        for name, at, bit in ALWAYS + [self.choose(places) for _ in range(FLIPS)]:
            shutil.rmtree(self.node.data)
            copy_tree(whole, self.node.data)
            path = f"{self.node.data}/{name}"
            with open(path, "r+b") as f:
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << bit]))
            how, said, code = self.outcome(written)
            sort = re.sub(r"\d+\.log", "log", name)
            count[sort, how] += 1
            where = f"{name} at {at}, bit {bit}: {how} {code}: {said[-500:]}"
            if how == "refused":
                bad = code != FORMAT or os.path.basename(os.path.dirname(path) if "mdb" in name else path) not in said
            elif how == "shorter":
                bad = not sort.startswith("log/") or "log_dropped_bytes=0" in said
            else:
                bad = how == "wrong" or (how != "right" and not sort.startswith("lmdb/"))
            if bad:
                problems.append(where)
            elif how in ("ended", "shorter", "missing"):
                print(where, flush=True)
        for (sort, how), n in sorted(count.items()):
            print(f"{sort}: {how} {n}")
        self.assertEqual(problems, [], f"AIKV_SEED={self.seed}")


if __name__ == "__main__":
    unittest.main()
