#!/usr/bin/python3
"""Random requests, right and wrong, to both servers; every reply, and every keyspace notification, must be equal. RESP2 and RESP3, alone, in pipelines
and in transactions, with keys that are watched.

The seed is printed; AIKV_SEED or --seed plays the same requests again. Time goes on while they run, so expiries in the
future are far away, and those close by are in the past."""

import argparse
import os
import random
import sys

from random_geo import GeoMaker
from random_stream import StreamMaker, masked
from random_zset import ZsetMaker
from resp import Closed, Connection, encode, escape, in_order, render

KEYS = ["a", "b", "c", "d", "{t}1", "{t}2", "", "\x00\xff", "k" * 500]
MOST, LEAST = "9223372036854775807", "-9223372036854775808"
INTEGERS = ["0", "1", "-1", "2", "10", MOST, LEAST, "9223372036854775808", "007", "+1", " 1", "1 ", "", "-", "-0", "1.5",
            "1e3", "abc", "0x10", "18446744073709551616"]
VALUES = ["", "v", "two words", "abcabba", "cbabac", "bacbacab", "\r\n", "\x00\x01\xff", "x" * 1000] + INTEGERS
TIMES = ["100000", "200000", "0", "-1", "-100000", MOST, LEAST, "abc", "", "1.5"]
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
ORDERED = ["LRANGE", "LPOP", "RPOP", "LPOS", "LMPOP", "SORT", "SORT_RO", "XRANGE", "XREVRANGE", "XREAD",
           "XREADGROUP", "XPENDING", "XCLAIM", "XAUTOCLAIM", "XINFO"]  # whose replies have an order
BITS = ["0", "1", "7", "8", "9", "63", "64", "100", "8000", "12345"]  # positions of bits
BIT_WIDTHS = ["u1", "i1", "u4", "i5", "u8", "i8", "u13", "i16", "u32", "u63", "i63", "i64"]
HLL_KEYS = ["hll", "{hll}2", "dense", "H" * 500]
FIELD_VALUES = ["0", "1", "-1", "5", "-3", "127", "255", "256", "-129", "65535", MOST, "-4611686018427387904"]  # lower: bitfield.txt
BAD_WIDTHS = ["u64", "i65", "u0", "i", "u", "x8", "U8", "", "i-1", "u08"]
LARGE_KEYS = ["large", "{large}2", "larger", "L" * 500]
LARGE_SIZES = [1, 100, 16319, 16320, 16321, 16384, 32640, 65279, 65280, 65535, 65536, 65537, 81600, 100000, 200000]
LARGE_OFFSETS = LARGE_SIZES + [0, 1000000, 3000000, -1, -2, -16320, -65536, -200000]


