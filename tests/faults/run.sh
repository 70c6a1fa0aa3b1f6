#!/usr/bin/env bash
# Crashes, power cuts and faults of the real binary: tests/faults/test_*.py, or those named. Closes with "N passed, N failed", for each file if
# none is named: they run two at a time then, since mostly they wait.
set -uo pipefail
cd "$(dirname "$0")" || exit 2
export PYTHONPATH=.
if [ $# -gt 0 ]; then exec /usr/bin/python3 ../integration/runner.py "$@"; fi
# shellcheck disable=SC2016
printf '%s\n' test_*.py | xargs -P 2 -I{} bash -c 'name=$0; out=$(/usr/bin/python3 ../integration/runner.py "${name%.py}" 2>&1); ended=$?; printf "%s\n" "$out"; exit "$ended"' {}
