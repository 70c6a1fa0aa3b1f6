"""Commands on one key with many elements: how many a second, what an element costs in memory, and how long others wait while all are deleted."""
import dataclasses
import time

import load
import servers
from stall import PINGS_PER_S
from throughput import interleaved

# How many elements, as times --keys: a thousand, a million and ten million by default.
SIZES = {"few": 0.001, "many": 1, "very many": 10}
AFTER_DEL_S = 10  # so long others are looked at: the elements are deleted behind the reply


@dataclasses.dataclass
class Elements:
    command: str   # for people
    requests: list  # of which one is chosen each time; {middle} and {end}: the places of ten elements in the middle; {near_end}: ten from the end
    fill: str      # a request that adds one element
    size: str
    pipeline: int = 16
    prepare: tuple = ()  # commands sent before, once
    group = "elements"

    @property
    def name(self):
        return f"{self.command}, {self.size}" if self.pipeline == 16 else f"{self.command}, pipeline {self.pipeline}, {self.size}"

    @property
    def shares(self):
        """Cases that follow each other with the same need the key filled once."""
        return self.fill, self.size

    def estimate_s(self, o):
        return 2 * (o.rounds + 0.3) * o.seconds

    def run(self, bench):
        o = bench.options
        filled = filled_pair(bench, self.fill, self.size)
        for server in filled.pair:
            for command in self.prepare:
                server(*command.split())
        places = Kept(middle=filled.count // 2, end=filled.count // 2 + 9, near_end=filled.count - 10, count=filled.count)
        requests = [r.format_map(places) for r in self.requests]
        row = interleaved(filled.pair, o.rounds, o.seconds, *requests, clients=50, pipeline=self.pipeline, keys=filled.count, value=32)
        for name, figure in filled.bytes_each.items():
            row[name].update(keys=filled.count, bytes=figure)
        row["ratio"]["bytes"] = filled.bytes_each["aikv"] / filled.bytes_each["redis"]
        return row


class Kept(dict):
    """What is not known stays as it is: bench_load fills it in."""

    def __missing__(self, name):
        return "{" + name + "}"


@dataclasses.dataclass
class Filled:
    pair: servers.Pair
    count: int
    bytes_each: dict


def filled_pair(bench, fill, size):
    """Both servers with one key of so many elements; they are shared by the cases that want the same."""
    def make(stack):
        count = max(1, int(bench.options.keys * SIZES[size])) | 1  # odd, so that a request of two numbers goes through all of them too
        filled = Filled(stack.enter_context(servers.pair(bench.folder)), count, {})
        for server in filled.pair:
            before = server.data_bytes()
            load.run(server, fill, pick="serial", keys=count, requests=count, clients=1, pipeline=500, value=32)  # one after the other: ids of streams rise
            filled.bytes_each[server.name] = (server.data_bytes() - before) / count
        return filled
    return bench.share((fill, size), make)


@dataclasses.dataclass
class DeleteElements:
    """One round: it takes what the cases before it have filled."""
    fill: str
    size: str
    group = "stall"

    @property
    def key(self):
        return self.fill.split()[1]

    @property
    def name(self):
        return f"DEL of a {self.key} of {self.size} elements"

    @property
    def shares(self):
        return self.fill, self.size

    def estimate_s(self, o):
        return 2 * AFTER_DEL_S + o.keys * SIZES[self.size] / 1e6 * 9  # and the filling, if nobody did that before

    def run(self, bench):
        filled, figures = filled_pair(bench, self.fill, self.size), {}
        for _, server in filled.pair.turns(1):
            server.settle()
            pings = load.start(server, "PING", rate=PINGS_PER_S, seconds=AFTER_DEL_S)
            time.sleep(0.5)
            began = time.monotonic()
            server("DEL", self.key)
            took_ms = (time.monotonic() - began) * 1000
            stall_ms = load.finish(pings)["max_us"] / 1000
            figures[server.name] = {"stall_ms": stall_ms, "longest_ms": stall_ms, "command_ms": took_ms, "keys": filled.count}
        return {**figures, "ratio": {"stall": figures["aikv"]["stall_ms"] / figures["redis"]["stall_ms"]}}