class Maker:
    """Makes requests. `wild` ones have any number of any words; the others are what a command takes, mostly."""

    def __init__(self, rng):
        self.rng = rng
        pick = rng.choice
        self.shapes = {
            "GET": [lambda: self.key() if rng.random() < 0.9 else self.hll_key()], "STRLEN": [self.key], "TYPE": [self.key], "INCR": [self.key], "DECR": [self.key],
            "PERSIST": [self.key], "TTL": [self.key], "EXISTS": [self.keys], "DEL": [self.keys], "UNLINK": [self.keys],
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
            "SLOWLOG": [self.slowlog], "LATENCY": [self.latency], "MEMORY": [self.memory], "MONITOR": [lambda: ["x"]],
            "LOLWUT": [lambda: ["VERSION", pick(["x", "1.5", ""])]], "ROLE": [self.value], "DEBUG": [self.debug],
            "INFO": [lambda: [pick(["cluster", "modules", "nothing"])]],
            "HELLO": [lambda: [pick(["4", "1", "x", "-2", ""])]], "RESET": [self.value], "TIME": [self.value],
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
            "FOO": [self.keys], "SE": [self.keys], "GETT": [self.keys], "CLIENT|ID": [], "": [self.keys],
            "SET\x00": [self.keys], "MULTI": [], "EXEC": [], "DISCARD": [], "WATCH": [self.keys], "UNWATCH": [],
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
        limit = self.rng.choice([[], ["LIMIT"] + self.offset() + self.offset()])  # and no BY: Redis leaves open what comes first of equals
        return ["ALPHA"] + limit + self.rng.choice([[], ["DESC"], ["GET", "#", "GET", "*"]]) + ["STORE"] + self.list_key()

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


class LargeMaker(Maker):
    """Requests about strings of tens of kilobytes and more, sizes and positions being those where AiKv holds them otherwise."""

    def __init__(self, rng):
        super().__init__(rng)
        self.names = 6 * ["APPEND", "SETRANGE", "GETRANGE"] + 3 * ["GET", "SET", "STRLEN", "SETRANGE"] + [
            "GETSET", "GETDEL", "GETEX", "MGET", "MSET", "MSETNX", "SETNX", "SETEX", "COPY", "RENAME", "RENAMENX", "MOVE",
            "SWAPDB", "EXPIRE", "PERSIST", "TTL", "DEL", "EXISTS", "INCR", "INCRBYFLOAT", "TYPE", "SELECT", "OBJECT", "FLUSHDB"]
        self.names += 2 * ["SETBIT", "GETBIT", "BITCOUNT", "BITPOS", "BITOP", "BITFIELD"]

    def key(self):
        return [self.rng.choice(LARGE_KEYS)]

    def keys(self):
        return self.some(LARGE_KEYS, 3)

    def value(self):
        size = self.rng.choice(LARGE_SIZES)
        return [("%d " % self.rng.randrange(10 ** 9) * (size // 2 + 1))[:size]]

    def pairs(self):
        return [word for _ in range(self.rng.randint(1, 2)) for word in self.key() + self.value()]

    def offset(self):
        return [str(self.rng.choice(LARGE_OFFSETS) + self.rng.choice([-1, 0, 0, 1]))]

    def bit_position(self):
        return [str(8 * abs(int(self.offset()[0])) + self.rng.choice([-4, 0, 0, 1, 7]))]

    def database(self):
        return [self.rng.choice(["0", "1"])]

    def object(self):
        return ["ENCODING"] + self.key()

    def request(self):
        name = self.rng.choice(self.names)
        return [name] + [word for part in self.shapes[name] for word in part()]


class KeyedMaker(Maker):
    """Requests about hashes and sets, small ones and such as AiKv holds otherwise, with keys of other types among them."""

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


def is_comparable(request):
    """Not those whose replies are about the server or the connection, nor those that wait for a time to come."""
    words = [word.upper() for word in request]
    own = ("TIME", "RESET", "QUIT", "SHUTDOWN", "INFO", "COMMAND", "CONFIG", "CLIENT", "HELLO", "MONITOR", "ROLE", "LOLWUT")
    if words[0] in own and len(words) == 1:
        return False
    if words[0] == "LOLWUT" and words[1] != "VERSION":
        return False
    if words[0] in ("HELLO", "INFO") and any(word in ("2", "3", "DEFAULT", "ALL", "EVERYTHING") for word in words):
        return False
    if words[0] in own and words[1:2] and words[1] in ("HELP", "COUNT", "INFO", "LIST", "DOCS", "ID"):
        return len(words) > 2 and words[2] not in ("NX", "XX")
    if words[0] in ("EXPIRE", "PEXPIRE", "SET", "SETEX", "PSETEX", "GETEX"):
        return not any(word.isdigit() and 0 < int(word) < 100000 for word in words[2:])
    if words[0] in ("HSCAN", "SSCAN") and words[2:3]:
        return "100000" in words if words[2] in ("0", "00", "") else request[2] in BAD_CURSORS
    if words[0] == "SCAN" and words[1:2]:  # cursors are each server's own, and so is what one call gives of many keys
        return "100000" in words if words[1] in ("0", "00", "") else request[1] in BAD_CURSORS
    return words[0] != "PTTL"


def comparable(request, reply):
    """The reply, in an order of its own where the command promises none. SORT ALPHA compares texts with zeros otherwise than Redis
    (differences.md)."""
    name, words = request[0].upper(), [word.upper() for word in request[2:]]
    ordered = name in ORDERED and not (name.startswith("SORT") and "ALPHA" in words)
    return masked(request, reply) if ordered else in_order(reply)


def may_differ_in_effect(request):
    """Whether a millisecond between the servers decides if anything is changed: what watches the key would tell."""
    return request[0].upper() in ("EXPIRE", "PEXPIRE") and any(word.upper() in ("GT", "LT") for word in request[3:])


def all_close_enough(requests, redis, aikv):
    """The replies within EXEC's."""
    if redis.kind != "*" or aikv.kind != "*" or redis.value is None or aikv.value is None:
        return False
    if not len(requests) == len(redis.value) == len(aikv.value):
        return False
    return all(close_enough(*three) for three in zip(requests, redis.value, aikv.value))


def close_enough(request, redis, aikv):
    """Equal, but for the milliseconds that lie between the two servers: they show where a time is rounded, and where GT or
    LT compares a time with the same time, asked for a moment ago."""
    if comparable(request, redis) == comparable(request, aikv):
        return True
    name, words = request[0].upper(), [word.upper() for word in request[3:]]
    if name == "RANDOMKEY":
        return redis.value is not None and aikv.value is not None
    if name in ("HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"):
        return same_shape(redis, aikv)
    if name in ("SORT", "SORT_RO"):  # Redis looks at errno, which may be of a command long before
        return redis.kind == "-" and redis.value == b"ERR One or more scores can't be converted into double"
    if name == "OBJECT":
        return object_close_enough(request[1].upper(), redis.value, aikv.value)
    if redis.kind != ":" or aikv.kind != ":":
        return False
    if name in ("TTL", "EXPIRETIME"):
        return redis.value > 0 and abs(redis.value - aikv.value) <= 1
    if name == "PEXPIRETIME":
        return redis.value > 0 and abs(redis.value - aikv.value) <= 1000
    return name in ("EXPIRE", "PEXPIRE") and ("GT" in words or "LT" in words)


def same_shape(redis, aikv):
    """Equal but for what texts say: picks are random."""
    if redis.kind != aikv.kind or redis.kind in "-:":
        return False
    if not isinstance(redis.value, list):
        return (redis.value is None) == (aikv.value is None)
    return len(redis.value) == len(aikv.value) and all(map(same_shape, redis.value, aikv.value))


def object_close_enough(about, redis, aikv):
    """The differences that object.txt declares: AiKv does not know how a value came about, shares none, has no idle times."""
    if about == "ENCODING":
        return (redis, aikv) in ((b"raw", b"embstr"), (b"raw", b"int"), (b"embstr", b"int"))
    if about == "REFCOUNT":
        return redis == 2147483647 and aikv == 1
    return about == "IDLETIME" and isinstance(redis, int) and aikv.startswith(b"ERR AiKv")


def show(request):
    return " ".join('"%s"' % escape(shorten(word).encode("latin-1")) for word in request)


def shorten(text):
    return text if len(text) <= 1000 else "%s... (%d bytes)" % (text[:100], len(text))


class Pair:
    """The same connection to both servers."""

    def __init__(self, ports, protocol):
        self.both = [Connection("127.0.0.1", port) for port in ports]
        self.open, self.queued = False, []  # since MULTI
        self.watches = False
        for connection in self.both:
            connection.ask("HELLO", protocol)

    def ask(self, requests):
        data = b"".join(encode([word.encode("latin-1") for word in request]) for request in requests)
        for connection in self.both:
            connection.send(data)
        return [[connection.read() for _ in requests] for connection in self.both]

    def compare(self, request, redis, aikv):
        """Whether these replies to it, the next request, are as they should be."""
        name, queued = request[0].upper(), self.queued
        if redis.kind == "+" and redis.value == b"QUEUED":
            self.queued.append(request)
        elif name == "EXEC" or (name in ("DISCARD", "UNWATCH", "RESET") and redis.kind == "+"):
            self.open, self.queued, self.watches = False, [], False
        elif name == "WATCH":
            self.watches = True
        elif name == "MULTI" and redis.kind == "+":
            self.open = True
        return close_enough(request, redis, aikv) or (name == "EXEC" and all_close_enough(queued, redis, aikv))


class Listener:
    """Hears the keyspace notifications of both servers."""

    def __init__(self, ports):
        self.both = [Connection("127.0.0.1", port) for port in ports]
        self.speakers = [Connection("127.0.0.1", port) for port in ports]
        for connection, speaker in zip(self.both, self.speakers):
            speaker.ask("CONFIG", "SET", "notify-keyspace-events", "EA")
            connection.ask("PSUBSCRIBE", "__keyevent*", "end")
            connection.read()

    def heard(self):
        """What was told since the last call, by server. Of `expired` each server tells when it comes by."""
        out = []
        for connection, speaker in zip(self.both, self.speakers):
            speaker.ask("PUBLISH", "end", "")
            told = iter(lambda: [part.value for part in connection.read().value[2:]], [b"end", b""])
            out.append([message for message in told if not message[0].endswith(b"expired")])
        return out


WHOLE = {  # by type: what tells all of a value; None: the key
    b"string": ["GET", None],
    b"hash": ["HGETALL", None],
    b"zset": ["GEORADIUS_RO", None, "0", "0", "30000", "km", "WITHHASH"],
    b"set": ["SMEMBERS", None],
    b"list": ["LRANGE", None, "0", "-1"],
    b"stream": ["XINFO", "STREAM", None, "FULL", "COUNT", "0"],
}


def first_difference(pair):
    """Compares all that both servers hold, by the connection's database; None if it is equal."""
    theirs, ours = pair.ask([["KEYS", "*"]])
    if in_order(theirs[0]) != in_order(ours[0]):
        return "KEYS", theirs[0], ours[0]
    for key in [key.value.decode("latin-1") for key in theirs[0].value]:
        kind = pair.ask([["TYPE", key]])[0][0].value
        request = [key if word is None else word for word in WHOLE[kind]]
        redis, aikv = pair.ask([request])
        if comparable(request, redis[0]) != comparable(request, aikv[0]):
            return show(request), redis[0], aikv[0]
    return None


def play(ports, seed, count):
    rng = random.Random(seed)
    large, maker, keyed = LargeMaker(rng), Maker(rng), KeyedMaker(rng)
    makers = [maker, keyed, ZsetMaker(rng), GeoMaker(rng), StreamMaker(rng)]
    pairs = [Pair(ports, 2), Pair(ports, 3)]
    pairs[0].ask([["FLUSHALL"]])
    listener = Listener(ports)
    done = errors = executed = changed = told = 0
    while done < count:
        pair = rng.choice(pairs)
        kind = rng.random()
        if kind < 0.2:
            requests = [large.request()]
        elif kind < 0.5:
            requests = rng.choice([maker, keyed]).transaction()
        else:
            requests = [rng.choice(makers).request() for _ in range(rng.choice([1, 1, 1, 5, 50]))]
        requests = [request for request in requests if is_comparable(request)]
        if any(each.watches for each in pairs) or any(request[0].upper() == "WATCH" for request in requests):
            requests = [request for request in requests if not may_differ_in_effect(request)]
        try:
            redis, aikv = pair.ask(requests)
        except Closed:
            print("a server closed the connection in:\n  " + "\n  ".join(show(r) for r in requests))
            return 1
        for request, theirs, ours in zip(requests, redis, aikv):
            done += 1
            errors += theirs.kind == "-"
            if request[0].upper() == "EXEC" and theirs.kind in "*_":
                executed += theirs.value is not None
                changed += theirs.value is None
            if not pair.compare(request, theirs, ours):
                print("request %d: %s" % (done, show(request)))
                print("    redis says   %s\n    aikv says   %s" % (shorten(render(theirs)), shorten(render(ours))))
                print("again with: random_commands.py --seed %d" % seed)
                return 1
        redis, aikv = listener.heard()
        told += len(redis)
        if redis != aikv and not any(may_differ_in_effect(request) for request in requests):
            print("told of other events in:\n  %s\n    by redis   %s\n    by aikv   %s" %
                  ("\n  ".join(show(request) for request in requests), redis, aikv))
            print("again with: random_commands.py --seed %d" % seed)
            return 1
        difference = first_difference(pair) if not pair.open and rng.random() < 0.02 else None
        if difference:
            print("after request %d: %s\n    redis says   %s\n    aikv says   %s" %
                  (done, difference[0], shorten(render(difference[1])), shorten(render(difference[2]))))
            print("again with: random_commands.py --seed %d" % seed)
            return 1
    print("%d requests, %d of them answered with errors, all equal; %d transactions run, %d not since a key had changed; %d events" %
          (done, errors, executed, changed, told))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", type=int, metavar="PORT", required=True)
    parser.add_argument("--aikv", type=int, metavar="PORT", required=True)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("AIKV_SEED", "0")))
    parser.add_argument("--count", type=int, default=20000)
    options = parser.parse_args()
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    print("random requests: AIKV_SEED=%d" % seed)
    wrong = play((options.redis, options.aikv), seed, options.count)
    print("1 passed, 0 failed" if not wrong else "0 passed, 1 failed")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
