#!/usr/bin/env bash
# The deployment as its user sees it: start.sh, init-cluster.sh, clients on the host and in a container, kill -9, stop.sh.
# Leaves no container, volume or network behind. Without Docker it fails with 'not run'. Closes with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

passed=0 failed=0
ok() { printf 'ok: %s\n' "$1"; passed=$((passed + 1)); }
bad() { printf 'FAILED: %s\n' "$*"; failed=$((failed + 1)); }
is() { # NAME WANTED GOT
    if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: wanted '$2', got '$3'"; fi
}
finish() {
    deploy/stop.sh --volumes >/dev/null 2>&1
    docker image prune -f >/dev/null 2>&1
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
    exit
}

if ! docker version >/dev/null 2>&1; then
    bad 'not run: the docker daemon does not answer'
    printf '0 passed, 1 failed\n'
    exit 1
fi
if [ -n "$(docker ps -aq --filter name='^aikv[1-6]$')" ]; then
    bad 'not run: containers named aikv1 to aikv6 exist already; deploy/stop.sh removes them'
    printf '0 passed, 1 failed\n'
    exit 1
fi
if ! deploy/install-dependencies.sh --docker; then # compose, and debootstrap where no image can be pulled
    bad 'not run: what deploy/start.sh needs could not be installed'
    printf '0 passed, 1 failed\n'
    exit 1
fi
trap finish EXIT

made_env=
[ -e deploy/.env ] || made_env=1
if [ -n "$made_env" ]; then
    said=$(. deploy/compose.sh; cd deploy && compose up -d 2>&1)
    case $said in *start.sh*) ok 'a bare up says what to do' ;; *) bad "a bare up said: $said" ;; esac
fi
if deploy/start.sh --build; then ok 'start.sh brings up six healthy nodes'; else bad 'start.sh'; exit; fi
if deploy/init-cluster.sh; then ok 'init-cluster.sh makes a cluster'; else bad 'init-cluster.sh'; docker logs --tail 30 aikv1; exit; fi
if deploy/init-cluster.sh >/dev/null; then ok 'init-cluster.sh is safe to run twice'; else bad 'init-cluster.sh the second time'; fi

for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -c -p $((6379 + i % 6)) SET "host$i" "$i" >/dev/null; done
is 'redis-cli -c on the host follows redirections' '1 2 3 4 5 6 7 8 9 10' \
    "$(for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -c -p $((6379 + (i + 3) % 6)) GET "host$i"; done | paste -sd' ')"
network=$(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' aikv1)
inside() { docker run --rm --network "$network" aikv:local redis-cli -c "$@"; }
is 'a client in a container of the network follows them too' '1 2 3' "$(for i in 1 2 3; do inside -h aikv4 -p 6382 GET "host$i"; done | paste -sd' ')"
is 'it writes as well' OK "$(inside -h aikv2 -p 6380 SET from-inside yes)"
is 'and the host reads it' yes "$(redis-cli -c -p 6383 GET from-inside)"

before=$(docker inspect --format '{{.RestartCount}}' aikv2)
kill -9 "$(docker top aikv2 -o pid,comm | awk '$2 == "aikv" { print $1 }')"
for ((i = 0; i < 100; i++)); do
    [ "$(docker inspect --format '{{.RestartCount}}' aikv2)" != "$before" ] && [ "$(redis-cli -p 6380 PING 2>/dev/null)" = PONG ] && break
    sleep 0.2
done
is 'a node killed with -9 is restarted by docker and has its data' '1 2 3 4 5 6 7 8 9 10' \
    "$(for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -c -p 6379 GET "host$i"; done | paste -sd' ')"

deploy/stop.sh >/dev/null 2>&1
if deploy/start.sh >/dev/null; then ok 'stopped and started again'; else bad 'start.sh after stop.sh'; exit; fi
for ((i = 0; i < 100; i++)); do
    [ "$(redis-cli -p 6384 CLUSTER INFO | tr -d '\r' | sed -n 's/^cluster_state://p')" = ok ] && break
    sleep 0.2
done
is 'the data is there, without another init' '1 2 3 4 5 6 7 8 9 10' \
    "$(for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -c -p 6384 GET "host$i"; done | paste -sd' ')"
is 'three voters as before' '3' "$(redis-cli -p 6381 CLUSTER METARAFT MEMBERS | grep -c voter)"
