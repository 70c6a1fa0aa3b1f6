"""Random requests about sorted sets: small ones and such as AiKv holds otherwise, with keys of other types among them.

Ranges of names are asked for only where all scores are one: of others Redis says nothing."""

SCORED = ["z", "{z}2", "z3"]
NAMED = ["n", "{n}2"]  # all of score 0
OTHER = ["s", ""]
NAMES = ["a", "b", "", "long" * 16, "long" * 16 + "e", "\x00\xff", "7"]
SCORES = ["0", "-0", "1", "2", "-1", "0.1", "3.5", "1e10", "inf", "-inf", "+inf", "1e-300", "123456789012345678", "0x10"]
BAD_SCORES = ["nan", "x", "", " 1", "1 ", "1e400", "(1"]
RANKS = ["0", "1", "-1", "5", "-5", "100", "150", "-150", "x", "9223372036854775807", "9223372036854775808", "-9223372036854775808"]
COUNTS = ["0", "1", "2", "10", "-1", "1000", "x"]


class ZsetMaker:
    def __init__(self, rng):
        self.rng = rng
        self.shapes = {
            "ZADD": [self.add], "ZINCRBY": [self.scored, self.score, self.member], "ZREM": [self.any, self.members],
            "ZCARD": [self.any], "ZSCORE": [self.any, self.member], "ZMSCORE": [self.any, self.members],
            "ZRANK": [self.any, self.member], "ZREVRANK": [self.any, self.member],
            "ZRANGE": [self.range], "ZRANGESTORE": [self.scored, self.range_stored],
            "ZREVRANGE": [self.any, self.rank, self.rank, self.maybe_scores],
            "ZRANGEBYSCORE": [self.any, self.bound, self.bound, self.maybe_scores, self.limit],
            "ZREVRANGEBYSCORE": [self.any, self.bound, self.bound, self.limit, self.maybe_scores],
            "ZRANGEBYLEX": [self.named, self.name, self.name, self.limit],
            "ZREVRANGEBYLEX": [self.named, self.name, self.name, self.limit],
            "ZCOUNT": [self.any, self.bound, self.bound], "ZLEXCOUNT": [self.named, self.name, self.name],
            "ZREMRANGEBYRANK": [self.any, self.few_ranks], "ZREMRANGEBYSCORE": [self.any, self.few_scores],
            "ZREMRANGEBYLEX": [self.named, self.few_names],
            "ZPOPMIN": [self.any, self.maybe_count], "ZPOPMAX": [self.any, self.maybe_count],
            "ZMPOP": [self.keys, lambda: self.pick(["MIN"], ["MAX"], ["max", "COUNT", "2"], ["MIN", "COUNT", "0"], ["x"], [])],
            "ZUNION": [self.keys, self.how, self.maybe_scores], "ZINTER": [self.keys, self.how, self.maybe_scores],
            "ZDIFF": [self.keys, self.maybe_scores], "ZUNIONSTORE": [self.scored, self.keys, self.how],
            "ZINTERSTORE": [self.scored, self.keys, self.how], "ZDIFFSTORE": [self.scored, self.keys],
            "ZINTERCARD": [self.keys, lambda: self.pick([], [], ["LIMIT", "2"], ["LIMIT", "-1"], ["LIMIT"])],
            "ZRANDMEMBER": [self.any, lambda: self.pick([], ["3"], ["-3"], ["1000"], ["0"], ["2", "WITHSCORES"], ["1", "x"], ["x"])],
            "ZSCAN": [self.any, lambda: ["0", "COUNT", "100000"], lambda: self.pick([], [], ["MATCH", "m1*"])],
            "OBJECT": [lambda: ["ENCODING"], self.any], "TYPE": [self.any], "DEL": [self.any], "EXISTS": [self.any],
            "EXPIRE": [self.any, lambda: self.pick(["100000"], ["-1"])], "PERSIST": [self.any], "TTL": [self.any],
            "COPY": [self.scored, self.scored, lambda: self.pick([], ["REPLACE"])], "RENAME": [self.scored, self.scored],
            "SET": [self.other, self.member], "GET": [self.any], "FLUSHDB": [],
        }
        often = [name for name in self.shapes if name.startswith("Z")]
        self.names = [name for name in self.shapes if name != "FLUSHDB"] + often + 12 * ["ZADD"] + ["ZINCRBY", "ZREM", "ZRANGE"]

    def pick(self, *choices):
        return self.rng.choice(choices)

    def scored(self):
        return [self.pick(*SCORED)]

    def named(self):
        return [self.pick(*NAMED)]

    def other(self):
        return [self.pick(*OTHER)]

    def any(self):
        return self.scored() if self.rng.random() < 0.8 else [self.pick(*NAMED + OTHER)]

    def keys(self):
        keys = [self.any()[0] for _ in range(self.pick(1, 2, 2, 3))]
        return [str(len(keys)) if self.rng.random() < 0.95 else self.pick("0", "9", "x", "-1")] + keys

    def member(self):
        return [self.pick(*NAMES) if self.rng.random() < 0.3 else "m%d" % self.rng.randrange(250)]

    def members(self):
        return [word for _ in range(self.pick(1, 1, 2, 20)) for word in self.member()]

    def score(self):
        roll = self.rng.random()
        if roll < 0.02:
            return [self.pick(*BAD_SCORES)]
        return [self.pick(*SCORES)] if roll < 0.4 else ["%.3g" % self.rng.uniform(-100, 100)]

    def add(self):
        options = [word for word in ("NX", "XX", "GT", "LT", "CH") if self.rng.random() < 0.06]
        if self.rng.random() < 0.2:
            key, score = self.named(), lambda: ["0"]
        else:
            key, score = self.scored() if self.rng.random() < 0.98 else self.other(), self.score
        pairs = [word for _ in range(self.pick(1, 1, 1, 3, 80)) for word in score() + self.member()]
        if self.rng.random() < 0.05 and score == self.score:
            options, pairs = options + ["INCR"], pairs[:self.pick(2, 2, 2, 4)]
        return key + options + (pairs if self.rng.random() < 0.98 else pairs[1:])

    def rank(self):
        return [self.pick(*RANKS)] if self.rng.random() < 0.5 else [str(self.rng.randint(-20, 20))]

    def bound(self):
        if self.rng.random() < 0.03:
            return [self.pick(*BAD_SCORES)]
        return [self.pick("", "(") + (self.pick(*SCORES) if self.rng.random() < 0.5 else "%.3g" % self.rng.uniform(-100, 100))]

    def name(self):
        if self.rng.random() < 0.3:
            return [self.pick("-", "+", "-", "+", "x", "", "++", "[", "(")]
        return [self.pick("[", "(") + self.member()[0]]

    def limit(self):
        return self.pick([], [], ["LIMIT", self.rank()[0], self.pick(*COUNTS)], ["LIMIT", "1"]) if self.rng.random() < 0.5 else []

    def maybe_scores(self):
        return self.pick([], ["WITHSCORES"], ["withscores"], ["x"]) if self.rng.random() < 0.6 else []

    def maybe_count(self):
        return self.pick([], [], [self.pick(*COUNTS)], ["1", "2"])

    def ends(self):
        """The key and both ends of a range, and the word that says of what."""
        roll = self.rng.random()
        if roll < 0.4:
            return self.any() + self.rank() + self.rank()
        if roll < 0.75:
            return self.any() + self.bound() + self.bound() + ["BYSCORE"]
        return self.named() + self.name() + self.name() + ["BYLEX"]

    def range(self):
        return self.ends() + self.pick([], ["REV"], ["rev"]) + self.limit() + self.maybe_scores()

    def range_stored(self):
        return self.ends() + self.pick([], ["REV"]) + self.limit()

    def few_ranks(self):
        start = self.rng.randint(-10, 100)
        return [str(start), str(start + self.rng.randint(-1, 3))] if self.rng.random() < 0.9 else self.rank() + self.rank()

    def few_scores(self):
        start = self.rng.uniform(-100, 100)
        return ["%.3f" % start, "%.3f" % (start + 2)] if self.rng.random() < 0.9 else self.bound() + self.bound()

    def few_names(self):
        return ["[m1", "(m10"] if self.rng.random() < 0.5 else self.name() + self.name()

    def how(self):
        out = self.pick([], [], ["WEIGHTS", "2", "3"], ["WEIGHTS", "-1"], ["WEIGHTS", "0", "-0"], ["WEIGHTS", "0.5"], ["WEIGHTS", "inf", "2", "1"], ["WEIGHTS", "x"])
        return out + self.pick([], [], ["AGGREGATE", "MIN"], ["AGGREGATE", "max"], ["AGGREGATE", "SUM"], ["AGGREGATE", "x"])

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in part()]
