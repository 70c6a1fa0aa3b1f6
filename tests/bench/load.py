"""The load generator (tests/bench/load/, bench_load) as a function, and what follows from its runs."""
import json
import os
import statistics
import subprocess

from servers import ROOT, BenchError, die_with_parent

BINARY = os.path.join(ROOT, "build/release/bench_load")


def start(server, *requests, **options):
    """A run that goes on by itself; finish() waits for it. Options as bench_load's: clients=50, pipeline=16, seconds=2 …"""
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return subprocess.Popen([BINARY, "--port", str(server.port), *flags, *requests], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=die_with_parent)


def finish(process):
    out, problem = process.communicate()
    if process.returncode:
        raise BenchError(problem.strip() or f"bench_load ended with {process.returncode}")
    result = json.loads(out)
    if result["errors"]:
        raise BenchError(f"{result['errors']} error replies, the first: {result['first_error']}")
    return result


def run(server, *requests, **options):
    """What bench_load measured, and the server's CPU time for each request."""
    before = server.cpu_seconds()
    result = finish(start(server, *requests, **options))
    result["cpu_us"] = (server.cpu_seconds() - before) / result["requests"] * 1e6
    return result


def fill(server, keys, value=64, request="SET key:{n} {value}"):
    """Each key once, in random order of hash: key:000000000000 and so on; or another request for each number."""
    run(server, request, pick="serial", keys=keys, requests=keys, clients=8, pipeline=64, value=value)


def medians(runs):
    """Of each number in the runs."""
    return {name: statistics.median(run[name] for run in runs) for name, value in runs[0].items() if isinstance(value, (int, float))}


def compare(redis_runs, aikv_runs, **names):
    """AiKv by Redis: the median over the pairs of runs; compare(r, a, throughput="per_second"). None where Redis has 0."""
    ratios = {name: [a[key] / r[key] for r, a in zip(redis_runs, aikv_runs) if r[key]] for name, key in names.items()}
    return {name: statistics.median(found) if found else None for name, found in ratios.items()}
