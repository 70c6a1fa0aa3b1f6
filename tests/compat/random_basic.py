"""Random requests about strings, lists, bits, HyperLogLogs, keys and the server. The base of other makers."""

KEYS = ["a", "b", "c", "d", "{t}1", "{t}2", "", "\x00\xff", "k" * 500]
MOST, LEAST = "9223372036854775807", "-9223372036854775808"
INTEGERS = ["0", "1", "-1", "2", "10", MOST, LEAST, "9223372036854775808", "007", "+1", " 1", "1 ", "", "-", "-0", "1.5",
            "1e3", "abc", "0x10", "18446744073709551616"]
VALUES = ["", "v", "two words", "abcabba", "cbabac", "bacbacab", "\r\n", "\x00\x01\xff", "x" * 1000] + INTEGERS
TIMES = ["10000000", "20000000", "0", "-1", "-100000", MOST, LEAST, "abc", "", "1.5"]
WORDS = ["NX", "XX", "GT", "LT", "GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL", "MATCH", "COUNT", "TYPE", "ASYNC", "SYNC",
         "nx", "Xx"]
PATTERNS = ["*", "a*", "?", "[abc]", "[^a]", "[a-c]*", "\\a", "[", "[^", "*b*", "{t}*", "**a", "[c-a]", "x[", "a\\"]
BAD_CURSORS = ["abc", " 0", "-", "1x", "18446744073709551616"]
NUMBERS = INTEGERS + ["0.1", "-1.5", "1e-5", "3.0", "inf", "-inf", "nan", "1e400", "-1e400", "0x1p3", "1e5000", "1e-5000",
                      ".5", "5.", "1e4932"]
OFFSETS = ["0", "1", "5", "12", "-1", "-3", "100", "-100"]
DATABASES = ["0", "1", "2", "15", "16", "-1", "x", "99999999999"]
MOMENTS = ["200000", "99999999999", "99999999998", "99999999999999"]  # Unix times: long past or far away
GONE = ["0", "-5", "1000"]  # as a Unix time: long past
LISTS = ["l1", "l2", "{l}3", "L" * 450]
LIST_VALUES = ["a", "b", "c", "1", "2", "", "q\x00\xff", "x" * 60, "y" * 700, "z" * 2100, "w" * 5000]
LIST_NAMES = 8 * ["LPUSH", "RPUSH"] + 3 * ["LPOP", "RPOP", "LINDEX", "LRANGE", "LSET", "LINSERT", "LREM", "LPOS", "LMOVE",
                                          "RPOPLPUSH", "LMPOP", "LPUSHX", "RPUSHX", "SORT", "SORT_RO"] + ["LLEN", "LTRIM"]
BITS = ["0", "1", "7", "8", "9", "63", "64", "100", "8000", "12345"]  # positions of bits
BIT_WIDTHS = ["u1", "i1", "u4", "i5", "u8", "i8", "u13", "i16", "u32", "u63", "i63", "i64"]
HLL_KEYS = ["hll", "{hll}2", "dense", "H" * 500]
FIELD_VALUES = ["0", "1", "-1", "5", "-3", "127", "255", "256", "-129", "65535", MOST, "-4611686018427387904"]  # lower: bitfield.txt
BAD_WIDTHS = ["u64", "i65", "u0", "i", "u", "x8", "U8", "", "i-1", "u08"]


