#!/usr/bin/env bash
# Builds AiKv, starts six nodes as local processes, makes them a cluster with the policy `init`, and shows it serving.
#
# usage: quickstart.sh [--base-port P] [--dir D] [--zones Z,...]   six processes on P..P+5 (default 6379), data under D;
#                                                    with --zones a,b,c nodes 1 to 6 stand in zones a b c a b c
#        quickstart.sh --stop [--dir D]              ends them; deletes the data unless D was given
#        quickstart.sh --docker                      the same with docker-compose (stop: deploy/stop.sh)
#   bus ports: 50051.. with the default base port, P+10000.. with another
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
started=$SECONDS

die() { printf 'quickstart.sh: %s\n' "$*" >&2; exit 1; }

port=6379 dir='' zones=() action=start
while [ $# -gt 0 ]; do
    case $1 in
        --base-port) port=${2:?--base-port needs a number}; shift 2 ;;
        --dir) dir=${2:?--dir needs a path}; shift 2 ;;
        --zones) IFS=, read -ra zones <<<"${2:?--zones needs a list such as a,b,c}"; shift 2 ;;
        --stop) action=stop; shift ;;
        --docker) action=docker; shift ;;
        -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) die "unknown argument '$1' (try --help)" ;;
    esac
done
[[ $port =~ ^[0-9]+$ ]] && [ "$port" -ge 1024 ] && [ "$port" -le 55000 ] || die "--base-port takes 1024 to 55000, not '$port'"
temporary=
if [ -z "$dir" ]; then
    temporary=1
    dir=${TMPDIR:-/tmp}/aikv-quickstart-$(id -u)
fi
bus=$((port + 10000))
if [ "$port" -eq 6379 ]; then bus=50051; fi

# Whether a process is there and no zombie that nobody has waited for.
alive() { [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# Whether node N of this directory runs: its process lives and is an aikv.
running() {
    local pid
    pid=$(cat "$dir/node$1/pid" 2>/dev/null) && [ -n "$pid" ] && alive "$pid" && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = aikv ]
}

stop_nodes() {
    local n pids=()
    for n in 1 2 3 4 5 6; do
        if running "$n"; then
            pids+=("$(cat "$dir/node$n/pid")")
            kill -TERM "${pids[-1]}"
        fi
    done
    for pid in "${pids[@]}"; do
        for ((n = 0; n < 150; n++)); do
            if ! alive "$pid"; then break; fi
            sleep 0.1
        done
        if alive "$pid"; then kill -KILL "$pid"; fi
    done
    printf '%s nodes ended\n' "${#pids[@]}"
}

if [ "$action" = stop ]; then
    stop_nodes
    if [ -n "$temporary" ] && [ -d "$dir" ] && [ -O "$dir" ]; then rm -rf --one-file-system "$dir"; fi
    exit 0
fi

if [ "$action" = docker ]; then
    [ "${#zones[@]}" -eq 0 ] || die "--docker takes no --zones: [node] zone in deploy/aikv-node[1-6].toml says them"
    "$here/install-dependencies.sh" --docker
    "$here/start.sh"
    up=$SECONDS
    "$here/init-cluster.sh"
    printf '\nOK: a cluster of six containers, made in %d s. Stop it: deploy/stop.sh [--volumes]\n' $((SECONDS - up))
    exit 0
fi

"$here/install-dependencies.sh"
cd "$root"
cmake --preset release >/dev/null
cmake --build --preset release --target aikv >"build/release/quickstart.log" 2>&1 ||
    { tail -n 40 build/release/quickstart.log >&2; die "the build failed: build/release/quickstart.log"; }
printf 'built %s in %d s\n' "$(build/release/aikv --version)" $((SECONDS - started))
started=$SECONDS

(umask 077; mkdir -p "$dir")
[ -O "$dir" ] || die "$dir belongs to somebody else: give another --dir"
if [ -e "$dir/port" ] && [ "$(cat "$dir/port")" != "$port" ]; then
    die "the nodes in $dir are on $(cat "$dir/port"): use --base-port $(cat "$dir/port"), or end them first (--stop), or give another --dir"
fi
echo "$port" >"$dir/port"
for n in 1 2 3 4 5 6; do
    if running "$n"; then continue; fi
    mkdir -p "$dir/node$n"
    join=
    for m in 1 2 3 4 5 6; do
        if [ "$m" -ne "$n" ] && { [ "$n" -eq 1 ] || [ "$m" -le 3 ]; }; then join=$join${join:+,}127.0.0.1:$((bus + m - 1)); fi
    done
    zone=()
    if [ "${#zones[@]}" -gt 0 ]; then zone=(--zone "${zones[(n - 1) % ${#zones[@]}]}"); fi
    rm -f "$dir/node$n/ready"
    setsid build/release/aikv --port $((port + n - 1)) --raft-addr 127.0.0.1:$((bus + n - 1)) --node-id "$n" \
        --cluster-enabled --is-bootstrap="$([ "$n" -eq 1 ] && echo yes || echo no)" --join "$join" "${zone[@]}" \
        --data-dir "$dir/node$n/data" --ready-file "$dir/node$n/ready" </dev/null >>"$dir/node$n/log" 2>&1 &
    echo $! >"$dir/node$n/pid"
done
for n in 1 2 3 4 5 6; do
    for ((i = 0; i < 100; i++)); do
        if [ -e "$dir/node$n/ready" ]; then break; fi
        running "$n" || { tail -n 3 "$dir/node$n/log" >&2; die "node $n ended: its last log lines are above (is something else on port $((port + n - 1))?)"; }
        sleep 0.1
    done
done
printf 'six nodes run: clients %d-%d, bus %d-%d, data and logs in %s\n' "$port" $((port + 5)) "$bus" $((bus + 5)) "$dir"

"$here/init-cluster.sh" --port "$port"

[ "$(redis-cli -c -p "$port" SET greeting hello)" = OK ] || die "SET on port $port did not answer OK"
printf '\nSET greeting hello on port %s, GET on port %s: %s\n' "$port" $((port + 2)) "$(redis-cli -c -p $((port + 2)) GET greeting)"
printf '\nOK: six nodes are one cluster, %d s after the build.\n' $((SECONDS - started))
printf '  connect:  redis-cli -c -p %s\n  look:     redis-cli -p %s CLUSTER SCRIPT VIEW\n' "$port" "$port"
printf '  end it:   deploy/quickstart.sh --stop%s\n' "$([ -n "$temporary" ] || printf ' --dir %q' "$dir")"
