#!/usr/bin/env bash
# SET, GET, INCR and MSET beside redis-server in the same run, as a ratio: throughput and server CPU per operation; and restarts.
#
# usage: run.sh [--rounds N] [--requests N] [--keys N] [--json FILE]     (default 5 rounds of 200,000 requests, 1,000,000 keys)
# Interleaved (A B A B …), medians; never asserted anywhere. Close to nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-} in -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
deploy/install-dependencies.sh --tests
cmake --preset release >/dev/null
cmake --build --preset release --target aikv >/dev/null
exec /usr/bin/python3 tests/bench/bench.py "$@"
