#!/usr/bin/env bash
# Stops the six nodes of docker-compose.yml. Their data stays, unless --volumes is given.
#
# usage: stop.sh [--volumes]     --volumes: delete the data too
set -euo pipefail
cd "$(dirname "$0")"

arguments=()
for argument in "$@"; do
    case $argument in
        --volumes) arguments+=(-v) ;;
        -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) printf "stop.sh: unknown argument '%s' (try --help)\n" "$argument" >&2; exit 1 ;;
    esac
done
. ./compose.sh
# compose wants the secret to read the file, though it is of no use when stopping.
if [ -z "${AIKV_CLUSTER_SECRET:-}" ] && ! grep -qs '^AIKV_CLUSTER_SECRET=' .env; then export AIKV_CLUSTER_SECRET=unused; fi
compose down --remove-orphans "${arguments[@]}"
