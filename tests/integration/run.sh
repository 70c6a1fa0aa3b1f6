#!/usr/bin/env bash
# The tests on real processes: tests/integration/test_*.py, or those named. Closes with "N passed, N failed", for each file if none is named: they run
# two at a time then, since mostly they wait.
set -uo pipefail
cd "$(dirname "$0")" || exit 2
if [ $# -gt 0 ]; then exec /usr/bin/python3 runner.py "$@"; fi
# Those that take longest come first, so that both end at about the same time.
first="test_cluster.py test_policies.py test_membership.py test_check.py test_faults.py test_tool.py test_eviction.py"
# shellcheck disable=SC2016,SC2086
{ printf '%s\n' $first; printf '%s\n' test_*.py | grep -vxF "${first// /$'\n'}"; } |
    xargs -P 2 -I{} bash -c 'name=$0; out=$(/usr/bin/python3 runner.py "${name%.py}" 2>&1); ended=$?; printf "== %s\n%s\n" "$name" "$out"; exit "$ended"' {}
