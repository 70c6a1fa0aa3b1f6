"""Plays random requests on both servers and compares: every reply, every keyspace notification, and at times all that is held."""

import argparse
import os
import random
from collections import Counter

from random_basic import Maker
from random_big import BigMaker
from random_compare import close_enough, is_comparable, may_differ_in_effect, show, shorten
from random_geo import GeoMaker
from random_keyed import KeyedMaker
from random_large import LargeMaker
from random_pubsub import Subscribers
from random_scan import Scan
from random_servers import Listener, Pair, Wrong, first_difference
from random_stream import StreamMaker
from random_wait import Waiters
from random_zset import ZsetMaker
from resp import Closed, escape, render

BOUNDS = {  # of what is small: mostly the usual ones
    "hash-max-listpack-entries": ["512", "512", "20"], "hash-max-listpack-value": ["64", "64", "10"], "set-max-intset-entries": ["512", "512", "30"],
    "zset-max-listpack-entries": ["128", "128", "10"], "zset-max-listpack-value": ["64", "64", "5"],
}
FLUSHES = ["FLUSHDB", "FLUSHALL", "SWAPDB"]


class Game:
    """`is_big`: with collections of thousands of elements, and as many keys, which are rarely flushed. `history` is a file, or None."""

    def __init__(self, ports, seed, is_big=False, history=None):
        self.ports, self.rng, self.is_big, self.history = ports, random.Random(seed), is_big, history
        rng = self.rng
        self.large = LargeMaker(rng)
        self.transacting = [Maker(rng), KeyedMaker(rng)]
        self.makers = self.transacting + [ZsetMaker(rng), GeoMaker(rng), StreamMaker(rng)]
        if is_big:
            self.makers += 3 * [BigMaker(rng)]
        self.bounds = [word for name, values in BOUNDS.items() for word in (name, rng.choice(values))]
        self.counts = Counter()
        self.open()
        self.pairs[0].ask([["FLUSHALL"]])
        self.listener.heard()

    def open(self):
        self.pairs = [Pair(self.ports, 2), Pair(self.ports, 3)]
        self.whole = Pair(self.ports, 3)
        self.listener = Listener(self.ports)
        for speaker in self.listener.speakers:
            speaker.ask("CONFIG", "SET", *self.bounds)
        self.waiters = Waiters(self.ports, self.rng, self.listener)
        self.subscribers = Subscribers(self.ports, self.rng)
        self.scan = Scan(self.rng, self.whole.both[1])

    def close(self):
        """All connections; open() makes new ones."""
        for each in self.pairs + [self.whole, self.listener, self.waiters, self.subscribers]:
            each.close()

    def batch(self):
        kind = self.rng.random()
        if kind < 0.2:
            requests = [self.large.request()]
        elif kind < 0.5:
            requests = self.rng.choice(self.transacting).transaction()
            if self.rng.random() < 0.3:  # nobody waits there
                requests.insert(requests.index(["MULTI"]) + 1, self.waiters.request())
        else:
            requests = [self.rng.choice(self.makers).request() for _ in range(self.rng.choice([1, 1, 1, 5, 50]))]
        return [request for request in requests if is_comparable(request) and not self.flushes_too_much(request)]

    def flushes_too_much(self, request):
        return self.is_big and request[0].upper() in FLUSHES and self.rng.random() < 0.95

    def play(self, pair, requests):
        if any(each.watches for each in self.pairs) or any(request[0].upper() == "WATCH" for request in requests):
            requests = [request for request in requests if not may_differ_in_effect(request)]
        if self.waiters.wait():  # Redis serves them in an order that it does not tell
            requests = [request for request in requests if request[0].upper() != "SWAPDB"]
        self.note(requests, "%d: " % self.pairs.index(pair))
        try:
            redis, aikv = pair.ask(requests)
        except Closed:
            raise Wrong("a server closed the connection in:\n  " + "\n  ".join(show(r) for r in requests)) from None
        for request, theirs, ours in zip(requests, redis, aikv):
            self.count(request, theirs)
            queued = pair.queued
            if not pair.compare(request, theirs, ours):
                raise unequal(*first_unequal(queued, theirs, ours) if request[0].upper() == "EXEC" else (show(request), theirs, ours))
        self.compare_events(requests)

    def note(self, requests, who=""):
        if self.history:
            self.history.write("".join("%s%s\n" % (who, " ".join('"%s"' % escape(word.encode("latin-1")) for word in request)) for request in requests))

    def count(self, request, reply):
        self.counts["requests"] += 1
        self.counts["errors"] += reply.kind == "-"
        if request[0].upper() == "EXEC" and reply.kind in "*_":
            self.counts["run" if reply.value is not None else "not run"] += 1

    def compare_events(self, requests):
        redis, aikv = self.listener.heard()
        self.counts["events"] += len(redis)
        if redis != aikv and not any(may_differ_in_effect(request) for request in requests):
            raise Wrong("told of other events in:\n  %s\n    by redis   %s\n    by aikv   %s" %
                        ("\n  ".join(map(show, requests)), redis, aikv))

    def compare_whole(self):
        difference = first_difference(self.whole)
        self.counts["whole"] += 1
        if difference:
            raise unequal(*difference)

    def turn(self):
        """One thing that may happen. Raises Wrong."""
        kind = self.rng.random()
        if kind < 0.05:
            self.counts["requests"] += 1
            requests = self.waiters.turn()
            self.note(requests)
            self.compare_events(requests)
        elif kind < 0.07:
            self.counts["requests"] += 1
            self.subscribers.turn(self.pairs)
        elif kind < 0.1:
            self.scan_on()
        else:
            self.play(self.rng.choice(self.pairs), self.batch())
        self.waiters.settle()
        if self.rng.random() < (0.001 if self.is_big else 0.02):
            self.compare_whole()

    def scan_on(self):
        if self.scan.is_over():
            self.counts["scans"] += 1
            self.scan = Scan(self.rng, self.scan.connection)
        self.scan.go_on()

    def summary(self):
        return ("%(requests)d requests, %(errors)d of them answered with errors, all equal; %(run)d transactions run, %(not run)d not "
                "since a key had changed; %(events)d events; all that is held compared %(whole)d times, %(scans)d scans") % self.counts


