"""A million expire within one second: how long other clients wait meanwhile, and when the last is gone."""
import dataclasses
import time

import load
import servers

SPREAD = 32  # times within the second: as many requests as bench_load takes
OTHERS = 100000  # keys that stay, for the clients that wait
ROOM = 64 << 20  # bytes for rows, where those that expire are to be on disk
PATIENCE_S = 300


@dataclasses.dataclass
class Expiry:
    what: str
    fill: tuple         # requests that make each of them; {at}: when it expires, ms since 1970
    clients: int
    per_second: int     # requests of these clients together
    on_disk: bool = False
    redis: bool = True  # which has no fields that expire
    left: tuple = ("DBSIZE",)  # a number, that of OTHERS or less once all are gone
    group = "expiry"

    @property
    def name(self):
        return f"{self.what}{', on disk' * self.on_disk}, {self.clients} client{'s' * (self.clients > 1)} at {self.per_second}/s"

    def lead_s(self, o):
        return 3 + len(self.fill) * o.keys / 1e6 * 20

    def estimate_s(self, o):
        return (1 + self.redis) * (self.lead_s(o) + o.keys / 1e6 * 10 + 3)

    def run(self, bench):
        figures = {"redis": None}
        for kind in (servers.Redis, servers.Aikv) if self.redis else (servers.Aikv,):
            with servers.folder_of(bench.folder) as folder, servers.running(kind(folder)) as (server,):
                figures[server.name] = self.measure(server, bench.options)
        ratio = load.compare([figures["redis"]], [figures["aikv"]], p99="p99_us", longest="max_us") if self.redis else {}
        return {**figures, "ratio": ratio}

    def measure(self, server, o):
        load.run(server, "SET other:{n} {value}", pick="serial", keys=OTHERS, requests=OTHERS, clients=8, pipeline=64)
        due = time.time() + self.lead_s(o)
        for request in self.fill:
            kinds = [request.replace("{at}", str(int((due + i / SPREAD) * 1000))) for i in range(SPREAD if "{at}" in request else 1)]
            load.run(server, *kinds, pick="serial", keys=o.keys, requests=o.keys, clients=8, pipeline=64)
        if self.on_disk:
            server.restart(maxmemory=ROOM)
            load.run(server, "GET other:{n}", pick="serial", keys=OTHERS, requests=OTHERS, clients=8, pipeline=64)
        if time.time() > due:
            raise servers.BenchError("the first expired before the last was there")
        time.sleep(due - time.time())
        return self.watch(server, due, o)

    def watch(self, server, due, o):
        """Second by second until all are gone: the worst second's p99, and the longest wait of all."""
        seconds, cpu = [], server.cpu_seconds()
        while server(*self.left) > OTHERS or time.time() < due + 1:
            if time.time() > due + PATIENCE_S:
                raise servers.BenchError(f"not all are gone after {PATIENCE_S} s: {' '.join(self.left)} is {server(*self.left)}")
            seconds.append(load.run(server, "GET other:{n}", "SET other:{n} {value}", clients=self.clients, rate=self.per_second, seconds=1, keys=OTHERS,
                                    seed=len(seconds) + 1))
        return {"keys": o.keys, "p50_us": load.medians(seconds)["p50_us"], "p99_us": max(s["p99_us"] for s in seconds), "max_us": max(s["max_us"] for s in seconds),
                "gone_s": time.time() - due - 1, "cpu_s": server.cpu_seconds() - cpu}
