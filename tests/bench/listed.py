"""redis-benchmark's default list, as with -r 100000 and its values of 3 bytes."""
import dataclasses

import load
import servers
from throughput import KEYS, interleaved

VALUE = 3
TAKEN_PER_S = {1: 100000, 16: 600000}  # by pipeline: of requests that take something out, so many are sent for each second a run is to take


@dataclasses.dataclass
class Listed:
    command: str
    request: str
    pipeline: int
    fill: str = None     # what is there before: this, once for every key
    takes: bool = False  # requests take out what `fill` puts in; before each run there is as much as it asks for
    group = "redis-benchmark"

    @property
    def name(self):
        return f"{self.command}, pipeline {self.pipeline}"

    def estimate_s(self, o):
        return 1 + 2 * (o.rounds + 0.3) * o.seconds * (1.5 if self.takes else 1)

    def run(self, bench):
        o = bench.options
        asked = {"clients": 50, "pipeline": self.pipeline, "keys": KEYS, "value": VALUE}
        with servers.pair(bench.folder) as pair:
            if self.takes:
                return interleaved(pair, o.rounds, None, self.request, before=self.put_in, requests=int(TAKEN_PER_S[self.pipeline] * o.seconds), **asked)
            for server in pair:
                self.put_in(server, KEYS)
            return interleaved(pair, o.rounds, o.seconds, self.request, **asked)

    def put_in(self, server, count):
        if self.fill:
            load.run(server, self.fill, pick="serial", keys=count, requests=count, clients=8, pipeline=64, value=VALUE)
