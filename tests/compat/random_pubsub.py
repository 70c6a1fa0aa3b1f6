"""Subscribers, of both protocols, and who publishes."""

from random_basic import PATTERNS
from random_compare import comparable, show
from random_servers import Pair, Wrong
from resp import render

CHANNELS = ["c1", "c2", "\x00\xff", "__keyevent@0__:set"]  # none is empty: no pattern of Redis's fits it, not even * (differences.md)
MARK = b"that is all"


class Subscribers:
    def __init__(self, ports, rng):
        self.rng = rng
        self.pairs = [Pair(ports, 2), Pair(ports, 3)]

    def close(self):
        for pair in self.pairs:
            pair.close()

    def some(self, words):
        return [self.rng.choice(words) for _ in range(self.rng.choice([0, 1, 1, 2, 3]))]

    def own_request(self):
        name = self.rng.choice(["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "PING", "GET", "MULTI x"])
        words = self.some(PATTERNS if name.startswith("P") and name != "PING" else CHANNELS)
        return [name] + words[:1 if name in ("GET", "PING") else None]

    def request(self):
        pick = self.rng.choice
        if pick([True, False]):
            return [pick(["PUBLISH", "PUBLISH", "SPUBLISH"]), pick(CHANNELS), pick(["", "message", "m" * 20000])]
        return ["PUBSUB"] + pick([["CHANNELS"], ["CHANNELS", pick(PATTERNS)], ["NUMSUB"] + self.some(CHANNELS), ["NUMPAT"], ["SHARDCHANNELS"],
                                  ["SHARDNUMSUB"] + self.some(CHANNELS), ["FOO"], ["NUMPAT", "x"]])

    def turn(self, speakers):
        """A subscriber asks, or one of `speakers` does and both subscribers hear of it. Raises Wrong."""
        if self.rng.random() < 0.5:
            self.hear(self.rng.choice(self.pairs), [self.own_request()])
            return
        speaker = self.rng.choice([pair for pair in speakers if not pair.open] or self.pairs[1:])
        request = self.request()
        redis, aikv = (render(comparable(request, replies[0])) for replies in speaker.ask([request]))
        if redis != aikv:
            raise Wrong("%s\n    redis says   %s\n    aikv says   %s" % (show(request), redis, aikv))
        for pair in self.pairs:
            self.hear(pair, [request])

    def hear(self, pair, requests):
        """Sends the subscriber's own ones, and compares all that it reads up to the reply to a PING behind them."""
        own = [request for request in requests if request[0] not in ("PUBLISH", "SPUBLISH", "PUBSUB")]
        pair.send(own + [["PING", MARK.decode()]])
        redis, aikv = ([] for _ in pair.both)
        for connection, told in zip(pair.both, (redis, aikv)):
            while True:
                reply = connection.read()
                value = reply.value[1:] if isinstance(reply.value, list) and len(reply.value) == 2 else [reply]
                if value[0].value == MARK:
                    break
                told.append(reply)
        if self.in_order(requests, redis) != self.in_order(requests, aikv):
            raise Wrong("subscriber, after %s\n    hears of redis   %s\n    hears of aikv   %s" %
                        ([show(request) for request in requests], list(map(render, redis)), list(map(render, aikv))))

    def in_order(self, requests, replies):
        """Who subscribes to several patterns hears a message in any order of these; who leaves all at once, leaves in any."""
        lines = [render(reply) for reply in replies]
        if any("pmessage" in line for line in lines):
            lines.sort()
        if any(len(request) == 1 for request in requests):
            columns = zip(*([render(part) for part in reply.value] for reply in replies if isinstance(reply.value, list)))
            return [sorted(column) for column in columns]
        return lines
