"""Random requests about streams: small ones and such as AiKv holds otherwise, with keys of other types among them.

Ids are given: those that a server makes differ. "~" stands only where Redis trims nothing, as it trims nodes of its own as a whole. What has been pending for
long is so for days, as XCLAIM says, so that milliseconds decide nothing."""

from resp import Reply

KEYS = ["x", "{x}2", "x3"]
OTHER = ["s", ""]
BAD_IDS = ["", "a", "1-", "-1", "1-a", "1-2-3", "99999999999999999999", "1-*-", "--", "(1"]
ENDS = ["-", "+", "0", "0-0", "18446744073709551615-18446744073709551615", "(-", "(+", "(0-0", "(18446744073709551615", "18446744073709551615"]
WORDS = ["a", "b", "", "\x00\xff", "w" * 60, "v" * 1100, "u" * 2500, "7"]


GROUPS = 12 * ["g"] + 3 * ["h"] + ["", "g\x00\xff", "G" * 300]
CONSUMERS = 4 * ["c"] + 3 * ["d", "e"] + ["", "c\n", "C" * 300]
DAYS, HALF = "1000000000", 500000000  # milliseconds
COUNTERS = ["0", "1", "5", "-1", "-2", "9223372036854775807", "x", "100"]
LONGEST = 10**12  # what is larger is a time of day, and larger than any count


def masked(request, reply):
    """The reply of XPENDING or XINFO, without times, and without how rows are laid out."""
    if request[0].upper() == "XPENDING":
        return without_idle(reply)
    return without_times(reply) if request[0].upper() == "XINFO" else reply


def without_idle(reply):
    """Of [id, consumer, idle, count]: whether it is idle for days."""
    if not isinstance(reply.value, list):
        return reply
    parts = reply.value
    if len(parts) == 4 and parts[2].kind == ":":
        return Reply(reply.kind, parts[:2] + [Reply(":", int(parts[2].value > HALF))] + parts[3:])
    return Reply(reply.kind, [without_idle(part) for part in parts])


def without_times(reply):
    if reply.kind == ":" and reply.value > LONGEST:
        return Reply(":", LONGEST)
    if not isinstance(reply.value, list):
        return reply
    out, name = [], None
    for part in reply.value:
        known = name in (b"radix-tree-keys", b"radix-tree-nodes", b"idle")
        out.append(Reply(":", 0) if known else without_times(part))
        name = part.value if part.kind == "$" else None
    return Reply(reply.kind, out)


