"""What a key costs in memory and on disk, and how many bytes are written for each that a user wrote."""
import dataclasses

import load
import servers

KEY_LEN = 16


@dataclasses.dataclass
class Footprint:
    value: int  # bytes
    group = "footprint"

    @property
    def name(self):
        return f"{KEY_LEN}-byte keys, {self.value}-byte values, each written once"

    def estimate_s(self, o):
        return o.keys / 1e6 * (6 + self.value / 100)

    def run(self, bench):
        keys = bench.options.keys
        figures = {}
        for kind in (servers.Redis, servers.Aikv):
            with servers.folder_of(bench.folder) as folder, servers.running(kind(folder)) as (server,):
                load.fill(server, keys, self.value)
                server.settle()
                memory, written = server.memory(), server.bytes_moved()["written"]
                server.end()  # AiKv: what is in memory only goes into LMDB
                disk = server.disk()
            figures[server.name] = {"keys": keys, "rss_per_key": memory["rss"] / keys, "anonymous_per_key": memory["anonymous"] / keys,
                                    "log_bytes": disk["log"], "file_bytes": disk["file"], "disk_per_key": (disk["log"] + disk["file"]) / keys,
                                    "file_per_key": disk["file"] / keys, "written_per_byte": written / (keys * (KEY_LEN + self.value))}
        redis, aikv = figures["redis"], figures["aikv"]
        return {"redis": redis, "aikv": aikv, "ratio": {"rss": aikv["rss_per_key"] / redis["rss_per_key"],
                                                        "disk": aikv["disk_per_key"] / redis["disk_per_key"]}}
