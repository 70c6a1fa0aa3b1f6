"""kill -9 at a random instant under load, again and again on the same data: every acknowledged write is there, no other in part, nothing
that was never sent; in all three modes, with rows evicted and checkpoints under way."""
import os
import shutil
import tempfile
import time
import unittest

from cluster import until
from history import HEAVY, SMALL, Load, Server, dump, memory_folder, seeded

KILLS = int(os.environ.get("AIKV_KILLS", 200 if os.environ.get("AIKV_LONG") else 20))


class Crash(unittest.TestCase):
    def test_kill_9_loses_and_tears_nothing(self):
        seed, rng = seeded()
        folder = tempfile.mkdtemp(prefix="aikv-crash-", dir=memory_folder())
        self.addCleanup(shutil.rmtree, folder, True)
        node, sent, found, load = Server(folder), 0, 0, Load(rng)
        for kill in range(KILLS):
            is_heavy = kill % 4 == 3
            mode, memory = rng.choice(("always", "everysec", "no")), SMALL if is_heavy else rng.choice((SMALL, "64mb", "0"))
            how = f"AIKV_SEED={seed}, kill {kill}, {mode}, maxmemory {memory}"
            node.arguments = ["--durability", mode, "--maxmemory", memory]
            node.start()
            self.addCleanup(lambda process: process.poll() is None and process.kill(), node.process)
            state = dump(node.port)
            self.assertEqual(load.problems(state), [], how)
            found += len(state)
            load.begin(state)
            load.start(node.port, HEAVY if is_heavy else rng.choice((0.3, 1, 3)))
            if is_heavy:
                until("a checkpoint begins", node.checkpoints)
            time.sleep(rng.choice((0.01, 0.1, 0.3, 1.0)) * rng.random())
            node.kill()
            load.end()
            sent += load.sent()
        node.start()
        self.assertEqual(load.problems(dump(node.port)), [], f"AIKV_SEED={seed}, after the last kill")
        self.assertEqual(node.stop(), 0)
        print(f"{KILLS} kills, {sent} commands, {found} keys found at the starts")
        self.assertGreater(min(sent, found), 0)


if __name__ == "__main__":
    unittest.main()
