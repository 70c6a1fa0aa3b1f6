"""How long a reader waits while fifty others write and every reply to them waits for the disk."""
import dataclasses

import load
import servers

KEYS = 100000
READS_PER_S = 1000
READERS = 50  # connections: so many that no read waits for one to be free


@dataclasses.dataclass
class ReadsBesideWrites:
    durability: str
    group = "reads beside writes"

    @property
    def name(self):
        return f"GET, {READS_PER_S}/s, while 50 clients SET, {self.durability}"

    def estimate_s(self, o):
        return 3 + 2 * o.rounds * (o.seconds * 2 + 0.5)

    def run(self, bench):
        o, runs = bench.options, {"redis": [], "aikv": []}
        with servers.pair(bench.folder, self.durability) as pair:
            for server in pair:
                load.fill(server, KEYS)
            for number, server in pair.turns(o.rounds):
                writer = load.start(server, "SET key:{n} {value}", clients=50, seconds=o.seconds * 2 + 0.5, keys=KEYS, seed=number + 1)
                reads = load.run(server, "GET key:{n}", clients=READERS, rate=READS_PER_S, seconds=o.seconds * 2, keys=KEYS, seed=number + 1000)
                reads["writes_per_second"] = load.finish(writer)["per_second"]
                runs[server.name].append(reads)
        return {"redis": load.medians(runs["redis"]), "aikv": load.medians(runs["aikv"]),
                "ratio": load.compare(runs["redis"], runs["aikv"], p50="p50_us", p99="p99_us", writes="writes_per_second")}
