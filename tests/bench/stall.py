"""How long others wait while one client asks for something large: a second client sends a PING each millisecond."""
import dataclasses
import statistics
import time

import load
import servers

PINGS_PER_S = 1000
BIG_LEN = 100 * 1000 * 1000


def fill_keys(server, keys):
    load.fill(server, keys)


def set_big(server, _):
    server("SET", "big", b"x" * BIG_LEN)


@dataclasses.dataclass
class Stall:
    what: str        # "{keys}": as many as --keys says
    prepare: object  # called with the server and how many keys; None: nothing
    words: tuple     # the command; empty: none, which shows what the machine does by itself
    group = "stall"

    @property
    def name(self):
        return self.what

    def estimate_s(self, o):
        return 1 + 2 * o.rounds * (2.5 + (o.keys / 1e6 * 2 if self.prepare is fill_keys else 0.5))

    def run(self, bench):
        o, stalls, times = bench.options, {"redis": [], "aikv": []}, {"redis": [], "aikv": []}
        with servers.pair(bench.folder) as pair:
            for _, server in pair.turns(o.rounds):
                if self.prepare:
                    self.prepare(server, o.keys)
                    server.settle()
                pings = load.start(server, "PING", rate=PINGS_PER_S, seconds=2)
                time.sleep(0.5)
                began = time.monotonic()
                if self.words:
                    server(*self.words)
                times[server.name].append((time.monotonic() - began) * 1000)
                stalls[server.name].append(load.finish(pings)["max_us"] / 1000)
        redis, aikv = ({"stall_ms": statistics.median(stalls[name]), "longest_ms": max(stalls[name]), "command_ms": statistics.median(times[name]),
                        "keys": o.keys} for name in ("redis", "aikv"))
        return {"redis": redis, "aikv": aikv, "ratio": {"stall": aikv["stall_ms"] / redis["stall_ms"]}}
