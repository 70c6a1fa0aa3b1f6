#!/usr/bin/env bash
# AiKv beside redis-server: transcripts, COMMAND INFO, random requests, without and with faults. See README.md.
#
# usage: run.sh        starts both (AIKV_BINARY: the node, default build/release/aikv) and ends them
# Each part closes with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
aikv=$(realpath "${AIKV_BINARY:-build/release/aikv}")
folder=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; wait; rm -rf "$folder"' EXIT

# A port below those the system hands out by itself, that nobody listens on.
free_port() {
    local port
    for port in $(shuf -i 22000-31999 -n 50); do
        (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    return 1
}

# Waits up to ten seconds for an answer on a port.
await() {
    for _ in $(seq 100); do
        [ "$(redis-cli -p "$1" PING 2>/dev/null)" = PONG ] && return
        sleep 0.1
    done
    printf 'compat: nothing answers on port %s\n' "$1"
    cat "$folder"/*.log
    return 1
}

redis_port=$(free_port) && aikv_port=$(free_port) && [ "$redis_port" != "$aikv_port" ] || exit 1
redis-server --port "$redis_port" --save '' --appendonly no --enable-debug-command yes --daemonize no --dir "$folder" >"$folder/redis.log" 2>&1 &
servers+=($!)
"$aikv" --port "$aikv_port" --enable-debug-command yes --data-dir "$folder/data" >"$folder/aikv.log" 2>&1 &
servers+=($!)
await "$redis_port" && await "$aikv_port" || exit 1

code=0
for part in run.py command_table.py dumps.py random_commands.py; do
    /usr/bin/python3 "tests/compat/$part" --redis "$redis_port" --aikv "$aikv_port" || code=1
done
AIKV_BINARY=$aikv /usr/bin/python3 tests/compat/random_faults.py --big --redis "$redis_port" --seconds 45 || code=1
exit "$code"
