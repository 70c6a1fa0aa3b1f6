#!/usr/bin/env bash
# Makes a cluster of six started nodes: waits until all answer, runs the policy `init` (scripts/init.lua) on the
# leader, and shows its steps as they happen. Safe to run again: a finished cluster has nothing left to do.
#
# usage: init-cluster.sh [--port P] [--nodes N] [NAME VALUE]...
#   --port P     client port of the first node on 127.0.0.1; the others follow it (default 6379)
#   --nodes N    how many nodes to wait for (default 6)
#   NAME VALUE   parameters of the policy, as: shards 3 replicas 1 voters 3
set -euo pipefail

die() { printf 'init-cluster.sh: %s\n' "$*" >&2; exit 1; }

port=6379 nodes=6 parameters=()
while [ $# -gt 0 ]; do
    case $1 in
        --port) port=${2:?--port needs a number}; shift 2 ;;
        --nodes) nodes=${2:?--nodes needs a number}; shift 2 ;;
        -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        -*) die "unknown argument '$1' (try --help)" ;;
        *) [ $# -ge 2 ] || die "parameter '$1' needs a value"; parameters+=("$1" "$2"); shift 2 ;;
    esac
done

if command -v redis-cli >/dev/null; then
    cli() { redis-cli -h 127.0.0.1 -p "$1" "${@:2}"; }
elif command -v docker >/dev/null && docker inspect aikv1 >/dev/null 2>&1; then
    cli() { docker exec "aikv$(($1 - port + 1))" redis-cli -p "$1" "${@:2}"; }
else
    die "redis-cli is not installed: apt-get install redis-tools"
fi

printf 'waiting for %s nodes' "$nodes"
deadline=$((SECONDS + 60))
for ((n = 0; n < nodes; n++)); do
    until [ "$(cli $((port + n)) PING 2>/dev/null)" = PONG ]; do
        [ "$SECONDS" -lt "$deadline" ] || die "the node on port $((port + n)) does not answer after 60 s"
        printf '.'
        sleep 0.2
    done
done
printf ' all answer\n'

# The first node founds the cluster within seconds; until then there is no leader to run a policy.
until run=$(cli "$port" CLUSTER SCRIPT RUN init "${parameters[@]}") && [[ $run =~ ^[0-9]+$ ]]; do
    case $run in
        *CLUSTERDOWN*) [ "$SECONDS" -lt "$deadline" ] || die "$run" ;;
        *) die "$run" ;;
    esac
    sleep 0.2
done
printf 'run %s of policy init\n' "$run"

# STATUS is a list of names and values, the last of which is the steps, a line each: "<round>.<step> <status> <what>".
shown=0
while :; do
    mapfile -t lines < <(cli "$port" CLUSTER SCRIPT STATUS "$run")
    state='' failure='' steps=()
    for ((i = 0; i < ${#lines[@]}; i += 2)); do
        case ${lines[i]} in
            status) state=${lines[i + 1]} ;;
            error) failure=${lines[i + 1]} ;;
            steps) steps=("${lines[@]:i + 1}"); break ;;
        esac
    done
    for step in "${steps[@]:shown}"; do
        case $step in
            *' done '*) printf '  %s\n' "${step/ done / }" ;;
            *' failed '*) printf '  %s\n' "${step/ failed / FAILED }" ;;
            *) break ;;
        esac
        shown=$((shown + 1))
    done
    case $state in
        done) break ;;
        failed) die "run $run failed: $failure" ;;
        running) sleep 0.1 ;;
        *) sleep 0.5; [ "$SECONDS" -lt $((deadline + 600)) ] || die "no status of run $run: ${lines[*]}" ;;
    esac
done

# Every node hears of the last change within a moment; then the cluster serves.
state_of() { cli "$1" CLUSTER INFO | tr -d '\r' | sed -n 's/^cluster_state://p'; }
for ((n = 0; n < nodes; n++)); do
    until [ "$(state_of $((port + n)))" = ok ]; do
        [ "$SECONDS" -lt "$deadline" ] || die "the cluster does not serve, says the node on port $((port + n)): see its CLUSTER NODES"
        sleep 0.1
    done
done

printf '\nmembers of MetaRaft:\n'
cli "$port" CLUSTER METARAFT MEMBERS | paste - - | sed 's/^/  node /'
printf 'nodes:\n'
cli "$port" CLUSTER NODES | sed 's/^/  /'
cli "$port" CLUSTER INFO | grep -E '^cluster_(state|slots_assigned|known_nodes|size):' | tr -d '\r' | sed 's/^/  /'
printf 'The cluster serves: redis-cli -c -p %s\n' "$port"
