#!/usr/bin/env bash
# The tests on real processes: tests/integration/test_*.py, or those named. Closes with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")" || exit 2
exec /usr/bin/python3 runner.py "$@"
