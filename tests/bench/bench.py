"""AiKv beside redis-server: redis-benchmark on both in turn, throughput and server CPU per operation as ratios.

Each mode runs on a fresh pair of servers with the same promise: `everysec` and `always` mean the same to both. Then both are killed with a
million keys and started again: the time until they answer."""
import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")
AIKV = "build/release/aikv"


def free_port():
    for port in range(21000, 32000):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    sys.exit("bench: no free port from 21000 to 32000")


class Server:
    def __init__(self, name, command, port, folder):
        self.name, self.command, self.port, self.folder = name, command, port, folder
        self.log = open(os.path.join(folder, name + ".log"), "ab")
        self.start()

    def start(self):
        """Seconds until it answers."""
        name, port, began = self.name, self.port, time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, cwd=self.folder)
        deadline = began + 300
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as s:
                    s.sendall(b"PING\r\n")
                    if s.recv(64).startswith(b"+PONG"):
                        return time.monotonic() - began
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"bench: {name} does not answer; see {self.log.name}")
            time.sleep(0.005)

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def start_pair(durability, folder):
    folder = tempfile.mkdtemp(dir=folder)
    port = free_port()
    redis = Server("redis", ["redis-server", "--port", str(port), "--save", "", "--appendonly", "yes", "--appendfsync", durability,
                             "--dir", folder, "--daemonize", "no"], port, folder)
    port = free_port()
    aikv = Server("aikv", [os.path.abspath(AIKV), "--port", str(port), "--durability", durability, "--data-dir", folder + "/data",
                           "--log-level", "warn"], port, folder)
    return redis, aikv


def measure(server, test, pipeline, clients, requests):
    """Requests per second, and microseconds of server CPU per request."""
    before = server.cpu_seconds()
    out = subprocess.run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(server.port), "-t", test, "-P", str(pipeline), "-c", str(clients),
                          "-n", str(requests), "-d", "64", "-r", "100000", "--csv"], check=True, capture_output=True, text=True).stdout
    cpu = server.cpu_seconds() - before
    row = [line for line in out.splitlines() if line.lower().startswith((f'"{test}"', f'"{test} ('))]
    if not row:
        sys.exit(f"bench: redis-benchmark said nothing of {test}: {out}")
    fields = [field.strip('"') for field in row[0].split(",")]
    return float(fields[1]), cpu / requests * 1e6, float(fields[6])


def load(server, keys):
    subprocess.run(["redis-benchmark", "-p", str(server.port), "-t", "set", "-P", "64", "-c", "10", "-n", str(keys), "-d", "64", "-r", str(keys), "-q"],
                   check=True, capture_output=True)


def restarts(folder, keys, rounds):
    """After kill -9 in `everysec`, and after a clean end."""
    redis, aikv = start_pair("everysec", folder)
    results = []
    try:
        for server in (redis, aikv):
            load(server, keys)
        for how in ("kill -9", "clean end"):
            times = {"redis": [], "aikv": []}
            for _ in range(rounds):
                for server in (redis, aikv):
                    load(server, keys // 20)
                    if how == "kill -9":
                        server.kill()
                    else:
                        server.process.terminate()
                        server.process.wait(60)
                    times[server.name].append(server.start())
            r, a = (statistics.median(times[name]) * 1000 for name in ("redis", "aikv"))
            name = f"restart after {how}, {keys} SETs"
            print(f"{name:34} {r:8.0f}ms {a:8.0f}ms {r / a:6.2f}   (redis's time by aikv's)", flush=True)
            results.append({"case": name, "redis_ms": r, "aikv_ms": a, "ratio": r / a})
    finally:
        redis.stop()
        aikv.stop()
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200000)
    parser.add_argument("--keys", type=int, default=1000000, help="for the restarts")
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="aikv-bench-")
    results = []
    print(f"{'case':34} {'redis/s':>10} {'aikv/s':>10} {'ratio':>6}   {'redis µs':>9} {'aikv µs':>9} {'CPU ratio':>9}   p99 ms redis, aikv")
    try:
        for durability in ("everysec", "always"):
            redis, aikv = start_pair(durability, folder)
            try:
                for test in ("set", "get", "incr", "mset"):
                    for pipeline in (1, 16):
                        runs = {"redis": [], "aikv": []}
                        for _ in range(options.rounds):
                            for server in (redis, aikv):
                                runs[server.name].append(measure(server, test, pipeline, 50, options.requests))
                        r, a = ([statistics.median(column) for column in zip(*runs[name])] for name in ("redis", "aikv"))
                        ratio = statistics.median(y[0] / x[0] for x, y in zip(runs["redis"], runs["aikv"]))
                        cpu_ratio = statistics.median(y[1] / x[1] for x, y in zip(runs["redis"], runs["aikv"]) if x[1])
                        name = f"{test.upper()} pipeline {pipeline}, {durability}"
                        print(f"{name:34} {r[0]:10.0f} {a[0]:10.0f} {ratio:6.2f}   {r[1]:9.2f} {a[1]:9.2f} {cpu_ratio:9.2f}   {r[2]:.2f}, {a[2]:.2f}",
                              flush=True)
                        results.append({"case": name, "redis_per_s": r[0], "aikv_per_s": a[0], "ratio": ratio, "redis_cpu_us": r[1],
                                        "aikv_cpu_us": a[1], "cpu_ratio": cpu_ratio, "redis_p99_ms": r[2], "aikv_p99_ms": a[2]})
            finally:
                redis.stop()
                aikv.stop()
        results += restarts(folder, options.keys, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"machine": platform.platform(), "cores": os.cpu_count(), "rounds": options.rounds, "requests": options.requests,
                       "clients": 50, "results": results}, f, indent=2)


main()
