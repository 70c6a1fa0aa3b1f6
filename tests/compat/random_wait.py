"""Clients that wait: for elements of lists and sorted sets, for entries of streams, of keys that the other makers write."""

import select
import time

from random_compare import close_enough, show
from random_servers import Pair, Wrong
from resp import render

# Keys that hold nothing but lists, and so on: whoever waits for a key that is overwritten is served later by Redis (differences.md).
LISTS = ["l1", "l2", "{l}3"]
SORTED = ["z", "{z}2", "n", "l1"]
STREAMS = ["x", "{x}2", "x3", "z"]
CLIENTS = 3
PATIENCE_S = 20


class Waiters:
    """Each asks one thing, and waits for its reply while others go on. Both servers must let the same ones wait, and answer the same."""

    def __init__(self, ports, rng, listener):
        self.rng, self.listener = rng, listener
        self.pairs = [Pair(ports, rng.choice([2, 3])) for _ in range(CLIENTS)]
        self.names = [[connection.ask("CLIENT", "ID").value for connection in pair.both] for pair in self.pairs]
        self.asked = [None] * CLIENTS  # what each waits for

    def close(self):
        for pair in self.pairs:
            pair.close()

    def wait(self):
        return any(self.asked)

    def some(self, keys):
        return [self.rng.choice(keys) for _ in range(self.rng.choice([1, 1, 2, 3]))]

    def timeout(self):
        return self.rng.choice(["0"] * 8 + ["0.01", "-1", "x", ""])

    def request(self):
        pick, timeout = self.rng.choice, self.timeout()
        name = pick(["BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD", "XREADGROUP"])
        if name in ("BLPOP", "BRPOP"):
            return [name] + self.some(LISTS) + [timeout]
        if name in ("BZPOPMIN", "BZPOPMAX"):
            return [name] + self.some(SORTED) + [timeout]
        if name == "BRPOPLPUSH":
            return [name, pick(LISTS), pick(LISTS), timeout]
        if name == "BLMOVE":
            return [name, pick(LISTS), pick(LISTS), pick(["LEFT", "RIGHT"]), pick(["LEFT", "right", "UP"]), timeout]
        if name.startswith("XREAD"):
            keys = sorted(set(self.some(STREAMS)))  # of a stream that is named twice Redis waits for the first id alone
            count = pick([[], ["COUNT", "2"]])
            block = ["BLOCK", {"0.01": "10"}.get(timeout, timeout)]
            if name == "XREAD":
                return [name] + block + count + ["STREAMS"] + keys + [pick(["$", "5000", "0"]) for _ in keys]
            return [name, "GROUP", pick(["g", "g", "h"]), pick("cd")] + block + count + ["STREAMS"] + keys + [pick([">", ">", ">", "0"]) for _ in keys]
        keys, ends = (self.some(LISTS), ["LEFT", "right"]) if name == "BLMPOP" else (self.some(SORTED), ["MIN", "max"])
        return [name, timeout, str(len(keys))] + keys + [pick(ends)] + pick([[], ["COUNT", "3"], ["COUNT", "0"]])

    def turn(self):
        """One of them asks or, if it waits, perhaps gives up. Returns the requests that were made."""
        i = self.rng.randrange(CLIENTS)
        pair = self.pairs[i]
        if self.asked[i]:
            return self.unblock(i) if self.rng.random() < 0.3 else []
        request = self.request() if self.rng.random() < 0.9 else ["SELECT", self.rng.choice(["0", "0", "1"])]
        pair.send([request])
        self.asked[i] = request
        if "0.01" in request or "10" in request:  # nobody else may decide what comes first
            self.answer(i)
        self.settle()
        return [request]

    def unblock(self, i):
        how = self.rng.choice([[], ["TIMEOUT"], ["ERROR"]])
        for speaker, name in zip(self.listener.speakers, self.names[i]):
            speaker.ask("CLIENT", "UNBLOCK", name, *how)
        self.settle()
        return [["CLIENT", "UNBLOCK"] + how]

    def answer(self, i):
        request, self.asked[i] = self.asked[i], None
        redis, aikv = [connection.read() for connection in self.pairs[i].both]
        if not close_enough(request, redis, aikv):
            raise Wrong("to who waited with %s\n    redis says   %s\n    aikv says   %s" % (show(request), render(redis), render(aikv)))

    def answered(self, server, waiting):
        """Who has a reply to read; None: not every one has a reply or waits."""
        asking = {self.pairs[i].both[server].socket: i for i in range(CLIENTS) if self.asked[i]}
        ready = select.select(list(asking), [], [], 0)[0]
        return sorted(asking[socket] for socket in ready) if len(ready) + waiting == len(asking) else None

    def settle(self):
        """Reads what those are told who need not wait any more."""
        deadline = time.monotonic() + PATIENCE_S
        redis = aikv = None
        while self.wait() and (redis is None or redis != aikv):
            redis, aikv = (self.answered(server, waiting) for server, waiting in enumerate(self.listener.waiting()))
            if time.monotonic() > deadline:
                raise Wrong("waiting %s: redis has answered %s, aikv %s" % ([request and show(request) for request in self.asked], redis, aikv))
        for i in redis or []:
            self.answer(i)
