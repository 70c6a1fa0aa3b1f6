"""Every case, as data. To add a command: a line in COMMANDS. To add an idea: a module with a class that has `group`, `name`,
`estimate_s(options)` and `run(bench)`, its columns in table.py, its cases here."""
import math

from elements import Elements
from footprint import Footprint
from larger import Larger
from limited import Limited
from reads import ReadsBesideWrites
from restart import Restart
from stall import Stall, fill_keys, set_big
from steady import Steady
from throughput import Throughput

# Name, request, and what is sent for each key beforehand besides SET.
COMMANDS = [
    ("SET", "SET key:{n} {value}", []),
    ("GET", "GET key:{n}", []),
    ("INCR", "INCR counter:{n}", []),
    ("MSET of 10", "MSET" + " key:{n} {value}" * 10, []),
]

# The same on collections, with one load: name, requests of which one is chosen each time, preparation.
COLLECTIONS = [
    ("RPUSH and LPOP", ["RPUSH list:{n} {value}", "LPOP list:{n}"], []),
    ("LRANGE of 10", ["LRANGE list:{n} 0 9"], ["RPUSH list:{n}" + " {value}" * 10]),
]

# Durability, clients, pipelines.
LOADS = [
    ("everysec", 50, (1, 16, 100)),
    ("everysec", 1, (100,)),
    ("always", 50, (1, 16)),
    ("no", 50, (1, 16)),
]

# Requests about one key with many elements, and what adds one of these.
HASH, SET, ZSET = "HSET hash field:{n} {value}", "SADD set member:{n}", "ZADD zset {n} member:{n}"
ELEMENTS = [
    ("HSET over", HASH, HASH),
    ("HGET", "HGET hash field:{n}", HASH),
    ("HRANDFIELD", "HRANDFIELD hash", HASH),
    ("SADD again", SET, SET),
    ("SISMEMBER", "SISMEMBER set member:{n}", SET),
    ("ZADD over", ZSET, ZSET),
    ("ZSCORE", "ZSCORE zset member:{n}", ZSET),
    ("ZRANK", "ZRANK zset member:{n}", ZSET),
    ("ZRANGE of 10 by score", "ZRANGE zset {n} +inf BYSCORE LIMIT 0 10", ZSET),
]

CASES = [
    *(Throughput(name, [request], pipeline, clients, durability, prepare)
      for durability, clients, pipelines in LOADS for pipeline in pipelines for name, request, prepare in COMMANDS),
    *(Elements(name, request, fill) for name, request, fill in ELEMENTS),
    *(Throughput(name, requests, 16, 50, "everysec", prepare) for name, requests, prepare in COLLECTIONS),
    ReadsBesideWrites("always"),
    Restart("clean end"),
    Restart("clean end", rdb=True),
    Restart("kill -9"),
    Footprint(64),
    Limited("zipf:0.99", 1),
    Limited("zipf:0.99", 16),
    Limited("uniform", 16),
    Larger(4, "GET", "GET key:{n}"),
    Larger(4, "SET", "SET key:{n} {value}"),
    Steady("everysec"),
    Stall("nothing is asked", None, ()),
    Stall("FLUSHALL of all keys", fill_keys, ("FLUSHALL",)),
    Stall("DEL of a string of 100 MB", set_big, ("DEL", "big")),
]


def title(case):
    return f"{case.group}: {case.name}"


def time_of(seconds):
    return f"{math.ceil(seconds)} s" if seconds < 90 else f"{seconds / 60:.0f} min"
