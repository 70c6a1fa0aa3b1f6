"""What may happen to a node, and to whom it happens just then."""
import itertools
import os
import signal
import time

from cluster import PATIENCE_S, ROOT

AWAY_S = 2  # longer than an election takes; with the second it may take to be linked again no longer than the 3 s after which a node is down


def kill(node):
    node.kill()
    node.start()


def restart(node):
    node.stop()
    node.start()


def stand_still(node, seconds=AWAY_S):
    node.process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    node.process.send_signal(signal.SIGCONT)


def cut_off(node, seconds=AWAY_S):
    """All its links to other nodes are; clients reach it."""
    with open(node.folder + "/cut", "r+b", buffering=0) as f:
        f.write(b"1")
        time.sleep(seconds)
        f.seek(0)
        f.write(b"0")


def allow_cuts(cluster):
    """To be called before its nodes start. (tests/faults/cut.c)"""
    for node in cluster.nodes:
        with open(node.folder + "/cut", "wb") as f:
            f.write(b"0")
        node.environment |= {"LD_PRELOAD": os.path.join(ROOT, "build/release/faults_cut.so"), "AIKV_CUT_FILE": node.folder + "/cut",
                             "AIKV_CUT_PORTS": f"{cluster.bus_port}-{cluster.bus_port + len(cluster.nodes) - 1}"}


class Logs:
    """What nodes write into their logs from now on."""

    def __init__(self, nodes):
        self.files = [(node, open(node.log_path, "rb")) for node in nodes]
        self.seen = {node: b"" for node in nodes}
        for _, file in self.files:
            file.seek(0, os.SEEK_END)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _, file in self.files:
            file.close()

    def wait(self, mark, over=lambda: False):
        """The node that writes `mark`, as soon as it does; None if nobody has when `over()` becomes true, which is asked now and then."""
        deadline = time.monotonic() + PATIENCE_S
        for turn in itertools.count(1):
            ends = turn % 200 == 0 and over()
            node = self.who_wrote(mark)
            if node or ends:
                return node
            assert time.monotonic() < deadline, f"{mark} was never written"
            time.sleep(0.001)

    def who_wrote(self, mark):
        for node, file in self.files:
            self.seen[node] += file.read()
            if mark in self.seen[node]:
                return node
        return None
