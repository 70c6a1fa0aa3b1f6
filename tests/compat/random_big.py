"""Random requests about collections of thousands of elements, read in part, and about as many keys."""

MANY = 20000  # elements, and keys
WRITTEN = [1, 1, 5, 50, 400]  # elements at once


class BigMaker:
    def __init__(self, rng):
        self.rng = rng
        self.top = 0
        pick = rng.choice
        self.shapes = {
            "HSET": ["big:h", self.pairs], "HDEL": ["big:h", self.members], "HMGET": ["big:h", self.members], "HLEN": ["big:h"],
            "HINCRBY": ["big:h", self.member, self.number], "HSTRLEN": ["big:h", self.member], "HEXISTS": ["big:h", self.member],
            "SADD": [self.set_key, self.members], "SREM": [self.set_key, self.members], "SMISMEMBER": [self.set_key, self.members],
            "SCARD": [self.set_key], "SMOVE": ["big:s", "big:i", self.number], "SINTERCARD": ["2", "big:s", "big:i"],
            "ZADD": ["big:z", self.scored], "ZREM": ["big:z", self.members], "ZMSCORE": ["big:z", self.members], "ZCARD": ["big:z"],
            "ZINCRBY": ["big:z", self.number, self.member], "ZRANK": ["big:z", self.member], "ZREVRANK": ["big:z", self.member],
            "ZRANGE": ["big:z", self.window, lambda: pick([[], ["WITHSCORES"], ["REV"]])], "ZCOUNT": ["big:z", self.number, self.number],
            "ZRANGEBYSCORE": ["big:z", self.number, "+inf", lambda: ["LIMIT", self.number()[0], "20"]],
            "ZREMRANGEBYRANK": ["big:z", self.window], "ZPOPMIN": ["big:z", self.few], "ZPOPMAX": ["big:z", self.few],
            "RPUSH": ["big:l", self.members], "LPUSH": ["big:l", self.members], "LPOP": ["big:l", self.few], "RPOP": ["big:l", self.few],
            "LRANGE": ["big:l", self.window], "LINDEX": ["big:l", self.number], "LSET": ["big:l", self.number, self.member], "LLEN": ["big:l"],
            "LINSERT": ["big:l", "BEFORE", self.member, self.member], "LREM": ["big:l", lambda: [pick(["1", "-1", "0"])], self.member],
            "LTRIM": ["big:l", lambda: [pick(["0", "7"]), pick(["-1", "-9", "3000"])]], "LPOS": ["big:l", self.member],
            "XADD": ["big:x", self.id, self.fields], "XLEN": ["big:x"], "XDEL": ["big:x", self.ids],
            "XRANGE": ["big:x", self.any_id, "+", "COUNT", "20"], "XREVRANGE": ["big:x", self.any_id, "-", "COUNT", "20"],
            "XGROUP": ["CREATE", "big:x", "g", "0"], "XREADGROUP": ["GROUP", "g", "c", "COUNT", self.few, "STREAMS", "big:x", lambda: [pick([">", ">", ">", "0"])]],
            "XACK": ["big:x", "g", self.ids], "XPENDING": ["big:x", "g", self.any_id, "+", "20"],
            "XTRIM": ["big:x", "MAXLEN", lambda: [pick(["3000", "20000"])]], "PFADD": ["big:p", self.members], "PFCOUNT": ["big:p"],
            "SETRANGE": ["big:t", self.offset, self.text], "GETRANGE": ["big:t", self.window], "APPEND": ["big:t", self.text],
            "SETBIT": ["big:t", self.offset, lambda: [pick(["0", "1"])]], "BITCOUNT": ["big:t", self.window], "STRLEN": ["big:t"],
            "MSET": [self.key_values], "MGET": [self.keys], "DEL": [self.keys], "EXISTS": [self.keys], "EXPIRE": [self.key, "100000"],
            "PERSIST": [self.key], "DBSIZE": [], "COPY": [self.big, "big:copy", lambda: pick([[], ["REPLACE"]])],
            "RENAME": ["big:copy", self.big], "UNLINK": ["big:copy"], "TYPE": [self.big], "PTTL": [self.key],
        }
        self.names = list(self.shapes) + 4 * ["HSET", "SADD", "ZADD", "RPUSH", "XADD", "MSET", "MGET"]
        self.names += [name for name in self.shapes if name not in ("COPY", "RENAME", "UNLINK", "LTRIM", "XTRIM")]

    def some(self, words):
        return [word for _ in range(self.rng.choice(WRITTEN)) for word in words()]

    def big(self):
        return ["big:" + self.rng.choice("hsizlxt")]

    def set_key(self):
        return ["big:" + self.rng.choice("si")]

    def member(self):
        return [str(self.rng.randrange(MANY))] if self.rng.random() < 0.99 else ["m" * self.rng.randrange(4000)]

    def members(self):
        return self.some(self.number) if self.rng.random() < 0.9 else self.some(self.member)

    def number(self):
        return [str(self.rng.randrange(MANY))]

    def few(self):
        return [self.rng.choice(["1", "3", "100", "1000"])]

    def pairs(self):
        return self.some(lambda: self.member() + ["v" * self.rng.randrange(40)])

    def scored(self):
        return self.some(lambda: ["%.4g" % self.rng.uniform(-100, 20000)] + self.member())

    def window(self):
        start = self.rng.randrange(-MANY, MANY)
        return [str(start), str(start + self.rng.randrange(60))]

    def id(self):
        self.top += self.rng.choice([0, 1, 3])
        return ["%d-*" % self.top]

    def any_id(self):
        return ["%d-%d" % (self.rng.randint(0, self.top), self.rng.randrange(3))]

    def ids(self):
        return self.some(self.any_id)

    def fields(self):
        return self.rng.choice([["a", "1", "b", "2"], ["a", "1"], ["a", "v" * self.rng.randrange(3000)], ["c", "", "a", "1", "b", "2"]])

    def offset(self):
        return [str(self.rng.randrange(300000))]

    def text(self):
        return ["t%d" % self.rng.randrange(10 ** 9) * self.rng.choice([1, 10, 2000])]

    def key(self):
        return ["many:%d" % self.rng.randrange(MANY)]

    def keys(self):
        return self.some(self.key)

    def key_values(self):
        return self.some(lambda: self.key() + ["v" * self.rng.choice([1, 20, 200])])

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in ([part] if isinstance(part, str) else part())]
