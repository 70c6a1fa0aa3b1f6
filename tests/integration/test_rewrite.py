"""CONFIG REWRITE: what CONFIG SET changed goes into the configuration file."""
import os
import shutil
import stat
import tempfile
import unittest

from cluster import Node, ReplyError, free_ports


class Rewrite(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.path = os.path.join(self.folder, "node.toml")
        self.port = free_ports(1)

    def write(self, text):
        with open(self.path, "w") as f:
            f.write(text)

    def text(self):
        with open(self.path) as f:
            return f.read()

    def start(self, *arguments):
        node = Node(self.folder, "n", self.port, arguments or ["--config", self.path]).start()
        self.addCleanup(node.kill)
        return node

    def test_only_what_was_set_changes_and_comments_stay(self):
        self.write("# a node\n[server] # for clients\nmaxclients = 100   # few\nmaxmemory = \"1gb\"\n\n[storage]\n"
                   "durability = 'everysec' # \u00e9 literal\n[slowlog]\nmax-len = 0x10")
        os.chmod(self.path, 0o640)
        node = self.start()
        node("CONFIG", "SET", "maxclients", 55, "timeout", 9, "slowlog-max-len", 7, "maxmemory", "2gb")
        node("CONFIG", "SET", "latency-tracking", "no", "latency-tracking-info-percentiles", "50 99", "appendfsync", "no")
        self.assertEqual(node("CONFIG", "REWRITE"), "OK")
        self.assertEqual(self.text(), "# a node\n[server] # for clients\ntimeout = 9\nmaxclients = 55   # few\nmaxmemory = 2147483648\n\n[storage]\n"
                                      "durability = \"no\" # \u00e9 literal\n[slowlog]\nmax-len = 7\n\n[latency]\n"
                                      "tracking-info-percentiles = \"50 99\"\ntracking = false\n")
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o640)
        self.assertNotIn("node.toml.new", os.listdir(self.folder))
        node.stop()
        again = self.start()
        self.assertEqual(again("CONFIG", "GET", "timeout"), ["timeout", "9"])
        self.assertEqual(again("CONFIG", "GET", "latency-tracking"), ["latency-tracking", "no"])

    def test_a_part_of_the_output_limits_is_set_in_the_file_and_at_run_time(self):
        self.write("[server]\nclient-output-buffer-limit = \"pubsub 1mb 512kb 5\"\n")
        node = self.start()
        name = "client-output-buffer-limit"
        self.assertEqual(node("CONFIG", "GET", name)[1], "normal 1073741824 0 0 slave 268435456 67108864 60 pubsub 1048576 524288 5")
        node("CONFIG", "SET", name, "normal 2gb 0 0")
        self.assertEqual(node("CONFIG", "REWRITE"), "OK")
        node.stop()
        self.assertEqual(self.start()("CONFIG", "GET", name)[1], "normal 2147483648 0 0 slave 268435456 67108864 60 pubsub 1048576 524288 5")

    def test_a_setting_out_of_its_range_is_refused_with_the_range(self):
        self.write("[server]\nmaxmemory-samples = 65\n")
        with self.assertRaisesRegex(AssertionError, "maxmemory-samples takes 1 to 64, not '65'"):
            self.start()

    def test_a_password_comes_back_as_it_was(self):
        self.write("")
        password = "a\"b\\c # \u00e9"
        node = self.start()
        with node.client() as client:
            client("CONFIG", "SET", "requirepass", password)
            self.assertEqual(client("CONFIG", "REWRITE"), "OK")
        self.assertEqual(self.text(), "[server]\nrequirepass = \"a\\\"b\\\\c # \u00e9\"\n")
        node.kill()
        with self.start().client() as client:
            self.assertEqual(client("AUTH", password), "OK")

    def test_nothing_set_changes_nothing(self):
        self.write("[server]\r\nmaxclients = 100\r\n")
        before = os.stat(self.path)
        node = self.start()
        self.assertEqual(node("CONFIG", "REWRITE"), "OK")
        with self.assertRaisesRegex(ReplyError, "CONFIG SET failed"):
            node("CONFIG", "SET", "timeout", "7", "maxclients", "many")
        self.assertEqual(node("CONFIG", "REWRITE"), "OK")
        after = os.stat(self.path)
        self.assertEqual((after.st_ino, after.st_mtime_ns), (before.st_ino, before.st_mtime_ns))

    def test_without_a_file_it_says_so(self):
        node = self.start("--maxclients", "100")
        with self.assertRaisesRegex(ReplyError, "^ERR The server is running without a config file$"):
            node("CONFIG", "REWRITE")

    def test_a_file_that_cannot_be_added_to_stays_as_it_was(self):
        for text in ("server.maxclients = 100\n", "server = {maxclients = 100}\n", "[server]\nmaxclients = 100\n"):
            self.write(text)
            node = self.start()
            node("CONFIG", "SET", "timeout", 9)
            if text.startswith("["):
                os.remove(self.path)
            with self.assertRaisesRegex(ReplyError, "^ERR Rewriting config file: "):
                node("CONFIG", "REWRITE")
            self.assertEqual(os.path.exists(self.path) and self.text(), not text.startswith("[") and text)
            self.assertFalse(os.path.exists(self.path + ".new"))
            node.stop()

    def test_a_symbolic_link_stays_one(self):
        self.write("[server]\nmaxclients = 100\n")
        os.rename(self.path, self.folder + "/real.toml")
        os.symlink("real.toml", self.path)
        node = self.start()
        node("CONFIG", "SET", "maxclients", 99)
        self.assertEqual(node("CONFIG", "REWRITE"), "OK")
        self.assertTrue(os.path.islink(self.path))
        self.assertEqual(self.text(), "[server]\nmaxclients = 99\n")


if __name__ == "__main__":
    unittest.main()
