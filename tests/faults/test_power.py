"""Power cuts under load: the node's calls are journalled (shim.c), and a disk as a cut may leave it at some point of the journal is made
(disk.py), with what was not synced lost, torn or reordered. The node is started on that, some times with a second cut while it recovers.
`always` keeps all that was acknowledged before the cut; the other modes what was before the first write to the log that is not synced, and
a beginning of the history in any case."""
import os
import shutil
import tempfile
import time
import unittest

from cluster import until
from disk import REPLY, SYNC_BEGIN, SYNC_END, WRITE, ZEROS, Disk, Journal, copy_tree
from history import HEAVY, SMALL, Load, Server, dump, memory_folder, seeded

CUTS = int(os.environ.get("AIKV_CUTS", 200 if os.environ.get("AIKV_LONG") else 20))
CUTS_A_RUN = 4


class Power(unittest.TestCase):
    def setUp(self):
        self.seed, self.rng = seeded()
        self.folder = tempfile.mkdtemp(prefix="aikv-power-", dir=memory_folder())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.journal = self.folder + "/journal"
        self.disk, self.base, self.image = (f"{self.folder}/{name}" for name in ("disk", "base", "image"))
        self.node = Server(self.folder)
        self.node.data = self.disk + "/data"
        self.addCleanup(lambda: self.node.is_running() and self.node.kill())
        os.mkdir(self.disk)

    def fresh(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def shimmed(self):
        """From here on the node's calls are journalled; what there is is what the disk begins as."""
        copy_tree(self.disk, self.fresh(self.base))
        if os.path.exists(self.journal):
            os.unlink(self.journal)
        self.node.shim(ROOT=self.disk, JOURNAL=self.journal, SYNC_US=self.rng.choice((0, 500, 2000)))

    def cut(self, journal):
        """A point of the journal: any, or beside a sync, or among the writes of LMDB."""
        n = len(journal)
        which = self.rng.random()
        served = next((i for i, r in enumerate(journal.records) if r[0] == REPLY), 0)
        if which < 0.2:
            return n
        if which < 0.5:
            return self.rng.randrange(served if self.rng.random() < 0.8 else 0, n + 1)
        if which < 0.7:
            wanted = [i for i, r in enumerate(journal.records) if r[0] == SYNC_END and i > served]
        else:
            wanted = [i for i, r, path in journal.named() if r[0] == WRITE and path.endswith("data.mdb")]
        return min(n, max(0, self.rng.choice(wanted or [n]) + self.rng.randrange(-1, 3)))

    def after(self, journal, cut):
        """The disk as the cut leaves it, in place of the node's. Its temper, and the record with the first write to the log that was not synced."""
        disk = Disk(self.disk, self.base).play(journal.records[:cut])
        temper = disk.write_to(self.fresh(self.image), self.rng)
        os.rename(self.image, self.fresh(self.disk))
        return temper, disk.first_unsynced(r"/log/\d+\.log$", cut)

    def recover(self, how):
        """What the node has on its disk; the power may be cut once more while it looks."""
        if self.rng.random() < 0.3:
            self.shimmed()
            self.node.start()
            self.node.kill()
            journal = Journal(self.journal)
            cut = self.rng.randrange(len(journal) + 1)
            how += f", again at {cut} of {len(journal)}, {self.after(journal, cut)[0]}"
        self.node.shim().start()
        return dump(self.node.port), how

    def test_a_power_cut_loses_only_what_the_mode_allows_and_that_from_the_end(self):
        load = Load(self.rng)
        cuts = sent = bound = lost = checkpoint_writes = 0
        while cuts < CUTS:
            run = cuts // CUTS_A_RUN
            mode, is_heavy = ("always", "everysec", "no")[run % 3], run % 2 == 1
            memory = SMALL if is_heavy else self.rng.choice((SMALL, "0"))
            self.node.arguments = ["--durability", mode, "--maxmemory", memory]
            self.shimmed()
            self.node.start()
            load.start(self.node.port, HEAVY if is_heavy else 0.5)
            if is_heavy:
                until("a checkpoint ends", lambda: self.node.checkpoints() >= 1)
            time.sleep(self.rng.choice((0.2, 0.6, 1.3)) * self.rng.random())
            self.node.kill()
            load.end()
            sent += load.sent()
            journal = Journal(self.journal)
            checkpoint_writes += sum(r[0] == WRITE and path.endswith("data.mdb") for _, r, path in journal.named())
            began = self.base
            for _ in range(CUTS_A_RUN):
                cut = self.cut(journal)
                how = f"AIKV_SEED={self.seed}, cut {cuts}: {mode}, maxmemory {memory}, at {cut} of {len(journal)}, "
                self.base = began
                temper, unsynced = self.after(journal, cut)
                self.base = self.folder + "/recovery"
                state, how = self.recover(how + temper)
                must = journal.replied(cut if mode == "always" else unsynced)
                self.assertEqual(load.problems(state, must), [], how)
                bound += sum(must.values())
                lost += sum(journal.replied(len(journal)).values()) - sum(must.values())
                cuts += 1
                self.node.kill()
            self.base = began
            load.begin(state)
        print(f"{cuts} cuts, {sent} commands, {checkpoint_writes} writes of LMDB's; bytes of replies that had to be kept: {bound}, that came later: {lost}")
        self.assertGreater(min(sent, bound, lost, checkpoint_writes), 0)

    def test_a_first_start_may_be_cut_anywhere(self):
        self.node.arguments = ["--durability", "always"]
        self.shimmed()
        self.node.start()
        self.assertEqual(self.node("SET", "first", "write"), "OK")
        self.node.kill()
        journal = Journal(self.journal)
        points = [i + 1 for i, record in enumerate(journal.records) if record[0] not in (ZEROS, SYNC_BEGIN, SYNC_END)]
        for cut in points + [len(journal)]:
            Disk(self.disk, self.base).play(journal.records[:cut]).top.write_to(self.fresh(self.image), self.rng, "none")
            os.rename(self.image, self.fresh(self.disk))
            self.node.shim().start()
            if journal.replied(cut):
                self.assertEqual(self.node("GET", "first"), "write", f"AIKV_SEED={self.seed}, cut at {cut} of {len(journal)}")
            self.node.kill()


if __name__ == "__main__":
    unittest.main()
