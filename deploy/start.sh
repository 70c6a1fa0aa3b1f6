#!/usr/bin/env bash
# Starts the six nodes of docker-compose.yml and waits until they are healthy.
#
# usage: start.sh [--build]     --build: make the image anew even if there is one
# A secret that the nodes know each other by is made on first use and kept in .env beside this script.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '%s\n' "$*"; }
die() { printf 'start.sh: %s\n' "$*" >&2; exit 1; }

build=
for argument in "$@"; do
    case $argument in
        --build) build=1 ;;
        -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) die "unknown argument '$argument' (try --help)" ;;
    esac
done

docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    die "the docker daemon does not answer: install it (./install-dependencies.sh --docker), start it, or run this with sudo"
. ./compose.sh

if [ -z "${AIKV_CLUSTER_SECRET:-}" ] && ! grep -qs '^AIKV_CLUSTER_SECRET=' .env; then
    (umask 077; printf 'AIKV_CLUSTER_SECRET=%s\n' "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >>.env)
    say "made a secret for the cluster in deploy/.env"
fi

if [ -n "$build" ] || ! docker image inspect aikv:local >/dev/null 2>&1; then
    say "building the image aikv:local (about two minutes the first time)"
    ./ensure-base-image.sh debian:bookworm-slim
    docker build -q -t aikv:local -f Dockerfile .. >/dev/null
fi

compose up -d --no-build
say "waiting for six healthy nodes"
deadline=$((SECONDS + 60))
for n in 1 2 3 4 5 6; do
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "aikv$n" 2>/dev/null)" = healthy ]; do
        [ "$SECONDS" -lt "$deadline" ] || { compose logs --tail 20 "aikv$n" >&2; die "node aikv$n is not healthy after 60 s: its last log lines are above"; }
        sleep 0.3
    done
done
say "six nodes are up; now: ./init-cluster.sh"
