"""Four times more data than there is memory: AiKv alone in a memory cgroup. Redis has no counterpart: it holds all data in memory.

The data is written before, without the limit, and dropped from the page cache: inside the group every page is read from disk anew."""
import contextlib
import dataclasses
import os
import time

import load
import servers

CONTROLLER = "/sys/fs/cgroup/memory"
KEY_LEN, VALUE_LEN = 16, 1000
MEMBER = "member:{n}:" + 180 * "m"  # it is held twice: by itself, and in the order
# What fills one large value, with keys named so that hot ones are beside them, and the bytes that one of its elements takes.
LARGE = {"hash": ("HSET large field:{n} {value}", 18 + VALUE_LEN), "sorted set": (f"ZADD large {{i}} {MEMBER}", 2 * 220), "list": ("RPUSH large {value}", VALUE_LEN)}
HOT_KEYS, HOT_PER_S = 1000, 1000
HOT_CLIENTS = 50  # connections: so many that no hot GET waits for one to be free
ROWS_SHARE = 4  # maxmemory is the limit by this: LMDB's pages of a transaction, the log's and the file's in the page cache count too


@contextlib.contextmanager
def memory_group(limit):
    """A memory cgroup (version 1) of `limit` bytes; yields what a child calls to enter it. Its page cache counts too."""
    path = f"{CONTROLLER}/aikv-bench-{os.getpid()}"
    try:
        os.mkdir(path)
    except OSError as e:
        raise servers.Skip(f"needs root and the memory controller of cgroups version 1 at {CONTROLLER} ({e.strerror})") from e

    def enter():
        with open(path + "/cgroup.procs", "w") as f:
            f.write("0")
    try:
        with open(path + "/memory.limit_in_bytes", "w") as f:
            f.write(str(limit))
        yield enter
    finally:
        for _ in range(100):
            try:
                os.rmdir(path)
                break
            except OSError:  # a process that was killed takes a moment to leave
                time.sleep(0.05)


@dataclasses.dataclass
class Larger:
    times: int
    command: str  # of the others
    request: str
    large: str | None = None  # the others ask for elements of one value, of this type, that all the data is in
    group = "data larger than memory"

    @property
    def name(self):
        return f"{self.times} x memory, hot GETs while 16 clients {self.command} " + (f"any element of one {self.large}" if self.large else "any key")

    def fill(self, aikv, size):
        """So many bytes; returns the number of keys or elements."""
        request, each = LARGE[self.large] if self.large else (None, KEY_LEN + VALUE_LEN)
        count = size // each
        if request:
            load.fill(aikv, HOT_KEYS, VALUE_LEN)
            load.run(aikv, request, pick="serial", keys=count, requests=count, clients=8, pipeline=64, value=VALUE_LEN)
        else:
            load.fill(aikv, count, VALUE_LEN)
        return count

    def estimate_s(self, o):
        return o.memory_mb * self.times / 1024 * 20 + 3 * o.rounds * o.seconds

    def run(self, bench):
        o = bench.options
        limit = o.memory_mb << 20
        seconds = o.rounds * o.seconds
        with memory_group(limit) as enter, servers.folder_of(bench.folder) as folder, servers.running(servers.Aikv(folder)) as (aikv,):
            keys = self.fill(aikv, limit * self.times)
            there = aikv("DBSIZE")
            aikv.restart(maxmemory=limit // ROWS_SHARE, enter=enter)
            load.run(aikv, "GET key:{n}", requests=10 * HOT_KEYS, keys=HOT_KEYS, clients=4)
            alone = hot_gets(aikv, seconds)
            before = aikv.bytes_moved()["read"]
            others = load.start(aikv, self.request, clients=16, keys=keys, seconds=seconds + 0.5, value=VALUE_LEN)
            beside = hot_gets(aikv, seconds)
            others = load.finish(others)
            read = aikv.bytes_moved()["read"] - before
            if others["nulls"] or aikv("DBSIZE") != there:
                raise servers.BenchError(f"keys are missing: {aikv('DBSIZE')} of {there}")
            memory = aikv.memory()
        return {"redis": None, "ratio": {}, "aikv": {
            "keys": keys, "limit": limit, "alone_p50_us": alone["p50_us"], "alone_p99_us": alone["p99_us"], "p50_us": beside["p50_us"],
            "p99_us": beside["p99_us"], "max_us": beside["max_us"], "others_per_second": others["per_second"], "others_p99_us": others["p99_us"],
            "read_per_request": read / others["requests"], **memory}}


def hot_gets(aikv, seconds):
    return load.run(aikv, "GET key:{n}", clients=HOT_CLIENTS, rate=HOT_PER_S, keys=HOT_KEYS, seconds=seconds)
