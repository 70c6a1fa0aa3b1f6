#!/usr/bin/env bash
# AiKv beside redis-server in the same run: throughput, CPU, latency, restarts, memory, disk, stalls. The cases are in cases.py.
#
# usage: run.sh [--list] [--case PATTERN] [--json FILE] [--quick] [options]     (--help shows all of them)
# Interleaved (A B A B …), medians of pairs; never asserted anywhere. Close to nothing else should run meanwhile. About 50 minutes by default.
set -euo pipefail
cd "$(dirname "$0")/../.."
deploy/install-dependencies.sh --tests
cmake --preset release >/dev/null
built=$(cmake --build --preset release --target aikv bench_load) || { printf '%s\n' "$built" >&2; exit 1; }
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 tests/bench/bench.py "$@"
