#!/usr/bin/env bash
# Checks the layers of core/ (docs/internals/map.md) from the #include lines: an include points down or sideways, folders
# that only one may see a library (lmdb.h, raft.h, lua.h) are alone with it, and no folders include each other in a circle.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A layer=([base]=0 [resp]=1 [rdb]=1 [store]=1 [cluster]=1 [keyspace]=2 [net]=2 [meta]=3 [script]=3 [command]=4 [control]=4 [tool]=5 [server]=5)
declare -A only=([lmdb.h]=store [raft.h]=meta [raft/uv.h]=meta [lua.h]=script [lauxlib.h]=script [lualib.h]=script)
declare -A uses=()
passed=0 failed=0
bad() { printf '  %s\n' "$*"; failed=$((failed + 1)); }

for folder in core/*/; do
    name=$(basename "$folder")
    [ -n "${layer[$name]:-}" ] || bad "core/$name has no layer: add it to docs/internals/map.md and tests/layers.sh"
done
while IFS=: read -r file line; do
    from=${file#core/} from=${from%%/*}
    target=$(sed -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]+)[>"].*/\1/' <<<"$line")
    if [ -n "${only[$target]:-}" ] && [ "${only[$target]}" != "$from" ]; then
        bad "$file includes $target, which only core/${only[$target]} may see"
    fi
    to=${target%%/*}
    if [ "$to" = "$target" ] || [ -z "${layer[$to]:-}" ]; then continue; fi
    if [ "$to" != "$from" ]; then uses[$from]="${uses[$from]:-} $to"; fi
    if [ "${layer[$to]}" -gt "${layer[$from]}" ]; then
        bad "$file (layer ${layer[$from]}) includes $target (layer ${layer[$to]}): includes never point up"
    else
        passed=$((passed + 1))
    fi
done < <(grep -RHE '^[[:space:]]*#[[:space:]]*include' core --include='*.c' --include='*.h' --include='*.cpp' --include='*.def')

# Whether `$2` can be reached from `$1` along includes.
reaches() {
    local seen=" " todo=" ${uses[$1]:-}" next
    while [ -n "${todo// /}" ]; do
        read -r next todo <<<"$todo"
        if [ "$next" = "$2" ]; then return 0; fi
        case $seen in *" $next "*) ;; *) seen="$seen$next " todo="$todo ${uses[$next]:-}" ;; esac
    done
    return 1
}
for name in "${!layer[@]}"; do
    if reaches "$name" "$name"; then bad "core/$name includes itself through other folders"; else passed=$((passed + 1)); fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
