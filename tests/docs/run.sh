#!/usr/bin/env bash
# Documentation: links, paths and functions named in the map, reference pages beside the code, and the commands that the start
# page, the README and the guide to policies show, run against a cluster of six processes. Closes with "N passed, N failed".
#
# usage: run.sh        (AIKV_BINARY: the node, default build/release/aikv; the policy's test needs the target aikv_model)
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
built=$(cmake --build --preset release --target aikv_model 2>&1) || { printf '%s\n0 passed, 1 failed\n' "$built"; exit 1; }
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 tests/docs/check.py
