"""AiKv beside redis-server, case by case (cases.py), as a table and as JSON. tests/bench/run.sh builds what this needs."""
import argparse
import contextlib
import datetime
import fnmatch
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import table
from cases import CASES, time_of, title
from servers import AIKV, ROOT, BenchError, Skip

# What --quick sets: to see that all cases run, not to measure.
QUICK = {"rounds": 1, "seconds": 0.2, "keys": 20000, "steady_seconds": 6, "steady_rate": 5000, "memory_mb": 96}


class Bench:
    """What cases have in common: options, a folder, and what several in a row share."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self._shared, self._stack = None, contextlib.ExitStack()

    def share(self, name, make):
        """What make(stack) made for the first of the cases in a row whose `shares` is this name."""
        if not self._shared:
            self._shared = name, make(self._stack)
        assert self._shared[0] == name
        return self._shared[1]

    def end_shared(self, unless=None):
        """Before a case that does not share what the one before it did, and at the end."""
        if self._shared and self._shared[0] == unless:
            return
        self._shared = None
        self._stack.close()


def parse():
    p = argparse.ArgumentParser(prog="tests/bench/run.sh", description="Measures AiKv beside redis-server, in turn on the same machine.",
                                epilog="The long ones: --keys 10000000 for restarts, memory and maxmemory as the goals say (some 20 minutes, 8 GiB of disk, "
                                       "6 GiB of memory); --steady-seconds 3600 --case steady for an hour of writes (two hours: one for each server).")
    p.add_argument("--case", action="append", metavar="PATTERN", help="only cases with this in their name; * and ? stand for anything; may be repeated")
    p.add_argument("--list", action="store_true", help="the cases and about how long each takes")
    p.add_argument("--json", metavar="FILE", help="write the results there too (tests/bench/report.py makes the page of them)")
    p.add_argument("--quick", action="store_true", help="small numbers, to see that everything runs; measures nothing")
    p.add_argument("--rounds", type=int, default=5, help="pairs of runs for each case (%(default)s)")
    p.add_argument("--seconds", type=float, default=1.5, help="of a run (%(default)s)")
    p.add_argument("--keys", type=int, default=1000000, help="of the cases with many keys (%(default)s)")
    p.add_argument("--steady-seconds", type=float, default=60, help="of writes at a steady rate, for each server (%(default)s)")
    p.add_argument("--steady-rate", type=int, default=20000, help="of writes in a second (%(default)s)")
    p.add_argument("--memory-mb", type=int, default=256, help="MiB that a server with more data than memory has (%(default)s)")
    options = p.parse_args()
    if options.quick:
        vars(options).update(QUICK)
    if min(options.rounds, options.seconds, options.keys, options.steady_seconds, options.steady_rate, options.memory_mb) <= 0:
        p.error("numbers must be over 0")
    return options


def is_chosen(case, patterns):
    name = title(case).lower()
    return not patterns or any(fnmatch.fnmatch(name, f"*{p.lower()}*") for p in patterns)


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())


def about(options):
    """What somebody needs to run it again."""
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return {
        "date": datetime.date.today().isoformat(), "command": shlex.join(["tests/bench/run.sh", *sys.argv[1:]]),
        "commit": output_of("git", "rev-parse", "--short", "HEAD") + (" with changes" if changed else ""),
        "redis": output_of("redis-server", "--version").split("v=")[1].split()[0], "aikv": output_of(AIKV, "--version").split()[-1],
        "cpu": cpu_model(), "cores": os.cpu_count(), "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": platform.platform(), "load_average": os.getloadavg()[0],
        "options": {name: value for name, value in vars(options).items() if name not in ("case", "list", "json")},
    }


def measure(case, bench):
    row = {"group": case.group, "name": case.name}
    began = time.monotonic()
    try:
        bench.end_shared(unless=getattr(case, "shares", None))
        row.update(case.run(bench))
    except Skip as e:
        row.update(problem=f"skipped: {e}", skipped=True)
    except (BenchError, OSError, subprocess.TimeoutExpired) as e:
        row.update(problem=f"FAILED: {e}")
        bench.end_shared()
    return {**row, "took_s": round(time.monotonic() - began, 1)}


def main():
    options = parse()
    chosen = [case for case in CASES if is_chosen(case, options.case)]
    if not chosen:
        sys.exit(f"bench: no case fits {' or '.join(options.case)} (try --list)")
    total = sum(case.estimate_s(options) for case in chosen)
    if options.list:
        for case in chosen:
            print(f"{time_of(case.estimate_s(options)):>7}  {title(case)}")
        print(f"{time_of(total):>7}  in all")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine = about(options)
    print(f"{len(chosen)} cases, about {time_of(total)}; load average {machine['load_average']:.1f}: close to nothing else should run", flush=True)
    folder, rows = tempfile.mkdtemp(prefix="aikv-bench-"), []
    bench = Bench(options, folder)
    try:
        for case in chosen:
            rows.append(measure(case, bench))
            print(table.as_text(rows[-1], len(rows) == 1 or rows[-2]["group"] != case.group), flush=True)
            if options.json:
                with open(options.json, "w", encoding="utf-8") as f:
                    json.dump({**machine, "results": rows}, f, indent=1)
    finally:
        bench.end_shared()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\ntook {time_of(sum(row['took_s'] for row in rows))}")
    return 1 if any("problem" in row and not row.get("skipped") for row in rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
