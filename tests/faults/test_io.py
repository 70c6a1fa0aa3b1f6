"""Every kind of call on files failing in turn, once or from then on, while a node starts, serves and ends: it goes on, refuses writes, or
ends with its exit code and says why; and a start without faults then has every acknowledged write, and no wrong value."""
import collections
import os
import shutil
import tempfile
import unittest

from cluster import PATIENCE_S, ReplyError, until
from disk import FAULT, OPEN, RENAME, SYNC_BEGIN, TRUNCATE, UNLINK, WRITE, ZEROS, Journal, copy_tree
from history import Connection, Server, dump, memory_folder, seeded

SITES = int(os.environ.get("AIKV_SITES", 250 if os.environ.get("AIKV_LONG") else 25))
DISK, OK = 7, 0
ALWAYS = ("write:data.mdb:1:short",)  # left a new node that never started again
INTERRUPTED = (1, 5)  # of a start: nothing is lost by starting again
KINDS = {OPEN: "open", WRITE: "write", ZEROS: "write", SYNC_BEGIN: "sync", TRUNCATE: "truncate", RENAME: "rename", UNLINK: "unlink"}
PARTS = ("node.json", "LOCK", "lock.mdb", "data.mdb", "/lmdb", "/log/making", "/log/0", "/log", "/data", "/disk")


def part_of(path):
    return next(part for part in PARTS if part in path[path.index("/disk"):])


def calls(journal):
    """(kind of call, part of the path) → how often."""
    return collections.Counter((KINDS[record[0]], part_of(path)) for _, record, path in journal.named() if record[0] in KINDS)


class Outcome:
    """What a session saw: values acknowledged, and those of writes that were refused or got no reply."""

    def __init__(self, kept):
        self.kept, self.open, self.said = dict(kept), collections.defaultdict(list), ""
        self.lost = 0  # connections
        self.served = False

    def put(self, c, key, value):
        self.open[key].append(value)
        reply = c.ask([[b"SET", key, value]])[0]
        if reply == "OK":
            self.kept[key], self.open[key] = value, []
        elif not isinstance(reply, ReplyError) or not str(reply).startswith("MISCONF"):
            raise AssertionError(f"SET said {reply!r}")
        else:
            self.said = str(reply)

    def get(self, c, key):
        value = c.ask([[b"GET", key]])[0]
        assert value == self.kept.get(key) or value in self.open[key], (key, value and value[:40])

    def problem(self, found):
        for key in self.kept.keys() | found.keys():
            value = found.get(key)
            if value != self.kept.get(key) and value not in self.open.get(key, ()):
                return f"{key}: {value and value[:40]} instead of {self.kept.get(key, b'nothing')[:40]} or one of {len(self.open.get(key, ()))}"
        return None


