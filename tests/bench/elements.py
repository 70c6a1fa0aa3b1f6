"""Commands on one key with as many elements as there are --keys: how many a second, and what an element costs in memory."""
import dataclasses

import load
import servers
from throughput import interleaved


@dataclasses.dataclass
class Elements:
    command: str  # for people
    request: str
    fill: str     # a request that adds one element
    group = "elements"

    @property
    def name(self):
        return f"{self.command}, pipeline 16, 50 clients"

    def estimate_s(self, o):
        return o.keys / 1e6 * 8 + 2 * (o.rounds + 0.3) * o.seconds

    def run(self, bench):
        o = bench.options
        keys = o.keys | 1  # odd, so that a request of two numbers goes through all of them too
        with servers.pair(bench.folder) as pair:
            bytes_each = {}
            for server in pair:
                before = server.data_bytes()
                load.run(server, self.fill, pick="serial", keys=keys, requests=keys, clients=8, pipeline=64, value=32)
                bytes_each[server.name] = (server.data_bytes() - before) / keys
            row = interleaved(pair, o.rounds, o.seconds, self.request, clients=50, pipeline=16, keys=keys, value=32)
        for name, figure in bytes_each.items():
            row[name].update(keys=keys, bytes=figure)
        row["ratio"]["bytes"] = bytes_each["aikv"] / bytes_each["redis"]
        return row