class Maker:
    """Makes requests. `wild` ones have any number of any words; the others are what a command takes, mostly."""

    def __init__(self, rng):
        self.rng = rng
        pick = rng.choice
        self.shapes = {
            "GET": [lambda: self.key() if rng.random() < 0.9 else self.hll_key()], "STRLEN": [self.key], "TYPE": [self.key], "INCR": [self.key], "DECR": [self.key],
            "PERSIST": [self.key], "TTL": [self.key], "PTTL": [self.key], "EXISTS": [self.keys], "DEL": [self.keys], "UNLINK": [self.keys],
            "MGET": [self.keys], "APPEND": [self.key, self.value], "INCRBY": [self.key, self.integer],
            "DECRBY": [self.key, self.integer], "MSET": [self.pairs], "SET": [self.key, self.value, self.set_options],
            "EXPIRE": [self.key, self.time, self.conditions], "PEXPIRE": [self.key, self.time, self.conditions],
            "SCAN": [self.cursor, self.scan_options], "PING": [self.maybe_value], "ECHO": [self.value],
            "GETRANGE": [self.key, self.offset, self.offset], "SUBSTR": [self.key, self.offset, self.offset],
            "SETRANGE": [self.key, self.offset, self.value], "GETDEL": [self.key], "GETSET": [self.key, self.value],
            "SETNX": [self.key, self.value], "SETEX": [self.key, self.time, self.value],
            "PSETEX": [self.key, self.time, self.value], "MSETNX": [self.pairs], "GETEX": [self.key, self.getex_options],
            "INCRBYFLOAT": [self.key, self.number], "LCS": [self.key, self.key, self.lcs_options],
            "EXPIREAT": [self.key, self.moment, self.conditions], "PEXPIREAT": [self.key, self.moment, self.conditions],
            "EXPIRETIME": [self.key], "PEXPIRETIME": [self.key], "TOUCH": [self.keys], "KEYS": [lambda: [pick(PATTERNS)]],
            "RANDOMKEY": [], "RENAME": [self.key, self.key], "RENAMENX": [self.key, self.key],
            "COPY": [self.key, self.key, self.copy_options], "MOVE": [self.key, self.database],
            "SWAPDB": [self.database, self.database], "OBJECT": [self.object], "ASKING": [],
            "SELECT": [self.database], "DBSIZE": [],
            "SETBIT": [self.key, self.bit_position, self.bit], "GETBIT": [self.key, self.bit_position],
            "BITCOUNT": [self.key, self.bit_range], "BITPOS": [self.key, self.bit, self.bit_range],
            "BITOP": [lambda: [pick(["AND", "OR", "XOR", "xor", "NOT", "FOO"])], self.key, self.keys],
            "BITFIELD": [self.key, self.bitfield], "BITFIELD_RO": [self.key, self.bitfield],
            "FLUSHDB": [self.flush_options], "FLUSHALL": [self.flush_options], "CLIENT": [self.client],
            "COMMAND": [self.command], "CONFIG": [self.config], "READONLY": [], "READWRITE": [], "AUTH": [self.keys],
            "CLUSTER": [lambda: [pick(["INFO", "NODES", "HELP", "FOO", "KEYSLOT"])]],
            "SLOWLOG": [self.slowlog], "LATENCY": [self.latency], "MEMORY": [self.memory], "ACL": [self.acl], "MODULE": [self.module], "WAIT": [self.wait],
            "MONITOR": [lambda: ["x"]],
            "LOLWUT": [lambda: ["VERSION", pick(["x", "1.5", ""])]], "ROLE": [self.value], "DEBUG": [self.debug],
            "INFO": [lambda: [pick(["cluster", "modules", "nothing"])]],
            "HELLO": [lambda: [pick(["4", "1", "x", "-2", ""])]], "RESET": [self.value], "TIME": [self.value],
            "SAVE": [self.value], "BGSAVE": [lambda: [pick(["FOO", "SCHEDULE"]), "x"]], "LASTSAVE": [self.value], "PFSELFTEST": [self.value],
            "SHUTDOWN": [lambda: pick([["FOO"], ["NOW", "FOO"], ["SAVE", "NOSAVE"], ["ABORT", "NOW"]])],
            "LPUSH": [self.list_key, self.values], "RPUSH": [self.list_key, self.values], "LPUSHX": [self.list_key, self.values],
            "RPUSHX": [self.list_key, self.values], "LPOP": [self.list_key, self.maybe_count],
            "RPOP": [self.list_key, self.maybe_count], "LLEN": [self.list_key], "LINDEX": [self.list_key, self.offset],
            "LRANGE": [self.list_key, self.offset, self.offset], "LSET": [self.list_key, self.offset, self.list_value],
            "LINSERT": [self.list_key, self.where, self.list_value, self.list_value],
            "LREM": [self.list_key, self.offset, self.list_value], "LTRIM": [self.list_key, self.offset, self.offset],
            "LPOS": [self.list_key, self.list_value, self.lpos_options],
            "LMOVE": [self.list_key, self.list_key, self.side, self.side], "RPOPLPUSH": [self.list_key, self.list_key],
            "LMPOP": [self.counted_lists, self.side, self.lmpop_options],
            "SORT": [self.list_key, self.sort_and_store], "SORT_RO": [self.list_key, self.sort_options],
            "FOO": [self.keys], "SE": [self.keys], "GETT": [self.keys], "CLIENT|ID": [], "": [self.keys], "MULTI": [], "EXEC": [], "DISCARD": [], "WATCH": [self.keys], "UNWATCH": [],
        }
        self.shapes.update({
            "PFADD": [self.hll_key, self.elements], "PFCOUNT": [self.hll_keys], "PFMERGE": [self.hll_key, self.hll_keys],
            "PFDEBUG": [lambda: [pick(["GETREG", "DECODE", "ENCODING", "encoding", "TODENSE", "FOO"])], self.hll_key],
        })
        self.names = list(self.shapes)
        self.names += 3 * ["GET", "SET", "SET", "SET", "MSET", "MGET", "INCR", "INCRBY", "DECRBY", "APPEND", "EXPIRE",
                           "PEXPIRE", "SCAN", "DEL"]
        self.names += ["GETRANGE", "SETRANGE", "GETEX", "INCRBYFLOAT", "LCS", "COPY", "RENAME", "OBJECT"]
        self.names += 2 * ["SETBIT", "BITCOUNT", "BITPOS", "BITOP", "BITFIELD", "PFADD", "PFADD", "PFCOUNT", "PFMERGE"]

        self.names += LIST_NAMES
        self.names += 4 * ["EXEC"]  # whoever says MULTI is not to queue for long

    def some(self, words, most):
        return [self.rng.choice(words) for _ in range(self.rng.randint(0, most))]

    def key(self):
        return [self.rng.choice(KEYS)]

    def keys(self):
        return self.some(KEYS, 4)

    def hll_key(self):
        return [self.rng.choice(HLL_KEYS if self.rng.random() < 0.95 else KEYS)]

    def hll_keys(self):
        return [word for _ in range(self.rng.randint(0, 3)) for word in self.hll_key()]

    def elements(self):
        most = self.rng.choice([10, 300, 100000])
        return [str(self.rng.randrange(most)) for _ in range(self.rng.choice([0, 1, 1, 2, 20]))] + self.some(VALUES, 1)

    def value(self):
        return [self.rng.choice(VALUES)]

    def list_key(self):
        return [self.rng.choice(LISTS if self.rng.random() < 0.95 else KEYS)]

    def list_value(self):
        return [self.rng.choice(LIST_VALUES)]

    def values(self):
        return [self.rng.choice(LIST_VALUES) for _ in range(self.rng.choice([1, 1, 1, 2, 5, 40]))]

    def maybe_count(self):
        return self.rng.choice([[], [], [], ["1"], ["2"], ["5"], ["0"], self.integer(), ["1", "1"]])

    def where(self):
        return [self.rng.choice(["BEFORE", "AFTER", "before", "AFTER", "BESIDE"])]

    def side(self):
        return [self.rng.choice(["LEFT", "RIGHT", "left", "Right", "LEFT", "RIGHT", "UP"])]

    def lpos_options(self):
        out = []
        for _ in range(self.rng.choice([0, 1, 1, 2, 3])):
            out += [self.rng.choice(["RANK", "COUNT", "MAXLEN", "rank", "FOO"])] + self.offset()
        return out

    def counted_lists(self):
        keys = [self.rng.choice(LISTS) for _ in range(self.rng.randint(1, 3))]
        return [str(len(keys)) if self.rng.random() < 0.9 else self.rng.choice(INTEGERS)] + keys

    def lmpop_options(self):
        return self.rng.choice([[], [], ["COUNT", "3"], ["COUNT", "0"], ["count", "100"], ["COUNT"], ["COUNT", "x"], ["FOO"]])

    def sort_options(self):
        out = self.rng.choice([["ALPHA"], ["ALPHA"], ["BY", "nosort"], ["BY", "*"], ["BY", "{t}*"], []])
        for _ in range(self.rng.choice([0, 1, 1, 2])):
            out = out + self.rng.choice([["DESC"], ["ASC"], ["desc"], ["GET", "#"], ["GET", "*"], ["GET", "{t}*"], ["GET", "*->a"], ["GET"],
                                         ["LIMIT"] + self.offset() + self.offset(), ["FOO"], ["STORE"]])
        return out

    def sort_and_store(self):
        if self.rng.random() < 0.7:
            return self.sort_options()
        # No BY, no LIMIT: Redis leaves open what comes first of equals, and takes texts for equal that differ behind a NUL.
        return ["ALPHA"] + self.rng.choice([[], ["DESC"], ["GET", "#", "GET", "*"]]) + ["STORE"] + self.list_key()

    def maybe_value(self):
        return self.some(VALUES, 2)

    def integer(self):
        return [self.rng.choice(INTEGERS)]

    def number(self):
        return [self.rng.choice(NUMBERS)]

    def offset(self):
        return [self.rng.choice(OFFSETS if self.rng.random() < 0.8 else INTEGERS)]

    def bit(self):
        return [self.rng.choice(["0", "1"] if self.rng.random() < 0.95 else INTEGERS)]

    def bit_position(self):
        return [self.rng.choice(BITS if self.rng.random() < 0.95 else INTEGERS)]

    def bit_range(self):
        ends = self.offset() + self.offset()
        return ends[:self.rng.choice([0, 1, 2, 2, 2])] + self.rng.choice([[], [], ["BIT"], ["BIT"], ["byte"], ["FOO"], ["BIT", "BIT"]])

    def bitfield(self):
        out = []
        for _ in range(self.rng.choice([0, 1, 1, 2, 5])):
            name = self.rng.choice(["GET", "get", "SET", "SET", "INCRBY", "INCRBY", "OVERFLOW", "FOO" if self.rng.random() < 0.1 else "GET"])
            out.append(name)
            if name == "OVERFLOW":
                out.append(self.rng.choice(["WRAP", "SAT", "sat", "FAIL", "FAIL", "FOO" if self.rng.random() < 0.2 else "SAT"]))
                continue
            out.append(self.rng.choice(BIT_WIDTHS if self.rng.random() < 0.98 else BAD_WIDTHS))
            out += self.bit_position() if self.rng.random() < 0.7 else ["#" + self.rng.choice(["0", "1", "7", "100", "x", ""])]
            if name in ("SET", "INCRBY"):
                out.append(self.rng.choice(FIELD_VALUES if self.rng.random() < 0.98 else ["x", "", "1.5", "9223372036854775808"]))
        return out if self.rng.random() < 0.95 else out[:-1]

    def database(self):
        return [self.rng.choice(DATABASES)]

    def moment(self):
        return [self.rng.choice(MOMENTS if self.rng.random() < 0.7 else TIMES)]

    def time(self):
        return [self.rng.choice(TIMES)]

    def pairs(self):
        return [self.rng.choice(words) for _ in range(self.rng.randint(1, 3)) for words in (KEYS, VALUES)]

    def set_options(self):
        out = []
        for _ in range(self.rng.choice([0, 0, 1, 1, 2, 3])):
            word = self.rng.choice(["NX", "XX", "GET", "KEEPTTL", "EX", "PX", "EXAT", "PXAT", "get", "FOO"])
            out.append(word)
            if word in ("EX", "PX"):
                out += self.time()
            if word in ("EXAT", "PXAT"):
                out.append(self.rng.choice(GONE + ["99999999999999", "9223372036854775807", "x"]))
        return out

    def getex_options(self):
        out = []
        for _ in range(self.rng.choice([0, 1, 1, 1, 2])):
            word = self.rng.choice(["EX", "PX", "EXAT", "PXAT", "PERSIST", "px", "persist", "FOO"])
            out.append(word)
            if word.upper() in ("EX", "PX"):
                out += self.time()
            if word in ("EXAT", "PXAT"):
                out += self.moment()
        return out

    def lcs_options(self):
        out = self.some(["IDX", "LEN", "WITHMATCHLEN", "idx", "MINMATCHLEN"], 3)
        return out + self.rng.choice([[], ["MINMATCHLEN", self.rng.choice(["0", "1", "2", "10", "-1", "x", MOST])], ["FOO"]])

    def copy_options(self):
        return self.rng.choice([[], ["REPLACE"], ["DB"] + self.database(), ["replace", "db"] + self.database(),
                                ["DB"] + self.database() + ["REPLACE"], ["DB"], ["FOO"]])

    def object(self):
        return [self.rng.choice(["ENCODING", "encoding", "REFCOUNT", "FREQ", "IDLETIME", "FOO"])] + self.key()

    def conditions(self):
        return self.some(["NX", "XX", "GT", "LT", "lt", "FOO"], 2) if self.rng.random() < 0.6 else []

    def cursor(self):
        return [self.rng.choice(["0", "0", "0", "00", ""] + BAD_CURSORS)]

    def scan_options(self):
        out = ["COUNT", "100000"] if self.rng.random() < 0.9 else ["COUNT", self.rng.choice(["0", "-1", "x", ""])]
        if self.rng.random() < 0.5:
            out += ["match", self.rng.choice(PATTERNS)]
        if self.rng.random() < 0.3:
            out += ["TYPE", self.rng.choice(["string", "STRING", "list", ""])]
        return out + self.some(["MATCH", "FOO", "TYPE"], 1)

    def flush_options(self):
        return self.some(["ASYNC", "sync", "FOO"], 2) if self.rng.random() < 0.9 else []

    def client(self):
        pick = self.rng.choice
        return pick([
            ["GETNAME"], ["SETNAME", pick(["x", "", "a b", "\xff", "n" * 100])], ["SETNAME"], ["ID", "x"], ["FOO"],
            ["KILL", "192.0.2.1:1"], ["KILL", "ID", pick(["0", "-1", "x", "999999999"])],
            ["KILL", "ADDR", "192.0.2.1:1", "SKIPME", pick(["yes", "no", "x"])], ["KILL", "ID", "999999999", "FOO"],
            ["KILL", "TYPE", pick(["x", "master", "replica"])], ["KILL", "USER", "x"],
            ["LIST", "TYPE", pick(["x", "master"])], ["LIST", "ID", pick(["x", "999999999", "-1"])], ["LIST", "ID"],
            ["INFO", "x"], ["HELP", "x"], [],
            ["REPLY", pick(["ON", "on", "FOO"])], ["REPLY"], ["NO-EVICT", pick(["ON", "off", "x"])], ["NO-EVICT"],
            ["UNBLOCK", pick(["999999999", "-1", "x"])] + pick([[], ["TIMEOUT"], ["ERROR"], ["FOO"], ["ERROR", "x"]]),
            ["PAUSE", pick(["x", "-1", "1.5", ""]), pick(["ALL", "WRITE", "FOO"])], ["PAUSE", "1", "ALL", "x"], ["PAUSE"],
            ["UNPAUSE"], ["UNPAUSE", "x"], ["GETREDIR"], ["TRACKINGINFO"], ["TRACKING", pick(["off", "x"])], ["TRACKING"],
            ["CACHING", pick(["yes", "no", "x"])], ["CACHING"],
        ])

    def slowlog(self):
        return self.rng.choice([
            ["RESET", "x"], ["LEN", "x"], ["GET", self.rng.choice(["-2", "x", "1.5", "", LEAST, "0"])], ["GET", "1", "2"],
            ["FOO"], [], ["get", "0"],
        ])

    def latency(self):
        return self.rng.choice([
            ["LATEST"], ["LATEST", "x"], ["HISTORY", self.rng.choice(["command", "x", ""])], ["HISTORY"], ["RESET"],
            ["RESET", "command", "x"], ["GRAPH", self.rng.choice(["command", "x"])], ["GRAPH"], ["DOCTOR", "x"],
            ["HISTOGRAM", "nothing"], ["FOO"], [],
        ])

    def memory(self):
        return self.rng.choice([
            ["USAGE", "no such key"], ["USAGE", "no such key", "SAMPLES"],
            ["USAGE", "no such key", self.rng.choice(["SAMPLES", "samples", "FOO"]), self.rng.choice(INTEGERS)],
            ["USAGE"], ["STATS", "x"], ["DOCTOR", "x"], ["PURGE"], ["PURGE", "x"], ["MALLOC-STATS", "x"], ["FOO"], [],
        ])

    def acl(self):
        pick = self.rng.choice
        return pick([
            ["WHOAMI"], ["WHOAMI", "x"], ["USERS"], ["LIST"], ["LIST", "x"], ["GETUSER", pick(["default", "DEFAULT", "x", ""])], ["GETUSER"],
            ["CAT"], ["CAT", pick(["@read", "x", ""])], ["CAT", "read", "x"], ["FOO"], [],
        ])

    def module(self):
        return self.rng.choice([["LIST"], ["list"], ["LIST", "x"], ["FOO"], []])

    def wait(self):
        """For no replicas: what waits makes the others wait here."""
        pick = self.rng.choice
        return pick([[pick(["0", "-1", "x", "", "1.5", LEAST]), pick(["0", "1", "-1", "x", "1.5", ""])], ["0"], ["0", "0", "0"], []])

    def debug(self):
        return self.rng.choice([
            ["SLEEP"], ["SLEEP", "0", "0"], ["FOO"], [], ["OBJECT", "no such key"], ["OBJECT"],
            ["SET-ACTIVE-EXPIRE", "1"], ["ERROR", self.rng.choice(["ERR x", "WRONG\ntext", ""])], ["LOG", "x"],
            ["PROTOCOL", self.rng.choice("string integer double bignum null array set map verbatim true false foo".split())],
        ])

    def command(self):
        pick = self.rng.choice
        words = [pick(["GET", "set", "MSET", "DEL", "PING", "FOO", "EXPIRE", "CLIENT", "SCAN", "client"])]
        words += self.some(KEYS + WORDS, 5)
        return pick([
            ["GETKEYS"] + words, ["GETKEYSANDFLAGS"] + words, ["FOO"], ["COUNT", "x"], ["DOCS", "FOO"],
            ["INFO", pick(["get", "SET", "FOO", "client|id", "client|", "|", ""])], ["INFO", "mget", "x", "Mset"],
            ["LIST", "FILTERBY", "PATTERN", pick(["ge[t]", "mse?", "incr", "\\get", "[A-G]et"])],
            ["LIST", "FILTERBY"] + self.some(WORDS, 2),
        ])

    def config(self):
        return self.rng.choice([
            ["GET", self.rng.choice(["databases", "DataBases", "nothing", "data*s", "[d]atabases"])], ["GET"],
            ["GET", "databases", self.rng.choice(["data*", "Databases", "nothing", "timeout"])], ["REWRITE", "x"],
            ["SET", "slowlog-max-len", "128", "latency-monitor-threshold", "0", "timeout"], ["RESETSTAT", "x"],
            ["SET", "slowlog-max-len", "128", "latency-monitor-threshold", "0"],
            ["SET", "nothing", "1"], ["SET", "timeout"], ["SET", "databases", "3"], ["SET", "timeout", "0", "x"],
            ["SET", "timeout", "0", "timeout", "0"], ["FOO"], [],
        ])

    def request(self):
        name = self.rng.choice(self.names)
        if self.rng.random() < 0.3:
            name = name.lower()
        if self.rng.random() < 0.08:
            return [name] + self.some(KEYS + WORDS + INTEGERS, 5)
        return [name] + [word for part in self.shapes[name.upper()] for word in part()]

    def accepted_request(self):
        """One that is not refused before it runs, which would end a transaction."""
        name = self.rng.choice(["GET", "SET", "SET", "INCR", "INCRBYFLOAT", "APPEND", "SETRANGE", "EXPIRE", "PERSIST", "RENAME", "COPY",
                                "MOVE", "SELECT", "DBSIZE", "SCAN", "FLUSHDB", "SWAPDB", "GETDEL", "GETEX", "TYPE", "TTL", "STRLEN"])
        return [name] + [word for part in self.shapes[name] for word in part()]

    def transaction(self):
        watch = [["WATCH"] + self.keys()] if self.rng.random() < 0.5 else []
        make = self.rng.choice([self.request, self.accepted_request, self.accepted_request])
        within = [make() for _ in range(self.rng.choice([0, 1, 2, 5, 20]))]
        return watch + [["MULTI"]] + within + [[self.rng.choice(["EXEC", "EXEC", "EXEC", "DISCARD"])]]
