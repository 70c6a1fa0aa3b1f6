#!/usr/bin/python3
"""Random requests to redis-server and a node that is killed, restarted, made to write checkpoints, short of memory: all that was answered must be
there afterwards, of what was under way a beginning, and nothing else. Starts the node itself (AIKV_BINARY). See random_commands.py."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from random_compare import may_differ_in_effect, show
from random_play import Game, parser, report, unequal
from random_servers import AIKV, REDIS, Pair, Wrong, first_difference
from resp import Closed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
from cluster import BINARY, Node, free_ports  # pylint: disable=wrong-import-position

MEMORY = ["1mb", "1mb", "4mb", "0"]  # --maxmemory: rows leave it all the time, or never
DURABILITY = ["always", "everysec", "no"]
BEFORE_KILL_S = 0.02


class Faults:
    """A node, what may happen to it, and the game that goes on with it."""

    def __init__(self, redis, folder, seed, is_big, history):
        self.rng = random.Random(seed + 1)  # not the game's: what is sent does not hang on the faults
        self.redis, self.game = redis, None
        self.node = Node(folder, "node", 0)
        self.start()
        self.game = Game((redis, self.node.port), seed, is_big, history)
        self.kinds = 3 * [self.kill, self.crash] + 2 * [self.stop] + 4 * [self.checkpoint, self.configure]

    def start(self):
        self.node.arguments = ["--enable-debug-command", "yes", "--durability", self.rng.choice(DURABILITY), "--maxmemory", self.rng.choice(MEMORY)]
        self.node.port = free_ports(1)  # somebody else may have taken the last one meanwhile
        self.node.start()
        if self.game:
            self.game.ports = (self.redis, self.node.port)

    def happen(self):
        kind = self.rng.choice(self.kinds)
        self.game.note([["# " + kind.__name__]])
        self.game.counts[kind.__name__] += 1
        kind()

    # ---- the node goes on ----

    def ask(self, *words):
        return self.game.listener.speakers[1].ask(*words)

    def checkpoint(self):
        reply = self.ask("BGSAVE")
        if reply.kind == "-" and b"in progress" not in reply.value:
            raise Wrong("BGSAVE: %s" % reply)

    def configure(self):
        request = self.rng.choice([["appendfsync", self.rng.choice(DURABILITY)], ["maxmemory", self.rng.choice(MEMORY)]])
        if self.ask("CONFIG", "SET", *request).value != b"OK":
            raise Wrong("CONFIG SET %s" % show(request))

    # ---- the node ends, and starts again ----

    def stop(self):
        self.game.close()
        ended = self.node.stop()
        if ended != 0:
            raise Wrong("the node ended with %s" % ended)
        self.restart()

    def kill(self):
        if self.rng.random() < 0.3:
            self.checkpoint()
        self.node.kill()
        self.game.close()
        self.restart()

    def restart(self):
        if self.rng.random() < 0.3:
            self.check()
        self.start()
        self.game.open()
        self.game.compare_whole()

    def check(self):
        done = subprocess.run([BINARY, "check", self.node.data], capture_output=True, text=True, check=False)
        self.game.counts["checks"] += 1
        if done.returncode != 0:
            raise Wrong("aikv check: exit code %d\n%s%s" % (done.returncode, done.stdout, done.stderr))

    def crash(self):
        """Killed with requests under way: these go to AiKv alone, and to Redis afterwards, until both hold the same."""
        requests = [request for _ in range(self.rng.choice([1, 5, 20])) for request in self.game.batch() if not may_differ_in_effect(request)]
        replies = []
        self.game.note(requests)
        self.game.close()
        pair = Pair(self.game.ports, 3)
        killer = threading.Timer(BEFORE_KILL_S * self.rng.random() ** 2, self.node.kill)
        killer.start()
        pair.send(requests, [AIKV])
        try:
            while len(replies) < len(requests):
                replies.append(pair.both[AIKV].read())
        except Closed:
            pass
        killer.join()
        self.game.counts["under way"] += len(requests) - len(replies)
        self.check()
        self.start()
        self.catch_up(pair, requests, replies)
        pair.close()
        self.game.open()
        self.game.compare_whole()

    def catch_up(self, pair, requests, replies):
        """Has Redis do what the node has done: all that it answered, and perhaps more."""
        differences = []
        for i in range(len(requests) + 1):
            if i >= len(replies):
                difference = self.difference()
                if not difference:
                    return
                differences.append(str(unequal(*difference)))
            if i < len(requests):
                pair.send(requests[i:i + 1], [REDIS])
                reply = pair.both[REDIS].read()
                self.game.count(requests[i], reply)
            if i < len(replies) and not pair.compare(requests[i], reply, replies[i]):
                raise unequal(show(requests[i]), reply, replies[i])
        raise Wrong("%s\nafter %d of these were answered, and then perhaps some more:\n  %s" %
                    ("\nor ".join(differences), len(replies), "\n  ".join(map(show, requests))))

    def difference(self):
        whole = Pair(self.game.ports, 3)
        difference = first_difference(whole)
        whole.close()
        return difference


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--seconds", type=int, default=20)
    options = arguments.parse_args()
    folder = tempfile.mkdtemp(prefix="aikv-compat-")
    faults = Faults(options.redis, folder, options.seed, options.big, options.history)

    def run():
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            for _ in range(faults.rng.choice([1, 10, 100])):
                faults.game.turn()
            faults.happen()
        faults.stop()

    wrong = 1
    try:
        wrong = report(faults.game, "random_faults.py" + " --big" * options.big, options.seed, run)
        print(", ".join("%s %d" % (kind, faults.game.counts[kind]) for kind in ("kill", "crash", "under way", "stop", "checkpoint", "configure", "checks")))
        return wrong
    finally:
        if faults.node.is_running():
            faults.node.kill()
        if wrong:
            print("what the node has left is in " + folder)
        else:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
