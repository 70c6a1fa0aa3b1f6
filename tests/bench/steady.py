"""Writes at a steady rate over the same keys, for long: whether memory, log and file stop growing, and how long the longest stall is."""
import dataclasses
import time

import load
import servers

KEYS, VALUE = 200000, 64
MIB = 1 << 20
# How much more than the highest in the second quarter the highest in the last quarter may be: whichever of the two is more.
BOUNDS = {"rss": (0.1, 16 * MIB), "log": (0.1, 128 * MIB), "file": (0.1, 16 * MIB)}  # of the log: two segments


@dataclasses.dataclass
class Steady:
    durability: str
    group = "steady"

    @property
    def name(self):
        return f"SET over {KEYS:,} keys at a fixed rate, {self.durability}"

    def estimate_s(self, o):
        return 2 * (o.steady_seconds + 3)

    def run(self, bench):
        o, figures = bench.options, {}
        for kind in (servers.Redis, servers.Aikv):
            with servers.folder_of(bench.folder) as folder, servers.running(kind(folder, self.durability)) as (server,):
                load.fill(server, KEYS, VALUE)
                figures[server.name] = observe(server, o.steady_seconds, o.steady_rate)
        return {**figures, "ratio": load.compare([figures["redis"]], [figures["aikv"]], cpu="cpu_us", p99="p99_us", longest="max_us")}


def observe(server, seconds, rate):
    every = min(10, seconds / 24)
    samples, began, cpu, written = [], time.monotonic(), server.cpu_seconds(), server.bytes_moved()["written"]
    process = load.start(server, "SET key:{n} {value}", clients=50, rate=rate, seconds=seconds, keys=KEYS, value=VALUE)
    while process.poll() is None:
        samples.append({"second": time.monotonic() - began, "rss": server.memory()["rss"], **server.disk()})
        time.sleep(every)
    result = load.finish(process)
    result.update(rate=rate, cpu_us=(server.cpu_seconds() - cpu) / result["requests"] * 1e6,
                  written_per_byte=(server.bytes_moved()["written"] - written) / (result["requests"] * (16 + VALUE)),
                  samples=samples, growth=growth(samples, seconds))
    result["over_bounds"] = sum(g["end"] > g["allowed"] for g in result["growth"].values())
    return result


def growth(samples, seconds):
    """Of each figure the highest in the second and in the last quarter, and what the latter may be."""
    found = {}
    for name, (share, least) in BOUNDS.items():
        early = max(s[name] for s in samples if seconds / 4 <= s["second"] < seconds / 2)
        end = max(s[name] for s in samples if s["second"] >= seconds * 3 / 4)
        found[name] = {"second_quarter": early, "end": end, "allowed": early + max(share * early, least)}
    return found
