"""How many requests a second, how much of the server's CPU each takes, and how long it waits: clients that send as fast as they are answered."""
import dataclasses

import load
import servers

KEYS = 100000


@dataclasses.dataclass
class Throughput:
    command: str        # for people
    requests: list      # as bench_load takes them
    pipeline: int
    clients: int
    durability: str
    prepare: list = ()  # requests sent before, each once for every key
    group = "throughput"

    @property
    def name(self):
        clients = "50 clients" if self.clients == 50 else f"{self.clients} client{'s' * (self.clients > 1)}"
        return f"{self.command}, pipeline {self.pipeline}, {clients}, {self.durability}"

    def estimate_s(self, o):
        return 2 + 2 * (o.rounds + 0.3) * o.seconds

    def run(self, bench):
        o = bench.options
        with servers.pair(bench.folder, self.durability) as pair:
            for server in pair:
                load.fill(server, KEYS)
                for request in self.prepare:
                    load.run(server, request, pick="serial", keys=KEYS, requests=KEYS, clients=8, pipeline=64)
            return interleaved(pair, o.rounds, o.seconds, *self.requests, clients=self.clients, pipeline=self.pipeline, keys=KEYS)


def interleaved(pair, rounds, seconds, *requests, before=None, **options):
    """A short run of each to warm up, then `rounds` pairs of runs; both servers get the same random numbers. With `seconds` None runs end after
    options["requests"]. `before(server, requests)` is called before each."""
    runs = {"redis": [], "aikv": []}

    def run(server, seed, share=1):
        so_long = dict(options, seconds=seconds * share) if seconds else dict(options, requests=max(1, int(options["requests"] * share)))
        if before:
            before(server, so_long["requests"])
        return load.run(server, *requests, seed=seed, **so_long)

    for _, server in pair.turns(1):
        run(server, 1, share=0.3)
    for number, server in pair.turns(rounds):
        runs[server.name].append(run(server, number + 2))
    pairs = [a["per_second"] / r["per_second"] for r, a in zip(runs["redis"], runs["aikv"])]
    return {"redis": load.medians(runs["redis"]), "aikv": load.medians(runs["aikv"]),
            "ratio": {**load.compare(runs["redis"], runs["aikv"], throughput="per_second", cpu="cpu_us", p50="p50_us", p99="p99_us"),
                      "throughput_least": min(pairs), "throughput_most": max(pairs)}}
