#!/usr/bin/python3
"""Random values of all types, made in one server, dumped there and restored in the other: both hold the same then, in the same encoding. And back.

The seed is printed; AIKV_SEED or --seed plays the same again."""

import argparse
import os
import random
import sys

from resp import Connection, escape, in_order

ROUNDS = 120
SIZES = [1, 2, 3, 10, 100, 128, 129, 512, 513, 2000]
EDGES = [0, 1, 127, 128, -1, -128, -129, 4095, 4096, -4096, -4097, 32767, 32768, -32769, 8388607, 8388608, -8388609, 2**31 - 1, 2**31, -2**31, -2**31 - 1,
         2**63 - 1, -2**63, 2**63]
LENGTHS = [0, 1, 20, 21, 63, 64, 65, 4095, 4096, 8192, 16383, 16384, 70000]
SCORES = ["0", "1.5", "-3", "1e300", "-1e-300", "inf", "-inf", "12345678901234", "4503599627370496", "1e20", "0.1"]
WHOLE = {  # what tells all of a value, by what TYPE says
    b"string": ["GET"], b"list": ["LRANGE", "0", "-1"], b"set": ["SMEMBERS"], b"hash": ["HGETALL"], b"zset": ["ZRANGE", "0", "-1", "WITHSCORES"],
    b"stream": ["XRANGE", "-", "+"],
}


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.noise = rng.randbytes(max(LENGTHS))

    def text(self):
        kind = self.rng.random()
        if kind < 0.3:
            return str(self.rng.choice(EDGES))
        if kind < 0.9:
            return "text %d" % self.rng.randrange(10**6)
        if kind < 0.98:
            return self.noise[:self.rng.randrange(90)]
        length = self.rng.choice(LENGTHS)
        return self.rng.choice([self.noise, b"ab" * 40000])[:length]

    def texts(self):
        return [self.text() for _ in range(self.rng.choice(SIZES))]

    def requests(self):
        """What makes a value of the key k."""
        return self.stream() if self.rng.random() < 0.25 else [self.request()]

    def stream(self):
        """Entries, most of them with the same names, some deleted; groups that have read some, consumers that have acknowledged some."""
        ids = ["%d-%d" % (1000 + i // 3, i % 3 + 1) for i in range(self.rng.choice([0, 1, 5, 99, 101, 350]))]
        out = [["XGROUP", "CREATE", "k", "first", "0", "MKSTREAM"]]
        for one in ids:
            names = ["a", "b"] if self.rng.random() < 0.8 else [self.text() for _ in range(self.rng.choice([1, 2, 7]))]
            out.append(["XADD", "k", one] + [word for name in names for word in (name, self.text())])
        out += [["XDEL", "k", one] for one in ids if self.rng.random() < 0.1]
        for group in self.rng.choice([[], ["g"], ["g", "7", "\x00long" * 20]]):
            out.append(["XGROUP", "CREATE", "k", group, self.rng.choice(["0", "$", "1010"])])
            for _ in range(self.rng.randrange(6)):
                consumer = self.rng.choice(["c", "d", "12"])
                out.append(["XREADGROUP", "GROUP", group, consumer, "COUNT", str(self.rng.choice([1, 10, 50])), "STREAMS", "k", ">"])
                out.append(["XACK", "k", group] + self.rng.sample(ids, min(len(ids), 5)) + ["1-1"])
            out.append(["XGROUP", "CREATECONSUMER", "k", group, "idle"])
        if ids and self.rng.random() < 0.3:
            out.append(["XSETID", "k", "99999-1", "ENTRIESADDED", "1000", "MAXDELETEDID", "5-5"])
        return out if self.rng.random() < 0.7 else out + [["XGROUP", "DESTROY", "k", "first"]]

    def request(self):
        kind = self.rng.choice(["string", "list", "set", "integers", "hash", "zset"])
        if kind == "string":
            return ["SET", "k", self.text()]
        if kind == "list":
            return ["RPUSH", "k"] + self.texts()
        if kind == "set":
            return ["SADD", "k"] + self.texts()
        if kind == "integers":
            most = 10 ** self.rng.choice([2, 4, 8, 18])
            return ["SADD", "k"] + [str(self.rng.randrange(-most, most)) for _ in range(self.rng.choice(SIZES))]
        words = self.texts()
        if kind == "hash":
            return ["HSET", "k"] + [word for name in words for word in (name, self.text())]
        return ["ZADD", "k"] + [word for member in words for word in (self.rng.choice(SCORES), member)]


def describe(connection, key):
    """Encoding and content."""
    name, *more = WHOLE[connection.ask("TYPE", key).value]
    reply = connection.ask(name, key, *more)
    ordered = name in ("LRANGE", "ZRANGE", "XRANGE")
    encoding = connection.ask("OBJECT", "ENCODING", key).value if name != "GET" else None
    whole = [encoding, name, str(reply if ordered else in_order(reply))]
    if name == "XRANGE":  # and its head and groups, but for how it is held
        told = connection.ask("XINFO", "STREAM", key, "FULL", "COUNT", "0").value
        whole += [(name.value, str(value)) for name, value in zip(told[::2], told[1::2]) if not name.value.startswith(b"radix")]
    return whole


def carry(source, target):
    """Restores in `target` what `source` dumps. Returns what is wrong, or None."""
    payload = source.ask("DUMP", "k")
    told = target.ask("RESTORE", "k", "0", payload.value, "REPLACE")
    if told.kind != "+":
        return "RESTORE of %s says %s" % (escape(payload.value)[:200], told)
    there, here = describe(source, "k"), describe(target, "k")
    return None if there == here else "%s became %s" % (str(there)[:1000], str(here)[:1000])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", type=int, metavar="PORT", required=True)
    parser.add_argument("--aikv", type=int, metavar="PORT", required=True)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("AIKV_SEED", random.randrange(2**32))))
    options = parser.parse_args()
    print("dumps: AIKV_SEED=%d" % options.seed)
    maker = Maker(random.Random(options.seed))
    redis, aikv = (Connection("127.0.0.1", port) for port in (options.redis, options.aikv))
    for connection in (redis, aikv):
        connection.ask("HELLO", "3")  # a map's fields and values belong together
        connection.ask("FLUSHALL")
    same = 0
    for number in range(ROUNDS):
        first, second = (redis, aikv) if number % 2 else (aikv, redis)
        first.ask("DEL", "k")
        for request in maker.requests():
            first.ask(*request)
        wrong = carry(first, second) or carry(second, first)
        if wrong:
            print("%s, round %d: %s\n0 passed, 1 failed" % ("Redis to AiKv" if first is redis else "AiKv to Redis", number, wrong))
            return 1
        same += redis.ask("DUMP", "k") == aikv.ask("DUMP", "k")
    print("%d values went both ways, %d with the same bytes\n1 passed, 0 failed" % (ROUNDS, same))
    return 0


if __name__ == "__main__":
    sys.exit(main())
