"""Random requests about hashes and sets, small ones and such as AiKv holds otherwise, with keys of other types among them."""

from random_basic import LEAST, MOST, INTEGERS, VALUES, Maker


class KeyedMaker(Maker):
    HASHES = ["h", "{h}2", "h3"]
    SETS = ["s", "{s}2", "s3", "s4"]
    KEYS = HASHES + SETS + ["", "string"]
    NAMES = ["a", "b", "", "long" * 16, "long" * 16 + "e", "\x00\xff", "7"]

    def __init__(self, rng):
        super().__init__(rng)
        pick = rng.choice
        self.shapes = {
            "HSET": [self.hash_key, self.fields], "HMSET": [self.hash_key, self.fields], "HSETNX": [self.hash_key, self.member, self.value],
            "HGET": [self.hash_key, self.member], "HMGET": [self.hash_key, self.members], "HDEL": [self.hash_key, self.members],
            "HLEN": [self.hash_key], "HSTRLEN": [self.hash_key, self.member], "HEXISTS": [self.hash_key, self.member],
            "HGETALL": [self.hash_key], "HKEYS": [self.hash_key], "HVALS": [self.hash_key],
            "HINCRBY": [self.hash_key, self.member, self.integer], "HINCRBYFLOAT": [self.hash_key, self.member, self.number],
            "HRANDFIELD": [self.hash_key, self.picks, lambda: pick([[], [], ["WITHVALUES"], ["FOO"]])],
            "HSCAN": [self.hash_key, self.cursor, self.scan_options],
            "SADD": [self.set_key, self.set_members], "SREM": [self.set_key, self.set_members],
            "SISMEMBER": [self.set_key, self.member], "SMISMEMBER": [self.set_key, self.set_members],
            "SCARD": [self.set_key], "SMEMBERS": [self.set_key], "SMOVE": [self.set_key, self.set_key, self.member],
            "SPOP": [self.set_key, lambda: [pick(["1000", "1000", "0", "-1", "x"])]], "SRANDMEMBER": [self.set_key, self.picks],
            "SINTER": [self.set_keys], "SUNION": [self.set_keys], "SDIFF": [self.set_keys],
            "SINTERSTORE": [self.set_key, self.set_keys], "SUNIONSTORE": [self.set_key, self.set_keys],
            "SDIFFSTORE": [self.set_key, self.set_keys],
            "SINTERCARD": [self.counted_keys, lambda: pick([[], [], ["LIMIT", "2"], ["LIMIT", "x"], ["FOO"], ["limit", "0"]])],
            "SSCAN": [self.set_key, self.cursor, self.scan_options],
            "OBJECT": [lambda: ["ENCODING"], self.key], "TYPE": [self.key], "DEL": [self.key], "EXISTS": [self.key],
            "EXPIRE": [self.key, lambda: [pick(["100000", "-1"])]], "PERSIST": [self.key], "TTL": [self.key],
            "COPY": [self.key, self.key, lambda: pick([[], ["REPLACE"]])], "RENAME": [self.key, self.key],
            "SET": [self.key, self.value], "GET": [self.key], "APPEND": [self.key, self.value], "KEYS": [lambda: ["*"]],
            "FLUSHDB": [],
        }
        self.names = [name for name in self.shapes if name != "FLUSHDB"]
        self.names += [name for name in self.shapes if name[0] in "HS"] + 8 * ["HSET", "SADD"] + ["FLUSHDB"]

    def key(self):
        return [self.rng.choice(self.KEYS)]

    def hash_key(self):
        return [self.rng.choice(self.HASHES if self.rng.random() < 0.9 else self.KEYS)]

    def set_key(self):
        return [self.rng.choice(self.SETS if self.rng.random() < 0.95 else self.KEYS)]

    def set_keys(self):
        return [word for _ in range(self.rng.choice([0, 1, 1, 2, 2, 4])) for word in self.set_key()]

    def counted_keys(self):
        keys = self.set_keys()
        return [str(len(keys)) if self.rng.random() < 0.9 else self.rng.choice(INTEGERS)] + keys

    def number_members(self):
        return [str(self.rng.randrange(-300, 900)) for _ in range(self.rng.choice([1, 1, 2, 40]))]

    def set_members(self):
        return self.members() if self.rng.random() < 0.3 else self.number_members()

    def keys(self):
        return self.some(self.KEYS, 3)

    def accepted_request(self):
        return self.request()

    def member(self):
        return [self.rng.choice(self.NAMES) if self.rng.random() < 0.5 else "m%d" % self.rng.randrange(200)]

    def members(self):
        return [word for _ in range(self.rng.choice([1, 1, 2, 30])) for word in self.member()]

    def value(self):
        return [self.rng.choice(VALUES + ["v" * 64]) if self.rng.random() < 0.3 else "value %d" % self.rng.randrange(1000)]

    def fields(self):
        words = [word for _ in range(self.rng.choice([1, 1, 1, 3, 50])) for word in self.member() + self.value()]
        return words[1:] if self.rng.random() < 0.02 else words

    def picks(self):
        return self.rng.choice([[], ["0"], ["1"], ["5"], ["1000"], ["-3"], ["x"], [LEAST], [MOST]])

    def scan_options(self):
        return super().scan_options() if self.rng.random() < 0.3 else ["COUNT", "100000"]

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in part()]