class StreamMaker:
    def __init__(self, rng):
        self.rng = rng
        self.top = 0
        self.shapes = {
            "XADD": [self.add], "XLEN": [self.any], "XRANGE": [self.any, self.end, self.end, self.count],
            "XREVRANGE": [self.any, self.end, self.end, self.count], "XDEL": [self.any, self.ids], "XTRIM": [self.any, self.trim],
            "XSETID": [self.any, lambda: self.id() if self.rng.random() < 0.3 else self.next(), lambda: self.pick([], [], ["ENTRIESADDED", self.pick("0", "1000", "-1", "x")],
                                                            ["MAXDELETEDID"] + self.id(), ["x"], ["ENTRIESADDED"])],
            "XREAD": [self.read],
            "XGROUP": [self.group_command], "XREADGROUP": [self.read_group], "XACK": [self.any, self.group, self.pending_ids],
            "XPENDING": [self.any, self.group, self.pending], "XCLAIM": [self.any, self.group, self.consumer, self.idle, self.pending_ids, self.claim_options],
            "XAUTOCLAIM": [self.any, self.group, self.consumer, self.idle, self.end, self.auto_options], "XINFO": [self.info],
            "OBJECT": [lambda: ["ENCODING"], self.any], "TYPE": [self.any], "DEL": [self.any], "EXISTS": [self.any],
            "EXPIRE": [self.any, lambda: self.pick(["100000"], ["-1"])], "PERSIST": [self.any], "TTL": [self.any],
            "COPY": [self.stream, self.stream, lambda: self.pick([], ["REPLACE"])], "RENAME": [self.stream, self.stream],
            "SET": [self.other, lambda: ["v"]], "GET": [self.any], "FLUSHDB": [],
        }
        self.names = ([name for name in self.shapes if name not in ("FLUSHDB", "XSETID", "DEL", "RENAME", "COPY")] + 40 * ["XADD"] + ["DEL", "XSETID", self.pick("RENAME", "COPY")]
                      + 3 * ["XRANGE", "XREVRANGE", "XDEL", "XREAD"] + ["XTRIM", "XLEN"] + 16 * ["XREADGROUP"] + 8 * ["XGROUP"]
                      + 4 * ["XACK", "XPENDING", "XCLAIM", "XAUTOCLAIM", "XINFO"])

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

    def next(self):
        self.top += 1
        return ["%d-0" % self.top]

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

    def group(self):
        return [self.pick(*GROUPS)]

    def consumer(self):
        return [self.pick(*CONSUMERS)]

    def pending_ids(self):
        return [word for _ in range(self.pick(1, 1, 2, 10, 40)) for word in self.id()]

    def idle(self):
        return [self.pick("0", "0", "0", str(HALF), "-1", "x")]

    def last(self):
        return self.id() if self.rng.random() < 0.5 else [self.pick("$", "0", "-", "+", "x", "%d-0" % self.top)]

    def group_command(self):
        """Groups come more often than they go."""
        key, group = self.any(), self.group()
        read = self.pick([], [], [], ["ENTRIESREAD", self.pick(*COUNTERS)], ["ENTRIESREAD"], ["x"])
        roll = self.rng.random()
        if roll < 0.4:
            return ["CREATE"] + self.stream() + group + [self.pick("0", "0", "$"), "MKSTREAM"]
        if roll < 0.5:
            return ["CREATE"] + key + group + self.last() + self.pick([], ["MKSTREAM"], ["mkstream"], ["MKSTREAM", "MKSTREAM", "MKSTREAM", "MKSTREAM"]) + read
        if roll < 0.6:
            return ["SETID"] + key + group + self.last() + read + self.pick([], [], [], ["ENTRIESREAD", "1"])
        if roll < 0.7:
            return ["CREATECONSUMER"] + key + group + self.consumer()
        if roll < 0.77:
            return ["DELCONSUMER"] + key + group + self.consumer()
        return self.pick(["DESTROY"] + key + group, ["HELP", "x"], ["DESTROY"] + key + ["h"], ["destroy"] + key, ["FOO"] + key + group, ["HELP", "x"], ["CREATE"] + key, [])

    def read_group(self):
        keys = [self.any()[0] if self.rng.random() < 0.05 else self.stream()[0] for _ in range(self.pick(1, 1, 1, 2, 3))]
        ids = [self.pick(*6 * [">"], *3 * ["0"], "$", "-", self.id()[0]) for _ in keys]
        options = self.pick(["COUNT", self.pick("0", "1", "5", "-1", "x", "100")], ["NOACK"], ["COUNT", "2", "NOACK"], ["BLOCK", "-1"], ["BLOCK", "x"], ["x"])
        options = options if self.rng.random() < 0.4 else []
        group = ["GROUP"] + self.group() + self.consumer() if self.rng.random() < 0.97 else self.pick([], ["GROUP", "g"])
        return group + options + ["STREAMS"] + keys + (ids if self.rng.random() < 0.97 else ids[1:])

    def pending(self):
        ranged = self.pick([], ["IDLE", self.pick("0", str(HALF), "x", "-1")]) + self.end() + self.end() + [self.pick("1", "10", "1000", "0", "-1", "x")]
        return self.pick([], [], ["-", "+", "1000"], ranged, ranged + self.consumer(), ranged + ["c", "x"], ["-", "+"], ["-", "+", "100"], ["IDLE", "0", "-", "+"])

    def claim_options(self):
        options = self.pick([], [], ["FORCE"], ["JUSTID"], ["IDLE", self.pick(DAYS, "0", "-5", "x", "-9223372036854775808")], ["TIME", self.pick("5", "-1", "x")],
                            ["RETRYCOUNT", self.pick(*COUNTERS)], ["LASTID"] + self.id(), ["FOO"], ["IDLE"])
        return self.pick([], options) + self.pick([], [], ["FORCE"], ["JUSTID", "FORCE", "IDLE", DAYS])

    def auto_options(self):
        return self.pick([], ["COUNT", self.pick("1", "2", "10", "100", "0", "x", "-1", "9223372036854775807")], ["JUSTID"], ["COUNT", "3", "JUSTID"], ["COUNT"], ["x"])

    def info(self):
        key = self.any()
        full = self.pick([], ["FULL"], ["FULL", "COUNT", self.pick("0", "1", "-1", "x", "20")], ["FULL", "COUNT"], ["x"])
        return self.pick(["STREAM"] + key + full, ["GROUPS"] + key, ["GROUPS"] + key, ["CONSUMERS"] + key + self.group(), ["CONSUMERS"] + key, ["FOO"] + key, ["HELP", "x"])

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in part()]
