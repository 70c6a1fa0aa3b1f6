"""Random requests about streams: small ones and such as AiKv holds otherwise, with keys of other types among them.

Ids are given: those that a server makes differ. "~" stands only where Redis trims nothing, as it trims nodes of its own as a whole."""

KEYS = ["x", "{x}2", "x3"]
OTHER = ["s", ""]
BAD_IDS = ["", "a", "1-", "-1", "1-a", "1-2-3", "99999999999999999999", "1-*-", "--", "(1"]
ENDS = ["-", "+", "0", "0-0", "18446744073709551615-18446744073709551615", "(-", "(+", "(0-0", "(18446744073709551615", "18446744073709551615"]
WORDS = ["a", "b", "", "\x00\xff", "w" * 60, "v" * 1100, "u" * 2500, "7"]


class StreamMaker:
    def __init__(self, rng):
        self.rng = rng
        self.top = 0
        self.shapes = {
            "XADD": [self.add], "XLEN": [self.any], "XRANGE": [self.any, self.end, self.end, self.count],
            "XREVRANGE": [self.any, self.end, self.end, self.count], "XDEL": [self.any, self.ids], "XTRIM": [self.any, self.trim],
            "XSETID": [self.any, self.id, lambda: self.pick([], [], ["ENTRIESADDED", self.pick("0", "1000", "-1", "x")],
                                                            ["MAXDELETEDID"] + self.id(), ["x"], ["ENTRIESADDED"])],
            "XREAD": [self.read],
            "OBJECT": [lambda: ["ENCODING"], self.any], "TYPE": [self.any], "DEL": [self.any], "EXISTS": [self.any],
            "EXPIRE": [self.any, lambda: self.pick(["100000"], ["-1"])], "PERSIST": [self.any], "TTL": [self.any],
            "COPY": [self.stream, self.stream, lambda: self.pick([], ["REPLACE"])], "RENAME": [self.stream, self.stream],
            "SET": [self.other, lambda: ["v"]], "GET": [self.any], "FLUSHDB": [],
        }
        self.names = ([name for name in self.shapes if name not in ("FLUSHDB", "XSETID", "DEL")] + 40 * ["XADD"] + ["DEL", "XSETID"]
                      + 3 * ["XRANGE", "XREVRANGE", "XDEL", "XREAD"] + ["XTRIM", "XLEN"])

    def pick(self, *choices):
        return self.rng.choice(choices)

    def stream(self):
        return [self.pick(*KEYS)]

    def other(self):
        return [self.pick(*OTHER)]

    def any(self):
        return self.stream() if self.rng.random() < 0.95 else self.other()

    def id(self):
        if self.rng.random() < 0.03:
            return [self.pick(*BAD_IDS)]
        ms = self.rng.randint(0, self.top)
        return [self.pick("%d-%d" % (ms, self.rng.randrange(4)), "%d" % ms)]

    def ids(self):
        return [word for _ in range(self.pick(1, 1, 2, 10)) for word in self.id()]

    def end(self):
        return [self.pick(*ENDS)] if self.rng.random() < 0.3 else [self.pick("", "(") + self.id()[0]]

    def count(self):
        return self.pick([], [], [], ["COUNT", self.pick("0", "1", "3", "-1", "x", "1000")], ["COUNT"], ["COUNT", "1", "count", "2"], ["x", "1"])

    def trim(self):
        return self.pick(["MAXLEN", self.pick("=", "=", "~"), "100000"], ["MAXLEN", str(self.rng.randint(0, 400))], ["MINID", "~", "0"],
                         ["MINID"] + self.id(), ["minid", "="] + self.id(), ["MAXLEN", "~", "100000", "LIMIT", self.pick("0", "10", "-1", "x")],
                         ["MAXLEN", "-1"], ["MAXLEN", "x"], ["MAXLEN"], ["MAXLEN", "5", "LIMIT", "2"], ["LIMIT", "2"], ["LIMIT", "0"],
                         ["MAXLEN", "1", "MINID", "1"], ["x", "1"], ["MAXLEN", "=", "5", "LIMIT", "0"], ["MAXLEN", "="])

    def add(self):
        options = self.trim() if self.rng.random() < 0.03 else []
        options += ["NOMKSTREAM"] if self.rng.random() < 0.03 else []
        self.top += self.pick(0, 0, 1, 1, 2)
        roll = self.rng.random()
        new = self.id() if roll < 0.05 else [self.pick("%d-*" % self.top, "%d-%d" % (self.top, self.rng.randrange(4)), "%d" % (self.top + 1))]
        pairs = [self.pick(*WORDS[:4]) for _ in range(2 * self.pick(1, 1, 1, 2, 5))]
        pairs[-1] = self.pick(*WORDS)
        return self.any() + options + new + (pairs if self.rng.random() < 0.98 else pairs[1:])

    def read(self):
        keys = [self.any()[0] for _ in range(self.pick(1, 1, 2, 3))]
        ids = [self.pick("$", "0", ">", "-") if self.rng.random() < 0.2 else self.id()[0] for _ in keys]
        options = self.pick([], [], ["COUNT", self.pick("0", "1", "5", "-1", "x")], ["NOACK"], ["GROUP", "g", "c"], ["BLOCK", "-1"], ["BLOCK", "x"], ["x"])
        return options + ["STREAMS"] + keys + (ids if self.rng.random() < 0.97 else ids[1:])

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in part()]