def first_unequal(queued, redis, aikv):
    """Within the replies to EXEC."""
    pairs = zip(queued, redis.value, aikv.value) if isinstance(redis.value, list) and isinstance(aikv.value, list) else []
    for request, theirs, ours in pairs:
        if not close_enough(request, theirs, ours):
            return "EXEC: " + show(request), theirs, ours
    return "EXEC", redis, aikv


def unequal(what, redis, aikv):
    return Wrong("%s\n    redis says   %s\n    aikv says   %s" % (what, shorten(render(redis)), shorten(render(aikv))))


def parser(description):
    """Of the arguments of both programs."""
    out = argparse.ArgumentParser(description=description)
    out.add_argument("--redis", type=int, metavar="PORT", required=True)
    out.add_argument("--seed", type=int, default=int(os.environ.get("AIKV_SEED") or random.SystemRandom().randrange(1, 1 << 31)))
    out.add_argument("--big", action="store_true", help="with collections of thousands of elements, and as many keys")
    out.add_argument("--history", type=argparse.FileType("w", encoding="utf-8"), help="writes the requests there, for who looks for a difference")
    return out


def report(game, program, seed, run):
    """Runs it, says how it went, and returns the exit code."""
    print("random requests: AIKV_SEED=%d" % seed)
    try:
        run()
    except Wrong as wrong:
        print("about request %d: %s\nagain with: %s --seed %d\n0 passed, 1 failed" % (game.counts["requests"], wrong, program, seed))
        return 1
    print(game.summary() + "\n1 passed, 0 failed")
    return 0