class Faults(unittest.TestCase):
    def setUp(self):
        self.seed, self.rng = seeded()
        self.folder = tempfile.mkdtemp(prefix="aikv-io-", dir=memory_folder())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.disk, self.journal = self.folder + "/disk", self.folder + "/journal"
        self.node = Server(self.folder, arguments=["--maxmemory", "16mb"])
        self.node.data = self.disk + "/data"
        self.addCleanup(lambda: self.node.is_running() and self.node.kill())
        os.mkdir(self.disk)

    def script(self, outcome, tag):
        """Small and large writes, enough of them for a checkpoint, in two modes, and reads between. The node may close a connection: when
        the log fails, whoever waits for it is told so by that."""
        for first, mode in ((0, b"everysec"), (20, b"always"), (40, b"everysec")):
            i, end = first, 20 + first if first < 40 else 120
            while i < end:
                try:
                    i = self.part(outcome, tag, i, end, mode)
                except ConnectionError:
                    self.assertLess(outcome.lost, 3, "connections are closed again and again")
                    outcome.lost += 1
                    i += 1

    def part(self, outcome, tag, first, end, mode):
        c = Connection(self.node.port)
        try:
            c.ask([[b"CONFIG", b"SET", b"appendfsync", mode]])
            for i in range(first, end):
                outcome.put(c, b"key%d" % (i % 90), b"%s %d " % (tag, i) + b"x" * (100_000 if i % 10 >= 2 and i >= 40 else 20))
                if i % 7 == 0:
                    outcome.get(c, b"key%d" % self.rng.randrange(90))
        finally:
            c.close()
        return end

    def session(self, outcome, tag):
        """A start, the script, and an end; returns the exit code."""
        self.node.start(wait=False)
        until("it is ready or has ended", self.node.is_ready_or_ended)
        if self.node.process.poll() is None:
            self.node.wait_ready()
            outcome.served = True
            self.script(outcome, tag)
            self.node.process.terminate()
        return self.node.process.wait(PATIENCE_S)

    def begin(self, base):
        shutil.rmtree(self.disk)
        copy_tree(base, self.disk) if base else os.mkdir(self.disk)
        if os.path.exists(self.node.log_path):
            os.unlink(self.node.log_path)
        if os.path.exists(self.journal):
            os.unlink(self.journal)

    def run_with(self, base, kept, fault):
        """What is wrong with a session with that fault; and how it went."""
        self.begin(base)
        outcome = Outcome(kept)
        self.node.shim(ROOT=self.disk, JOURNAL=self.journal, FAIL=fault)
        code = self.session(outcome, b"faulty")
        said, hit = self.node.log(), sum(r[0] == FAULT for r in Journal(self.journal).records)
        self.node.shim().start()
        found = {key: value for (_, key), (value, _) in dump(self.node.port, [0]).items()}
        self.node.kill()
        how = f"exit {code}, {hit} met, {outcome.lost} connections lost, {'refused: ' + outcome.said[43:163] if outcome.said else 'nothing refused'}"
        problem = outcome.problem(found)
        allowed = (OK, DISK)
        if fault.endswith(("EINTR", "short")) and not outcome.served:
            allowed += INTERRUPTED
        if not problem and code not in allowed:
            problem = f"exit code {code}"
        if not problem and code != OK and "level=error" not in said:
            problem = "ended without saying why"
        if not problem and "the log cannot be written any more" in said.partition("ending:")[0] and (code != DISK or not outcome.said):
            problem = "the log failed, and writes were not refused or the end looked like any other"
        if problem:
            problem += f"; {how}; {said[-700:]}"
        return problem, how, hit

    def sites(self, base, kept):
        """Calls to let fail: (kind, part, n) of a session without faults; reads are not counted there, some are tried."""
        self.begin(base)
        self.node.shim(ROOT=self.disk, JOURNAL=self.journal)
        self.assertEqual(self.session(Outcome(kept), b"whole"), OK, self.node.log())
        for (kind, part), count in sorted(calls(Journal(self.journal)).items()):
            few = range(1, count + 1) if count <= 12 else [1, 2, 3, count - 1, count] + self.rng.sample(range(4, count - 1), 6)
            for n in few:
                yield kind, part, n
        for part in ("node.json", "data.mdb", "/log/0"):
            for n in (1, 2, 3, 5):
                yield "read", part, n
        for part in ("/data", "/lmdb", "/log"):
            yield "mkdir", part, 1

    def check(self, base, kept):
        tried = []
        for kind, part, n in self.sites(base, kept):
            for how in ("EIO", "ENOSPC", "EINTR", "short"):
                if how != "short" or kind in ("write", "read"):
                    tried += [f"{kind}:{part}:{n}:{how}", f"{kind}:{part}:{n}+:{how}"]
        tried = [t for t in tried if "+:EINTR" not in t and "+:short" not in t]
        self.assertGreater(len(tried), 100)
        problems, hits = [], 0
        chosen = self.rng.sample(tried, min(SITES, len(tried)))
        for fault in chosen + [f for f in ALWAYS if f not in chosen]:
            try:
                problem, how, hit = self.run_with(base, kept, fault)
            except (AssertionError, OSError) as e:  # among them a reply that does not come
                problem, how, hit = f"{e!r}; {self.node.log()[-700:]}", "no end", 1
                if self.node.is_running():
                    self.node.kill()
            hits += hit > 0
            print(fault, how, flush=True)
            if problem:
                problems.append(f"{fault}: {problem}")
        print(f"AIKV_SEED={self.seed}: {min(SITES, len(tried))} of {len(tried)} faults tried, {hits} met")
        self.assertEqual(problems, [], f"AIKV_SEED={self.seed}")

    def test_a_new_node_survives_each_failing_call(self):
        self.check(None, {})

    def test_a_node_that_recovers_survives_each_failing_call(self):
        kept = Outcome({})
        self.node.start()
        self.script(kept, b"before")
        self.node.kill()
        base = self.folder + "/base"
        shutil.copytree(self.disk, base)
        self.check(base, kept.kept)


if __name__ == "__main__":
    unittest.main()
