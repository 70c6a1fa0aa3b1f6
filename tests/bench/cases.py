"""Every case, as data. To add a command: a line in COMMANDS. To add an idea: a module with a class that has `group`, `name`,
`estimate_s(options)` and `run(bench)`, its columns in table.py, its cases here."""
import math

from elements import SIZES, DeleteElements, Elements
from expiry import Expiry
from footprint import Footprint
from larger import MEMBER, Larger
from limited import Limited
from listed import Listed
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

# Elements of one key, where memory has room for a quarter: what reads one, what writes one, and what both are called.
LIMITED = [
    ("HGET hash field:{n}", "HSET hash field:{n} {value}", "HGET 10 % HSET of one hash"),
    ("ZSCORE zset member:{n}", "ZADD zset {n} member:{n}", "ZSCORE 10 % ZADD of one sorted set"),
]

# Durability, clients, pipelines.
LOADS = [
    ("everysec", 50, (1, 16, 100)),
    ("everysec", 1, (100,)),
    ("always", 50, (1, 16)),
    ("no", 50, (1, 16)),
]

# redis-benchmark's default list: name, request, what is there before, whether requests take that out.
LISTED = [
    ("PING_INLINE", "PING @inline", None, False),
    ("PING_MBULK", "PING", None, False),
    ("SET", "SET key:{n} {value}", None, False),
    ("GET", "GET key:{n}", "SET key:{n} {value}", False),
    ("INCR", "INCR counter:{n}", None, False),
    ("LPUSH", "LPUSH mylist {value}", None, False),
    ("RPUSH", "RPUSH mylist {value}", None, False),
    ("LPOP", "LPOP mylist", "RPUSH mylist {value}", True),
    ("RPOP", "RPOP mylist", "LPUSH mylist {value}", True),
    ("SADD", "SADD myset element:{n}", None, False),
    ("HSET", "HSET myhash element:{n} {value}", None, False),
    ("SPOP", "SPOP myset", "SADD myset element:{n}", True),
    ("ZADD", "ZADD myzset {n} element:{n}", None, False),
    ("ZPOPMIN", "ZPOPMIN myzset", "ZADD myzset {n} element:{n}", True),
    *((f"LRANGE_{count}", f"LRANGE mylist 0 {count - 1}", "LPUSH mylist {value}", False) for count in (100, 300, 500, 600)),
    ("MSET", "MSET" + " key:{n} {value}" * 10, None, False),
]

# What adds an element to one key, and requests about the key then, of which one is chosen each time; pipelines, if not 16 alone; commands sent once
# before. Those that change how many there are come last.
HASH, SET, ZSET, LIST = "HSET hash field:{n} {value}", "SADD set member:{n}", "ZADD zset {n} member:{n}", "RPUSH list {value}"
STREAM = "XADD stream {n}-1 field {value}"
ELEMENTS = {
    HASH: [
        ("HSET over", [HASH]),
        ("HGET", ["HGET hash field:{n}"]),
        ("HRANDFIELD", ["HRANDFIELD hash"]),
    ],
    SET: [
        ("SADD again", [SET]),
        ("SISMEMBER", ["SISMEMBER set member:{n}"]),
        ("SRANDMEMBER", ["SRANDMEMBER set"]),
    ],
    ZSET: [
        ("ZADD over", [ZSET]),
        ("ZSCORE", ["ZSCORE zset member:{n}"]),
        ("ZRANK", ["ZRANK zset member:{n}"]),
        ("ZRANGE of 10 by score", ["ZRANGE zset {n} +inf BYSCORE LIMIT 0 10"]),
        ("ZRANGE of 10 by rank", ["ZRANGE zset {middle} {end}"]),
    ],
    LIST: [
        ("LINDEX", ["LINDEX list {i}"]),
        ("LRANGE of 10", ["LRANGE list {middle} {end}"]),
        ("LPUSH and LPOP", ["LPUSH list {value}", "LPOP list"]),
    ],
    STREAM: [
        ("XRANGE of 10", ["XRANGE stream {n} + COUNT 10"], (1, 16)),
        ("XREAD of the last 10", ["XREAD COUNT 10 STREAMS stream {near_end}"], (1, 16)),
        ("XADD", ["XADD stream * field {value}"], (1, 16)),
        ("XADD MAXLEN ~", ["XADD stream MAXLEN ~ {count} * field {value}"], (1, 16)),
        ("XADD and XREADGROUP", ["XADD stream * field {value}", "XREADGROUP GROUP group consumer COUNT 1 NOACK STREAMS stream >"], (1, 16),
         ("XGROUP DESTROY stream group", "XGROUP CREATE stream group $")),
    ],
}


def elements(fill, size, name, requests, pipelines=(16,), prepare=()):
    return [Elements(name, requests, fill, size, pipeline, prepare) for pipeline in pipelines]


# What expires, and what makes it; the fields of one large hash, and of small ones.
KEYS = ("SET key:{n} {value} PXAT {at}",)
ONE_HASH = ("HSET hash field:{n} {value} stays {value}", "HPEXPIREAT hash {at} FIELDS 1 field:{n}")
HASHES = ("HSET hash:{n} field {value}", "HPEXPIREAT hash:{n} {at} FIELDS 1 field")

CASES = [
    *(Throughput(name, [request], pipeline, clients, durability, prepare)
      for durability, clients, pipelines in LOADS for pipeline in pipelines for name, request, prepare in COMMANDS),
    *(Listed(name, request, pipeline, fill, takes) for pipeline in (1, 16) for name, request, fill, takes in LISTED),
    *(case for size in SIZES for fill, commands in ELEMENTS.items()
      for case in (*(case for command in commands for case in elements(fill, size, *command)),
                   *([DeleteElements(fill, size)] if size == "very many" else []))),
    *(Throughput(name, requests, 16, 50, "everysec", prepare) for name, requests, prepare in COLLECTIONS),
    ReadsBesideWrites("always"),
    Restart("clean end"),
    Restart("clean end", rdb=True),
    Restart("kill -9"),
    Footprint(64),
    Limited("zipf:0.99", 1),
    Limited("zipf:0.99", 16),
    Limited("uniform", 16),
    *(Limited(pick, 16, read, write, what) for read, write, what in LIMITED for pick in ("zipf:0.99", "uniform")),
    Larger(4, "GET", "GET key:{n}"),
    Larger(4, "SET", "SET key:{n} {value}"),
    Larger(4, "HGET", "HGET large field:{n}", "hash"),
    Larger(4, "HSET", "HSET large field:{n} {value}", "hash"),
    Larger(4, "ZINCRBY", f"ZINCRBY large 1 {MEMBER}", "sorted set"),
    Larger(4, "LINDEX", "LINDEX large {i}", "list"),
    Steady("everysec"),
    Expiry("keys", KEYS, 50, 5000),
    Expiry("keys", KEYS, 1, 1000),
    Expiry("keys", KEYS, 50, 5000, on_disk=True, redis=False),
    Expiry("fields of one hash", ONE_HASH, 50, 5000, redis=False, left=("MEMORY", "USAGE", "hash")),
    Expiry("fields of as many hashes", HASHES, 50, 5000, redis=False),
    Stall("nothing is asked", None, ()),
    Stall("FLUSHALL of all keys", fill_keys, ("FLUSHALL",)),
    Stall("DEL of a string of 100 MB", set_big, ("DEL", "big")),
]


def title(case):
    return f"{case.group}: {case.name}"


def time_of(seconds):
    return f"{math.ceil(seconds)} s" if seconds < 90 else f"{seconds / 60:.0f} min"
