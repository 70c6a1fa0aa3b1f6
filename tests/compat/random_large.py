"""Random requests about strings of tens of kilobytes and more, sizes and positions being those where AiKv holds them otherwise."""

from random_basic import Maker

KEYS = ["large", "{large}2", "larger", "L" * 500]
SIZES = [1, 100, 16319, 16320, 16321, 16384, 32640, 65279, 65280, 65535, 65536, 65537, 81600, 100000, 200000]
OFFSETS = SIZES + [0, 1000000, 3000000, -1, -2, -16320, -65536, -200000]


class LargeMaker(Maker):
    def __init__(self, rng):
        super().__init__(rng)
        self.names = 6 * ["APPEND", "SETRANGE", "GETRANGE"] + 3 * ["GET", "SET", "STRLEN", "SETRANGE"] + [
            "GETSET", "GETDEL", "GETEX", "MGET", "MSET", "MSETNX", "SETNX", "SETEX", "COPY", "RENAME", "RENAMENX", "MOVE",
            "SWAPDB", "EXPIRE", "PERSIST", "TTL", "DEL", "EXISTS", "INCR", "INCRBYFLOAT", "TYPE", "SELECT", "OBJECT", "FLUSHDB"]
        self.names += 2 * ["SETBIT", "GETBIT", "BITCOUNT", "BITPOS", "BITOP", "BITFIELD"]

    def key(self):
        return [self.rng.choice(KEYS)]

    def keys(self):
        return self.some(KEYS, 3)

    def value(self):
        size = self.rng.choice(SIZES)
        return [("%d " % self.rng.randrange(10 ** 9) * (size // 2 + 1))[:size]]

    def pairs(self):
        return [word for _ in range(self.rng.randint(1, 2)) for word in self.key() + self.value()]

    def offset(self):
        return [str(self.rng.choice(OFFSETS) + self.rng.choice([-1, 0, 0, 1]))]

    def bit_position(self):
        return [str(8 * abs(int(self.offset()[0])) + self.rng.choice([-4, 0, 0, 1, 7]))]

    def database(self):
        return [self.rng.choice(["0", "1"])]

    def object(self):
        return ["ENCODING"] + self.key()

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in part()]
