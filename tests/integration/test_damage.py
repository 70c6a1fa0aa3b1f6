"""One node whose disk is full, forbidden or damaged: it says what is wrong, with the exit code for it, and is not killed by a signal."""
import os
import shutil
import subprocess
import tempfile
import threading
import unittest

from cluster import BINARY, Client, Node, ReplyError, free_ports, until

USAGE, FORMAT, PERMISSION = 2, 5, 6
NOBODY = 65534


class Damage(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o755)
        self.node = Node(self.folder, "n", free_ports(1))
        self.file = os.path.join(self.node.data, "lmdb", "data.mdb")

    def fill(self, keys=3000):
        self.node.start()
        with self.node.client() as c:
            for i in range(keys):
                c.send("SET", f"key{i}", f"value{i}" * 20)
            for i in range(keys):
                self.assertEqual(c.read(), "OK")
        self.assertEqual(self.node.stop(), 0)

    def outcome(self, data=None, **how):
        """(exit code, what was said) of a start that should fail."""
        done = subprocess.run([BINARY, "--port", "0", "--data-dir", data if data is not None else self.node.data], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL, **how)
        return done.returncode, done.stderr

    def assert_refused(self, code, said, data=None, **how):
        got, text = self.outcome(data, **how)
        self.assertEqual(got, code, text)
        self.assertIn(said, text)

    def test_a_store_cut_short_is_damage_wherever_it_was_cut(self):
        self.fill()
        whole = os.path.getsize(self.file)
        kept = self.folder + "/kept"
        shutil.copy(self.file, kept)
        for size in (1, 100, 4096, 8192, whole // 4, whole // 2):
            os.truncate(self.file, size)
            code, text = self.outcome()
            self.assertEqual(code, FORMAT, (size, text))
            shutil.copy(kept, self.file)
        self.node.start()
        self.addCleanup(self.node.kill)
        self.assertEqual(self.node("GET", "key7"), "value7" * 20)

    def test_a_store_that_went_missing_is_not_made_anew(self):
        self.fill(10)
        os.truncate(self.file, 0)
        self.assert_refused(FORMAT, "data.mdb' is missing or empty")
        os.unlink(self.file)
        self.assert_refused(FORMAT, "data.mdb' is missing or empty")
        shutil.rmtree(self.node.data + "/lmdb")
        self.assert_refused(FORMAT, "data.mdb' is missing or empty")

    def test_data_without_its_node_file_is_refused(self):
        self.fill(10)
        os.unlink(self.node.data + "/node.json")
        self.assert_refused(FORMAT, "no node.json")

    def test_a_node_file_that_makes_no_sense_is_refused(self):
        self.fill(10)
        path = self.node.data + "/node.json"
        with open(path) as f:
            good = f.read()
        for bad in ("", "{", "[]", "\0\xff", good.replace('"incarnation": 1', '"incarnation": -5'), good.replace('"raft_id": 0', '"raft_id": "x"')):
            self.assertNotEqual(bad, good)
            with open(path, "w") as f:
                f.write(bad)
            self.assert_refused(FORMAT, "node.json")

    def test_a_path_that_leads_nowhere_is_a_matter_of_configuration(self):
        for path in ("/proc/nothing/here", "/dev/null", "/etc/passwd", ""):
            self.assert_refused(USAGE, "data directory" if path[1:5] == "proc" else path or "data_dir must not be empty", data=path)

    def test_a_directory_the_process_may_not_use_is_named(self):
        if os.getuid() != 0:
            self.skipTest("only root can become somebody else")
        self.fill(10)
        for path, said in (("lmdb/data.mdb", "lmdb"), ("lmdb", "lmdb"), (".", "LOCK")):
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", self.node.data], check=True)
            subprocess.run(["chown", "-R", "0:0", f"{self.node.data}/{path}"], check=True)
            for target, mode in ((self.node.data, 0o755), (f"{self.node.data}/{path}", 0o700)):
                os.chmod(target, mode)
            self.assert_refused(PERMISSION, said, user=NOBODY, group=NOBODY, extra_groups=[])

    def test_a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing_acknowledged(self):
        os.makedirs(self.node.data)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=230m", "none", self.node.data], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.node.data], check=True)
        self.node.start()
        written = 0
        with self.node.client() as c:
            with self.assertRaisesRegex(ReplyError, "^MISCONF"):
                while written < 5000:
                    c("SET", f"k{written}", "x" * 100_000)
                    written += 1
            self.assertGreater(written, 100)
            self.assertEqual(c("STRLEN", "k0"), 100_000, "reads go on")
            with self.assertRaisesRegex(ReplyError, "^ERR the checkpoint cannot be written: .*No space left"):
                c("SAVE")
            info = self.node.info(section="persistence")
            self.assertEqual((info["aikv_writes"], info["aikv_log_status"], info["aof_last_write_status"]), ("refused", "ok", "err"))
            self.assertIn("No space left", info["aikv_write_error"])
            subprocess.run(["mount", "-o", "remount,size=900m", self.node.data], check=True)
            until("writes are taken again", lambda: c("SET", "again", "yes") == "OK")
        self.node.kill()
        self.node.start()
        for i in range(written):
            self.assertEqual(self.node("STRLEN", f"k{i}"), 100_000)
        self.assertEqual(self.node("GET", "again"), "yes")
        self.node.kill()

    def test_sigterm_under_load_waits_for_the_disk_and_no_longer(self):
        self.node.start()
        stop = threading.Event()
        writers = [threading.Thread(target=self.write, args=(i, stop)) for i in range(8)]
        for w in writers:
            w.start()
        until("there is load", lambda: int(self.node("GET", "w0") or 0) > 50)
        for _ in range(3):  # an impatient operator
            self.node.process.terminate()
        self.assertEqual(self.node.stop(), 0)
        stop.set()
        for w in writers:
            w.join()
        self.assertNotIn("not all that was accepted", self.node.log())

    def write(self, i, stop):
        try:
            with Client(self.node.port) as c:
                while not stop.is_set():
                    c("INCR", f"w{i}")
        except (OSError, ConnectionError):
            pass


if __name__ == "__main__":
    unittest.main()
