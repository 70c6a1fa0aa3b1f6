"""aikv check and aikv repair on directories of real nodes: what check says is what a start does, and what repair makes good starts."""
import hashlib
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from cluster import BINARY, Node, free_ports, until

OK, USAGE, LOCKED, FORMAT = 0, 2, 4, 5
KEYS = 2000


def run(*arguments):
    """(exit code, everything it said)"""
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout + done.stderr


def files(folder):
    return sorted(os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)


def digest(folder):
    found = {}
    for path in files(folder):
        with open(path, "rb") as f:
            found[path] = hashlib.file_digest(f, "sha256").hexdigest(), os.stat(path).st_mtime_ns
    return found


def flip(path, at, bit=1):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ bit]))


def used(path):
    """Up to the last byte that is not zero."""
    with open(path, "rb") as f:
        return len(f.read().rstrip(b"\0"))


class CheckAndRepair(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.node = Node(self.folder, "n", free_ports(1), ["--durability", "always"])
        self.addCleanup(lambda: self.node.is_running() and self.node.kill())
        self.pristine = self.folder + "/pristine"

    def segment(self):
        """The log's segment that is in use, and how much of it."""
        return max(((path, used(path)) for path in files(self.node.data + "/log")), key=lambda found: found[1])

    def fill(self, checkpoint=True):
        """Keys of which half are in the checkpoint, as a kill leaves them."""
        self.node.start()
        with self.node.client() as c:
            c("SELECT", "5")
            c("SET", "gone", "soon")
            c("FLUSHDB")
            c("SELECT", "3")
            for i in range(KEYS):
                if i == KEYS // 2 and checkpoint:
                    self.node.stop()
                    self.node.start()
                    c = self.node.client()
                    c("SELECT", "3")
                c("SET", f"key{i}", f"value{i}" * 30, *(["EX", "10000"] if i % 10 == 0 else []))
        self.node.kill()
        self.copy(self.node.data, self.pristine)

    def copy(self, source, target):
        shutil.rmtree(target, True)
        subprocess.run(["cp", "-r", "--sparse=always", source, target], check=True)

    def restore(self):
        self.copy(self.pristine, self.node.data)

    def starts(self):
        """Whether a node starts on the directory; it is killed again."""
        self.node.start(wait=False)
        until("it is ready or has ended", lambda: os.path.exists(self.node.ready) or self.node.process.poll() is not None)
        if self.node.is_running():
            self.node.kill()
            return True
        self.assertEqual(self.node.process.returncode, FORMAT, self.node.log()[-500:])
        return False

    def assert_counts_are_right(self):
        with self.node.client() as c:
            c("SELECT", "3")
            self.assertEqual(c("DBSIZE"), len(c("KEYS", "*")))

    def test_check_of_a_sound_directory_is_clean_and_changes_no_byte(self):
        self.fill()
        before = digest(self.node.data)
        code, said = run("check", self.node.data)
        self.assertEqual(code, OK, said)
        self.assertRegex(said, rf"(?m)^database 3: {KEYS} keys, {KEYS // 10} expire$")
        self.assertRegex(said, r"(?m)^start: would replay \d+ records")
        self.assertTrue(said.endswith("clean\n"))
        self.assertEqual(digest(self.node.data), before)
        code, said = run("check", "--dump", self.node.data)
        self.assertEqual(code, OK, said)
        self.assertRegex(said, rf'(?m)^1/\d+ put slot=\d+ database_id=\d+ key="key{KEYS - 1}" string value="value{KEYS - 1}value.*"… of \d+ bytes$')
        self.assertRegex(said, r"(?m)^1/\d+ drop slots=0-16383 database_id=\d+$")
        self.assertEqual(digest(self.node.data), before)
        code, said = run("repair", "--cut-log", self.node.data)
        self.assertEqual(code, OK)
        self.assertIn("a start accepts this directory: nothing was changed", said)
        self.assertEqual(digest(self.node.data), before)

    def test_a_directory_in_use_or_without_a_node_is_refused(self):
        self.node.start()
        for command in "check", "repair":
            self.assertEqual(run(command, self.node.data)[0], LOCKED)
            self.assertEqual(run(command, self.folder)[0], USAGE)
            self.assertEqual(run(command, self.folder + "/nothing")[0], USAGE)
            self.assertEqual(run(command)[0], USAGE)
            self.assertEqual(run(command, "--nothing", self.node.data)[0], USAGE)
            self.assertEqual(run(command, "--help")[0], OK)
        self.assertEqual(run("chekc", self.node.data)[0], USAGE)

    def ways_to_damage(self, chance):
        """(what, function) of flipped bits, cut and missing files, for each kind of file."""
        log, log_used = self.segment()
        lmdb, node = self.node.data + "/lmdb/data.mdb", self.node.data + "/node.json"
        for path, size, times in ((log, log_used, 6), (lmdb, os.path.getsize(lmdb), 14), (node, os.path.getsize(node), 3)):
            for _ in range(times):
                at, bit = chance.randrange(size), 1 << chance.randrange(8)
                yield f"bit {bit} of byte {at} of {path}", lambda path=path, at=at, bit=bit: flip(path, at, bit)
            at = chance.randrange(size)
            yield f"{path} cut at {at}", lambda path=path, at=at: os.truncate(path, at)
            yield f"{path} removed", lambda path=path: os.unlink(path)

    def test_what_check_says_a_start_does(self):
        self.fill()
        seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 32)))
        print(f"AIKV_SEED={seed}", flush=True)
        for what, damage in list(self.ways_to_damage(random.Random(seed))):
            self.restore()
            damage()
            before = digest(self.node.data)
            code, said = run("check", self.node.data)
            self.assertIn(code, (OK, FORMAT), (what, said))
            self.assertEqual(digest(self.node.data), before, what)
            self.assertNotIn("AddressSanitizer", said, what)
            started = self.starts()
            if code == OK:
                self.assertTrue(started, (what, said, self.node.log()[-500:]))
            if "start: would replay" in said:  # what is damaged is not read by a start
                self.assertTrue(started, (what, said, self.node.log()[-500:]))
            if "start: would be refused" in said and "lmdb" not in what:  # damaged pages may read otherwise to who has filled up the file
                self.assertFalse(started, (what, said))

    def test_a_damaged_log_is_cut_only_when_asked_and_the_rest_starts(self):
        self.fill()
        path, size = self.segment()
        with open(path, "rb") as f:  # within a value: the padding behind a record says nothing
            flip(path, f.read().index(b"value", size // 2))
        self.assertFalse(self.starts())
        code, said = run("check", self.node.data)
        self.assertEqual(code, FORMAT)
        self.assertRegex(said, rf"(?m)^log: DAMAGED: {re.escape(path)}: offset \d+: .*intact up to 1/\d+\)$")
        before = digest(self.node.data)
        code, said = run("repair", self.node.data)
        self.assertEqual(code, FORMAT, said)
        kept, first, last = map(int, re.search(r"up to batch 1/(\d+) and loses what was written after it: batches 1/(\d+) to 1/(\d+) at least", said).groups())
        self.assertEqual(first, kept + 1)
        self.assertIn("nothing was changed: give --cut-log to do it", said)
        self.assertEqual(digest(self.node.data), before)
        code, said = run("repair", "--cut-log", self.node.data)
        self.assertEqual(code, OK, said)
        aside = re.search(r"what was taken away is in (\S+)", said)[1]
        with open(path.replace(self.node.data, aside), "rb") as f:
            self.assertEqual(hashlib.file_digest(f, "sha256").hexdigest(), before[path][0], "what was there is kept")
        self.assertEqual(run("check", self.node.data)[0], OK)
        self.node.start()
        self.assert_counts_are_right()
        with self.node.client() as c:
            c("SELECT", "3")
            there = [c("GET", f"key{i}") for i in range(KEYS)]
            lost = sum(value is None for value in there)
            self.assertEqual(there, [f"value{i}" * 30 for i in range(KEYS - lost)] + [None] * lost)
            self.assertEqual(lost, last - kept, "batch by batch")
        self.assertEqual(self.node.stop(), OK)
        self.node.start()
        self.assert_counts_are_right()
        self.node.stop()

    def test_a_missing_log_leaves_the_checkpoint(self):
        self.fill()
        shutil.rmtree(self.node.data + "/log")
        self.assertFalse(self.starts())
        code, said = run("repair", "--cut-log", self.node.data)
        self.assertEqual(code, OK, said)
        self.assertIn("how many batches cannot be told", said)
        self.node.start()
        self.assert_counts_are_right()
        self.node.stop()

    def test_a_lost_checkpoint_is_made_anew_from_a_whole_log(self):
        self.fill(checkpoint=False)
        os.truncate(self.node.data + "/lmdb/data.mdb", 100)
        self.assertFalse(self.starts())
        self.assertEqual(run("repair", "--cut-log", self.node.data)[0], FORMAT)
        code, said = run("repair", "--rebuild-checkpoint", self.node.data)
        self.assertEqual(code, OK, said)
        code, said = run("check", self.node.data)
        self.assertEqual(code, OK, said)
        self.assertRegex(said, rf"(?m)^checkpoint: .* rows, {KEYS // 10} expire,")
        self.node.start()
        self.assert_counts_are_right()
        self.assertEqual(self.node("SELECT", "3"), "OK")
        with self.node.client() as c:
            c("SELECT", "3")
            self.assertEqual(c("DBSIZE"), KEYS)
        self.node.stop()

    def test_a_lost_checkpoint_without_its_log_needs_a_backup(self):
        self.fill()
        shutil.rmtree(self.node.data + "/log")
        os.truncate(self.node.data + "/lmdb/data.mdb", 100)
        before = digest(self.node.data)
        code, said = run("repair", "--cut-log", "--rebuild-checkpoint", self.node.data)
        self.assertEqual(code, FORMAT, said)
        self.assertIn("restore a backup", said)
        self.assertEqual(digest(self.node.data), before)


if __name__ == "__main__":
    unittest.main()
