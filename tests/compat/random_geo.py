"""Random requests about places, with keys of other types among them."""

KEYS = ["geo", "{geo}2", "g" * 500]
OTHER = ["a", "h", ""]  # of the other makers
NUMBERS = ["0", "-1", "180", "-180.1", "85.05112878", "86", "x", "", "inf", "nan", "1e400", "1e1", "0x10", " 1"]
COUNTS = ["1", "2", "7", "30", "1000", "0", "-1", "x"]


class GeoMaker:
    def __init__(self, rng):
        self.rng = rng
        around = [self.distance, self.unit, self.options]
        self.shapes = {
            "GEOADD": [self.key, lambda: self.pick([], [], [], ["NX"], ["XX"], ["ch"], ["NX", "CH"], ["NX", "XX"]), self.places],
            "GEODIST": [self.key, self.place, self.place, lambda: self.pick([], self.unit())],
            "GEOHASH": [self.key, self.place, self.place], "GEOPOS": [self.key, self.place, self.place],
            "GEOSEARCH": [self.key, self.shape, self.options],
            "GEOSEARCHSTORE": [self.target, self.key, self.shape, self.options],
            "GEORADIUS": [self.key, self.point] + around, "GEORADIUS_RO": [self.key, self.point] + around,
            "GEORADIUSBYMEMBER": [self.key, self.place] + around, "GEORADIUSBYMEMBER_RO": [self.key, self.place] + around,
            "DEL": [self.key], "TYPE": [self.key], "OBJECT": [lambda: ["ENCODING"], self.key], "RENAME": [self.key, self.target],
            "COPY": [self.key, self.target, lambda: self.pick([], ["REPLACE"])], "EXPIRE": [self.target, lambda: self.pick(["100000"], ["-1"])],
            "TTL": [self.target],
        }
        self.names = list(self.shapes) + 8 * ["GEOADD"] + 4 * ["GEOSEARCH"]

    def pick(self, *words):
        return self.rng.choice(words)

    def key(self):
        return [self.rng.choice(KEYS if self.rng.random() < 0.97 else OTHER)]

    def target(self):
        return ["{geo}found"] if self.rng.random() < 0.95 else self.key()

    def place(self):
        return ["place %d" % self.rng.randrange(300)]

    def point(self):
        """No two the same: which of two equally distant places comes first is not told."""
        longitude, latitude = self.rng.choice([(180, 85), (10, 10), (0.01, 0.01)])
        return ["%.9f" % self.rng.uniform(-longitude, longitude), "%.9f" % self.rng.uniform(-latitude, latitude)]

    def places(self):
        words = [word for _ in range(self.rng.choice([1, 2, 20, 90])) for word in self.point() + self.place()]
        if self.rng.random() < 0.05:
            words[self.rng.randrange(2)] = self.rng.choice(NUMBERS)
        return words[1:] if self.rng.random() < 0.02 else words

    def unit(self):
        return [self.rng.choice(["m", "m", "km", "KM", "ft", "mi"] if self.rng.random() < 0.97 else ["parsec", ""])]

    def distance(self):
        return [self.rng.choice(NUMBERS) if self.rng.random() < 0.03 else "%.3f" % (self.rng.random() * 10 ** self.rng.randrange(8))]

    def shape(self):
        center = self.pick(["FROMMEMBER"] + self.place(), ["FROMLONLAT"] + self.point(), ["FROMLONLAT"] + self.point())
        if self.rng.random() < 0.03:
            center[1] = self.rng.choice(NUMBERS)
        shape = self.pick(["BYRADIUS"] + self.distance(), ["BYBOX"] + self.distance() + self.distance()) + self.unit()
        both = self.pick(center + shape, shape + center)
        return both if self.rng.random() < 0.95 else self.pick(center, shape, center + both, both + shape, both[:-1])

    def options(self):
        out = []
        for _ in range(self.rng.choice([0, 1, 1, 2, 3])):
            out += self.pick(["WITHDIST"], ["WITHCOORD"], ["WITHHASH"], ["ASC"], ["desc"], ["COUNT", self.rng.choice(COUNTS)],
                             ["COUNT", str(self.rng.randrange(1, 9)), "ANY"])
        if self.rng.random() < 0.1:
            out += self.pick(["STOREDIST"], ["STORE"] + self.target(), ["STOREDIST"] + self.target(), ["ANY"], ["FOO"])
        return out

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in part()]
