"""How long a server with many keys takes from its start to the first reply to a GET."""
import dataclasses
import statistics

import load
import servers


@dataclasses.dataclass
class Restart:
    how: str           # "clean end" or "kill -9"
    rdb: bool = False  # Redis with RDB instead of its append-only file
    group = "restart"

    @property
    def name(self):
        return f"after {self.how}, Redis from {'RDB' if self.rdb else 'AOF'}"

    def estimate_s(self, o):
        return o.keys / 1e6 * (6 + o.rounds * 3)

    def run(self, bench):
        o, seconds = bench.options, {"redis": [], "aikv": []}
        with servers.folder_of(bench.folder) as folder, \
                servers.running(servers.Redis(folder, rdb=self.rdb), servers.Aikv(folder)) as both:
            for server in both:
                load.fill(server, o.keys)
                server.settle()
            for number in range(o.rounds):
                for server in both:
                    # Something since the last checkpoint or rewrite, as there is in life.
                    load.run(server, "SET key:{n} {value}", keys=o.keys, requests=max(1, o.keys // 20), clients=8, pipeline=64, seed=number + 1)
                    server.end() if self.how == "clean end" else server.kill()
                    seconds[server.name].append(server.start())
            keys = {server.name: server("DBSIZE") for server in both}
        if set(keys.values()) != {o.keys}:
            raise servers.BenchError(f"keys are missing after the restarts: {keys} of {o.keys}")
        redis, aikv = ({"keys": o.keys, "first_reply_ms": statistics.median(seconds[name]) * 1000} for name in ("redis", "aikv"))
        return {"redis": redis, "aikv": aikv, "ratio": {"times_faster": redis["first_reply_ms"] / aikv["first_reply_ms"]}}
