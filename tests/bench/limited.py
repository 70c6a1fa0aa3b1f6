"""A quarter of the data in AiKv's memory, all of it in Redis's: what it costs in speed and saves in memory."""
import dataclasses

import load
import servers
from throughput import interleaved


@dataclasses.dataclass
class Limited:
    pick: str
    pipeline: int
    read: str = "GET key:{n}"
    write: str = "SET key:{n} {value}"  # fills, too
    what: str = "GET 10 % SET"
    group = "maxmemory a quarter"

    @property
    def name(self):
        return f"{self.pick.replace(':', ' ')}, 90 % {self.what}, pipeline {self.pipeline}, 50 clients"

    def estimate_s(self, o):
        return o.keys / 1e6 * 12 + 2 * (o.rounds + 2) * o.seconds

    def run(self, bench):
        o = bench.options
        mix = (self.read + " @9", self.write + " @1")
        options = {"clients": 50, "pipeline": self.pipeline, "pick": self.pick, "keys": o.keys}
        with servers.pair(bench.folder) as pair:
            for server in pair:
                load.fill(server, o.keys, request=self.write)
                server.settle()
            rows = int(pair.aikv.info()["aikv_rows_memory"])
            quarter = rows // 4
            pair.aikv.restart(maxmemory=quarter)
            for server in pair:  # until what is in memory is what this load keeps there
                load.run(server, *mix, requests=o.keys, clients=8, pipeline=64, pick=self.pick, keys=o.keys)
            result = interleaved(pair, o.rounds, o.seconds, *mix, **options)
            for server in pair:
                result[server.name].update(server.memory())
        result["aikv"].update(keys=o.keys, rows_memory=rows, maxmemory=quarter)
        result["ratio"].update(rss=result["aikv"]["rss"] / result["redis"]["rss"], anonymous=result["aikv"]["anonymous"] / result["redis"]["anonymous"])
        return result
